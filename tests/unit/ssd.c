/* The ssd tier: tables of sorted keys against a plain array, cursors while a
 * writer works, a map that grows, damaged bytes. */
#include "scratch.h"

#include "instrumented.h"
#include "os.h"
#include "ssd.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <warp/warp.h>

static struct ssd *ssd;
static const char *dir;

static void open_bytes(uint64_t map_bytes, bool read_only)
{
    int rc = ssd_open(dir, map_bytes, read_only, NULL, NULL, &ssd);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static void set_up(void)
{
    dir = scratch();
    open_bytes(64 << 20, false);
}

static void tear_down(void)
{
    ssd_close(&ssd);
    scratch_remove();
}

static struct ssd_slice text(const char *s)
{
    return (struct ssd_slice){s, strlen(s)};
}

static struct ssd_slice number_key(uint32_t n, char *to)
{
    snprintf(to, 16, "%08u", n);
    return (struct ssd_slice){to, 8};
}

struct got {
    char data[1 << 20];
    size_t bytes;
    int rc;
};

static int take(void *arg, struct ssd_slice value)
{
    struct got *got = arg;
    ck_assert(value.bytes <= sizeof got->data);
    memcpy(got->data, value.data, value.bytes);
    got->bytes = value.bytes;
    return got->rc;
}

static struct got got;

static void put(struct ssd_txn *txn, enum ssd_table table, struct ssd_slice key,
                struct ssd_slice value)
{
    int rc = ssd_put(txn, table, key, value);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static struct ssd_txn *begin(void)
{
    struct ssd_txn *txn;
    ck_assert_int_eq(ssd_begin(ssd, &txn), 0);
    return txn;
}

static void commit(struct ssd_txn **txn)
{
    int rc = ssd_commit(txn);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
    ck_assert_ptr_null(*txn);
}

static uint64_t count_of(struct ssd *of, enum ssd_table table)
{
    uint64_t count;
    ck_assert_int_eq(ssd_count(of, table, &count), 0);
    return count;
}

START_TEST(what_is_put_is_got)
{
    struct ssd_txn *txn = begin();
    put(txn, SSD_ROWS, text("a"), text("one"));
    put(txn, SSD_COLD, text("a"), text(""));
    put(txn, SSD_ROWS, text("b"), text("two"));
    put(txn, SSD_ROWS, text("a"), text("three"));
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, text("a"), take, &got),
                     WARP_ENOTFOUND);
    commit(&txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, text("a"), take, &got), 0);
    ck_assert(got.bytes == 5 && memcmp(got.data, "three", 5) == 0);
    ck_assert_int_eq(ssd_get(ssd, SSD_COLD, text("a"), take, &got), 0);
    ck_assert_uint_eq(got.bytes, 0);
    ck_assert_int_eq(ssd_get(ssd, SSD_COLD, text("b"), take, &got),
                     WARP_ENOTFOUND);
    got.rc = 7;
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, text("b"), take, &got), 7);
    got.rc = 0;
    ck_assert_uint_eq(count_of(ssd, SSD_ROWS), 2);
    txn = begin();
    ck_assert_int_eq(ssd_del(txn, SSD_ROWS, text("a")), 0);
    ck_assert_int_eq(ssd_del(txn, SSD_ROWS, text("zz")), 0);
    commit(&txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, text("a"), take, &got),
                     WARP_ENOTFOUND);
    ck_assert_uint_eq(count_of(ssd, SSD_ROWS), 1);
}
END_TEST

struct MDB_env;
static int syncs;

int __real_mdb_env_sync(struct MDB_env *env, int force);
int __wrap_mdb_env_sync(struct MDB_env *env, int force);
int __wrap_mdb_env_sync(struct MDB_env *env, int force)
{
    syncs += force;
    return __real_mdb_env_sync(env, force);
}

/* What a killed process has committed may not be on the disk: who opens the
 * file for writing sees to that before he builds on it. */
