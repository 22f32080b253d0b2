/* Reads descriptors of a store and files out of git. git is run without a
 * shell, so no name is ever taken for a command. */
#include "source_outside.h"

#include "arena.h"
#include "limit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool fail(struct outside *out, const char *why)
{
    out->text = "";
    out->size = 0;
    out->why = why;
    return false;
}

/* To the end, or until the limit of a schema file is passed. */
static bool read_all(struct arena *arena, int fd, struct outside *out)
{
    size_t room = 1 << 16, size = 0;
    char *text = arena_alloc(arena, room);
    for (;;) {
        ssize_t got = read(fd, text + size, room - size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(out, strerror(errno));
        if (got == 0)
            break;
        size += (size_t)got;
        if (size > LIMIT_FILE_BYTES)
            return fail(out, "it is too large");
        if (size + 1 == room) {
            text = arena_grow(arena, text, room, room * 2);
            room *= 2;
        }
    }
    text[size] = '\0';
    out->text = text;
    out->size = size;
    out->why = NULL;
    return true;
}

bool outside_read(struct arena *arena, const char *path, struct outside *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok;
    if (fd < 0)
        return fail(out, strerror(errno));
    ok = read_all(arena, fd, out);
    close(fd);
    return ok;
}

bool outside_git(struct arena *arena, const char *revision, const char *path,
                 struct outside *out)
{
    const char *slash = strrchr(path, '/');
    const char *directory =
        slash == NULL ? "."
                      : arena_copy(arena, path, (size_t)(slash - path) + 1);
    char *name =
        arena_format(arena, "%s:./%s", revision, slash ? slash + 1 : path);
    char *argv[] = {
        "git", "-C", (char *)(size_t)directory, "show", "--end-of-options",
        name,  NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], error, status = 0;
    pid_t child = 0;
    bool ok;
    if (pipe(ends) != 0)
        return fail(out, strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    error = posix_spawnp(&child, "git", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ok = error == 0 && read_all(arena, ends[0], out);
    close(ends[0]);
    if (error != 0)
        return fail(out, "git cannot be run");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (ok && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        return fail(out, "git does not have it");
    return ok;
}

const char *outside_newest_descriptor(struct arena *arena, const char *store)
{
    DIR *directory = opendir(arena_format(arena, "%s/schema", store));
    const char *newest = NULL;
    unsigned long best = 0;
    struct dirent *entry;
    if (directory == NULL)
        return NULL;
    while ((entry = readdir(directory)) != NULL) {
        char *end;
        unsigned long number = strtoul(entry->d_name, &end, 10);
        if (end == entry->d_name || strcmp(end, ".wsd") != 0)
            continue;
        if (newest == NULL || number > best) {
            best = number;
            newest = arena_format(arena, "%s/schema/%s", store, entry->d_name);
        }
    }
    closedir(directory);
    return newest;
}
