/* open_pools.c: the budgets of products: their own (max_memory:) and shared
 * ones (memory_pool:, gpu_memory_pool:), sized by options.pools, else by
 * defpool. A pool that nobody sizes has the store's whole budget: no pool is
 * made for it. */
#include "error.h"
#include "open.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t option_bytes(const struct warp_db *db, const char *name)
{
    for (const struct warp_pool *p = db->options.pools; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p->bytes;
    return 0;
}

/* An option for a pool that no product uses is a mistake. */
static int check_options(const struct warp_db *db)
{
    for (const struct warp_pool *p = db->options.pools; p && p->name; p++) {
        bool used = false;
        for (uint32_t i = 0; i < db->layout_count; i++) {
            const struct warp_strategy *s = db->layouts[i]->desc->strategy;
            used = used || (s && ((s->memory_pool &&
                                   strcmp(s->memory_pool, p->name) == 0) ||
                                  (s->gpu_memory_pool &&
                                   strcmp(s->gpu_memory_pool, p->name) == 0)));
        }
        if (!used)
            return error_set(WARP_EINVAL,
                             "options.pools names %s, which no strategy of "
                             "schema %s uses",
                             p->name, db->schema->name);
    }
    return WARP_OK;
}

static struct pool *shared_pool(struct warp_db *db, const char *kind,
                                const char *name, uint64_t bytes)
{
    for (uint32_t i = 0; i < db->pool_count; i++)
        if (strcmp(db->pools[i].name, name) == 0)
            return &db->pools[i];
    struct pool *pool = &db->pools[db->pool_count++];
    snprintf(pool->name, sizeof pool->name, "%s", name);
    snprintf(pool->what, sizeof pool->what, "%s :%s", kind, name);
    pool->limit = bytes;
    return pool;
}

/* NULL: nobody has sized it. */
static struct pool *named(struct warp_db *db, const char *kind,
                          const char *name, uint64_t schema_bytes)
{
    uint64_t bytes = option_bytes(db, name);
    bytes = bytes ? bytes : schema_bytes;
    return bytes > 0 ? shared_pool(db, kind, name, bytes) : NULL;
}

int open_pools(struct warp_db *db)
{
    int rc = check_options(db);
    if (rc != WARP_OK)
        return rc;
    db->pools = calloc(db->layout_count * 3, sizeof *db->pools);
    if (!db->pools)
        return error_set(WARP_ENOMEM, "out of memory for pools");
    for (uint32_t i = 0; i < db->layout_count; i++) {
        struct layout *l = db->layouts[i];
        const struct warp_strategy *s = l->desc->strategy;
        if (l->desc->max_memory_bytes > 0) {
            struct pool *own = &db->pools[db->pool_count++];
            snprintf(own->what, sizeof own->what, "max_memory of %s",
                     l->desc->name);
            own->limit = l->desc->max_memory_bytes;
            l->pools[0] = own;
        }
        if (s && s->memory_pool)
            l->pools[1] = named(db, "memory_pool", s->memory_pool,
                                s->memory_pool_bytes);
        if (s && s->gpu_memory_pool)
            l->gpu_pool = named(db, "gpu_memory_pool", s->gpu_memory_pool,
                                s->gpu_memory_pool_bytes);
    }
    /* The caller's list is not kept. */
    db->options.pools = NULL;
    return WARP_OK;
}
