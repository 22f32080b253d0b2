/* import_records.c: the records of a JSON, NDJSON or CSV text into a store. A
 * line that cannot be stored ends the import: what stands before it is in. */
#include "import.h"

#include "csv.h"
#include "record.h"
#include "value.h"

#include "../codec.h"
#include "../error.h"

#include <stdlib.h>

struct importing {
    struct import_text *text;
    struct warp_db *db;
    const struct warp_product *product;
    const char *name; /* of the file */
    struct warp_arena arena;
    char *record;
    struct value_fault fault;
};

/* ---- records ---- */

static int say_line(struct importing *m, uint32_t line, const char *what)
{
    return error_set(WARP_EINVAL, "%s:%u: %s", m->name, line, what);
}

/* Elements of a record, as they stand in its line. */
struct element {
    struct element *next;
    uint32_t field;
    int64_t at_ms;
    void *value;
};

/* *last: where the next one is linked; all is in the arena. */
static int parse_element(struct importing *m, uint32_t field,
                         const struct json *e, struct element ***last)
{
    const struct warp_field *f = &m->product->fields[field];
    const struct json *value = e, *at = NULL;
    struct element *to = warp_arena_alloc(&m->arena, sizeof *to);
    const char *why = NULL;
    size_t bytes;
    if (!to || !(to->value = warp_arena_alloc(&m->arena, f->type->size)))
        return error_set(WARP_ENOMEM, "out of memory for a record");
    to->next = NULL;
    to->field = field;
    to->at_ms = WARP_NOW;
    if (f->by_offset == UINT32_MAX) {
        value = json_member(e, "value");
        at = json_member(e, "at");
        if (!value || !at ||
            value_parse(&warp_type_timestamp, at, &to->at_ms, &m->arena,
                        &m->fault) != WARP_OK)
            return say_line(m, e->line, "an element is {\"at\": ms, "
                                        "\"value\": …}");
    }
    if (value_parse(f->type, value, to->value, &m->arena, &m->fault) != WARP_OK)
        return say_line(m, m->fault.line, m->fault.what);
    if (codec_size(f->type, to->value, &bytes, &why) != WARP_OK) {
        char text[300];
        snprintf(text, sizeof text, "%s: an element %s", f->name,
                 why ? why : "cannot be stored");
        return say_line(m, e->line, text);
    }
    **last = to;
    *last = &to->next;
    return WARP_OK;
}

static int parse_series(struct importing *m, const struct json *record,
                        struct element **first)
{
    struct element **last = first;
    *first = NULL;
    for (const struct json *v = record->first; v; v = v->next) {
        char name[128];
        snprintf(name, sizeof name, "%.*s",
                 (int)(v->name.len < 127 ? v->name.len : 127), v->name.data);
        int i = tool_field(m->product, name);
        if (!(m->product->fields[i].flags & WARP_F_SERIES) ||
            v->kind == JSON_NULL)
            continue;
        if (v->kind != JSON_ARRAY)
            return say_line(m, v->line, "a series is a list of elements");
        for (const struct json *e = v->first; e; e = e->next) {
            int rc = parse_element(m, (uint32_t)i, e, &last);
            if (rc != WARP_OK)
                return rc;
        }
    }
    return WARP_OK;
}

/* The key's C form. */
static const void *key_of(struct importing *m, uint8_t *space, size_t room)
{
    const struct warp_product *p = m->product;
    if (p->key_count == 1)
        return m->record + p->fields[p->key_fields[0]].offset;
    for (uint32_t i = 0; i < p->key_count; i++) {
        const struct warp_field *k = &p->fields[p->key_fields[i]];
        if (k->key_offset + k->type->size > room)
            return NULL;
        memcpy(space + k->key_offset, m->record + k->offset, k->type->size);
    }
    return space;
}

