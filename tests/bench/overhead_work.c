/* overhead_work.c: the pairs of work that `warp-bench overhead` compares. By
 * hand means: a function that does the same for one product, over the runtime's
 * internal calls, without the checks that a call from outside needs. To add a
 * pair: two functions and a row in overhead_cases. */
#include "overhead.h"

#include <string.h>

#include "codec.h"
#include "commit.h"
#include "hash.h"
#include "overhead.warp.h"
#include "read.h"

/* ---- the store ---- */

static struct bench_hot hot_of(uint64_t i)
{
    struct bench_hot r = {.id = i % OVERHEAD_RECORDS, .a = i, .b = i * 3};
    r.d = (double)i;
    r.h = ~i;
    return r;
}

static struct bench_plain plain_of(uint64_t i)
{
    struct bench_plain r = {.id = i % OVERHEAD_RECORDS, .f1 = i, .f2 = i * 3};
    r.f4 = (double)i;
    r.f11 = (struct warp_str){"twelve fields and a string", 26};
    return r;
}

static struct bench_annotated annotated_of(uint64_t i)
{
    struct bench_annotated r = {
        .id = i % OVERHEAD_RECORDS, .f1 = i, .f2 = i * 3};
    r.f4 = (double)i;
    r.f11 = (struct warp_str){"twelve fields and a string", 26};
    return r;
}

int overhead_bed_open(struct overhead_bed *bed, const char *dir)
{
    memset(bed, 0, sizeof *bed);
    /* callgrind has no room for the usual map. */
    struct warp_options options = WARP_OPTIONS_INIT;
    options.ssd_map_bytes = UINT64_C(1) << 30;
    int rc = warp_open(dir, &overhead_warp_schema, &options, &bed->db);
    for (uint64_t i = 0; i < OVERHEAD_RECORDS && rc == WARP_OK; i++) {
        struct bench_hot hot = hot_of(i);
        struct bench_plain plain = plain_of(i);
        struct bench_annotated annotated = annotated_of(i);
        rc = bench_hot_put(bed->db, &hot, BENCH_HOT_ALL);
        if (rc == WARP_OK)
            rc = bench_plain_put(bed->db, &plain, BENCH_PLAIN_ALL);
        if (rc == WARP_OK)
            rc = bench_annotated_put(bed->db, &annotated, BENCH_ANNOTATED_ALL);
    }
    return rc;
}

int overhead_bed_close(struct overhead_bed *bed)
{
    warp_arena_free(&bed->arena);
    return bed->db ? warp_close(&bed->db) : WARP_OK;
}

/* ---- by hand ---- */

static __attribute__((noinline)) int hand_hot_get(struct warp_db *db,
                                                  uint64_t id,
                                                  struct bench_hot *out)
{
    const struct layout *l = db_layout(db, &bench_hot_warp_product);
    uint8_t bytes[KEY_BYTES_MAX];
    size_t count;
    *out = (struct bench_hot){0};
    int rc = key_encode(l->desc, &id, bytes, &count, NULL);
    if (rc != WARP_OK)
        return rc;
    struct key_ref key = key_ref_of(db->seed, l, bytes, (uint32_t)count);
    rc = read_record(db, l, &key, BENCH_HOT_ALL, out, NULL);
    out->id = id;
    return rc;
}

/* Key, hash and shard of an op; what the commit will touch is asked for. */
static int hand_address(struct warp_db *db, struct op *op, const void *key,
                        const void *record)
{
    int rc = op_key(op, key, record);
    op->hash = shard_hash(db, op);
    op->shard = hash_shard(op->hash, db->shard_count);
    shard_prefetch(&db->shards[op->shard], op->hash);
    log_prefetch(db->log, op->shard);
    return rc;
}

static int hand_commit(struct warp_db *db, struct op *op, int rc)
{
    if (rc == WARP_OK)
        rc = commit_op(db, op, false);
    op_fini(op);
    if (rc == WARP_OK)
        db_count(&db_stripe(db)->puts);
    return rc;
}

static __attribute__((noinline)) int hand_hot_put(struct warp_db *db,
                                                  const struct bench_hot *r)
{
    uint8_t space[1024];
    struct op op;
    op_init(&op, db_layout(db, &bench_hot_warp_product), OP_UPDATE, space,
            sizeof space);
    int rc = hand_address(db, &op, NULL, r);
    if (rc == WARP_OK)
        rc = op_put(&op, r, BENCH_HOT_ALL, 0);
    return hand_commit(db, &op, rc);
}

