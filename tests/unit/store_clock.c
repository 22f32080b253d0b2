/* store_clock.c: the store's time never goes back and does not follow a wall
 * clock that jumps. The linker puts the two clocks below in front of os.c. */
#include "keeper.h"
#include "store_scene.h"

int64_t __real_os_wall_ms(void);
int64_t __wrap_os_wall_ms(void);
int64_t __real_os_boot_ms(void);
int64_t __wrap_os_boot_ms(void);

static _Atomic int64_t wall_offset, boot_offset;

int64_t __wrap_os_wall_ms(void)
{
    return __real_os_wall_ms() + wall_offset;
}

int64_t __wrap_os_boot_ms(void)
{
    return __real_os_boot_ms() + boot_offset;
}

enum { HOUR = 3600000, MINUTE = 60000 };

/* Real time and the boot clock go on together. */
static void pass(int64_t ms)
{
    wall_offset += ms;
    boot_offset += ms;
}

static void near(int64_t a, int64_t b)
{
    ck_assert_msg(a - b < 5000 && b - a < 5000, "%lld is not near %lld",
                  (long long)a, (long long)b);
}

static void own_clock(void)
{
    scene_close();
    options.clock_ms = NULL;
    wall_offset = boot_offset = 0;
    scene_open();
}

static void nothing(void)
{
}

START_TEST(an_injected_clock_never_goes_back)
{
    now = 5000000;
    ck_assert_int_eq(warp_now(store), 5000000);
    now = 4000000;
    ck_assert_int_eq(warp_now(store), 5000000);
    scene_reopen();
    ck_assert_int_eq(warp_now(store), 5000000);
    ck_ok(add_gold(1, 1, NULL));
    now = 6000000;
    ck_assert_int_eq(warp_now(store), 6000000);
    ck_ok(warp_sync(store));
    ck_ok(add_gold(1, 1, NULL));
    ck_ok(warp_sync(store));
    now = 4000000;
    scene_crash(nothing);
    ck_assert_int_eq(warp_now(store), 6000000);
}
END_TEST

START_TEST(the_wall_clock_is_followed)
{
    own_clock();
    int64_t begin = warp_now(store);
    near(begin, __real_os_wall_ms());
    pass(10 * MINUTE);
    near(warp_now(store), begin + 10 * MINUTE);
    /* A correction is taken over. */
    wall_offset += 20 * MINUTE;
    near(warp_now(store), begin + 30 * MINUTE);
    /* Back: it stands still until the wall clock is there again. */
    wall_offset -= 25 * MINUTE;
    near(warp_now(store), begin + 30 * MINUTE);
    pass(10 * MINUTE);
    near(warp_now(store), begin + 30 * MINUTE);
    pass(20 * MINUTE);
    near(warp_now(store), begin + 35 * MINUTE);
}
END_TEST

START_TEST(a_jump_is_not_followed)
{
    uint64_t id = 1;
    uint32_t token = 5;
    own_clock();
    int64_t begin = warp_now(store);
    pass(2 * HOUR); /* deletes are allowed from here on */
    ck_assert_int_eq(warp_now(store) / MINUTE,
                     (begin + 2 * HOUR) / MINUTE);
    ck_ok(warp_gen_set(store, &sample_thing_product, &id, THING_TOKEN, &token));
    wall_offset += 365LL * 24 * HOUR;
    near(warp_now(store), begin + 2 * HOUR);
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_PRESENT);
    pass(3000);
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_EXPIRED);
    ck_assert_uint_eq(sweep_run(store, true), 0);
    near(warp_now(store), begin + 2 * HOUR + 3000);
    /* A new open takes the time as it is, and deletes nothing for a while. */
    scene_reopen();
    near(warp_now(store), begin + 2 * HOUR + 3000 + 365LL * 24 * HOUR);
    ck_ok(warp_gen_set(store, &sample_thing_product, &id, THING_TOKEN, &token));
    pass(4000);
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_EXPIRED);
    ck_assert_uint_eq(sweep_run(store, true), 0);
    pass(HOUR);
    ck_assert_uint_eq(sweep_run(store, true), 1);
}
END_TEST

START_TEST(time_goes_on_after_back_and_forth)
{
    own_clock();
    int64_t begin = warp_now(store);
    wall_offset -= 3 * HOUR;
    near(warp_now(store), begin);
    pass(MINUTE);
    near(warp_now(store), begin);
    /* Right again, which looks like a jump: the boot clock leads on. */
    wall_offset += 3 * HOUR;
    near(warp_now(store), begin);
    pass(10 * MINUTE);
    near(warp_now(store), begin + 10 * MINUTE);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, an_injected_clock_never_goes_back);
    tcase_add_test(t, the_wall_clock_is_followed);
    tcase_add_test(t, a_jump_is_not_followed);
    tcase_add_test(t, time_goes_on_after_back_and_forth);
}

int main(void)
{
    return run_suite("store_clock", fill);
}
