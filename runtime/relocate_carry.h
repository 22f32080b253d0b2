/* relocate_carry.h: the values of a record that tiers hold, in the log with the
 * move of the record.
 *
 * The row of an arrive tells where such values are. Whoever replays it over an
 * older state of the tiers (`warp restore --to`) does not find them there, or
 * finds older ones: so they follow the arrive in the same commit, as an update
 * with OP_CARRIED. */
#ifndef WARP_RELOCATE_CARRY_H
#define WARP_RELOCATE_CARRY_H

#include "op.h"
#include "row.h"
#include "shard.h"

/* Of longer ones the log tells the place alone. */
enum { CARRY_BYTES_MAX = 1 << 20 };

struct carry {
    struct op op; /* set: what it has values of */
    bool known;   /* of which the rest is */
    uint64_t mask, version;
    struct disk_place places[56];
};

void carry_init(struct carry *carry, const struct layout *l);
void carry_fini(struct carry *carry);
/* Under the shard's lock: is that what the record has on tiers now? If not, it
 * is noted, for carry_fetch. */
bool carry_is_current(struct carry *carry, const struct layout *l,
                      const struct record *r);
/* Without a lock. WARP_EBUSY: it has changed since. */
int carry_fetch(struct warp_db *db, const struct layout *l,
                const struct key_ref *key, struct carry *carry);
/* Behind the arrive. */
int carry_append(const struct carry *carry, struct op *arrive);
/* At a replay, under the lock, `record` being what the arrive has made, if it
 * did. */
int carry_replay(struct shard *shard, struct op *op, struct record *record,
                 uint64_t seq, uint32_t ordinal);

#endif
