/* pending_read.c: both generations of a group as one list; what a checkpoint
 * takes, walks and gives back. */
#include "pending_part.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES_MAX = 256 << 10 };

/* ---- batches ---- */

struct entry_head {
    uint32_t key_bytes, value_bytes, gone;
};

static int batch_room(struct pending_batch *b, size_t more)
{
    if (b->count == b->count_room) {
        uint32_t room = b->count_room ? b->count_room * 2 : 16;
        void *grown = realloc(b->offsets, room * sizeof *b->offsets);
        if (!grown)
            return error_set(WARP_ENOMEM, "out of memory for a scan");
        b->offsets = grown;
        b->count_room = room;
    }
    if (b->used + more > b->room) {
        size_t room = (b->used + more) * 2;
        void *grown = realloc(b->data, room);
        if (!grown)
            return error_set(WARP_ENOMEM, "out of memory for a scan");
        b->data = grown;
        b->room = room;
    }
    return WARP_OK;
}

int pending_batch_push(struct pending_batch *b, const uint8_t *key,
                       uint32_t key_bytes, const uint8_t *value,
                       uint32_t value_bytes, bool gone)
{
    struct entry_head head = {key_bytes, value_bytes, gone};
    int rc = batch_room(b, sizeof head + key_bytes + value_bytes);
    if (rc != WARP_OK)
        return rc;
    b->offsets[b->count++] = (uint32_t)b->used;
    memcpy(b->data + b->used, &head, sizeof head);
    b->used += sizeof head;
    if (key_bytes)
        memcpy(b->data + b->used, key, key_bytes);
    b->used += key_bytes;
    if (value_bytes)
        memcpy(b->data + b->used, value, value_bytes);
    b->used += value_bytes;
    return WARP_OK;
}

struct pending_entry pending_batch_at(const struct pending_batch *b,
                                      uint32_t number)
{
    struct entry_head head;
    const uint8_t *at = b->data + b->offsets[number];
    memcpy(&head, at, sizeof head);
    struct pending_entry e = {head.key_bytes, head.value_bytes,
                              head.gone != 0, at + sizeof head,
                              at + sizeof head + head.key_bytes};
    return e;
}

bool pending_batch_full(const struct pending_batch *b, uint32_t count_max)
{
    return count_max != UINT32_MAX &&
           (b->count >= count_max || b->used >= BATCH_BYTES_MAX);
}

void pending_batch_fini(struct pending_batch *b)
{
    free(b->data);
    free(b->offsets);
    memset(b, 0, sizeof *b);
}

/* ---- reading ---- */

static struct item *first_of(const struct group *group,
                             const struct pending_range *range)
{
    struct item *before, *at;
    if (!group)
        return NULL;
    at = part_search(group, range->from, range->from_bytes, &before);
    if (at)
        return range->behind ? at->next : at;
    return before ? before->next : group->first;
}

static bool inside(const struct item *at, const struct pending_range *range)
{
    return at && (range->to_bytes == 0 ||
                  pending_compare(at->bytes, at->key_bytes, range->to,
                                  range->to_bytes) < 0);
}

int pending_read(struct pending *p, const struct pending_name *name,
                 const struct pending_range *range, uint32_t count_max,
                 struct pending_batch *b)
{
    struct part *part = part_enter(p, name->hash);
    struct group *group = part_find(&part->pending, name);
    struct group *older = part_find(&part->flushing, name);
    struct item *x = first_of(group, range), *y = first_of(older, range);
    int rc = WARP_OK;
    b->used = b->count = 0;
    b->more = false;
    b->floor = group ? group->floor : 0;
    if (older && older->floor > b->floor)
        b->floor = older->floor;
    while (rc == WARP_OK && (inside(x, range) || inside(y, range))) {
        struct item *at = x;
        int order = !inside(x, range)   ? 1
                    : !inside(y, range) ? -1
                    : pending_compare(x->bytes, x->key_bytes, y->bytes,
                                      y->key_bytes);
        if (order > 0)
            at = y;
        if (order <= 0)
            x = x->next;
        if (order >= 0)
            y = y->next;
        if (pending_below(at->bytes, at->key_bytes, b->floor))
            continue;
        if (pending_batch_full(b, count_max)) {
            b->more = true;
            break;
        }
        rc = pending_batch_push(b, at->bytes, at->key_bytes,
                                at->bytes + at->key_bytes, at->value_bytes,
                                at->gone);
    }
    os_unlock(&part->lock);
    return rc;
}

