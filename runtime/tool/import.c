/* import.c: records of a JSON, NDJSON or CSV file into a store. The store is
 * made if need be, with the descriptor that warpc writes of the schema file. */
#include "import.h"

#include "../error.h"
#include "../schema_load.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 4 << 20,
    RECORD_BYTES_MAX = 1 << 30,
    DESCRIPTOR_MAX = 64 << 20
};

struct importing {
    struct tool *tool;
    struct source source;
    struct import_text text;
    FILE *in;
    struct text file; /* a piece of it */
};

extern char **environ;

static int read_all(FILE *in, struct text *to, size_t most)
{
    size_t n;
    do {
        if (!text_room(to, 1 << 16))
            return error_set(WARP_ENOMEM, "out of memory for the file");
        n = fread(to->data + to->used, 1, 1 << 16, in);
        to->used += n;
        if (to->used > most)
            return error_set(WARP_ELIMIT, "the descriptor is too long");
    } while (n > 0);
    return ferror(in) ? error_set(WARP_EIO, "the descriptor cannot be read")
                      : WARP_OK;
}

/* Of the file that is imported: a piece behind what is not yet read. */
static int read_piece(struct import_text *text, size_t keep)
{
    struct importing *m = text->arg;
    struct text *window = &m->file;
    if (keep > RECORD_BYTES_MAX)
        return error_set(WARP_ELIMIT, "%s: a record is longer than 1 GiB",
                         text->name);
    text->passed += window->used - keep;
    if (keep > 0)
        memmove(window->data, window->data + window->used - keep, keep);
    window->used = keep;
    /* As much again as a long record has, as that is read anew. */
    size_t piece = keep > PIECE_BYTES ? keep : PIECE_BYTES;
    if (!text_room(window, piece))
        return error_set(WARP_ENOMEM, "out of memory for the file");
    size_t n = fread(window->data + keep, 1, piece, m->in);
    window->used += n;
    text->data = window->data;
    text->bytes = window->used;
    if (ferror(m->in))
        return error_set(WARP_EIO, "%s cannot be read", text->name);
    return n > 0;
}

/* ---- the schema ---- */

/* warpc beside this program, or on PATH. */
static void find_warpc(char *to, size_t bytes)
{
    char self[3900];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    snprintf(to, bytes, "warpc");
    if (!slash)
        return;
    *slash = 0;
    char beside[4000];
    snprintf(beside, sizeof beside, "%s/warpc", self);
    if (access(beside, X_OK) == 0) {
        snprintf(to, bytes, "%s", beside);
        return;
    }
    /* In a build folder the two rooms lie side by side. */
    snprintf(beside, sizeof beside, "%s/../../compiler/warpc", self);
    if (access(beside, X_OK) == 0)
        snprintf(to, bytes, "%s", beside);
}

static int run_warpc(const char *warpc, const char *schema, const char *dir)
{
    pid_t pid;
    int status = -1;
    const char *argv[] = {"warpc", "gen", "--descriptor", schema, "-o",
                          dir,     NULL};
    int rc = posix_spawnp(&pid, warpc, NULL, NULL,
                          (char *const *)(uintptr_t)argv, environ);
    if (rc != 0)
        return error_set(WARP_EIO, "cannot run warpc: %s", strerror(rc));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(WARP_ESCHEMA, "%s: warpc has not compiled it", schema);
    return WARP_OK;
}

/* The descriptor among what warpc wrote; everything is removed. */
struct written {
    const char *dir;
    struct text *bytes;
    int rc;
};

static int take_written(void *arg, const char *name)
{
    struct written *w = arg;
    char path[4300];
    size_t n = strlen(name);
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    FILE *in =
        n > 4 && strcmp(name + n - 4, ".wsd") == 0 ? fopen(path, "rb") : NULL;
    if (in) {
        w->rc = read_all(in, w->bytes, DESCRIPTOR_MAX);
        fclose(in);
    }
    unlink(path);
    return 0;
}

