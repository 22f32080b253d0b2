/* pending.c: groups in hash tables, items in treaps that are also lists.
 *
 * A part has a lock and its share of the groups. An item is never taken out of
 * a treap, but a floor may empty one. Blocks of memory belong to a generation
 * and go with it. Reading and walking are in pending_read.c. */
#include "pending_part.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_FIRST = 4 << 10, BLOCK_MAX = 64 << 10, GROUPS_FIRST = 4 };

static int over_budget(const struct pending *p)
{
    return error_set(WARP_ELIMIT,
                     "memory_max_bytes (%llu) is reached: entries of indexes "
                     "and series wait for a checkpoint",
                     (unsigned long long)atomic_load_explicit(
                         &p->budget->limit, memory_order_relaxed));
}

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for an index or a series");
}

struct pending_name pending_name(const uint8_t *bytes, uint32_t count)
{
    struct pending_name n = {bytes, count, hash_key(0, 0, bytes, count)};
    return n;
}

/* ---- blocks ---- */

static int block_make(struct pending *p, size_t bytes, bool force,
                      struct block **block)
{
    bytes = sizeof **block + ((bytes + 15) & ~(size_t)15);
    *block = NULL;
    if (force)
        atomic_fetch_add_explicit(&p->budget->used, bytes,
                                  memory_order_relaxed);
    else if (!budget_take(p->budget, bytes))
        return over_budget(p);
    *block = malloc(bytes);
    if (!*block) {
        budget_give(p->budget, bytes);
        return no_memory();
    }
    (*block)->bytes = bytes;
    (*block)->next = NULL;
    return WARP_OK;
}

static void block_free(struct pending *p, struct block *block)
{
    budget_give(p->budget, block->bytes);
    free(block);
}

static void block_link(struct generation *g, struct block *block)
{
    block->next = g->blocks;
    g->blocks = block;
}

/* From the shared block of a generation. */
static int take(struct pending *p, struct generation *g, size_t bytes,
                void **out)
{
    bytes = (bytes + 7) & ~(size_t)7;
    if (bytes > (size_t)(g->end - g->at)) {
        size_t room = g->block_bytes ? g->block_bytes : BLOCK_FIRST;
        struct block *block;
        int rc = block_make(p, bytes > room ? bytes : room, false, &block);
        if (rc != WARP_OK)
            return rc;
        block_link(g, block);
        g->at = (uint8_t *)(block + 1);
        g->end = (uint8_t *)block + block->bytes;
        g->block_bytes = room < BLOCK_MAX ? room * 2 : room;
    }
    *out = g->at;
    g->at += bytes;
    return WARP_OK;
}

void part_drop(struct pending *p, struct generation *g)
{
    while (g->blocks) {
        struct block *block = g->blocks;
        g->blocks = block->next;
        block_free(p, block);
    }
    if (g->buckets) {
        budget_give(p->budget, (g->mask + 1) * sizeof *g->buckets);
        free(g->buckets);
    }
    memset(g, 0, sizeof *g);
}

/* ---- groups ---- */

static struct group **bucket(struct generation *g, uint64_t hash)
{
    return g->buckets ? &g->buckets[hash & g->mask] : &g->only;
}

struct group *part_find(const struct generation *g,
                        const struct pending_name *name)
{
    struct group *at =
        g->buckets ? g->buckets[name->hash & g->mask] : g->only;
    while (at && (at->hash != name->hash || at->bytes != name->count ||
                  memcmp(at->name, name->bytes, name->count) != 0))
        at = at->next;
    return at;
}

/* Without memory for more buckets the chains get longer. */
static void grow(struct pending *p, struct generation *g)
{
    uint32_t count = g->buckets ? (g->mask + 1) * 2 : GROUPS_FIRST * 2;
    size_t bytes = count * sizeof *g->buckets;
    if (!budget_take(p->budget, bytes))
        return;
    struct group **old = g->buckets, **grown = calloc(count, sizeof *grown);
    uint32_t old_count = old ? g->mask + 1 : 1;
    if (!grown) {
        budget_give(p->budget, bytes);
        return;
    }
    for (uint32_t i = 0; i < old_count; i++)
        for (struct group *at = old ? old[i] : g->only, *next; at; at = next) {
            next = at->next;
            at->next = grown[at->hash & (count - 1)];
            grown[at->hash & (count - 1)] = at;
        }
    if (old)
        budget_give(p->budget, old_count * sizeof *old);
    free(old);
    g->only = NULL;
    g->buckets = grown;
    g->mask = count - 1;
}

