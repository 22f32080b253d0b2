/* read.c: get, scan, export and dump. Records are asked for by pages, so that
 * memory stays small, and written as they come. */
#include "csv.h"
#include "record.h"
#include "value.h"

#include "../codec.h"
#include "../error.h"
#include "../value_print.h"

#include <errno.h>
#include <stdlib.h>

enum form { FORM_TEXT, FORM_JSON, FORM_NDJSON, FORM_CSV };

struct reading {
    struct tool *tool;
    struct source source;
    struct record_asker asker;
    struct text request, reply, line;
    struct warp_arena arena;
    enum form form;
    uint64_t left, printed;
    uint8_t from[KEY_BYTES_MAX], to[KEY_BYTES_MAX];
    size_t from_bytes, to_bytes;
    struct warp_str prefix; /* lies in `keys`, or is the argument */
    struct warp_arena keys;
    const char *tag; /* dump: the product's name stands in each line */
};

static int finish(struct reading *r, int status)
{
    source_close(&r->source);
    text_free(&r->request);
    text_free(&r->reply);
    text_free(&r->line);
    text_free(&r->asker.request);
    text_free(&r->asker.reply);
    warp_arena_free(&r->arena);
    warp_arena_free(&r->keys);
    return status;
}

static int set_product(struct reading *r, const char *name, bool series)
{
    char why[300] = "";
    r->asker.source = &r->source;
    r->asker.product = source_product(&r->source, name, &r->asker.number);
    if (!r->asker.product) {
        fprintf(stderr, "warp %s: %s has no product %s; it has", r->tool->name,
                r->source.path, name);
        for (uint32_t i = 0; i < r->source.schema->product_count; i++)
            fprintf(stderr, " %s", r->source.schema->products[i]->name);
        fputs("\n", stderr);
        return TOOL_FINDINGS;
    }
    if (tool_mask(r->asker.product, r->tool->fields, series, &r->asker.mask,
                  why, sizeof why) != WARP_OK)
        return tool_usage(r->tool, "%s", why);
    return TOOL_CLEAN;
}

/* ---- printing ---- */

static void print_text(struct reading *r, const struct record_reply *rec)
{
    const struct warp_product *p = r->asker.product;
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct warp_field *f = &p->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        bool key = f->flags & WARP_F_KEY;
        if (!key && !(r->asker.mask & bit))
            continue;
        text_say(&r->line, "%-24s ", f->name);
        if (key || (rec->have & bit))
            value_print(&r->line, f->type,
                        (const char *)rec->record + f->offset);
        else if (f->flags & WARP_F_SERIES)
            (void)record_series(&r->asker, rec, i, &r->line);
        else
            text_put(&r->line, rec->expired & bit ? "(expired)"
                               : rec->lost & bit  ? "(lost)"
                                                  : "(absent)");
        text_put(&r->line, "\n");
    }
}

/* A scalar as it is, anything else as JSON. */
static void csv_value(struct text *to, const struct warp_type *type,
                      const void *value)
{
    struct text json = TEXT_INIT;
    struct warp_str s;
    if (type->kind == WARP_T_STRING) {
        memcpy(&s, value, sizeof s);
        csv_put(to, s.data, s.len);
        return;
    }
    value_print(&json, type, value);
    /* base64, uuid, enum: the text between the quotes */
    if (json.used >= 2 && json.data[0] == '"')
        csv_put(to, json.data + 1, json.used - 2);
    else
        csv_put(to, json.data, json.used);
    text_free(&json);
}

static int print_csv(struct reading *r, const struct record_reply *rec)
{
    const struct warp_product *p = r->asker.product;
    bool first = true;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < p->field_count && rc == WARP_OK; i++) {
        const struct warp_field *f = &p->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        bool key = f->flags & WARP_F_KEY;
        if (!key && !(r->asker.mask & bit))
            continue;
        if (!first)
            text_put(&r->line, ",");
        first = false;
        if (!rec) {
            csv_put(&r->line, f->name, strlen(f->name));
        } else if (key || (rec->have & bit)) {
            csv_value(&r->line, f->type, (const char *)rec->record + f->offset);
        } else if (f->flags & WARP_F_SERIES) {
            struct text json = TEXT_INIT;
            rc = record_series(&r->asker, rec, i, &json);
            if (json.used > 2)
                csv_put(&r->line, json.data, json.used);
            text_free(&json);
        }
    }
    text_put(&r->line, "\n");
    return rc;
}

