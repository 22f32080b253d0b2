/* record.c: see record.h. */
#include "record.h"

#include "value.h"

#include "../codec.h"
#include "../error.h"
#include "../value_print.h"
#include "../wire.h"

static const uint8_t *take(struct record_bytes *from, size_t bytes)
{
    const uint8_t *at = from->at;
    if ((size_t)(from->end - at) < bytes)
        return NULL;
    from->at += bytes;
    return at;
}

static int not_a_reply(void)
{
    return error_set(WARP_ECORRUPT, "the store's owner sent what is no "
                                    "record of this product");
}

int record_next(struct record_bytes *from, const struct warp_product *product,
                struct warp_arena *arena, struct record_reply *r)
{
    const uint8_t *at = take(from, 2);
    memset(r, 0, sizeof *r);
    if (!at)
        return not_a_reply();
    r->key_bytes = wire_get16(at);
    r->key = take(from, r->key_bytes);
    at = take(from, 32);
    if (!r->key || !at)
        return not_a_reply();
    r->version = wire_get64(at);
    r->have = wire_get64(at + 8);
    r->lost = wire_get64(at + 16);
    r->expired = wire_get64(at + 24);
    if (product->field_count < 64 && r->have >> product->field_count != 0)
        return not_a_reply();
    char *record = warp_arena_alloc(arena, product->record_bytes);
    if (!record)
        return error_set(WARP_ENOMEM, "out of memory for a record");
    memset(record, 0, product->record_bytes);
    r->record = record;
    if (key_decode(product, r->key, r->key_bytes, NULL, record, arena) != 0)
        return not_a_reply();
    for (uint32_t i = 0; i < product->field_count; i++) {
        const struct warp_field *f = &product->fields[i];
        if (!(r->have >> i & 1))
            continue;
        const uint8_t *size = take(from, 4);
        const uint8_t *wire = size ? take(from, wire_get32(size)) : NULL;
        if (!wire || f->offset == UINT32_MAX ||
            codec_decode(f->type, wire, wire_get32(size), record + f->offset,
                         arena) != WARP_OK)
            return not_a_reply();
    }
    return WARP_OK;
}

/* ---- series ---- */

static int print_element(const struct warp_field *f, int64_t at,
                         const uint8_t *wire, uint32_t bytes, struct text *to)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    void *value = warp_arena_alloc(&arena, f->type->size);
    int rc =
        value ? codec_decode(f->type, wire, bytes, value, &arena) : WARP_ENOMEM;
    if (rc == WARP_OK && f->by_offset == UINT32_MAX)
        text_say(to, "{\"at\":%lld,\"value\":", (long long)at);
    if (rc == WARP_OK)
        value_print(to, f->type, value);
    if (rc == WARP_OK && f->by_offset == UINT32_MAX)
        text_put(to, "}");
    warp_arena_free(&arena);
    return rc == WARP_OK ? rc : not_a_reply();
}

int record_series(struct record_asker *a, const struct record_reply *r,
                  uint32_t field, struct text *to)
{
    const struct warp_field *f = &a->product->fields[field];
    int64_t from = INT64_MIN;
    uint32_t skip = 0;
    bool more = true, first = true;
    int rc = WARP_OK;
    text_put(to, "[");
    while (rc == WARP_OK && more) {
        request_begin(&a->request, REQUEST_SERIES);
        text_u16(&a->request, (uint16_t)a->number);
        text_u8(&a->request, (uint8_t)field);
        text_u16(&a->request, (uint16_t)r->key_bytes);
        text_add(&a->request, r->key, r->key_bytes);
        text_u64(&a->request, (uint64_t)from);
        text_u32(&a->request, skip);
        text_u64(&a->request, (uint64_t)INT64_MAX);
        text_u32(&a->request, 0);
        rc = source_ask(a->source, &a->request, &a->reply);
        if (rc == WARP_OK && tool_progress(&a->source->bar, "", 0, 0))
            rc = error_set(WARP_EIO, "stopped");
        const uint8_t *start = (const uint8_t *)a->reply.data;
        struct record_bytes in = {start, start + a->reply.used};
        const uint8_t *at = rc == WARP_OK ? take(&in, 1) : NULL;
        more = at && *at;
        while (rc == WARP_OK && in.at < in.end) {
            const uint8_t *head = take(&in, 12);
            const uint8_t *wire = head ? take(&in, wire_get32(head + 8)) : NULL;
            if (!wire)
                return not_a_reply();
            int64_t now = (int64_t)wire_get64(head);
            skip = now == from ? skip + 1 : 1;
            from = now;
            if (!first)
                text_add(to, ",", 1);
            first = false;
            rc = print_element(f, now, wire, wire_get32(head + 8), to);
        }
    }
    text_put(to, "]");
    return rc;
}