void part_link(struct pending *p, struct generation *g, struct group *group)
{
    if (g->count >= (g->buckets ? g->mask + 1 : GROUPS_FIRST))
        grow(p, g);
    struct group **at = bucket(g, group->hash);
    group->next = *at;
    *at = group;
    g->count++;
}

static struct group *group_init(void *memory, const struct pending_name *name)
{
    struct group *group = memory;
    memset(group, 0, sizeof *group);
    group->hash = name->hash;
    group->bytes = (uint16_t)name->count;
    memcpy(group->name, name->bytes, name->count);
    return group;
}

/* ---- items ---- */

int pending_compare(const uint8_t *a, uint32_t a_bytes, const uint8_t *b,
                    uint32_t b_bytes)
{
    uint32_t both = a_bytes < b_bytes ? a_bytes : b_bytes;
    int order = both ? memcmp(a, b, both) : 0;
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

struct item *part_search(const struct group *group, const uint8_t *key,
                         uint32_t key_bytes, struct item **before)
{
    struct item *at = group->root;
    *before = NULL;
    while (at) {
        int order = pending_compare(key, key_bytes, at->bytes, at->key_bytes);
        if (order == 0)
            return at;
        if (order > 0)
            *before = at;
        at = order < 0 ? at->left : at->right;
    }
    return NULL;
}

void part_insert(struct group *group, struct item *item, struct item *before)
{
    struct item **at = &group->root, **below = &item->left,
                **above = &item->right;
    if (before) {
        item->next = before->next;
        before->next = item;
    } else {
        item->next = group->first;
        group->first = item;
    }
    while (*at && (*at)->priority >= item->priority)
        at = pending_compare(item->bytes, item->key_bytes, (*at)->bytes,
                             (*at)->key_bytes) < 0
                 ? &(*at)->left
                 : &(*at)->right;
    struct item *rest = *at;
    *at = item;
    while (rest) {
        if (pending_compare(item->bytes, item->key_bytes, rest->bytes,
                            rest->key_bytes) < 0) {
            *above = rest;
            above = &rest->left;
            rest = rest->left;
        } else {
            *below = rest;
            below = &rest->right;
            rest = rest->right;
        }
    }
    *below = *above = NULL;
}

static struct item *item_init(struct part *part, void *memory,
                              const uint8_t *key, uint32_t key_bytes,
                              const uint8_t *value, uint32_t value_bytes)
{
    struct item *item = memory;
    part->random ^= part->random << 13;
    part->random ^= part->random >> 17;
    part->random ^= part->random << 5;
    item->priority = part->random;
    item->key_bytes = (uint16_t)key_bytes;
    item->value_bytes = value_bytes;
    item->gone = false;
    memcpy(item->bytes, key, key_bytes);
    if (value_bytes)
        memcpy(item->bytes + key_bytes, value, value_bytes);
    return item;
}

bool pending_below(const uint8_t *key, uint32_t key_bytes, uint64_t floor)
{
    uint64_t rank = 0;
    if (floor == 0 || key_bytes < 8)
        return false;
    for (uint32_t i = key_bytes - 8; i < key_bytes; i++)
        rank = rank << 8 | key[i];
    return rank < floor;
}

/* Leaves only what the floor allows. */
void part_prune(struct group *group)
{
    struct item *at = group->first, *last = NULL;
    group->first = group->root = NULL;
    while (at) {
        struct item *next = at->next;
        if (!pending_below(at->bytes, at->key_bytes, group->floor)) {
            part_insert(group, at, last);
            last = at;
        }
        at = next;
    }
}

/* ---- making entries ---- */

struct part *part_enter(struct pending *p, uint64_t hash)
{
    struct part *part = &p->parts[hash >> 58];
    os_lock(&part->lock);
    return part;
}

static int set_locked(struct pending *p, struct part *part,
                      const struct pending_name *name, const uint8_t *key,
                      uint32_t key_bytes, bool gone)
{
    struct generation *g = &part->pending;
    struct group *group = part_find(g, name);
    struct item *item = NULL, *before = NULL;
    void *memory;
    if (group)
        item = part_search(group, key, key_bytes, &before);
    if (!item) {
        int rc = take(p, g, sizeof *item + key_bytes, &memory);
        if (rc != WARP_OK)
            return rc;
        item = item_init(part, memory, key, key_bytes, NULL, 0);
        if (!group) {
            rc = take(p, g, sizeof *group + name->count, &memory);
            if (rc != WARP_OK)
                return rc;
            group = group_init(memory, name);
            part_link(p, g, group);
        }
        part_insert(group, item, before);
    }
    item->gone = gone;
    return WARP_OK;
}

int pending_set(struct pending *p, const struct pending_name *name,
                const uint8_t *key, uint32_t key_bytes, bool gone)
{
    struct part *part = part_enter(p, name->hash);
    int rc = set_locked(p, part, name, key, key_bytes, gone);
    os_unlock(&part->lock);
    return rc;
}

int pending_reserve(struct pending *p, uint32_t name_bytes,
                    uint32_t item_bytes, bool force,
                    struct pending_room *room)
{
    struct block *group, *item = NULL;
    int rc = block_make(p, sizeof(struct group) + name_bytes, force, &group);
    if (rc == WARP_OK && item_bytes > 0) {
        rc = block_make(p, sizeof(struct item) + item_bytes, force, &item);
        if (rc != WARP_OK)
            block_free(p, group);
    }
    if (rc == WARP_OK) {
        room->group = group;
        room->item = item;
    }
    return rc;
}

void pending_unreserve(struct pending *p, struct pending_room *room)
{
    if (room->group)
        block_free(p, room->group);
    if (room->item)
        block_free(p, room->item);
    room->group = room->item = NULL;
}

static struct group *group_of(struct pending *p, struct part *part,
                              const struct pending_name *name,
                              struct pending_room *room)
{
    struct group *group = part_find(&part->pending, name);
    if (!group) {
        struct block *block = room->group;
        room->group = NULL;
        block_link(&part->pending, block);
        group = group_init(block + 1, name);
        part_link(p, &part->pending, group);
    }
    return group;
}

void pending_add(struct pending *p, const struct pending_name *name,
                 struct pending_room *room, const uint8_t *key,
                 uint32_t key_bytes, const uint8_t *value,
                 uint32_t value_bytes)
{
    struct part *part = part_enter(p, name->hash);
    struct group *group = group_of(p, part, name, room);
    struct item *before;
    if (!part_search(group, key, key_bytes, &before) &&
        !pending_below(key, key_bytes, group->floor)) {
        struct block *block = room->item;
        room->item = NULL;
        block_link(&part->pending, block);
        part_insert(group,
                    item_init(part, block + 1, key, key_bytes, value,
                              value_bytes),
                    before);
    }
    os_unlock(&part->lock);
    pending_unreserve(p, room);
}

void pending_floor(struct pending *p, const struct pending_name *name,
                   struct pending_room *room, uint64_t floor)
{
    struct part *part = part_enter(p, name->hash);
    struct group *group = group_of(p, part, name, room);
    if (floor > group->floor) {
        group->floor = floor;
        part_prune(group);
    }
    os_unlock(&part->lock);
    pending_unreserve(p, room);
}

/* ---- the whole ---- */

int pending_open(struct budget *budget, struct pending **out)
{
    struct pending *p = aligned_alloc(64, (sizeof *p + 63) & ~(size_t)63);
    *out = NULL;
    if (!p)
        return no_memory();
    memset(p, 0, sizeof *p);
    p->budget = budget;
    for (uint32_t i = 0; i < PARTS; i++)
        p->parts[i].random = 2463534242u + i;
    *out = p;
    return WARP_OK;
}

void pending_close(struct pending **handle)
{
    struct pending *p = *handle;
    if (!p)
        return;
    *handle = NULL;
    for (uint32_t i = 0; i < PARTS; i++) {
        part_drop(p, &p->parts[i].pending);
        part_drop(p, &p->parts[i].flushing);
    }
    free(p);
}

bool pending_any(struct pending *p)
{
    bool any = false;
    for (uint32_t i = 0; i < PARTS && !any; i++) {
        os_lock(&p->parts[i].lock);
        any = p->parts[i].pending.count > 0;
        os_unlock(&p->parts[i].lock);
    }
    return any;
}
