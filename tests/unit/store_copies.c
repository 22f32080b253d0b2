/* Copies in memory of values that lie on a tier: there after an open without a
 * use, while memory has room, and not taken away for want of use. */
#include <unistd.h>

#include "move_scene.h"

#include "copies.warp.h"

#define CARDS 2000u

static void set_up(void)
{
    move_begin(&copies_warp_schema);
}

static void put_cards(uint64_t n)
{
    for (uint64_t id = 0; id < n; id++) {
        fill(id, 1);
        struct warp_str s = {text, 700};
        struct cp_card c = {.id = id, .face = s, .back = s};
        ck_assert_int_eq(cp_card_put(db, &c, CP_CARD_ALL), WARP_OK);
    }
}

static uint64_t resident_cards(uint64_t n, uint32_t field)
{
    uint64_t count = 0;
    for (uint64_t id = 0; id < n; id++)
        count += resident(&cp_card_warp_product, id, field);
    return count;
}

START_TEST(they_are_there_after_an_open)
{
    put_cards(CARDS);
    close_it();
    open_it();
    for (int i = 0; i < 12000 && resident_cards(CARDS, 1) < CARDS; i++)
        usleep(5000);
    ck_assert_uint_eq(resident_cards(CARDS, 1), CARDS);
    ck_assert_uint_eq(resident_cards(CARDS, 2), 0);
    struct cp_card c;
    struct warp_arena arena = WARP_ARENA_INIT;
    ck_assert_int_eq(cp_card_get(db, 7, CP_CARD_ALL | WARP_RESIDENT, &c,
                                 &arena),
                     WARP_OK);
    ck_assert_uint_eq(c.have, CP_CARD_FACE);
    fill(7, 1);
    ck_assert_uint_eq(c.face.len, 700);
    ck_assert_mem_eq(c.face.data, text, 700);
    warp_arena_free(&arena);
    close_it();
    must_be_sound();
    open_it();
}
END_TEST

/* A part of the memory is theirs: gets of what did not fit go on. */
START_TEST(they_leave_room)
{
    enum { MANY = 80000 };
    put_cards(MANY);
    close_it();
    open_it();
    uint64_t before = 0, now = 0;
    for (int i = 0; i < 100 && (now == 0 || before != now); i++) {
        before = now;
        usleep(300000);
        now = resident_cards(MANY, 1);
    }
    ck_assert_uint_gt(now, MANY / 10);
    ck_assert_uint_lt(now, MANY);
    ck_assert_uint_lt(db_memory_used(db), db->memory_max * 3 / 4);
    struct cp_card c;
    struct warp_arena arena = WARP_ARENA_INIT;
    ck_assert_int_eq(cp_card_get(db, MANY - 1, CP_CARD_ALL, &c, &arena),
                     WARP_OK);
    ck_assert_uint_eq(c.have, CP_CARD_ALL);
    warp_arena_free(&arena);
}
END_TEST

START_TEST(want_of_use_takes_none)
{
    fill(1, 1);
    struct warp_str s = {text, 700};
    struct cp_paper p = {.id = 1, .body = s, .notes = s};
    ck_assert_int_eq(cp_paper_put(db, &p, CP_PAPER_ALL), WARP_OK);
    ck_assert(resident(&cp_paper_warp_product, 1, 2));
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        atomic_fetch_add(&clock_ms, HOUR);
        run_steps();
    }
    ck_assert(resident(&cp_paper_warp_product, 1, 1));
    ck_assert(!resident(&cp_paper_warp_product, 1, 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_copies");
    TCase *c = tcase_create("copies");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, set_up, move_end);
    tcase_add_test(c, they_are_there_after_an_open);
    tcase_add_test(c, they_leave_room);
    tcase_add_test(c, want_of_use_takes_none);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
