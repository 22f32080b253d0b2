/* ssd_compact.c: see ssd_compact.h. */
#include "ssd_compact.h"

#include "error.h"
#include "os.h"
#include "ssd.h"

#include <errno.h>
#include <stdio.h>

enum { PATH_BYTES = 4300, WORTH_BYTES = 1 << 20 };

static int make(struct ssd *ssd, const char *path)
{
    int fd = os_open(path, OS_WRITE | OS_CREATE | OS_EXCL);
    if (fd < 0)
        return error_os(fd, "cannot make", path);
    int rc = ssd_write_compact(ssd, fd);
    os_close(fd);
    return rc;
}

static int copy(const char *from, const char *to, uint64_t *before,
                uint64_t *after)
{
    struct ssd *ssd = NULL;
    struct ssd_stat stat;
    char old[PATH_BYTES + 16], new[PATH_BYTES + 16];
    int rc = ssd_check_file(from, true, NULL, NULL);
    if (rc == WARP_OK)
        rc = ssd_open(from, 0, true, NULL, NULL, &ssd);
    if (rc == WARP_OK)
        rc = ssd_stat(ssd, &stat);
    if (rc != WARP_OK)
        goto out;
    *before = *after = stat.file_bytes;
    if (stat.used_bytes + WORTH_BYTES > stat.file_bytes ||
        stat.used_bytes > stat.file_bytes / 4 * 3)
        goto out;
    snprintf(old, sizeof old, "%s/data.mdb", from);
    snprintf(new, sizeof new, "%s/data.mdb", to);
    os_unlink(new); /* of a run that was interrupted */
    int os = os_mkdir(to);
    rc = os == 0 ? make(ssd, new) : error_os(os, "cannot make", to);
    if (rc == WARP_OK)
        rc = ssd_check_file(to, true, NULL, NULL);
    if (rc == WARP_OK) {
        int fd = os_open(new, OS_READ | OS_WRITE);
        os = fd < 0 ? fd : os_fdatasync(fd);
        if (os == 0)
            os = os_size(fd, after);
        os_close(fd);
        if (os == 0)
            os = os_rename(new, old);
        if (os == 0)
            os = os_sync_dir(from);
        if (os != 0)
            rc = error_os(os, "cannot replace", old);
    }
    os_unlink(new);
    os_rmdir(to);
out:
    if (ssd)
        ssd_close(&ssd);
    return rc;
}

int ssd_compact_store(const char *store, uint64_t *before, uint64_t *after)
{
    char lock[PATH_BYTES], from[PATH_BYTES], to[PATH_BYTES];
    int fd = -1, pid = 0;
    *before = *after = 0;
    snprintf(lock, sizeof lock, "%s/lock", store);
    snprintf(from, sizeof from, "%s/ssd", store);
    snprintf(to, sizeof to, "%s/ssd/compact", store);
    int rc = os_owner_lock(lock, true, &fd, &pid);
    if (rc != 0)
        return rc == -EAGAIN ? error_set(WARP_EBUSY,
                                         "%s: process %d has this store "
                                         "open",
                                         store, pid)
                             : error_os(rc, "cannot lock", lock);
    rc = copy(from, to, before, after);
    os_owner_unlock(fd, lock);
    return rc;
}
