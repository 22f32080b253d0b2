/* row.c: records to directory entries and back; the format is in row.h. */
#include "row.h"

#include "codec.h"
#include "compress.h"
#include "error.h"
#include "row_past.h"
#include "wire.h"

#define ROW_PACKED 0x80000000u

uint32_t row_key(uint8_t *to, uint32_t product, const uint8_t *key,
                 uint32_t bytes)
{
    to[0] = (uint8_t)(product >> 8);
    to[1] = (uint8_t)product;
    if (bytes > 0)
        memcpy(to + 2, key, bytes);
    return bytes + 2;
}

uint32_t row_cold_key(uint8_t *to, const struct layout *l, uint32_t field,
                      const uint8_t *key, uint32_t bytes)
{
    to[0] = (uint8_t)(l->id >> 8);
    to[1] = (uint8_t)l->id;
    to[2] = l->fields[field].id;
    if (bytes > 0)
        memcpy(to + 3, key, bytes);
    return bytes + 3;
}

static int damaged(const struct layout *l, const char *what)
{
    return error_set(WARP_ECORRUPT, "%s: a stored row %s", l->desc->name,
                     what);
}

/* Bytes of one stored value, or SIZE_MAX when it is cut. */
static size_t stored_bytes(const struct layout *l, uint32_t i,
                           const uint8_t *at, size_t left)
{
    uint64_t bit = UINT64_C(1) << i;
    size_t need = l->fields[i].bytes;
    if (l->tiered & bit) {
        bool on_disk = left >= 4 && (wire_get32(at) & ROW_PACKED);
        need = on_disk ? 4 + DISK_PLACE_BYTES : 4;
        return left < need ? SIZE_MAX : need;
    }
    if (l->disk & bit)
        need = DISK_PLACE_BYTES;
    else if (l->var & bit)
        need = 4;
    if (left < need)
        return SIZE_MAX;
    if (!(l->var & bit) || (l->cold & bit))
        return need;
    uint32_t word = wire_get32(at);
    if (word & ROW_PACKED) {
        need += 4;
        if (left < need || wire_get32(at + 4) > CODEC_VALUE_BYTES_MAX)
            return SIZE_MAX;
    }
    need += word & ~ROW_PACKED;
    return left < need ? SIZE_MAX : need;
}

int row_open(const struct layout *l, struct ssd_slice value,
             struct row_view *view)
{
    const uint8_t *at = value.data;
    if (value.bytes < ROW_HEADER_BYTES ||
        (at[0] != ROW_FORMAT && at[0] != ROW_FORMAT_MOVED))
        return damaged(l, "has another format or is cut");
    view->writes = at[1];
    view->version = wire_get64(at + 8);
    view->have = wire_get64(at + 16);
    view->marks = wire_get64(at + 24);
    view->dead = wire_get64(at + 32);
    view->moved = at[0] == ROW_FORMAT_MOVED;
    size_t head = ROW_HEADER_BYTES + (view->moved ? ROW_ORIGIN_BYTES : 0);
    if (value.bytes < head)
        return damaged(l, "is cut");
    view->shard = view->moved ? wire_get32(at + 4) : 0;
    view->origin = view->moved ? wire_get64(at + ROW_HEADER_BYTES) : 0;
    view->deadlines = at + head;
    view->end = at + value.bytes;
    size_t left = value.bytes - head;
    size_t deadlines =
        view->dead ? 8 * (size_t)__builtin_popcountll(view->dead) : 0;
    if ((view->have & ~(l->durable | l->series)) ||
        (view->marks & ~l->mortal_mem) ||
        (view->dead & ~(l->ttl | OP_RECORD_DEADLINE)) || left < deadlines ||
        ((view->dead & OP_RECORD_DEADLINE) && l->deadline == UINT32_MAX))
        return damaged(l, "names fields that are not there");
    view->values = view->deadlines + deadlines;
    return WARP_OK;
}

int row_parse(const struct layout *l, struct ssd_slice value,
              struct row_view *view)
{
    int rc = row_open(l, value, view);
    if (rc != WARP_OK)
        return rc;
    const uint8_t *at = view->values;
    FOR_BITS(i, view->have & l->durable)
    {
        size_t bytes = stored_bytes(l, (uint32_t)i, at,
                                    (size_t)(view->end - at));
        if (bytes == SIZE_MAX)
            return damaged(l, "is cut");
        at += bytes;
    }
    return WARP_OK;
}

uint32_t row_shard(struct ssd_slice value, uint32_t home)
{
    const uint8_t *at = value.data;
    return value.bytes >= ROW_HEADER_BYTES && at[0] == ROW_FORMAT_MOVED
               ? wire_get32(at + 4)
               : home;
}