START_TEST(what_is_found_is_durable)
{
    struct ssd_txn *txn = begin();
    put(txn, SSD_ROWS, text("a"), text("one"));
    commit(&txn);
    for (int read_only = 0; read_only < 2; read_only++) {
        ssd_close(&ssd);
        syncs = 0;
        open_bytes(64 << 20, read_only);
        ck_assert_int_eq(syncs, !read_only);
        ck_assert_uint_eq(count_of(ssd, SSD_ROWS), 1);
    }
}
END_TEST

START_TEST(an_abort_keeps_nothing)
{
    struct ssd_txn *txn = begin();
    put(txn, SSD_META, text("a"), text("one"));
    ssd_abort(&txn);
    ck_assert_ptr_null(txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_META, text("a"), take, &got),
                     WARP_ENOTFOUND);
    ssd_abort(&txn);
}
END_TEST

START_TEST(arguments_are_checked)
{
    static char big[SSD_KEY_BYTES_MAX + 1];
    struct ssd_slice empty = {"", 0}, large = {big, sizeof big};
    struct ssd_txn *txn = begin();
    ck_assert_int_eq(ssd_put(txn, SSD_ROWS, empty, text("x")), WARP_EINVAL);
    ck_assert_int_eq(ssd_put(txn, SSD_ROWS, large, text("x")), WARP_EINVAL);
    ck_assert_int_eq(ssd_del(txn, SSD_ROWS, large), WARP_EINVAL);
    large.bytes--;
    put(txn, SSD_ROWS, large, text("x"));
    commit(&txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, large, take, &got), 0);
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, empty, take, &got), WARP_EINVAL);
    ssd_close(&ssd);
    open_bytes(0, true);
    ck_assert_int_eq(ssd_get(ssd, SSD_ROWS, large, take, &got), 0);
    ck_assert_int_eq(ssd_begin(ssd, &txn), WARP_EREADONLY);
}
END_TEST

/* Values of all sizes, from none over pages of their own to 700 KB. */
START_TEST(sizes)
{
    static char value[700000];
    static const uint32_t lengths[] = {0,    1,    100,   2000,  2025, 2026,
                                       4000, 4076, 4080,  4096,  8171, 8172,
                                       8173, 9000, 65536, 700000};
    char key[16];
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * 7 + i / 251);
    for (int round = 0; round < 3; round++) {
        struct ssd_txn *txn = begin();
        for (uint32_t i = 0; i < 16; i++)
            put(txn, SSD_COLD, number_key(i, key),
                (struct ssd_slice){value + round,
                                   lengths[(i + (uint32_t)round) % 16] %
                                       699990});
        commit(&txn);
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t bytes = lengths[(i + (uint32_t)round) % 16] % 699990;
            ck_assert_int_eq(
                ssd_get(ssd, SSD_COLD, number_key(i, key), take, &got), 0);
            ck_assert_uint_eq(got.bytes, bytes);
            ck_assert(memcmp(got.data, value + round, bytes) == 0);
        }
    }
}
END_TEST

enum { MODEL = 20000 };
static uint32_t model[MODEL]; /* the value's number; 0: no such key */

static struct ssd_slice model_value(uint32_t n, uint32_t version, char *to)
{
    uint32_t bytes = 10 + (n * 31 + version * 17) % 120;
    if ((n + version) % 500 == 0)
        bytes = 6000;
    memset(to, (int)(n + version), bytes);
    snprintf(to, bytes, "%u.%u", n, version);
    return (struct ssd_slice){to, bytes};
}

static void check_entry(struct ssd_slice key, struct ssd_slice value,
                        uint32_t n)
{
    static char expected[8192];
    char name[16];
    struct ssd_slice wanted = model_value(n, model[n], expected);
    number_key(n, name);
    ck_assert(key.bytes == 8 && memcmp(key.data, name, 8) == 0);
    ck_assert(value.bytes == wanted.bytes &&
              memcmp(value.data, wanted.data, wanted.bytes) == 0);
}

