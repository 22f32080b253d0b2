/* disk_check.c: is a value where its place says, and whose is it? For checks;
 * reads go through disk.c and its cache. */
#include "disk_store.h"

#include "error.h"

#include <inttypes.h>
#include <stdlib.h>

static bool fits(const uint8_t *raw, const struct segment_block *block,
                 struct disk_place place, const void *owner, size_t bytes)
{
    struct segment_entry entry;
    uint32_t at = 0;
    for (uint32_t i = 0; i < block->entry_count; i++) {
        if (!segment_entry_decode(raw, block->raw_bytes, &at, &entry))
            return false;
        if (entry.offset == place.offset)
            return entry.value_bytes == place.bytes &&
                   entry.owner_bytes == bytes &&
                   memcmp(entry.owner, owner, bytes) == 0;
    }
    return false;
}

int disk_check(struct disk *disk, struct disk_place place, const void *owner,
               size_t owner_bytes)
{
    uint64_t at = (uint64_t)place.block * SEGMENT_UNIT_BYTES;
    struct segment_block block;
    uint8_t *raw = NULL;
    int rc;
    struct disk_segment *s = disk_segment_get(disk, place.segment, &rc);
    if (!s && rc == WARP_ENOTFOUND)
        return error_set(WARP_ECORRUPT, "%s has no segment %" PRIu32, disk->dir,
                         place.segment);
    if (!s)
        return rc;
    struct segment_file file = disk_file(disk, s);
    rc = segment_read_block(&file, place.block, 0, &block, &raw);
    if (rc == 0 && !fits(raw, &block, place, owner, owner_bytes))
        rc = segment_damaged(&file, at,
                             "begins a block without the value of this key");
    free(raw);
    disk_segment_put(s);
    return rc;
}

void disk_hold(struct disk *disk, bool hold)
{
    os_lock(&disk->writing);
    disk->held += hold ? 1 : -1;
    os_unlock(&disk->writing);
}