/* A record and its elements: in one commit, if they are not too many. */
static int store(struct importing *m, uint64_t mask, struct element *e)
{
    enum { ELEMENTS_MAX = 4096 };
    uint8_t space[512] __attribute__((aligned(16)));
    const void *key = key_of(m, space, sizeof space);
    struct warp_batch *batch = NULL;
    int rc = WARP_OK;
    bool put = false;
    if (!e)
        return warp_gen_put(m->db, m->product, m->record, mask);
    if (!key)
        return error_set(WARP_EINVAL, "the key is too long");
    while (rc == WARP_OK && e) {
        rc = warp_batch_begin(m->db, &batch);
        if (rc == WARP_OK && !put)
            rc = warp_gen_put_in(batch, m->product, m->record, mask);
        put = true;
        for (int n = 0; rc == WARP_OK && e && n < ELEMENTS_MAX; n++) {
            rc = warp_gen_append_in(batch, m->product, key, e->field, e->at_ms,
                                    e->value);
            e = e->next;
        }
        if (rc == WARP_OK)
            rc = warp_batch_commit(&batch);
        warp_batch_abort(&batch);
    }
    return rc;
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
    struct element *elements;
    int rc = parse_series(m, j, &elements);
    if (rc != WARP_OK)
        return rc;
    rc = store(m, mask, elements);
    if (rc != WARP_OK) {
        snprintf(text, sizeof text, "%s", error_text());
        return error_set(rc, "%s:%u: %s", m->name, j->line, text);
    }
    return rc;
}

/* done: what was read of the text. */
static int next_record(struct importing *m, const struct json *j, size_t done)
{
    if (j->kind != JSON_OBJECT)
        return say_line(m, j->line, "a record is an object");
    int rc = put_record(m, j);
    m->text->done += rc == WARP_OK;
    if (m->text->done % 256 == 0 &&
        tool_progress(m->text->bar, "import", m->text->passed + done,
                      m->text->all ? m->text->all : m->text->bytes))
        rc = error_set(WARP_EIO, "stopped after %llu records",
                       (unsigned long long)m->text->done);
    return rc;
}

/* ---- a text that is longer than what is in memory ---- */

enum { AHEAD_BYTES = 1 << 16 };

static int read_more(struct importing *m, const char **at, const char **end)
{
    if (!m->text->more)
        return 0;
    int rc = m->text->more(m->text, (size_t)(*end - *at));
    *at = m->text->data;
    *end = m->text->data + m->text->bytes;
    return rc;
}

static int read_ahead(struct importing *m, const char **at, const char **end)
{
    int rc = 1;
    while (rc > 0 && *end - *at < AHEAD_BYTES)
        rc = read_more(m, at, end);
    return rc < 0 ? rc : WARP_OK;
}

/* Did what was read come to the end of what is in memory? More may follow. */
static bool is_cut(const char *at, const char *end)
{
    enum { TOKEN_BYTES = 16 };
    return end - at < TOKEN_BYTES;
}

/* ---- forms ---- */

static int json_record(struct importing *m, struct json_input *in,
                       struct json **j)
{
    for (;;) {
        struct json_input from = *in;
        warp_arena_reset(&m->arena);
        int rc = json_read(in, &m->arena, j), more = 0;
        if (rc != WARP_EINVAL || !is_cut(in->at, in->end) ||
            (more = read_more(m, &from.at, &from.end)) == 0)
            return rc == WARP_EINVAL ? say_line(m, in->line, in->fault) : rc;
        if (more < 0)
            return more;
        *in = from;
    }
}

/* White space may be long. */
static int json_ahead(struct importing *m, struct json_input *in)
{
    for (;;) {
        int rc = read_ahead(m, &in->at, &in->end);
        if (rc != WARP_OK)
            return rc;
        json_space(in);
        if (in->at != in->end || (rc = read_more(m, &in->at, &in->end)) <= 0)
            return rc;
    }
}

/* Some editors write a mark before the first byte. */
static void skip_mark(const char **at, const char *end)
{
    if (end - *at >= 3 && memcmp(*at, "\xef\xbb\xbf", 3) == 0)
        *at += 3;
}

