/* The budget of a whole store, judged by what the kernel says: a data set five
 * times the memory is written and read while the process's own anonymous memory
 * and the rings are measured. And who leaves memory first. */
#include <check.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "instrumented.h"
#include "memory.warp.h"

static char dir[64];
static struct warp_db *db;

static void set_up(void)
{
    strcpy(dir, "/tmp/warp_memory_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void tear_down(void)
{
    char command[128];
    if (db)
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static uint32_t every_ms; /* between checkpoints; 0: as it is usual */

static void open_it(uint64_t memory)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 4;
    o.memory_max_bytes = memory;
    o.checkpoint_every_ms = every_ms;
    int rc = warp_open(dir, &memory_warp_schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

/* ---- what the kernel says ---- */

static uint64_t anonymous_bytes(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Anonymous: %llu kB", &kib) == 1)
            break;
    fclose(f);
    return kib * 1024;
}

/* The landing rings are files that the process maps. */
static uint64_t ring_bytes(void)
{
    char path[400];
    uint64_t bytes = 0;
    struct stat st;
    snprintf(path, sizeof path, "%s/ring", dir);
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/ring/%s", dir, e->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_size;
    }
    closedir(d);
    return bytes;
}

static _Atomic uint64_t most;
static _Atomic bool stop;

static void *watch(void *arg)
{
    while (!atomic_load(&stop)) {
        uint64_t now = anonymous_bytes();
        if (now > atomic_load(&most))
            atomic_store(&most, now);
        usleep(3000);
    }
    return arg;
}

/* ---- data ---- */

enum { BODY = 700, BLOB = 1500 };

static char text[BLOB];

static void fill(uint64_t id)
{
    uint64_t x = id * 0x9e3779b97f4a7c15u + 1;
    for (uint32_t i = 0; i + 8 <= sizeof text; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(text + i, &x, 8);
    }
}

static void put_wide(uint64_t id)
{
    struct mem_wide w = {.id = id, .n = id * 3};
    fill(id);
    w.body = (struct warp_str){text, BODY};
    w.blob = (struct warp_str){text, BLOB};
    int rc = mem_wide_put(db, &w, MEM_WIDE_ALL);
    ck_assert_msg(rc == WARP_OK, "put %u: %d: %s", (unsigned)id, rc,
                  warp_errmsg(db));
}

static void get_wide(uint64_t id, struct warp_arena *arena)
{
    struct mem_wide w;
    warp_arena_reset(arena);
    int rc = mem_wide_get(db, id, MEM_WIDE_ALL, &w, arena);
    ck_assert_msg(rc == WARP_OK, "get %u: %d: %s", (unsigned)id, rc,
                  warp_errmsg(db));
    fill(id);
    ck_assert_uint_eq(w.n, id * 3);
    ck_assert_uint_eq(w.body.len, BODY);
    ck_assert_mem_eq(w.body.data, text, BODY);
    ck_assert_uint_eq(w.blob.len, BLOB);
    ck_assert_mem_eq(w.blob.data, text, BLOB);
}

static void must_fit(const char *when, uint64_t before, uint64_t budget)
{
    uint64_t rings = ring_bytes();
    uint64_t used = atomic_exchange(&most, 0) - before + rings;
    printf("%s: %.1f MiB of %.1f MiB, %.1f MiB of it rings\n", when,
           (double)used / 1048576, (double)budget / 1048576,
           (double)rings / 1048576);
    fflush(stdout);
    if (!INSTRUMENTED)
        ck_assert_msg(used <= budget, "%s: %llu bytes are used", when,
                      (unsigned long long)used);
}

START_TEST(five_times_the_memory)
{
    const uint64_t budget = UINT64_C(48) << 20;
    const uint64_t count = INSTRUMENTED ? 20000 : 5 * budget / (BODY + BLOB);
    struct warp_arena arena = WARP_ARENA_INIT;
    pthread_t watcher;
    uint64_t seed = 7, before = anonymous_bytes();
    open_it(budget);
    ck_assert_int_eq(pthread_create(&watcher, NULL, watch, NULL), 0);
    for (uint64_t id = 0; id < count; id++)
        put_wide(id);
    must_fit("written", before, budget);
    for (uint64_t n = 0; n < count / 2; n++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        get_wide(seed % count, &arena);
        if (n % 8 == 0)
            put_wide(seed % count);
    }
    must_fit("read and written", before, budget);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    must_fit("checkpointed", before, budget);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_it(budget);
    for (uint64_t id = 0; id < count; id += 3)
        get_wide(id, &arena);
    must_fit("opened again", before, budget);
    atomic_store(&stop, true);
    pthread_join(watcher, NULL);
    warp_arena_free(&arena);
}
END_TEST

/* ---- who leaves first ---- */

enum { RIVALS = 3000, CROWD = 20000 };

static uint32_t resident_first(uint64_t count)
{
    uint32_t n = 0;
    struct warp_arena arena = WARP_ARENA_INIT;
    for (uint64_t id = 0; id < count; id++) {
        struct mem_first r;
        ck_assert_int_eq(mem_first_get(db, id,
                                       MEM_FIRST_BODY | WARP_RESIDENT, &r,
                                       &arena),
                         WARP_OK);
        n += r.have != 0;
    }
    warp_arena_free(&arena);
    return n;
}

static uint32_t resident_last(uint64_t count)
{
    uint32_t n = 0;
    struct warp_arena arena = WARP_ARENA_INIT;
    for (uint64_t id = 0; id < count; id++) {
        struct mem_last r;
        ck_assert_int_eq(mem_last_get(db, id, MEM_LAST_BODY | WARP_RESIDENT,
                                      &r, &arena),
                         WARP_OK);
        n += r.have != 0;
    }
    warp_arena_free(&arena);
    return n;
}

static void put_both(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct mem_first first = {.id = i, .body = {text, 1200}};
        struct mem_last last = {.id = i, .body = {text, 1200}};
        ck_assert_int_eq(mem_first_put(db, &first, MEM_FIRST_ALL), WARP_OK);
        ck_assert_int_eq(mem_last_put(db, &last, MEM_LAST_ALL), WARP_OK);
    }
}

/* Two products as large as each other, the second written last: when a third
 * one needs the memory, the one of the lower priority gives it up. */
START_TEST(the_lower_priority_leaves_first)
{
    uint64_t id = 0;
    open_it(UINT64_C(40) << 20);
    put_both(RIVALS);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_eq(resident_first(RIVALS), RIVALS);
    ck_assert_uint_eq(resident_last(RIVALS), RIVALS);
    uint32_t last = RIVALS;
    for (; id < 60000 && last > RIVALS / 10; id++) {
        put_wide(id);
        if (id % 2000 == 1999)
            last = resident_last(RIVALS);
    }
    uint32_t first = resident_first(RIVALS);
    printf("after %u records: %u of :critical, %u of :background in memory\n",
           (unsigned)id, first, last);
    ck_assert_uint_le(last, RIVALS / 10);
    ck_assert_uint_gt(first, RIVALS - RIVALS / 10);
}
END_TEST

/* Both are read as often, and the one of the higher priority could fill the
 * memory alone: what is read of the other finds no room, and leaves again. */
START_TEST(the_lower_priority_finds_no_room)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint64_t seed = 7;
    open_it(UINT64_C(40) << 20);
    put_both(CROWD);
    for (uint32_t n = 0; n < 8 * CROWD; n++) {
        struct mem_first first;
        struct mem_last last;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        warp_arena_reset(&arena);
        int rc = n & 1 ? mem_first_get(db, seed % CROWD, MEM_FIRST_ALL, &first,
                                       &arena)
                       : mem_last_get(db, seed % CROWD, MEM_LAST_ALL, &last,
                                      &arena);
        ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
    }
    uint32_t first = resident_first(CROWD), last = resident_last(CROWD);
    printf("%u of :critical, %u of :background in memory\n", first, last);
    ck_assert_uint_gt(first, 4 * last);
    ck_assert_uint_gt(first, CROWD / 8);
    warp_arena_free(&arena);
}
END_TEST

/* What the heaps have left. */
static void use_up(void)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        for (size_t bytes = 65536; bytes >= 16; bytes /= 2)
            while (heap_alloc(&s->heap, bytes))
                ;
        for (size_t bytes = 16; bytes < 4096; bytes += bytes / 8 + 1)
            while (heap_alloc(&s->heap, bytes))
                ;
        os_unlock(&s->lock);
    }
}

