/* apply_version.c: what callers know of a record's version. */
#include "apply.h"

#include "hash.h"

uint64_t apply_version(const struct shard *s, const struct layout *l,
                       const struct record *r, uint64_t hash)
{
    uint64_t version = record_version(r) << 8;
    if (l->roams) {
        uint64_t origin = row_load(r, l->origin);
        uint32_t home = hash_shard(hash, s->db->shard_count);
        version |= (uint64_t)((s->number - home) & 0xff) << 56;
        version = origin ? origin : version;
    }
    return version | record_writes(l, r);
}

bool apply_writes_full(const struct layout *l, const struct record *r)
{
    return record_writes(l, r) == 0xff;
}

uint64_t apply_new_version(const struct layout *l, struct record *r,
                           uint64_t seq)
{
    uint64_t writes = l->lost == UINT32_MAX ? 0 : row_load(r, l->lost);
    if (seq != 0 && l->origin != UINT32_MAX)
        row_store(r, l->origin, 0);
    if (l->lost != UINT32_MAX)
        row_store(r, l->lost,
                  seq != 0 ? writes & ((UINT64_C(1) << R_WRITES_SHIFT) - 1)
                           : writes + (UINT64_C(1) << R_WRITES_SHIFT));
    return seq != 0 ? seq : record_version(r);
}
