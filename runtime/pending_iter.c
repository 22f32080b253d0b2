/* pending_iter.c: a group in memory and in the ssd tier, merged.
 *
 * It goes in steps. Each reads a piece of memory first and then the same piece
 * of the ssd tier: what a checkpoint moved before the first is found by the
 * second, what it moves between them is found by both and given out once. A
 * step begins behind the last key of the one before. */
#include "pending.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_FIRST = 16, STEP_MAX = 512, HASH_BYTES = 16 };

struct pending_iter {
    struct pending_source source;
    struct pending_name name;
    uint32_t prefix_bytes, key_bytes, to_bytes, bound_bytes;
    bool behind;   /* key was given out, or was the end of a step */
    bool bounded;  /* the step ends with the key `bound` */
    bool finished; /* after this step nothing comes */
    uint32_t step; /* items to read at once */
    struct pending_batch memory, tier;
    uint32_t memory_at, tier_at;
    uint8_t name_space[PENDING_NAME_MAX];
    uint8_t prefix[SSD_KEY_BYTES_MAX];
    uint8_t key[PENDING_KEY_MAX]; /* where the next step begins */
    uint8_t to[PENDING_KEY_MAX];
    uint8_t bound[PENDING_KEY_MAX];
};

static uint32_t cut_bytes(uint32_t prefix_bytes)
{
    return SSD_KEY_BYTES_MAX - HASH_BYTES - prefix_bytes;
}

bool pending_ssd_key(const uint8_t *prefix, uint32_t prefix_bytes,
                     const uint8_t *key, uint32_t key_bytes, uint8_t *to,
                     uint32_t *bytes)
{
    memcpy(to, prefix, prefix_bytes);
    if (prefix_bytes + key_bytes <= SSD_KEY_BYTES_MAX) {
        if (key_bytes)
            memcpy(to + prefix_bytes, key, key_bytes);
        *bytes = prefix_bytes + key_bytes;
        return false;
    }
    uint32_t cut = cut_bytes(prefix_bytes);
    uint64_t hash[2] = {hash_key(1, 0, key, key_bytes),
                        hash_key(2, 0, key, key_bytes)};
    memcpy(to + prefix_bytes, key, cut);
    memcpy(to + prefix_bytes + cut, hash, sizeof hash);
    *bytes = SSD_KEY_BYTES_MAX;
    return true;
}

int pending_iter_open(const struct pending_source *source,
                      const struct pending_name *name, const uint8_t *prefix,
                      uint32_t prefix_bytes, const struct pending_range *range,
                      struct pending_iter **out)
{
    *out = NULL;
    if (name->count > PENDING_NAME_MAX || range->from_bytes > PENDING_KEY_MAX ||
        range->to_bytes > PENDING_KEY_MAX || prefix_bytes == 0 ||
        prefix_bytes > SSD_KEY_BYTES_MAX - 2 * HASH_BYTES)
        return error_set(WARP_EINVAL, "a key is too long for a scan");
    struct pending_iter *it = calloc(1, sizeof *it);
    if (!it)
        return error_set(WARP_ENOMEM, "out of memory for a scan");
    it->source = *source;
    it->step = STEP_FIRST;
    memcpy(it->name_space, name->bytes, name->count);
    it->name = *name;
    it->name.bytes = it->name_space;
    memcpy(it->prefix, prefix, prefix_bytes);
    it->prefix_bytes = prefix_bytes;
    if (range->from_bytes)
        memcpy(it->key, range->from, range->from_bytes);
    it->key_bytes = range->from_bytes;
    it->behind = range->behind;
    if (range->to_bytes)
        memcpy(it->to, range->to, range->to_bytes);
    it->to_bytes = range->to_bytes;
    it->bounded = true; /* by nothing: the first step is still to come */
    *out = it;
    return WARP_OK;
}

