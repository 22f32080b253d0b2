/* row_past.c: see row_past.h. Nothing here may fail for a sound store: changes
 * that could are made when the store is opened (evolve.c). */
#include "row_past.h"

#include "codec.h"
#include "compress.h"
#include "error.h"
#include "far.h"
#include "wire.h"

struct turn {
    struct shard *shard;
    const struct layout *l, *old;
    const struct row_past *past;
    const struct key_ref *key;
    struct row_view view;
    struct op_value then[56], now[56]; /* by fields then; by fields now */
    uint32_t raw[56];
    int64_t deadline[57];              /* by fields then */
    uint64_t have, marks;
    uint64_t here;                     /* of have: the value is in now[] */
    struct warp_arena arena;
    struct convert convert;
};

static bool in(uint64_t mask, uint32_t bit)
{
    return mask >> bit & 1;
}

static int damaged(const struct layout *l, uint32_t field, const char *what)
{
    return error_set(WARP_ECORRUPT, "%s.%s: %s", l->desc->name,
                     l->desc->fields[field].name, what);
}

uint32_t row_past_field(const struct layout *l, const struct layout *form,
                        uint32_t field)
{
    if (form == l)
        return field;
    for (uint32_t j = 0; j < l->desc->field_count; j++)
        if (l->past->from[j] == (int8_t)field)
            return j;
    return 56;
}

int row_past_convert(const struct layout *l, uint32_t j,
                     struct convert *convert, struct op_value *v)
{
    const struct row_past *p = l->past;
    if (!in(p->converted, j))
        return WARP_OK;
    int rc = convert_value(convert, p->before->fields[p->from[j]].type,
                           p->after->fields[j].type, v->data, v->bytes);
    if (rc == WARP_ENOMEM)
        return error_set(rc, "out of memory for a value of an earlier form");
    if (rc != WARP_OK)
        return damaged(l, j, "a stored value cannot be read as its new type");
    v->data = convert->bytes;
    v->bytes = (uint32_t)convert->used;
    return WARP_OK;
}

/* ---- the values then ---- */

static void open_row(struct turn *t)
{
    const uint8_t *at = t->view.values;
    FOR_BITS(i, t->view.have & t->old->durable)
        row_next(t->old, (uint32_t)i, &at, &t->then[i], &t->raw[i]);
    at = t->view.deadlines;
    FOR_BITS(i, t->view.dead)
    {
        t->deadline[i] = (int64_t)wire_get64(at);
        at += 8;
    }
}

struct room {
    struct warp_arena *arena;
    uint8_t *data;
    size_t bytes;
};

static void *take_room(void *arg, size_t bytes)
{
    struct room *room = arg;
    room->bytes = bytes;
    room->data = warp_arena_alloc(room->arena, bytes ? bytes : 1);
    return room->data;
}

static int copy_cold(void *arg, struct ssd_slice value)
{
    return row_copy_cold(value, take_room, arg);
}

/* A value that was on a tier and has its home in memory now. */
static int fetch(struct turn *t, uint32_t i, uint32_t j)
{
    struct room room = {&t->arena, NULL, 0};
    int rc;
    const uint8_t *on_disk = row_place(t->old, i, &t->then[i]);
    if (on_disk) {
        struct disk_place place;
        disk_place_decode(on_disk, &place);
        rc = far_read(t->past->disk, *t->past->archive, place, take_room,
                      &room);
    } else {
        uint8_t bytes[ROW_KEY_BYTES_MAX + 1];
        struct ssd_slice k = {bytes, row_cold_key(bytes, t->old, i,
                                                  t->key->bytes,
                                                  t->key->count)};
        rc = ssd_get(t->past->ssd, SSD_COLD, k, copy_cold, &room);
    }
    t->now[j] = (struct op_value){room.data, (uint32_t)room.bytes};
    return rc == WARP_ENOTFOUND ? damaged(t->l, j, "the tier has lost the "
                                                   "value")
                                : rc;
}

static int keep_copy(struct turn *t, struct op_value *v)
{
    uint8_t *copy = warp_arena_alloc(&t->arena, v->bytes ? v->bytes : 1);
    if (!copy)
        return error_set(WARP_ENOMEM, "out of memory for a record");
    memcpy(copy, v->data, v->bytes);
    v->data = copy;
    return WARP_OK;
}

static int unpack(struct turn *t, uint32_t i, uint32_t j)
{
    uint8_t *room = warp_arena_alloc(&t->arena, t->raw[i] ? t->raw[i] : 1);
    if (!room)
        return error_set(WARP_ENOMEM, "out of memory for a record");
    if (compress_undo(COMPRESS_LZ4, t->then[i].data, t->then[i].bytes, room,
                      t->raw[i]) != WARP_OK)
        return damaged(t->l, j, "a stored value cannot be unpacked");
    t->now[j] = (struct op_value){room, t->raw[i]};
    return WARP_OK;
}

/* What the record holds of a field: nothing but its place, or the value. */
static int turn_field(struct turn *t, uint32_t j)
{
    uint32_t i = (uint32_t)t->past->from[j];
    int rc = WARP_OK;
    if (in(t->old->cold, i)) {
        if (in(t->l->cold, j))
            return WARP_OK;
        rc = fetch(t, i, j);
    } else if (t->raw[i]) {
        rc = unpack(t, i, j);
    } else {
        t->now[j] = t->then[i];
    }
    if (rc == WARP_OK && in(t->past->converted, j)) {
        rc = row_past_convert(t->l, j, &t->convert, &t->now[j]);
        if (rc == WARP_OK)
            rc = keep_copy(t, &t->now[j]);
    }
    t->here |= UINT64_C(1) << j;
    if (rc == WARP_OK && !in(t->l->var, j) &&
        t->now[j].bytes != t->l->fields[j].bytes)
        rc = damaged(t->l, j, "a stored value has another size");
    return rc;
}