static void check_range(uint32_t from, uint32_t to, bool reverse)
{
    struct ssd_cursor *cursor;
    struct ssd_slice key, value;
    char low[16], high[16];
    struct ssd_slice low_key = number_key(from, low);
    struct ssd_slice high_key = number_key(to, high);
    if (to >= MODEL)
        high_key.bytes = 0;
    if (from == 0)
        low_key.bytes = 0;
    ck_assert_int_eq(
        ssd_cursor_open(ssd, SSD_ROWS, low_key, high_key, reverse, &cursor), 0);
    for (uint32_t i = from; i < to; i++) {
        uint32_t n = reverse ? to - 1 - (i - from) : i;
        if (model[n] == 0)
            continue;
        ck_assert_int_eq(ssd_next(cursor, &key, &value), 0);
        check_entry(key, value, n);
    }
    ck_assert_int_eq(ssd_next(cursor, &key, &value), WARP_END);
    ck_assert_int_eq(ssd_next(cursor, &key, &value), WARP_END);
    ssd_cursor_close(&cursor);
}

static void check_model(uint64_t *seed)
{
    char key[16];
    uint64_t count = 0;
    for (uint32_t n = 0; n < MODEL; n++) {
        count += model[n] != 0;
        int rc = ssd_get(ssd, SSD_ROWS, number_key(n, key), take, &got);
        ck_assert_int_eq(rc, model[n] ? 0 : WARP_ENOTFOUND);
        if (rc == 0)
            check_entry(number_key(n, key),
                        (struct ssd_slice){got.data, got.bytes}, n);
    }
    ck_assert_uint_eq(count_of(ssd, SSD_ROWS), count);
    check_range(0, MODEL, false);
    check_range(0, MODEL, true);
    for (int i = 0; i < 20; i++) {
        uint32_t from = (uint32_t)(scratch_random(seed) % MODEL);
        uint32_t to =
            from + (uint32_t)(scratch_random(seed) % (MODEL + 1 - from));
        check_range(from, to, i & 1);
    }
}

static void change(struct ssd_txn *txn, uint64_t *seed, uint32_t round)
{
    static char value[8192];
    char key[16], high[16];
    for (int i = 0; i < 5000; i++) {
        uint32_t n = (uint32_t)(scratch_random(seed) % MODEL);
        if (scratch_random(seed) % 3 == 0) {
            ck_assert_int_eq(ssd_del(txn, SSD_ROWS, number_key(n, key)), 0);
            model[n] = 0;
        } else {
            model[n] = round;
            put(txn, SSD_ROWS, number_key(n, key),
                model_value(n, round, value));
        }
    }
    uint32_t n = (uint32_t)(scratch_random(seed) % (MODEL - 3000));
    ck_assert_int_eq(ssd_del_range(txn, SSD_ROWS, number_key(n, key),
                                   number_key(n + 3000, high)),
                     0);
    memset(model + n, 0, 3000 * sizeof model[0]);
}

START_TEST(random_changes_follow_a_model)
{
    uint64_t seed = 0x57415250;
    memset(model, 0, sizeof model);
    for (uint32_t round = 1; round <= 12; round++) {
        struct ssd_txn *txn = begin();
        change(txn, &seed, round);
        commit(&txn);
        if (round % 4 == 0) {
            ssd_close(&ssd);
            open_bytes(0, round % 8 == 0);
            check_model(&seed);
            ssd_close(&ssd);
            open_bytes(64 << 20, false);
        }
        check_model(&seed);
    }
}
END_TEST

/* ---- a map that is too small ---- */
static int told;
static void tell(void *arg, int code, const char *what)
{
    (void)arg, (void)code;
    told += strstr(what, "grown") != NULL;
}

