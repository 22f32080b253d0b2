/* archive.c: see archive.h.
 *
 * SEGMENT xxxxxxxx.wseg (little-endian): 64 bytes: "WARPARCH", u32 format = 1,
 * u32 number, the store's id (16), zeros, u32 CRC32C of the 60 bytes before.
 * Entries at multiples of 8: u32 CRC32C over the rest of it and the segment's
 * number, u32 owner bytes, u32 value bytes, u32 0; owner; value; zeros.
 * Trailer: u64 bytes before it, u32 entries, u32 CRC32C of all bytes before.
 * ORDER (A1) a segment is synced and listed in a synced manifest before the
 * directory commits its places; (A2) it leaves the manifest after the commit
 * that frees its last place, then it is unlinked. */
#include "archive_part.h"

#include "crc.h"
#include "error.h"
#include "sealed.h"
#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    UNIT = 8, FORMAT = 1, ENTRY_HEADER = 16, TRAILER_BYTES = 16,
    VALUE_MAX = 256 << 20
};
static const char magic[8] = {'W', 'A', 'R', 'P', 'A', 'R', 'C', 'H'};

void archive_place_encode(const struct archive_place *p, uint8_t *to)
{
    to = wire_put32(to, p->segment);
    to = wire_put32(to, p->offset);
    to = wire_put32(to, p->bytes);
    wire_put32(to, p->crc);
}

void archive_place_decode(const uint8_t *from, struct archive_place *p)
{
    p->segment = wire_get32(from);
    p->offset = wire_get32(from + 4);
    p->bytes = wire_get32(from + 8);
    p->crc = wire_get32(from + 12);
}

void archive_path(const struct archive *a, uint32_t number, char *to)
{
    snprintf(to, ARCHIVE_PATH_BYTES, "%s/%08x.wseg", a->dir, number);
}

static void tell(struct archive *a, int code, const char *text)
{
    if (a->event)
        a->event(a->arg, code, text);
}

static int damaged(const struct archive *a, uint32_t number, uint64_t at,
                   const char *what)
{
    char path[ARCHIVE_PATH_BYTES];
    archive_path(a, number, path);
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: byte %" PRIu64
                     " %s; restore it from a backup",
                     path, at, what);
}

/* ---- opening ---- */

static int segment_bytes(const char *path, uint64_t *bytes)
{
    int fd = os_open(path, OS_READ);
    int rc = fd < 0 ? fd : os_size(fd, bytes);
    os_close(fd);
    return rc;
}

/* What cannot be looked at now is not taken for damage: reads look again. */
static void check_sizes(struct archive *a)
{
    char path[ARCHIVE_PATH_BYTES], text[ARCHIVE_PATH_BYTES + 100];
    for (uint32_t i = 0; i < a->count; i++) {
        struct archive_segment *s = &a->segments[i];
        uint64_t bytes = 0;
        archive_path(a, s->number, path);
        int rc = segment_bytes(path, &bytes);
        if (rc == 0 && bytes == s->bytes)
            continue;
        s->missing = true;
        if (rc != 0 && rc != -ENOENT) {
            tell(a, error_os(rc, "cannot look at", path), error_text());
            continue;
        }
        snprintf(text, sizeof text, "%s: %s; restore it from a backup", path,
                 rc != 0 ? "this segment of the archive is missing"
                         : "this segment of the archive has another length");
        tell(a, WARP_ECORRUPT, text);
    }
}

int archive_open(const char *dir, const uint8_t store_id[16], bool read_only,
                 void (*event)(void *arg, int code, const char *text),
                 void *arg, struct archive **out)
{
    struct archive *a = calloc(1, sizeof *a);
    *out = NULL;
    if (!a)
        return error_set(WARP_ENOMEM, "out of memory for the archive");
    snprintf(a->dir, sizeof a->dir, "%s", dir);
    memcpy(a->store_id, store_id, sizeof a->store_id);
    a->read_only = read_only;
    a->event = event;
    a->arg = arg;
    int rc = archive_manifest_read(a);
    if (rc != WARP_OK) {
        archive_close(&a);
        return rc;
    }
    check_sizes(a);
    *out = a;
    return WARP_OK;
}

void archive_close(struct archive **archive)
{
    if (!*archive)
        return;
    text_free(&(*archive)->body);
    free((*archive)->segments);
    free(*archive);
    *archive = NULL;
}

