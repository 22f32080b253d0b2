/* op.c: changes to bytes and back; the format is in op.h. */
#include "op.h"

#include "codec.h"
#include "error.h"
#include "hash.h"

#include <stdlib.h>

void op_init(struct op *op, const struct layout *layout, enum op_kind kind,
             uint8_t *space, uint32_t space_bytes)
{
    memset(op, 0, sizeof *op);
    op->layout = layout;
    op->body = space;
    op->room = space_bytes;
    op->kind = (uint8_t)kind;
}

void op_fini(struct op *op)
{
    if (op->owned)
        free(op->body);
    free(op->away);
    op->body = op->away = NULL;
    op->owned = false;
}

int op_grow(struct op *op, size_t more)
{
    if (more > OP_BODY_BYTES_MAX - op->bytes)
        return error_set(WARP_ELIMIT,
                         "%s: a commit of more than %d MiB; split the value",
                         op->layout->desc->name, OP_BODY_BYTES_MAX >> 20);
    size_t room = (op->bytes + more) + (op->bytes + more) / 2;
    uint8_t *grown = op->owned ? realloc(op->body, room) : malloc(room);
    if (!grown)
        return error_set(WARP_ENOMEM, "out of memory for a commit of %zu bytes",
                         room);
    if (!op->owned && op->bytes > 0)
        memcpy(grown, op->body, op->bytes);
    op->body = grown;
    op->owned = true;
    op->room = (uint32_t)room;
    return WARP_OK;
}

static int bad_key(const struct layout *l, int code, const char *why)
{
    return error_set(code, "%s: the key %s", l->desc->name,
                     why ? why : "is not valid");
}

int op_key(struct op *op, const void *key, const void *record)
{
    const struct layout *l = op->layout;
    int rc = op_room(op, OP_HEADER_BYTES + KEY_BYTES_MAX);
    if (rc != WARP_OK)
        return rc;
    uint8_t *b = op->body;
    const char *why = NULL;
    const void *one = key ? key
                          : (const char *)record +
                                l->fields[l->desc->key_fields[0]].offset;
    size_t bytes = layout_usual_key(l, one, b + OP_HEADER_BYTES);
    if (bytes == 0)
        rc = key ? key_encode(l->desc, key, b + OP_HEADER_BYTES, &bytes, &why)
                 : key_encode_record(l->desc, record, b + OP_HEADER_BYTES,
                                     &bytes, &why);
    if (rc != WARP_OK)
        return bad_key(l, rc, why);
    op->key_at = OP_HEADER_BYTES;
    op->key_bytes = (uint16_t)bytes;
    b[0] = op->kind;
    b[1] = 0;
    wire_put16(b + 2, l->number);
    wire_put16(b + 4, op->key_bytes);
    wire_put16(b + 6, 0);
    op->bytes = op->logged_bytes = (uint32_t)(OP_HEADER_BYTES + bytes);
    return WARP_OK;
}

/* Masks and deadlines. Room: 3 masks and 57 deadlines at most. */
static int put_header(struct op *op, uint64_t set, uint64_t mark,
                      uint64_t dead)
{
    int rc = op_room(op, 24 + 57 * 8);
    if (rc != WARP_OK)
        return rc;
    op->set = set;
    op->mark = mark;
    op->dead = dead;
    op->flags = (uint8_t)((set ? OP_SET : 0) | (mark ? OP_MARK : 0) |
                          (dead ? OP_DEAD : 0));
    op->body[1] = op->flags;
    uint8_t *at = op->body + op->bytes;
    if (set)
        at = wire_put64(at, set);
    if (mark)
        at = wire_put64(at, mark);
    if (dead)
        at = wire_put64(at, dead);
    op->dead_at = (uint32_t)(at - op->body);
    op->bytes = op->dead_at;
    if (dead)
        op->bytes += 8 * (uint32_t)__builtin_popcountll(dead);
    op->values_at = op->bytes;
    return WARP_OK;
}

static int64_t deadline_after(int64_t now, int64_t ttl)
{
    return now > INT64_MAX - ttl ? INT64_MAX : now + ttl;
}