START_TEST(the_map_grows)
{
    static char value[8192];
    char key[16];
    uint64_t seed = 99;
    ssd_close(&ssd);
    memset(model, 0, sizeof model);
    told = 0;
    ck_assert_int_eq(ssd_open(dir, 1 << 20, false, tell, NULL, &ssd), 0);
    struct ssd_txn *txn = begin();
    for (uint32_t n = 0; n < MODEL; n++) {
        model[n] = 1;
        put(txn, SSD_ROWS, number_key(n, key), model_value(n, 1, value));
    }
    commit(&txn);
    ck_assert_int_ge(told, 2);
    check_model(&seed);
    for (uint32_t round = 2; round < 5; round++) {
        txn = begin();
        change(txn, &seed, round);
        commit(&txn);
        check_model(&seed);
    }
    struct ssd_stat stat;
    ck_assert_int_eq(ssd_stat(ssd, &stat), 0);
    ck_assert(stat.map_bytes >= 4 << 20 && stat.file_bytes <= stat.map_bytes);
    ck_assert(stat.used_bytes > 1 << 20 && stat.free_bytes > 0);
}
END_TEST

/* Four commits, each of all entries, which the map must grow for. */
static int write_on(void *arg)
{
    static char value[8192];
    char key[16];
    for (uint32_t round = 2; round < 6; round++) {
        struct ssd_txn *txn = begin();
        for (uint32_t n = 0; n < 2 * MODEL; n++)
            put(txn, SSD_ROWS, number_key(n, key),
                model_value(n, round, value));
        commit(&txn);
    }
    (*(int *)arg)++;
    return WARP_OK;
}

START_TEST(a_copy_is_of_one_state)
{
    static char value[8192];
    char key[16], to[100];
    uint64_t seed = 7;
    int calls = 0;
    ssd_close(&ssd);
    memset(model, 0, sizeof model);
    told = 0;
    ck_assert_int_eq(ssd_open(dir, 1 << 20, false, tell, NULL, &ssd), 0);
    struct ssd_txn *txn = begin();
    for (uint32_t n = 0; n < 100; n++) {
        model[n] = 1;
        put(txn, SSD_ROWS, number_key(n, key), model_value(n, 1, value));
    }
    commit(&txn);
    told = 0;
    snprintf(to, sizeof to, "%s/copy", dir);
    ck_assert_int_eq(os_mkdir(to), 0);
    ck_assert_int_eq(ssd_copy(ssd, to, write_on, NULL, &calls), 0);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_gt(told, 0);
    ck_assert_uint_eq(count_of(ssd, SSD_ROWS), 2 * MODEL);
    struct ssd *live = ssd;
    ck_assert_int_eq(ssd_check_file(to, true, NULL, NULL), 0);
    ck_assert_int_eq(ssd_open(to, 0, true, NULL, NULL, &ssd), 0);
    check_model(&seed);
    ssd_close(&ssd);
    ssd = live;
    ck_assert_int_ne(ssd_copy(ssd, to, NULL, NULL, NULL), 0);
}
END_TEST

#if !INSTRUMENTED
static int less;
static void tell_less(void *arg, int code, const char *what)
{
    (void)arg, (void)code;
    less += strstr(what, "address space") != NULL;
}

static void limit_addresses(uint64_t more)
{
    char line[64];
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert(f && fgets(line, sizeof line, f));
    fclose(f);
    rlim_t bytes = strtoull(line, NULL, 10) * 4096 + more;
    struct rlimit limit = {bytes, bytes};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

START_TEST(few_addresses_give_a_smaller_map)
{
    ssd_close(&ssd);
    limit_addresses(300 << 20);
    less = 0;
    int rc = ssd_open(dir, 0, false, tell_less, NULL, &ssd);
    ck_assert_msg(rc == 0 && less == 1, "%d: %s", rc, warp_errmsg(NULL));
    /* Most of them are left to the rest of the store. */
    void *left = os_reserve(200 << 20);
    ck_assert(left);
    os_unreserve(left, 200 << 20);
    struct ssd_txn *txn = begin();
    put(txn, SSD_COLD, text("first"), text("value"));
    commit(&txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_COLD, text("first"), take, &got), 0);
}
END_TEST

/* A map that can grow no more: the transaction fails as a whole, reads and
 * smaller transactions go on. */
