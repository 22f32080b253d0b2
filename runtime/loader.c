/* loader.c: after an open, the directory's rows come into memory in key order;
 * the places that they hold are counted for the disk tier. A get that arrives
 * first reads its row itself (shard_find). */
#include "error.h"
#include "hash.h"
#include "keeper.h"
#include "row.h"

static void count_places(struct warp_db *db, const struct layout *l,
                         struct ssd_slice value)
{
    struct row_view view;
    if (!l->disk || row_parse(l, value, &view) != WARP_OK)
        return;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        if (!(l->disk >> i & 1))
            continue;
        struct disk_place place;
        disk_place_decode(v.data, &place);
        if (place.segment != 0)
            disk_recount(db->disk, place);
    }
}

/* Rows that may leave memory again take at most half of it. */
static bool scarce(const struct warp_db *db)
{
    return db_memory_used(db) > db->memory_max / 2;
}

static int load_row(struct warp_db *db, struct ssd_slice k,
                    struct ssd_slice value)
{
    const uint8_t *bytes = k.data;
    if (k.bytes < 2)
        return error_set(WARP_ECORRUPT, "the directory holds a key of %zu "
                                        "bytes", k.bytes);
    uint32_t product = (uint32_t)bytes[0] << 8 | bytes[1];
    const struct layout *l = db_layout_of_id(db, product);
    if (!l)
        return error_set(WARP_ECORRUPT, "the directory holds a row of an "
                                        "unknown product (%u)", product);
    struct key_ref key = {bytes + 2, (uint32_t)(k.bytes - 2), l->number, 0,
                          l->row_bytes};
    key.hash = hash_key(db->seed, l->id, key.bytes, key.count);
    struct shard *s = &db->shards[hash_shard(key.hash, db->shard_count)];
    _Atomic uint64_t *slot;
    struct record *r;
    int rc = WARP_OK;
    count_places(db, l, value);
    if (l->evictable && scarce(db)) {
        atomic_store(&db->partial, true);
        return WARP_OK;
    }
    os_lock(&s->lock);
    if (!shard_peek(s, &key, &slot))
        rc = row_load_record(s, l, &key, value, &r);
    os_unlock(&s->lock);
    return rc;
}

static int load_product(struct warp_db *db, uint32_t product)
{
    struct ssd_cursor *cursor = NULL;
    uint8_t from[2] = {(uint8_t)(product >> 8), (uint8_t)product};
    uint8_t to[2] = {(uint8_t)((product + 1) >> 8), (uint8_t)(product + 1)};
    struct ssd_slice low = {from, 2}, high = {to, 2}, key, value;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, low, high, false, &cursor);
    while (rc == WARP_OK && !atomic_load(&db->stopping)) {
        rc = ssd_next(cursor, &key, &value);
        if (rc == WARP_OK)
            rc = load_row(db, key, value);
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* Products of a high priority first. */
static void *load(void *arg)
{
    struct warp_db *db = arg;
    int rc = WARP_OK;
    for (uint8_t p = WARP_PRIORITY_CRITICAL; p >= WARP_PRIORITY_BACKGROUND;
         p--)
        for (uint32_t i = 0; i < db->layout_count && rc == WARP_OK; i++)
            if (db->layouts[i]->priority == p)
                rc = load_product(db, db->layouts[i]->id);
    if (rc != WARP_OK) {
        atomic_store(&db->load_failed, rc);
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    } else if (!atomic_load(&db->stopping)) {
        disk_recounted(db->disk);
        atomic_store_explicit(&db->loading, false, memory_order_release);
    }
    atomic_store(&db->loaded_word, 1);
    os_futex_wake(&db->loaded_word, INT32_MAX);
    return NULL;
}

int loader_start(struct warp_db *db)
{
    if (!atomic_load(&db->loading)) {
        disk_recounted(db->disk);
        atomic_store(&db->loaded_word, 1);
        return WARP_OK;
    }
    int rc = os_thread_start(&db->loader, load, db, "warp-loader");
    return rc == 0 ? WARP_OK : error_set(WARP_ENOMEM, "cannot start a thread");
}
