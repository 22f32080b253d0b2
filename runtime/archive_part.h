/* archive_part.h: what archive.c and archive_manifest.c share. */
#ifndef WARP_ARCHIVE_PART_H
#define WARP_ARCHIVE_PART_H

#include "archive.h"
#include "os.h"
#include "text.h"

enum { ARCHIVE_PATH_BYTES = 4300, ARCHIVE_HEADER_BYTES = 64 };

struct archive_segment {
    uint32_t number, crc; /* of the whole file */
    uint64_t bytes;
    uint32_t entries;
    int64_t live; /* entries that places name */
    bool was_here, missing; /* missing: or damaged */
};

struct archive {
    char dir[4096];
    uint8_t store_id[16];
    bool read_only, recounted;
    void (*event)(void *arg, int code, const char *text);
    void *arg;
    struct os_lock lock; /* of all below */
    struct archive_segment *segments; /* by number */
    uint32_t count, room;
    uint32_t next, version;
    uint32_t oldest; /* version whose file may still be there */
    uint32_t held;
    uint32_t unsettled; /* segments at the end of the list: not committed */
    /* the writer's alone */
    struct text body;
    uint32_t entries;
    bool named; /* the directory's name is durable */
    bool unsure; /* a manifest that was not synced may be the one that counts */
};

void archive_path(const struct archive *archive, uint32_t number, char *to);
int archive_list_add(struct archive *archive,
                     const struct archive_segment *segment);
/* Fills the list; WARP_OK also where there is no directory. */
int archive_manifest_read(struct archive *archive);
/* A new version, which replaces the one before. Under the lock. */
int archive_manifest_write(struct archive *archive);
/* Whole file: header, entries and trailer. WARP_ECORRUPT with a text; *found
 * gets what a manifest says of it. */
int archive_segment_scan(const struct archive *archive, uint32_t number,
                         struct archive_segment *found);

#endif
