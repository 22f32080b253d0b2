/* checkpoint_order.c: see checkpoint_order.h.
 *
 * Each shard's list is sorted by key. A hash spreads keys over the shards,
 * so that the longest list is a sample of all: it is cut into equal parts, and
 * the others where its keys say. Records of several products stand mixed; a
 * product's rows in a range of keys lie side by side in the directory all the
 * same. Records in the lists do not move and keep their keys, so no lock is
 * needed. */
#include "checkpoint_order.h"

#include "error.h"
#include "key_sort.h"
#include "row.h"

#include <stdlib.h>

enum {
    AHEAD = 16,
    SAMPLES = 256,
    FEW = 256, /* records that need no order */
    ENTRY_BYTES = 64 /* of a change beside its record, about */
};

static inline struct key_sort_key key_at(const struct shard *s, uint32_t place)
{
    const struct record *r = s->flushing[place];
    const struct layout *l = s->db->layouts[record_product(r)];
    return (struct key_sort_key){record_key(l, r),
                                 record_key_bytes(l, r), 0};
}

static void key_of(const void *arg, uint32_t number, struct key_sort_key *key)
{
    const struct shard *s = arg;
    if (number + AHEAD < s->flushing_count)
        __builtin_prefetch(s->flushing[number + AHEAD]);
    *key = key_at(s, number);
}

static int sort_shard(struct shard *s)
{
    struct key_rank *ranks = NULL;
    if (s->flushing_count == 0)
        return WARP_OK;
    int rc = key_sort(s->flushing_count, key_of, s, &ranks);
    if (rc != WARP_OK)
        return rc;
    struct record **sorted = os_reserve(s->flushing_room * sizeof *sorted);
    if (!sorted)
        rc = error_set(WARP_ENOMEM, "out of memory for a checkpoint");
    else
        os_populate(sorted, s->flushing_count * sizeof *sorted);
    for (uint32_t i = 0; i < s->flushing_count && sorted; i++)
        sorted[i] = s->flushing[ranks[i].at];
    free(ranks);
    if (!sorted)
        return rc;
    /* A scan may be reading it. */
    os_lock(&s->lock);
    struct record **old = s->flushing;
    s->flushing = sorted;
    os_unlock(&s->lock);
    os_unreserve(old, s->flushing_room * sizeof *old);
    return WARP_OK;
}

static int compare(const struct key_sort_key *a, const struct key_sort_key *b)
{
    uint32_t n = a->count < b->count ? a->count : b->count;
    int order = memcmp(a->bytes, b->bytes, n);
    return order ? order : a->count < b->count ? -1 : a->count > b->count;
}

/* How many of a shard's records are below a key. */
static uint32_t below(const struct shard *s, const struct key_sort_key *key)
{
    uint32_t from = 0, to = s->flushing_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        struct key_sort_key at = key_at(s, middle);
        if (compare(&at, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static const struct shard *longest(const struct warp_db *db)
{
    const struct shard *best = &db->shards[0];
    for (uint32_t i = 1; i < db->shard_count; i++)
        if (db->shards[i].flushing_count > best->flushing_count)
            best = &db->shards[i];
    return best;
}

/* What a step sets aside for a record, about: its row with the values that are
 * in blocks of their own, twice if it is to be packed, and a cold value twice
 * (step_copy, step_write). No lock is held, and the record may change
 * meanwhile: nothing is followed. */
static uint64_t bytes_in_step(const struct layout *l, const struct record *r)
{
    uint64_t row = record_alloc_bytes(l, r), cold = 0;
    uint64_t dirty = l->cold ? row_load(r, l->cold_dirty) : 0;
    FOR_BITS(i, l->var & record_have(r) & (~l->cold | dirty))
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        uint32_t length = (uint32_t)atomic_load_explicit(&var->len_cap,
                                                         memory_order_relaxed);
        if (l->cold >> i & 1)
            cold += at > VAR_COLD ? length : 0;
        else if (!var_is_inline(l, r, at))
            row += length;
    }
    if ((l->var & ~l->cold) && row_worth_packing(l, r))
        row *= 2;
    return row + 2 * cold + ENTRY_BYTES;
}

/* Records that a step can take, by the size of some. */
static uint64_t records_of_step(const struct shard *s,
                                const struct db_shares *shares)
{
    uint32_t n = s->flushing_count < SAMPLES ? s->flushing_count : SAMPLES;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct record *r =
            s->flushing[(uint64_t)i * s->flushing_count / n];
        bytes += bytes_in_step(s->db->layouts[record_product(r)], r);
    }
    /* A range that is a little more than a step would be two of them. */
    uint64_t each = n ? bytes / n * 9 / 8 : ENTRY_BYTES;
    uint64_t records = shares->step_bytes / each;
    /* As step_is_full() counts pages. */
    uint64_t pages = shares->step_pages -
                     (shares->step_pages < shares->step_bytes / 2048
                          ? shares->step_pages
                          : shares->step_bytes / 2048);
    records = records < pages ? records : pages;
    return records ? records : 1;
}

static int cut(struct order *o, const struct warp_db *db,
               const struct shard *sample)
{
    uint32_t cuts = o->range_count - 1;
    o->ends = malloc((size_t)cuts * db->shard_count * sizeof *o->ends);
    if (!o->ends)
        return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
    for (uint32_t c = 0; c < cuts; c++) {
        uint64_t at = (uint64_t)(c + 1) * sample->flushing_count /
                      o->range_count;
        struct key_sort_key key = key_at(sample, (uint32_t)at);
        for (uint32_t i = 0; i < db->shard_count; i++)
            o->ends[c * db->shard_count + i] =
                below(&db->shards[i], &key);
    }
    return WARP_OK;
}

int order_make(struct order *o, struct warp_db *db,
               const struct db_shares *shares)
{
    const struct shard *sample = longest(db);
    uint64_t count = 0;
    int rc = WARP_OK;
    memset(o, 0, sizeof *o);
    o->range_count = 1;
    for (uint32_t i = 0; i < db->shard_count; i++)
        count += db->shards[i].flushing_count;
    uint64_t ranges = count / records_of_step(sample, shares) + 1;
    if (ranges > sample->flushing_count)
        ranges = sample->flushing_count;
    if (ranges < 2 && count < FEW)
        return WARP_OK;
    for (uint32_t i = 0; i < db->shard_count && rc == WARP_OK; i++)
        rc = sort_shard(&db->shards[i]);
    o->range_count = (uint32_t)ranges;
    if (rc == WARP_OK && ranges > 1)
        rc = cut(o, db, sample);
    if (rc != WARP_OK)
        order_fini(o);
    return rc;
}

void order_fini(struct order *o)
{
    free(o->ends);
    memset(o, 0, sizeof *o);
    o->range_count = 1;
}
