/* compute_peek.c: a look at the last result of a derived field: it reads
 * memory, computes nothing and waits for nothing. */
#include "compute.h"

#include "apply.h"
#include "codec.h"
#include "error.h"
#include "forward.h"
#include "read.h"

/* 0: the record is not in memory, or is changing just now, or a value that the
 * field is computed from has expired since. */
static uint64_t version_in_memory(struct warp_db *db, const struct layout *l,
                                  const struct key_ref *ref, uint32_t field)
{
    int64_t now = read_now(db, l);
    uint64_t inputs = derive_inputs(l, UINT64_C(1) << field);
    _Atomic uint64_t *slot;
    struct shard *s = forward_shard(db, l, ref);
    struct record *r = shard_peek(s, ref, &slot);
    if (!r)
        return 0;
    uint64_t word = record_read_begin(r);
    uint64_t version = apply_version(s, l, r, ref->hash);
    if (!shard_exists(l, r, now) || read_expired(l, r, inputs, now))
        version = 0;
    bool same = !(word & 1) && shard_matches(r, ref) &&
                record_read_ok(r, word) && index_slot_holds(slot, r);
    return same ? version : 0;
}

int warp_gen_kernel_peek(struct warp_db *db, const struct warp_product *desc,
                         const void *key, uint32_t field, void *value,
                         enum warp_fresh *fresh)
{
    uint8_t bytes[KEY_BYTES_MAX];
    const char *why = NULL;
    size_t count = 0;
    uint64_t version = 0;
    const struct layout *l = NULL;
    int rc = compute_enter(db, desc, key, &l);
    if (rc != WARP_OK)
        return rc;
    if (!value || !fresh || field >= desc->field_count ||
        !desc->fields[field].kernel)
        return error_set(WARP_EINVAL,
                         "%s: peek is for fields with a kernel, "
                         "and needs places",
                         desc->name);
    rc = key_encode(desc, key, bytes, &count, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s: the key %s", desc->name,
                         why ? why : "is not valid");
    struct key_ref ref = key_ref_of(db->seed, l, bytes, (uint32_t)count);
    memset(value, 0, desc->fields[field].type->size);
    *fresh = WARP_PENDING;
    if (compute_kept(db, l, field, ref.hash, &version, value))
        *fresh =
            version == version_in_memory(db, l, &ref, field) ? WARP_FRESH
                                                             : WARP_STALE;
    return WARP_OK;
}
