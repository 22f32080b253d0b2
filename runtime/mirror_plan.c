/* mirror_plan.c: what a job's inputs are put together from, and what is sent to
 * a device for it and for later jobs. */
#include "mirror_table.h"

#include <math.h>

enum {
    HALF_LIFE = 64,       /* plans */
    LEAST_BYTES = 256,    /* a shorter copy on the device is not sooner */
    MORE_ROOM_EVERY = 256 /* plans: what had no room once may have it again */
};

/* What the plan is made from. */
struct making {
    struct mirror *m;
    enum device_kind kind;
    const struct mirror_rows *rows;
};

/* ---- which ranges have a block ---- */

static double heat_now(const struct mirror *m, const struct mirror_column *c,
                       uint32_t range)
{
    return c->heat[range] *
           exp2(-(double)(m->plans - c->heated_at[range]) / HALF_LIFE);
}

/* A range is used once by a plan, however often it is named. */
static void use(struct mirror *m, struct mirror_column *c, uint32_t range)
{
    if (c->heated_at[range] == m->plans)
        return;
    c->heat[range] = heat_now(m, c, range) + 1;
    c->heated_at[range] = m->plans;
}

static void use_all(struct making *k)
{
    for (uint32_t a = 0; a < k->rows->arg_count; a++)
        for (uint32_t i = 0; i < k->rows->run_count; i++) {
            const struct mirror_arg *arg = &k->rows->args[a];
            const struct mirror_run *r = &k->rows->runs[i];
            if (r->row == MIRROR_NO_ROW)
                continue;
            struct mirror_column *c = mirror_column_at(arg->columns, r->shard);
            size_t from = (size_t)r->row * arg->stride;
            size_t end = from + (size_t)r->count * arg->stride;
            if (!mirror_reach(c, end))
                continue;
            for (size_t n = from / MIRROR_RANGE_BYTES;
                 n * MIRROR_RANGE_BYTES < end; n++)
                use(k->m, c, (uint32_t)n);
        }
}

/* The coldest block of a pool, or of all; clearly colder than `heat`. */
static bool give_up_coldest(struct making *k, const struct pool *pool,
                            double heat)
{
    struct mirror_block *coldest = NULL;
    double least = heat / 2;
    for (uint32_t i = 0; i < DEVICE_HELD_MAX; i++) {
        struct mirror_block *b = &k->m->blocks[k->kind][i];
        if (!b->column || (pool && b->column->group->pool != pool) ||
            b->column->heated_at[b->range] == k->m->plans)
            continue;
        double h = heat_now(k->m, b->column, b->range);
        if (h >= least)
            continue;
        least = h;
        coldest = b;
    }
    if (coldest)
        mirror_give_up(k->m, k->kind, coldest->column, coldest->range);
    return coldest != NULL;
}

static bool has_room(const struct pool *pool, uint64_t more)
{
    uint64_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);
    return used <= pool->limit && more <= pool->limit - used;
}

static uint32_t free_block(const struct making *k)
{
    uint32_t i = 0;
    while (i < DEVICE_HELD_MAX && k->m->blocks[k->kind][i].column)
        i++;
    return i;
}

/* A block with at least so many bytes; what a smaller one had is sent again. */
static bool make_room(struct making *k, struct mirror_column *c, uint32_t range,
                      uint64_t wanted)
{
    struct mirror *m = k->m;
    struct pool *pool = c->group->pool;
    struct mirror_range *r = &c->ranges[k->kind][range];
    uint64_t room = MIRROR_PAGE_BYTES;
    if (r->room >= wanted)
        return true;
    while (room < wanted)
        room *= 2;
    if (room > pool->limit || room > m->most[k->kind])
        return false;
    mirror_give_up(m, k->kind, c, range);
    double heat = heat_now(m, c, range);
    while (!has_room(pool, room))
        if (!give_up_coldest(k, pool, heat))
            return false;
    while (room > m->most[k->kind] ||
           m->held_bytes[k->kind] > m->most[k->kind] - room)
        if (!give_up_coldest(k, NULL, heat))
            return false;
    uint32_t block = free_block(k);
    if (block == DEVICE_HELD_MAX)
        return false;
    m->blocks[k->kind][block] = (struct mirror_block){c, range};
    *r = (struct mirror_range){block + 1, room};
    m->held_bytes[k->kind] += room;
    device_note(k->kind, (int64_t)room, 0);
    atomic_fetch_add_explicit(&pool->used, room, memory_order_relaxed);
    return true;
}

/* ---- what is sent to stay ---- */

/* The device has it, another job has brought a newer one, or it is old. */
static bool is_late(const struct making *k, const struct mirror_fresh *f)
{
    return f->page >= f->column->page_count ||
           mirror_usable(f->column, k->kind, f->moment, f->page) ||
           f->column->content_at[k->kind][f->page] >= f->moment ||
           f->column->changed_at[f->page] > f->moment;
}

static void make_rooms(struct making *k)
{
    for (uint32_t i = 0; i < k->rows->fresh_count; i++) {
        const struct mirror_fresh *f = &k->rows->fresh[i];
        uint64_t end =
            (f->page % RANGE_PAGES + 1) * (uint64_t)MIRROR_PAGE_BYTES;
        if (!is_late(k, f))
            (void)make_room(k, f->column, f->page / RANGE_PAGES, end);
    }
}