void row_set_origin(uint8_t *row, uint64_t origin)
{
    wire_put64(row + ROW_HEADER_BYTES, origin);
}

/* `bytes` as stored_bytes() gave them. */
static void take_value(const struct layout *l, uint32_t field,
                       const uint8_t **at, size_t bytes,
                       struct op_value *value, uint32_t *raw_bytes)
{
    uint64_t bit = UINT64_C(1) << field;
    uint32_t skip = 0;
    *raw_bytes = 0;
    if ((l->var & bit) && !(l->cold & bit)) {
        skip = 4;
        if (wire_get32(*at) & ROW_PACKED) {
            *raw_bytes = wire_get32(*at + 4);
            skip = 8;
        }
    }
    value->data = *at + skip;
    value->bytes = (uint32_t)(bytes - skip);
    *at += bytes;
}

void row_next(const struct layout *l, uint32_t field, const uint8_t **at,
              struct op_value *value, uint32_t *raw_bytes)
{
    take_value(l, field, at, stored_bytes(l, field, *at, SIZE_MAX / 2), value,
               raw_bytes);
}

int row_step(const struct layout *l, const struct row_view *view,
             uint32_t field, const uint8_t **at, struct op_value *value,
             uint32_t *raw_bytes)
{
    size_t bytes = stored_bytes(l, field, *at, (size_t)(view->end - *at));
    if (bytes == SIZE_MAX)
        return damaged(l, "is cut");
    take_value(l, field, at, bytes, value, raw_bytes);
    return WARP_OK;
}

const uint8_t *row_place(const struct layout *l, uint32_t field,
                         const struct op_value *v)
{
    const uint8_t *at = v->data;
    if (l->disk >> field & 1)
        return at;
    return (l->tiered >> field & 1) && v->bytes > 4 ? at + 4 : NULL;
}

uint32_t row_cold_bytes(const struct layout *l, uint32_t field,
                        const struct op_value *v)
{
    const uint8_t *at = row_place(l, field, v);
    struct disk_place place;
    if (!at)
        return wire_get32(v->data);
    disk_place_decode(at, &place);
    return place.bytes;
}

static uint32_t var_len(const struct record *r, uint32_t slot)
{
    return (uint32_t)atomic_load_explicit(&row_var(r, slot)->len_cap,
                                          memory_order_relaxed);
}

size_t row_bytes_max(const struct layout *l, const struct record *r)
{
    size_t bytes =
        ROW_HEADER_BYTES + ROW_ORIGIN_BYTES + 57 * 8 + l->row_bytes +
        l->column_bytes;
    uint64_t outside = record_have(r) & l->durable & l->var & ~l->cold;
    FOR_BITS(i, outside)
        bytes += 4 + (size_t)var_len(r, l->fields[i].slot);
    return bytes + 20 * (size_t)__builtin_popcountll(l->cold);
}

bool row_goes_to_disk(const struct layout *l, const struct record *r,
                      uint32_t field)
{
    struct disk_place place;
    if (row_load(r, l->to_disk) >> field & 1)
        return true;
    disk_place_decode(r->row + l->fields[field].place, &place);
    return place.segment != 0 && !(row_load(r, l->cold_dirty) >> field & 1);
}

static uint8_t *encode_value(const struct shard *s, const struct layout *l,
                             uint32_t i, const struct record *r, uint8_t *to)
{
    const struct field_layout *f = &l->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    if (l->disk & bit) {
        memcpy(to, r->row + f->place, DISK_PLACE_BYTES);
        return to + DISK_PLACE_BYTES;
    }
    if (f->form == SLOT_COLUMN)
        return column_encode(s->columns[l->number], r, i, to);
    if (f->form != SLOT_VAR) {
        memcpy(to, r->row + f->slot, f->bytes);
        return to + f->bytes;
    }
    uint32_t bytes = var_len(r, f->slot);
    if ((l->tiered & bit) && row_goes_to_disk(l, r, i)) {
        to = wire_put32(to, ROW_PACKED);
        memcpy(to, r->row + f->place, DISK_PLACE_BYTES);
        return to + DISK_PLACE_BYTES;
    }
    to = wire_put32(to, bytes);
    if (l->ssd & bit)
        return to;
    uint64_t at = atomic_load_explicit(&row_var(r, f->slot)->at,
                                       memory_order_relaxed);
    memcpy(to, (const void *)(uintptr_t)at, bytes);
    return to + bytes;
}

