/* header.c: see header.h. */
#include "header.h"

#include "crc.h"
#include "error.h"
#include "os.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>

enum { HEADER_LIFE = HEADER_BYTES - 12 };

static const char magic[8] = "WARPSTOR";

int header_read(const char *path, struct header *h)
{
    uint8_t b[HEADER_BYTES];
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT)
        return error_set(WARP_ENOSTORE, "%s: there is no store", path);
    if (fd < 0)
        return error_os(fd, "cannot open", path);
    int64_t n = os_pread(fd, b, sizeof b, 0);
    os_close(fd);
    if (n < 0)
        return error_os((int)n, "cannot read", path);
    if (n != HEADER_BYTES || memcmp(b, magic, 8) != 0)
        return error_set(WARP_ECORRUPT, "%s: this is no header of a Warp "
                                        "store, or it is cut", path);
    if (wire_get32(b + HEADER_BYTES - 4) !=
        crc32c(0, b, HEADER_BYTES - 4))
        return error_set(WARP_ECORRUPT, "%s: the store's header is damaged "
                                        "(checksum): restore it from a "
                                        "backup", path);
    if (wire_get32(b + 8) != HEADER_FORMAT)
        return error_set(WARP_EVERSION, "%s: format %u; this library reads "
                                        "format %d", path,
                         wire_get32(b + 8), HEADER_FORMAT);
    uint32_t shards = wire_get32(b + 12);
    uint16_t len = wire_get16(b + 48);
    if (shards < 1 || shards > 256 || len > HEADER_PATH_MAX)
        return error_set(WARP_ECORRUPT, "%s: impossible numbers in the "
                                        "store's header", path);
    h->shards = shards;
    h->ring_bytes = wire_get64(b + 16);
    h->seed = wire_get64(b + 24);
    memcpy(h->store_id, b + 32, 16);
    memcpy(h->ring_path, b + 50, len);
    h->ring_path[len] = 0;
    h->life = wire_get64(b + HEADER_LIFE);
    return WARP_OK;
}

int header_write(const char *path, const char *dir, const struct header *h)
{
    uint8_t b[HEADER_BYTES] = {0};
    char temporary[4200];
    size_t len = strlen(h->ring_path);
    memcpy(b, magic, 8);
    wire_put32(b + 8, HEADER_FORMAT);
    wire_put32(b + 12, h->shards);
    wire_put64(b + 16, h->ring_bytes);
    wire_put64(b + 24, h->seed);
    memcpy(b + 32, h->store_id, 16);
    wire_put16(b + 48, (uint16_t)len);
    memcpy(b + 50, h->ring_path, len);
    wire_put64(b + HEADER_LIFE, h->life);
    wire_put32(b + HEADER_BYTES - 4, crc32c(0, b, HEADER_BYTES - 4));
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = os_open(temporary, OS_WRITE | OS_CREATE | OS_TRUNC);
    if (fd < 0)
        return error_os(fd, "cannot make", temporary);
    int rc = os_pwrite(fd, b, sizeof b, 0);
    if (rc == 0)
        rc = os_fdatasync(fd);
    os_close(fd);
    if (rc == 0)
        rc = os_rename(temporary, path);
    if (rc == 0)
        rc = os_sync_dir(dir);
    return rc == 0 ? WARP_OK : error_os(rc, "cannot write", path);
}

int header_renew(const char *dir)
{
    char path[4200];
    struct header h;
    snprintf(path, sizeof path, "%s/store", dir);
    int rc = header_read(path, &h);
    if (rc != WARP_OK)
        return rc;
    rc = os_random(&h.life, sizeof h.life);
    return rc < 0 ? error_os(rc, "no random numbers for", path)
                  : header_write(path, dir, &h);
}
