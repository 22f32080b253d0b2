/* gravity_scene.c: see gravity_scene.h. */
#include "relocate.h"
#include "tool.h"

#include "gravity_scene.h"

#include <unistd.h>

struct warp_arena arena = WARP_ARENA_INIT;

static _Atomic bool held;

bool __real_gravity_step(struct warp_db *store);
bool __wrap_gravity_step(struct warp_db *store);
bool __wrap_gravity_step(struct warp_db *store)
{
    return !atomic_load(&held) && __real_gravity_step(store);
}

void move_again(void)
{
    atomic_store(&held, false);
}

void gravity_begin(void)
{
    atomic_store(&held, false);
    move_begin(&gravity_warp_schema);
}

void gravity_end(void)
{
    warp_arena_free(&arena);
    move_end();
}

void hold_still(void)
{
    atomic_store(&held, true);
}

void reopen(void)
{
    close_it();
    open_it();
    hold_still();
}

struct warp_stat stat_now(void)
{
    struct warp_stat s = WARP_STAT_INIT;
    ck_assert_int_eq(warp_stat(db, &s), WARP_OK);
    return s;
}

static struct key_ref key_of(const struct warp_product *product, uint64_t id,
                             uint64_t *bytes)
{
    const struct layout *l = db_layout(db, product);
    *bytes = __builtin_bswap64(id);
    return key_ref_of(db->seed, l, (uint8_t *)bytes, 8);
}

uint32_t home_of(const struct warp_product *product, uint64_t id)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    return forward_home(db, &key)->number;
}

uint32_t shard_of(const struct warp_product *product, uint64_t id)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    return forward_shard(db, db_layout(db, product), &key)->number;
}

int move_to(const struct warp_product *product, uint64_t id,
                   uint32_t shard)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    int rc = WARP_EBUSY;
    /* A checkpoint may be at work on it. */
    for (int tries = 0; rc == WARP_EBUSY && tries < 10000; tries++) {
        rc = relocate(db, db_layout(db, product), &key, shard);
        if (rc == WARP_EBUSY)
            usleep(1000);
    }
    return rc;
}

uint64_t star(uint64_t team, uint64_t member)
{
    return team * MEMBERS + member;
}

void put_stars(void)
{
    for (uint64_t i = 0; i < TEAMS * MEMBERS; i++) {
        struct gr_star s = {.id = i,
                            .team = (uint32_t)(i / MEMBERS),
                            .mass = i % MEMBERS == 3 ? 100 : 1,
                            .gold = (int64_t)i,
                            .seen = (uint32_t)i};
        s.note = warp_str("a star of some team, with a text of its own");
        ck_assert_int_eq(gr_star_put(db, &s, GR_STAR_ALL), WARP_OK);
    }
}

void expect_stars(int64_t more)
{
    struct gr_star s;
    struct warp_iter *it;
    uint64_t id = 0;
    int64_t sum = 0;
    ck_assert_int_eq(gr_star_scan(db, NULL, GR_STAR_ALL, &it), WARP_OK);
    while (gr_star_next(it, &s, &arena) == WARP_OK) {
        ck_assert_uint_eq(s.id, id);
        ck_assert_int_ge(s.gold, (int64_t)id);
        sum += s.gold - (int64_t)id;
        ck_assert_float_eq(s.mass, id % MEMBERS == 3 ? 100 : 1);
        ck_assert_uint_eq(s.note.len, 43);
        id++;
    }
    warp_iter_close(&it);
    ck_assert_int_eq(sum, more);
    ck_assert_uint_eq(id, TEAMS * MEMBERS);
    ck_assert_uint_eq(stat_now().records, TEAMS * MEMBERS);
    warp_arena_reset(&arena);
}

/* What the tool's main.c has. */
int tool_fail(const struct tool *tool, int code, const char *why)
{
    ck_abort_msg("%s: %d: %s", tool->args[0], code, why);
    return TOOL_IO;
}

int tool_print_json(const struct tool *tool, const struct text *reply)
{
    (void)tool;
    return reply->failed ? TOOL_IO : TOOL_CLEAN;
}

int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total)
{
    (void)bar, (void)what, (void)done, (void)total;
    return 0;
}

void tool_bar_end(struct tool_bar *bar)
{
    (void)bar;
}

int tool_usage(const struct tool *tool, const char *format, ...)
{
    ck_abort_msg("%s: %s", tool->args[0], format);
    return TOOL_USAGE;
}