size_t row_encode(const struct shard *s, const struct layout *l,
                  const struct record *r, uint8_t *to)
{
    uint8_t *start = to;
    uint64_t have = record_have(r) & (l->durable | l->series);
    uint64_t marks = l->lost == UINT32_MAX
                         ? 0
                         : row_load(r, l->lost) & l->mortal_mem;
    uint64_t dead = 0;
    FOR_BITS(i, l->ttl)
        if (row_load(r, l->fields[i].deadline) != 0)
            dead |= UINT64_C(1) << i;
    if (l->deadline != UINT32_MAX && row_load(r, l->deadline) != 0)
        dead |= OP_RECORD_DEADLINE;
    *to++ = l->moved ? ROW_FORMAT_MOVED : ROW_FORMAT;
    *to++ = record_writes(l, r);
    to = wire_put16(to, l->stamp);
    to = wire_put32(to, l->moved ? s->number : 0);
    to = wire_put64(to, record_version(r));
    to = wire_put64(to, have);
    to = wire_put64(to, marks);
    to = wire_put64(to, dead);
    if (l->moved)
        to = wire_put64(to, row_load(r, l->origin));
    FOR_BITS(i, dead)
        to = wire_put64(to, row_load(r, i == 56 ? l->deadline
                                                : l->fields[i].deadline));
    FOR_BITS(i, have & l->durable)
        to = encode_value(s, l, (uint32_t)i, r, to);
    return (size_t)(to - start);
}

static int put_value(const struct layout *l, uint8_t *to,
                     const struct op_value *v, uint32_t raw_bytes)
{
    if (raw_bytes == 0) {
        record_copy_in(to, v->data, v->bytes);
        return WARP_OK;
    }
    /* The record is new: no reader knows these bytes yet. */
    return compress_undo(COMPRESS_LZ4, v->data, v->bytes, to, raw_bytes) ==
                   WARP_OK
               ? WARP_OK
               : damaged(l, "holds a value that cannot be unpacked");
}

/* Copies the values of a parsed row into a new record. */
static int fill(struct shard *shard, const struct layout *l, struct record *r,
                const struct row_view *view)
{
    uint8_t *room = record_inline(l, r);
    const uint8_t *at = view->values;
    FOR_BITS(i, view->have & l->durable)
    {
        const struct field_layout *f = &l->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        struct op_value v;
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        if (f->form == SLOT_COLUMN) {
            if (column_write(shard->columns[l->number], r, (uint32_t)i,
                             v.data) != WARP_OK)
                return damaged(l, "holds a value that is none of its type");
            continue;
        }
        if (f->form != SLOT_VAR) {
            record_copy_in(r->row + f->slot, v.data, f->bytes);
            continue;
        }
        struct var *var = row_var(r, f->slot);
        uint64_t where = VAR_COLD, len = 0, cap = 0;
        if (l->cold & bit) {
            const uint8_t *place = row_place(l, (uint32_t)i, &v);
            if (place)
                record_copy_in(r->row + f->place, place, DISK_PLACE_BYTES);
            len = row_cold_bytes(l, (uint32_t)i, &v);
        } else {
            len = raw ? raw : v.bytes;
            cap = (len + 7) & ~UINT64_C(7);
            uint8_t *end = record_inline_end(l, r);
            uint8_t *to = room;
            if (len > 0 && len <= SHARD_INLINE_VALUE_MAX &&
                (size_t)(end - room) >= cap) {
                room += cap;
            } else {
                to = shard_alloc(shard, l, len);
                cap = heap_block_bytes(len);
            }
            if (!to)
                return WARP_ELIMIT;
            where = (uint64_t)(uintptr_t)to;
        }
        atomic_store_explicit(&var->at, where, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, len | cap << 32,
                              memory_order_relaxed);
        if (where > VAR_COLD) {
            int rc = put_value(l, (uint8_t *)(uintptr_t)where, &v, raw);
            if (rc != WARP_OK)
                return rc;
        }
    }
    return WARP_OK;
}

int row_fill(struct shard *shard, const struct layout *l, struct record *r,
             const struct row_view *view)
{
    int rc = fill(shard, l, r, view);
    if (rc != WARP_OK)
        return rc;
    if (l->lost != UINT32_MAX)
        row_store(r, l->lost,
                  view->marks | (uint64_t)view->writes << R_WRITES_SHIFT);
    if (l->origin != UINT32_MAX)
        row_store(r, l->origin, view->origin);
    const uint8_t *at = view->deadlines;
    FOR_BITS(i, view->dead)
    {
        row_store(r, i == 56 ? l->deadline : l->fields[i].deadline,
                  wire_get64(at));
        at += 8;
    }
    return WARP_OK;
}

