/* Derived fields, in a get and in batches on every device that is here: each
 * shape and reduction against plain C over the same records, again after the
 * inputs change, and absent without them. */
#include "kernels.warp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/warp.h>

enum { ROWS = 20, PLACES = 30 };

static int failures;

void k_triple(const struct k_row *record, float *result)
{
    *result = 3 * record->a + record->b + (float)(record->n % 5) +
              (float)(record->id % 2);
}

void k_own(const struct k_many *record, float *result)
{
    *result = record->m0 + record->m23;
}

static void expect(const char *what, uint64_t id, double got, double want)
{
    if (fabs(got - want) <= 1e-5 * (1 + fabs(want)))
        return;
    printf("%s of %llu: %.9g, wanted %.9g\n", what, (unsigned long long)id, got,
           want);
    failures++;
}

static void need(int rc, const char *what)
{
    if (rc == WARP_OK)
        return;
    printf("%s: %s\n", what, warp_errmsg(NULL));
    exit(1);
}

static float place_x(int i)
{
    return (float)((i * 7) % PLACES);
}

static float place_y(int i)
{
    return (float)i / 4;
}

static void put_row(struct warp_db *db, uint64_t id, float a)
{
    struct k_ev evs[5];
    struct k_row r = {.id = id, .a = a, .b = (float)id / 2 + 1, .on = true};
    for (int i = 0; i < 5; i++)
        evs[i] = (struct k_ev){.at = i, .weight = (float)i + (float)id};
    r.n = 100 - (int64_t)id * 11;
    r.evs = (struct warp_list){evs, (uint32_t)(id % 6)};
    need(k_row_put(db, &r, K_ROW_A | K_ROW_B | K_ROW_ON | K_ROW_N | K_ROW_EVS),
         "put");
}

static void check_pairs(const struct k_row *r, uint64_t id, double a, double b)
{
    double best[3] = {-1e30, -1e30, -1e30}, z = 0, soft = 0, most = -1e30;
    int where = 0;
    for (int i = 0; i < PLACES; i++) {
        double v = a * (double)place_x(i) - (double)place_y(i);
        if (fabs(a - (double)place_x(i)) < fabs(a - (double)place_x(where)))
            where = i;
        most = fmax(most, a * (double)place_x(i));
        for (int k = 0; k < 3; k++)
            if (v > best[k]) {
                double old = best[k];
                best[k] = v;
                v = old;
            }
    }
    for (int i = 0; i < PLACES; i++) {
        double v = a * (double)place_x(i);
        z += exp(v - most);
        soft += v * exp(v - most);
    }
    expect("best", id, r->best, where);
    for (int k = 0; k < 3; k++)
        expect("near", id, (double)r->near.v[k], best[k]);
    expect("soft", id, (double)r->soft, soft / z);
    (void)b;
}

static void check_row(struct warp_db *db, uint64_t id, double a)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct k_row r;
    const uint64_t fields = K_ROW_SCORE | K_ROW_REST | K_ROW_FLAG | K_ROW_WIDE |
                            K_ROW_WARM | K_ROW_PULL | K_ROW_BEST | K_ROW_NEAR |
                            K_ROW_SOFT | K_ROW_TOTAL | K_ROW_TWICE |
                            K_ROW_KEYED | K_ROW_RAW;
    double b = (double)id / 2 + 1, sum = 0;
    int64_t n = 100 - (int64_t)id * 11;
    /* no arena: nothing that is asked for needs one */
    need(k_row_get(db, id, fields, &r, NULL), "get");
    if (r.have != fields) {
        printf("row %llu: has %llx\n", (unsigned long long)id,
               (unsigned long long)r.have);
        failures++;
    }
    for (uint64_t i = 0; i < id % 6 && i < 5; i++)
        sum += ((double)i + (double)id) * b;
    expect("score", id, (double)r.score, log2(1 + a) * b);
    expect("twice", id, (double)r.twice, 2 * (log2(1 + a) * b + 1));
    expect("rest", id, (double)r.rest,
           (double)(n % 7 + llabs(n) - (n < 5 ? n : 5) * (n > 2 ? n : 2)));
    expect("flag", id, r.flag, a > b);
    expect("keyed", id, (double)r.keyed, (double)id + 1);
    expect("raw", id, (double)r.raw,
           3 * a + b + (double)(n % 5) + (double)(id % 2));
    expect("wide", id, r.wide, a * a + sqrt(b));
    expect("warm", id, (double)r.warm, exp(-a / 2) + b);
    expect("total", id, (double)r.total, sum);
    check_pairs(&r, id, a, b);
    if (!(r.pull > 0) || !isfinite(r.pull)) {
        printf("pull of %llu: %g\n", (unsigned long long)id, (double)r.pull);
        failures++;
    }
    warp_arena_free(&arena);
}

