/* series_resident.c: see series_resident.h. */
#include "series_resident.h"

#include "error.h"
#include "hash.h"
#include "series_chunk.h"
#include "series_resident_part.h"

#include <stdlib.h>

int resident_open(struct budget *budget, bool learning, struct resident **out)
{
    struct resident *r = NULL;
    *out = NULL;
    if (posix_memalign((void **)&r, 64, sizeof *r) != 0)
        return error_set(WARP_ENOMEM, "out of memory for the series");
    memset(r, 0, sizeof *r);
    r->budget = budget;
    r->learning = learning;
    *out = r;
    return WARP_OK;
}

static void give(struct resident *r, uint64_t bytes)
{
    budget_give(r->budget, bytes);
    atomic_fetch_sub_explicit(&r->used, bytes, memory_order_relaxed);
}

static bool take(struct resident *r, uint64_t bytes)
{
    if (atomic_load_explicit(&r->used, memory_order_relaxed) + bytes >
            resident_share(r) ||
        !budget_take(r->budget, bytes)) {
        atomic_store_explicit(&r->refused, true, memory_order_relaxed);
        return false;
    }
    atomic_fetch_add_explicit(&r->used, bytes, memory_order_relaxed);
    return true;
}

/* ---- groups, under the part's lock ---- */

static struct part *enter(struct resident *r, struct ssd_slice prefix,
                          uint64_t *hash)
{
    *hash = hash_key(0, 0, prefix.data, (uint32_t)prefix.bytes);
    struct part *p = &r->parts[*hash >> 58];
    os_lock(&p->lock);
    return p;
}

static struct group **find(struct part *p, struct ssd_slice prefix,
                           uint64_t hash)
{
    static struct group *none;
    if (!p->buckets)
        return &none;
    struct group **at = &p->buckets[hash & p->mask];
    while (*at && ((*at)->hash != hash ||
                   (*at)->prefix_bytes != prefix.bytes ||
                   memcmp((*at)->prefix, prefix.data, prefix.bytes) != 0))
        at = &(*at)->next;
    return at;
}

static bool grow(struct part *p)
{
    uint32_t count = p->buckets ? (p->mask + 1) * 2 : BUCKETS_FIRST;
    if (p->buckets && p->count <= p->mask)
        return true;
    struct group **grown = calloc(count, sizeof *grown);
    if (!grown)
        return p->buckets != NULL;
    for (uint32_t i = 0; p->buckets && i <= p->mask; i++)
        for (struct group *g = p->buckets[i], *next; g; g = next) {
            next = g->next;
            g->next = grown[g->hash & (count - 1)];
            grown[g->hash & (count - 1)] = g;
        }
    free(p->buckets);
    p->buckets = grown;
    p->mask = count - 1;
    return true;
}

static void drop_copy(struct resident *r, struct group *g, uint32_t i)
{
    struct copy *c = &g->copies[i];
    if (c->last_at >= g->from_ms)
        g->from_ms = c->last_at == INT64_MAX ? INT64_MAX : c->last_at + 1;
    free(c->value);
    give(r, c->bytes + sizeof *c);
    g->bytes -= c->bytes + sizeof *c;
    memmove(c, c + 1, (--g->count - i) * sizeof *c);
}

void resident_drop(struct resident *r, struct part *p, struct group **at)
{
    struct group *g = *at;
    while (g->count > 0)
        drop_copy(r, g, g->count - 1);
    *at = g->next;
    p->count--;
    atomic_fetch_sub(&r->groups, 1);
    give(r, sizeof *g + g->prefix_bytes);
    free(g->copies);
    free(g);
}

void resident_close(struct resident **resident)
{
    struct resident *r = *resident;
    if (!r)
        return;
    *resident = NULL;
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *p = &r->parts[i];
        for (uint32_t b = 0; p->buckets && b <= p->mask; b++)
            while (p->buckets[b])
                resident_drop(r, p, &p->buckets[b]);
        free(p->buckets);
    }
    choice_destroy(&r->choice);
    text_free(&r->wanted);
    free(r);
}