static int turn_row(struct turn *t)
{
    const struct row_past *p = t->past;
    int rc = WARP_OK;
    for (uint32_t j = 0; j < t->l->desc->field_count && rc == WARP_OK; j++) {
        uint64_t bit = UINT64_C(1) << j;
        if (p->from[j] < 0)
            continue;
        uint32_t i = (uint32_t)p->from[j];
        if (in(t->view.marks, i))
            t->marks |= t->l->mortal_mem & bit;
        if (!in(t->view.have, i))
            continue;
        t->have |= t->l->series & bit;
        if (!in(t->l->durable, j) || !in(t->old->durable, i))
            continue;
        t->have |= bit;
        rc = turn_field(t, j);
    }
    return rc;
}

/* ---- the record now ---- */

/* One value outside the row: in the record's own room, in a block, or still on
 * its tier. */
static int fill_var(struct turn *t, struct record *r, uint32_t j,
                    uint8_t **room)
{
    const struct layout *l = t->l;
    struct var *var = row_var(r, l->fields[j].slot);
    uint64_t where = VAR_COLD, len, cap = 0;
    if (in(t->here, j)) {
        const struct op_value *v = &t->now[j];
        len = v->bytes;
        cap = (len + 7) & ~UINT64_C(7);
        uint8_t *end = record_inline_end(l, r), *to = *room;
        if (len > 0 && len <= SHARD_INLINE_VALUE_MAX &&
            (size_t)(end - *room) >= cap) {
            *room += cap;
        } else {
            to = shard_alloc(t->shard, l, len);
            cap = heap_block_bytes(len);
        }
        if (!to)
            return WARP_ELIMIT;
        record_copy_in(to, v->data, len);
        where = (uint64_t)(uintptr_t)to;
    } else {
        uint32_t i = (uint32_t)t->past->from[j];
        len = row_cold_bytes(t->old, i, &t->then[i]);
    }
    atomic_store_explicit(&var->at, where, memory_order_relaxed);
    atomic_store_explicit(&var->len_cap, len | cap << 32,
                          memory_order_relaxed);
    return WARP_OK;
}

static int fill(struct turn *t, struct record *r)
{
    const struct layout *l = t->l;
    uint8_t *room = record_inline(l, r);
    int rc = WARP_OK;
    FOR_BITS(j, t->have & l->durable)
    {
        const struct field_layout *f = &l->fields[j];
        uint32_t i = (uint32_t)t->past->from[j];
        const uint8_t *on_disk = row_place(t->old, i, &t->then[i]);
        if (on_disk) /* wherever it goes: it lies there now */
            record_copy_in(r->row + f->place, on_disk, DISK_PLACE_BYTES);
        if (f->form == SLOT_VAR)
            rc = fill_var(t, r, (uint32_t)j, &room);
        else if (f->form != SLOT_COLUMN)
            record_copy_in(r->row + f->slot, t->now[j].data, f->bytes);
        else if (column_write(t->shard->columns[l->number], r, (uint32_t)j,
                              t->now[j].data) != WARP_OK)
            rc = damaged(l, (uint32_t)j, "a stored value is none of its type");
        if (rc != WARP_OK)
            return rc;
    }
    for (uint32_t j = 0; j < l->desc->field_count; j++)
        if (in(l->ttl, j) && t->past->from[j] >= 0)
            row_store(r, l->fields[j].deadline,
                      (uint64_t)t->deadline[t->past->from[j]]);
    if (l->deadline != UINT32_MAX)
        row_store(r, l->deadline, (uint64_t)t->deadline[56]);
    if (l->lost != UINT32_MAX)
        row_store(r, l->lost, t->marks);
    if (l->origin != UINT32_MAX)
        row_store(r, l->origin, t->view.origin);
    /* No tier of now holds what came out of the row. */
    if (l->cold_dirty != UINT32_MAX)
        row_store(r, l->cold_dirty, t->here & l->cold);
    record_set_have(r, t->have | R_IN_DIR | R_PAST);
    return WARP_OK;
}

static int make_record(struct turn *t, struct record **out)
{
    uint32_t inline_bytes = 0;
    FOR_BITS(j, t->here & t->l->var)
        inline_bytes = shard_inline_add(inline_bytes, t->now[j].bytes);
    struct record *r = shard_create(t->shard, t->l, t->key, inline_bytes,
                                   true);
    if (!r)
        return WARP_ELIMIT;
    record_begin(r);
    int rc = fill(t, r);
    if (rc != WARP_OK) {
        shard_destroy(t->shard, t->l, r);
        return rc;
    }
    record_end(r, t->view.version);
    *out = r;
    return rc;
}

int row_past_load(struct shard *shard, const struct layout *l,
                  const struct key_ref *key, struct ssd_slice value,
                  struct record **out)
{
    struct turn t = {.shard = shard, .l = l, .old = l->past->old,
                     .past = l->past, .key = key, .arena = WARP_ARENA_INIT};
    *out = NULL;
    int rc = row_parse(t.old, value, &t.view);
    if (rc == WARP_OK) {
        open_row(&t);
        rc = turn_row(&t);
    }
    if (rc == WARP_OK)
        rc = make_record(&t, out);
    convert_free(&t.convert);
    warp_arena_free(&t.arena);
    return rc;
}
