/* replace_room.c: how much each engine may hold.
 *
 * What may be in memory is shared by priority: the highest has what it uses,
 * the next what is left; within one priority by what is used, so that a domain
 * that begins late gets its part in time. A pool is a limit of its own. */
#include "replace_part.h"
#include "text.h"

#include <stdio.h>

/* Capacities follow in steps, so that what the engines learn stays true. */
enum { STEP = 64, YOUNG = 16, POOL_SPARE = 16 };

static uint64_t used_of(const struct replace_domain *d)
{
    struct place_stat stat;
    if (!d->place)
        return 0;
    place_stat(d->place, &stat);
    return stat.used_bytes;
}

static uint64_t capacity_of(const struct replace_domain *d)
{
    struct place_stat stat;
    place_stat(d->place, &stat);
    return stat.capacity_bytes;
}

static void resize(struct replace_domain *d, uint64_t bytes)
{
    uint64_t now = capacity_of(d), far = now / STEP;
    bytes = bytes > 0 ? bytes : 1;
    if (bytes + far < now || bytes > now + far)
        place_resize(d->place, bytes);
}

/* What the pools leave to a domain. */
static uint64_t in_pools(const struct replace_domain *d, uint64_t bytes)
{
    uint64_t held = used_of(d);
    for (int i = 0; i < 2; i++) {
        struct pool *pool = d->pools[i];
        if (!pool)
            continue;
        uint64_t most = pool->limit - pool->limit / POOL_SPARE,
                 used = atomic_load_explicit(&pool->used,
                                             memory_order_relaxed),
                 others = used > held ? used - held : 0,
                 left = most > others ? most - others : 0;
        bytes = left < bytes ? left : bytes;
    }
    return bytes;
}

/* Two strategies have the same room, whatever they use of it. */
static void share_ab(struct replace *p, struct replace_domain *d,
                     uint64_t bytes)
{
    struct replace_domain *other = d + p->domain_count / 2;
    if (d->place)
        resize(d, in_pools(d, bytes / 2));
    if (other->place)
        resize(other, in_pools(other, bytes / 2));
}

static uint64_t used_of_both(struct replace *p, uint32_t i)
{
    return used_of(&p->domains[i]) +
           (p->ab ? used_of(&p->domains[i + p->domain_count / 2]) : 0);
}

static bool is_there(const struct replace *p, uint32_t i)
{
    return p->domains[i].place ||
           (p->ab && p->domains[i + p->domain_count / 2].place);
}

static uint32_t domains_of(const struct replace *p)
{
    return p->ab ? p->domain_count / 2 : p->domain_count;
}

static void share(struct replace *p, uint64_t bytes)
{
    uint32_t domains = domains_of(p);
    for (uint8_t priority = WARP_PRIORITY_CRITICAL;
         priority >= WARP_PRIORITY_BACKGROUND; priority--) {
        uint64_t used = 0;
        uint32_t count = 0;
        for (uint32_t i = 0; i < domains; i++)
            if (p->domains[i].priority == priority && is_there(p, i)) {
                used += used_of_both(p, i);
                count++;
            }
        for (uint32_t i = 0; i < domains; i++) {
            struct replace_domain *d = &p->domains[i];
            if (d->priority != priority || !is_there(p, i))
                continue;
            double young = (double)bytes / YOUNG,
                   part = ((double)used_of_both(p, i) + young) /
                          ((double)used + count * young + 1);
            uint64_t its =
                count == 1 ? bytes : (uint64_t)((double)bytes * part);
            if (p->ab)
                share_ab(p, d, its);
            else
                resize(d, in_pools(d, its));
        }
        bytes = bytes > used ? bytes - used : 0;
    }
}