static int compile_schema(struct tool *tool, struct warp_schema **schema)
{
    const char *tmp = getenv("TMPDIR"), *why = NULL;
    char dir[3900], warpc[4000];
    struct text bytes = TEXT_INIT;
    snprintf(dir, sizeof dir, "%s/warp-import-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return error_set(WARP_EIO, "cannot make %s: %s", dir, strerror(errno));
    find_warpc(warpc, sizeof warpc);
    int rc = run_warpc(warpc, tool->schema, dir);
    char text[512];
    snprintf(text, sizeof text, "%s",
             rc == WARP_OK ? "warpc has written no descriptor" : error_text());
    struct written written = {dir, &bytes, WARP_EIO};
    os_list(dir, take_written, &written);
    rmdir(dir);
    if (rc == WARP_OK)
        rc = written.rc;
    if (rc != WARP_OK)
        error_set(rc, "%s", text);
    if (rc == WARP_OK) {
        rc = schema_load((const uint8_t *)bytes.data, bytes.used, schema, &why);
        if (rc != WARP_OK)
            error_set(rc, "the descriptor of %s: %s", tool->schema, why);
    }
    text_free(&bytes);
    return rc;
}

static int no_product(struct importing *m)
{
    return error_set(WARP_EINVAL, "the schema has no product %s",
                     m->tool->args[1]);
}

/* A store is made when all that is asked for is there. */
static int open_store(struct importing *m)
{
    struct tool *t = m->tool;
    struct warp_options o = WARP_OPTIONS_INIT;
    char schemas[4200];
    uint32_t number;
    snprintf(schemas, sizeof schemas, "%s/schema", t->args[0]);
    if (!t->schema && os_exists(schemas) != 1)
        return error_set(WARP_EINVAL,
                         "%s: there is no store; name its "
                         "schema with --schema to make one",
                         t->args[0]);
    if (!t->schema)
        return source_open(&m->source, t->args[0], SOURCE_OWN);
    m->source.socket = -1;
    o.log = source_log;
    int rc = compile_schema(t, &m->source.schema);
    if (rc == WARP_OK && !source_product(&m->source, t->args[1], &number))
        rc = no_product(m);
    if (rc == WARP_OK)
        rc = warp_open(t->args[0], m->source.schema, &o, &m->source.db);
    return rc;
}

static int open_file(struct importing *m)
{
    struct import_text *text = &m->text;
    struct stat st;
    m->in = strcmp(text->name, "-") == 0 ? stdin : fopen(text->name, "rb");
    if (!m->in)
        return error_set(WARP_EIO, "%s: %s", text->name, strerror(errno));
    if (fstat(fileno(m->in), &st) != 0)
        return error_set(WARP_EIO, "%s: %s", text->name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(WARP_EIO, "%s is a directory", text->name);
    if (S_ISREG(st.st_mode))
        text->all = (uint64_t)st.st_size;
    return WARP_OK;
}

static int import_file(struct importing *m, enum import_format format)
{
    uint32_t number;
    const struct warp_product *product =
        source_product(&m->source, m->tool->args[1], &number);
    return product ? import_records(m->source.db, product, format, &m->text)
                   : no_product(m);
}

/* -1: there is none of that name. */
static int format_of(const char *name)
{
    if (!name || strcmp(name, "ndjson") == 0)
        return IMPORT_NDJSON;
    return strcmp(name, "json") == 0  ? IMPORT_JSON
           : strcmp(name, "csv") == 0 ? IMPORT_CSV
                                      : -1;
}

int tool_import(struct tool *tool)
{
    struct importing m = {.tool = tool,
                          .source.socket = -1,
                          .text = {.name = tool->args[2],
                                   .more = read_piece}};
    int format = format_of(tool->format), status = TOOL_CLEAN;
    if (format < 0)
        return tool_usage(tool, "--format is json, ndjson or csv, not %s",
                          tool->format);
    m.text.bar = &m.source.bar;
    m.text.arg = &m;
    int rc = open_file(&m);
    if (rc == WARP_OK)
        rc = open_store(&m);
    if (rc == WARP_OK)
        rc = import_file(&m, (enum import_format)format);
    if (m.in && m.in != stdin)
        fclose(m.in);
    tool_bar_end(&m.source.bar);
    if (rc != WARP_OK)
        status = tool_fail(tool, rc, error_text());
    rc = source_close(&m.source);
    if (rc != WARP_OK && status == TOOL_CLEAN)
        status = tool_fail(tool, rc, error_text());
    if (tool->json)
        printf("{\"records\":%llu}\n", (unsigned long long)m.text.done);
    else
        fprintf(stderr, "%llu records\n", (unsigned long long)m.text.done);
    text_free(&m.file);
    return status;
}
