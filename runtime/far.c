/* far.c: see far.h. A place in the archive as a disk_place: segment with its
 * highest bit set, block = offset, offset = crc, bytes. */
#include "far.h"

#include "error.h"

static struct archive_place in_archive(struct disk_place p)
{
    return (struct archive_place){p.segment & ~DISK_ARCHIVED, p.block, p.bytes,
                                  p.offset};
}

struct disk_place far_of_archive(struct archive_place p)
{
    return (struct disk_place){.segment = p.segment | DISK_ARCHIVED,
                               .block = p.offset, .offset = p.crc,
                               .bytes = p.bytes};
}

uint32_t far_minutes(int64_t ms)
{
    int64_t minutes = ms / 60000;
    return minutes < 0                ? 0
           : minutes > DISK_SINCE_MAX ? DISK_SINCE_MAX
                                      : (uint32_t)minutes;
}

static int none_open(void)
{
    return error_set(WARP_ECORRUPT, "a row names the archive and none is open");
}

int far_read(struct disk *disk, struct archive *archive,
             struct disk_place place, disk_alloc_fn *alloc, void *arg)
{
    if (!disk_place_archived(&place))
        return disk_read(disk, place, alloc, arg);
    return archive ? archive_read(archive, in_archive(place), alloc, arg)
                   : none_open();
}

int far_check(struct disk *disk, struct archive *archive,
              struct disk_place place, const void *owner, size_t owner_bytes)
{
    if (!disk_place_archived(&place))
        return disk_check(disk, place, owner, owner_bytes);
    return archive ? archive_check(archive, in_archive(place), owner,
                                   owner_bytes)
                   : none_open();
}

void far_recount(struct disk *disk, struct archive *archive,
                 struct disk_place place)
{
    if (!disk_place_archived(&place))
        disk_recount(disk, place);
    else if (archive)
        archive_recount(archive, in_archive(place));
}

void far_free(struct disk *disk, struct archive *archive,
              struct disk_place place)
{
    if (!disk_place_archived(&place))
        disk_free(disk, place);
    else if (archive)
        archive_free(archive, in_archive(place));
}

int far_archive(struct archive *archive, const void *owner, size_t owner_bytes,
                const void *value, size_t bytes, struct disk_place *place)
{
    struct archive_place at;
    int rc = archive_append(archive, owner, owner_bytes, value, bytes, &at);
    if (rc == WARP_OK)
        *place = far_of_archive(at);
    return rc;
}