/* The first copy that is not below the element. */
static uint32_t place(const struct group *g, const uint8_t *element)
{
    uint32_t low = 0, high = g->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (memcmp(g->copies[mid].element, element, SERIES_ELEMENT_KEY) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void resident_loading(struct resident *r, bool on)
{
    atomic_store_explicit(&r->loading, on, memory_order_release);
}

/* ---- changes ---- */

/* A reader under the part's lock that sees a change of the record sees this,
 * too, or that it is over. */
void resident_change(struct resident *r, struct ssd_slice prefix)
{
    atomic_store_explicit(&r->changing,
                          hash_key(0, 0, prefix.data, (uint32_t)prefix.bytes),
                          memory_order_release);
}

void resident_changed(struct resident *r)
{
    atomic_store_explicit(&r->changing, 0, memory_order_release);
}

void resident_begin(struct resident *r, struct ssd_slice prefix,
                    int64_t from_ms, int64_t memory_ms, int prior)
{
    uint64_t hash;
    struct part *p = enter(r, prefix, &hash);
    struct group **at = find(p, prefix, hash);
    size_t bytes = sizeof(struct group) + prefix.bytes;
    if (!*at && grow(p) && take(r, bytes)) {
        struct group *g = calloc(1, bytes);
        if (g) {
            g->hash = hash;
            g->from_ms = from_ms;
            g->memory_ms = memory_ms;
            g->prior = prior;
            g->prefix_bytes = (uint32_t)prefix.bytes;
            memcpy(g->prefix, prefix.data, prefix.bytes);
            g->next = p->buckets[hash & p->mask];
            p->buckets[hash & p->mask] = g;
            p->count++;
            atomic_fetch_add(&r->groups, 1);
        } else {
            give(r, bytes);
        }
    }
    os_unlock(&p->lock);
}

bool resident_has(struct resident *r, struct ssd_slice prefix)
{
    uint64_t hash;
    struct part *p = enter(r, prefix, &hash);
    bool has = *find(p, prefix, hash) != NULL;
    os_unlock(&p->lock);
    return has;
}

static struct ssd_slice prefix_of(struct ssd_slice key)
{
    return (struct ssd_slice){key.data, key.bytes - SERIES_ELEMENT_KEY};
}

/* A copy at its place; without memory the older ones go first, then all. */
static bool put_copy(struct resident *r, struct group *g,
                     const uint8_t *element, const struct chunk *c,
                     struct ssd_slice value)
{
    uint64_t bytes = value.bytes + sizeof(struct copy);
    while (!take(r, bytes)) {
        if (g->count == 0)
            return false;
        drop_copy(r, g, 0);
    }
    uint8_t *own = malloc(value.bytes);
    if (g->count == g->room) {
        uint32_t room = g->room ? g->room * 2 : 4;
        struct copy *grown = realloc(g->copies, room * sizeof *grown);
        if (grown) {
            g->copies = grown;
            g->room = room;
        }
    }
    if (!own || g->count == g->room) {
        free(own);
        give(r, bytes);
        return false;
    }
    memcpy(own, value.data, value.bytes);
    uint32_t i = place(g, element);
    memmove(&g->copies[i + 1], &g->copies[i],
            (g->count++ - i) * sizeof *g->copies);
    g->bytes += bytes;
    g->copies[i] = (struct copy){.first_at = c->first_at,
                                 .last_at = c->last_at,
                                 .bytes = (uint32_t)value.bytes,
                                 .value = own};
    memcpy(g->copies[i].element, element, SERIES_ELEMENT_KEY);
    return true;
}

/* Under the part's lock. What finds no place is as if it had not been. */
static void note(struct resident *r, struct part *p, uint64_t hash, bool is_use)
{
    if (atomic_load_explicit(&r->choosing, memory_order_relaxed) &&
        p->noted_count < NOTED)
        p->noted[p->noted_count++] = (struct note){hash, is_use};
}

bool resident_put(struct resident *r, struct ssd_slice key,
                  struct ssd_slice value)
{
    uint64_t hash;
    struct chunk c;
    const uint8_t *element =
        (const uint8_t *)key.data + key.bytes - SERIES_ELEMENT_KEY;
    struct part *p = enter(r, prefix_of(key), &hash);
    struct group **at = find(p, prefix_of(key), hash), *g = *at;
    if (g && chunk_decode(key, value, &c) == WARP_OK) {
        note(r, p, hash, false);
        uint32_t i = place(g, element);
        int64_t from = g->from_ms;
        if (i < g->count && memcmp(g->copies[i].element, element,
                                   SERIES_ELEMENT_KEY) == 0)
            drop_copy(r, g, i);
        /* It is written anew, not gone; what is older is not in the copies. */
        g->from_ms = from;
        if (c.where != CHUNK_HERE || c.last_at < from) {
            if (c.last_at >= from)
                g->from_ms = c.last_at + 1;
        } else if (!put_copy(r, g, element, &c, value)) {
            resident_drop(r, p, at);
            g = NULL;
        }
    }
    os_unlock(&p->lock);
    return g != NULL;
}

void resident_del(struct resident *r, struct ssd_slice key, bool joined)
{
    uint64_t hash;
    const uint8_t *element =
        (const uint8_t *)key.data + key.bytes - SERIES_ELEMENT_KEY;
    struct part *p = enter(r, prefix_of(key), &hash);
    struct group *g = *find(p, prefix_of(key), hash);
    uint32_t i = g ? place(g, element) : 0;
    if (g && i < g->count &&
        memcmp(g->copies[i].element, element, SERIES_ELEMENT_KEY) == 0) {
        int64_t from = g->from_ms;
        drop_copy(r, g, i);
        g->from_ms = joined ? from : g->from_ms;
    }
    os_unlock(&p->lock);
}

void resident_from(struct resident *r, struct ssd_slice prefix,
                   int64_t from_ms)
{
    uint64_t hash;
    struct part *p = enter(r, prefix, &hash);
    struct group *g = *find(p, prefix, hash);
    if (g && g->from_ms < from_ms)
        g->from_ms = from_ms;
    os_unlock(&p->lock);
}

/* ---- going ---- */

static void trim_group(struct resident *r, struct group *g, int64_t now_ms)
{
    int64_t alive;
    if (g->memory_ms == INT64_MAX ||
        __builtin_sub_overflow(now_ms, g->memory_ms, &alive))
        return;
    while (g->count > 0 && g->copies[0].last_at <= alive)
        drop_copy(r, g, 0);
}

void resident_trim(struct resident *r, int64_t now_ms)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *p = &r->parts[i];
        os_lock(&p->lock);
        for (uint32_t b = 0; p->buckets && b <= p->mask; b++)
            for (struct group **at = &p->buckets[b]; *at;) {
                trim_group(r, *at, now_ms);
                if ((*at)->count == 0)
                    resident_drop(r, p, at);
                else
                    at = &(*at)->next;
            }
        os_unlock(&p->lock);
    }
}