static int print_record(struct reading *r, const struct record_reply *rec)
{
    int rc = WARP_OK;
    text_clear(&r->line);
    switch (r->form) {
    case FORM_CSV:
        rc = print_csv(r, rec);
        break;
    case FORM_JSON:
        text_put(&r->line, r->printed ? ",\n" : "");
        rc = record_json(&r->asker, rec, &r->line);
        break;
    case FORM_NDJSON:
        if (r->tag) {
            text_put(&r->line, "{\"product\":");
            text_quote(&r->line, r->tag, strlen(r->tag));
            text_put(&r->line, ",\"record\":");
        }
        rc = record_json(&r->asker, rec, &r->line);
        text_put(&r->line, r->tag ? "}\n" : "\n");
        break;
    default:
        if (r->printed)
            text_put(&r->line, "\n");
        print_text(r, rec);
    }
    if (rc == WARP_OK && r->line.failed)
        rc = error_set(WARP_ENOMEM, "out of memory for a record");
    if (rc == WARP_OK &&
        fwrite(r->line.data, 1, r->line.used, stdout) != r->line.used)
        rc = error_set(WARP_EIO, "cannot write to standard output");
    r->printed++;
    return rc;
}

/* ---- get ---- */

int tool_get(struct tool *tool)
{
    struct reading r = {.tool = tool, .source.socket = -1};
    struct record_reply rec;
    uint8_t key[KEY_BYTES_MAX];
    size_t bytes = 0;
    char why[300] = "";
    int rc = source_open(&r.source, tool->args[0], SOURCE_READ);
    if (rc != WARP_OK)
        return finish(&r, tool_fail(tool, rc, error_text()));
    int status = set_product(&r, tool->args[1], tool->fields != NULL);
    if (status != TOOL_CLEAN)
        return finish(&r, status);
    rc = tool_key(r.asker.product, tool->args[2], key, &bytes, &r.arena, why,
                  sizeof why);
    if (rc != WARP_OK)
        return finish(&r, tool_fail(tool, rc, why));
    r.form = tool->json ? FORM_NDJSON : FORM_TEXT;
    request_begin(&r.request, REQUEST_GET);
    text_u16(&r.request, (uint16_t)r.asker.number);
    text_u64(&r.request, r.asker.mask | WARP_ARCHIVE);
    text_u16(&r.request, (uint16_t)bytes);
    text_add(&r.request, key, bytes);
    rc = source_ask(&r.source, &r.request, &r.reply);
    const uint8_t *at = (const uint8_t *)r.reply.data;
    struct record_bytes in = {at, at + r.reply.used};
    if (rc == WARP_OK)
        rc = record_next(&in, r.asker.product, &r.arena, &rec);
    if (rc == WARP_OK)
        rc = print_record(&r, &rec);
    return finish(&r, rc == WARP_OK ? TOOL_CLEAN
                                    : tool_fail(tool, rc, error_text()));
}

/* ---- scan ---- */

static void ask_page(struct reading *r, const uint8_t *behind,
                     size_t behind_bytes)
{
    uint64_t most = r->left < UINT32_MAX ? r->left : 0;
    request_begin(&r->request, REQUEST_SCAN);
    text_u16(&r->request, (uint16_t)r->asker.number);
    text_u64(&r->request, r->asker.mask | WARP_ARCHIVE);
    text_u8(&r->request, behind != NULL);
    if (!behind) {
        behind = r->from;
        behind_bytes = r->from_bytes;
    }
    text_u16(&r->request, (uint16_t)behind_bytes);
    text_add(&r->request, behind, behind_bytes);
    text_u16(&r->request, (uint16_t)r->to_bytes);
    text_add(&r->request, r->to, r->to_bytes);
    text_u16(&r->request, (uint16_t)r->prefix.len);
    text_add(&r->request, r->prefix.data, r->prefix.len);
    text_u32(&r->request, (uint32_t)most);
}

/* The last key may be an empty text: that there is one is told by *any. */
static int print_page(struct reading *r, uint8_t *last, size_t *last_bytes,
                      bool *any, bool *more)
{
    const uint8_t *at = (const uint8_t *)r->reply.data;
    struct record_bytes in = {at + 1, at + r->reply.used};
    int rc =
        r->reply.used ? WARP_OK : error_set(WARP_ECORRUPT, "an empty answer");
    *more = rc == WARP_OK && at[0];
    while (rc == WARP_OK && in.at < in.end) {
        struct record_reply rec;
        warp_arena_reset(&r->arena);
        rc = record_next(&in, r->asker.product, &r->arena, &rec);
        if (rc == WARP_OK && rec.key_bytes > KEY_BYTES_MAX)
            rc = error_set(WARP_ECORRUPT, "a key is too long");
        if (rc != WARP_OK)
            break;
        memcpy(last, rec.key, rec.key_bytes);
        *last_bytes = rec.key_bytes;
        *any = true;
        rc = print_record(r, &rec);
        if (rc == WARP_OK && tool_progress(&r->source.bar, "", 0, 0))
            rc = error_set(WARP_EIO, "stopped");
        r->left--;
    }
    return rc;
}

