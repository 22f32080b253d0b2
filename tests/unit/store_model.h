/* store_model.h: what a store of store_sample.h must hold, kept in plain
 * memory, and random operations over it.
 *
 * A world is a key range of its own with its own values, so several worlds may
 * run in one store at once. An operation is a function of (seed, world, number,
 * the world before), so it can be made again after the process that ran it was
 * killed. */
#ifndef WARP_TEST_STORE_MODEL_H
#define WARP_TEST_STORE_MODEL_H

#include "store_sample.h"

enum {
    MODEL_PRODUCTS = 2,
    MODEL_KEYS = 24,   /* of each product */
    MODEL_FIELDS = THING_FIELDS + 1,
    MODEL_SERIES = 24, /* elements of a record, at most */
    MODEL_OWNERS = 5,
    MODEL_EMAILS = 12,
    MODEL_WRITES = 8   /* in a batch */
};

struct model_value {
    uint64_t seed; /* of a number: the number */
    uint32_t len;
};

struct model_field {
    struct model_value value;
    bool have, lost;
    int64_t deadline; /* 0: none */
    int64_t least, most; /* of its deadlines since it was first written */
};

struct model_record {
    bool exists;
    int64_t deadline;
    struct model_field fields[MODEL_FIELDS];
    uint32_t count;
    struct model_element {
        int64_t at;
        struct model_value value;
    } series[MODEL_SERIES]; /* by time, then by arrival */
};

struct world {
    uint64_t seed;
    uint32_t number;
    int64_t now;
    struct model_record records[MODEL_PRODUCTS][MODEL_KEYS];
};

enum write_kind { W_PUT, W_SET, W_ADD, W_DELETE, W_TOUCH, W_EXPIRE, W_APPEND };
enum expectation { E_NONE, E_RIGHT, E_WRONG, E_ABSENT };

struct model_write {
    enum write_kind kind;
    uint32_t product, key, field;
    uint64_t mask;
    struct model_value values[MODEL_FIELDS];
    int64_t delta, deadline, at;
    struct model_value element;
    enum expectation expect; /* in a batch: of the record before it */
};

enum model_kind {
    M_WRITE, M_BATCH, M_ABORT, M_TICK, M_CHECKPOINT, M_REOPEN, M_SWEEP,
    M_EVICT, M_PREFETCH, M_SYNC, M_READ, M_CHECK
};

struct model_op {
    enum model_kind kind;
    uint32_t count;
    struct model_write writes[MODEL_WRITES];
    uint32_t product, key;
    int64_t tick;
};

void model_init(struct world *w, uint64_t seed, uint32_t number);
/* The operation of that number; alone: the store has no other user, so that
 * time may pass and the store may be closed. */
void model_make(const struct world *w, uint64_t number, bool alone,
                struct model_op *op);
/* What the operation does: the code, and the world after it. */
int model_predict(const struct world *w, const struct model_op *op,
                  struct world *next);
/* The process ended: what was in memory alone is lost. */
void model_restart(struct world *w);
/* The process ended in an operation that led to `next` and cannot be told from
 * none: a value that was in memory alone may have left either deadline. */
void model_doubt(struct world *w, const struct world *next);
void model_say(const struct world *w, const struct model_op *op);

/* Against a store. Each returns false after it has said what differs; quiet:
 * without a word. */
struct model_run {
    struct warp_db *db;
    struct warp_arena arena;
    bool quiet;
    bool moves;     /* versions of moved records do not only grow */
    int code;       /* of the call that was looked at last */
    char said[256]; /* what differed last, also when it is quiet */
};
/* Runs it and compares the code and what the call returns. */
bool model_execute(struct model_run *run, const struct world *w,
                   const struct world *next, const struct model_op *op,
                   int predicted);
bool model_check_record(struct model_run *run, const struct world *w,
                        uint32_t product, uint32_t key);
bool model_check(struct model_run *run, const struct world *w);

/* The products from here on: those of sample_schema, or of one that has the
 * same fields at the same numbers with other homes, and perhaps THING_EXTRA. */
void model_use(const struct warp_schema *schema);
/* ---- values and keys ---- */
const struct warp_product *model_product(uint32_t product);
bool model_has_series(uint32_t product);
bool model_exists(const struct world *w, const struct model_record *r);
bool model_present(const struct world *w, const struct model_record *r,
                   uint32_t field);
/* The C form of a value into `to`; bytes come from the arena. */
void model_value_to(const struct world *w, uint32_t product, uint32_t field,
                    const struct model_value *v, void *to,
                    struct warp_arena *arena);
bool model_value_is(const struct world *w, uint32_t product, uint32_t field,
                    const struct model_value *v, const void *c);
/* The C form of a key; room for a struct warp_str and its text. */
union model_key {
    uint64_t id;
    struct warp_str name;
};
void model_key(const struct world *w, uint32_t product, uint32_t key,
               union model_key *to, char text[16]);
uint64_t model_random(uint64_t *state);

/* When it is opened again, the store's records may be in any shard. */
void model_roam(struct warp_db *db);
/* Some are; the model knows nothing of that. How many, or the code of a move
 * that failed. */
int model_move_some(struct warp_db *db, uint64_t *rng);
/* What may leave the memory of a store does. */
void model_evict_all(struct warp_db *db);

#endif
