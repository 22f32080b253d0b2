/* archive.h: the archive tier as a directory: sealed segments that never change
 * and a manifest that lists them.
 *
 * One writer (the checkpointer) collects values in an open segment, seals it,
 * and lets the ssd directory commit the places; reads are free for all threads.
 * What no place names any more goes segment by segment. Format: archive.c. */
#ifndef WARP_ARCHIVE_H
#define WARP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;

struct archive_place {
    uint32_t segment; /* 0: no place */
    uint32_t offset;  /* of the entry in the segment, in 8-byte units */
    uint32_t bytes;   /* of the value */
    uint32_t crc;     /* CRC32C of the entry */
};
#define ARCHIVE_PLACE_BYTES 16
void archive_place_encode(const struct archive_place *place, uint8_t *to);
void archive_place_decode(const uint8_t *from, struct archive_place *place);

/* dir need not exist: it is made when something is written. event: things to
 * tell people about, with a WARP_E code; may be NULL. WARP_ECORRUPT: segments
 * that the manifest lists are missing are told by event, reads of them fail. */
int archive_open(const char *dir, const uint8_t store_id[16], bool read_only,
                 void (*event)(void *arg, int code, const char *text),
                 void *arg, struct archive **archive);
void archive_close(struct archive **archive);

/* Into the open segment; readable once it is sealed. owner: the table key. */
#define ARCHIVE_OWNER_MAX 511
int archive_append(struct archive *archive, const void *owner,
                   size_t owner_bytes, const void *value, size_t bytes,
                   struct archive_place *place);
uint64_t archive_open_bytes(const struct archive *archive);
/* The open segment and the manifest with it are on stable storage at return.
 * After a failure, and by archive_rollback, the open segment is forgotten. */
int archive_seal(struct archive *archive);
/* After a commit failed: the segments sealed since archive_settled() hold
 * nothing. */
void archive_rollback(struct archive *archive);
/* The directory's commit holds the places. */
void archive_settled(struct archive *archive);

/* alloc gets the size and returns where the value goes. WARP_ECORRUPT names
 * file and offset; WARP_ENOTFOUND: the segment is gone (look the place up
 * again). */
typedef void *archive_alloc_fn(void *arg, size_t bytes);
int archive_read(struct archive *archive, struct archive_place place,
                 archive_alloc_fn *alloc, void *arg);

/* Places are counted as in disk.h: each that the directory holds after an open,
 * then no segment without a live place is kept. */
void archive_recount(struct archive *archive, struct archive_place place);
void archive_recounted(struct archive *archive);
void archive_free(struct archive *archive, struct archive_place place);
int archive_reclaim(struct archive *archive);
/* The segment with the fewest live entries of a hundred, below `live_pct`; 0:
 * there is none. */
uint32_t archive_emptiest(struct archive *archive, uint32_t live_pct);
/* Its damage was told: it is left as it is. */
void archive_leave(struct archive *archive, uint32_t number);
/* All entries of a segment. What fn returns, if not 0, ends the walk. */
typedef int archive_entry_fn(void *arg, struct archive_place place,
                             const void *owner, size_t owner_bytes,
                             const void *value);
int archive_walk(struct archive *archive, uint32_t number,
                 archive_entry_fn *fn, void *arg);
/* While held (a backup copies files) nothing is unlinked. */
void archive_hold(struct archive *archive, bool hold);

/* Every segment against the manifest and its own sums. */
int archive_verify(struct archive *archive,
                   void (*bad)(void *arg, const char *text), void *arg);
/* Is the value at the place, and does it say this owner? WARP_ECORRUPT. */
int archive_check(struct archive *archive, struct archive_place place,
                  const void *owner, size_t owner_bytes);

struct archive_stat {
    uint64_t file_bytes, live_bytes;
    uint32_t segments;
};
void archive_stat(struct archive *archive, struct archive_stat *stat);
/* Calls fn for each file that belongs to the archive, by its name in dir. */
int archive_files(struct archive *archive,
                  int (*fn)(void *arg, const char *path), void *arg);

#endif