/* ---- writing ---- */

static uint32_t entry_crc(uint32_t number, const uint8_t *entry, size_t bytes)
{
    uint8_t salt[4];
    wire_put32(salt, number);
    return crc32c(crc32c(0, salt, sizeof salt), entry + 4, bytes - 4);
}

static void begin_body(struct archive *a)
{
    uint8_t head[ARCHIVE_HEADER_BYTES] = {0};
    memcpy(head, magic, sizeof magic);
    wire_put32(head + 8, FORMAT);
    wire_put32(head + 12, a->next);
    memcpy(head + 16, a->store_id, 16);
    wire_put32(head + 60, crc32c(0, head, 60));
    text_add(&a->body, head, sizeof head);
    a->entries = 0;
}

int archive_append(struct archive *a, const void *owner, size_t owner_bytes,
                   const void *value, size_t bytes,
                   struct archive_place *place)
{
    uint8_t head[ENTRY_HEADER] = {0};
    static const uint8_t zeros[UNIT];
    if (owner_bytes > ARCHIVE_OWNER_MAX || bytes > VALUE_MAX)
        return error_set(WARP_EINVAL, "a value of %zu bytes is too large for "
                                      "the archive", bytes);
    if (a->body.used == 0)
        begin_body(a);
    size_t at = a->body.used;
    wire_put32(head + 4, (uint32_t)owner_bytes);
    wire_put32(head + 8, (uint32_t)bytes);
    text_add(&a->body, head, sizeof head);
    text_add(&a->body, owner, owner_bytes);
    text_add(&a->body, value, bytes);
    size_t end = a->body.used;
    text_add(&a->body, zeros, (UNIT - end % UNIT) % UNIT);
    if (a->body.failed) {
        text_clear(&a->body);
        return error_set(WARP_ENOMEM, "out of memory for the archive");
    }
    uint8_t *entry = (uint8_t *)a->body.data + at;
    uint32_t crc = entry_crc(a->next, entry, end - at);
    wire_put32(entry, crc);
    a->entries++;
    *place = (struct archive_place){a->next, (uint32_t)(at / UNIT),
                                    (uint32_t)bytes, crc};
    return WARP_OK;
}

uint64_t archive_open_bytes(const struct archive *a)
{
    return a->body.used;
}

static int write_file(struct archive *a, const char *path)
{
    char made[ARCHIVE_PATH_BYTES + 8];
    snprintf(made, sizeof made, "%s.new", path);
    int rc = os_mkdir(a->dir);
    if (rc == 0 && !a->named)
        rc = os_sync_parent(a->dir);
    a->named = a->named || rc == 0;
    if (rc == 0)
        rc = sealed_write(made, OS_WRITE | OS_CREATE | OS_TRUNC, a->body.data,
                          a->body.used);
    if (rc == 0)
        rc = os_rename(made, path);
    if (rc == 0)
        return WARP_OK;
    (void)os_unlink(made);
    return error_os(rc, "cannot write", path);
}

int archive_seal(struct archive *a)
{
    char path[ARCHIVE_PATH_BYTES];
    uint8_t trailer[TRAILER_BYTES];
    if (a->entries == 0)
        return WARP_OK;
    wire_put64(trailer, a->body.used);
    wire_put32(trailer + 8, a->entries);
    wire_put32(trailer + 12, crc32c(0, a->body.data, a->body.used));
    text_add(&a->body, trailer, sizeof trailer);
    int rc = a->body.failed
                 ? error_set(WARP_ENOMEM, "out of memory for the archive")
                 : WARP_OK;
    archive_path(a, a->next, path);
    if (rc == WARP_OK)
        rc = write_file(a, path);
    if (rc == WARP_OK) {
        struct archive_segment s = {
            .number = a->next,
            .crc = crc32c(0, a->body.data, a->body.used),
            .bytes = a->body.used, .entries = a->entries, .live = a->entries};
        os_lock(&a->lock);
        rc = archive_list_add(a, &s);
        if (rc == WARP_OK) {
            a->next++;
            rc = archive_manifest_write(a); /* A1 */
            if (rc != WARP_OK)
                a->count--;
            else
                a->unsettled++;
        }
        bool unsure = a->unsure;
        os_unlock(&a->lock);
        /* One that a manifest may name stays: the next open tells. */
        if (rc != WARP_OK && !unsure)
            (void)os_unlink(path);
    }
    text_clear(&a->body);
    a->entries = 0;
    return rc;
}

