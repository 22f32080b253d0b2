/* archive_where.c: see archive_where.h. */
#include "archive_where.h"

#include "error.h"
#include "os.h"

#include <stdio.h>

static const struct ssd_slice name = {"archive", 7},
                              made = {"archive-made", 12};

static int copy_path(void *arg, struct ssd_slice value)
{
    char *path = arg;
    if (value.bytes >= ARCHIVE_WHERE_BYTES)
        return error_set(WARP_ECORRUPT, "the archive's path is too long");
    memcpy(path, value.data, value.bytes);
    path[value.bytes] = 0;
    return WARP_OK;
}

static int note_made(void *arg, struct ssd_slice value)
{
    (void)value;
    *(bool *)arg = true;
    return WARP_OK;
}

static int keep_path(struct ssd *ssd, const char *path)
{
    struct ssd_txn *txn = NULL;
    struct ssd_slice value = {path, strlen(path)};
    int os = os_mkdir(path);
    if (os == 0)
        os = os_sync_parent(path);
    if (os != 0)
        return error_os(os, "cannot make the archive", path);
    int rc = ssd_begin(ssd, &txn);
    if (rc == WARP_OK)
        rc = ssd_put(txn, SSD_META, name, value);
    if (rc == WARP_OK)
        rc = ssd_put(txn, SSD_META, made, value);
    if (rc == WARP_OK)
        return ssd_commit(&txn);
    ssd_abort(&txn);
    return rc;
}

static int from_url(const char *url, const uint8_t id[16], char *path)
{
    if (strncmp(url, "file://", 7) == 0)
        url += 7;
    if (strstr(url, "://"))
        return error_set(WARP_EINVAL,
                         "archive_url: %s: an archive is a directory; object "
                         "stores cannot be reached from this build", url);
    if (os_exists(url) != 1)
        return error_set(WARP_EINVAL, "archive_url: there is no directory %s",
                         url);
    int n = snprintf(path, ARCHIVE_WHERE_BYTES, "%s/", url);
    for (int i = 0; i < 16 && n < ARCHIVE_WHERE_BYTES - 2; i++)
        n += snprintf(path + n, ARCHIVE_WHERE_BYTES - (size_t)n, "%02x",
                      id[i]);
    return n >= ARCHIVE_WHERE_BYTES - 2
               ? error_set(WARP_EINVAL, "archive_url: the path is too long")
               : WARP_OK;
}

/* A directory that was made and is not there is on a disk that is not mounted:
 * what was written to another one in its place would be lost with it. */
static int must_be_there(struct ssd *ssd, const char *path)
{
    bool was_made = false;
    int rc = ssd_get(ssd, SSD_META, made, note_made, &was_made);
    if (rc != WARP_OK && rc != WARP_ENOTFOUND)
        return rc;
    if (os_exists(path) == 1)
        return was_made ? WARP_OK : keep_path(ssd, path);
    return was_made ? error_set(WARP_EIO,
                                "the archive of this store, %s, is not there: "
                                "mount its disk, or make this directory to go "
                                "on without what it held",
                                path)
                    : WARP_OK;
}

int archive_where(struct ssd *ssd, const char *store, const char *url,
                  const uint8_t id[16], bool remember,
                  char path[ARCHIVE_WHERE_BYTES])
{
    char inside[ARCHIVE_WHERE_BYTES], kept[ARCHIVE_WHERE_BYTES] = "";
    snprintf(inside, sizeof inside, "%.4000s/archive", store);
    int rc = ssd_get(ssd, SSD_META, name, copy_path, kept);
    if (rc != WARP_OK && rc != WARP_ENOTFOUND)
        return rc;
    snprintf(path, ARCHIVE_WHERE_BYTES, "%s",
             kept[0] && os_exists(inside) != 1 ? kept : inside);
    bool outside = strcmp(path, inside) != 0;
    rc = outside && remember ? must_be_there(ssd, path) : WARP_OK;
    if (!url || rc != WARP_OK)
        return rc;
    char asked[ARCHIVE_WHERE_BYTES];
    rc = from_url(url, id, asked);
    if (rc != WARP_OK)
        return rc;
    bool used = kept[0] || os_exists(inside) == 1;
    if (used && strcmp(asked, path) != 0)
        return error_set(WARP_EINVAL,
                         "archive_url: the archive of this store is %s: move "
                         "its files there first, or leave the option NULL",
                         path);
    snprintf(path, ARCHIVE_WHERE_BYTES, "%s", asked);
    return kept[0] || !remember ? WARP_OK : keep_path(ssd, asked);
}
