/* backup_keep.c: the earlier states that a backup's directory keeps, as links
 * to the files of the backup that is replaced. See backup.h. */
#include "backup_keep.h"

#include "error.h"
#include "file_copy.h"
#include "os.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

uint64_t backup_state_of(const char *path, const char **rest)
{
    uint64_t position;
    int used = 0;
    if (sscanf(path, BACKUP_EARLIER "/%" SCNu64 "/%n", &position, &used) != 1 ||
        used == 0)
        return BACKUP_NEWEST;
    *rest = path + used;
    return position;
}

static int by_position(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int backup_states(const struct manifest *m, uint64_t **positions,
                  uint32_t *count)
{
    uint64_t *list = calloc(m->count + 1, sizeof *list);
    uint32_t n = 0;
    *positions = list;
    *count = 0;
    if (!list)
        return error_set(WARP_ENOMEM, "out of memory for a backup");
    for (uint32_t i = 0; i < m->count; i++) {
        const char *rest = NULL;
        uint64_t p = backup_state_of(m->files[i].path, &rest);
        if (p != BACKUP_NEWEST && strcmp(rest, MANIFEST_NAME) == 0)
            list[n++] = p;
    }
    if (n > 1)
        qsort(list, n, sizeof *list, by_position);
    *count = n;
    return WARP_OK;
}

/* The directories in which a file of the backup lies. */
static int make_dirs(const char *dir, const char *name)
{
    char path[PATH_BYTES + MANIFEST_PATH_MAX];
    for (const char *at = strchr(name, '/'); at; at = strchr(at + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", dir, (int)(at - name), name);
        int rc = os_mkdir(path);
        if (rc < 0)
            return error_os(rc, "cannot make", path);
    }
    return WARP_OK;
}

/* One file more under another name; where links are not to be had, a copy. */
static int keep_file(const struct backup_keep *k, const char *from,
                     const char *to, const struct manifest_file *known)
{
    char a[PATH_BYTES + MANIFEST_PATH_MAX], b[PATH_BYTES + MANIFEST_PATH_MAX];
    uint64_t bytes = 0;
    uint32_t crc = 0;
    snprintf(a, sizeof a, "%s/%s", k->from, from);
    snprintf(b, sizeof b, "%s/%s", k->to, to);
    int rc = make_dirs(k->to, to);
    if (rc != WARP_OK)
        return rc;
    rc = os_link(a, b);
    if (rc == -ENOENT)
        return error_set(WARP_ECORRUPT,
                         "%s is missing: the backup that stands there is "
                         "damaged; name a new directory",
                         a);
    if (rc < 0 && rc != -EPERM && rc != -EMLINK && rc != -EOPNOTSUPP)
        return error_os(rc, "cannot link", a);
    if (rc < 0)
        rc = file_copy(a, b, UINT64_MAX, false, &bytes, &crc, k->step, k->arg);
    else if (!known)
        rc = file_sum(b, &bytes, &crc, k->step, k->arg);
    if (rc != WARP_OK)
        return rc;
    /* The copy is checked against these when the backup is verified. */
    return known ? manifest_add(k->manifest, to, known->bytes, known->crc)
                 : manifest_add(k->manifest, to, bytes, crc);
}

static bool is_kept(const uint64_t *positions, uint32_t from, uint32_t count,
                    uint64_t position)
{
    for (uint32_t i = from; i < count; i++)
        if (positions[i] == position)
            return true;
    return false;
}

/* The state that was the newest; its manifest goes along. */
static int keep_newest(const struct backup_keep *k)
{
    char to[MANIFEST_PATH_MAX + 64];
    int rc = WARP_OK;
    for (uint32_t i = 0; i <= k->old->count && rc == WARP_OK; i++) {
        const struct manifest_file *f =
            i < k->old->count ? &k->old->files[i] : NULL;
        const char *rest, *name = f ? f->path : MANIFEST_NAME;
        if (backup_state_of(name, &rest) != BACKUP_NEWEST)
            continue;
        int n = snprintf(to, sizeof to, BACKUP_EARLIER "/%" PRIu64 "/%s",
                         k->old->position, name);
        rc = n < MANIFEST_PATH_MAX
                 ? keep_file(k, name, to, f)
                 : error_set(WARP_EINVAL, "%s: the name is too long", to);
    }
    return rc;
}

/* The names in a directory and in those below it become durable. */
static int sync_names(const char *dir);

static int sync_below(void *arg, const char *name)
{
    char path[PATH_BYTES + MANIFEST_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", (const char *)arg, name);
    int rc = n < (int)sizeof path ? sync_names(path) : -ENAMETOOLONG;
    return rc == -ENOTDIR ? 0 : rc;
}

static int sync_names(const char *dir)
{
    char path[PATH_BYTES + MANIFEST_PATH_MAX];
    snprintf(path, sizeof path, "%s", dir);
    int rc = os_list(path, sync_below, path);
    return rc == 0 ? os_sync_dir(path) : rc;
}

int backup_share(const struct backup_keep *k, const char *name, uint64_t bytes,
                 uint32_t crc, uint64_t *linked)
{
    char old[PATH_BYTES + MANIFEST_PATH_MAX];
    char new[PATH_BYTES + MANIFEST_PATH_MAX];
    char link[PATH_BYTES + MANIFEST_PATH_MAX + 8];
    const struct manifest_file *f = manifest_find(k->old, name);
    if (!f || f->bytes != bytes || f->crc != crc || bytes == 0)
        return WARP_OK;
    snprintf(old, sizeof old, "%s/%s", k->from, name);
    snprintf(new, sizeof new, "%s/%s", k->to, name);
    snprintf(link, sizeof link, "%s.link", new);
    /* A sum of 32 bits is no proof. */
    int same = file_same(old, new, bytes);
    if (same <= 0)
        return same;
    if (os_link(old, link) != 0)
        return WARP_OK; /* the copy is as good */
    int rc = os_rename(link, new);
    if (rc != 0) {
        os_unlink(link);
        return error_os(rc, "cannot rename", link);
    }
    ++*linked;
    return WARP_OK;
}

int backup_keep(const struct backup_keep *k, uint32_t count)
{
    uint64_t *positions;
    uint32_t had;
    int rc = backup_states(k->old, &positions, &had);
    if (rc != WARP_OK || count == 0)
        goto out;
    /* Nothing was written since: it is the same state once more. */
    bool newest = k->old->position < k->manifest->position;
    uint32_t more = count - (newest ? 1 : 0);
    uint32_t from = had > more ? had - more : 0;
    for (uint32_t i = 0; i < k->old->count && rc == WARP_OK; i++) {
        const struct manifest_file *f = &k->old->files[i];
        const char *rest;
        uint64_t p = backup_state_of(f->path, &rest);
        if (p != BACKUP_NEWEST && is_kept(positions, from, had, p))
            rc = keep_file(k, f->path, f->path, f);
    }
    if (rc == WARP_OK && newest)
        rc = keep_newest(k);
    if (rc == WARP_OK) {
        char earlier[PATH_BYTES];
        snprintf(earlier, sizeof earlier, "%s/" BACKUP_EARLIER, k->to);
        rc = sync_names(earlier);
        rc = rc == 0 || rc == -ENOENT ? WARP_OK
                                      : error_os(rc, "cannot sync", earlier);
    }
out:
    free(positions);
    return rc;
}