void archive_rollback(struct archive *a)
{
    text_clear(&a->body);
    a->entries = 0;
    os_lock(&a->lock);
    for (; a->unsettled > 0; a->unsettled--)
        a->segments[a->count - a->unsettled].live = 0;
    os_unlock(&a->lock);
}

void archive_settled(struct archive *a)
{
    os_lock(&a->lock);
    a->unsettled = 0;
    os_unlock(&a->lock);
}

/* ---- reading ---- */

/* Under the lock. */
static struct archive_segment *find(struct archive *a, uint32_t number)
{
    uint32_t low = 0, high = a->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (a->segments[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low < a->count && a->segments[low].number == number
               ? &a->segments[low]
               : NULL;
}

/* An entry, checked; malloc'd. */
static int read_entry(struct archive *a, struct archive_place p,
                      uint8_t **entry)
{
    char path[ARCHIVE_PATH_BYTES];
    uint8_t head[ENTRY_HEADER];
    uint64_t at = (uint64_t)p.offset * UNIT;
    *entry = NULL;
    os_lock(&a->lock);
    struct archive_segment *s = find(a, p.segment);
    bool there = s != NULL;
    os_unlock(&a->lock);
    if (!there)
        return error_set(WARP_ENOTFOUND, "the archive has no segment %08x",
                         p.segment);
    archive_path(a, p.segment, path);
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT)
        return error_set(WARP_ECORRUPT, "%s: this segment of the archive is "
                                        "missing; restore it from a backup",
                         path);
    if (fd < 0)
        return error_os(fd, "cannot read", path);
    int64_t n = os_pread(fd, head, sizeof head, at);
    size_t bytes = 0;
    if (n == (int64_t)sizeof head && wire_get32(head + 8) == p.bytes &&
        wire_get32(head + 4) <= ARCHIVE_OWNER_MAX) {
        bytes = sizeof head + wire_get32(head + 4) + p.bytes;
        *entry = malloc(bytes);
        n = *entry ? os_pread(fd, *entry, bytes, at) : -ENOMEM;
    }
    os_close(fd);
    if (n < 0)
        return error_os((int)n, "cannot read", path);
    if (*entry && (size_t)n == bytes && wire_get32(*entry) == p.crc &&
        entry_crc(p.segment, *entry, bytes) == p.crc)
        return WARP_OK;
    free(*entry);
    *entry = NULL;
    return damaged(a, p.segment, at, "begins an entry that is not as it was "
                                     "written");
}

int archive_read(struct archive *a, struct archive_place p,
                 archive_alloc_fn *alloc, void *arg)
{
    uint8_t *entry;
    int rc = read_entry(a, p, &entry);
    if (rc != WARP_OK)
        return rc;
    void *to = alloc(arg, p.bytes);
    if (to && p.bytes > 0)
        memcpy(to, entry + ENTRY_HEADER + wire_get32(entry + 4), p.bytes);
    free(entry);
    return to ? WARP_OK
              : error_set(WARP_ENOMEM, "out of memory for a value of the "
                                       "archive");
}

int archive_check(struct archive *a, struct archive_place p, const void *owner,
                  size_t owner_bytes)
{
    uint8_t *entry;
    int rc = read_entry(a, p, &entry);
    if (rc == WARP_ENOTFOUND)
        return error_set(WARP_ECORRUPT, "the archive has no segment %08x",
                         p.segment);
    if (rc != WARP_OK)
        return rc;
    bool same = wire_get32(entry + 4) == owner_bytes &&
                memcmp(entry + ENTRY_HEADER, owner, owner_bytes) == 0;
    free(entry);
    return same ? WARP_OK
                : damaged(a, p.segment, (uint64_t)p.offset * UNIT,
                          "begins an entry of another owner");
}

/* ---- counting and dropping ---- */

static void count(struct archive *a, struct archive_place p, int sign)
{
    os_lock(&a->lock);
    struct archive_segment *s = find(a, p.segment);
    if (s)
        s->live += sign;
    os_unlock(&a->lock);
}

void archive_recount(struct archive *a, struct archive_place p)
{
    count(a, p, 1);
}

void archive_leave(struct archive *a, uint32_t number)
{
    os_lock(&a->lock);
    struct archive_segment *s = find(a, number);
    if (s)
        s->missing = true;
    os_unlock(&a->lock);
}

void archive_free(struct archive *a, struct archive_place p)
{
    count(a, p, -1);
}

void archive_recounted(struct archive *a)
{
    os_lock(&a->lock);
    a->recounted = true;
    os_unlock(&a->lock);
}

void archive_hold(struct archive *a, bool hold)
{
    os_lock(&a->lock);
    a->held += hold ? 1u : UINT32_MAX;
    os_unlock(&a->lock);
}

int archive_reclaim(struct archive *a)
{
    char path[ARCHIVE_PATH_BYTES];
    struct archive_segment *all = NULL;
    uint32_t count, kept = 0;
    int rc = WARP_OK;
    os_lock(&a->lock);
    count = a->count;
    bool may = a->recounted && a->held == 0 && a->unsettled == 0 &&
               !a->read_only;
    for (uint32_t i = 0; i < count && may; i++)
        kept += a->segments[i].live > 0;
    if (!may || kept == count)
        goto out;
    all = malloc(count * sizeof *all);
    if (!all) {
        rc = error_set(WARP_ENOMEM, "out of memory for the archive");
        goto out;
    }
    memcpy(all, a->segments, count * sizeof *all);
    a->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (all[i].live > 0)
            a->segments[a->count++] = all[i];
    rc = archive_manifest_write(a); /* A2 */
    if (rc != WARP_OK) {
        memcpy(a->segments, all, count * sizeof *all);
        a->count = count;
    }
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++)
        if (all[i].live <= 0) {
            archive_path(a, all[i].number, path);
            (void)os_unlink(path); /* else the next open does it */
        }
out:
    os_unlock(&a->lock);
    free(all);
    return rc;
}

