/* claim.c: see claim.h. */
#include "claim.h"

#include "error.h"
#include "os.h"
#include "sealed.h"
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 4, PATH_BYTES = 4096, BYTES_MAX = 3 * PATH_BYTES };

struct claim {
    char id[33];
    char store[PATH_BYTES], dir[PATH_BYTES];
};

static void id_of(const uint8_t store_id[16], char to[33])
{
    for (size_t i = 0; i < 16; i++)
        snprintf(to + 2 * i, 3, "%02x", store_id[i]);
}

static int keep(char *to, size_t bytes, const char *line, const char *word)
{
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 &&
                   (size_t)snprintf(to, bytes, "%s", line + n) < bytes
               ? WARP_OK
               : WARP_ECORRUPT;
}

static int read_line(void *arg, const char *line, uint32_t number)
{
    struct claim *c = arg;
    switch (number) {
    case 0: return strcmp(line, "warp tier 1") == 0 ? WARP_OK : WARP_ECORRUPT;
    case 1: return keep(c->id, sizeof c->id, line, "store ");
    case 2: return keep(c->store, sizeof c->store, line, "at ");
    case 3: return keep(c->dir, sizeof c->dir, line, "dir ");
    default: return WARP_OK;
    }
}

static void path_of(const char *dir, char *to)
{
    snprintf(to, PATH_BYTES, "%s/of-store", dir);
}

/* WARP_ENOSTORE: nobody's. */
static int read_claim(const char *dir, struct claim *c)
{
    char path[PATH_BYTES];
    path_of(dir, path);
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT)
        return WARP_ENOSTORE;
    if (fd < 0)
        return error_os(fd, "cannot open", path);
    int rc = sealed_read(fd, BYTES_MAX, LINES, read_line, c);
    os_close(fd);
    /* A kill or a power loss may have cut it. */
    return rc == WARP_ECORRUPT ? WARP_ENOSTORE : rc;
}

static int write_claim(const char *dir, const struct claim *c)
{
    char path[PATH_BYTES];
    struct text t = TEXT_INIT;
    path_of(dir, path);
    text_say(&t, "warp tier 1\nstore %s\nat %s\ndir %s\n", c->id, c->store,
             c->dir);
    sealed_end(&t);
    int rc = t.failed ? -ENOMEM
                      : sealed_write(path, OS_WRITE | OS_CREATE | OS_TRUNC,
                                     t.data, t.used);
    text_free(&t);
    if (rc == 0)
        rc = os_sync_dir(dir);
    return rc == 0 ? WARP_OK : error_os(rc, "cannot write", path);
}

static int whole_path(const char *path, char *to)
{
    size_t used = 0;
    to[0] = '\0';
    int rc = path[0] == '/' ? 0 : os_working_dir(to, PATH_BYTES);
    if (rc < 0)
        return error_os(rc, "cannot tell the directory of", path);
    used = strlen(to);
    snprintf(to + used, PATH_BYTES - used, "%s%s", used ? "/" : "", path);
    return WARP_OK;
}

static int is_ours(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "data.mdb") == 0 || strcmp(name, "ring-tails") == 0 ||
           segment_number(name) != 0;
}

/* Files that a store writes, of whatever store. */
static bool has_files(const char *dir)
{
    return os_list(dir, is_ours, NULL) > 0;
}

/* Is the store that wrote the claim another one, and there? */
static bool lives_elsewhere(const struct claim *was, const struct claim *now)
{
    char path[PATH_BYTES + 8];
    struct header *h = malloc(sizeof *h);
    char id[33] = "";
    snprintf(path, sizeof path, "%s/store", was->store);
    if (h && header_read(path, h) == WARP_OK)
        id_of(h->store_id, id);
    free(h);
    return strcmp(id, now->id) == 0 && os_same(was->store, now->store) == 0;
}

/* remedy: where a copy of the directory should be. *same: that is written there
 * already. */
