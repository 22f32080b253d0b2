/* request.h: what the tools ask of a store, as bytes: the same of a store that
 * they opened themselves and, through serve.c, of one that its owner has open.
 *
 * REQUEST (little-endian): u16 version = 1, u16 what, then by `what`:
 *   stat     u8 deep (count the elements of series, too)
 *   get      u16 product, u64 fields, u16 key bytes, key
 *   scan     u16 product, u64 fields, u8 behind (from itself is not in it),
 *            u16 from bytes, from, u16 to bytes, to (0 bytes: no bound),
 *            u16 prefix bytes, prefix, u32 records at most (0: as fit)
 *   series   u16 product, u8 field, u16 key bytes, key, i64 from, u32 skip,
 *            i64 to, u32 elements at most (0: as fit)
 *   explain  u16 product, u8 field, u16 key bytes, key
 *   clock    u8: 0 tell, 1 accept a jump, 2 reset a poisoned mark
 *   ab       u8: 0 report, 1 the last decisions
 *   backup   u16 earlier states to keep, the target's absolute path
 *   metrics, checkpoint, verify, compact, migrate, devices, placement: nothing
 * Keys are key.c's bytes, without the product.
 *
 * REPLY. stat, explain, clock, verify, compact, migrate, backup, placement,
 *   ab: JSON.
 *   metrics: text
 *   get      one record: u16 key bytes, key, u64 version, u64 have, u64 lost,
 *            u64 expired, and for each bit of have u32 bytes, the wire form
 *   scan     u8 more, then records
 *   series   u8 more, then elements: i64 at, u32 bytes, the wire form
 *   devices  u8 count, and for each device u64 bytes that it holds of columns,
 *            u64 bytes of inputs that were sent to it
 *   checkpoint: nothing
 * After an error the reply is its text. */
#ifndef WARP_REQUEST_H
#define WARP_REQUEST_H

#include "db.h"
#include "progress.h"
#include "text.h"

enum { REQUEST_VERSION = 1, REQUEST_BYTES_MAX = 64 << 10 };

enum request_what {
    REQUEST_STAT = 1,
    REQUEST_METRICS,
    REQUEST_GET,
    REQUEST_SCAN,
    REQUEST_SERIES,
    REQUEST_EXPLAIN,
    REQUEST_CLOCK,
    REQUEST_CHECKPOINT,
    REQUEST_BACKUP,
    REQUEST_VERIFY,
    REQUEST_COMPACT,
    REQUEST_MIGRATE,
    REQUEST_DEVICES,
    REQUEST_PLACEMENT,
    REQUEST_AB
};

/* WARP_OK or an error; the reply is filled in both cases. Hostile bytes give
 * WARP_EINVAL. */
int request_run(struct warp_db *db, const uint8_t *request, size_t bytes,
                const struct progress *progress, struct text *reply);

/* ---- request_stat.c ---- */
int request_stat(struct warp_db *db, bool deep, struct text *reply);
int request_explain(struct warp_db *db, const struct layout *l,
                    const struct key_ref *key, uint32_t field,
                    struct text *reply);

/* ---- request_place.c ---- */
/* A member of explain's object: what the engine knows and does. */
/* In which shard it is, and why. */
void request_shard_explain(struct warp_db *db, const struct key_ref *key,
                           uint32_t shard, struct text *t);
void request_place_explain(struct warp_db *db, const struct layout *l,
                           uint64_t hash, struct text *reply);
/* Counts of uses, by product. */
int request_placement(struct warp_db *db, struct text *reply);
/* Two strategies compared, or their last decisions. */
int request_ab(struct warp_db *db, bool log, struct text *reply);

#endif
