/* Stores of a frozen version of the formats: made once, opened for ever.
 *
 *   frozen make DIR     makes DIR/closed and DIR/killed (its process was)
 *   frozen open STORE   opens one of them, or a restored backup, for writing,
 *                       looks at it, writes to it and closes it
 *
 * `make` is for the day a version is frozen; what it made is beside it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint.h"
#include "migrate.h"

#include "v1.warp.h"

enum { THINGS = 40, LETTERS = 30, SENSORS = 2, ELEMENTS = 800, PAIRS = 12 };
static const int64_t begin_ms = INT64_C(1700000000000);
static const int64_t hour_ms = 3600 * 1000, day_ms = 24 * 3600 * 1000;

static int64_t now_ms;
static struct warp_db *db;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return now_ms;
}

#define OK(call)                                                              \
    do {                                                                      \
        int rc_ = (call);                                                     \
        if (rc_ != WARP_OK) {                                                 \
            fprintf(stderr, "%s:%d: %s: %d: %s\n", __FILE__, __LINE__, #call, \
                    rc_, warp_errmsg(db));                                    \
            exit(1);                                                          \
        }                                                                     \
    } while (0)
#define CHECK(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);        \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

static void open_it(const char *path)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 4;
    o.ring_bytes = 65536;
    o.clock_ms = read_clock;
    OK(warp_open(path, &v1_warp_schema, &o, &db));
    db_wait_loaded(db);
}

/* ---- values ---- */

static char texts[8][4000];

/* Text that a number tells; `slot`: of the buffer that it is in. */
static struct warp_str text(int slot, uint64_t number, uint32_t bytes)
{
    char *t = texts[slot];
    int n = snprintf(t, sizeof texts[slot], "text %llu of \"%d\" \xc3\xa9 ",
                     (unsigned long long)number, slot);
    for (uint32_t i = (uint32_t)n; i < bytes; i++)
        t[i] = (char)('a' + (number * 7 + i / 3) % 26);
    return (struct warp_str){t, bytes > (uint32_t)n ? bytes : (uint32_t)n};
}

static void put_thing(uint64_t id)
{
    static uint32_t list[5];
    static struct warp_u32_by_string table[2];
    struct v1_thing t = {
        .id = id, .flag = id % 2, .small = (int8_t)(id - 20),
        .count = UINT64_MAX - id, .ratio = 1.0 / (double)(id + 3),
        .when = begin_ms + (int64_t)id, .span = -(int64_t)id * 1500,
        .kind = id % 3 == 0   ? V1_KIND_BACK
                : id % 3 == 1 ? V1_KIND_LOGIN
                              : V1_KIND_NONE,
        .point = {(float)id, -0.5f}, .perhaps = -7, .weight = (float)id / 8,
        .scratch = 99};
    for (uint32_t i = 0; i < 5; i++)
        list[i] = (uint32_t)id * i;
    for (int i = 0; i < 16; i++)
        t.mark.b[i] = (uint8_t)(id * 16 + (uint64_t)i);
    for (int i = 0; i < 32; i++)
        t.digest.b[i] = (uint8_t)(id + (uint64_t)i * 3);
    for (int i = 0; i < 4; i++)
        t.row.v[i] = (uint16_t)(id << i);
    t.name = text(0, id, 0);
    t.tag = (struct warp_str){id % 4 ? "blue" : "red", id % 4 ? 4 : 3};
    t.pay.tag = id % 2 ? V1_PAYMENT_CARD : V1_PAYMENT_FREE;
    if (id % 2) {
        t.pay.u.card.number_hash = id * 1000003;
        t.pay.u.card.expires = begin_ms;
    }
    t.list = (struct warp_list){list, (uint32_t)(id % 6)};
    table[0] = (struct warp_u32_by_string){warp_str("one"), 1};
    table[1] = (struct warp_u32_by_string){warp_str("two"), (uint32_t)id};
    t.table = (struct warp_list){table, 2};
    t.far_off = text(1, id, 0);
    t.gone = text(2, id, 0);
    t.warm = text(3, id, 300);
    t.cold = text(4, id, 900);
    t.only = text(5, id, 100);
    t.text = text(6, id, id % 5 == 0 ? 3000 : 20);
    OK(v1_thing_put(db, &t, id % 4 == 3 ? V1_THING_ALL & ~V1_THING_PERHAPS
                                        : V1_THING_ALL));
}

static void put_letter(uint64_t id, uint64_t version)
{
    char name[32];
    snprintf(name, sizeof name, "letter %02u", (unsigned)id);
    struct v1_letter l = {.id = warp_str(name)};
    l.body = text(0, id + version * 100, 700);
    l.note = text(1, id + version * 100, 40);
    OK(v1_letter_put(db, &l, V1_LETTER_ALL));
}

static void append(uint32_t sensor, uint32_t n, int64_t at)
{
    struct v1_reading r = {at, 20 + (double)(n % 97) / 4,
                           n % 50 ? V1_KIND_NONE : V1_KIND_LOGIN};
    OK(v1_sensor_readings_append(db, sensor, r));
}

static void put_pair(uint32_t n)
{
    char right[8];
    snprintf(right, sizeof right, "r%u", n % 3);
    struct v1_pair p = {.left = n, .right = warp_str(right), .sum = (int64_t)n - 5};
    OK(v1_pair_put(db, &p, V1_PAIR_ALL));
}

