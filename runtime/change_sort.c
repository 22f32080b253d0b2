/* change_sort.c: see change_sort.h.
 *
 * What all keys begin with is left out; of what follows, 8 bytes as a number
 * are sorted by radix, byte by byte from the last, without the bytes in which
 * all agree. So a comparison that follows two pointers into cold memory is
 * needed only among keys that agree in those 8 bytes. */
#include "change_sort.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_BYTES = 8, DIGITS = 256 };

static int order_of(const struct change *x, const struct change *y)
{
    uint32_t n = x->key_bytes < y->key_bytes ? x->key_bytes : y->key_bytes;
    int order = x->table < y->table ? -1 : x->table > y->table;
    if (order == 0)
        order = memcmp(x->key, y->key, n);
    if (order == 0)
        order = x->key_bytes < y->key_bytes ? -1
                                            : x->key_bytes > y->key_bytes;
    return order;
}

static int by_key(const void *a, const void *b, void *arg)
{
    const struct change *changes = arg;
    const struct change_rank *x = a, *y = b;
    int order = order_of(&changes[x->at], &changes[y->at]);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* How many bytes all keys have in common at their beginning. */
static uint32_t common_bytes(const struct change *changes, uint32_t count)
{
    const struct change *first = &changes[0];
    uint32_t common = first->key_bytes;
    for (uint32_t i = 1; i < count && common > 0; i++) {
        const struct change *c = &changes[i];
        if (c->key_bytes < common)
            common = c->key_bytes;
        if (memcmp(first->key, c->key, common) == 0)
            continue;
        uint32_t n = 0;
        while (first->key[n] == c->key[n])
            n++;
        common = n;
    }
    return common;
}

/* A shorter key is followed by zeros: at most as large as it must be. */
static uint64_t prefix_of(const struct change *c, uint32_t skip)
{
    uint8_t bytes[PREFIX_BYTES] = {0};
    uint32_t n = c->key_bytes - skip;
    uint64_t word;
    memcpy(bytes, c->key + skip, n < PREFIX_BYTES ? n : PREFIX_BYTES);
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* One pass over one byte; false when all have the same one. */
static bool pass(const struct change_rank *from, struct change_rank *to,
                 uint32_t count, unsigned shift)
{
    uint32_t starts[DIGITS] = {0}, at = 0;
    for (uint32_t i = 0; i < count; i++)
        starts[from[i].prefix >> shift & 0xff]++;
    if (starts[from[0].prefix >> shift & 0xff] == count)
        return false;
    for (unsigned d = 0; d < DIGITS; d++) {
        uint32_t n = starts[d];
        starts[d] = at;
        at += n;
    }
    for (uint32_t i = 0; i < count; i++)
        to[starts[from[i].prefix >> shift & 0xff]++] = from[i];
    return true;
}

static bool pass_tables(const struct change *changes,
                        const struct change_rank *from, struct change_rank *to,
                        uint32_t count)
{
    uint32_t starts[SSD_TABLE_COUNT] = {0}, at = 0;
    for (uint32_t i = 0; i < count; i++)
        starts[changes[i].table]++;
    if (starts[changes[0].table] == count)
        return false;
    for (unsigned t = 0; t < SSD_TABLE_COUNT; t++) {
        uint32_t n = starts[t];
        starts[t] = at;
        at += n;
    }
    for (uint32_t i = 0; i < count; i++)
        to[starts[changes[from[i].at].table]++] = from[i];
    return true;
}

static void swap(struct change_rank **a, struct change_rank **b)
{
    struct change_rank *kept = *a;
    *a = *b;
    *b = kept;
}

/* Those that agree in the prefix are put in order among themselves. */
static void settle_ties(const struct change *changes, struct change_rank *ranks,
                        uint32_t count)
{
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (ranks[to].prefix != ranks[from].prefix)
                break;
        if (to - from > 1)
            qsort_r(&ranks[from], to - from, sizeof *ranks, by_key,
                    (void *)(uintptr_t)changes);
    }
}

int change_sort(const struct change *changes, uint32_t count,
                struct change_rank **out)
{
    *out = NULL;
    if (count == 0)
        return WARP_OK;
    struct change_rank *ranks = malloc(count * sizeof *ranks);
    struct change_rank *other = malloc(count * sizeof *other);
    if (!ranks || !other) {
        free(ranks);
        free(other);
        return error_set(WARP_ENOMEM, "out of memory to sort %u changes",
                         count);
    }
    uint32_t skip = common_bytes(changes, count);
    for (uint32_t i = 0; i < count; i++)
        ranks[i] = (struct change_rank){prefix_of(&changes[i], skip), i};
    for (unsigned shift = 0; shift < 64; shift += 8)
        if (pass(ranks, other, count, shift))
            swap(&ranks, &other);
    if (pass_tables(changes, ranks, other, count))
        swap(&ranks, &other);
    free(other);
    settle_ties(changes, ranks, count);
    *out = ranks;
    return WARP_OK;
}