void archive_stat(struct archive *a, struct archive_stat *stat)
{
    memset(stat, 0, sizeof *stat);
    os_lock(&a->lock);
    for (uint32_t i = 0; i < a->count; i++) {
        stat->file_bytes += a->segments[i].bytes;
        if (a->segments[i].live > 0)
            stat->live_bytes += a->segments[i].bytes *
                                (uint64_t)a->segments[i].live /
                                (a->segments[i].entries + 1u);
    }
    stat->segments = a->count;
    os_unlock(&a->lock);
}

/* ---- whole segments ---- */

static int walk_entries(const struct archive *a, uint32_t number,
                        const uint8_t *b, uint64_t end, uint32_t entries,
                        archive_entry_fn *fn, void *arg)
{
    uint64_t at = ARCHIVE_HEADER_BYTES;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < entries && rc == WARP_OK; i++) {
        if (end - at < ENTRY_HEADER)
            return damaged(a, number, at, "is where an entry is cut");
        uint32_t owner = wire_get32(b + at + 4);
        uint64_t size =
            (uint64_t)ENTRY_HEADER + owner + wire_get32(b + at + 8);
        if (size > end - at || owner > ARCHIVE_OWNER_MAX ||
            entry_crc(number, b + at, size) != wire_get32(b + at))
            return damaged(a, number, at, "begins a damaged entry");
        struct archive_place place = {number, (uint32_t)(at / UNIT),
                                      wire_get32(b + at + 8),
                                      wire_get32(b + at)};
        if (fn)
            rc = fn(arg, place, b + at + ENTRY_HEADER, owner,
                    b + at + ENTRY_HEADER + owner);
        at += (size + UNIT - 1) / UNIT * UNIT;
    }
    return rc != WARP_OK || at == end
               ? rc
               : damaged(a, number, at, "is behind the last entry");
}