int record_json(struct record_asker *a, const struct record_reply *r,
                struct text *to)
{
    const struct warp_product *p = a->product;
    int rc = WARP_OK;
    text_put(to, "{");
    for (uint32_t i = 0; i < p->field_count && rc == WARP_OK; i++) {
        const struct warp_field *f = &p->fields[i];
        if (f->flags & WARP_F_KEY || (r->have >> i & 1)) {
            text_key(to, f->name);
            value_print(to, f->type, (const char *)r->record + f->offset);
        } else if ((f->flags & WARP_F_SERIES) && (a->mask >> i & 1)) {
            size_t before = to->used;
            text_key(to, f->name);
            size_t start = to->used;
            rc = record_series(a, r, i, to);
            if (to->used == start + 2)
                to->used = before; /* nothing in it */
        }
    }
    text_put(to, "}");
    return rc;
}

/* ---- keys ---- */

struct json record_cell(const struct warp_type *type, const char *text,
                        size_t bytes)
{
    struct json j = {.kind = JSON_STRING, .bare = true};
    (void)type;
    j.text.data = text;
    j.text.len = (uint32_t)bytes;
    j.line = 1;
    return j;
}

int tool_key(const struct warp_product *p, const char *text, uint8_t *to,
             size_t *bytes, struct warp_arena *arena, char *why,
             size_t why_bytes)
{
    struct value_fault fault = {"", 0};
    const char *what = NULL;
    struct json *parsed = NULL, cell;
    uint8_t *record = warp_arena_alloc(arena, p->record_bytes);
    int rc = record ? WARP_OK : WARP_ENOMEM;
    if (rc != WARP_OK)
        return rc;
    memset(record, 0, p->record_bytes);
    if (p->key_count > 1) {
        struct json_input in = {text, text + strlen(text), 1, NULL};
        rc = json_read(&in, arena, &parsed);
        if (rc != WARP_OK || parsed->kind != JSON_OBJECT || in.at != in.end) {
            snprintf(why, why_bytes,
                     "the key of %s has several fields: write it as JSON, "
                     "{\"%s\":…}",
                     p->name, p->fields[p->key_fields[0]].name);
            return WARP_EINVAL;
        }
    }
    for (uint32_t i = 0; i < p->key_count && rc == WARP_OK; i++) {
        const struct warp_field *f = &p->fields[p->key_fields[i]];
        cell = record_cell(f->type, text, strlen(text));
        const struct json *from = parsed ? json_member(parsed, f->name) : &cell;
        rc = from
                 ? value_parse(f->type, from, record + f->offset, arena, &fault)
                 : WARP_EINVAL;
        if (rc != WARP_OK)
            snprintf(why, why_bytes, "the key field %s: %s", f->name,
                     from ? fault.what : "is missing");
    }
    /* A name is there once: more of them are of no field. */
    if (rc == WARP_OK && parsed && parsed->count != p->key_count) {
        snprintf(why, why_bytes, "the key of %s has %u fields, here are %u",
                 p->name, p->key_count, parsed->count);
        rc = WARP_EINVAL;
    }
    if (rc == WARP_OK) {
        rc = key_encode_record(p, record, to, bytes, &what);
        if (rc != WARP_OK)
            snprintf(why, why_bytes, "the key %s", what ? what : "is wrong");
    }
    return rc;
}
