/* series.h: list fields of :temporal_tiering: elements appended by time.
 *
 * Elements since the last checkpoint are in memory, older ones in SSD_SERIES
 * (product u16 BE, field u8, key escaped as a non-last string (codec.h), at as
 * u64 BE with the sign bit flipped, seq u64 BE -> wire bytes of the element).
 * seq is the shard's sequence number of the append plus an ordinal inside the
 * commit, so that a replay is idempotent and equal times are kept apart. */
#ifndef WARP_SERIES_H
#define WARP_SERIES_H

#include "heap.h"
#include "shard.h"
#include "ssd.h"

struct series;

int series_open(struct ssd *ssd, struct budget *budget, struct series **series);
void series_close(struct series **series);

/* Under the shard's lock, before the log has the commit: makes sure that the
 * append cannot fail for want of memory. */
int series_reserve(struct series *series, uint32_t bytes);
/* Under the shard's lock. seq << 16 | ordinal orders equal times. */
void series_append(struct series *series, const struct layout *l,
                   uint32_t field, const struct key_ref *key, int64_t at_ms,
                   uint64_t order, const uint8_t *element, uint32_t bytes);
/* Under the shard's lock: the record is deleted (or starts anew) at `order`:
 * elements below it are gone from all series of the record. */
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

/* Does the record's series hold anything? For _state: no I/O; what is only on
 * disk is told by the have bit of the record. */

/* Checkpoint, as in secondary.h. */
int series_flush(struct series *series, struct ssd_txn *txn);
void series_flushed(struct series *series, bool keep);
bool series_pending(struct series *series);

/* When retention ends in a delete: removes at most `limit` elements that are
 * past it, in a transaction of the checkpoint; *more says whether any is left. */
int series_expire(struct series *series, struct ssd_txn *txn,
                  const struct layout *l, int64_t now_ms, uint32_t limit,
                  bool *more);

#endif