/* ndjson: objects one behind the other. json: one array of them. */
static int import_json(struct importing *m, bool array)
{
    struct json_input in = {m->text->data, m->text->data + m->text->bytes, 1,
                            NULL};
    int rc = read_ahead(m, &in.at, &in.end);
    skip_mark(&in.at, in.end);
    if (rc == WARP_OK)
        rc = json_ahead(m, &in);
    if (rc == WARP_OK && array && (in.at == in.end || *in.at++ != '['))
        return say_line(m, in.line, "a JSON file begins with [");
    for (bool first = true; rc == WARP_OK; first = false) {
        struct json *j;
        rc = json_ahead(m, &in);
        if (rc != WARP_OK)
            break;
        if (array && in.at < in.end && *in.at == ']') {
            in.at++;
            rc = json_ahead(m, &in);
            return rc != WARP_OK || in.at == in.end
                       ? rc
                       : say_line(m, in.line, "something behind the ]");
        }
        if (in.at == in.end)
            return array ? say_line(m, in.line, "the ] is missing") : WARP_OK;
        if (array && !first && *in.at++ != ',')
            return say_line(m, in.line, "a comma is missing");
        rc = json_record(m, &in, &j);
        if (rc == WARP_OK)
            rc = next_record(m, j, (size_t)(in.at - m->text->data));
    }
    return rc;
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
                      const struct csv_row *row, size_t done)
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

static int next_row(struct importing *m, struct csv_input *in,
                    struct csv_row *row)
{
    int rc = read_ahead(m, &in->at, &in->end);
    while (rc == WARP_OK) {
        struct csv_input from = *in;
        rc = csv_next(in, row);
        size_t left = (size_t)(in->end - in->at);
        if ((rc != WARP_OK && rc != WARP_EINVAL) || !is_cut(in->at, in->end))
            return rc;
        int more = read_more(m, &from.at, &from.end);
        if (more == 0) { /* it was the last one; what it left has moved */
            in->end = from.end;
            in->at = in->end - left;
            return rc;
        }
        *in = from;
        rc = more < 0 ? more : WARP_OK;
    }
    return rc;
}

static int import_csv(struct importing *m)
{
    struct csv_input in = {m->text->data, m->text->data + m->text->bytes, 1,
                           NULL};
    struct csv_row row = {.text = TEXT_INIT};
    int fields[56];
    uint32_t count = 0;
    int rc = read_ahead(m, &in.at, &in.end);
    skip_mark(&in.at, in.end);
    if (rc == WARP_OK)
        rc = next_row(m, &in, &row);
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
        snprintf(what, sizeof what, "the field %s stands there twice", name);
        for (uint32_t i = 0; i < count && rc == WARP_OK; i++)
            if (fields[i] == fields[count])
                rc = say_line(m, 1, what);
    }
    while (rc == WARP_OK) {
        warp_arena_reset(&m->arena);
        rc = next_row(m, &in, &row);
        if (rc == WARP_OK)
            rc = csv_record(m, fields, count, &row,
                            (size_t)(in.at - m->text->data));
    }
    if (rc == WARP_EINVAL && in.fault)
        say_line(m, in.line, in.fault);
    csv_row_free(&row);
    return rc == WARP_END ? WARP_OK : rc;
}

int import_records(struct warp_db *db, const struct warp_product *product,
                   enum import_format format, struct import_text *text)
{
    struct importing m = {
        .text = text, .db = db, .product = product, .name = text->name};
    m.record = malloc(product->record_bytes);
    int rc = m.record ? WARP_OK
                      : error_set(WARP_ENOMEM, "out of memory for a record");
    if (rc == WARP_OK)
        rc = format == IMPORT_CSV ? import_csv(&m)
                                  : import_json(&m, format == IMPORT_JSON);
    free(m.record);
    warp_arena_free(&m.arena);
    return rc;
}
