/* series.h: list fields of :temporal_tiering: elements appended by time.
 *
 * Elements since the last checkpoint are in memory, older ones in SSD_SERIES
 * (format: series.c). An element's order is the shard's sequence number of the
 * append << 16 | its ordinal inside the commit, so that a replay is idempotent
 * and equal times are kept apart. */
#ifndef WARP_SERIES_H
#define WARP_SERIES_H

#include "heap.h"
#include "pending.h"
#include "shard.h"
#include "ssd.h"

struct series;

int series_open(struct ssd *ssd, struct budget *budget, struct series **series);
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
 * hidden exactly at `now_ms`. The iterator merges memory and disk, lives as
 * long as its user likes, and shows a committed element exactly once. */
int series_range(struct series *series, const struct layout *l, uint32_t field,
                 const struct key_ref *key, int64_t from_ms, int64_t to_ms,
                 int64_t now_ms, struct series_iter **iter);
int series_next(struct series_iter *iter, int64_t *at_ms,
                const uint8_t **element, uint32_t *bytes);
void series_iter_close(struct series_iter **iter);

/* Checkpoint, as in secondary.h: in its last transaction, after the rows. A
 * replay appends elements again even where the row is newer (apply_beside). */
int series_flush(struct series *series, struct ssd_txn *txn);
void series_flushed(struct series *series, bool keep);
bool series_pending(struct series *series);

/* When retention ends in a delete: removes at most `limit` elements that are
 * past it, in the transaction of series_flush; *more says whether a look
 * through a field is not at its end. One begins only when it is worth while. */
int series_expire(struct series *series, struct ssd_txn *txn,
                  const struct layout *l, int64_t now_ms, uint32_t limit,
                  bool *more);

#endif
