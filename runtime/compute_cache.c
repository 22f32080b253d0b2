/* compute_cache.c: the last result of each record, for a look that never waits.
 * Slots are found by the key's hash; a newer record takes the slot of an older
 * one. The version is the record's before its inputs were read, so a result is
 * never said to be fresher than it is. */
#include "compute.h"

#include <stdlib.h>

enum { SLOTS = 1 << 16 };

struct slot {
    uint64_t hash, version; /* version 0: empty */
};

static uint32_t value_bytes(const struct layout *l, uint32_t field)
{
    const struct warp_field *f = &l->desc->fields[field];
    return f->kernel ? f->type->size : (uint32_t)sizeof(struct warp_summary);
}

static bool room_for_cache(struct compute *c)
{
    if (c->cache_count < c->cache_room)
        return true;
    uint32_t room = c->cache_room * 2 + 16;
    struct compute_cache *grown =
        realloc(c->caches, room * sizeof(struct compute_cache));
    if (!grown)
        return false;
    c->caches = grown;
    c->cache_room = room;
    return true;
}

/* Under the lock. NULL: no room in the budget. */
static struct compute_cache *cache_of(struct compute *c, const struct layout *l,
                                      uint32_t field, bool make)
{
    struct compute_cache *cache = c->caches;
    for (uint32_t i = 0; i < c->cache_count; i++, cache++)
        if (cache->layout == l && cache->field == field)
            return cache;
    if (!make || !room_for_cache(c))
        return NULL;
    cache = &c->caches[c->cache_count];
    uint32_t bytes =
        (uint32_t)sizeof(struct slot) + (value_bytes(l, field) + 7) / 8 * 8;
    if (!budget_take(&c->db->budget, (uint64_t)bytes * SLOTS))
        return NULL;
    cache->slots = calloc(SLOTS, bytes);
    if (!cache->slots) {
        budget_give(&c->db->budget, (uint64_t)bytes * SLOTS);
        return NULL;
    }
    cache->layout = l;
    cache->field = field;
    cache->slot_bytes = bytes;
    c->cache_count++;
    return cache;
}

static struct slot *slot_of(const struct compute_cache *cache, uint64_t hash)
{
    return (struct slot *)(void *)(cache->slots + (size_t)(hash & (SLOTS - 1)) *
                                                      cache->slot_bytes);
}

void compute_keep(struct warp_db *db, const struct compute_keys *keys,
                  uint64_t hash, uint64_t version, const void *value)
{
    struct compute *c = db->compute;
    if (version == 0)
        return;
    os_lock(&c->lock);
    struct compute_cache *cache = cache_of(c, keys->layout, keys->field, true);
    if (cache) {
        struct slot *slot = slot_of(cache, hash);
        slot->hash = hash;
        slot->version = version;
        memcpy(slot + 1, value, value_bytes(keys->layout, keys->field));
    }
    os_unlock(&c->lock);
}

bool compute_kept(struct warp_db *db, const struct layout *l, uint32_t field,
                  uint64_t hash, uint64_t *version, void *value)
{
    struct compute *c = db->compute;
    bool found = false;
    os_lock(&c->lock);
    struct compute_cache *cache = cache_of(c, l, field, false);
    if (cache) {
        struct slot *slot = slot_of(cache, hash);
        found = slot->version != 0 && slot->hash == hash;
        *version = slot->version;
        if (found)
            memcpy(value, slot + 1, value_bytes(l, field));
    }
    os_unlock(&c->lock);
    return found;
}
