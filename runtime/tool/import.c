/* import.c: records of a JSON, NDJSON or CSV file into a store. The store is
 * made if need be, with the descriptor that warpc writes of the schema file. A
 * line that cannot be stored ends the import: what stands before it is in. */
#include "csv.h"
#include "record.h"
#include "value.h"

#include "../error.h"
#include "../schema_load.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 30, DESCRIPTOR_MAX = 64 << 20 };

struct importing {
    struct tool *tool;
    struct source source;
    const struct warp_product *product;
    const char *name; /* of the file */
    struct text file;
    struct warp_arena arena;
    char *record;
    uint64_t done;
    struct value_fault fault;
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
            return error_set(WARP_ELIMIT, "the file is longer than 1 GiB: "
                                          "split it");
    } while (n > 0);
    return ferror(in) ? error_set(WARP_EIO, "the file cannot be read")
                      : WARP_OK;
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

static int open_store(struct importing *m)
{
    struct tool *t = m->tool;
    struct warp_options o = WARP_OPTIONS_INIT;
    char schemas[4200];
    snprintf(schemas, sizeof schemas, "%s/schema", t->args[0]);
    if (!t->schema && os_exists(schemas) != 1)
        return error_set(WARP_EINVAL,
                         "%s: there is no store; name its "
                         "schema with --schema to make one",
                         t->args[0]);
    if (!t->schema)
        return source_open(&m->source, t->args[0], SOURCE_OWN);
    m->source.socket = -1;
    int rc = compile_schema(t, &m->source.schema);
    if (rc == WARP_OK)
        rc = warp_open(t->args[0], m->source.schema, &o, &m->source.db);
    return rc;
}

/* ---- records ---- */

static int say_line(struct importing *m, uint32_t line, const char *what)
{
    return error_set(WARP_EINVAL, "%s:%u: %s", m->name, line, what);
}

