/* look.c: see look.h. Takes no lock: reads, and reads again if the record
 * changed meanwhile. */
#include "look.h"

#include "apply.h"
#include "forward.h"
#include "read.h"
#include "weight.h"

static void look_field(const struct layout *l, const struct record *r,
                       uint32_t i, struct look *look)
{
    const struct field_layout *f = &l->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    look->bytes[i] = f->bytes;
    if (f->form == SLOT_VAR) {
        struct var *var = row_var(r, f->slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        look->bytes[i] =
            (uint32_t)atomic_load_explicit(&var->len_cap, memory_order_relaxed);
        if (at == VAR_COLD)
            look->resident &= ~bit;
    }
    if (f->place != UINT32_MAX) {
        uint8_t place[DISK_PLACE_BYTES];
        record_copy_out(place, r->row + f->place, sizeof place);
        disk_place_decode(place, &look->place[i]);
    }
}

static void look_record(const struct shard *s, const struct layout *l,
                        const struct record *r, int64_t now, struct look *look)
{
    memset(look, 0, sizeof *look);
    look->exists = shard_exists(l, r, now);
    look->expired = read_expired(l, r, l->ttl, now);
    look->have = record_have(r) & (l->stored | l->series) & ~look->expired;
    if (l->lost != UINT32_MAX)
        look->lost = row_load(r, l->lost) & ~look->have & ~look->expired;
    if (l->deadline != UINT32_MAX)
        look->deadline = (int64_t)row_load(r, l->deadline);
    FOR_BITS(i, l->ttl)
    look->deadlines[i] = (int64_t)row_load(r, l->fields[i].deadline);
    look->resident = look->have & l->stored;
    FOR_BITS(i, look->have & l->stored)
    look_field(l, r, (uint32_t)i, look);
    if (record_have(r) & R_DIRTY)
        look->unsaved =
            l->cold ? (l->durable & ~l->cold) | row_load(r, l->cold_dirty)
                    : l->durable;
    look->unsaved &= look->have;
    look->mass = weight_of(s, l, r, WARP_PHYSICS_MASS, 1);
    look->passes = weight_passes(s, l, r);
    look->half_life = weight_of(s, l, r, WARP_PHYSICS_TEMPORAL_WEIGHT, 0);
    look->temperature = weight_of(s, l, r, WARP_PHYSICS_TEMPERATURE, 0);
}

int look_at(struct warp_db *db, const struct layout *l,
            const struct key_ref *key, struct look *look)
{
    int64_t now = read_now(db, l);
    for (uint32_t tries = 0;; tries++) {
        _Atomic uint64_t *slot;
        bool cold;
        struct forward at = forward_of(db, l, key);
        struct shard *s = at.shard;
        struct record *r = shard_seek(s, l, key, &slot, &cold);
        if (!r) {
            int rc = cold ? shard_fault(s, l, key) : WARP_ENOTFOUND;
            memset(look, 0, sizeof *look);
            if (rc == WARP_OK || (rc == WARP_ENOTFOUND &&
                                  !forward_holds(db, l, key, &at)))
                continue;
            return rc == WARP_ENOTFOUND ? WARP_OK : rc;
        }
        uint64_t word = record_read_begin(r);
        look_record(s, l, r, now, look);
        look->shard = s->number;
        look->version = apply_version(s, l, r, key->hash);
        if (!(word & 1) && !(record_have(r) & R_AWAY) &&
            record_read_ok(r, word) && index_slot_holds(slot, r))
            return WARP_OK;
        if (tries > 4)
            os_yield(); /* its writer may wait for a lock */
    }
}