/* Before others take the room. */
static void give_back(struct making *k)
{
    struct mirror *m = k->m;
    for (uint32_t i = 0; i < DEVICE_HELD_MAX; i++) {
        if (!m->on_device[k->kind][i] || m->blocks[k->kind][i].column ||
            m->plan.fill_count == DEVICE_FILLS_MAX)
            continue;
        m->fills[m->plan.fill_count++] = (struct device_fill){.held = i};
        m->on_device[k->kind][i] = false;
    }
}

static void fill_page(struct making *k, const struct mirror_fresh *f)
{
    struct device_plan *plan = &k->m->plan;
    const struct mirror_range *r =
        &f->column->ranges[k->kind][f->page / RANGE_PAGES];
    uint64_t to = f->page % RANGE_PAGES * (uint64_t)MIRROR_PAGE_BYTES;
    struct device_fill *last =
        plan->fill_count ? &k->m->fills[plan->fill_count - 1] : NULL;
    if (r->held == 0 || to + f->bytes > r->room)
        return; /* this range is the host's */
    if (last && last->room && last->held == r->held - 1 &&
        last->to + last->bytes == to && last->from + last->bytes == f->at)
        last->bytes += f->bytes;
    else if (plan->fill_count < DEVICE_FILLS_MAX)
        k->m->fills[plan->fill_count++] =
            (struct device_fill){r->held - 1, r->room, to, f->at, f->bytes};
    else
        return;
    k->m->on_device[k->kind][r->held - 1] = true;
    f->column->content_at[k->kind][f->page] = f->moment;
}

/* ---- what inputs are made of ---- */

/* The last piece goes on with this one. */
static struct device_piece *continued(struct making *k,
                                      const struct device_piece *piece)
{
    struct device_plan *plan = &k->m->plan;
    struct device_piece *last =
        plan->piece_count ? &k->m->pieces[plan->piece_count - 1] : NULL;
    bool same = last && last->arg == piece->arg && last->held == piece->held &&
                last->to + last->bytes == piece->to &&
                (piece->held == DEVICE_FROM_HOST ||
                 last->from + last->bytes == piece->from);
    return same ? last : NULL;
}

/* false: the list is full. */
static bool put_piece(struct making *k, struct device_piece piece)
{
    struct device_plan *plan = &k->m->plan;
    struct device_piece *last = continued(k, &piece);
    if (last) {
        last->bytes += piece.bytes;
        return true;
    }
    if (plan->piece_count == DEVICE_PIECES_MAX)
        return false;
    k->m->pieces[plan->piece_count++] = piece;
    return true;
}

static bool put_run(struct making *k, const struct mirror_arg *arg,
                    const struct mirror_run *run)
{
    uint64_t bytes = (uint64_t)run->count * arg->stride;
    struct device_piece piece = {arg->arg, DEVICE_FROM_HOST,
                                 (uint64_t)run->to * arg->stride, 0, bytes};
    if (run->row == MIRROR_NO_ROW)
        return put_piece(k, piece);
    const struct mirror_column *c = mirror_column_at(arg->columns, run->shard);
    uint64_t at = (uint64_t)run->row * arg->stride, end = at + bytes;
    while (at < end) {
        uint32_t page = (uint32_t)(at / MIRROR_PAGE_BYTES);
        uint64_t next = (page + UINT64_C(1)) * MIRROR_PAGE_BYTES;
        piece.bytes = (next < end ? next : end) - at;
        piece.held = DEVICE_FROM_HOST;
        if (mirror_usable(c, k->kind, run->moment, page)) {
            piece.held = c->ranges[k->kind][page / RANGE_PAGES].held - 1;
            piece.from = at % MIRROR_RANGE_BYTES;
        }
        if (bytes < LEAST_BYTES && !continued(k, &piece))
            piece.held = DEVICE_FROM_HOST;
        if (!put_piece(k, piece))
            return false;
        piece.to += piece.bytes;
        at += piece.bytes;
    }
    return true;
}

/* An input of too many pieces is sent as it is. */
static void put_arg(struct making *k, const struct mirror_arg *arg)
{
    struct device_plan *plan = &k->m->plan;
    uint32_t before = plan->piece_count;
    bool all = true;
    for (uint32_t i = 0; i < k->rows->run_count && all; i++)
        all = put_run(k, arg, &k->rows->runs[i]);
    if (all)
        plan->args |= UINT32_C(1) << arg->arg;
    else
        plan->piece_count = before;
}

const struct device_plan *mirror_plan(struct mirror *m, enum device_kind kind,
                                      const struct mirror_rows *rows)
{
    struct making k = {m, kind, rows};
    m->plan = (struct device_plan){.fills = m->fills,
                                   .pieces = m->pieces,
                                   .fresh = rows->fresh_bytes,
                                   .fresh_bytes = rows->fresh_used};
    os_lock(&m->lock);
    m->plans++;
    if (m->plans % MORE_ROOM_EVERY == 0 && m->most[kind] < UINT64_MAX / 2)
        m->most[kind] = m->most[kind] * 2 + MIRROR_RANGE_BYTES;
    use_all(&k);
    make_rooms(&k);
    give_back(&k);
    for (uint32_t i = 0; i < rows->fresh_count; i++)
        if (!is_late(&k, &rows->fresh[i]))
            fill_page(&k, &rows->fresh[i]);
    for (uint32_t i = 0; i < rows->arg_count; i++)
        put_arg(&k, &rows->args[i]);
    os_unlock(&m->lock);
    return &m->plan;
}
