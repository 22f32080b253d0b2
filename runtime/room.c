/* room.c: see room.h. What must fit: a margin for deletes, and a checkpoint of
 * all that is dirty: what the log holds, PADDED for the tiers, and as many
 * pages of the directory as there are dirty records, or as it has. */
#include "room.h"

#include "error.h"

#include <errno.h>

enum {
    MARGIN_BYTES = 4 << 20,
    PADDED = 2, /* a value of half a page has a page; leaves are half full */
    PAGE_BYTES = 4096,
    SEGMENT_BYTES_MIN = 1 << 20,
    SEGMENT_BYTES_MAX = 64 << 20
};
#define TIGHT_BYTES (INT64_C(256) << 20)

static uint64_t free_bytes(const struct warp_db *db)
{
    const char *paths[] = {db->paths.log, db->paths.ssd, db->paths.disk};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t bytes;
        if (os_free_bytes(paths[i], &bytes) == 0 && bytes < least)
            least = bytes;
    }
    return least;
}

static uint64_t checkpoint_bytes(struct warp_db *db)
{
    struct ssd_stat ssd = {0};
    uint64_t pages = db_dirty_records(db) * PAGE_BYTES;
    if (ssd_stat(db->ssd, &ssd) == WARP_OK &&
        pages > ssd.file_bytes + MARGIN_BYTES)
        pages = ssd.file_bytes + MARGIN_BYTES;
    /* The directory's file never shrinks: what it does not use is room, and so
     * is what a commit that failed has added to it. */
    uint64_t bytes = PADDED * log_bytes(db->log) + pages + ssd.used_bytes;
    return bytes > ssd.file_bytes ? bytes - ssd.file_bytes : 0;
}

void room_update(struct warp_db *db)
{
    uint64_t bytes = free_bytes(db), need = MARGIN_BYTES;
    if (bytes < (uint64_t)TIGHT_BYTES + db->options.log_bytes_max * 4)
        need += checkpoint_bytes(db);
    int64_t left = bytes > INT64_MAX ? INT64_MAX
                                     : (int64_t)bytes - (int64_t)need;
    atomic_store_explicit(&db->room_left, left, memory_order_relaxed);
    atomic_store_explicit(&db->tight, left < TIGHT_BYTES,
                          memory_order_relaxed);
    if (left < 0)
        atomic_store(&db->no_room, true);
}

static bool take(struct warp_db *db, int64_t cost)
{
    return atomic_fetch_sub_explicit(&db->room_left, cost,
                                     memory_order_relaxed) >= cost;
}

int room_admit(struct warp_db *db, uint64_t bytes)
{
    /* The log's block and the tier's copy. */
    int64_t cost = (int64_t)((1 + PADDED) * bytes) + PAGE_BYTES;
    if (take(db, cost))
        return WARP_OK;
    room_update(db);
    if (take(db, cost))
        return WARP_OK;
    atomic_store(&db->no_room, true);
    db_wake_keeper(db);
    return error_set(WARP_ENOSPC,
                     "the disk of %s is full: free some space or delete "
                     "records; writing resumes by itself",
                     db->paths.store);
}

uint64_t room_segment_bytes(const char *dir)
{
    uint64_t bytes = 0, segment = SEGMENT_BYTES_MIN;
    if (os_free_bytes(dir, &bytes) != 0)
        return SEGMENT_BYTES_MAX;
    while (segment < SEGMENT_BYTES_MAX && segment * 32 < bytes)
        segment *= 2;
    return segment;
}

int room_reserve(struct warp_db *db)
{
    uint64_t bytes = db->options.disk_reserve_bytes, size = 0;
    if (bytes == 1)
        return WARP_OK;
    int fd = os_open(db->paths.reserve, OS_WRITE | OS_CREATE);
    if (fd < 0)
        return error_os(fd, "cannot make", db->paths.reserve);
    int rc = os_size(fd, &size);
    if (rc == 0 && size != bytes)
        rc = os_allocate(fd, 0, bytes);
    os_close(fd);
    if (rc == 0)
        return WARP_OK;
    /* A full disk opens all the same: reads and deletes must go on. */
    os_unlink(db->paths.reserve);
    db->reserve_given = true;
    return rc == -ENOSPC || rc == -EDQUOT
               ? WARP_OK
               : error_os(rc, "cannot make", db->paths.reserve);
}

void room_reserve_again(struct warp_db *db)
{
    if (db->reserve_given && db->options.disk_reserve_bytes > 1 &&
        atomic_load(&db->room_left) >
            8 * (int64_t)db->options.disk_reserve_bytes) {
        db->reserve_given = false;
        (void)room_reserve(db);
    }
}
