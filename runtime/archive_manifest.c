/* archive_manifest.c: which segments belong to the archive.
 *
 * FORMAT of the file manifest-NNNNNNNN (hexadecimal version): lines of text:
 *   warp archive 1
 *   store HEX                      the store's id
 *   next N                         the number of the next segment
 *   segment CRC BYTES ENTRIES NAME of each: CRC32C of the whole file
 *   end CRC                        CRC32C of all the lines before
 * A version is written beside the last one and renamed; then the last one goes.
 * Without a manifest that is whole, the segments themselves tell. */
#include "archive_part.h"

#include "error.h"
#include "sealed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANIFEST_BYTES_MAX = 256 << 20, LINES_LEAST = 3 };

int archive_list_add(struct archive *a, const struct archive_segment *s)
{
    if (a->count == a->room) {
        uint32_t room = a->room ? a->room * 2 : 16;
        struct archive_segment *grown =
            realloc(a->segments, room * sizeof *grown);
        if (!grown)
            return error_set(WARP_ENOMEM, "out of memory for the archive");
        a->segments = grown;
        a->room = room;
    }
    a->segments[a->count++] = *s;
    return WARP_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct archive_segment *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void tell(struct archive *a, const char *text)
{
    if (a->event)
        a->event(a->arg, WARP_ECORRUPT, text);
}

/* ---- reading ---- */

struct versions {
    uint32_t best; /* 0: none */
    uint32_t below; /* only these */
    bool segments;
};

static int note_name(void *arg, const char *name)
{
    struct versions *v = arg;
    uint32_t version;
    int used = 0;
    if (sscanf(name, "manifest-%8" SCNx32 "%n", &version, &used) == 1 &&
        name[used] == 0 && version > v->best && version < v->below)
        v->best = version;
    size_t n = strlen(name);
    v->segments = v->segments || (n > 5 && !strcmp(name + n - 5, ".wseg"));
    return 0;
}

static int read_line(void *arg, const char *line, uint32_t number)
{
    struct archive *a = arg;
    struct archive_segment s = {.was_here = true};
    char id[33] = "", mine[33];
    uint32_t file;
    switch (number) {
    case 0:
        return strcmp(line, "warp archive 1") == 0 ? WARP_OK : WARP_EVERSION;
    case 1:
        for (int i = 0; i < 16; i++)
            snprintf(mine + 2 * i, 3, "%02x", a->store_id[i]);
        return sscanf(line, "store %32s", id) == 1 && strcmp(id, mine) == 0
                   ? WARP_OK
                   : WARP_ECORRUPT;
    case 2:
        return sscanf(line, "next %" SCNu32, &a->next) == 1 ? WARP_OK
                                                            : WARP_ECORRUPT;
    default:
        if (sscanf(line, "segment %8" SCNx32 " %" SCNu64 " %" SCNu32
                         " %8" SCNx32 ".wseg",
                   &s.crc, &s.bytes, &s.entries, &file) != 4 ||
            file == 0 || (a->count > 0 &&
                          file <= a->segments[a->count - 1].number))
            return WARP_ECORRUPT;
        s.number = file;
        return archive_list_add(a, &s);
    }
}

static int read_version(struct archive *a, uint32_t version)
{
    char path[ARCHIVE_PATH_BYTES];
    snprintf(path, sizeof path, "%s/manifest-%08x", a->dir, version);
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return error_os(fd, "cannot read", path);
    a->count = 0;
    int rc = sealed_read(fd, MANIFEST_BYTES_MAX, LINES_LEAST, read_line, a);
    os_close(fd);
    a->version = version;
    if (rc == WARP_ECORRUPT || rc == WARP_EVERSION)
        return error_set(rc, "%s: the archive's manifest is damaged or of "
                             "another store", path);
    return rc;
}

struct rebuild {
    struct archive *archive;
    int rc;
};

static int add_found(void *arg, const char *name)
{
    struct rebuild *r = arg;
    struct archive_segment s = {0};
    uint32_t number;
    int used = 0;
    if (sscanf(name, "%8" SCNx32 ".wseg%n", &number, &used) != 1 ||
        used == 0 || name[used] != 0)
        return 0;
    r->rc = archive_segment_scan(r->archive, number, &s);
    if (r->rc == WARP_ECORRUPT) {
        tell(r->archive, error_text());
        r->rc = WARP_OK;
        s.missing = true;
    }
    s.number = number;
    s.was_here = true;
    if (r->rc == WARP_OK)
        r->rc = archive_list_add(r->archive, &s);
    return r->rc != WARP_OK;
}

static int rebuild(struct archive *a)
{
    struct rebuild r = {a, WARP_OK};
    a->count = 0;
    int rc = os_list(a->dir, add_found, &r);
    if (rc < 0 && r.rc == WARP_OK)
        return error_os(rc, "cannot list", a->dir);
    if (a->count > 1)
        qsort(a->segments, a->count, sizeof *a->segments, by_number);
    a->next = a->count > 0 ? a->segments[a->count - 1].number + 1 : 1;
    return r.rc;
}

/* A segment that came after the manifest is of a commit that never was. */
static int drop_unlisted(void *arg, const char *name)
{
    struct archive *a = arg;
    char path[ARCHIVE_PATH_BYTES];
    uint32_t number;
    int used = 0;
    size_t n = strlen(name);
    bool is_new = n > 4 && strcmp(name + n - 4, ".new") == 0;
    bool is_segment =
        sscanf(name, "%8" SCNx32 ".wseg%n", &number, &used) == 1 && used > 0 &&
        name[used] == 0;
    for (uint32_t i = 0; i < a->count && is_segment; i++)
        if (a->segments[i].number == number)
            return 0;
    if (!is_new && !is_segment)
        return 0;
    snprintf(path, sizeof path, "%s/%s", a->dir, name);
    (void)os_unlink(path);
    return 0;
}

int archive_manifest_read(struct archive *a)
{
    struct versions v = {.below = UINT32_MAX};
    int rc = os_list(a->dir, note_name, &v);
    a->next = 1;
    if (rc == -ENOENT)
        return WARP_OK;
    if (rc < 0)
        return error_os(rc, "cannot list", a->dir);
    if (v.best == 0 && !v.segments)
        return WARP_OK;
    rc = v.best ? read_version(a, v.best) : WARP_ECORRUPT;
    if (rc == WARP_OK) {
        if (!a->read_only)
            os_list(a->dir, drop_unlisted, a);
        return rc;
    }
    if (rc != WARP_ECORRUPT && rc != WARP_EVERSION)
        return rc;
    if (v.best)
        tell(a, error_text());
    rc = rebuild(a);
    a->version = v.best;
    return rc == WARP_OK && !a->read_only ? archive_manifest_write(a) : rc;
}

/* ---- writing ---- */

int archive_manifest_write(struct archive *a)
{
    char path[ARCHIVE_PATH_BYTES], made[ARCHIVE_PATH_BYTES + 8];
    struct text t = TEXT_INIT;
    text_put(&t, "warp archive 1\nstore ");
    for (int i = 0; i < 16; i++)
        text_say(&t, "%02x", a->store_id[i]);
    text_say(&t, "\nnext %" PRIu32 "\n", a->next);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct archive_segment *s = &a->segments[i];
        text_say(&t, "segment %08x %" PRIu64 " %" PRIu32 " %08x.wseg\n",
                 s->crc, s->bytes, s->entries, s->number);
    }
    sealed_end(&t);
    uint32_t version = a->version + 1;
    snprintf(path, sizeof path, "%s/manifest-%08x", a->dir, version);
    snprintf(made, sizeof made, "%s.new", path);
    int rc = t.failed ? -ENOMEM
                      : sealed_write(made, OS_WRITE | OS_CREATE | OS_TRUNC,
                                     t.data, t.used);
    text_free(&t);
    if (rc == 0)
        rc = os_rename(made, path);
    a->unsure = rc == 0;
    if (rc == 0)
        rc = os_sync_dir(a->dir);
    if (rc != 0) {
        (void)os_unlink(made);
        return error_os(rc, "cannot write", path);
    }
    a->unsure = false;
    a->version = version;
    if (a->oldest == 0)
        a->oldest = version - 1;
    for (; a->oldest < version && a->held == 0; a->oldest++) {
        snprintf(path, sizeof path, "%s/manifest-%08x", a->dir, a->oldest);
        (void)os_unlink(path);
    }
    return WARP_OK;
}
