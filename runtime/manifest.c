/* manifest.c: see manifest.h. */
#include "manifest.h"

#include "error.h"
#include "os.h"
#include "sealed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BYTES_MAX = 256 << 20, LINES_LEAST = 6 };

void manifest_free(struct manifest *m)
{
    free(m->files);
    memset(m, 0, sizeof *m);
}

int manifest_add(struct manifest *m, const char *path, uint64_t bytes,
                 uint32_t crc)
{
    if (strlen(path) >= MANIFEST_PATH_MAX)
        return error_set(WARP_EINVAL, "%s: the name is too long", path);
    if (m->count == m->room) {
        uint32_t room = m->room ? m->room * 2 : 64;
        struct manifest_file *grown = realloc(m->files, room * sizeof *grown);
        if (!grown)
            return error_set(WARP_ENOMEM, "out of memory for a manifest");
        m->files = grown;
        m->room = room;
    }
    struct manifest_file *f = &m->files[m->count++];
    snprintf(f->path, sizeof f->path, "%s", path);
    f->bytes = bytes;
    f->crc = crc;
    return WARP_OK;
}

const struct manifest_file *manifest_find(const struct manifest *m,
                                          const char *path)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (strcmp(m->files[i].path, path) == 0)
            return &m->files[i];
    return NULL;
}

int manifest_write(const char *dir, const struct manifest *m)
{
    char path[4200];
    struct text t = TEXT_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, MANIFEST_NAME);
    text_put(&t, "warp backup 1\nstore ");
    for (int i = 0; i < 16; i++)
        text_say(&t, "%02x", m->store_id[i]);
    text_say(&t,
             "\nposition %" PRIu64 "\nclock %" PRId64 " %" PRId64
             "\nbase %" PRIu64 "\n",
             m->position, m->clock_ms, m->made_ms, m->base);
    for (uint32_t i = 0; i < m->count; i++)
        text_say(&t, "file %08x %" PRIu64 " %s\n", m->files[i].crc,
                 m->files[i].bytes, m->files[i].path);
    sealed_end(&t);
    int rc = t.failed ? -ENOMEM
                      : sealed_write(path, OS_WRITE | OS_CREATE | OS_EXCL,
                                     t.data, t.used);
    text_free(&t);
    return rc == 0 ? WARP_OK : error_os(rc, "cannot write", path);
}

/* No way out of the backup's directory. */
static bool path_ok(const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-";
    return path[0] && path[0] != '/' && !strstr(path, "..") &&
           strspn(path, letters) == strlen(path);
}

static bool hex_id(const char *text, uint8_t *id)
{
    for (int i = 0; i < 16; i++) {
        unsigned v;
        if (sscanf(text + 2 * i, "%2x", &v) != 1)
            return false;
        id[i] = (uint8_t)v;
    }
    return true;
}

static int read_line(void *arg, const char *line, uint32_t number)
{
    struct manifest *m = arg;
    char name[MANIFEST_PATH_MAX];
    uint64_t bytes;
    uint32_t crc;
    int got;
    switch (number) {
    case 0:
        return strcmp(line, "warp backup 1") == 0 ? WARP_OK : WARP_EVERSION;
    case 1:
        return strncmp(line, "store ", 6) == 0 && strlen(line) == 38 &&
                       hex_id(line + 6, m->store_id)
                   ? WARP_OK
                   : WARP_ECORRUPT;
    case 2:
        return sscanf(line, "position %" SCNu64, &m->position) == 1
                   ? WARP_OK
                   : WARP_ECORRUPT;
    case 3:
        got = sscanf(line, "clock %" SCNd64 " %" SCNd64, &m->clock_ms,
                     &m->made_ms);
        if (got == 1)
            m->made_ms = m->clock_ms;
        return got >= 1 ? WARP_OK : WARP_ECORRUPT;
    case 4:
        return sscanf(line, "base %" SCNu64, &m->base) == 1 ? WARP_OK
                                                            : WARP_ECORRUPT;
    default:
        if (sscanf(line, "file %8" SCNx32 " %" SCNu64 " %119s", &crc, &bytes,
                   name) != 3 ||
            !path_ok(name))
            return WARP_ECORRUPT;
        return manifest_add(m, name, bytes, crc);
    }
}

int manifest_read(const char *dir, struct manifest *m)
{
    char path[4200];
    memset(m, 0, sizeof *m);
    snprintf(path, sizeof path, "%s/%s", dir, MANIFEST_NAME);
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return error_set(WARP_ENOSTORE, "%s: there is no backup", dir);
    if (fd < 0)
        return error_os(fd, "cannot read", path);
    int rc = sealed_read(fd, BYTES_MAX, LINES_LEAST, read_line, m);
    os_close(fd);
    if (rc == WARP_OK)
        return rc;
    manifest_free(m);
    return rc == WARP_ECORRUPT
               ? error_set(rc, "%s: the backup's manifest is damaged", path)
           : rc == WARP_EVERSION
               ? error_set(rc, "%s: a backup of another format", path)
               : rc;
}
