/* rehome.c: see rehome.h. */
#include "rehome.h"

#include "error.h"
#include "forward.h"
#include "row.h"
#include "series.h"

/* Under the lock: the value is in memory and has no place that counts. */
static int make_dirty(struct shard *s, const struct layout *l,
                      struct record *r, uint32_t field, const void *value,
                      size_t bytes)
{
    if (l->was_disk >> field & 1) { /* the checkpoint takes it from there */
        record_begin(r);
        shard_dirty(s, r, shard_record_hash(s, r));
        record_end(r, record_version(r));
        return WARP_OK;
    }
    struct var *var = row_var(r, l->fields[field].slot);
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint64_t have = record_have(r);
    if (at == VAR_COLD) {
        record_set_have(r, have | R_BUSY);
        uint8_t *block = shard_alloc(s, l, bytes);
        record_set_have(r, record_have(r) & ~R_BUSY);
        if (!block)
            return WARP_ELIMIT;
        record_begin(r);
        record_copy_in(block, value, bytes);
        atomic_store_explicit(&var->at, (uint64_t)(uintptr_t)block,
                              memory_order_relaxed);
        atomic_store_explicit(&var->len_cap,
                              bytes | (uint64_t)heap_block_bytes(bytes) << 32,
                              memory_order_relaxed);
    } else {
        record_begin(r);
    }
    row_store(r, l->cold_dirty,
              row_load(r, l->cold_dirty) | UINT64_C(1) << field);
    if (l->tiered >> field & 1) {
        uint64_t bit = UINT64_C(1) << field;
        row_store(r, l->to_disk, row_load(r, l->to_disk) | bit);
        row_store(r, l->unchanged, row_load(r, l->unchanged) | bit);
    }
    shard_dirty(s, r, shard_record_hash(s, r));
    record_end(r, record_version(r));
    return WARP_OK;
}

int rehome_value(struct warp_db *db, const void *owner, size_t owner_bytes,
                 struct disk_place place, const void *value, size_t bytes,
                 uint32_t *marked)
{
    const uint8_t *o = owner;
    if (owner_bytes < 3)
        return WARP_OK;
    const struct layout *l = db_layout_of_id(db, (uint32_t)o[0] << 8 | o[1]);
    uint32_t field = l ? layout_field_of_id(l, o[2]) : 56;
    if (field < 56 && (l->series >> field & 1))
        return series_move(db->series, o, (uint32_t)owner_bytes, place);
    if (field == 56 || !(layout_placed(l) >> field & 1))
        return WARP_OK; /* of a product or field that was removed */
    struct key_ref key =
        key_ref_of(db->seed, l, o + 3, (uint32_t)(owner_bytes - 3));
    struct shard *s;
    struct record *r;
    int rc = forward_find(db, l, &key, &s, &r);
    if (rc == WARP_OK && r && (record_have(r) >> field & 1)) {
        struct disk_place now;
        disk_place_decode(r->row + l->fields[field].place, &now);
        bool clean = (l->was_disk >> field & 1) ||
                     !(row_load(r, l->cold_dirty) >> field & 1);
        if (clean && disk_place_same(&now, &place)) {
            rc = make_dirty(s, l, r, field, value, bytes);
            *marked += rc == WARP_OK;
        }
    }
    os_unlock(&s->lock);
    return rc;
}
