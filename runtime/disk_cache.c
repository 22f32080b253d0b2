/* disk_cache.c: the last unpacked blocks, because several small values share
 * one. A block that is in use lives on when it is thrown out. */
#include "disk_store.h"

#include "error.h"

#include <stdlib.h>

enum { SLOTS = 64 };

struct slot {
    uint32_t segment, unit, epoch; /* segment 0: free */
    uint64_t used_at;
    struct disk_block *block;
};

struct shard {
    _Alignas(64) struct os_lock lock;
    uint64_t tick, bytes;
    struct slot slot[SLOTS];
};

struct disk_cache {
    _Atomic uint64_t shard_bytes; /* at most; a block at least */
    struct shard shard[DISK_CACHE_SHARDS];
};

static uint64_t share(uint64_t bytes)
{
    bytes /= DISK_CACHE_SHARDS;
    return bytes < DISK_BLOCK_MAX ? DISK_BLOCK_MAX : bytes;
}

int disk_cache_create(uint64_t bytes, struct disk_cache **out)
{
    struct disk_cache *cache = aligned_alloc(64, sizeof *cache);
    *out = cache;
    if (!cache)
        return error_set(WARP_ENOMEM, "no memory for the cache of blocks");
    memset(cache, 0, sizeof *cache);
    atomic_store(&cache->shard_bytes, share(bytes));
    return 0;
}

void disk_cache_limit(struct disk *disk, uint64_t bytes)
{
    atomic_store(&disk->cache->shard_bytes, share(bytes));
}

void disk_block_put(struct disk_block *block)
{
    if (atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(block->raw);
    free(block);
}

static void empty(struct shard *shard, struct slot *slot)
{
    shard->bytes -= slot->block->bytes;
    disk_block_put(slot->block);
    slot->segment = 0;
    slot->block = NULL;
}

void disk_cache_destroy(struct disk_cache **handle)
{
    struct disk_cache *cache = *handle;
    if (!cache)
        return;
    *handle = NULL;
    for (uint32_t i = 0; i < DISK_CACHE_SHARDS; i++)
        for (uint32_t k = 0; k < SLOTS; k++)
            if (cache->shard[i].slot[k].segment != 0)
                empty(&cache->shard[i], &cache->shard[i].slot[k]);
    free(cache);
}

static struct shard *shard_of(struct disk_cache *cache, uint32_t segment,
                              uint32_t unit)
{
    uint64_t mixed = ((uint64_t)segment << 32 | unit) * 0x9e3779b97f4a7c15ull;
    return &cache->shard[mixed >> 60];
}

static struct slot *find(struct shard *shard, uint32_t segment, uint32_t unit,
                         uint32_t epoch)
{
    for (uint32_t k = 0; k < SLOTS; k++) {
        struct slot *slot = &shard->slot[k];
        if (slot->segment == segment && slot->unit == unit &&
            slot->epoch == epoch)
            return slot;
    }
    return NULL;
}

struct disk_block *disk_cache_get(struct disk_cache *cache, uint32_t segment,
                                  uint32_t unit, uint32_t epoch)
{
    struct shard *shard = shard_of(cache, segment, unit);
    struct disk_block *block = NULL;
    os_lock(&shard->lock);
    struct slot *slot = find(shard, segment, unit, epoch);
    if (slot) {
        block = slot->block;
        slot->used_at = ++shard->tick;
        atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    }
    os_unlock(&shard->lock);
    return block;
}

/* A free slot, after the oldest blocks have gone for `bytes` more. */
static struct slot *make_room(struct shard *shard, uint64_t most,
                              uint32_t bytes)
{
    for (;;) {
        struct slot *oldest = NULL, *unused = NULL;
        for (uint32_t k = 0; k < SLOTS; k++) {
            struct slot *slot = &shard->slot[k];
            if (slot->segment == 0)
                unused = slot;
            else if (!oldest || slot->used_at < oldest->used_at)
                oldest = slot;
        }
        if (unused && shard->bytes + bytes <= most)
            return unused;
        empty(shard, oldest);
    }
}

struct disk_block *disk_cache_add(struct disk_cache *cache, uint32_t segment,
                                  uint32_t unit, uint32_t epoch, uint8_t *raw,
                                  uint32_t bytes)
{
    struct shard *shard = shard_of(cache, segment, unit);
    struct disk_block *block = malloc(sizeof *block);
    if (!block) {
        free(raw);
        return NULL;
    }
    atomic_init(&block->refs, 1);
    block->bytes = bytes;
    block->raw = raw;
    if (bytes > DISK_BLOCK_MAX)
        return block;
    os_lock(&shard->lock);
    if (!find(shard, segment, unit, epoch)) {
        struct slot *slot = make_room(shard, atomic_load(&cache->shard_bytes),
                                      bytes);
        atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
        *slot = (struct slot){segment, unit, epoch, ++shard->tick, block};
        shard->bytes += bytes;
    }
    os_unlock(&shard->lock);
    return block;
}
