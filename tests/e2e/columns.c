/* Columns against gets: the same records, values and states, through writes,
 * adds, deletes, expiry, reopening, and beside threads that write. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/warp.h>

#include "columns.warp.h"

enum { NAMES = 4000, SHARDS = 4 };

#define CHECK(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);        \
            exit(1);                                                          \
        }                                                                     \
    } while (0)
#define OK(call)                                                              \
    do {                                                                      \
        int rc_ = (call);                                                     \
        if (rc_ != WARP_OK) {                                                 \
            fprintf(stderr, "%s:%d: %d: %s\n", __FILE__, __LINE__, rc_,       \
                    warp_errmsg(NULL));                                       \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

static _Atomic int64_t now_ms = 1000000;
static int64_t clock_now(void *arg)
{
    (void)arg;
    return now_ms;
}

static struct warp_db *db;
static char path[] = "/tmp/warp_columns_XXXXXX";
static bool there[NAMES];
static struct col_unit model[NAMES];

static void open_store(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = SHARDS;
    o.clock_ms = clock_now;
    o.memory_max_bytes = 256u << 20;
    OK(warp_open(path, &columns_warp_schema, &o, &db));
}

static struct warp_str name_of(uint32_t number)
{
    static char names[NAMES][16];
    snprintf(names[number], sizeof names[number], "unit-%u", number);
    return warp_str(names[number]);
}

static uint32_t random_below(uint32_t n)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % n);
}

static const enum col_mood moods[3] = {COL_MOOD_CALM, COL_MOOD_GLAD,
                                       COL_MOOD_LOUD};

static void put_random(uint32_t i)
{
    uint64_t fields = 0;
    struct col_unit u = {.name = name_of(i)};
    u.level = random_below(1000);
    u.spot.x = (float)random_below(100);
    u.spot.y = -(float)random_below(100);
    u.spot.z = 0.5f;
    u.mood = moods[random_below(3)];
    u.alive = random_below(2);
    u.shield = (int64_t)random_below(1000) - 500;
    u.title = warp_str("sir");
    static const uint64_t bits[6] = {COL_UNIT_LEVEL, COL_UNIT_SPOT,
                                     COL_UNIT_MOOD, COL_UNIT_ALIVE,
                                     COL_UNIT_SHIELD, COL_UNIT_TITLE};
    for (uint32_t b = 0; b < 6; b++)
        if (random_below(3))
            fields |= bits[b];
    OK(col_unit_put(db, &u, fields));
    struct col_unit *m = &model[i];
    if (!there[i])
        memset(m, 0, sizeof *m);
    there[i] = true;
    if (fields & COL_UNIT_LEVEL)
        m->level = u.level;
    if (fields & COL_UNIT_SPOT)
        m->spot = u.spot;
    if (fields & COL_UNIT_MOOD)
        m->mood = u.mood;
    if (fields & COL_UNIT_ALIVE)
        m->alive = u.alive;
    if (fields & COL_UNIT_SHIELD)
        m->shield = u.shield;
    m->have |= fields;
}

static void delete_one(uint32_t i)
{
    int rc = col_unit_delete(db, name_of(i));
    CHECK(rc == (there[i] ? WARP_OK : WARP_ENOTFOUND));
    there[i] = false;
}

typedef int column_fn(struct warp_db *, uint32_t, struct warp_column *);

/* Each record that is there comes once, with its value or without one. */
static void check_column(column_fn *column, uint64_t bit, size_t offset,
                         size_t bytes)
{
    static bool seen[NAMES];
    uint32_t expected = 0, found = 0;
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < NAMES; i++)
        expected += there[i];
    for (uint32_t s = 0; s < SHARDS; s++) {
        struct warp_column c;
        OK(column(db, s, &c));
        CHECK(c.stride_bytes == bytes);
        CHECK(c.key_bytes == sizeof(struct warp_str));
        for (size_t row = 0; row < c.count; row++, found++) {
            struct warp_str key = ((const struct warp_str *)c.keys)[row];
            char digits[16] = {0};
            CHECK(key.len > 5 && key.len < 16);
            memcpy(digits, key.data + 5, key.len - 5);
            uint32_t i = (uint32_t)strtoul(digits, NULL, 10);
            const char *value = (const char *)c.data + row * bytes;
            bool have = c.have[row / 64] >> row % 64 & 1;
            CHECK(i < NAMES && there[i] && !seen[i]);
            seen[i] = true;
            CHECK(have == ((model[i].have & bit) != 0));
            if (have)
                CHECK(!memcmp(value, (char *)&model[i] + offset, bytes));
        }
        warp_column_release(&c);
        CHECK(c.owner == NULL);
    }
    CHECK(found == expected);
}

#define CHECK_COLUMN(field, BIT)                                              \
    check_column(col_unit_##field##_column, COL_UNIT_##BIT,                   \
                 offsetof(struct col_unit, field),                            \
                 sizeof model[0].field)