/* Memory is full of what no tier has yet: a get that needs some makes the
 * keeper write it. */
START_TEST(a_get_waits_for_a_checkpoint)
{
    enum { COLD = 4000 };
    struct warp_arena arena = WARP_ARENA_INIT;
    every_ms = 3600000;
    open_it(UINT64_C(48) << 20);
    for (uint64_t id = 0; id < COLD; id++)
        put_wide(id);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_it(UINT64_C(48) << 20);
    db_wait_loaded(db);
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          1 << 20);
        heap_trim(&db->shards[i].heap);
        os_unlock(&db->shards[i].lock);
    }
    for (uint64_t id = COLD; id < COLD + 2000; id++)
        put_wide(id);
    uint64_t checkpoints = atomic_load(&db->checkpoints);
    db->memory_max = db_memory_used(db);
    db_balance(db);
    use_up();
    for (uint64_t id = 0; id < COLD; id++)
        get_wide(id, &arena);
    ck_assert_uint_gt(atomic_load(&db->checkpoints), checkpoints);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    warp_arena_free(&arena);
    every_ms = 0;
}
END_TEST

/* As the keeper and each writer do, but all the time. */
static void *balance(void *arg)
{
    while (!atomic_load(&stop))
        db_balance(db);
    return arg;
}

/* Nothing is there that could leave, and writers may not have more. */
START_TEST(a_get_has_what_writers_may_not)
{
    enum { COLD = 2000, NEW = 60 };
    struct warp_arena arena = WARP_ARENA_INIT;
    pthread_t balancer;
    open_it(UINT64_C(48) << 20);
    for (uint64_t id = 0; id < COLD; id++)
        put_wide(id);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    db->memory_max = UINT64_C(32) << 20;
    db_balance(db);
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        while (shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                           1 << 20) > 0)
            ;
        heap_trim(&db->shards[i].heap);
        os_unlock(&db->shards[i].lock);
    }
    db_balance(db);
    ck_assert_int_eq(pthread_create(&balancer, NULL, balance, NULL), 0);
    for (uint64_t id = 0; id < COLD; id++) {
        if (id < NEW)
            use_up();
        get_wide(id, &arena);
    }
    ck_assert_uint_gt(atomic_load(&db->heap_budget.used),
                      atomic_load(&db->heap_budget.limit));
    atomic_store(&stop, true);
    pthread_join(balancer, NULL);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    warp_arena_free(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_memory");
    TCase *tests = tcase_create("memory");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, five_times_the_memory);
    tcase_add_test(tests, the_lower_priority_leaves_first);
    tcase_add_test(tests, the_lower_priority_finds_no_room);
    tcase_add_test(tests, a_get_waits_for_a_checkpoint);
    tcase_add_test(tests, a_get_has_what_writers_may_not);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