/* ---- batches ---- */

enum { MANY = 2000 };

/* The device that comes first, or "cpu". */
static const char *first_device(void)
{
    struct warp_device d;
    const char *first = "cpu";
    for (uint32_t i = 0; warp_device_info(i, &d) == WARP_OK; i++)
        if (d.why_not[0] == '\0' && strcmp(d.name, "stand-in") != 0)
            first = d.kind; /* cpu, opencl, cuda */
    return first;
}

/* A batch gives what gets give; the first one of a kernel goes to a device, if
 * there is one and the schema does not say otherwise. */
#define BATCH(field, TYPE, FIELD, first)                                       \
    do {                                                                       \
        static TYPE out[MANY];                                                 \
        struct warp_run_info info;                                             \
        for (int n = 0; n < 3; n++) {                                          \
            need(k_row_##field##_compute(db, keys, MANY, out, &info), #field); \
            const char *on = first;                                            \
            if (n == 0 && strcmp(info.ran_on, on) != 0) {                      \
                printf(#field " ran on %s: %s\n", info.ran_on, info.why);      \
                failures++;                                                    \
            }                                                                  \
            if (info.count != MANY || info.missing != 1 ||                     \
                info.batch != MANY - 1) {                                      \
                printf(#field ": %u keys, %u missing, batch %u\n", info.count, \
                       info.missing, info.batch);                              \
                failures++;                                                    \
            }                                                                  \
            for (uint64_t i = 0; i < MANY - 1; i += 37) {                      \
                struct k_row r;                                                \
                need(k_row_get(db, keys[i], K_ROW_##FIELD, &r, NULL), "get");  \
                same(#field, keys[i], info.ran_on, &out[i], &r.field,          \
                     sizeof out[i]);                                           \
            }                                                                  \
        }                                                                      \
    } while (0)

/* Floats within a few roundings, whole numbers the same. */
static void same(const char *what, uint64_t id, const char *on, const void *a,
                 const void *b, size_t bytes)
{
    bool whole = strcmp(what, "rest") == 0 || strcmp(what, "best") == 0 ||
                 strcmp(what, "flag") == 0 || strcmp(what, "keyed") == 0;
    bool good = memcmp(a, b, bytes) == 0;
    for (size_t i = 0; !good && !whole && i < bytes / 4; i++) {
        double x =
            bytes == 8 ? ((const double *)a)[0] : (double)((const float *)a)[i];
        double y =
            bytes == 8 ? ((const double *)b)[0] : (double)((const float *)b)[i];
        good = fabs(x - y) <= 2e-5 * (1 + fabs(y));
        if (!good)
            printf("%g and %g: ", x, y);
        if (!good || bytes == 8)
            break;
    }
    if (good)
        return;
    printf("%s of %llu on %s is not the get's\n", what, (unsigned long long)id,
           on);
    failures++;
}

static void check_batches(struct warp_db *db)
{
    static uint64_t keys[MANY];
    const char *device = first_device();
    for (uint64_t i = 0; i < MANY; i++) {
        keys[i] = 1000 + (i * 7919) % MANY;
        put_row(db, keys[i], (float)(keys[i] % 50) / 2);
    }
    keys[MANY - 1] = 77777; /* not there */
    BATCH(score, float, SCORE, device);
    BATCH(rest, int64_t, REST, device);
    BATCH(flag, bool, FLAG, device);
    BATCH(wide, double, WIDE, device);
    BATCH(warm, float, WARM, device);
    BATCH(pull, float, PULL, device);
    BATCH(best, uint32_t, BEST, device);
    BATCH(near, struct warp_f32_3, NEAR, device);
    BATCH(soft, float, SOFT, device);
    BATCH(total, float, TOTAL, device);
    BATCH(raw, float, RAW, device);
    BATCH(keyed, uint64_t, KEYED, "cpu");
}

/* A column of a field that is paired with other records. */
static void check_column(struct warp_db *db)
{
    uint64_t rows = 0;
    for (uint32_t shard = 0;; shard++) {
        struct warp_column column;
        if (k_row_best_column(db, shard, &column) != WARP_OK)
            break; /* there are no more shards */
        for (size_t i = 0; i < column.count; i++) {
            struct k_row r;
            uint64_t key = ((const uint64_t *)column.keys)[i];
            if (!(column.have[i / 64] >> i % 64 & 1))
                continue;
            need(k_row_get(db, key, K_ROW_BEST, &r, NULL), "get");
            expect("column", key, ((const uint32_t *)column.data)[i], r.best);
            rows++;
        }
        warp_column_release(&column);
    }
    if (rows < ROWS) {
        printf("the column has %llu rows\n", (unsigned long long)rows);
        failures++;
    }
}

/* More inputs than most records have fields, and 64 bits all the way: in gets
 * and in a batch. */
static void check_many(struct warp_db *db)
{
    enum { RECORDS = 300 };
    static uint64_t keys[RECORDS];
    static float sums[RECORDS];
    static int64_t squares[RECORDS];
    static float own[RECORDS];
    const uint64_t derived = K_MANY_EVERY_SUM | K_MANY_SQUARE | K_MANY_OWN;
    struct warp_run_info info;
    for (int i = 0; i < RECORDS; i++) {
        struct k_many r = {.m0 = 1, .m11 = 10, .m23 = 100, .n = -65536 + i};
        keys[i] = r.id = (uint64_t)i;
        need(k_many_put(db, &r, K_MANY_ALL & ~derived), "put many");
    }
    need(k_many_every_sum_compute(db, keys, RECORDS, sums, &info), "sums");
    need(k_many_square_compute(db, keys, RECORDS, squares, &info), "squares");
    need(k_many_own_compute(db, keys, RECORDS, own, &info), "own");
    for (int i = 0; i < RECORDS; i++) {
        struct k_many r;
        double n = -65536.0 + i;
        need(k_many_get(db, keys[i], derived, &r, NULL), "get many");
        if (r.have != derived) {
            printf("many inputs: have %llx\n", (unsigned long long)r.have);
            failures++;
        }
        expect("sum of many", keys[i], (double)r.every_sum, 111);
        expect("square", keys[i], (double)r.square, n * n);
        expect("sum in a batch", keys[i], (double)sums[i], 111);
        expect("own", keys[i], (double)r.own, 101);
        expect("own in a batch", keys[i], (double)own[i], 101);
        expect("square in a batch", keys[i], (double)squares[i], n * n);
    }
}

static void expect_peek(struct warp_db *db, uint64_t id, enum warp_fresh want,
                        double value)
{
    enum warp_fresh fresh;
    float got;
    need(k_row_score_peek(db, id, &got, &fresh), "peek");
    expect("peek", id, (double)got, value);
    if (fresh != want) {
        printf("peek of %llu: %d, wanted %d\n", (unsigned long long)id,
               (int)fresh, (int)want);
        failures++;
    }
}

static void expect_summary(struct warp_db *db, uint64_t id, uint64_t count,
                           double bits, uint64_t plain, double plain_bits)
{
    struct warp_summary got;
    for (int n = 0; n < 2; n++) { /* the second one is kept */
        need(k_row_tags_summary(db, id, &got), "summary");
        expect("count", id, (double)got.count, (double)count);
        expect("entropy", id, got.entropy_bits, bits);
        need(k_row_plain_summary(db, id, &got), "summary");
        expect("count", id, (double)got.count, (double)plain);
        expect("entropy", id, got.entropy_bits, plain_bits);
    }
}

static void check_summaries(struct warp_db *db)
{
    struct warp_str tags[] = {warp_str("a"), warp_str("b"), warp_str("a"),
                              warp_str("c"), warp_str(""),  warp_str("b"),
                              warp_str("b"), warp_str("b")};
    uint32_t numbers[64];
    struct warp_summary got;
    struct k_row r = {.id = 3, .tags = {tags, 8}, .plain = {numbers, 64}};
    for (uint32_t i = 0; i < 64; i++)
        numbers[i] = i;
    expect_summary(db, 3, 0, 0, 0, 0); /* none was ever written */
    need(k_row_put(db, &r, K_ROW_TAGS | K_ROW_PLAIN), "put");
    /* shares 1/4, 1/2, 1/8, 1/8 */
    expect_summary(db, 3, 8, 1.75, 64, 6);
    need(warp_checkpoint(db), "checkpoint"); /* one list is on the disk now */
    r.plain.count = 1;
    r.tags.count = 2;
    need(k_row_put(db, &r, K_ROW_TAGS | K_ROW_PLAIN), "put");
    expect_summary(db, 3, 2, 1, 1, 0);
    if (k_row_tags_summary(db, 99999, &got) != WARP_ENOTFOUND) {
        printf("a summary without a record\n");
        failures++;
    }
}

static void check_futures(struct warp_db *db)
{
    enum { FUTURES = 40 };
    struct warp_future *futures[FUTURES];
    struct warp_run_info info;
    uint64_t keys[FUTURES][3];
    expect_peek(db, 1, WARP_PENDING, 0);
    for (uint64_t i = 0; i < FUTURES; i++) {
        for (uint64_t k = 0; k < 3; k++)
            keys[i][k] = (i + k) % ROWS;
        need(k_row_score_request(db, keys[i], 3, &futures[i]), "request");
        memset(keys[i], 0xff, sizeof keys[i]); /* they are copied */
    }
    for (int i = 0; i < FUTURES; i++) {
        need(warp_future_wait(futures[i], INT64_C(20000000000)), "wait");
        need(warp_future_poll(futures[i]), "poll");
        need(warp_future_info(futures[i], &info), "info");
        if (info.count != 3 || info.missing != 0 || !info.ran_on) {
            printf("future: %u keys, %u missing\n", info.count, info.missing);
            failures++;
        }
        warp_future_cancel(&futures[i]);
    }
    expect_peek(db, 1, WARP_FRESH, log2(1 + 1.25) * 1.5);
    need(k_row_set_a(db, 1, 3), "set");
    expect_peek(db, 1, WARP_STALE, log2(1 + 1.25) * 1.5);
    need(k_row_score_request(db, (uint64_t[]){1}, 1, &futures[0]), "request");
    need(warp_future_wait(futures[0], -1), "wait");
    expect_peek(db, 1, WARP_FRESH, 2 * 1.5);
    warp_future_cancel(&futures[0]);
    /* given up before it is done, also by the store's end */
    for (int i = 0; i < FUTURES; i++)
        need(k_row_score_request(db, (uint64_t[]){2}, 1, &futures[i]), "req");
    for (int i = 0; i < FUTURES / 2; i++)
        warp_future_cancel(&futures[i]);
    need(warp_close(&db), "close");
    for (int i = FUTURES / 2; i < FUTURES; i++) {
        need(warp_future_poll(futures[i]), "poll after close");
        warp_future_cancel(&futures[i]);
    }
}

int main(void)
{
    char dir[] = "/tmp/warp_kernels_XXXXXX", path[64], command[80];
    struct warp_db *db = NULL;
    struct k_row r;
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/store", dir);
    need(warp_open(path, &kernels_warp_schema, NULL, &db), "open");
    for (int i = 0; i < PLACES; i++) {
        struct k_place p = {(uint32_t)i, place_x(i), place_y(i), 0};
        need(k_place_put(db, &p, K_PLACE_X | K_PLACE_Y), "put place");
    }
    /* one without the input is no column */
    struct k_place lame = {.id = 1000, .y = -1e6f};
    need(k_place_put(db, &lame, K_PLACE_Y), "put place");
    for (uint64_t id = 0; id < ROWS; id++)
        put_row(db, id, (float)id);
    for (uint64_t id = 0; id < ROWS; id++)
        check_row(db, id, (double)id);
    for (uint64_t id = 0; id < ROWS; id++)
        need(k_row_set_a(db, id, (float)id + 0.25f), "set");
    put_row(db, 3, 9);
    for (uint64_t id = 0; id < ROWS; id++)
        check_row(db, id, id == 3 ? 9 : (double)id + 0.25);
    need(k_row_set_a(db, 500, 1), "set");
    need(k_row_get(db, 500, K_ROW_SCORE | K_ROW_PULL | K_ROW_TOTAL, &r, NULL),
         "get");
    if (r.have != 0) {
        printf("without inputs: %llx\n", (unsigned long long)r.have);
        failures++;
    }
    if (k_row_state(db, 500, K_ROW_WARM) != WARP_ABSENT ||
        k_row_state(db, 2, K_ROW_WARM) != WARP_PRESENT ||
        k_row_state(db, 2, K_ROW_TWICE) != WARP_PRESENT) {
        printf("state\n");
        failures++;
    }
    check_column(db);
    check_many(db);
    check_summaries(db);
    check_futures(db);
    need(warp_open(path, &kernels_warp_schema, NULL, &db), "open again");
    check_batches(db);
    need(warp_close(&db), "close");
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0 || failures != 0;
}
