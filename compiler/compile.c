/* A schema file -> its model: reads and parses it and what it imports, finds
 * circles of imports, and has the closure checked. */
#include "compile.h"

#include "arena.h"
#include "check.h"
#include "limit.h"
#include "mangle.h"
#include "parse.h"

#include <errno.h>
#include <string.h>

struct parsed {
    struct parsed *next;
    struct source *source;
    struct ast_file *ast; /* NULL: the file is no schema at all */
    bool failed;
};

struct parse_cache {
    struct atom_table *atoms;
    struct parsed *files;
};

/* A closure under construction: files in the order in which C includes them. */
struct closure {
    struct compile *compile;
    struct check check;
    uint32_t capacity;
    struct open_file {
        struct open_file *parent;
        struct source *source;
        struct source_range at; /* the import that led here */
    } * open;
    uint32_t depth;
    bool failed;
};

static void cannot_read(struct closure *c, int error, const char *path,
                        struct source_range at)
{
    struct diag *diag = c->compile->diag;
    if (error == EFBIG) {
        diag_report(diag, DIAG_TOO_BIG, at, "`%s` is larger than %d MiB", path,
                    LIMIT_FILE_BYTES >> 20);
    } else {
        diag_report(diag, DIAG_CANNOT_READ, at, "cannot read `%s`: %s", path,
                    source_why(error));
        if (at.file == 0)
            c->compile->io_failed = true;
    }
    c->failed = true;
}

static struct parsed *parse_source(struct closure *c, struct source *source)
{
    struct compile *compile = c->compile;
    struct parse_cache *cache = compile->cache;
    if (cache == NULL) {
        cache = compile->cache = ARENA_NEW(compile->arena, struct parse_cache);
        cache->atoms = atom_table_create(compile->arena);
    }
    for (struct parsed *p = cache->files; p != NULL; p = p->next) {
        if (p->source == source)
            return p;
    }
    struct parsed *parsed = ARENA_NEW(compile->arena, struct parsed);
    parsed->source = source;
    unsigned before = diag_error_reports(compile->diag);
    parsed->ast =
        parse_file(compile->arena, cache->atoms, compile->diag, source);
    parsed->failed = diag_error_reports(compile->diag) > before;
    parsed->next = cache->files;
    cache->files = parsed;
    return parsed;
}

/* Beside the file that imports, then in each -I directory. */
static int open_import(struct closure *c, const struct source *from,
                       const char *name, struct source **out)
{
    struct arena *arena = c->compile->arena;
    const char *slash = strrchr(from->path, '/');
    const char *path = name;
    if (*name != '/' && slash != NULL)
        path = arena_format(arena, "%.*s/%s", (int)(slash - from->path),
                            from->path, name);
    int error = source_open(c->compile->sources, path, false, out);
    for (uint32_t i = 0;
         error == ENOENT && *name != '/' && i < c->compile->include_dir_count;
         i++)
        error = source_open(
            c->compile->sources,
            arena_format(arena, "%s/%s", c->compile->include_dirs[i], name),
            false, out);
    return error;
}

static bool is_open(struct closure *c, const struct source *source,
                    struct source_range at)
{
    struct diag *diag = c->compile->diag;
    struct open_file *file = c->open;
    while (file != NULL && file->source != source)
        file = file->parent;
    if (file == NULL)
        return false;
    diag_report(diag, DIAG_IMPORT_CYCLE, at,
                c->open == file ? "this file imports itself"
                                : "this import closes a circle");
    for (struct open_file *f = c->open; f != file; f = f->parent)
        diag_note(diag, f->at, "`%s` is imported here", f->source->path);
    diag_help(diag, "move what both need into a third file");
    c->failed = true;
    return true;
}

static struct model_file *find_file(const struct closure *c,
                                    const struct source *source)
{
    for (uint32_t i = 0; i < c->check.file_count; i++) {
        if (c->check.files[i].ast->source == source)
            return c->check.files[i].model;
    }
    return NULL;
}

static struct model_file *add_file(struct closure *c, struct source *source,
                                   struct source_range at);

