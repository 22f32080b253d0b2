/* disk_compact.c: walking segments: to empty one, or to check them all.
 *
 * The caller decides what lives: every entry says its owner and version. A
 * block that is damaged is told and passed over; the segment stays, because
 * what lives in it is not known. */
#include "disk_store.h"

#include "error.h"

#include <inttypes.h>
#include <stdlib.h>

typedef int walk_fn(void *arg, const struct segment_block *block,
                    const struct segment_entry *entry);
typedef void bad_fn(void *arg, const char *text);

struct walk {
    walk_fn *fn;
    void *arg;
    bad_fn *bad;
    void *bad_arg;
    uint32_t bad_count;
    int stop; /* what fn gave to end the walk */
};

/* The blocks of a segment: what its footer lists, or what is whole in it. The
 * blocks of an open segment are the writer's list. */
int disk_index(struct disk *disk, struct disk_segment *s,
               struct segment_index *index)
{
    struct segment_file file = disk_file(disk, s);
    uint64_t end, gaps;
    segment_index_clear(index);
    if (file.bytes < SEGMENT_HEADER_BYTES)
        return 0;
    int rc = WARP_ENOTFOUND;
    os_lock(&disk->writing);
    for (uint32_t i = 0; i < DISK_LEVELS && rc == WARP_ENOTFOUND; i++) {
        const struct segment_index *of = &disk->writer[i].index;
        if (disk->writer[i].segment != s)
            continue;
        rc = 0;
        for (uint32_t k = 0; k < of->block_count && rc == 0; k++)
            rc = segment_index_add(index, &of->block[k]);
    }
    os_unlock(&disk->writing);
    if (rc == WARP_ENOTFOUND)
        rc = segment_read_footer(&file, index);
    if (rc == WARP_ENOTFOUND)
        rc = segment_scan(&file, index, &end, &gaps);
    return rc;
}

static void tell(struct walk *walk)
{
    walk->bad_count++;
    if (walk->bad)
        walk->bad(walk->bad_arg, error_text());
}

static int walk_block(const struct segment_file *file,
                      const struct segment_block *listed, struct walk *walk)
{
    struct segment_block block;
    struct segment_entry entry;
    uint8_t *raw = NULL;
    uint32_t at = 0;
    int rc = segment_read_block(file, listed->unit, listed->stored_bytes,
                                &block, &raw);
    if (rc == 0 && memcmp(&block, listed, sizeof block) != 0)
        rc = segment_damaged(file, (uint64_t)listed->unit * SEGMENT_UNIT_BYTES,
                             "begins a block that the footer does not know");
    for (uint32_t i = 0; rc == 0 && i < block.entry_count; i++) {
        if (!segment_entry_decode(raw, block.raw_bytes, &at, &entry))
            rc =
                segment_damaged(file, (uint64_t)block.unit * SEGMENT_UNIT_BYTES,
                                "begins a block with a damaged entry");
        else if (walk->fn)
            rc = walk->stop = walk->fn(walk->arg, &block, &entry);
    }
    free(raw);
    return rc;
}

/* WARP_ECORRUPT: all damaged places were told. */
static int walk_segment(struct disk *disk, struct disk_segment *s,
                        struct walk *walk)
{
    struct segment_index index = {0};
    struct segment_file file;
    int rc = disk_index(disk, s, &index);
    uint32_t before = walk->bad_count;
    file = disk_file(disk, s);
    if (rc == WARP_ECORRUPT) {
        uint64_t end, gaps;
        tell(walk);
        rc = segment_scan(&file, &index, &end, &gaps);
    }
    for (uint32_t i = 0; i < index.block_count && rc == 0; i++) {
        rc = walk_block(&file, &index.block[i], walk);
        if (walk->stop == 0 && (rc == WARP_ECORRUPT || rc == WARP_EIO)) {
            tell(walk);
            rc = 0;
        }
    }
    segment_index_free(&index);
    return rc == 0 && walk->bad_count > before ? WARP_ECORRUPT : rc;
}