static void check_gets(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    for (uint32_t i = 0; i < NAMES; i++) {
        struct col_unit u;
        uint64_t fields = COL_UNIT_ALL & ~COL_UNIT_TITLE;
        int rc = col_unit_get(db, name_of(i), fields, &u, &arena);
        CHECK(rc == (there[i] ? WARP_OK : WARP_ENOTFOUND));
        if (!there[i])
            continue;
        const struct col_unit *m = &model[i];
        uint64_t have = m->have & ~COL_UNIT_TITLE;
        CHECK((u.have & ~COL_UNIT_DOUBLE_LEVEL) == have);
        CHECK(!(have & COL_UNIT_LEVEL) ||
              (u.level == m->level && u.double_level == m->level * 2));
        CHECK(!(have & COL_UNIT_SPOT) || u.spot.y == m->spot.y);
        CHECK(!(have & COL_UNIT_MOOD) || u.mood == m->mood);
        CHECK(!(have & COL_UNIT_ALIVE) || u.alive == m->alive);
        CHECK(!(have & COL_UNIT_SHIELD) || u.shield == m->shield);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}

/* The index follows values that lie in a column. */
static void check_index(uint32_t level)
{
    struct warp_iter *it;
    struct col_unit u;
    struct warp_arena arena = WARP_ARENA_INIT;
    uint32_t expected = 0, found = 0;
    int rc;
    for (uint32_t i = 0; i < NAMES; i++)
        expected += there[i] && (model[i].have & COL_UNIT_LEVEL) &&
                    model[i].level == level;
    OK(col_unit_by_level(db, level, COL_UNIT_LEVEL, &it));
    while ((rc = col_unit_next(it, &u, &arena)) == WARP_OK) {
        CHECK(u.level == level);
        found++;
    }
    CHECK(rc == WARP_END && found == expected);
    warp_iter_close(&it);
    warp_arena_free(&arena);
}

static void check_all(void)
{
    CHECK_COLUMN(level, LEVEL);
    CHECK_COLUMN(spot, SPOT);
    CHECK_COLUMN(mood, MOOD);
    CHECK_COLUMN(alive, ALIVE);
    CHECK_COLUMN(shield, SHIELD);
    check_gets();
    for (uint32_t level = 0; level < 20; level++)
        check_index(level);
}

static void forget(uint64_t fields)
{
    for (uint32_t i = 0; i < NAMES; i++)
        model[i].have &= ~fields;
}

static void check_model(void)
{
    for (uint32_t round = 0; round < 12; round++) {
        for (uint32_t n = 0; n < 1500; n++) {
            uint32_t i = random_below(NAMES);
            if (random_below(4) == 0)
                delete_one(i);
            else
                put_random(i);
        }
        for (uint32_t n = 0; n < 200; n++) {
            uint32_t i = random_below(NAMES), now;
            if (!there[i])
                continue;
            OK(col_unit_add_level(db, name_of(i), 3, &now));
            model[i].level =
                model[i].have & COL_UNIT_LEVEL ? model[i].level + 3 : 3;
            model[i].have |= COL_UNIT_LEVEL;
            CHECK(now == model[i].level);
        }
        check_all();
        if (round % 3 == 0)
            OK(warp_checkpoint(db));
        if (round % 4 == 1) {
            now_ms += 5000;
            forget(COL_UNIT_SHIELD);
            check_all();
        }
        if (round % 4 == 3) {
            OK(warp_close(&db));
            open_store();
            forget(COL_UNIT_ALIVE);
            check_all();
        }
    }
}

/* ---- threads ---- */

static _Atomic bool stop;

/* All values of a spot are the same number; names come and go. */
static void *write_spots(void *arg)
{
    uint64_t s = 77 + *(uint32_t *)arg;
    while (!atomic_load(&stop)) {
        char name[32];
        s = s * 6364136223846793005u + 1442695040888963407u;
        snprintf(name, sizeof name, "t%u", (unsigned)(s >> 33) % 500);
        float v = (float)(s >> 40 & 0xffff);
        if ((s >> 60) % 4 == 0) {
            int rc = col_unit_delete(db, warp_str(name));
            CHECK(rc == WARP_OK || rc == WARP_ENOTFOUND);
        } else {
            OK(col_unit_set_spot(db, warp_str(name),
                                 (struct col_spot){v, v, v}));
        }
    }
    return NULL;
}

static void *read_spots(void *arg)
{
    uint64_t s = 99 + *(uint32_t *)arg;
    struct warp_arena arena = WARP_ARENA_INIT;
    while (!atomic_load(&stop)) {
        char name[32];
        struct col_unit u;
        s = s * 6364136223846793005u + 1442695040888963407u;
        snprintf(name, sizeof name, "t%u", (unsigned)(s >> 33) % 500);
        int rc = col_unit_get(db, warp_str(name), COL_UNIT_SPOT, &u, &arena);
        warp_arena_reset(&arena);
        CHECK(rc == WARP_OK || rc == WARP_ENOTFOUND);
        CHECK(rc != WARP_OK ||
              (u.spot.x == u.spot.y && u.spot.y == u.spot.z));
    }
    warp_arena_free(&arena);
    return NULL;
}

static void check_threads(void)
{
    pthread_t threads[4];
    uint32_t numbers[4] = {0, 1, 2, 3};
    for (uint32_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL,
                             i < 2 ? write_spots : read_spots,
                             &numbers[i]) == 0);
    for (uint32_t n = 0; n < 100; n++) {
        struct warp_column c;
        OK(col_unit_spot_column(db, n % SHARDS, &c));
        for (size_t row = 0; row < c.count; row++) {
            const struct col_spot *p =
                (const struct col_spot *)c.data + row;
            CHECK(p->x == p->y && p->y == p->z);
        }
        warp_column_release(&c);
        if (n % 10 == 0)
            OK(warp_checkpoint(db)); /* tombstones go, rows move */
        usleep(5000);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    struct warp_column c;
    char command[64];
    CHECK(mkdtemp(path));
    open_store();
    CHECK(col_unit_level_column(db, SHARDS, &c) == WARP_EINVAL);
    check_model();
    for (uint32_t i = 0; i < NAMES; i++)
        if (there[i])
            delete_one(i);
    OK(warp_checkpoint(db));
    check_all();
    check_threads();
    OK(warp_close(&db));
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) != 0;
}