static void read_imports(struct closure *c, const struct ast_file *ast,
                         struct model_file *model)
{
    uint32_t count = 0, n = 0;
    for (const struct ast_import *i = ast->imports; i != NULL; i = i->next)
        count++;
    struct model_import *imports =
        ARENA_ARRAY(c->compile->arena, struct model_import, count + 1);
    for (const struct ast_import *i = ast->imports;
         i != NULL && !diag_is_full(c->compile->diag); i = i->next) {
        struct source *source;
        if (strlen(i->path.bytes) != i->path.len || i->path.len == 0) {
            diag_report(c->compile->diag, DIAG_CANNOT_READ, i->at,
                        "this is no file's name");
            c->failed = true;
            continue;
        }
        int error = open_import(c, ast->source, i->path.bytes, &source);
        if (error != 0) {
            cannot_read(c, error, i->path.bytes, i->at);
            continue;
        }
        if (is_open(c, source, i->at))
            continue;
        struct model_file *file = find_file(c, source);
        if (file == NULL)
            file = add_file(c, source, i->at);
        bool twice = false;
        for (uint32_t j = 0; j < n; j++)
            twice |= imports[j].file == file;
        if (file != NULL && !twice)
            imports[n++] = (struct model_import){file, i->path.bytes, i->at};
    }
    model->imports = imports;
    model->import_count = n;
}

static struct model_file *add_file(struct closure *c, struct source *source,
                                   struct source_range at)
{
    struct open_file open = {c->open, source, at};
    struct arena *arena = c->compile->arena;
    if (c->depth >= LIMIT_IMPORT_DEPTH || c->check.file_count >= LIMIT_FILES) {
        diag_report(c->compile->diag, DIAG_TOO_BIG, at,
                    c->depth >= LIMIT_IMPORT_DEPTH
                        ? "imports are nested more than 64 deep"
                        : "more than 1000 files are imported");
        c->failed = true;
        return NULL;
    }
    struct parsed *parsed = parse_source(c, source);
    c->check.failed |= parsed->failed;
    if (parsed->ast == NULL) {
        c->failed = true;
        return NULL;
    }
    struct model_file *model = ARENA_NEW(arena, struct model_file);
    c->open = &open;
    c->depth++;
    read_imports(c, parsed->ast, model);
    c->depth--;
    c->open = open.parent;
    if (c->check.file_count == c->capacity) {
        size_t bytes = c->capacity * sizeof(struct check_file);
        uint32_t capacity = c->capacity == 0 ? 8 : c->capacity * 2;
        c->check.files = arena_grow(arena, c->check.files, bytes,
                                    capacity * sizeof(struct check_file));
        c->capacity = capacity;
    }
    c->check.files[c->check.file_count++] =
        (struct check_file){.ast = parsed->ast, .model = model};
    return model;
}

static const struct model *compile_source(struct compile *compile,
                                          struct source *source)
{
    struct closure c = {.compile = compile};
    unsigned errors = diag_error_reports(compile->diag);
    add_file(&c, source, (struct source_range){0});
    if (c.check.file_count == 0)
        return NULL;
    c.check.arena = compile->arena;
    c.check.atoms = compile->cache->atoms;
    c.check.diag = compile->diag;
    c.check.schema_name = compile->schema_name;
    c.check.list_idents = compile->list_idents;
    c.check.lost = c.failed;
    c.check.failed |= c.failed;
    c.check.errors_before = errors;
    c.check.model = ARENA_NEW(compile->arena, struct model);
    c.check.model->sources = compile->sources;
    return check_files(&c.check);
}

const struct model *compile_file(struct compile *compile, const char *path)
{
    struct source *source;
    int error = source_open(compile->sources, path, true, &source);
    if (error == 0)
        return compile_source(compile, source);
    struct closure c = {.compile = compile};
    cannot_read(&c, error, path, (struct source_range){0});
    return NULL;
}

const struct model *compile_text(struct compile *compile, const char *path,
                                 const char *text, uint32_t len)
{
    return compile_source(compile,
                          source_add(compile->sources, path, text, len));
}