static int check_one(const char *dir, const struct claim *now, bool fresh,
                     const char *remedy, bool *same)
{
    struct claim was = {0};
    int rc = read_claim(dir, &was);
    *same = false;
    if (rc == WARP_ENOSTORE && fresh && has_files(dir))
        return error_set(WARP_EINVAL, "%s holds files of a store: remove them, "
                                      "or name an empty or a new directory",
                         dir);
    if (rc == WARP_OK && strcmp(was.id, now->id) != 0)
        return error_set(WARP_EINVAL, "%s is a directory of the store in %s: "
                                      "name an empty or a new one",
                         dir, was.store);
    /* A directory that was copied with its store may be used. */
    if (rc == WARP_OK && strcmp(was.store, now->store) != 0 &&
        os_same(was.dir, dir) == 1 && lives_elsewhere(&was, now))
        return error_set(WARP_EINVAL,
                         "%s is a directory of the store in %s, of which %s "
                         "is a copy: copy that directory, too, %s",
                         dir, was.store, now->store, remedy);
    if (rc != WARP_OK && rc != WARP_ENOSTORE)
        return rc;
    *same = rc == WARP_OK && strcmp(was.store, now->store) == 0 &&
            strcmp(was.dir, now->dir) == 0;
    return WARP_OK;
}

static int claim_one(const char *dir, const struct claim *now, bool fresh,
                     bool write)
{
    bool same;
    int rc = check_one(dir, now, fresh, "and name the copy in the options",
                       &same);
    if (rc != WARP_OK || same || !write)
        return rc;
    /* A full disk does not keep a store shut: the next open says it. */
    rc = write_claim(dir, now);
    return rc == WARP_ENOSPC && !fresh ? WARP_OK : rc;
}

static int who(const uint8_t store_id[16], const char *store,
               struct claim **claim)
{
    *claim = calloc(1, sizeof **claim);
    if (!*claim)
        return error_set(WARP_ENOMEM, "out of memory for paths");
    id_of(store_id, (*claim)->id);
    return whole_path(store, (*claim)->store);
}

int claim_all(const struct header *h, const char *store, bool fresh,
              bool write)
{
    struct claim *now;
    int rc = who(h->store_id, store, &now);
    for (int i = 0; i < HEADER_PATHS && rc == WARP_OK; i++) {
        if (!h->paths[i][0])
            continue;
        snprintf(now->dir, sizeof now->dir, "%s", h->paths[i]);
        rc = claim_one(h->paths[i], now, fresh, write);
    }
    free(now);
    return rc;
}

int claim_archive(const uint8_t store_id[16], const char *store,
                  const char *archive, bool write)
{
    char inside[PATH_BYTES];
    struct claim *now;
    bool same;
    snprintf(inside, sizeof inside, "%.4000s/archive", store);
    if (strcmp(inside, archive) == 0 || os_exists(archive) != 1)
        return WARP_OK;
    int rc = who(store_id, store, &now);
    if (rc == WARP_OK)
        rc = whole_path(archive, now->dir);
    if (rc == WARP_OK)
        rc = check_one(archive, now, false, "as its directory archive", &same);
    /* Where that cannot be written, nobody writes: an archive on a disk that is
     * read only does not keep its store shut. */
    if (rc == WARP_OK && !same && write)
        (void)write_claim(archive, now);
    free(now);
    return rc;
}

int claim_moved(const struct header *before, const struct header *after,
                const char *store)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    header_dir(before, HEADER_DISK, store, from, sizeof from);
    header_dir(after, HEADER_DISK, store, to, sizeof to);
    if (os_same(from, to) == 1 || !has_files(from) || has_files(to))
        return WARP_OK;
    return error_set(WARP_EINVAL,
                     "options.disk_path names %s, which has no segments; this "
                     "store's are in %s: move them there first, or leave the "
                     "option out",
                     to, from);
}
