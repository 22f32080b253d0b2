/* ssd_copy.c: a state of the file to another one, while it is written to.
 *
 * LMDB could do that, but reads through its map, which may grow meanwhile, and
 * does not tell which state it takes, before it is through. */
#include "error.h"
#include "file_copy.h"
#include "os.h"
#include "ssd.h"
#include "ssd_env.h"

#include <stdio.h>

/* The newest of these meta pages is that of the state: what was copied may tell
 * of later ones. */
static int write_meta(const char *path, const struct ssd_pin *pin)
{
    int fd = os_open(path, OS_READ | OS_WRITE);
    int rc = fd < 0 ? fd : os_pwrite(fd, pin->meta, pin->meta_bytes, 0);
    if (rc == 0)
        rc = os_fdatasync(fd);
    os_close(fd);
    return rc < 0 ? error_os(rc, "cannot write", path) : WARP_OK;
}

int ssd_copy(struct ssd *ssd, const char *dir, int (*pinned)(void *arg),
             int (*step)(void *arg, uint64_t bytes), void *arg)
{
    char path[4096 + 16];
    struct ssd_pin pin;
    uint64_t bytes;
    uint32_t crc;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int rc = ssd_pin(ssd, &pin);
    if (rc != WARP_OK)
        return rc;
    rc = pinned ? pinned(arg) : WARP_OK;
    if (rc == WARP_OK)
        rc = file_copy(ssd_tree_file(ssd)->path, path, pin.file_bytes, false,
                       &bytes, &crc, step, arg);
    if (rc == WARP_OK)
        rc = write_meta(path, &pin);
    ssd_unpin(&pin);
    return rc;
}