static int append_series(struct importing *m, uint32_t field,
                         const struct json *list)
{
    const struct warp_field *f = &m->product->fields[field];
    uint8_t key_space[512] __attribute__((aligned(16)));
    const char *key =
        m->record + m->product->fields[m->product->key_fields[0]].offset;
    if (m->product->key_count > 1) {
        for (uint32_t i = 0; i < m->product->key_count; i++) {
            const struct warp_field *k =
                &m->product->fields[m->product->key_fields[i]];
            if (k->key_offset + k->type->size > sizeof key_space)
                return say_line(m, list->line, "the key is too long");
            memcpy(key_space + k->key_offset, m->record + k->offset,
                   k->type->size);
        }
        key = (const char *)key_space;
    }
    if (list->kind != JSON_ARRAY)
        return say_line(m, list->line, "a series is a list of elements");
    void *element = warp_arena_alloc(&m->arena, f->type->size);
    for (const struct json *e = list->first; e; e = e->next) {
        const struct json *value = e, *at = NULL;
        int64_t at_ms = WARP_NOW;
        int rc = element ? WARP_OK : WARP_ENOMEM;
        if (f->by_offset == UINT32_MAX) {
            value = json_member(e, "value");
            at = json_member(e, "at");
            if (!value || !at ||
                value_parse(&warp_type_timestamp, at, &at_ms, &m->arena,
                            &m->fault) != WARP_OK)
                return say_line(m, e->line,
                                "an element is {\"at\": ms, "
                                "\"value\": …}");
        }
        if (rc == WARP_OK && value_parse(f->type, value, element, &m->arena,
                                         &m->fault) != WARP_OK)
            return say_line(m, m->fault.line, m->fault.what);
        if (rc == WARP_OK)
            rc = warp_gen_append(m->source.db, m->product, key, field, at_ms,
                                 element);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

/* Members of an object: known fields, the key complete. */
static int put_record(struct importing *m, const struct json *j)
{
    const struct warp_product *p = m->product;
    uint64_t mask = 0;
    uint32_t keys = 0;
    char text[1200];
    memset(m->record, 0, p->record_bytes);
    for (const struct json *v = j->first; v; v = v->next) {
        char name[128];
        snprintf(name, sizeof name, "%.*s",
                 (int)(v->name.len < 127 ? v->name.len : 127), v->name.data);
        int i = tool_field(p, name);
        if (i < 0) {
            snprintf(text, sizeof text, "%s has no field %s", p->name, name);
            return say_line(m, v->line, text);
        }
        const struct warp_field *f = &p->fields[i];
        if (f->flags & (WARP_F_SERIES | WARP_F_DERIVED) ||
            (v->kind == JSON_NULL && !(f->flags & WARP_F_KEY)))
            continue;
        if (value_parse(f->type, v, m->record + f->offset, &m->arena,
                        &m->fault) != WARP_OK) {
            snprintf(text, sizeof text, "%s: %s", name, m->fault.what);
            return say_line(m, v->line, text);
        }
        keys += (f->flags & WARP_F_KEY) != 0;
        mask |= UINT64_C(1) << i;
    }
    if (keys != p->key_count)
        return say_line(m, j->line, "the key is missing");
    int rc = warp_gen_put(m->source.db, p, m->record, mask);
    if (rc != WARP_OK) {
        snprintf(text, sizeof text, "%s", error_text());
        return error_set(rc, "%s:%u: %s", m->name, j->line, text);
    }
    for (const struct json *v = j->first; v && rc == WARP_OK; v = v->next) {
        char name[128];
        snprintf(name, sizeof name, "%.*s",
                 (int)(v->name.len < 127 ? v->name.len : 127), v->name.data);
        int i = tool_field(p, name);
        if (p->fields[i].flags & WARP_F_SERIES && v->kind != JSON_NULL)
            rc = append_series(m, (uint32_t)i, v);
    }
    return rc;
}

static int next_record(struct importing *m, const struct json *j, uint64_t done)
{
    if (j->kind != JSON_OBJECT)
        return say_line(m, j->line, "a record is an object");
    int rc = put_record(m, j);
    m->done += rc == WARP_OK;
    if (m->done % 256 == 0 &&
        tool_progress(&m->source.bar, "import", done, m->file.used))
        rc = error_set(WARP_EIO, "stopped after %llu records",
                       (unsigned long long)m->done);
    return rc;
}

/* ---- forms ---- */

/* ndjson: objects one behind the other. json: one array of them. */
static int import_json(struct importing *m, bool array)
{
    struct json_input in = {m->file.data, m->file.data + m->file.used, 1, NULL};
    json_space(&in);
    if (array) {
        if (in.at == in.end || *in.at++ != '[')
            return say_line(m, in.line, "a JSON file begins with [");
        json_space(&in);
    }
    bool first = true;
    for (;;) {
        struct json *j;
        json_space(&in);
        if (array && in.at < in.end && *in.at == ']') {
            in.at++;
            json_space(&in);
            return in.at == in.end
                       ? WARP_OK
                       : say_line(m, in.line, "something behind the ]");
        }
        if (in.at == in.end)
            return array ? say_line(m, in.line, "the ] is missing") : WARP_OK;
        if (array && !first && *in.at++ != ',')
            return say_line(m, in.line, "a comma is missing");
        first = false;
        warp_arena_reset(&m->arena);
        int rc = json_read(&in, &m->arena, &j);
        if (rc == WARP_EINVAL)
            return say_line(m, in.line, in.fault);
        if (rc == WARP_OK)
            rc = next_record(m, j, (uint64_t)(in.at - m->file.data));
        if (rc != WARP_OK)
            return rc;
    }
}

/* A cell by the field's type: text as it is, anything else as JSON. */
static int cell_value(struct importing *m, const struct warp_field *f,
                      const char *text, size_t bytes, uint32_t line,
                      struct json **out)
{
    struct json_input in = {text, text + bytes, line, NULL};
    uint8_t kind = f->type->kind;
    bool scalar = kind <= WARP_T_FIXED_BYTES || kind == WARP_T_ENUM;
    if (!scalar || (f->flags & WARP_F_SERIES)) {
        int rc = json_read(&in, &m->arena, out);
        if (rc == WARP_OK && in.at != in.end)
            return say_line(m, line, "something behind a cell's JSON");
        return rc == WARP_EINVAL ? say_line(m, line, in.fault) : rc;
    }
    *out = warp_arena_alloc(&m->arena, sizeof **out);
    if (!*out)
        return WARP_ENOMEM;
    **out = record_cell(f->type, text, bytes);
    (*out)->line = line;
    return WARP_OK;
}

static int csv_record(struct importing *m, const int *fields, uint32_t count,
                      const struct csv_row *row, uint64_t done)
{
    struct json object = {.kind = JSON_OBJECT, .line = row->line};
    struct json **last = &object.first;
    if (row->count != count)
        return say_line(m, row->line,
                        "another number of cells than the "
                        "first line has");
    for (uint32_t i = 0; i < count; i++) {
        const struct csv_cell *c = &row->cells[i];
        const struct warp_field *f = &m->product->fields[fields[i]];
        if (c->bytes == 0 && !c->quoted)
            continue;
        int rc =
            cell_value(m, f, row->text.data + c->at, c->bytes, row->line, last);
        if (rc != WARP_OK)
            return rc;
        (*last)->name = warp_str(f->name);
        last = &(*last)->next;
        object.count++;
    }
    return next_record(m, &object, done);
}

static int import_csv(struct importing *m)
{
    struct csv_input in = {m->file.data, m->file.data + m->file.used, 1, NULL};
    struct csv_row row = {.text = TEXT_INIT};
    int fields[56];
    uint32_t count = 0;
    int rc = csv_next(&in, &row);
    if (rc == WARP_END)
        rc = say_line(m, 1,
                      "the file is empty; the first line names the "
                      "fields");
    if (rc == WARP_OK && row.count > 56)
        rc = say_line(m, 1, "too many cells");
    for (; rc == WARP_OK && count < row.count; count++) {
        char name[128], what[200];
        struct csv_cell *c = &row.cells[count];
        snprintf(name, sizeof name, "%.*s",
                 (int)(c->bytes < 127 ? c->bytes : 127), row.text.data + c->at);
        fields[count] = tool_field(m->product, name);
        snprintf(what, sizeof what, "%s has no field %s", m->product->name,
                 name);
        if (fields[count] < 0)
            rc = say_line(m, 1, what);
    }
    while (rc == WARP_OK) {
        warp_arena_reset(&m->arena);
        rc = csv_next(&in, &row);
        if (rc == WARP_OK)
            rc = csv_record(m, fields, count, &row,
                            (uint64_t)(in.at - m->file.data));
    }
    if (rc == WARP_EINVAL && in.fault)
        say_line(m, in.line, in.fault);
    csv_row_free(&row);
    return rc == WARP_END ? WARP_OK : rc;
}

static int import_file(struct importing *m, const char *format)
{
    FILE *in = strcmp(m->name, "-") == 0 ? stdin : fopen(m->name, "rb");
    if (!in)
        return error_set(WARP_EIO, "%s: %s", m->name, strerror(errno));
    int rc = read_all(in, &m->file, FILE_BYTES_MAX);
    if (in != stdin)
        fclose(in);
    m->record = malloc(m->product->record_bytes);
    if (rc == WARP_OK && !m->record)
        rc = error_set(WARP_ENOMEM, "out of memory for a record");
    if (rc != WARP_OK)
        return rc;
    if (strcmp(format, "csv") == 0)
        return import_csv(m);
    return import_json(m, strcmp(format, "json") == 0);
}

int tool_import(struct tool *tool)
{
    struct importing m = {
        .tool = tool, .source.socket = -1, .name = tool->args[2]};
    const char *format = tool->format ? tool->format : "ndjson";
    uint32_t number;
    int status = TOOL_CLEAN;
    if (strcmp(format, "json") != 0 && strcmp(format, "ndjson") != 0 &&
        strcmp(format, "csv") != 0)
        return tool_usage(tool, "--format is json, ndjson or csv, not %s",
                          format);
    int rc = open_store(&m);
    if (rc == WARP_OK) {
        m.product = source_product(&m.source, tool->args[1], &number);
        rc = m.product ? import_file(&m, format)
                       : error_set(WARP_EINVAL,
                                   "the schema has no product "
                                   "%s",
                                   tool->args[1]);
    }
    tool_bar_end(&m.source.bar);
    if (rc != WARP_OK)
        status = tool_fail(tool, rc, error_text());
    rc = source_close(&m.source);
    if (rc != WARP_OK && status == TOOL_CLEAN)
        status = tool_fail(tool, rc, error_text());
    if (tool->json)
        printf("{\"records\":%llu}\n", (unsigned long long)m.done);
    else
        fprintf(stderr, "%llu records\n", (unsigned long long)m.done);
    free(m.record);
    text_free(&m.file);
    warp_arena_free(&m.arena);
    return status;
}