void resident_fix(struct resident *r, uint64_t bytes)
{
    atomic_store_explicit(&r->fixed, bytes, memory_order_relaxed);
}

uint64_t resident_bytes(struct resident *r)
{
    return atomic_load_explicit(&r->used, memory_order_relaxed);
}

/* ---- reading ---- */

static void copy_out(const struct group *g, const struct copy *c,
                     struct text *to)
{
    text_u32(to, g->prefix_bytes + SERIES_ELEMENT_KEY);
    text_u32(to, c->bytes);
    text_add(to, g->prefix, g->prefix_bytes);
    text_add(to, c->element, SERIES_ELEMENT_KEY);
    text_add(to, c->value, c->bytes);
}

static void want(struct resident *r, struct ssd_slice prefix)
{
    os_lock(&r->wanted_lock);
    if (r->wanted_count < WANTED_MOST) {
        r->wanted_count++;
        text_u32(&r->wanted, (uint32_t)prefix.bytes);
        text_add(&r->wanted, prefix.data, prefix.bytes);
    }
    os_unlock(&r->wanted_lock);
}

bool resident_read(struct resident *r, struct ssd_slice prefix, int64_t at_ms,
                   int64_t *limit_ms, enum resident_use use, struct text *to)
{
    uint64_t hash;
    text_clear(to);
    struct part *p = enter(r, prefix, &hash);
    const struct group *g = *find(p, prefix, hash);
    bool good = g && g->from_ms <= at_ms &&
                atomic_load_explicit(&r->changing, memory_order_acquire) !=
                    hash &&
                !atomic_load_explicit(&r->loading, memory_order_acquire);
    int64_t last = INT64_MIN;
    bool any = false;
    for (uint32_t i = 0; good && i < g->count; i++) {
        const struct copy *c = &g->copies[i];
        if (c->last_at < at_ms)
            continue;
        if (any && c->first_at > last) {
            *limit_ms = c->first_at < *limit_ms ? c->first_at : *limit_ms;
            break;
        }
        if (c->first_at < *limit_ms)
            copy_out(g, c, to);
        any = true;
        last = c->last_at > last ? c->last_at : last;
        if (last >= *limit_ms)
            break;
    }
    if (good && use != RESIDENT_GOES_ON)
        note(r, p, hash, true);
    os_unlock(&p->lock);
    if (!g && use == RESIDENT_IS_WANTED &&
        atomic_load_explicit(&r->choosing, memory_order_relaxed))
        want(r, prefix);
    return good && !to->failed;
}
