/* series.h: list fields of :temporal_tiering: elements appended by time.
 *
 * Elements since the last checkpoint are in memory; older ones in chunks
 * (series_chunk.h): in the ssd directory, on the disk tier, in the archive, as
 * their age and the field's retention say. An element's order is the shard's
 * sequence number of the append << 16 | its ordinal inside the commit, so that
 * a replay is idempotent and equal times are kept apart. */
#ifndef WARP_SERIES_H
#define WARP_SERIES_H

#include "archive.h"
#include "disk.h"
#include "heap.h"
#include "pending.h"
#include "progress.h"
#include "shard.h"
#include "ssd.h"

struct series;

/* What it works on; all of it outlives the series. disk and archive may be NULL
 * where no retention names them. */
struct series_config {
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    struct budget *budget;
    struct layout *const *layouts;
    uint32_t layout_count;
    uint64_t seed;        /* of key hashes, and the shards: whose floors */
    uint32_t shard_count; /* an element's order is compared with; 0: none */
    /* An entry of the archive that is no series' (rehome.h); may be NULL. */
    int (*rehome)(void *arg, const void *owner, size_t owner_bytes,
                  struct archive_place place, const void *value, size_t bytes,
                  uint32_t *marked);
    /* Things to tell people about, with a WARP_E code; may be NULL. */
    void (*event)(void *arg, int code, const char *text);
    void *arg;
};
int series_open(const struct series_config *config, struct series **series);
void series_close(struct series **series);

/* Memory for one append, set aside before the log has the commit: after that it
 * cannot fail. Either series_append or series_unreserve follows. WARP_ELIMIT,
 * WARP_ENOMEM. */
struct series_room {
    struct pending_room append;
};
int series_reserve(struct series *series, uint32_t key_bytes,
                   uint32_t element_bytes, struct series_room *room);
void series_unreserve(struct series *series, struct series_room *room);
/* Under the shard's lock. seq << 16 | ordinal orders equal times; the same one
 * again is no change. */
void series_append(struct series *series, const struct layout *l,
                   uint32_t field, const struct key_ref *key,
                   struct series_room *room, int64_t at_ms, uint64_t order,
                   const uint8_t *element, uint32_t bytes);
/* Under the shard's lock: the record is deleted (or starts anew) at `order`:
 * elements below it are gone from all series of the record, whatever the
 * budget says. WARP_ENOMEM. */
int series_drop(struct series *series, const struct layout *l,
                const struct key_ref *key, uint64_t order);

struct series_iter;
/* [from_ms, to_ms) in the order of time; ages past the retention's end are
 * hidden exactly at `now_ms`. The iterator merges all tiers, lives as long as
 * its user likes, and shows a committed element exactly once. archive: it may
 * be read; else WARP_EARCHIVE where the range reaches into it. */
int series_range(struct series *series, const struct layout *l, uint32_t field,
                 const struct key_ref *key, int64_t from_ms, int64_t to_ms,
                 int64_t now_ms, bool archive, struct series_iter **iter);
int series_next(struct series_iter *iter, int64_t *at_ms,
                const uint8_t **element, uint32_t *bytes);
void series_iter_close(struct series_iter **iter);

/* Checkpoint, as in secondary.h: in its last transaction, after the rows. A
 * replay appends elements again even where the row is newer (apply_beside).
 * *disk gets whether disk_sync() must come before the commit. */
int series_flush(struct series *series, struct ssd_txn *txn, bool *disk);
void series_flushed(struct series *series, bool keep);
bool series_pending(struct series *series);
/* The log is cut below these sequence numbers of the shards: what is at or
 * below them will not be replayed. */
void series_settled(struct series *series, const uint64_t *floors);

/* Elements in memory that a tier has, too: what `memory:` of a retention asks
 * for, as far as the budget goes. */
void series_shrink(struct series *series, uint64_t bytes);
/* For tests: they may take so much, and no share of the budget. */
void series_fix_copies(struct series *series, uint64_t bytes);
uint64_t series_resident_bytes(struct series *series);
/* Steps of ranges that had to read a tier. */
uint64_t series_tier_reads(struct series *series);

/* ---- series_age.c ---- */
/* One bounded step, in a transaction of its own, while no checkpoint runs: what
 * is past its tier's age moves on or goes. *more: another step has work to do;
 * *marked, unless NULL: values that are no series' and wait for a checkpoint
 * before that.
 * force: whatever is due at all, not only what is worth its while. */
int series_migrate(struct series *series, int64_t now_ms, bool force,
                   bool *more, uint32_t *marked);

/* ---- after an open, and for checks: series_places.c ---- */
/* Counts the places that the directory holds, and brings into memory what is
 * young enough at `now_ms`; stop ends it early. Before the first flush. */
int series_recount(struct series *series, int64_t now_ms,
                   const _Atomic bool *stop);
/* Every chunk is read and taken apart. bad is told of each damage. */
int series_verify(struct series *series,
                  void (*bad)(void *arg, const char *text), void *arg);
/* A value of the disk tier with this owner: is it this series' and alive? Then
 * the next checkpoint writes it to another place. */
int series_move(struct series *series, const uint8_t *owner,
                uint32_t owner_bytes, struct disk_place place);

/* Elements of a field to another type, in a transaction that is the caller's;
 * disk_sync() must come before its commit, and the store is opened anew after
 * it. fn: the converted bytes, valid until its next call, or *kept false. */
typedef int series_convert_fn(void *arg, const uint8_t **data, uint32_t *bytes,
                              bool *kept);
int series_convert(struct series *series, struct ssd_txn *txn,
                   const struct layout *l, uint32_t field,
                   const struct warp_type *type, series_convert_fn *fn,
                   void *arg);

struct series_stat {
    uint64_t chunks, elements, packed_bytes, raw_bytes;
};
/* Of one field (or all of a record: key not NULL), by enum chunk_where. Reads
 * the directory. */
int series_count(struct series *series, const struct layout *l, uint32_t field,
                 const struct key_ref *key, struct series_stat stat[3]);

#endif
