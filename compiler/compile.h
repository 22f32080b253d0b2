/* A schema file -> its model: reads, parses, follows imports, checks. Every
 * message goes to diag; nothing is printed and nothing exits. */
#ifndef WARPC_COMPILE_H
#define WARPC_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct diag;
struct model;
struct source_table;

struct compile {
    struct arena *arena;
    struct source_table *sources;
    struct diag *diag;
    const char *const *include_dirs; /* -I, in order */
    uint32_t include_dir_count;
    const char *schema_name;   /* --name for a stem that is no identifier */
    bool list_idents;          /* fill model.idents: for tests */
    bool io_failed;            /* a file that was named could not be read */
    struct parse_cache *cache; /* files that were parsed in this run */
};

/* NULL when there are errors (io_failed says whether one of them is a file
 * named by the user that cannot be read). A model is never partial. Several
 * files may be compiled in one run; each file is read and parsed once. */
const struct model *compile_file(struct compile *compile, const char *path);
/* A text that is not a file (diff --against git:REF:…); imports are looked
 * for beside `path`. */
const struct model *compile_text(struct compile *compile, const char *path,
                                 const char *text, uint32_t len);

#endif