/* ---- a checkpoint ---- */

void pending_take(struct pending *p)
{
    pending_settle(p, true);
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *part = &p->parts[i];
        os_lock(&part->lock);
        part->flushing = part->pending;
        memset(&part->pending, 0, sizeof part->pending);
        os_unlock(&part->lock);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a;
    const struct group *y = *(struct group *const *)b;
    return pending_compare(x->name, x->bytes, y->name, y->bytes);
}

static void each_group(struct generation *g,
                       void (*fn)(void *arg, struct group *group), void *arg)
{
    uint32_t count = g->buckets ? g->mask + 1 : 1;
    for (uint32_t i = 0; i < count; i++) {
        struct group *at = g->buckets ? g->buckets[i] : g->only, *next;
        for (; at; at = next) {
            next = at->next;
            fn(arg, at);
        }
    }
}

struct gathering {
    struct group **groups;
    uint32_t count;
};

static void gather(void *arg, struct group *group)
{
    struct gathering *all = arg;
    all->groups[all->count++] = group;
}

/* The flushing generation is read without its locks: nobody changes it. */
int pending_walk(struct pending *p, pending_visit_fn *fn, void *arg)
{
    struct gathering all = {NULL, 0};
    size_t count = 0;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < PARTS; i++)
        count += p->parts[i].flushing.count;
    if (count == 0)
        return WARP_OK;
    all.groups = malloc(count * sizeof *all.groups);
    if (!all.groups)
        return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
    for (uint32_t i = 0; i < PARTS; i++)
        each_group(&p->parts[i].flushing, gather, &all);
    qsort(all.groups, all.count, sizeof *all.groups, by_name);
    for (uint32_t i = 0; i < all.count && rc == WARP_OK; i++) {
        const struct group *g = all.groups[i];
        struct pending_visit visit = {g->name, g->bytes, g->floor, g->first};
        rc = fn(arg, &visit);
    }
    free(all.groups);
    return rc;
}

bool pending_visit_next(struct pending_visit *group, struct pending_entry *e)
{
    const struct item *at = group->at;
    if (!at)
        return false;
    e->key = at->bytes;
    e->key_bytes = at->key_bytes;
    e->value = at->bytes + at->key_bytes;
    e->value_bytes = at->value_bytes;
    e->gone = at->gone;
    group->at = at->next;
    return true;
}

struct returning {
    struct pending *pending;
    struct part *part;
};

/* A flushing group under what was said since. */
static void return_group(void *arg, struct group *old)
{
    struct returning *c = arg;
    struct pending_name name = {old->name, old->bytes, old->hash};
    struct group *group = part_find(&c->part->pending, &name);
    if (!group) {
        part_link(c->pending, &c->part->pending, old);
        return;
    }
    for (struct item *at = old->first, *next; at; at = next) {
        struct item *before;
        next = at->next;
        if (!pending_below(at->bytes, at->key_bytes, group->floor) &&
            !part_search(group, at->bytes, at->key_bytes, &before))
            part_insert(group, at, before);
    }
    if (old->floor > group->floor)
        group->floor = old->floor;
}

static void return_part(struct pending *p, struct part *part)
{
    struct returning call = {p, part};
    struct block **last = &part->pending.blocks;
    each_group(&part->flushing, return_group, &call);
    while (*last)
        last = &(*last)->next;
    *last = part->flushing.blocks;
    part->flushing.blocks = NULL;
}

void pending_settle(struct pending *p, bool keep)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *part = &p->parts[i];
        struct generation old;
        os_lock(&part->lock);
        if (keep)
            return_part(p, part);
        old = part->flushing;
        memset(&part->flushing, 0, sizeof part->flushing);
        os_unlock(&part->lock);
        part_drop(p, &old);
    }
}
