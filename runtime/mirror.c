/* mirror.c: what is known of columns on devices; see mirror.h. */
#include "mirror_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRY_EVERY = 16 }; /* moments: others may be colder by now */

struct mirror *mirror_create(uint64_t room_bytes)
{
    struct mirror *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    snprintf(m->own.what, sizeof m->own.what, "the store's budget");
    m->own.limit = room_bytes;
    for (int kind = 0; kind < DEVICE_KINDS; kind++)
        m->most[kind] = UINT64_MAX;
    return m;
}

void mirror_destroy(struct mirror **mirror)
{
    struct mirror *m = *mirror;
    if (!m)
        return;
    *mirror = NULL;
    for (int kind = 0; kind < DEVICE_KINDS; kind++)
        mirror_forget(m, (enum device_kind)kind); /* pools outlive it */
    for (struct mirror_group *g = m->groups, *next; g; g = next) {
        next = g->next;
        for (uint32_t i = 0; i < g->shard_count; i++) {
            struct mirror_column *c = &g->columns[i];
            free(c->changed_at);
            free(c->heat);
            free(c->heated_at);
            for (int kind = 0; kind < DEVICE_KINDS; kind++) {
                free(c->content_at[kind]);
                free(c->ranges[kind]);
            }
        }
        free(g);
    }
    free(m);
}

static struct mirror_group *group_of(struct mirror *m, uint16_t product,
                                     uint32_t field, uint32_t shard_count,
                                     struct pool *pool)
{
    struct mirror_group *g = m->groups;
    while (g && (g->product != product || g->field != field))
        g = g->next;
    if (g)
        return g;
    g = calloc(1, sizeof *g + shard_count * sizeof *g->columns);
    if (!g)
        return NULL;
    g->product = product;
    g->field = field;
    g->shard_count = shard_count;
    g->pool = pool ? pool : &m->own;
    for (uint32_t i = 0; i < shard_count; i++)
        g->columns[i].group = g;
    g->next = m->groups;
    m->groups = g;
    return g;
}

struct mirror_column *mirror_columns(struct mirror *m, uint16_t product,
                                     uint32_t field, uint32_t shard_count,
                                     struct pool *pool)
{
    os_lock(&m->lock);
    struct mirror_group *g = group_of(m, product, field, shard_count, pool);
    os_unlock(&m->lock);
    return g ? g->columns : NULL;
}

struct mirror_column *mirror_column_at(struct mirror_column *columns,
                                       uint32_t shard)
{
    return &columns[shard];
}

/* ---- moments ---- */

/* Its new part is zeros. */
static bool lengthen(void *array, size_t before, size_t after, size_t size)
{
    void **at = array;
    char *grown = realloc(*at, after * size);
    if (!grown)
        return false;
    memset(grown + before * size, 0, (after - before) * size);
    *at = grown;
    return true;
}

bool mirror_reach(struct mirror_column *c, size_t bytes)
{
    size_t before = c->page_count;
    size_t ranges = (bytes + MIRROR_RANGE_BYTES - 1) / MIRROR_RANGE_BYTES;
    size_t after = ranges * RANGE_PAGES;
    if (after <= before)
        return true;
    if (ranges > UINT32_MAX / RANGE_PAGES)
        return false;
    bool all =
        lengthen(&c->changed_at, before, after, sizeof(uint64_t)) &&
        lengthen(&c->heat, before / RANGE_PAGES, ranges, sizeof(double)) &&
        lengthen(&c->heated_at, before / RANGE_PAGES, ranges, sizeof(uint64_t));
    for (int kind = 0; kind < DEVICE_KINDS && all; kind++)
        all = lengthen(&c->content_at[kind], before, after, sizeof(uint64_t)) &&
              lengthen(&c->ranges[kind], before / RANGE_PAGES, ranges,
                       sizeof(struct mirror_range));
    if (all)
        c->page_count = (uint32_t)after;
    return all;
}

void mirror_enter(struct mirror *m)
{
    os_lock(&m->lock);
}

void mirror_leave(struct mirror *m)
{
    os_unlock(&m->lock);
}

uint64_t mirror_moment(struct mirror *m)
{
    return ++m->moment;
}

int mirror_changed(struct mirror_column *c, uint64_t moment, size_t from,
                   size_t bytes)
{
    bool known = mirror_reach(c, from + bytes);
    size_t end = (from + bytes + MIRROR_PAGE_BYTES - 1) / MIRROR_PAGE_BYTES;
    for (size_t page = from / MIRROR_PAGE_BYTES; known && page < end; page++)
        c->changed_at[page] = moment;
    return known ? 0 : -1;
}

/* M2. */
bool mirror_usable(const struct mirror_column *c, enum device_kind kind,
                   uint64_t moment, uint32_t page)
{
    if (page >= c->page_count)
        return false;
    uint64_t content = c->content_at[kind][page];
    return content != 0 && content <= moment && content >= c->changed_at[page];
}

bool mirror_lacks(const struct mirror_column *c, enum device_kind kind,
                  uint64_t moment, uint32_t page)
{
    bool lacks = !mirror_usable(c, kind, moment, page);
    const struct pool *pool = c->group->pool;
    if (lacks && (page >= c->page_count ||
                  c->ranges[kind][page / RANGE_PAGES].held == 0))
        lacks = moment % TRY_EVERY == 0 ||
                atomic_load_explicit(&pool->used, memory_order_relaxed) +
                        MIRROR_PAGE_BYTES <=
                    pool->limit;
    return lacks;
}

/* ---- blocks ---- */

void mirror_give_up(struct mirror *m, enum device_kind kind,
                    struct mirror_column *c, uint32_t range)
{
    struct mirror_range *r = &c->ranges[kind][range];
    if (r->held == 0)
        return;
    atomic_fetch_sub_explicit(&c->group->pool->used, r->room,
                              memory_order_relaxed);
    m->held_bytes[kind] -= r->room;
    device_note(kind, -(int64_t)r->room, 0);
    m->blocks[kind][r->held - 1].column = NULL;
    memset(&c->content_at[kind][range * RANGE_PAGES], 0,
           RANGE_PAGES * sizeof *c->content_at[kind]);
    *r = (struct mirror_range){0};
}

static void forget(struct mirror *m, enum device_kind kind)
{
    for (uint32_t i = 0; i < DEVICE_HELD_MAX; i++) {
        struct mirror_block *b = &m->blocks[kind][i];
        if (b->column)
            mirror_give_up(m, kind, b->column, b->range);
        m->on_device[kind][i] = false;
    }
}

void mirror_forget(struct mirror *m, enum device_kind kind)
{
    os_lock(&m->lock);
    forget(m, kind);
    os_unlock(&m->lock);
}

void mirror_no_room(struct mirror *m, enum device_kind kind)
{
    os_lock(&m->lock);
    if (m->held_bytes[kind] > 0)
        m->most[kind] = m->held_bytes[kind] / 2;
    forget(m, kind);
    os_unlock(&m->lock);
}

uint64_t mirror_held_bytes(struct mirror *m, enum device_kind kind)
{
    os_lock(&m->lock);
    uint64_t bytes = m->held_bytes[kind];
    os_unlock(&m->lock);
    return bytes;
}
