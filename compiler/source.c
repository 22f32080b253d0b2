/* Reads files whole, finds lines in them, and writes one back for fmt. */
#include "source.h"

#include "arena.h"
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source_table {
    struct arena *arena;
    struct source **sources; /* [0] is nowhere */
    uint32_t count, capacity;
};

struct source_table *source_table_create(struct arena *arena)
{
    struct source_table *table = ARENA_NEW(arena, struct source_table);
    table->arena = arena;
    table->capacity = 16;
    table->sources = ARENA_ARRAY(arena, struct source *, table->capacity);
    table->count = 1;
    return table;
}

static struct source *add_source(struct source_table *table, const char *path,
                                 const char *real, const char *text, size_t len)
{
    if (table->count == table->capacity) {
        size_t bytes = table->capacity * sizeof(struct source *);
        table->sources =
            arena_grow(table->arena, table->sources, bytes, bytes * 2);
        table->capacity *= 2;
    }
    struct source *source = ARENA_NEW(table->arena, struct source);
    source->id = table->count;
    source->path = arena_copy(table->arena, path, strlen(path));
    source->real = arena_copy(table->arena, real, strlen(real));
    source->text = text;
    source->len = (uint32_t)len;
    table->sources[table->count++] = source;
    return source;
}

struct source *source_add(struct source_table *table, const char *path,
                          const char *text, size_t len)
{
    char *copy = arena_alloc(table->arena, len + 2);
    if (len != 0)
        memcpy(copy, text, len);
    return add_source(table, path, path, copy, len);
}

/* Reads until the end or the limit: the size that stat tells is a hint (a
 * pipe has none, a growing file another one). */
static int read_all(struct arena *arena, int fd, size_t hint, char **text,
                    size_t *len)
{
    size_t capacity = hint + 1 < 4096 ? 4096 : hint + 1, used = 0;
    char *buffer = arena_alloc(arena, capacity + 2);
    for (;;) {
        if (used == capacity) {
            buffer = arena_grow(arena, buffer, used, capacity * 2 + 2);
            capacity *= 2;
        }
        ssize_t got = read(fd, buffer + used, capacity - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > LIMIT_FILE_BYTES)
            return EFBIG;
    }
    buffer[used] = buffer[used + 1] = 0;
    *text = buffer;
    *len = used;
    return 0;
}

const char *source_why(int error)
{
    return error == SOURCE_NO_FILE ? "it is a pipe or a device, not a file"
                                   : strerror(error);
}

/* Asked before it is opened: to open a pipe waits, too. */
static int check_kind(const char *path, bool stream)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    return S_ISREG(st.st_mode) || (stream && strncmp(path, "/dev/", 5) == 0)
               ? 0
               : SOURCE_NO_FILE;
}

int source_open(struct source_table *table, const char *path, bool stream,
                struct source **out)
{
    char real[PATH_MAX];
    char *text = NULL;
    size_t len = 0;
    struct stat st;
    if (realpath(path, real) == NULL)
        return errno;
    for (uint32_t i = 1; i < table->count; i++) {
        if (strcmp(table->sources[i]->real, real) == 0) {
            *out = table->sources[i];
            return 0;
        }
    }
    int rc = check_kind(path, stream);
    if (rc != 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) != 0)
        rc = errno;
    else if (S_ISREG(st.st_mode) && st.st_size > LIMIT_FILE_BYTES)
        rc = EFBIG;
    else
        rc =
            read_all(table->arena, fd,
                     S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, &text, &len);
    close(fd);
    if (rc == 0)
        *out = add_source(table, path, real, text, len);
    return rc;
}

int source_rewrite(struct arena *arena, const struct source *source,
                   const char *text, size_t len)
{
    size_t path_len = strlen(source->real);
    char *path = arena_alloc(arena, path_len + 8);
    struct stat st;
    memcpy(path, source->real, path_len);
    memcpy(path + path_len, ".XXXXXX", 8);
    int fd = mkstemp(path), error = 0;
    if (fd < 0)
        return errno;
    for (size_t done = 0; error == 0 && done < len;) {
        ssize_t put = write(fd, text + done, len - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            error = errno;
    }
    if (error == 0 &&
        (stat(source->real, &st) != 0 || fchmod(fd, st.st_mode & 07777) != 0))
        error = errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(path, source->real) != 0)
        error = errno;
    if (error != 0)
        unlink(path);
    return error;
}

struct source *source_by_id(const struct source_table *table, uint32_t id)
{
    return id == 0 || id >= table->count ? NULL : table->sources[id];
}

uint32_t source_count(const struct source_table *table)
{
    return table->count;
}

static void find_lines(struct source_table *table, struct source *source)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < source->len; i++)
        count += source->text[i] == '\n';
    source->line_starts = ARENA_ARRAY(table->arena, uint32_t, count);
    source->line_count = count;
    uint32_t line = 1;
    for (uint32_t i = 0; i < source->len; i++) {
        if (source->text[i] == '\n')
            source->line_starts[line++] = i + 1;
    }
}

/* The byte order mark that a file may begin with: no column, never shown. */
static uint32_t mark_bytes(const struct source *source)
{
    return source->len >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3
                                                                            : 0;
}

struct source_position source_position(struct source_table *table,
                                       uint32_t file, uint32_t offset)
{
    struct source_position position = {1, 1};
    struct source *source = source_by_id(table, file);
    if (source == NULL)
        return position;
    if (source->line_starts == NULL)
        find_lines(table, source);
    uint32_t low = 0, high = source->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    position.line = low + 1;
    for (uint32_t i = low == 0 ? mark_bytes(source) : source->line_starts[low];
         i < offset && i < source->len; i++)
        position.column += ((unsigned char)source->text[i] & 0xc0) != 0x80;
    return position;
}

const char *source_line(struct source_table *table, uint32_t file,
                        uint32_t line, uint32_t *len)
{
    struct source *source = source_by_id(table, file);
    *len = 0;
    if (source == NULL)
        return "";
    if (source->line_starts == NULL)
        find_lines(table, source);
    if (line == 0 || line > source->line_count)
        return "";
    uint32_t begin =
                 line == 1 ? mark_bytes(source) : source->line_starts[line - 1],
             end = begin;
    while (end < source->len && source->text[end] != '\n')
        end++;
    if (end > begin && source->text[end - 1] == '\r')
        end--;
    *len = end - begin;
    return source->text + begin;
}
