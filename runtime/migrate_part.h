/* migrate_part.h: what migrate.c, migrate_rows.c and migrate_keep.c share. */
#ifndef WARP_MIGRATE_PART_H
#define WARP_MIGRATE_PART_H

#include "heat.h"
#include "migrate.h"
#include "row.h"
#include "row_past.h"

/* What a pass does; the first two count uses (heat.h). */
enum pass { PASS_WARM = HEAT_HOT, PASS_COLD = HEAT_COLD, PASS_ARCHIVE, PASSES };

/* One threshold of one product. */
struct window {
    int64_t ms;       /* 0: not said. Archive: the age */
    int64_t began_ms; /* archive: when the next pass is due */
    int64_t passed_ms;        /* when the last pass ended; 0: none has */
    uint32_t round;           /* of the last pass that was forced */
    _Atomic uint8_t *past;    /* counts of the window that has ended */
    _Atomic uint8_t *carried; /* what is left of earlier ones; NULL: nothing */
    _Atomic uint8_t *parts;   /* 256ths of that */
};

struct migrate_product {
    struct heat heat;
    struct window windows[PASSES];
    bool automatic;
};

struct migrate {
    struct os_lock lock; /* one step at a time */
    struct migrate_product *products; /* by layouts */
    uint32_t count;
    uint32_t round;  /* how often passes were forced */
    bool forced;     /* they are: the keeper's steps wait */
    int64_t kept_ms; /* boot clock: when counts were last written */
    /* The pass under way. */
    bool busy;
    uint32_t product;
    enum pass pass;
    uint32_t segment;    /* of the index, PASS_WARM */
    uint8_t key[ROW_KEY_BYTES_MAX + 1]; /* of the directory: it goes on here */
    uint32_t key_bytes;
};

/* migrate_heat.c: what the numbers of a record make of its uses. */
struct migrate_roles {
    double half_life;   /* of its uses, in windows; 0: a window */
    double temperature; /* uses beside the real ones */
};
/* Under the lock. */
struct migrate_roles migrate_roles(const struct shard *shard,
                                   const struct layout *l,
                                   const struct record *r);
struct migrate_roles migrate_row_roles(const struct layout *l,
                                       struct ssd_slice value,
                                       const struct row_view *view);
/* Was a record used as often as its window of the pass under way asks for?
 * Once for a record and pass: it is carried on to the next window. */
bool migrate_used(struct migrate *m, uint64_t hash,
                  const struct migrate_roles *roles);

/* migrate_rows.c: a piece of PASS_COLD or PASS_ARCHIVE. */
int migrate_rows(struct warp_db *db, struct migrate *m, uint32_t rows,
                 uint32_t *marked, bool *more);

/* migrate_keep.c: counts and times of windows, in the directory. After an open:
 * what is there, if the window is still the same. */
int migrate_recall(struct warp_db *db, struct migrate *m);
/* Under the lock. One transaction. */
int migrate_keep(struct warp_db *db, struct migrate *m);

#endif
