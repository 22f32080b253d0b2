/* checkpoint_step.h: one transaction of a checkpoint: records copied, their
 * cold values written, the directory's changes. Private to checkpoint*. */
#ifndef WARP_CHECKPOINT_STEP_H
#define WARP_CHECKPOINT_STEP_H

#include "compress.h"
#include "db.h"
#include "row.h"

/* A key and its new value; value NULL: the key goes. */
struct change {
    enum ssd_table table;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t *key;
    uint8_t *value;
};

/* A record copied in this step. */
struct copied {
    struct shard *shard;
    struct record *record;
    const struct layout *layout;
    uint64_t version;
    uint64_t written;          /* cold fields whose values went to tiers */
    uint64_t told;             /* cold fields that the tiers will know */
    uint64_t archived;         /* cold fields that the archive has now */
    uint32_t first_place;      /* in step.places */
    uint32_t at;               /* in the shard's list */
    bool gone;                 /* it was deleted */
    bool away;                 /* and lives on in another shard */
    bool fresh;                /* the directory lacked it */
    bool settled;              /* nothing of it waits for the commit */
};

struct new_place {
    uint32_t field;
    struct disk_place old, now;
};

struct step {
    struct warp_db *db;
    struct warp_arena arena;
    uint64_t bytes; /* asked of it; its blocks are larger, and stay */
    struct change *changes;
    uint32_t change_count, change_room;
    struct copied *copied;
    uint32_t copied_count, copied_room;
    struct new_place *places;
    uint32_t place_count, place_room;
    struct db_shares shares;
    uint64_t done;       /* records that are settled */
    uint64_t tree_pages; /* of the directory, when the run began */
    struct warp_arena later_arena;
    struct change *later; /* keys that go with the floors */
    uint32_t later_count, later_room, later_sure;
    bool archived; /* something was appended to the archive */
    bool drops;    /* a record that had elements goes */
    struct compress *compress;
};

/* The values of cold fields that were written: ssd ones become changes, disk
 * ones wait in the arena for the disk (their place is patched in later). */
struct cold_copy {
    uint32_t field;
    uint32_t bytes;
    bool disk;      /* of a tiered field: it goes there, */
    bool unchanged; /* from another place there */
    uint8_t *data;
};

struct record_copy {
    struct copied *entry;
    uint8_t *row;        /* encoded */
    uint32_t row_bytes;
    bool worth_packing;  /* it holds a value that its policy compresses */
    uint8_t key[ROW_KEY_BYTES_MAX];
    uint32_t key_bytes;  /* with the product */
    struct cold_copy cold[56];
    uint32_t cold_count;
    bool fetched; /* a tier was read, under the lock */
    uint64_t left; /* fields whose values leave the disk tier: */
    struct disk_place was[56];
};

/* Before the first record: what the steps of so many will need, at most, is
 * touched at once, which costs a small part of a page fault for each page. */
void step_ready(struct step *st, uint64_t records, uint64_t bytes);
/* Memory until the step is committed. NULL: there is none. */
void *step_alloc(struct step *st, size_t bytes);
/* Under the shard's lock: the record as it is; it is clean from now. */
int step_copy(struct step *st, struct shard *s, struct record *r,
              struct record_copy *c);
/* Under the lock: a key goes when the checkpoint is done: until its step is
 * settled readers look for the value there. */
int step_forget_later(struct step *st, enum ssd_table table,
                      const uint8_t *key, uint32_t key_bytes);
/* In the transaction of the floors. */
int step_put_later(struct step *st, struct ssd_txn *txn);
/* checkpoint_past.c; under the lock. Of a record with R_PAST: */
int step_copy_past(struct step *st, const struct layout *l,
                   const struct record *r, struct record_copy *c);
/* Of one with tiered fields: those that move. */
int step_copy_tiered(struct step *st, const struct layout *l,
                     const struct record *r, struct record_copy *c);
/* Without locks: cold values to their tiers, the row to the changes. */
int step_write(struct step *st, struct record_copy *c);
/* How far it is, for the writers' pace; in some thousand records once. */
enum { STEP_PACE_RECORDS = 2048 };
void step_pace(const struct step *st, double eighths);
/* checkpoint_settle.c: the directory has the records; after a failure they are
 * to be copied again. */
void step_settle(struct step *st);
void step_put_back(struct step *st);
/* Commits what was written. last: also indexes and series. After an error the
 * records are dirty again. */
int step_commit(struct step *st, bool last);
/* Gives up what was copied and not committed. */
void step_undo(struct step *st);
int step_open(struct step *st, struct warp_db *db);
/* Time to commit: what it copied, or would change, is its share of memory. */
bool step_is_full(const struct step *st);
void step_close(struct step *st);

#endif