/* ---- make ---- */

static void migrate(void)
{
    struct migrate_moved moved;
    bool more = true;
    OK(warp_checkpoint(db));
    OK(migrate_all(db, NULL, &moved));
    while (more)
        OK(checkpoint_migrate(db, true, &more));
}

static void make_closed(const char *path)
{
    now_ms = begin_ms;
    open_it(path);
    for (uint32_t s = 0; s < SENSORS; s++) {
        struct v1_sensor v = {.id = s, .place = text(0, s, 0)};
        OK(v1_sensor_put(db, &v, V1_SENSOR_PLACE));
        for (uint32_t n = 0; n < ELEMENTS; n++)
            append(s, n, begin_ms - (int64_t)(ELEMENTS - n) * 6 * hour_ms);
    }
    for (uint64_t id = 0; id < LETTERS; id++)
        put_letter(id, 1);
    now_ms += 2 * day_ms;
    migrate();
    migrate();
    now_ms += 31 * day_ms;
    migrate(); /* all letters are in the archive */
    for (uint64_t id = 10; id < 20; id++)
        put_letter(id, 2);
    migrate();
    migrate(); /* these are on disk */
    for (uint64_t id = 0; id < 10; id++)
        put_letter(id, 3);
    for (uint64_t id = 0; id < THINGS; id++)
        put_thing(id);
    for (uint32_t n = 0; n < PAIRS; n++)
        put_pair(n);
    now_ms += 2 * hour_ms;
    OK(v1_thing_delete(db, 7));
    OK(v1_thing_add_count(db, 8, -1000, NULL));
    OK(warp_close(&db));
}

/* More of everything that only the log has when the process dies. */
static void make_killed(const char *path)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        struct warp_batch *batch = NULL;
        open_it(path);
        put_pair(99); /* survives a power loss: what follows is in rings */
        put_thing(100);
        put_letter(3, 4);
        put_letter(25, 4);
        OK(v1_thing_delete(db, 9));
        append(0, 1, now_ms - hour_ms);
        append(1, 2, begin_ms - 150 * day_ms); /* late */
        OK(warp_batch_begin(db, &batch));
        OK(v1_thing_set_count_in(batch, 10, 4711));
        OK(v1_sensor_set_place_in(batch, 1, warp_str("elsewhere")));
        OK(warp_batch_commit(&batch));
        raise(SIGKILL);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int make(const char *dir)
{
    char closed[4096], killed[4096], command[8300];
    snprintf(closed, sizeof closed, "%s/closed", dir);
    snprintf(killed, sizeof killed, "%s/killed", dir);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", closed, killed);
    make_closed(closed);
    CHECK(system(command) == 0);
    make_killed(killed);
    return 0;
}

/* ---- open ---- */

static void look_at_letters(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct v1_letter l;
    uint32_t archived = 0;
    for (uint32_t id = 0; id < LETTERS; id++) {
        char name[32];
        snprintf(name, sizeof name, "letter %02u", id);
        OK(v1_letter_get(db, warp_str(name), V1_LETTER_ALL, &l, &arena));
        archived += !(l.have & V1_LETTER_BODY);
        OK(v1_letter_get(db, warp_str(name), V1_LETTER_ALL | WARP_ARCHIVE, &l,
                         &arena));
        CHECK(l.body.len == 700 && l.note.len >= 20);
    }
    CHECK(archived == 9 || archived == 10); /* one was written, then killed */
    warp_arena_free(&arena);
}

static void look_at_series(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct v1_reading r;
    int64_t at;
    for (uint32_t s = 0; s < SENSORS; s++) {
        struct warp_iter *it = NULL;
        uint32_t count = 0;
        OK(v1_sensor_readings_range_with(db, s, INT64_MIN, INT64_MAX,
                                         WARP_ARCHIVE, &it));
        while (v1_sensor_readings_next(it, &at, &r, &arena) == WARP_OK)
            count++;
        warp_iter_close(&it);
        CHECK(count >= ELEMENTS && count <= ELEMENTS + 2);
    }
    warp_arena_free(&arena);
}

static int open_for_writing(const char *path)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct v1_thing t;
    now_ms = begin_ms + 40 * day_ms;
    open_it(path);
    look_at_letters();
    look_at_series();
    OK(v1_thing_get(db, 8, V1_THING_ALL, &t, &arena));
    CHECK(t.count == UINT64_MAX - 8 - 1000 && t.perhaps == -7);
    CHECK(!(t.have & (V1_THING_GONE | V1_THING_SCRATCH)));
    OK(v1_thing_get_by_name(db, text(0, 21, 0), V1_THING_COUNT, &t, &arena));
    CHECK(t.id == 21);
    CHECK(v1_thing_get(db, 7, 0, &t, &arena) == WARP_ENOTFOUND);
    put_thing(7);
    for (uint64_t id = 0; id < LETTERS; id += 3)
        put_letter(id, 9);
    append(0, 5, now_ms);
    migrate();
    OK(warp_close(&db));
    open_it(path);
    look_at_series();
    OK(v1_thing_get(db, 7, V1_THING_ALL, &t, &arena));
    OK(warp_close(&db));
    warp_arena_free(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]);
    if (argc == 3 && strcmp(argv[1], "open") == 0)
        return open_for_writing(argv[2]);
    fprintf(stderr, "frozen make DIR | frozen open STORE\n");
    return 2;
}
