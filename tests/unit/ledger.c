/* ledger.c: see ledger.h. */
#include "ledger.h"

#include "os.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { NAMES = 400, FILES = 1024, PATH = 4500 };

struct name {
    char path[PATH];
    bool used, named, unsynced;
};

static struct name names[NAMES];
static int of_fd[FILES]; /* 1 + index of names; 0: not noted */
static bool on;
static uint32_t left;
static void (*unlink_fn)(const char *path);
static void (*rename_fn)(const char *from, const char *to);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void ledger_begin(void (*before_unlink)(const char *path),
                  void (*before_rename)(const char *from, const char *to))
{
    memset(names, 0, sizeof names);
    memset(of_fd, 0, sizeof of_fd);
    unlink_fn = before_unlink;
    rename_fn = before_rename;
    left = 0;
    on = true;
}

void ledger_end(void)
{
    on = false;
}

void ledger_fail(uint32_t n)
{
    left = n;
}

bool ledger_failed(void)
{
    bool came = left == 0;
    left = 0;
    return came;
}

static bool fails(void)
{
    pthread_mutex_lock(&lock);
    bool now = on && left > 0 && --left == 0;
    pthread_mutex_unlock(&lock);
    return now;
}

static struct name *find(const char *path)
{
    for (int i = 0; i < NAMES; i++)
        if (names[i].used && strcmp(names[i].path, path) == 0)
            return &names[i];
    return NULL;
}

static struct name *note(const char *path)
{
    struct name *n = find(path);
    for (int i = 0; i < NAMES && !n; i++)
        if (!names[i].used)
            n = &names[i];
    ck_assert_ptr_nonnull(n);
    memset(n, 0, sizeof *n);
    n->used = true;
    strncpy(n->path, path, PATH - 1);
    return n;
}

/* Is the file in the directory itself? */
static bool is_in(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    return strncmp(path, dir, n) == 0 && path[n] == '/' &&
           strchr(path + n + 1, '/') == NULL;
}

static void sync_names(const char *dir)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < NAMES; i++)
        if (names[i].used && is_in(names[i].path, dir))
            names[i].named = true;
    pthread_mutex_unlock(&lock);
}

uint32_t ledger_unnamed(const char *dir, bool (*may_go)(const char *path),
                        char path[4500])
{
    uint32_t count = 0;
    size_t n = strlen(dir);
    for (int i = 0; i < NAMES; i++) {
        const struct name *e = &names[i];
        if (!e->used || e->named || strncmp(e->path, dir, n) != 0 ||
            (e->path[n] && e->path[n] != '/') || (may_go && may_go(e->path)))
            continue;
        if (path && count == 0)
            strcpy(path, e->path);
        count++;
    }
    return count;
}

bool ledger_unsynced(const char *path)
{
    const struct name *n = find(path);
    return n && n->unsynced;
}

/* ---- the calls ---- */

#define REAL(type, name, parameters)                                           \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters

REAL(int, os_open, (const char *path, int flags))
{
    if (fails())
        return -EIO;
    bool made = on && (flags & OS_CREATE) && os_exists(path) == 0;
    int fd = __real_os_open(path, flags);
    pthread_mutex_lock(&lock);
    if (fd >= 0 && made)
        note(path);
    if (fd >= 0 && fd < FILES) {
        struct name *n = on ? find(path) : NULL;
        of_fd[fd] = n ? (int)(n - names) + 1 : 0;
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

REAL(int, os_pwrite, (int fd, const void *from, size_t bytes, uint64_t at))
{
    if (fails())
        return -EIO;
    pthread_mutex_lock(&lock);
    if (on && fd < FILES && of_fd[fd])
        names[of_fd[fd] - 1].unsynced = true;
    pthread_mutex_unlock(&lock);
    return __real_os_pwrite(fd, from, bytes, at);
}

REAL(int, os_fdatasync, (int fd))
{
    if (fails())
        return -EIO;
    int rc = __real_os_fdatasync(fd);
    pthread_mutex_lock(&lock);
    if (on && rc == 0 && fd < FILES && of_fd[fd])
        names[of_fd[fd] - 1].unsynced = false;
    pthread_mutex_unlock(&lock);
    return rc;
}

REAL(int, os_mkdir, (const char *path))
{
    if (fails())
        return -EIO;
    bool made = on && os_exists(path) == 0;
    int rc = __real_os_mkdir(path);
    pthread_mutex_lock(&lock);
    if (rc == 0 && made)
        note(path);
    pthread_mutex_unlock(&lock);
    return rc;
}

REAL(int, os_rename, (const char *from, const char *to))
{
    if (fails())
        return -EIO;
    if (on && rename_fn)
        rename_fn(from, to);
    int rc = __real_os_rename(from, to);
    pthread_mutex_lock(&lock);
    struct name *n = on && rc == 0 ? find(from) : NULL;
    bool unsynced = n && n->unsynced;
    if (n)
        n->used = false;
    if (on && rc == 0)
        note(to)->unsynced = unsynced;
    pthread_mutex_unlock(&lock);
    return rc;
}

REAL(int, os_unlink, (const char *path))
{
    if (fails())
        return -EIO;
    if (on && unlink_fn && os_exists(path) == 1)
        unlink_fn(path);
    int rc = __real_os_unlink(path);
    pthread_mutex_lock(&lock);
    struct name *n = on && rc == 0 ? find(path) : NULL;
    if (n)
        n->used = false;
    pthread_mutex_unlock(&lock);
    return rc;
}

REAL(int, os_sync_dir, (const char *path))
{
    if (fails())
        return -EIO;
    int rc = __real_os_sync_dir(path);
    if (on && rc == 0)
        sync_names(path);
    return rc;
}

REAL(int, os_sync_parent, (const char *path))
{
    char parent[PATH];
    if (fails())
        return -EIO;
    int rc = __real_os_sync_parent(path);
    strncpy(parent, path, PATH - 1);
    parent[PATH - 1] = 0;
    char *slash = strrchr(parent, '/');
    if (!on || rc != 0 || !slash)
        return rc;
    *slash = 0;
    sync_names(parent);
    return rc;
}