void pending_iter_close(struct pending_iter **handle)
{
    struct pending_iter *it = *handle;
    if (!it)
        return;
    *handle = NULL;
    pending_batch_fini(&it->memory);
    pending_batch_fini(&it->tier);
    free(it);
}

/* ---- the ssd tier's part of a step ---- */

/* Is the key in the step: not before its begin, not behind its end? 0 yes, -1
 * before, 1 behind. */
static int side(const struct pending_iter *it, const uint8_t *key,
                uint32_t bytes)
{
    int order = pending_compare(key, bytes, it->key, it->key_bytes);
    if (order < 0 || (order == 0 && it->behind))
        return -1;
    if (it->to_bytes &&
        pending_compare(key, bytes, it->to, it->to_bytes) >= 0)
        return 1;
    return it->bounded && pending_compare(key, bytes, it->bound,
                                          it->bound_bytes) > 0;
}

/* Is all that follows in the table behind the step's end? Keys of one run are
 * in no order. */
static bool all_behind(const struct pending_iter *it, const uint8_t *key,
                       uint32_t bytes)
{
    uint32_t cut = cut_bytes(it->prefix_bytes);
    if (bytes <= cut)
        return true;
    uint32_t to = it->to_bytes < cut ? it->to_bytes : cut;
    uint32_t bound = it->bound_bytes < cut ? it->bound_bytes : cut;
    return (to && pending_compare(key, cut, it->to, to) > 0) ||
           (it->bounded && pending_compare(key, cut, it->bound, bound) > 0);
}

static int by_key(const void *a, const void *b, void *arg)
{
    struct pending_batch one = {.data = ((struct pending_batch *)arg)->data};
    one.offsets = (uint32_t *)(uintptr_t)a;
    struct pending_entry x = pending_batch_at(&one, 0);
    one.offsets = (uint32_t *)(uintptr_t)b;
    struct pending_entry y = pending_batch_at(&one, 0);
    return pending_compare(x.key, x.key_bytes, y.key, y.key_bytes);
}

/* Where the step begins in the table: keys that share what a cut leaves of
 * them are in no order, so all of them are looked at. */
static void begin_key(const struct pending_iter *it, uint8_t *to,
                      uint32_t *bytes)
{
    uint32_t count = it->key_bytes, cut = cut_bytes(it->prefix_bytes);
    if (count > cut)
        count = cut;
    memcpy(to, it->prefix, it->prefix_bytes);
    memcpy(to + it->prefix_bytes, it->key, count);
    *bytes = it->prefix_bytes + count;
}

/* Reads until the step's end. Keys longer than a cut leaves come in runs with
 * one beginning; a run is read whole and the whole is sorted after that. */
