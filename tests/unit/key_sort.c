/* Keys come out by group, then by their bytes, equal ones in the order of their
 * numbers: compared with a plain sort, over keys that share much, little or
 * nothing. */
#include "key_sort.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <warp/warp.h>

enum { KEYS_MAX = 5000, KEY_ROOM = 40 };

static struct key_sort_key list[KEYS_MAX];
static uint8_t keys[KEYS_MAX][KEY_ROOM];

static int plain_order(const void *a, const void *b)
{
    const uint32_t *i = a, *k = b;
    const struct key_sort_key *x = &list[*i], *y = &list[*k];
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    uint32_t n = x->count < y->count ? x->count : y->count;
    int order = memcmp(x->bytes, y->bytes, n);
    if (order == 0 && x->count != y->count)
        order = x->count < y->count ? -1 : 1;
    return order ? order : *i < *k ? -1 : *i > *k;
}

static void key_of(const void *arg, uint32_t number, struct key_sort_key *key)
{
    *key = ((const struct key_sort_key *)arg)[number];
}

static void compare(uint32_t count)
{
    static uint32_t wanted[KEYS_MAX];
    struct key_rank *ranks = NULL;
    for (uint32_t i = 0; i < count; i++)
        wanted[i] = i;
    qsort(wanted, count, sizeof *wanted, plain_order);
    ck_assert_int_eq(key_sort(count, key_of, list, &ranks), WARP_OK);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_msg(ranks[i].at == wanted[i],
                      "place %u of %u: key %u, wanted %u", i, count,
                      ranks[i].at, wanted[i]);
    free(ranks);
}

/* Keys of `shared` bytes in common, then up to `most` from an alphabet. */
static void fill(uint32_t count, uint32_t shared, uint32_t most,
                 uint32_t alphabet, uint32_t groups)
{
    for (uint32_t i = 0; i < count; i++) {
        struct key_sort_key *key = &list[i];
        key->group = (uint32_t)rand() % groups;
        key->bytes = keys[i];
        key->count = shared + (uint32_t)rand() % (most + 1);
        memset(keys[i], 7, shared);
        for (uint32_t k = shared; k < key->count; k++)
            keys[i][k] = (uint8_t)(rand() % (int)alphabet);
    }
}

START_TEST(sorts_as_a_plain_sort)
{
    static const uint32_t counts[] = {1, 2, 3, 100, KEYS_MAX};
    srand(3);
    for (unsigned n = 0; n < sizeof counts / sizeof counts[0]; n++)
        for (uint32_t shared = 0; shared <= 12; shared += 3)
            for (uint32_t alphabet = 1; alphabet <= 256; alphabet *= 4) {
                fill(counts[n], shared, 20, alphabet, KEY_SORT_GROUPS);
                compare(counts[n]);
                fill(counts[n], shared + 2, 8, alphabet, 1);
                compare(counts[n]);
            }
}
END_TEST

/* A key that ends where another has zeros comes first, whatever the radix
 * sees. */
START_TEST(a_shorter_key_comes_first)
{
    static const char zeros[12];
    for (uint32_t i = 0; i < 12; i++) {
        list[i] = (struct key_sort_key){keys[i], 12 - i, 0};
        memcpy(keys[i], zeros, 12);
    }
    compare(12);
}
END_TEST

START_TEST(nothing_to_sort)
{
    struct key_rank *ranks = (void *)keys;
    ck_assert_int_eq(key_sort(0, key_of, list, &ranks), WARP_OK);
    ck_assert_ptr_null(ranks);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key_sort");
    TCase *all = tcase_create("all");
    suite_add_tcase(suite, all);
    tcase_add_test(all, sorts_as_a_plain_sort);
    tcase_add_test(all, a_shorter_key_comes_first);
    tcase_add_test(all, nothing_to_sort);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
