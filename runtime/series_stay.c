/* series_stay.c: whose copies stay in memory: what was read is told to the
 * engine of series_choice.h, and what it decides is done. */
#include "hash.h"
#include "series_resident_part.h"

#include <stdlib.h>

enum { SPARE = 16 /* of the share: what comes in before the engine hears */ };

/* Under the part's lock: by its hash alone. */
static struct group **find_hash(struct part *p, uint64_t hash)
{
    struct group **at = p->buckets ? &p->buckets[hash & p->mask] : NULL;
    while (at && *at && (*at)->hash != hash)
        at = &(*at)->next;
    return at && *at ? at : NULL;
}

static void leave(void *owner, uint64_t hash)
{
    struct resident *r = owner;
    struct part *p = &r->parts[hash >> 58];
    os_lock(&p->lock);
    struct group **at = find_hash(p, hash);
    if (at)
        resident_drop(r, p, at);
    os_unlock(&p->lock);
}

static bool is_gone(void *owner, uint64_t hash)
{
    struct resident *r = owner;
    struct part *p = &r->parts[hash >> 58];
    os_lock(&p->lock);
    bool gone = find_hash(p, hash) == NULL;
    os_unlock(&p->lock);
    return gone;
}

/* Under the choice's lock. */
static void tell(struct resident *r, struct note note)
{
    struct part *p = &r->parts[note.hash >> 58];
    os_lock(&p->lock);
    struct group **at = find_hash(p, note.hash);
    uint64_t bytes = at ? (*at)->bytes + sizeof **at : 0;
    int prior = at ? (*at)->prior : 0;
    os_unlock(&p->lock);
    uint32_t size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    if (size > 0 && note.is_use)
        choice_use(r->choice, note.hash, size, prior);
    else if (size > 0)
        choice_size(r->choice, note.hash, size, prior);
}

static void learn(struct resident *r)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *p = &r->parts[i];
        struct note noted[NOTED];
        os_lock(&p->lock);
        uint32_t count = p->noted_count;
        memcpy(noted, p->noted, count * sizeof *noted);
        p->noted_count = 0;
        os_unlock(&p->lock);
        for (uint32_t n = 0; n < count; n++)
            tell(r, noted[n]);
    }
}

/* All that have copies stay for now, as far as they fit. */
static void begin_choosing(struct resident *r)
{
    uint64_t room = resident_share(r) - resident_share(r) / SPARE;
    r->choice = choice_create(r->budget, room > 0 ? room : 1, r->learning,
                              leave, r);
    for (uint32_t i = 0; i < PARTS && r->choice; i++) {
        struct part *p = &r->parts[i];
        os_lock(&p->lock);
        uint32_t count = 0, most = p->count;
        uint64_t *hashes = malloc((most ? most : 1) * sizeof *hashes);
        for (uint32_t b = 0; hashes && p->buckets && b <= p->mask; b++)
            for (struct group *g = p->buckets[b]; g; g = g->next)
                hashes[count++] = g->hash;
        os_unlock(&p->lock);
        for (uint32_t n = 0; n < count; n++)
            tell(r, (struct note){hashes[n], false});
        free(hashes);
    }
    atomic_store_explicit(&r->choosing, r->choice != NULL,
                          memory_order_relaxed);
}

/* Where others have the budget it is what is there now; it grows again, by
 * steps, when they have left room. */
static void follow_budget(struct resident *r)
{
    uint64_t share = resident_share(r), limit = atomic_load(&r->budget->limit),
             room = share - share / SPARE,
             now = choice_capacity(r->choice), used = resident_bytes(r),
             step = now + room / SPARE;
    if (atomic_exchange(&r->refused, false))
        room = used < room ? used : room;
    else if (atomic_load(&r->budget->used) > limit - limit / 8)
        room = now < room ? now : room;
    else
        room = step < room ? step : room;
    if (room != now)
        choice_resize(r->choice, room);
}

static void fill_one(struct resident *r, struct ssd_slice prefix,
                     void (*fill)(void *arg, struct ssd_slice prefix),
                     void *arg)
{
    uint64_t hash = hash_key(0, 0, prefix.data, (uint32_t)prefix.bytes);
    os_lock(&r->choice_lock);
    /* How much it will be is not known: as much as the others have. */
    uint64_t bytes = resident_bytes(r) / (atomic_load(&r->groups) + 1) + 1;
    choice_use(r->choice, hash,
               bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX, 0);
    bool stays = choice_has(r->choice, hash);
    os_unlock(&r->choice_lock);
    if (!stays || resident_has(r, prefix))
        return;
    fill(arg, prefix);
    os_lock(&r->choice_lock);
    if (is_gone(r, hash))
        choice_left(r->choice, hash);
    os_unlock(&r->choice_lock);
}

void resident_settle(struct resident *r,
                     void (*fill)(void *arg, struct ssd_slice prefix),
                     void *arg)
{
    struct text wanted = TEXT_INIT;
    if (atomic_load_explicit(&r->loading, memory_order_acquire))
        return;
    os_lock(&r->choice_lock);
    if (!r->choice &&
        (resident_bytes(r) > resident_share(r) / 2 || atomic_load(&r->refused)))
        begin_choosing(r);
    if (r->choice) {
        follow_budget(r);
        learn(r);
        /* By age copies go without a word to the engine. */
        if (choice_used(r->choice) > resident_bytes(r) + resident_bytes(r) / 8)
            choice_audit(r->choice, is_gone, r);
    }
    os_unlock(&r->choice_lock);
    os_lock(&r->wanted_lock);
    struct text none = wanted;
    wanted = r->wanted;
    r->wanted = none;
    r->wanted_count = 0;
    os_unlock(&r->wanted_lock);
    for (size_t at = 0; at < wanted.used && !wanted.failed;) {
        uint32_t bytes;
        memcpy(&bytes, wanted.data + at, sizeof bytes);
        fill_one(r, (struct ssd_slice){wanted.data + at + 4, bytes}, fill,
                 arg);
        at += 4 + bytes;
    }
    text_free(&wanted);
}

/* Groups that `but` does not have, in no order, down to `aim`. */
static void drop_some(struct resident *r, uint64_t aim,
                      const struct choice *but)
{
    for (uint32_t i = 0; i < PARTS && resident_bytes(r) > aim; i++) {
        struct part *p = &r->parts[i];
        os_lock(&p->lock);
        for (uint32_t b = 0; p->buckets && b <= p->mask; b++)
            for (struct group **at = &p->buckets[b];
                 *at && resident_bytes(r) > aim;)
                if (but && choice_has(but, (*at)->hash))
                    at = &(*at)->next;
                else
                    resident_drop(r, p, at);
        os_unlock(&p->lock);
    }
}

void resident_shrink(struct resident *r, uint64_t bytes)
{
    uint64_t used = resident_bytes(r);
    uint64_t aim = used > bytes ? used - bytes : 0;
    os_lock(&r->choice_lock);
    if (!r->choice && aim > 0)
        begin_choosing(r);
    if (r->choice && aim > 0) {
        learn(r);
        /* What it does not know of goes first. */
        drop_some(r, aim, r->choice);
        uint64_t over, has;
        while ((over = resident_bytes(r)) > aim &&
               (has = choice_used(r->choice)) > 0)
            choice_resize(r->choice, has > over - aim ? has - (over - aim)
                                                      : 1);
    }
    drop_some(r, aim, NULL);
    os_unlock(&r->choice_lock);
}