static int read_entries(struct pending_iter *it, struct ssd_cursor *cursor)
{
    struct pending_batch *b = &it->tier;
    struct ssd_slice k, v;
    uint32_t cut = cut_bytes(it->prefix_bytes), run_at = 0;
    bool in_run = false, cut_seen = false;
    int rc;
    while ((rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        if (k.bytes < it->prefix_bytes ||
            memcmp(k.data, it->prefix, it->prefix_bytes) != 0)
            break;
        const uint8_t *key = (const uint8_t *)k.data + it->prefix_bytes;
        const uint8_t *value = v.data;
        uint32_t bytes = (uint32_t)k.bytes - it->prefix_bytes;
        uint32_t value_bytes = (uint32_t)v.bytes;
        bool whole = k.bytes < SSD_KEY_BYTES_MAX || value_bytes == 0;
        bool same = in_run && bytes > cut && run_at < b->count;
        if (same) {
            struct pending_entry e = pending_batch_at(b, run_at);
            same = memcmp(e.key, key, cut) == 0;
        }
        if (!same && pending_batch_full(b, it->step)) {
            b->more = true;
            break;
        }
        if ((whole ? bytes : value_bytes) > PENDING_KEY_MAX)
            return error_set(WARP_ECORRUPT, "an entry of the ssd tier names a "
                                            "key that is too long");
        if (!whole) {
            cut_seen = true;
            key = value;
            bytes = value_bytes;
            value_bytes = 0;
        }
        int where = side(it, key, bytes);
        if (where > 0 && all_behind(it, key, bytes))
            break;
        if (where != 0 || pending_below(key, bytes, b->floor))
            continue;
        if (!same)
            run_at = b->count;
        in_run = bytes > cut;
        rc = pending_batch_push(b, key, bytes, value, value_bytes, false);
        if (rc != WARP_OK)
            return rc;
    }
    if (cut_seen)
        qsort_r(b->offsets, b->count, sizeof *b->offsets, by_key, b);
    return rc < 0 ? rc : WARP_OK;
}

static int read_tier(struct pending_iter *it)
{
    uint8_t from[SSD_KEY_BYTES_MAX];
    uint32_t from_bytes;
    struct ssd_cursor *cursor;
    begin_key(it, from, &from_bytes);
    struct ssd_slice begin = {from, from_bytes}, end = {NULL, 0};
    it->tier.used = it->tier.count = 0;
    it->tier.more = false;
    it->tier.floor = it->memory.floor;
    int rc = ssd_cursor_open(it->source.ssd, it->source.table, begin, end,
                             false, &cursor);
    if (rc != WARP_OK)
        return rc;
    rc = read_entries(it, cursor);
    ssd_cursor_close(&cursor);
    return rc;
}

/* ---- steps ---- */

static void set_bound(struct pending_iter *it, const struct pending_batch *b)
{
    struct pending_entry e = pending_batch_at(b, b->count - 1);
    memcpy(it->bound, e.key, e.key_bytes);
    it->bound_bytes = e.key_bytes;
    it->bounded = true;
}

static int next_step(struct pending_iter *it)
{
    struct pending_range range = {it->key, it->to, it->key_bytes,
                                  it->to_bytes, it->behind};
    it->bounded = false;
    it->memory_at = it->tier_at = 0;
    int rc = pending_read(it->source.pending, &it->name, &range, it->step,
                          &it->memory);
    if (rc != WARP_OK)
        return rc;
    if (it->memory.more)
        set_bound(it, &it->memory);
    rc = read_tier(it);
    if (rc != WARP_OK)
        return rc;
    if (it->tier.more)
        set_bound(it, &it->tier);
    it->finished = !it->bounded;
    if (it->bounded) {
        memcpy(it->key, it->bound, it->bound_bytes);
        it->key_bytes = it->bound_bytes;
        it->behind = true;
    }
    if (it->step < STEP_MAX)
        it->step *= 2;
    return WARP_OK;
}

/* The next of a batch, unless it lies behind the step's end. */
static bool head_of(const struct pending_iter *it,
                    const struct pending_batch *b, uint32_t at,
                    struct pending_entry *e)
{
    if (at >= b->count)
        return false;
    *e = pending_batch_at(b, at);
    return !it->bounded || pending_compare(e->key, e->key_bytes, it->bound,
                                           it->bound_bytes) <= 0;
}

int pending_iter_next(struct pending_iter *it, struct pending_entry *out)
{
    for (;;) {
        struct pending_entry x, y;
        bool in_memory = head_of(it, &it->memory, it->memory_at, &x);
        bool in_tier = head_of(it, &it->tier, it->tier_at, &y);
        if (!in_memory && !in_tier) {
            if (it->finished)
                return WARP_END;
            int rc = next_step(it);
            if (rc != WARP_OK)
                return rc;
            continue;
        }
        int order = !in_memory ? 1
                    : !in_tier ? -1
                               : pending_compare(x.key, x.key_bytes, y.key,
                                                 y.key_bytes);
        it->memory_at += order <= 0;
        it->tier_at += order >= 0;
        *out = order > 0 ? y : x;
        if (!out->gone)
            return WARP_OK;
    }
}