void op_arm(struct op *op)
{
    const struct warp_product *desc = op->layout->desc;
    uint8_t *at = op->body + op->dead_at;
    op->armed = true;
    FOR_BITS(i, op->dead)
    {
        int64_t ttl = i == 56 ? desc->ttl_ms : desc->fields[i].ttl_ms;
        at = wire_put64(at, (uint64_t)deadline_after(op->now, ttl));
    }
}

int64_t op_deadline_of(const struct op *op, uint32_t field)
{
    uint64_t below = op->dead & ((UINT64_C(1) << field) - 1);
    return (int64_t)wire_get64(op->body + op->dead_at +
                               8 * __builtin_popcountll(below));
}

static uint64_t dead_mask(const struct layout *l, uint64_t fields)
{
    return (fields & l->ttl) | (l->desc->ttl_ms > 0 ? OP_RECORD_DEADLINE : 0);
}

static int bad_value(const struct layout *l, uint32_t i, int code,
                     const char *why)
{
    return error_set(code, "%s.%s %s", l->desc->name, l->desc->fields[i].name,
                     why ? why : "is not valid");
}

/* One whose wire form are its bytes, and of which nothing is asked. */
static int put_text(struct op *op, const struct warp_str *text)
{
    int rc = op_room(op, (size_t)text->len + 4);
    if (rc != WARP_OK)
        return rc;
    uint8_t *at = wire_put32(op->body + op->bytes, text->len);
    memcpy(at, text->data, text->len);
    op->bytes += 4 + text->len;
    return WARP_OK;
}

static int put_value(struct op *op, uint32_t i, const void *value)
{
    const struct layout *l = op->layout;
    const struct field_layout *f = &l->fields[i];
    const struct warp_type *type = l->desc->fields[i].type;
    const char *why = NULL;
    if (f->form != SLOT_VAR && type->plain) {
        int rc = op_room(op, f->bytes);
        if (rc != WARP_OK)
            return rc;
        memcpy(op->body + op->bytes, value, f->bytes);
        op->bytes += f->bytes;
        return WARP_OK;
    }
    size_t bytes = 0;
    struct warp_str text;
    int rc;
    if (f->text_max) {
        memcpy(&text, value, sizeof text);
        if (text.data && text.len <= f->text_max)
            return put_text(op, &text);
    }
    rc = codec_size(type, value, &bytes, &why);
    if (rc != WARP_OK)
        return bad_value(l, i, rc, why);
    rc = op_room(op, bytes + 4);
    if (rc != WARP_OK)
        return rc;
    uint8_t *at = op->body + op->bytes;
    if (f->form == SLOT_VAR)
        at = wire_put32(at, (uint32_t)bytes);
    at = codec_encode(type, value, at);
    op->bytes = (uint32_t)(at - op->body);
    return WARP_OK;
}

