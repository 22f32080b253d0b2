/* series_resident.h: chunks of the directory that `memory:` of a retention
 * keeps in memory, as they are (packed).
 *
 * A record's copies are complete from a time on: a read that begins there
 * needs no tier. They are changed after each commit by the thread that
 * checkpoints, and read by all. They may take a quarter of the budget. From
 * half of that on, and where they found no room, it is noted which are read,
 * and an engine (series_choice.h) says whose stay; who was let go comes back
 * when it is read again. Without memory they are not made: then a read goes to
 * the directory. */
#ifndef WARP_SERIES_RESIDENT_H
#define WARP_SERIES_RESIDENT_H

#include "heap.h"
#include "ssd.h"
#include "text.h"

struct resident;

/* learning: the engine may do more than S3-FIFO. */
int resident_open(struct budget *budget, bool learning,
                  struct resident **resident);
void resident_close(struct resident **resident);

/* prefix: the beginning of the record's keys, stream 0. */

/* While on, nothing is read: the copies of a record come one by one. */
void resident_loading(struct resident *r, bool on);
/* From here to resident_changed the copies of this record are not read: several
 * changes make one state of them from another. By one thread at a time. */
void resident_change(struct resident *r, struct ssd_slice prefix);
void resident_changed(struct resident *r);
/* All of the record from from_ms on is in the entries that follow, unless it
 * has copies already. memory_ms: they go at this age. prior: what is known of
 * its uses, as layout.prior. */
void resident_begin(struct resident *r, struct ssd_slice prefix,
                    int64_t from_ms, int64_t memory_ms, int prior);
bool resident_has(struct resident *r, struct ssd_slice prefix);
/* An entry was written or has gone; of records without copies it is not
 * kept. joined: its elements are in an entry that is put next. false: the
 * record has no copies, there may have been no room for them. */
bool resident_put(struct resident *r, struct ssd_slice key,
                  struct ssd_slice value);
void resident_del(struct resident *r, struct ssd_slice key, bool joined);
/* What lies elsewhere up to this time is not in the copies. */
void resident_from(struct resident *r, struct ssd_slice prefix,
                   int64_t from_ms);
/* Copies past their age go. */
void resident_trim(struct resident *r, int64_t now_ms);
/* Copies go until `bytes` are free or none is left. */
void resident_shrink(struct resident *r, uint64_t bytes);
/* For tests: so much is all that they may take. */
void resident_fix(struct resident *r, uint64_t bytes);
/* By the thread that checkpoints: the engine learns what was read, and `fill`
 * makes the copies of some that were asked for in vain. */
void resident_settle(struct resident *r,
                     void (*fill)(void *arg, struct ssd_slice prefix),
                     void *arg);

/* How a read counts: not at all (a range goes on); as a use; as one of what the
 * schema wants in memory, so that copies are made where there are none. */
enum resident_use { RESIDENT_GOES_ON, RESIDENT_IS_USED, RESIDENT_IS_WANTED };

/* false: it must be read from the tiers. Else the entries that a step from
 * at_ms on needs are in `to`, each u32 key bytes, u32 value bytes, key, value;
 * *limit_ms comes down to where the first entry begins that it does not. */
bool resident_read(struct resident *r, struct ssd_slice prefix, int64_t at_ms,
                   int64_t *limit_ms, enum resident_use use, struct text *to);

uint64_t resident_bytes(struct resident *r);

#endif
