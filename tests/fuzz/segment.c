/* segment: segments of the disk tier that were changed, and places that do not
 * fit them (the input's first byte) -> reads, recount, rewrite, check. */
#include "fuzz.h"

#include "disk.h"
#include "error.h"

#include <stdio.h>
#include <string.h>
#include <warp/gen.h>

enum { VALUES = 60, SEGMENT_BYTES = 128 << 10 };

static struct disk_place place[VALUES];
static char made[800];

static void make(void)
{
    static char value[30000];
    struct disk *disk = NULL;
    memset(value, 'v', sizeof value);
    int rc = disk_open(made, false, SEGMENT_BYTES, NULL, NULL, &disk);
    for (uint32_t i = 0; i < VALUES && rc == 0; i++) {
        size_t bytes = i % 20 == 9 ? 20000 : i * 37 % 700;
        value[i % 50] = (char)i;
        rc = disk_append(disk, (int)(i % 4), &i, 4, i, value, bytes, &place[i]);
        if (rc == 0 && i == VALUES / 2)
            rc = disk_sync(disk);
    }
    if (rc == 0)
        rc = disk_sync(disk);
    fuzz_need(rc == 0, error_text());
    disk_close(&disk);
}

static void *alloc(void *arg, size_t bytes)
{
    static uint8_t to[1 << 20];
    (void)arg;
    return bytes <= sizeof to ? to : NULL;
}

static int move(void *arg, const void *owner, size_t owner_bytes,
                uint64_t version, struct disk_place from, const void *value,
                size_t bytes)
{
    struct disk_place to;
    (void)from;
    return disk_append(arg, WARP_COMPRESS_FAST, owner, owner_bytes, version,
                       value, bytes, &to);
}

static void read_all(struct disk *disk, uint8_t twist)
{
    for (uint32_t i = 0; i < VALUES; i++) {
        struct disk_place p = place[i];
        if (twist & 1)
            p.block += twist >> 2;
        if (twist & 2)
            p.offset ^= (uint32_t)twist << (i % 8);
        disk_read(disk, p, alloc, NULL);
        disk_check(disk, p, &i, 4);
        disk_recount(disk, p);
    }
}

static void use(const char *dir, bool read_only, uint8_t twist)
{
    struct disk *disk = NULL;
    if (disk_open(dir, read_only, SEGMENT_BYTES, NULL, NULL, &disk) != 0)
        return;
    read_all(disk, twist);
    disk_verify(disk, NULL, NULL);
    if (!read_only) {
        disk_recounted(disk);
        for (int i = 0; i < 3; i++)
            disk_compact(disk, 101, move, disk);
        if (disk_sync(disk) != 0)
            disk_rollback(disk);
        disk_reclaim(disk);
        disk_verify(disk, NULL, NULL);
    }
    disk_close(&disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_files *files;
    static const char *dir;
    if (files == NULL) {
        snprintf(made, sizeof made, "%s", fuzz_dir("made"));
        make();
        files = fuzz_files_load(made);
        dir = fuzz_dir("disk");
    }
    if (size == 0)
        return 0;
    fuzz_files_write(files, data + 1, size - 1, dir);
    use(dir, true, data[0]);
    use(dir, false, data[0]);
    return 0;
}
