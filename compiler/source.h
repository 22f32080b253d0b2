/* The texts of a run and the places in them. A place is a range of bytes;
 * line and column are worked out only when a message is printed. */
#ifndef WARPC_SOURCE_H
#define WARPC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Half open: [begin, end) in bytes of file `file`. file 0 is "nowhere". */
struct source_range {
    uint32_t file;
    uint32_t begin, end;
};

struct source {
    uint32_t id;
    const char *path; /* as it was written or found; used in messages */
    const char *real; /* canonical path: one file is read once */
    const char *text; /* ends with two NUL bytes that len does not count */
    uint32_t len;
    uint32_t *line_starts; /* made when first asked for */
    uint32_t line_count;
};

struct source_table;

struct source_position {
    uint32_t line, column; /* from 1; column counts characters, not bytes */
};

struct source_table *source_table_create(struct arena *arena);
/* 0, or why the file cannot be read: an errno value (EFBIG: past the limit,
 * EISDIR: a directory) or SOURCE_NO_FILE: a pipe or a device, at which a run
 * would wait for a writer; `stream`: those in /dev may be read, as /dev/stdin.
 * A file that was read before is returned again. */
enum { SOURCE_NO_FILE = -1 };
int source_open(struct source_table *table, const char *path, bool stream,
                struct source **out);
const char *source_why(int error);
/* A text that is not a file: tests, and schemas out of git. */
struct source *source_add(struct source_table *table, const char *path,
                          const char *text, size_t len);
/* Beside the file, then in its place: never half a file. 0 or an errno. */
int source_rewrite(struct arena *arena, const struct source *source,
                   const char *text, size_t len);
struct source *source_by_id(const struct source_table *table, uint32_t id);
uint32_t source_count(const struct source_table *table);
struct source_position source_position(struct source_table *table,
                                       uint32_t file, uint32_t offset);
/* The line without its end, for messages. */
const char *source_line(struct source_table *table, uint32_t file,
                        uint32_t line, uint32_t *len);

#endif