static __attribute__((noinline)) int hand_hot_set_a(struct warp_db *db,
                                                    uint64_t id, uint64_t a)
{
    uint8_t space[1024];
    struct op op;
    op_init(&op, db_layout(db, &bench_hot_warp_product), OP_UPDATE, space,
            sizeof space);
    int rc = hand_address(db, &op, &id, NULL);
    if (rc == WARP_OK)
        rc = op_set(&op, 1, &a, 0);
    return hand_commit(db, &op, rc);
}

static int hand_get(struct overhead_bed *bed, uint64_t ops)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < ops; i++) {
        struct bench_hot out;
        warp_arena_reset(&bed->arena);
        int rc = hand_hot_get(bed->db, i % OVERHEAD_RECORDS, &out);
        if (rc != WARP_OK)
            return rc;
        sum += out.have;
    }
    return sum == 0 ? WARP_ENOTFOUND : WARP_OK;
}

static int hand_put(struct overhead_bed *bed, uint64_t ops)
{
    int rc = WARP_OK;
    for (uint64_t i = 0; i < ops && rc == WARP_OK; i++) {
        struct bench_hot r = hot_of(i);
        rc = hand_hot_put(bed->db, &r);
    }
    return rc;
}

static int hand_set(struct overhead_bed *bed, uint64_t ops)
{
    int rc = WARP_OK;
    for (uint64_t i = 0; i < ops && rc == WARP_OK; i++)
        rc = hand_hot_set_a(bed->db, i % OVERHEAD_RECORDS, i);
    return rc;
}

/* ---- generated ---- */

#define GETS(function, product, fields)                                       \
    static int function(struct overhead_bed *bed, uint64_t ops)               \
    {                                                                         \
        uint64_t sum = 0;                                                     \
        for (uint64_t i = 0; i < ops; i++) {                                  \
            struct bench_##product out;                                       \
            warp_arena_reset(&bed->arena);                                    \
            int rc = bench_##product##_get(bed->db, i % OVERHEAD_RECORDS,     \
                                           fields, &out, &bed->arena);        \
            if (rc != WARP_OK)                                                \
                return rc;                                                    \
            sum += out.have;                                                  \
        }                                                                     \
        return sum == 0 ? WARP_ENOTFOUND : WARP_OK;                           \
    }
#define PUTS(function, product, fields)                                       \
    static int function(struct overhead_bed *bed, uint64_t ops)               \
    {                                                                         \
        int rc = WARP_OK;                                                     \
        for (uint64_t i = 0; i < ops && rc == WARP_OK; i++) {                 \
            struct bench_##product r = product##_of(i);                       \
            rc = bench_##product##_put(bed->db, &r, fields);                  \
        }                                                                     \
        return rc;                                                            \
    }
#define SETS(function, product, field)                                        \
    static int function(struct overhead_bed *bed, uint64_t ops)               \
    {                                                                         \
        int rc = WARP_OK;                                                     \
        for (uint64_t i = 0; i < ops && rc == WARP_OK; i++)                   \
            rc = bench_##product##_set_##field(bed->db, i % OVERHEAD_RECORDS, \
                                               i);                            \
        return rc;                                                            \
    }
GETS(hot_get, hot, BENCH_HOT_ALL)
PUTS(hot_put, hot, BENCH_HOT_ALL)
SETS(hot_set, hot, a)
GETS(plain_get, plain, BENCH_PLAIN_ALL)
PUTS(plain_put, plain, BENCH_PLAIN_ALL)
SETS(plain_set, plain, f1)
GETS(annotated_get, annotated, BENCH_ANNOTATED_ALL)
PUTS(annotated_put, annotated, BENCH_ANNOTATED_ALL)
SETS(annotated_set, annotated, f1)

static const char hand[] = "by hand", generated[] = "generated";
static const char bare[] = "12 bare", policies[] = "12 annotated";

const struct overhead_case overhead_cases[] = {
    {"hot get", hand, generated, hand_get, hot_get},
    {"hot set", hand, generated, hand_set, hot_set},
    {"hot put", hand, generated, hand_put, hot_put},
    {"12 fields get", bare, policies, plain_get, annotated_get},
    {"12 fields set", bare, policies, plain_set, annotated_set},
    {"12 fields put", bare, policies, plain_put, annotated_put},
};
const unsigned overhead_cases_count =
    sizeof overhead_cases / sizeof overhead_cases[0];