START_TEST(a_map_that_cannot_grow)
{
    static char value[20000];
    char key[16];
    ssd_close(&ssd);
    open_bytes(1 << 20, false);
    struct ssd_txn *txn = begin();
    put(txn, SSD_COLD, text("first"), text("value"));
    commit(&txn);
    /* Memory for the transaction, but no addresses for a map. */
    for (int i = 0; i < 3; i++)
        free(memset(malloc(24 << 20), 1, 24 << 20));
    limit_addresses(1 << 20);
    txn = begin();
    uint32_t n = 0;
    int rc;
    do
        rc = ssd_put(txn, SSD_COLD, number_key(n++, key),
                     (struct ssd_slice){value, sizeof value});
    while (rc == 0 && n < 1000);
    ck_assert_msg(rc == WARP_ENOSPC, "%d: %s", rc, warp_errmsg(NULL));
    ck_assert_int_eq(ssd_put(txn, SSD_COLD, text("a"), text("b")), WARP_ENOSPC);
    ck_assert_int_eq(ssd_commit(&txn), WARP_ENOSPC);
    ck_assert_uint_eq(count_of(ssd, SSD_COLD), 1);
    ck_assert_int_eq(ssd_get(ssd, SSD_COLD, text("first"), take, &got), 0);
    txn = begin();
    put(txn, SSD_COLD, text("second"), text("value"));
    commit(&txn);
    ck_assert_int_eq(ssd_get(ssd, SSD_COLD, text("second"), take, &got), 0);
}
END_TEST
#endif

/* ---- threads ---- */
enum { STABLE_STEP = 2 };
static _Atomic bool stop;
static _Atomic uint64_t reads, scans;

/* Even numbers are there all the time, odd ones come and go. Every value
 * begins with its number. */
static void *read_on(void *arg)
{
    struct got *mine = calloc(1, sizeof *mine);
    uint64_t seed = 1 + (uint64_t)(uintptr_t)arg;
    char key[16];
    while (!atomic_load(&stop)) {
        uint32_t n = (uint32_t)(scratch_random(&seed) % MODEL);
        int rc = ssd_get(ssd, SSD_ROWS, number_key(n, key), take, mine);
        if (n % STABLE_STEP == 0)
            ck_assert_msg(rc == 0, "%u: %d %s", n, rc, warp_errmsg(NULL));
        else
            ck_assert_msg(rc == 0 || rc == WARP_ENOTFOUND, "%d %s", rc,
                          warp_errmsg(NULL));
        if (rc == 0)
            ck_assert_uint_eq((uint32_t)strtoul(mine->data, NULL, 10), n);
        atomic_fetch_add(&reads, 1);
    }
    free(mine);
    return NULL;
}

static void *scan_on(void *arg)
{
    bool reverse = arg != NULL;
    while (!atomic_load(&stop)) {
        struct ssd_cursor *cursor;
        struct ssd_slice key, value, all = {NULL, 0};
        uint32_t stable = 0, last = reverse ? MODEL : 0;
        int rc = ssd_cursor_open(ssd, SSD_ROWS, all, all, reverse, &cursor);
        ck_assert_int_eq(rc, 0);
        while ((rc = ssd_next(cursor, &key, &value)) == 0) {
            char name[16] = {0};
            memcpy(name, key.data, key.bytes);
            uint32_t n = (uint32_t)strtoul(name, NULL, 10);
            ck_assert(reverse ? n < last : n >= last);
            ck_assert_uint_eq((uint32_t)strtoul(value.data, NULL, 10), n);
            last = reverse ? n : n + 1;
            stable += n % STABLE_STEP == 0;
        }
        ck_assert_msg(rc == WARP_END, "%d: %s", rc, warp_errmsg(NULL));
        ck_assert_uint_eq(stable, MODEL / STABLE_STEP);
        ssd_cursor_close(&cursor);
        atomic_fetch_add(&scans, 1);
    }
    return NULL;
}