/* The engines' own memory is in the budget, whether there is room or not. */
static void charge(struct replace *p)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < p->domain_count; i++) {
        struct place_stat stat;
        if (!p->domains[i].place)
            continue;
        place_stat(p->domains[i].place, &stat);
        bytes += stat.state_bytes + place_map_bytes(&p->domains[i].map);
    }
    for (uint32_t i = 0; i < p->db->shard_count; i++)
        bytes += p->queues[i].room * sizeof(uint64_t);
    bytes += sizeof *p->rings *
             (uint64_t)__builtin_popcountll(atomic_load(&p->ringing));
    atomic_fetch_add_explicit(&p->db->budget.used, bytes - p->charged,
                              memory_order_relaxed);
    p->charged = bytes;
}

/* Of one domain whose engine has taken another setting; false: of none. */
static bool news(struct replace *p, char *text, size_t bytes)
{
    for (uint32_t i = 0; i < p->domain_count; i++) {
        struct replace_domain *d = &p->domains[i];
        struct place_stat stat = {0};
        if (d->place)
            place_stat(d->place, &stat);
        if (stat.settings == d->settings)
            continue;
        d->settings = stat.settings;
        const char *product = "";
        for (uint32_t k = p->db->layout_count; k-- > 0;)
            if (p->db->layouts[k]->movable &&
                p->db->layouts[k]->domain == i % domains_of(p))
                product = p->db->layouts[k]->desc->name;
        text_format(text, bytes,
                    "placement of %s and those that share its memory: %s has "
                    "another setting (%llu of %llu tried), which took %.1f %% "
                    "less time on a sample",
                    product, stat.set_expert,
                    (unsigned long long)stat.settings,
                    (unsigned long long)stat.trials, stat.set_gain * 100);
        return true;
    }
    return false;
}

void replace_balance(struct warp_db *db, int64_t room)
{
    struct replace *p = db->replace;
    char text[400];
    os_lock(&p->lock);
    p->now_ds = (uint32_t)((os_boot_ms() - p->began_ms) / 100);
    replace_learn(p);
    charge(p);
    if (p->fixed.capacity_bytes == 0) {
        int64_t used = 0;
        for (uint32_t i = 0; i < p->domain_count; i++)
            used += (int64_t)used_of(&p->domains[i]);
        int64_t bytes = used + room;
        p->budget_bytes = bytes > 0 ? (uint64_t)bytes : 1;
        share(p, p->budget_bytes);
    }
    bool told = news(p, text, sizeof text);
    os_unlock(&p->lock);
    if (told)
        db_log(db, WARP_LOG_INFO, WARP_OK, text);
}

struct replace_held replace_held(struct warp_db *db, uint8_t priority)
{
    struct replace *p = db->replace;
    struct replace_held held = {0};
    os_lock(&p->lock);
    for (uint32_t i = 0; i < p->domain_count; i++) {
        struct place_stat stat;
        if (p->domains[i].priority != priority || !p->domains[i].place)
            continue;
        place_stat(p->domains[i].place, &stat);
        held.used_bytes += stat.used_bytes;
        held.pinned_bytes += stat.pinned_bytes;
    }
    os_unlock(&p->lock);
    return held;
}

uint64_t replace_shrink(struct warp_db *db, const struct pool *pool,
                        uint8_t highest, uint64_t bytes)
{
    struct replace *p = db->replace;
    uint64_t gone = 0;
    os_lock(&p->lock);
    replace_learn(p);
    for (uint8_t priority = WARP_PRIORITY_BACKGROUND;
         priority <= highest && gone < bytes; priority++)
        for (uint32_t i = 0; i < p->domain_count && gone < bytes; i++) {
            struct replace_domain *d = &p->domains[i];
            uint64_t used = used_of(d), want = bytes - gone;
            if (d->priority != priority || used == 0 ||
                (pool && pool != d->pools[0] && pool != d->pools[1]))
                continue;
            place_resize(d->place, used > want ? used - want : 1);
            gone += used - used_of(d);
            /* A tier of fixed size is as large as before. */
            if (p->fixed.capacity_bytes)
                place_resize(d->place, p->fixed.capacity_bytes);
        }
    os_unlock(&p->lock);
    return gone;
}
