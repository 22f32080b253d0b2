/* series_part.h: what the files series*.c share. */
#ifndef WARP_SERIES_PART_H
#define WARP_SERIES_PART_H

#include "series.h"
#include "series_chunk.h"
#include "series_resident.h"

struct series_bytes {
    uint8_t *data;
    size_t room;
};

/* When elements of a field are due to leave a tier. */
struct series_age {
    uint8_t head[SERIES_HEAD_BYTES]; /* product, field */
    bool walking;       /* a walk over all records is under way */
    int64_t next;       /* nothing is due earlier; INT64_MIN: not known */
    int64_t next_walk;  /* what the walk under way has found for it */
    uint32_t at_bytes;
    uint8_t at[SSD_KEY_BYTES_MAX]; /* where the walk goes on */
};

struct series {
    struct series_config c;
    struct pending *pending;
    struct resident *resident;
    _Atomic uint32_t flushes; /* that were committed */
    _Atomic uint64_t tier_reads;

    /* All below belongs to the thread that checkpoints. */
    struct series_pack *pack;
    uint64_t *settled; /* by shard */
    struct text value; /* an entry that is being made */
    struct series_item *fresh, *merged;
    size_t fresh_room, merged_room;
    struct warp_arena arena;
    struct series_bytes packed; /* from a tier */
    /* Given up by the transaction under way. */
    struct disk_place *dead;
    struct archive_place *dead_archive;
    size_t dead_count, dead_room, dead_archive_count, dead_archive_room;
    bool wrote_disk;
    struct text staged; /* changes for the resident copies: see series.c */
    int64_t trimmed_ms;
    struct series_age *ages;
    uint32_t age_count;
    /* Owners and places that a compaction wants to empty. */
    struct text moves;
    _Atomic bool moving; /* there are some */
};

/* The tiers of one field. */
struct series_policy {
    int64_t memory_ms;  /* up to this age also in memory; -1: not */
    int64_t near_ms;    /* up to this age in the directory */
    int64_t disk_ms;    /* up to this age on the disk; = near_ms: none */
    int64_t end_ms;     /* INT64_MAX: kept */
    bool archive;       /* past disk_ms */
    int prior;          /* access_pattern: 1 :hot, -1 :cold, :sequential */
};
void series_policy(const struct layout *l, uint32_t field,
                   struct series_policy *policy);
/* The time from which on elements are younger than an age at `now`. */
int64_t series_first_alive(int64_t now_ms, int64_t age_ms);

/* The record and field that a transaction works on. */
struct series_work {
    struct series *s;
    struct ssd_txn *txn;
    const struct layout *l;
    uint32_t field;
    const struct warp_type *type;
    struct series_policy policy;
    int level;      /* enum warp_compression */
    uint64_t keep;  /* orders from here on may come again */
    uint32_t prefix_bytes;
    uint8_t prefix[SSD_KEY_BYTES_MAX]; /* of STREAM_NEAR */
};
/* false: the schema has no such series (any more). */
bool series_work_begin(struct series_work *w, struct series *s,
                       struct ssd_txn *txn, const uint8_t *name,
                       uint32_t name_bytes);
/* Orders of this record's elements from here on may come again: what the log
 * tells of them is not below the floor of its shard. */
uint64_t series_keep(const struct series *s, const struct layout *l,
                     const uint8_t *key, uint32_t bytes);
/* The bytes behind a key's prefix in the table; 0: it is no chunk's. */
uint32_t series_prefix_of(struct ssd_slice key);

/* Unpacks with `pack`; bytes on a tier come into `room`. */
int series_chunk_items(struct series *s, struct series_pack *pack,
                       const struct warp_type *type, const struct chunk *chunk,
                       struct series_bytes *room, struct series_item **items);

/* Elements in order as new chunks of the directory; the first has the key
 * (at, order), whatever its element says: it may replace one. */
int series_store_near(struct series_work *w, const struct series_item *items,
                      size_t count, int64_t at, uint64_t order);
/* As one chunk on the disk tier (`to` CHUNK_DISK) or in the archive; count is
 * at most SERIES_COUNT_MAX. */
int series_store_far(struct series_work *w, enum chunk_where to,
                     const struct series_item *items, uint32_t count,
                     int64_t at, uint64_t order);
int series_remove(struct series_work *w, const struct chunk *chunk,
                  struct ssd_slice key);
/* For the resident copies, once the transaction is committed: this is the last
 * run of the record's elements; an entry was written; one has gone. */
int series_stage_begin(struct series_work *w, int64_t from_ms);
void series_stage_put(struct series_work *w, struct ssd_slice key,
                      struct ssd_slice value);
void series_stage_del(struct series_work *w, struct ssd_slice key);
/* One has gone, and its elements are in the next that is written. */
void series_stage_join(struct series_work *w, struct ssd_slice key);
/* Behind the last element that the archive holds of the record. */
int series_archive_end(const struct series_work *w, int64_t *end_ms);
/* By the thread that checkpoints: who has copies in memory is settled anew. */
void series_settle_copies(struct series *s, int64_t now_ms);
/* Its place is dead once the transaction is committed. */
int series_give_up(struct series *s, const struct chunk *chunk);
/* After a commit, or after none. */
void series_ended(struct series *s, bool committed);

/* An element of this time lies in the directory (or on the disk). */
int series_note_age(struct series_work *w, enum chunk_where where,
                    int64_t last_at);
/* What is known of ages does not hold any more. */
void series_forget_ages(struct series *s);

#endif
