/* store_sample.h: a schema written by hand that has every kind of field, for
 * tests of whole stores that must not depend on warpc. */
#ifndef WARP_TEST_STORE_SAMPLE_H
#define WARP_TEST_STORE_SAMPLE_H

#include <warp/gen.h>

struct sample_pos {
    float x, y, z;
};

struct sample_thing {
    uint64_t id;
    uint64_t owner;           /* index */
    struct warp_str email;    /* unique */
    int64_t gold;             /* default 7 */
    struct warp_str note;
    struct sample_pos pos;
    uint64_t seen;            /* memory_only */
    struct warp_str session;  /* memory_only, ttl 5 s */
    struct warp_str far;      /* ssd */
    struct warp_str picture;  /* disk */
    struct warp_str packed;   /* disk_compressed */
    struct warp_str archived; /* disk_only */
    uint32_t token;           /* index, ttl 3 s */
    struct warp_str draft;    /* disk_compressed, ttl 4 s */
    bool flag;
    uint32_t counter;         /* ssd number */
    uint64_t twice;           /* derived: 2 * seen + gold */
    uint8_t level;
    struct warp_str extra;    /* tests/sim: a field that comes and goes */
    uint64_t wide;            /* tests/sim: `counter` as u64 */
    uint32_t hint;            /* tests/sim: in the place of `events` */
    uint64_t have;
};
enum thing_field {
    THING_ID, THING_OWNER, THING_EMAIL, THING_GOLD, THING_NOTE, THING_POS,
    THING_SEEN, THING_SESSION, THING_FAR, THING_PICTURE, THING_PACKED,
    THING_ARCHIVED, THING_TOKEN, THING_DRAFT, THING_FLAG, THING_COUNTER,
    THING_TWICE, THING_LEVEL, THING_EVENTS, THING_FIELDS,
    THING_EXTRA = THING_FIELDS
};

/* The whole record lives 6 s after its last write. */
struct sample_mortal {
    struct warp_str name;
    uint32_t tag;             /* unique */
    struct warp_str text;
    struct warp_str body;     /* disk */
    uint64_t hits;            /* memory_only */
    uint32_t pin;             /* ttl 2 s */
    uint32_t hint;            /* tests/sim: in the place of `trail` */
    uint64_t have;
};
enum mortal_field {
    MORTAL_NAME, MORTAL_TAG, MORTAL_TEXT, MORTAL_BODY, MORTAL_HITS,
    MORTAL_PIN, MORTAL_TRAIL, MORTAL_FIELDS
};

#define BIT(field) (UINT64_C(1) << (field))
/* Retention of `events`: gone at this age. */
enum { SAMPLE_EVENTS_END_MS = 60000, SAMPLE_MORTAL_TTL_MS = 6000 };
enum { SAMPLE_GOLD = 7 }; /* the default */

extern const struct warp_product sample_thing_product, sample_mortal_product;
extern const struct warp_schema sample_schema;

#endif
