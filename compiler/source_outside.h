/* Bytes that are no schema file of this run: a store's descriptors, and a
 * file as a git revision has it. */
#ifndef WARPC_SOURCE_OUTSIDE_H
#define WARPC_SOURCE_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct outside {
    const char *text; /* in the arena, with a NUL behind its end */
    size_t size;
    const char *why; /* it could not be read */
};

bool outside_read(struct arena *arena, const char *path, struct outside *out);
/* Asks git, in the file's own directory, for the file at that revision. */
bool outside_git(struct arena *arena, const char *revision, const char *path,
                 struct outside *out);
/* STORE/schema/<n>.wsd with the highest n; NULL if `store` is no directory
 * with such a file. */
const char *outside_newest_descriptor(struct arena *arena, const char *store);

#endif