static int check_whole(const struct archive *a, uint32_t number,
                       const uint8_t *b, uint64_t bytes,
                       struct archive_segment *found, archive_entry_fn *fn,
                       void *arg)
{
    if (bytes < ARCHIVE_HEADER_BYTES + TRAILER_BYTES)
        return damaged(a, number, bytes, "is the end: the file is cut");
    uint64_t end = bytes - TRAILER_BYTES;
    if (memcmp(b, magic, sizeof magic) != 0 || wire_get32(b + 8) != FORMAT ||
        wire_get32(b + 12) != number || memcmp(b + 16, a->store_id, 16) != 0 ||
        wire_get32(b + 60) != crc32c(0, b, 60))
        return damaged(a, number, 0, "begins no segment of this archive");
    if (wire_get64(b + end) != end ||
        wire_get32(b + end + 12) != crc32c(0, b, end))
        return damaged(a, number, end, "begins a trailer that does not fit");
    found->number = number;
    found->bytes = bytes;
    found->crc = crc32c(0, b, bytes);
    found->entries = wire_get32(b + end + 8);
    return walk_entries(a, number, b, end, found->entries, fn, arg);
}

static int scan(const struct archive *a, uint32_t number,
                struct archive_segment *found, archive_entry_fn *fn,
                void *arg)
{
    char path[ARCHIVE_PATH_BYTES];
    uint64_t bytes = 0;
    void *map = NULL;
    memset(found, 0, sizeof *found);
    archive_path(a, number, path);
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT)
        return error_set(WARP_ECORRUPT,
                         "%s: this segment of the archive is missing", path);
    if (fd < 0)
        return error_os(fd, "cannot read", path);
    int rc = os_size(fd, &bytes);
    if (rc == 0 && bytes > 0)
        rc = os_map_read(fd, bytes, &map);
    os_close(fd);
    if (rc != 0)
        return error_os(rc, "cannot read", path);
    rc = check_whole(a, number, map, bytes, found, fn, arg);
    if (map)
        os_unmap(map, bytes);
    return rc;
}

int archive_segment_scan(const struct archive *a, uint32_t number,
                         struct archive_segment *found)
{
    return scan(a, number, found, NULL, NULL);
}

int archive_walk(struct archive *a, uint32_t number, archive_entry_fn *fn,
                 void *arg)
{
    struct archive_segment found;
    return scan(a, number, &found, fn, arg);
}

uint32_t archive_emptiest(struct archive *a, uint32_t live_pct)
{
    uint64_t least = live_pct;
    uint32_t number = 0;
    os_lock(&a->lock);
    for (uint32_t i = 0; i < a->count && a->recounted; i++) {
        const struct archive_segment *s = &a->segments[i];
        uint64_t live = s->live > 0 ? (uint64_t)s->live : 0;
        uint64_t pct = live * 100 / (s->entries + 1u);
        if (live > 0 && !s->missing && s->entries > live && pct < least) {
            least = pct;
            number = s->number;
        }
    }
    os_unlock(&a->lock);
    return number;
}

int archive_verify(struct archive *a,
                   void (*bad)(void *arg, const char *text), void *arg)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0;; i++) {
        struct archive_segment s = {0}, found;
        os_lock(&a->lock);
        bool there = i < a->count;
        if (there)
            s = a->segments[i];
        os_unlock(&a->lock);
        if (!there)
            break;
        int rc = archive_segment_scan(a, s.number, &found);
        if (rc == WARP_OK && (found.crc != s.crc || found.bytes != s.bytes ||
                              found.entries != s.entries))
            rc = damaged(a, s.number, 0,
                         "begins a segment that the manifest does not know");
        if (rc == WARP_ENOMEM)
            return rc;
        if (rc == WARP_OK)
            continue;
        wrong++;
        bad(arg, error_text());
    }
    return wrong ? WARP_ECORRUPT : WARP_OK;
}

int archive_files(struct archive *a, int (*fn)(void *arg, const char *path),
                  void *arg)
{
    char name[32];
    int rc = 0;
    os_lock(&a->lock);
    uint32_t n = a->count;
    uint32_t *numbers = malloc((n + 1) * sizeof *numbers);
    for (uint32_t i = 0; i < n && numbers; i++)
        numbers[i] = a->segments[i].number;
    uint32_t version = a->version;
    os_unlock(&a->lock);
    if (!numbers)
        return error_set(WARP_ENOMEM, "out of memory for the archive");
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        snprintf(name, sizeof name, "%08x.wseg", numbers[i]);
        rc = fn(arg, name);
    }
    snprintf(name, sizeof name, "manifest-%08x", version);
    if (rc == 0 && version > 0)
        rc = fn(arg, name);
    free(numbers);
    return rc;
}