static int scan_all(struct reading *r)
{
    uint8_t last[KEY_BYTES_MAX];
    size_t last_bytes = 0;
    bool more = true, any = false;
    int rc = WARP_OK;
    if (r->form == FORM_CSV) {
        text_clear(&r->line);
        rc = print_csv(r, NULL);
        fwrite(r->line.data, 1, r->line.used, stdout);
    }
    if (r->form == FORM_JSON)
        fputs("[", stdout);
    while (rc == WARP_OK && more && r->left > 0) {
        ask_page(r, any ? last : NULL, last_bytes);
        rc = source_ask(&r->source, &r->request, &r->reply);
        if (rc == WARP_OK)
            rc = print_page(r, last, &last_bytes, &any, &more);
        more = more && any;
    }
    if (r->form == FORM_JSON)
        fputs("]\n", stdout);
    return rc;
}

/* Bytes are base64 here as everywhere. */
static int set_prefix(struct reading *r)
{
    const struct warp_product *p = r->asker.product;
    const struct warp_type *type = p->fields[p->key_fields[0]].type;
    const char *text = r->tool->prefix;
    struct json cell = record_cell(type, text, strlen(text));
    struct value_fault fault = {"", 0};
    r->prefix = cell.text;
    if ((type->kind != WARP_T_BYTES && type->kind != WARP_T_OPAQUE) ||
        value_parse(type, &cell, &r->prefix, &r->keys, &fault) == WARP_OK)
        return TOOL_CLEAN;
    return tool_usage(r->tool, "--prefix of a key of bytes: %s", fault.what);
}

static int bounds(struct reading *r)
{
    struct tool *t = r->tool;
    char why[300] = "", *end = NULL;
    int rc = WARP_OK;
    if (t->from)
        rc = tool_key(r->asker.product, t->from, r->from, &r->from_bytes,
                      &r->arena, why, sizeof why);
    if (rc == WARP_OK && t->to)
        rc = tool_key(r->asker.product, t->to, r->to, &r->to_bytes, &r->arena,
                      why, sizeof why);
    if (rc != WARP_OK)
        return tool_fail(t, rc, why);
    r->left = UINT64_MAX;
    if (t->limit) {
        errno = 0;
        r->left = strtoull(t->limit, &end, 10);
        if (errno || !*t->limit || *end || t->limit[0] == '-')
            return tool_usage(t, "--limit needs a number");
    }
    if (t->prefix && strlen(t->prefix) > KEY_BYTES_MAX)
        return tool_usage(t, "the prefix is too long for a key");
    return t->prefix ? set_prefix(r) : TOOL_CLEAN;
}

static int run_scan(struct tool *tool, enum form form, bool series)
{
    struct reading r = {.tool = tool, .source.socket = -1, .form = form};
    int rc = source_open(&r.source, tool->args[0], SOURCE_READ);
    if (rc != WARP_OK)
        return finish(&r, tool_fail(tool, rc, error_text()));
    int status = set_product(&r, tool->args[1], series);
    if (status == TOOL_CLEAN)
        status = bounds(&r);
    if (status != TOOL_CLEAN)
        return finish(&r, status);
    rc = scan_all(&r);
    return finish(&r, rc == WARP_OK ? TOOL_CLEAN
                                    : tool_fail(tool, rc, error_text()));
}

int tool_scan(struct tool *tool)
{
    return run_scan(tool, tool->json ? FORM_NDJSON : FORM_TEXT, false);
}

int tool_export(struct tool *tool)
{
    const char *f = tool->format ? tool->format
                    : tool->json ? "json"
                                 : "ndjson";
    if (tool->json && strcmp(f, "json") != 0)
        return tool_usage(tool, "--json and --format %s: name one of them", f);
    if (strcmp(f, "json") == 0)
        return run_scan(tool, FORM_JSON, true);
    if (strcmp(f, "ndjson") == 0)
        return run_scan(tool, FORM_NDJSON, true);
    if (strcmp(f, "csv") == 0)
        return run_scan(tool, FORM_CSV, true);
    return tool_usage(tool, "--format is json, ndjson or csv, not %s", f);
}

int tool_dump(struct tool *tool)
{
    struct reading r = {.tool = tool, .source.socket = -1, .form = FORM_NDJSON};
    int status = TOOL_CLEAN;
    int rc = source_open(&r.source, tool->args[0], SOURCE_READ);
    for (uint32_t i = 0; rc == WARP_OK && i < r.source.schema->product_count;
         i++) {
        r.tag = r.source.schema->products[i]->name;
        status = set_product(&r, r.tag, true);
        r.left = UINT64_MAX;
        rc = scan_all(&r);
    }
    return finish(&r,
                  rc == WARP_OK ? status : tool_fail(tool, rc, error_text()));
}