int row_load_record(struct shard *shard, const struct layout *l,
                    const struct key_ref *key, struct ssd_slice value,
                    struct record **out)
{
    struct row_view view;
    if (l->key_bytes && key->count != l->key_bytes)
        return damaged(l, "has a key of another length than its product's");
    if (row_is_past(l, value))
        return row_past_load(shard, l, key, value, out);
    int rc = row_parse(l, value, &view);
    if (rc != WARP_OK)
        return rc;
    uint32_t inline_bytes = 0;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        if ((l->var & ~l->cold) >> i & 1)
            inline_bytes = shard_inline_add(inline_bytes,
                                            raw ? raw : v.bytes);
    }
    struct record *r = shard_create(shard, l, key, inline_bytes, true);
    if (!r)
        return WARP_ELIMIT;
    record_begin(r);
    rc = row_fill(shard, l, r, &view);
    if (rc == WARP_OK) {
        record_set_have(r, view.have | R_IN_DIR);
        record_end(r, view.version);
    } else {
        shard_destroy(shard, l, r);
        r = NULL;
    }
    *out = r;
    return rc;
}

/* ---- compression ---- */

static bool packs(const struct layout *l, uint32_t i, uint32_t bytes)
{
    const struct field_layout *f = &l->fields[i];
    return f->compression != WARP_COMPRESS_NONE && bytes >= f->compress_min;
}

bool row_worth_packing(const struct layout *l, const struct record *r)
{
    FOR_BITS(i, record_have(r) & l->durable & l->var & ~l->cold)
        if (packs(l, (uint32_t)i, var_len(r, l->fields[i].slot)))
            return true;
    return false;
}

uint32_t row_pack(struct compress *compress, const struct layout *l,
                  const uint8_t *row, uint32_t bytes, uint8_t *to)
{
    struct row_view view;
    struct ssd_slice whole = {row, bytes};
    uint8_t *out = to;
    if (row_parse(l, whole, &view) != WARP_OK)
        return 0;
    memcpy(out, row, (size_t)(view.values - row));
    out += view.values - row;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & l->durable)
    {
        const uint8_t *start = at;
        struct op_value v;
        uint32_t raw;
        size_t stored = 0;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        /* A sixteenth is saved at least: 8 bytes of header fit in. */
        if (((l->var & ~l->cold) >> i & 1) &&
            packs(l, (uint32_t)i, v.bytes) && v.bytes >= 64 &&
            compress_block(compress, l->fields[i].compression, v.data,
                           v.bytes, out + 8, &stored) == COMPRESS_LZ4) {
            wire_put32(out, (uint32_t)stored | ROW_PACKED);
            wire_put32(out + 4, v.bytes);
            out += 8 + stored;
            continue;
        }
        memcpy(out, start, (size_t)(at - start));
        out += at - start;
    }
    return (uint32_t)(out - to);
}

uint32_t row_pack_cold(struct compress *compress, const struct layout *l,
                       uint32_t field, const uint8_t *value, uint32_t bytes,
                       uint8_t *to)
{
    size_t stored = 0;
    if (packs(l, field, bytes) &&
        compress_block(compress, l->fields[field].compression, value, bytes,
                       to + 5, &stored) == COMPRESS_LZ4) {
        to[0] = COMPRESS_LZ4;
        wire_put32(to + 1, bytes);
        return (uint32_t)stored + 5;
    }
    to[0] = COMPRESS_RAW;
    if (bytes > 0)
        memcpy(to + 1, value, bytes);
    return bytes + 1;
}

int row_unpack_cold(struct ssd_slice stored, struct op_value *value,
                    uint32_t *raw_bytes)
{
    const uint8_t *b = stored.data;
    uint32_t skip = stored.bytes > 0 && b[0] == COMPRESS_LZ4 ? 5 : 1;
    *raw_bytes = 0;
    if (stored.bytes < skip || b[0] > COMPRESS_LZ4 ||
        (skip == 5 && wire_get32(b + 1) > CODEC_VALUE_BYTES_MAX))
        return error_set(WARP_ECORRUPT, "a value of the ssd tier is cut");
    if (skip == 5)
        *raw_bytes = wire_get32(b + 1);
    value->data = b + skip;
    value->bytes = (uint32_t)(stored.bytes - skip);
    return WARP_OK;
}

int row_copy_cold(struct ssd_slice stored, disk_alloc_fn *alloc, void *arg)
{
    struct op_value v;
    uint32_t raw;
    int rc = row_unpack_cold(stored, &v, &raw);
    if (rc != WARP_OK)
        return rc;
    uint32_t bytes = raw ? raw : v.bytes;
    void *to = alloc(arg, bytes);
    if (!to)
        return error_set(WARP_ENOMEM, "out of memory for a value of %u bytes",
                         bytes);
    if (!raw)
        memcpy(to, v.data, v.bytes);
    else if (compress_undo(COMPRESS_LZ4, v.data, v.bytes, to, raw) != WARP_OK)
        return error_set(WARP_ECORRUPT, "a value of the ssd tier cannot be "
                                        "unpacked");
    return WARP_OK;
}
