/* Texts -> files. A file whose bytes would stay the same is not touched, so
 * builds do not run on; a changed one is written beside and renamed, so that
 * an interrupted run leaves the old one. */
#include "emit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int emit_make_directory(const char *path)
{
    size_t size = strlen(path);
    char *part = malloc(size + 1);
    int error = 0;
    if (part == NULL)
        return ENOMEM;
    for (size_t i = 1; i <= size && error == 0; i++) {
        if (i < size && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            error = errno;
    }
    free(part);
    return error;
}

static bool read_all(int fd, char *to, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static bool holds(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    char *old;
    bool same = false;
    if (fd < 0)
        return false;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
        (size_t)stat.st_size == size && (old = malloc(size + 1)) != NULL) {
        same = read_all(fd, old, size) && memcmp(old, bytes, size) == 0;
        free(old);
    }
    close(fd);
    return same;
}

static bool write_all(int fd, const char *from, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        from += put;
        size -= (size_t)put;
    }
    return true;
}

/* A pipe or device (-o /dev/stdout as a depfile) is written as it is. */
static bool write_special(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes, size);
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok;
}

enum emit_result emit_write(const char *path, const char *bytes, size_t size,
                            bool write)
{
    struct stat stat_of;
    char *beside;
    size_t room = strlen(path) + 32;
    bool ok;
    int fd, error;
    if (holds(path, bytes, size))
        return EMIT_SAME;
    if (!write)
        return EMIT_CHANGED;
    if (stat(path, &stat_of) == 0 && !S_ISREG(stat_of.st_mode) &&
        !S_ISDIR(stat_of.st_mode))
        return write_special(path, bytes, size) ? EMIT_CHANGED : EMIT_FAILED;
    beside = malloc(room);
    if (beside == NULL)
        return EMIT_FAILED;
    snprintf(beside, room, "%s.%ld.tmp", path, (long)getpid());
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    ok = fd >= 0 && write_all(fd, bytes, size);
    error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(beside, path) != 0) {
        ok = false;
        error = errno;
    }
    if (!ok && fd >= 0)
        unlink(beside);
    free(beside);
    errno = error;
    return ok ? EMIT_CHANGED : EMIT_FAILED;
}
