/* Texts -> files. A file whose bytes stay the same is not touched, so builds
 * do not run on. While the new text agrees with the old file nothing is
 * written; from the first difference on it goes to a file beside, which then
 * takes the old one's place: an interrupted run leaves the old one. */
#include "emit.h"

#include "arena.h"

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

struct output {
    struct text *text;
    const char *path, *beside;
    bool write;
    bool special;          /* a pipe or a device: written as it comes */
    int old, new;          /* or -1 */
    size_t old_size, same; /* bytes that agree, while new is -1 */
    bool changed;
    int error;
};

static int fail(struct output *o)
{
    if (o->error == 0)
        o->error = errno ? errno : EIO;
    return -1;
}

static int put(struct output *o, const char *from, size_t size)
{
    while (size > 0) {
        ssize_t done = write(o->new, from, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(o);
        from += done;
        size -= (size_t)done;
    }
    return 0;
}

static bool get(struct output *o, char *to, size_t size, size_t at)
{
    while (size > 0) {
        ssize_t done = pread(o->old, to, size, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        to += done;
        size -= (size_t)done;
        at += (size_t)done;
    }
    return true;
}

/* The first difference: what agreed so far is copied. */
static int diverge(struct output *o)
{
    char piece[4096];
    o->changed = true;
    if (!o->write)
        return 0;
    o->new = open(o->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (o->new < 0)
        return fail(o);
    for (size_t at = 0; at < o->same; at += sizeof piece) {
        size_t size = o->same - at < sizeof piece ? o->same - at : sizeof piece;
        if (!get(o, piece, size, at) || put(o, piece, size) != 0)
            return fail(o);
    }
    return 0;
}

static bool agrees(struct output *o, const char *bytes, size_t size)
{
    char piece[16384];
    if (o->old < 0 || size > o->old_size - o->same)
        return false;
    for (size_t at = 0; at < size; at += sizeof piece) {
        size_t part = size - at < sizeof piece ? size - at : sizeof piece;
        if (!get(o, piece, part, o->same + at) ||
            memcmp(piece, bytes + at, part) != 0)
            return false;
    }
    return true;
}

static void take(void *arg, const char *bytes, size_t size)
{
    struct output *o = arg;
    if (o->error)
        return;
    if (!o->changed && agrees(o, bytes, size)) {
        o->same += size;
        return;
    }
    if (!o->changed && diverge(o) != 0)
        return;
    if (o->new >= 0)
        (void)put(o, bytes, size);
}

struct output *output_begin(struct text *text, const char *path, bool write)
{
    struct output *o = ARENA_NEW(text->arena, struct output);
    struct stat stat_of;
    o->text = text;
    o->path = path;
    o->write = write;
    o->new = -1;
    o->old = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    o->beside = arena_format(text->arena, "%s.%ld.tmp", path, (long)getpid());
    if (o->old >= 0 && fstat(o->old, &stat_of) == 0 &&
        S_ISREG(stat_of.st_mode)) {
        o->old_size = (size_t)stat_of.st_size;
    } else if (o->old >= 0) {
        close(o->old);
        o->old = -1;
    }
    if (write && stat(path, &stat_of) == 0 && !S_ISREG(stat_of.st_mode) &&
        !S_ISDIR(stat_of.st_mode)) {
        o->special = o->changed = true;
        o->new = open(path, O_WRONLY | O_CLOEXEC);
        if (o->new < 0)
            (void)fail(o);
    }
    text->size = 0;
    text->sink = take;
    text->sink_arg = o;
    return o;
}

enum emit_result output_end(struct output **output)
{
    struct output *o = *output;
    bool made;
    *output = NULL;
    take(o, o->text->at, o->text->size);
    o->text->size = 0;
    o->text->sink = NULL;
    if (!o->changed && (o->old < 0 || o->same != o->old_size))
        (void)diverge(o);
    made = o->new >= 0 && !o->special;
    if (o->new >= 0 && close(o->new) != 0)
        (void)fail(o);
    if (o->old >= 0)
        close(o->old);
    if (made && o->error == 0 && rename(o->beside, o->path) != 0)
        (void)fail(o);
    if (made && o->error != 0)
        unlink(o->beside);
    errno = o->error;
    if (o->error)
        return EMIT_FAILED;
    return o->changed ? EMIT_CHANGED : EMIT_SAME;
}