/* ---- compaction ---- */

struct move {
    disk_move_fn *fn;
    void *arg;
    uint32_t segment;
};

static int move(void *arg, const struct segment_block *block,
                const struct segment_entry *entry)
{
    const struct move *m = arg;
    struct disk_place place = {m->segment, block->unit, entry->offset,
                               entry->value_bytes};
    return m->fn(m->arg, entry->owner, entry->owner_bytes, entry->version,
                 place, entry->value, entry->value_bytes);
}

/* Living bytes of a hundred; a segment that is not full counts as if it
 * were, so that many small ones become a large one. */
static uint64_t live_of(const struct disk *disk, const struct disk_segment *s)
{
    int64_t live = atomic_load(&s->live);
    uint64_t raw = atomic_load(&s->raw_bytes);
    uint64_t file = atomic_load(&s->file_bytes);
    if (live <= 0 || raw == 0)
        return 0;
    uint64_t pct = (uint64_t)live * 100 / raw;
    if (pct > 100)
        pct = 100;
    return file < disk->segment_bytes / 4 ? pct * file / disk->segment_bytes
                                          : pct;
}

static uint32_t emptiest(struct disk *disk, uint32_t live_pct)
{
    uint64_t least = live_pct;
    uint32_t number = 0;
    for (uint32_t i = 0; i < DISK_BUCKETS; i++) {
        os_lock(&disk->bucket[i].lock);
        for (struct disk_segment *s = disk->bucket[i].first; s; s = s->next) {
            if (s->open || s->walked || s->damaged ||
                atomic_load(&s->live) <= 0 || (s->was_here && !disk->recounted))
                continue;
            uint64_t pct = live_of(disk, s);
            if (pct < least) {
                least = pct;
                number = s->number;
            }
        }
        os_unlock(&disk->bucket[i].lock);
    }
    return number;
}

static void tell_event(void *arg, const char *text)
{
    disk_event(arg, WARP_ECORRUPT, text);
}

int disk_compact(struct disk *disk, uint32_t live_pct, disk_move_fn *fn,
                 void *arg)
{
    int rc = 0;
    os_lock(&disk->writing);
    uint32_t number = disk->sealed_count == 0 ? emptiest(disk, live_pct) : 0;
    os_unlock(&disk->writing);
    if (number == 0)
        return 0;
    struct disk_segment *s = disk_segment_get(disk, number, &rc);
    if (!s)
        return rc;
    struct move m = {fn, arg, number};
    struct walk walk = {move, &m, tell_event, disk, 0, 0};
    rc = walk_segment(disk, s, &walk);
    os_lock(&disk->writing);
    if (walk.stop == 0) {
        s->walked = true;
        s->damaged = rc == WARP_ECORRUPT;
    }
    os_unlock(&disk->writing);
    disk_segment_put(s);
    return rc == 0 ? 1 : rc;
}

/* ---- checking ---- */

int disk_verify(struct disk *disk, bad_fn *bad, void *arg)
{
    struct walk walk = {NULL, NULL, bad, arg, 0, 0};
    for (uint32_t number = 1;; number++) {
        os_lock(&disk->writing);
        uint32_t last = disk->number;
        os_unlock(&disk->writing);
        if (number > last || number == 0)
            break;
        int rc;
        struct disk_segment *s = disk_segment_get(disk, number, &rc);
        if (!s && rc == WARP_ENOTFOUND)
            continue;
        if (!s && (rc == WARP_ECORRUPT || rc == WARP_EIO)) {
            tell(&walk);
            continue;
        }
        if (s) {
            rc = walk_segment(disk, s, &walk);
            disk_segment_put(s);
        }
        if (rc != 0 && rc != WARP_ECORRUPT)
            return rc;
    }
    return walk.bad_count ? WARP_ECORRUPT : 0;
}
