/* series_resident.h: chunks of the directory that `memory:` of a retention
 * keeps in memory, as they are (packed).
 *
 * A record's copies are complete from a time on: a read that begins there needs
 * no tier. They are changed after each commit by the thread that checkpoints,
 * and read by all. Without memory they are not made: then a read goes to the
 * directory. */
#ifndef WARP_SERIES_RESIDENT_H
#define WARP_SERIES_RESIDENT_H

#include "heap.h"
#include "ssd.h"
#include "text.h"

struct resident;

int resident_open(struct budget *budget, struct resident **resident);
void resident_close(struct resident **resident);

/* prefix: the beginning of the record's keys, stream 0. */

/* While on, nothing is read: the copies of a record come one by one. */
void resident_loading(struct resident *r, bool on);
/* All of the record from from_ms on is in the entries that follow, unless it
 * has copies already. memory_ms: they go at this age. */
void resident_begin(struct resident *r, struct ssd_slice prefix,
                    int64_t from_ms, int64_t memory_ms);
bool resident_has(struct resident *r, struct ssd_slice prefix);
/* An entry was written or has gone; of records without copies it is not
 * kept. joined: its elements are in an entry that is put next. */
void resident_put(struct resident *r, struct ssd_slice key,
                  struct ssd_slice value);
void resident_del(struct resident *r, struct ssd_slice key, bool joined);
/* What lies elsewhere up to this time is not in the copies. */
void resident_from(struct resident *r, struct ssd_slice prefix,
                   int64_t from_ms);
/* Copies past their age go. */
void resident_trim(struct resident *r, int64_t now_ms);
/* Copies go until `bytes` are free or none is left. */
void resident_shrink(struct resident *r, uint64_t bytes);

/* false: it must be read from the tiers. Else the entries that a step from
 * at_ms on needs are in `to`, each u32 key bytes, u32 value bytes, key, value;
 * *limit_ms comes down to where the first entry begins that it does not. */
bool resident_read(struct resident *r, struct ssd_slice prefix, int64_t at_ms,
                   int64_t *limit_ms, struct text *to);

uint64_t resident_bytes(struct resident *r);

#endif
