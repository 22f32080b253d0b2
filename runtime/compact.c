/* compact.c: see compact.h. */
#include "compact.h"

#include "rehome.h"

enum { WORTH_BYTES = 16 << 20, TIGHT_WORTH_BYTES = 1 << 20 };

static int move_value(void *arg, const void *owner, size_t owner_bytes,
                      uint64_t version, struct disk_place place,
                      const void *value, size_t bytes)
{
    uint32_t marked = 0;
    (void)version;
    return rehome_value(arg, owner, owner_bytes, place, value, bytes, &marked);
}

int compact_step(struct warp_db *db, uint32_t live_pct)
{
    db_wait_loaded(db);
    os_lock(&db->checkpoint_lock);
    int rc = disk_compact(db->disk, live_pct, move_value, db);
    os_unlock(&db->checkpoint_lock);
    /* Who waits for a checkpoint's step. */
    atomic_fetch_add(&db->step_word, 1);
    os_futex_wake(&db->step_word, INT32_MAX);
    return rc;
}

bool compact_due(struct warp_db *db)
{
    struct disk_stat stat = {0};
    disk_stat(db->disk, &stat);
    uint64_t worth = atomic_load(&db->tight) ? TIGHT_WORTH_BYTES : WORTH_BYTES;
    return stat.file_bytes > stat.live_bytes &&
           stat.file_bytes - stat.live_bytes > worth &&
           stat.live_bytes < stat.file_bytes / 100 * COMPACT_LIVE_PCT;
}
