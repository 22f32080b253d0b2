/* header.c: see header.h. */
#include "header.h"

#include "crc.h"
#include "error.h"
#include "os.h"
#include "wire.h"

#include <warp/warp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    HEADER_LENGTHS = 48,
    HEADER_NOTHING = HEADER_BYTES - 16,
    HEADER_LIFE = HEADER_BYTES - 12
};

static const char magic[8] = "WARPSTOR";

/* Of those before one that would end behind all: too many. */
static size_t paths_bytes(const uint8_t *b)
{
    size_t bytes = 0;
    for (int i = 0; i < HEADER_PATHS && bytes <= HEADER_PATH_MAX; i++)
        bytes += wire_get16(b + HEADER_LENGTHS + 2 * i + bytes);
    return bytes;
}

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
    if (shards < 1 || shards > 256 || paths_bytes(b) > HEADER_PATH_MAX)
        return error_set(WARP_ECORRUPT, "%s: impossible numbers in the "
                                        "store's header", path);
    h->shards = shards;
    h->ring_bytes = wire_get64(b + 16);
    h->seed = wire_get64(b + 24);
    memcpy(h->store_id, b + 32, 16);
    const uint8_t *at = b + HEADER_LENGTHS;
    for (int i = 0; i < HEADER_PATHS; i++) {
        uint16_t len = wire_get16(at);
        memcpy(h->paths[i], at + 2, len);
        h->paths[i][len] = 0;
        at += 2 + len;
    }
    h->nothing = wire_get32(b + HEADER_NOTHING) == 1;
    h->life = wire_get64(b + HEADER_LIFE);
    return WARP_OK;
}

int header_write(const char *path, const char *dir, const struct header *h)
{
    uint8_t b[HEADER_BYTES] = {0};
    char temporary[4200];
    uint8_t *at = b + HEADER_LENGTHS;
    memcpy(b, magic, 8);
    wire_put32(b + 8, HEADER_FORMAT);
    wire_put32(b + 12, h->shards);
    wire_put64(b + 16, h->ring_bytes);
    wire_put64(b + 24, h->seed);
    memcpy(b + 32, h->store_id, 16);
    for (int i = 0; i < HEADER_PATHS; i++) {
        size_t len = strlen(h->paths[i]);
        wire_put16(at, (uint16_t)len);
        memcpy(at + 2, h->paths[i], len);
        at += 2 + len;
    }
    wire_put32(b + HEADER_NOTHING, h->nothing);
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

void header_dir(const struct header *h, enum header_path which,
                const char *dir, char *to, size_t bytes)
{
    static const char *const names[] = {"ring", "ssd", "disk"};
    if (h->paths[which][0])
        snprintf(to, bytes, "%s", h->paths[which]);
    else
        snprintf(to, bytes, "%s/%s", dir, names[which]);
}

uint8_t header_survives(const struct header *h)
{
    return h->nothing ? WARP_SURVIVES_NOTHING : WARP_SURVIVES_PROCESS_CRASH;
}

int header_name(struct header *h, enum header_path which, const char *path,
                bool *changed)
{
    char whole[HEADER_PATH_MAX + 1] = "";
    size_t bytes = 0;
    int rc = path[0] == '/' ? 0 : os_working_dir(whole, sizeof whole);
    if (rc < 0)
        return error_os(rc, "cannot tell the directory of", path);
    size_t begin = strlen(whole);
    int n = snprintf(whole + begin, sizeof whole - begin, "%s%s",
                     begin > 0 ? "/" : "", path);
    for (int i = 0; i < HEADER_PATHS; i++)
        bytes += i == (int)which ? begin + (size_t)n : strlen(h->paths[i]);
    if (bytes > HEADER_PATH_MAX)
        return error_set(WARP_EINVAL, "the paths of rings, ssd and disk are "
                                      "longer than %d bytes together",
                         HEADER_PATH_MAX);
    *changed = *changed || strcmp(h->paths[which], whole) != 0;
    memcpy(h->paths[which], whole, begin + (size_t)n + 1);
    return WARP_OK;
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
