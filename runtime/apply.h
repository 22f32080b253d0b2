/* apply.h: an op and a record: what memory it needs, and the change itself.
 * All under the shard's lock. */
#ifndef WARP_APPLY_H
#define WARP_APPLY_H

#include "db.h"
#include "series.h"

struct plan {
    struct record *record;
    struct plan *earlier;  /* of the op before in the batch, same record */
    struct op *op;         /* set in a batch only */
    /* In a batch: the last plan so far that touches a record, or NULL. */
    struct plan *(*last_of)(void *run, const struct record *record);
    void *run;
    bool existed;          /* before the commit */
    bool exists;           /* before this op */
    bool created;          /* by apply_prepare */
    bool fresh_blocks;     /* never write into a value's old bytes */
    bool replay;
    struct series_room room; /* of an append */
    uint64_t block_mask;   /* fields with a block below */
    void *blocks[56];      /* only these are set */
};
static inline void plan_init(struct plan *plan)
{
    memset(plan, 0, offsetof(struct plan, blocks));
}

/* What a field, or the record (56), is at a point of a batch: after `plan` and
 * the plans before it; NULL: in the record alone. */
struct past {
    bool have;
    int64_t deadline;  /* 0: none */
    struct op *writer; /* the op of the batch that wrote it last, or NULL */
};
void apply_past(const struct layout *l, const struct plan *plan,
                const struct record *record, uint32_t field,
                struct past *past);
static inline bool past_alive(const struct past *p, int64_t now)
{
    return p->have && (p->deadline == 0 || now < p->deadline);
}

/* The record of a plan stays in memory until apply_finish or apply_cancel. */
void apply_hold(struct plan *plan);
/* Memory, the result of an add; unique values too, but in a batch: there they
 * are checked when all is prepared. 0 or an error. */
int apply_prepare(struct shard *shard, struct op *op, struct plan *plan);
/* At replay, of an op that the record in the directory has already: what does
 * not lie in the record (series, hints of indexes) may be missing all the same,
 * because a checkpoint writes it after the records. */
int apply_beside(struct shard *shard, struct op *op, uint64_t seq,
                 uint32_t ordinal);
/* Gives back what apply_prepare took. */
void apply_cancel(struct shard *shard, struct op *op, struct plan *plan);
/* Changes the record; its word is odd from here until apply_finish. */
void apply_change(struct shard *shard, struct op *op, struct plan *plan,
                  uint64_t seq, uint32_t ordinal);
/* seq 0: nothing was logged, the version stays. */
void apply_finish(struct shard *shard, const struct op *op,
                  struct record *r, uint64_t seq);
/* The version that callers see: changes with every write of the record, and is
 * never one that it had before. A move leaves it as it is; one that was given
 * outside the home tells the shard, whose numbers are its own. */
uint64_t apply_version(const struct shard *shard, const struct layout *l,
                       const struct record *r, uint64_t hash);
/* A write of the record is done: what its word gets. seq 0: of memory alone. */
uint64_t apply_new_version(const struct layout *l, struct record *r,
                           uint64_t seq);
/* The next write of memory-only fields must be logged, else its version would
 * be one that the record had before. */
bool apply_writes_full(const struct layout *l, const struct record *r);
/* Remember a place that the next checkpoint's commit makes unreachable. */
void apply_dead_place(struct warp_db *db, const struct disk_place *place);
/* The disk place in a slot is dead; the slot is emptied. */
void apply_drop_place(struct shard *shard, struct record *r, uint32_t slot);
/* The value of an indexed field is about to go. */
void apply_forget(struct shard *shard, const struct layout *l,
                  struct record *r, uint32_t field);
/* Gives back what the row points to in memory and empties it: all but the
 * flags. What lies on tiers, or is in indexes, stays there. */
void apply_empty(struct shard *shard, const struct layout *l,
                 struct record *r);
/* Takes all fields away (delete, expiry). */
void apply_clear(struct shard *shard, const struct layout *l,
                 struct record *r);

#endif