START_TEST(readers_beside_a_writer)
{
    static char value[8192];
    struct os_thread threads[5] = {{0}};
    uint64_t seed = 4711;
    char key[16];
    ssd_close(&ssd);
    open_bytes(1 << 20, false);
    struct ssd_txn *txn = begin();
    for (uint32_t n = 0; n < MODEL; n += STABLE_STEP)
        put(txn, SSD_ROWS, number_key(n, key), model_value(n, 1, value));
    commit(&txn);
    atomic_store(&stop, false);
    for (uintptr_t i = 0; i < 5; i++)
        ck_assert_int_eq(os_thread_start(&threads[i], i < 3 ? read_on : scan_on,
                                         (void *)(i % 2), "reader"),
                         0);
    for (uint32_t round = 2; round < 25; round++) {
        txn = begin();
        for (int i = 0; i < 2000; i++) {
            uint32_t n = (uint32_t)(scratch_random(&seed) % MODEL);
            if (n % STABLE_STEP != 0 && round % 2 == 0)
                ck_assert_int_eq(ssd_del(txn, SSD_ROWS, number_key(n, key)), 0);
            else
                put(txn, SSD_ROWS, number_key(n, key),
                    model_value(n, round, value));
        }
        if (round % 5 == 0)
            ssd_abort(&txn);
        else
            commit(&txn);
    }
    while (atomic_load(&scans) < 4)
        os_yield();
    atomic_store(&stop, true);
    for (int i = 0; i < 5; i++)
        os_thread_join(&threads[i]);
    ck_assert_uint_gt(atomic_load(&reads), 0);
}
END_TEST

/* A cursor that waits sees what came meanwhile and pins nothing. */
START_TEST(a_cursor_that_waits_reads_on)
{
    struct ssd_cursor *cursor;
    struct ssd_slice key, value, all = {NULL, 0};
    char name[16];
    struct ssd_txn *txn = begin();
    for (uint32_t n = 0; n < 100; n += 2)
        put(txn, SSD_META, number_key(n, name), text("old"));
    commit(&txn);
    ck_assert_int_eq(ssd_cursor_open(ssd, SSD_META, all, all, false, &cursor),
                     0);
    ck_assert_int_eq(ssd_next(cursor, &key, &value), 0);
    ck_assert(ssd_cursor_current(cursor));
    txn = begin();
    put(txn, SSD_META, number_key(1, name), text("new"));
    put(txn, SSD_META, number_key(2, name), text("new"));
    ck_assert_int_eq(ssd_del(txn, SSD_META, number_key(4, name)), 0);
    ck_assert(ssd_cursor_current(cursor));
    commit(&txn);
    ck_assert(!ssd_cursor_current(cursor));
    int64_t from = os_mono_ns();
    while (os_mono_ns() - from < 120 * 1000 * 1000)
        os_yield();
    static const uint32_t wanted[] = {1, 2, 6};
    for (int i = 0; i < 3; i++) {
        number_key(wanted[i], name);
        ck_assert_int_eq(ssd_next(cursor, &key, &value), 0);
        ck_assert(ssd_cursor_current(cursor));
        ck_assert(memcmp(key.data, name, 8) == 0);
        ck_assert(memcmp(value.data, i < 2 ? "new" : "old", 3) == 0);
    }
    ssd_cursor_close(&cursor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssd");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, what_is_put_is_got);
    tcase_add_test(all, what_is_found_is_durable);
    tcase_add_test(all, an_abort_keeps_nothing);
    tcase_add_test(all, arguments_are_checked);
    tcase_add_test(all, sizes);
    tcase_add_test(all, random_changes_follow_a_model);
    tcase_add_test(all, the_map_grows);
    tcase_add_test(all, a_copy_is_of_one_state);
#if !INSTRUMENTED
    /* A sanitizer dies itself when addresses are short. */
    tcase_add_test(all, few_addresses_give_a_smaller_map);
    tcase_add_test(all, a_map_that_cannot_grow);
#endif
    tcase_add_test(all, readers_beside_a_writer);
    tcase_add_test(all, a_cursor_that_waits_reads_on);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