/* The values of a record struct, or the one value of a set. */
static int put_values(struct op *op, uint64_t mask, const uint8_t *record,
                      const void *value)
{
    FOR_BITS(i, mask)
    {
        const void *v = value ? value : record + op->layout->fields[i].offset;
        int rc = put_value(op, (uint32_t)i, v);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

static int put_update(struct op *op, uint64_t fields, const void *record,
                      const void *value, int64_t now)
{
    const struct layout *l = op->layout;
    uint64_t memory = fields & l->mortal_mem;
    int rc = put_header(op, fields & l->durable, memory,
                        dead_mask(l, fields));
    if (rc != WARP_OK)
        return rc;
    op->now = now;
    if (op->dead)
        op_arm(op);
    rc = put_values(op, op->set, record, value);
    op->logged_bytes = op->bytes;
    if (rc != WARP_OK || !memory)
        return rc;
    rc = op_room(op, 8);
    if (rc != WARP_OK)
        return rc;
    op->memory = memory;
    op->memory_at = op->bytes;
    return put_values(op, memory, record, value);
}

int op_put(struct op *op, const void *record, uint64_t fields, int64_t now)
{
    return put_update(op, fields & op->layout->stored, record, NULL, now);
}

int op_set(struct op *op, uint32_t field, const void *value, int64_t now)
{
    op->field = field;
    return put_update(op, UINT64_C(1) << field, NULL, value, now);
}

int op_add(struct op *op, uint32_t field, const void *delta, int64_t now)
{
    const struct warp_type *type = op->layout->desc->fields[field].type;
    uint8_t zero[8] = {0};
    op->is_add = true;
    if (type->kind == WARP_T_F32) {
        float f;
        memcpy(&f, delta, sizeof f);
        op->delta.f = (double)f;
    } else if (type->kind == WARP_T_F64) {
        memcpy(&op->delta.f, delta, sizeof op->delta.f);
    } else {
        memcpy(&op->delta.i, delta, sizeof op->delta.i);
    }
    return op_set(op, field, zero, now);
}

int op_deadlines(struct op *op, uint64_t fields, int64_t deadline)
{
    op->must_exist = true;
    int rc = put_header(op, 0, 0, fields);
    if (rc != WARP_OK)
        return rc;
    uint8_t *at = op->body + op->dead_at;
    for (int n = __builtin_popcountll(fields); n > 0; n--)
        at = wire_put64(at, (uint64_t)deadline);
    op->logged_bytes = op->bytes;
    return WARP_OK;
}

int op_append(struct op *op, uint32_t field, int64_t at_ms,
              const void *element)
{
    const struct layout *l = op->layout;
    const struct warp_type *type = l->desc->fields[field].type;
    size_t bytes = 0;
    const char *why = NULL;
    int rc = codec_size(type, element, &bytes, &why);
    if (rc != WARP_OK)
        return bad_value(l, field, rc, why);
    rc = put_header(op, 0, 0, dead_mask(l, 0));
    if (rc == WARP_OK)
        rc = op_room(op, bytes + 12);
    if (rc != WARP_OK)
        return rc;
    op_arm(op);
    op->field = field;
    wire_put16(op->body + 6, (uint16_t)field);
    op->values_at = op->bytes;
    uint8_t *at = wire_put64(op->body + op->bytes, (uint64_t)at_ms);
    at = wire_put32(at, (uint32_t)bytes);
    at = codec_encode(type, element, at);
    op->logged_bytes = op->bytes = (uint32_t)(at - op->body);
    return WARP_OK;
}

int op_arrive(struct op *op, const uint8_t *row, uint32_t bytes)
{
    int rc = op_room(op, (size_t)bytes + 4);
    if (rc != WARP_OK)
        return rc;
    uint8_t *at = wire_put32(op->body + op->bytes, bytes);
    memcpy(at, row, bytes);
    op->values_at = op->bytes + 4;
    op->logged_bytes = op->bytes = op->values_at + bytes;
    return WARP_OK;
}

uint8_t *op_value_of(struct op *op, uint32_t field)
{
    uint64_t bit = UINT64_C(1) << field;
    bool in_memory = (op->memory & bit) != 0;
    const uint8_t *at = op->body +
                        (in_memory ? op->memory_at : op->values_at);
    FOR_BITS(i, in_memory ? op->memory : op->set)
    {
        struct op_value v;
        at = op_next_value(op->layout, (uint32_t)i, at, &v);
        if (i == field)
            return (uint8_t *)(uintptr_t)v.data;
    }
    return NULL;
}

/* ---- from logged bytes ---- */

static int damaged(const char *what)
{
    return error_set(WARP_ECORRUPT, "log record: %s", what);
}

static int decode_values(struct op *op, const uint8_t *end)
{
    const uint8_t *at = op->body + op->values_at;
    FOR_BITS(i, op->set)
    {
        const struct field_layout *f = &op->layout->fields[i];
        size_t left = (size_t)(end - at);
        size_t need = f->form == SLOT_VAR ? 4 : f->bytes;
        if (left < need)
            return damaged("values are cut");
        if (f->form == SLOT_VAR)
            need += wire_get32(at);
        if (left < need)
            return damaged("a value is cut");
        if (codec_check(op->layout->desc->fields[i].type,
                        at + (f->form == SLOT_VAR ? 4 : 0),
                        need - (f->form == SLOT_VAR ? 4 : 0)) != WARP_OK)
            return damaged("a value does not fit its type");
        at += need;
    }
    op->bytes = op->logged_bytes = (uint32_t)(at - op->body);
    return WARP_OK;
}

static int decode_masks(struct op *op, const uint8_t *end)
{
    const uint8_t *at = op->body + op->key_at + op->key_bytes;
    uint64_t *masks[3] = {&op->set, &op->mark, &op->dead};
    for (int m = 0; m < 3; m++) {
        if (!(op->flags & (OP_SET << m)))
            continue;
        if (end - at < 8)
            return damaged("masks are cut");
        *masks[m] = wire_get64(at);
        at += 8;
    }
    const struct layout *l = op->layout;
    if ((op->set & ~l->durable) || (op->mark & ~l->mortal_mem) ||
        (op->dead & ~(l->ttl | OP_RECORD_DEADLINE)) ||
        ((op->dead & OP_RECORD_DEADLINE) && l->deadline == UINT32_MAX))
        return damaged("a mask names fields that are not there");
    op->dead_at = (uint32_t)(at - op->body);
    size_t deadlines = 8 * (size_t)__builtin_popcountll(op->dead);
    if ((size_t)(end - at) < deadlines)
        return damaged("deadlines are cut");
    op->values_at = op->dead_at + (uint32_t)deadlines;
    return WARP_OK;
}

static int decode_append(struct op *op, const uint8_t *end)
{
    const struct layout *l = op->layout;
    size_t left = (size_t)(end - op->body) - op->values_at;
    if ((op->set | op->mark | (op->dead & ~OP_RECORD_DEADLINE)) ||
        op->field >= l->desc->field_count ||
        !(l->series >> op->field & 1) || left < 12 ||
        left - 12 < wire_get32(op->body + op->values_at + 8))
        return damaged("an element is cut");
    op->bytes = op->values_at + 12 +
                wire_get32(op->body + op->values_at + 8);
    op->logged_bytes = op->bytes;
    return WARP_OK;
}

static int decode_arrive(struct op *op, const uint8_t *end)
{
    const uint8_t *at = op->body + op->bytes;
    size_t left = (size_t)(end - at);
    if (left < 4 || left - 4 < wire_get32(at))
        return damaged("a record is cut");
    op->values_at = op->bytes + 4;
    op->logged_bytes = op->bytes = op->values_at + wire_get32(at);
    return WARP_OK;
}

int op_decode(const struct layout *const *layouts, uint32_t layout_count,
              const uint8_t *bytes, size_t count, struct op *op, size_t *used)
{
    if (count < OP_HEADER_BYTES || count > UINT32_MAX)
        return damaged("a change is cut");
    uint16_t number = wire_get16(bytes + 2);
    if (number >= layout_count)
        return damaged("an unknown product");
    op_init(op, layouts[number], (enum op_kind)bytes[0],
            (uint8_t *)(uintptr_t)bytes, (uint32_t)count);
    op->flags = bytes[1];
    op->key_bytes = wire_get16(bytes + 4);
    op->key_at = OP_HEADER_BYTES;
    op->field = wire_get16(bytes + 6);
    const uint8_t *end = bytes + count;
    if (op->key_bytes > KEY_BYTES_MAX ||
        op->key_bytes > count - OP_HEADER_BYTES)
        return damaged("a key is cut");
    if (op->layout->key_bytes && op->key_bytes != op->layout->key_bytes)
        return damaged("a key has another length than the product's keys");
    op->bytes = op->logged_bytes = OP_HEADER_BYTES + op->key_bytes;
    int rc = WARP_OK;
    if (op->kind == OP_UPDATE || op->kind == OP_APPEND)
        rc = decode_masks(op, end);
    if (rc == WARP_OK && op->kind == OP_UPDATE)
        rc = decode_values(op, end);
    else if (rc == WARP_OK && op->kind == OP_APPEND)
        rc = decode_append(op, end);
    else if (rc == WARP_OK && op->kind == OP_ARRIVE)
        rc = decode_arrive(op, end);
    else if (rc == WARP_OK && op->kind != OP_DELETE && op->kind != OP_DEPART)
        rc = damaged("an unknown kind of change");
    *used = op->bytes;
    return rc;
}
