/* key_sort.c: see key_sort.h.
 *
 * What all keys begin with is left out; of what follows, 8 bytes as a number
 * are sorted by radix, byte by byte from the last, without the bytes in which
 * all agree. So a comparison that follows pointers into cold memory is needed
 * only among keys that agree in those 8 bytes. */
#include "key_sort.h"

#include "error.h"
#include "os.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_BYTES = 8, DIGITS = 256 };

struct sorting {
    key_sort_fn *key_of;
    const void *arg;
    uint32_t count;
};

static inline struct key_sort_key key_at(const struct sorting *s,
                                         uint32_t number)
{
    struct key_sort_key key;
    s->key_of(s->arg, number, &key);
    return key;
}

static int by_key(const void *a, const void *b, void *arg)
{
    const struct sorting *s = arg;
    const struct key_rank *i = a, *k = b;
    struct key_sort_key x = key_at(s, i->at), y = key_at(s, k->at);
    int order = x.group < y.group ? -1 : x.group > y.group;
    if (order == 0)
        order = memcmp(x.bytes, y.bytes, x.count < y.count ? x.count : y.count);
    if (order == 0)
        order = x.count < y.count ? -1 : x.count > y.count;
    return order ? order : i->at < k->at ? -1 : i->at > k->at;
}

/* How many bytes all keys have in common at their beginning. */
static uint32_t common_bytes(const struct sorting *s)
{
    struct key_sort_key first = key_at(s, 0);
    uint32_t common = first.count;
    for (uint32_t i = 1; i < s->count && common > 0; i++) {
        struct key_sort_key key = key_at(s, i);
        uint32_t n = 0;
        if (key.count < common)
            common = key.count;
        if (memcmp(first.bytes, key.bytes, common) == 0)
            continue;
        while (first.bytes[n] == key.bytes[n])
            n++;
        common = n;
    }
    return common;
}

/* A shorter key is followed by zeros: at most as large as it must be. */
static uint64_t prefix_of(struct key_sort_key key, uint32_t skip)
{
    uint8_t bytes[PREFIX_BYTES] = {0};
    uint32_t n = key.count - skip;
    uint64_t word;
    memcpy(bytes, key.bytes + skip, n < PREFIX_BYTES ? n : PREFIX_BYTES);
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static void to_places(uint32_t *counts, uint32_t digits)
{
    uint32_t at = 0;
    for (uint32_t d = 0; d < digits; d++) {
        uint32_t n = counts[d];
        counts[d] = at;
        at += n;
    }
}

/* One pass over one byte; false when all have the same one. */
static bool pass(const struct key_rank *from, struct key_rank *to,
                 uint32_t count, unsigned shift)
{
    uint32_t places[DIGITS] = {0};
    for (uint32_t i = 0; i < count; i++)
        places[from[i].prefix >> shift & 0xff]++;
    if (places[from[0].prefix >> shift & 0xff] == count)
        return false;
    to_places(places, DIGITS);
    for (uint32_t i = 0; i < count; i++)
        to[places[from[i].prefix >> shift & 0xff]++] = from[i];
    return true;
}

static bool pass_groups(const struct sorting *s, const struct key_rank *from,
                        struct key_rank *to)
{
    uint32_t places[KEY_SORT_GROUPS] = {0};
    for (uint32_t i = 0; i < s->count; i++)
        places[key_at(s, i).group]++;
    if (places[key_at(s, 0).group] == s->count)
        return false;
    to_places(places, KEY_SORT_GROUPS);
    for (uint32_t i = 0; i < s->count; i++)
        to[places[key_at(s, from[i].at).group]++] = from[i];
    return true;
}

static void swap(struct key_rank **a, struct key_rank **b)
{
    struct key_rank *kept = *a;
    *a = *b;
    *b = kept;
}

/* Those that agree in the prefix are put in order among themselves. */
static void settle_ties(struct sorting *s, struct key_rank *ranks)
{
    for (uint32_t from = 0, to; from < s->count; from = to) {
        for (to = from + 1; to < s->count; to++)
            if (ranks[to].prefix != ranks[from].prefix)
                break;
        if (to - from > 1)
            qsort_r(&ranks[from], to - from, sizeof *ranks, by_key, s);
    }
}

int key_sort(uint32_t count, key_sort_fn *key_of, const void *arg,
             struct key_rank **out)
{
    struct sorting s = {key_of, arg, count};
    *out = NULL;
    if (count == 0)
        return WARP_OK;
    struct key_rank *ranks = malloc(count * sizeof *ranks);
    struct key_rank *other = malloc(count * sizeof *other);
    if (!ranks || !other) {
        free(ranks);
        free(other);
        return error_set(WARP_ENOMEM, "out of memory to sort %u keys", count);
    }
    os_populate(ranks, count * sizeof *ranks);
    os_populate(other, count * sizeof *other);
    uint32_t skip = common_bytes(&s);
    for (uint32_t i = 0; i < count; i++)
        ranks[i] = (struct key_rank){prefix_of(key_at(&s, i), skip), i};
    for (unsigned shift = 0; shift < 64; shift += 8)
        if (pass(ranks, other, count, shift))
            swap(&ranks, &other);
    if (pass_groups(&s, ranks, other))
        swap(&ranks, &other);
    free(other);
    settle_ties(&s, ranks);
    *out = ranks;
    return WARP_OK;
}
