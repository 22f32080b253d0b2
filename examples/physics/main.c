/* A million records (or COUNT) with three device columns, a formula and a
 * pairwise kernel: fills the store, computes both fields for everybody, says
 * where each batch ran, how fast, and how many rows were compared with float64;
 * tells a record's partners; then checks all values against plain C.
 *   physics STORE [COUNT] */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <warp/warp.h>

#include "physics.warp.h"

enum { PLACES = 24, BATCH = 100000 };

static struct warp_db *db;

static int fail(const char *what)
{
    fprintf(stderr, "physics: %s: %s\n", what, warp_errmsg(db));
    return 1;
}

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The same records in every run. */
static struct fx_user user_of(uint64_t id)
{
    uint64_t r = (id + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct fx_user u = {.id = id};
    u.px = (float)(r >> 44) / 1048576 * 100;
    u.py = (float)(r >> 24 & 0xfffff) / 1048576 * 100;
    u.mass = 1 + (float)(r & 0xff) / 64;
    u.followers = (uint32_t)(r >> 8 & 0xffff);
    return u;
}

static struct fx_place place_of(uint32_t id)
{
    return (struct fx_place){.id = id,
                             .x = (float)(id % 6) * 20,
                             .y = (float)(id / 6) * 30,
                             .mass = 1 + (float)id,
                             .city = id / 8};
}

static int fill(uint64_t count)
{
    const uint64_t fields =
        FX_USER_PX | FX_USER_PY | FX_USER_MASS | FX_USER_FOLLOWERS;
    double from = seconds();
    for (uint64_t id = 0; id < count; id++) {
        struct fx_user u = user_of(id);
        if (fx_user_put(db, &u, fields) != WARP_OK)
            return fail("put");
    }
    for (uint32_t id = 0; id < PLACES; id++) {
        struct fx_place p = place_of(id);
        if (fx_place_put(db, &p, FX_PLACE_ALL & ~FX_PLACE_ID) != WARP_OK)
            return fail("put");
    }
    printf("%" PRIu64 " users written in %.2f s\n", count, seconds() - from);
    return 0;
}

/* One of the generated calls. */
typedef int compute_fn(struct warp_db *, const uint64_t *, size_t, float *,
                       struct warp_run_info *);

static int compute(const char *name, compute_fn *call, uint64_t count,
                   float *out)
{
    static uint64_t keys[BATCH];
    double from = seconds();
    int64_t launches_us = 0;
    for (uint64_t first = 0; first < count; first += BATCH) {
        struct warp_run_info info;
        size_t n = count - first < BATCH ? (size_t)(count - first) : BATCH;
        for (size_t i = 0; i < n; i++)
            keys[i] = first + i;
        if (call(db, keys, n, out + first, &info) != WARP_OK)
            return fail(name);
        launches_us += info.took_us;
        printf("  %s %7" PRIu64 "..%-7" PRIu64 " on %-6s (%s), "
               "%u rows compared with float64\n",
               name, first, first + n - 1, info.ran_on, info.why,
               info.validated);
    }
    printf("%s: %.2f M records/s, %.1f of it in launches\n", name,
           (double)count / 1e6 / (seconds() - from),
           (double)launches_us / 1e6 / (seconds() - from));
    return 0;
}

/* How many differ from plain C by more than float32's rounding. */
static uint64_t differ(uint64_t count, const float *reach, const float *pull)
{
    uint64_t wrong = 0;
    for (uint64_t id = 0; id < count; id++) {
        struct fx_user u = user_of(id);
        double most = 0, want = log2(1 + (double)u.followers) * (double)u.mass;
        for (uint32_t k = 0; k < PLACES; k++) {
            struct fx_place p = place_of(k);
            double dx = (double)u.px - (double)p.x;
            double dy = (double)u.py - (double)p.y;
            most = fmax(most, (double)u.mass * (double)p.mass /
                                  sqrt(dx * dx + dy * dy + 0.01));
        }
        wrong += fabs((double)reach[id] - want) > 1e-5 * (1 + want) ||
                 fabs((double)pull[id] - most) > 1e-5 * (1 + most);
    }
    return wrong;
}

/* Places of the same city are partners by the schema, and some become so: two
 * of different cities that are always looked at one after the other. */
static int partners(uint32_t of, uint32_t with)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_partners found;
    struct fx_place p;
    int rc = WARP_OK;
    for (uint32_t n = 0; n < 4 * PLACES && rc == WARP_OK; n++) {
        rc = fx_place_get(db, n % PLACES, FX_PLACE_X, &p, NULL);
        if (rc == WARP_OK && n % 4 == 0)
            rc = fx_place_get(db, of, FX_PLACE_X, &p, NULL);
        if (rc == WARP_OK && n % 4 == 0)
            rc = fx_place_get(db, with, FX_PLACE_X, &p, NULL);
    }
    if (rc == WARP_OK)
        rc = fx_place_get_with_partners(db, of, FX_PLACE_CITY, &p, &found,
                                        &arena);
    if (rc != WARP_OK)
        return fail("partners");
    printf("place %u of city %u belongs with\n", p.id, p.city);
    for (size_t i = 0; i < found.count; i++)
        printf("  place %2u: %.2f%s%s\n", ((const uint32_t *)found.keys)[i],
               (double)found.bonds[i].weight,
               found.bonds[i].declared ? ", same city" : "",
               found.bonds[i].learned > 0 ? ", used together" : "");
    warp_arena_free(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct warp_device device;
    if (argc < 2 || count == 0 || count > 100000000) {
        fprintf(stderr, "usage: physics STORE [COUNT]\n");
        return 2;
    }
    for (uint32_t i = 0; warp_device_info(i, &device) == WARP_OK; i++)
        printf("%-7s %s\n", device.kind,
               device.name[0] ? device.name : device.why_not);
    float *reach = calloc(count, sizeof *reach);
    float *pull = calloc(count, sizeof *pull);
    int status = 1;
    if (!reach || !pull)
        fprintf(stderr, "physics: out of memory\n");
    else if (warp_open(argv[1], &physics_warp_schema, NULL, &db) != WARP_OK)
        fail(argv[1]);
    else if (fill(count) == 0 &&
             compute("reach", fx_user_reach_compute, count, reach) == 0 &&
             compute("pull", fx_user_pull_compute, count, pull) == 0 &&
             partners(3, 20) == 0) {
        uint64_t wrong = differ(count, reach, pull);
        printf("%" PRIu64 " of %" PRIu64 " records differ from plain C\n",
               wrong, count);
        status = wrong != 0;
    }
    if (db && warp_close(&db) != WARP_OK)
        status = fail("close");
    free(reach);
    free(pull);
    return status;
}
