/* schemas.h: the schemas that a simulated store may have in turn. All have the
 * fields of the reference model at the same numbers. */
#ifndef SIM_SCHEMAS_H
#define SIM_SCHEMAS_H

#include <stdint.h>

struct warp_schema;

enum schema_bits {
    SCHEMA_MOVES = 1 << 0, /* values that a strategy moves by their use */
    SCHEMA_HOMES = 1 << 1, /* other homes and compressions */
    SCHEMA_INDEX = 1 << 2, /* one index more */
    SCHEMA_WIDE = 1 << 3,  /* counter is u64, not u32 */
    SCHEMA_EXTRA = 1 << 4, /* THING_EXTRA */
    SCHEMA_LEAVES = 1 << 5, /* nothing is pinned: whole records leave memory */
    SCHEMA_COLUMNS = 1 << 6, /* numbers that lie in columns */
    SCHEMA_HINTED = 1 << 7, /* `hint` names a shard */
    SCHEMA_DRAWN = 1 << 8, /* groups, masses and positions draw records */
    SCHEMA_AGES = 1 << 9, /* series go to the disk and the archive */
    /* No series, but a field `hint`: only then records move by themselves. A
     * store has it in all its lives, or in none. */
    SCHEMA_SINGLE = 1 << 10,
    /* Nothing of a Mortal stands beside its row: no index, no tier, no value
     * that a restart loses. The same, and with SCHEMA_SINGLE. */
    SCHEMA_BARE = 1 << 11,
    SCHEMAS = 1 << 12
};

/* Before the first schema_of(), and before a simulation begins; once. */
void schemas_make(void);
const struct warp_schema *schema_of(uint32_t bits);

#endif
