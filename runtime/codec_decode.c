/* codec_decode.c: wire bytes to values in C form, every byte checked.
 *
 * One walk serves codec_decode and codec_check: without a place for the value
 * it only checks. The bytes may come from a damaged disk: a count is compared
 * with the bytes that are left before anything is allocated for it. */
#include "arena.h"
#include "codec.h"
#include "codec_type.h"
#include "utf8.h"

struct reader {
    const uint8_t *at, *end;
    struct warp_arena *arena;
};

static int read_value(struct reader *r, const struct warp_type *type,
                      uint8_t *out, unsigned nesting);
static int read_dynamic(struct reader *r, struct warp_value *out,
                        unsigned depth);

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static int allocate(struct reader *r, size_t bytes, void *at)
{
    if (!r->arena)
        return WARP_EINVAL;
    void *memory = arena_alloc(r->arena, bytes);
    if (!memory)
        return WARP_ENOMEM;
    memcpy(at, &memory, sizeof memory);
    return 0;
}

static int read_u32(struct reader *r, uint32_t *value)
{
    if (left(r) < sizeof *value)
        return WARP_ECORRUPT;
    memcpy(value, r->at, sizeof *value);
    r->at += sizeof *value;
    return 0;
}

static int read_flag(struct reader *r, uint8_t *value)
{
    if (!left(r) || *r->at > 1)
        return WARP_ECORRUPT;
    *value = *r->at++;
    return 0;
}

/* `len` bytes that follow. */
static int read_text(struct reader *r, uint32_t len, bool utf8,
                     struct warp_str *out)
{
    if (left(r) < len)
        return WARP_ECORRUPT;
    if (utf8 && utf8_valid_bytes(r->at, len) != len)
        return WARP_ECORRUPT;
    if (out) {
        out->data = "";
        out->len = len;
        if (len) {
            char *copy = NULL;
            int rc = allocate(r, len, &copy);
            if (rc)
                return rc;
            memcpy(copy, r->at, len);
            out->data = copy;
        }
    }
    r->at += len;
    return 0;
}

static int read_counted_text(struct reader *r, bool utf8, struct warp_str *out)
{
    uint32_t len;
    int rc = read_u32(r, &len);
    return rc ? rc : read_text(r, len, utf8, out);
}

/* ---- dynamic values ---- */

static int read_dynamic_map(struct reader *r, struct warp_list *out,
                            unsigned depth)
{
    uint32_t count;
    int rc = read_u32(r, &count);
    if (rc)
        return rc;
    /* an entry takes a length and a kind at least */
    if (count > left(r) / (sizeof(uint32_t) + 1) || depth > CODEC_DEPTH_MAX)
        return WARP_ECORRUPT;
    struct warp_entry *entries = NULL;
    if (out && count) {
        rc = allocate(r, count * sizeof *entries, &entries);
        if (rc)
            return rc;
    }
    struct warp_str last = {NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *from = r->at;
        rc = read_counted_text(r, true, entries ? &entries[i].key : NULL);
        if (rc)
            return rc;
        union type_key scratch;
        type_key_from_wire(NULL, from, (size_t)(r->at - from), &scratch);
        if (i && type_compare(NULL, &last, &scratch.text) >= 0)
            return WARP_ECORRUPT;
        last = scratch.text;
        rc = read_dynamic(r, entries ? &entries[i].value : NULL, depth);
        if (rc)
            return rc;
    }
    if (out)
        *out = (struct warp_list){entries, count};
    return 0;
}

static int read_dynamic_list(struct reader *r, struct warp_list *out,
                             unsigned depth)
{
    uint32_t count;
    int rc = read_u32(r, &count);
    if (rc)
        return rc;
    if (count > left(r) || depth > CODEC_DEPTH_MAX)
        return WARP_ECORRUPT;
    struct warp_value *values = NULL;
    if (out && count) {
        rc = allocate(r, count * sizeof *values, &values);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < count; i++) {
        rc = read_dynamic(r, values ? &values[i] : NULL, depth);
        if (rc)
            return rc;
    }
    if (out)
        *out = (struct warp_list){values, count};
    return 0;
}

static int read_dynamic(struct reader *r, struct warp_value *out,
                        unsigned depth)
{
    if (!left(r))
        return WARP_ECORRUPT;
    uint8_t kind = *r->at++, flag;
    if (out) {
        memset(out, 0, sizeof *out);
        out->kind = (enum warp_kind)kind;
    }
    int rc;
    switch (kind) {
    case WARP_NULL:
        return 0;
    case WARP_BOOL:
        rc = read_flag(r, &flag);
        if (!rc && out)
            out->u.b = flag;
        return rc;
    case WARP_INT:
    case WARP_FLOAT:
        if (left(r) < 8)
            return WARP_ECORRUPT;
        if (out)
            memcpy(&out->u, r->at, 8);
        r->at += 8;
        return 0;
    case WARP_STRING:
    case WARP_BYTES:
        return read_counted_text(r, kind == WARP_STRING,
                                 out ? &out->u.s : NULL);
    case WARP_LIST:
        return read_dynamic_list(r, out ? &out->u.list : NULL, depth + 1);
    case WARP_MAP:
        return read_dynamic_map(r, out ? &out->u.list : NULL, depth + 1);
    default:
        return WARP_ECORRUPT;
    }
}

/* ---- the schema's own types ---- */

static int read_elements(struct reader *r, const struct warp_type *elem,
                         uint32_t count, uint8_t *out, unsigned nesting)
{
    if (elem->plain || (!out && type_unchecked(elem))) {
        size_t bytes = (size_t)count * elem->wire_bytes;
        if (left(r) < bytes)
            return WARP_ECORRUPT;
        if (out && bytes)
            memcpy(out, r->at, bytes);
        r->at += bytes;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        int rc = read_value(r, elem, out ? out + (size_t)i * elem->size : NULL,
                            nesting);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_entries(struct reader *r, const struct warp_type *entry,
                        uint32_t count, uint8_t *out, unsigned nesting)
{
    const struct warp_member *key = &entry->members[0];
    const struct warp_member *value = &entry->members[1];
    if (!type_orders(key->type))
        return WARP_ECORRUPT;
    union type_key scratch[2];
    const void *last = NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *to = out ? out + (size_t)i * entry->size : NULL;
        const uint8_t *from = r->at;
        int rc = read_value(r, key->type, to ? to + key->offset : NULL,
                            nesting);
        if (rc)
            return rc;
        const void *this = type_key_from_wire(
            key->type, from, (size_t)(r->at - from), &scratch[i & 1]);
        if (type_is_nan(key->type, this) ||
            (last && type_compare(key->type, last, this) >= 0))
            return WARP_ECORRUPT;
        last = this;
        rc = read_value(r, value->type, to ? to + value->offset : NULL,
                        nesting);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_list(struct reader *r, const struct warp_type *type,
                     uint8_t *out, unsigned nesting)
{
    uint32_t count;
    int rc = read_u32(r, &count);
    if (rc)
        return rc;
    const struct warp_type *elem = type->elem;
    if ((type->count && count > type->count) || nesting >= CODEC_NESTING_MAX ||
        count > left(r) / type_wire_bytes_min(elem))
        return WARP_ECORRUPT;
    uint8_t *data = NULL;
    if (out && count) {
        size_t bytes = (size_t)count * elem->size;
        rc = allocate(r, bytes, &data);
        if (rc)
            return rc;
        if (!elem->plain)
            memset(data, 0, bytes); /* the gaps between members too */
    }
    rc = type->kind == WARP_T_MAP
             ? read_entries(r, elem, count, data, nesting + 1)
             : read_elements(r, elem, count, data, nesting + 1);
    if (!rc && out) {
        struct warp_list list = {data, count};
        memcpy(out, &list, sizeof list);
    }
    return rc;
}

static int read_struct(struct reader *r, const struct warp_type *type,
                       uint8_t *out, unsigned nesting)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        if (m->has_offset != UINT32_MAX) {
            uint8_t has;
            int rc = read_flag(r, &has);
            if (rc)
                return rc;
            if (out)
                out[m->has_offset] = has;
            if (!has) {
                if (out)
                    memset(out + m->offset, 0, m->type->size);
                continue;
            }
        }
        int rc = read_value(r, m->type, out ? out + m->offset : NULL, nesting);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_sum(struct reader *r, const struct warp_type *type,
                    uint8_t *out, unsigned nesting)
{
    uint32_t tag;
    int rc = read_u32(r, &tag);
    if (rc)
        return rc;
    const struct warp_member *variant = type_variant(type, tag);
    if (!variant)
        return WARP_ECORRUPT;
    if (out) {
        memset(out, 0, type->size);
        memcpy(out, &tag, sizeof tag);
    }
    if (!variant->type)
        return 0;
    return read_value(r, variant->type, out ? out + variant->offset : NULL,
                      nesting);
}

static int read_enum(struct reader *r, const struct warp_type *type,
                     uint8_t *out)
{
    if (left(r) < type->width)
        return WARP_ECORRUPT;
    int64_t value = type_enum_from_wire(type, r->at);
    if (!type_enum_known(type, value))
        return WARP_ECORRUPT;
    if (out)
        type_enum_store(type, value, out);
    r->at += type->width;
    return 0;
}

static int read_bounded_text(struct reader *r, const struct warp_type *type,
                             uint32_t len, uint8_t *out)
{
    if (type->count && type->kind != WARP_T_OPAQUE && len > type->count)
        return WARP_ECORRUPT;
    struct warp_str text;
    int rc = read_text(r, len, type->kind == WARP_T_STRING, out ? &text : NULL);
    if (!rc && out)
        memcpy(out, &text, sizeof text);
    return rc;
}

static int read_value(struct reader *r, const struct warp_type *type,
                      uint8_t *out, unsigned nesting)
{
    if (type->plain)
        return read_elements(r, type, 1, out, nesting);
    uint32_t len;
    int rc;
    switch (type->kind) {
    case WARP_T_BOOL: {
        uint8_t flag;
        rc = read_flag(r, &flag);
        if (!rc && out)
            *out = flag;
        return rc;
    }
    case WARP_T_ENUM:
        return read_enum(r, type, out);
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        rc = read_u32(r, &len);
        return rc ? rc : read_bounded_text(r, type, len, out);
    case WARP_T_ARRAY:
        return read_elements(r, type->elem, type->count, out, nesting);
    case WARP_T_LIST:
    case WARP_T_MAP:
        return read_list(r, type, out, nesting);
    case WARP_T_VALUE_MAP: {
        struct warp_list list;
        rc = read_dynamic_map(r, out ? &list : NULL, 1);
        if (!rc && out)
            memcpy(out, &list, sizeof list);
        return rc;
    }
    case WARP_T_STRUCT:
        return read_struct(r, type, out, nesting);
    case WARP_T_SUM:
        return read_sum(r, type, out, nesting);
    default:
        return WARP_ECORRUPT;
    }
}

static int read_all(struct reader *r, const struct warp_type *type,
                    uint8_t *out)
{
    size_t bytes = left(r);
    if (bytes > CODEC_VALUE_BYTES_MAX)
        return WARP_ECORRUPT;
    int rc = type_is_text(type)
                 ? read_bounded_text(r, type, (uint32_t)bytes, out)
                 : read_value(r, type, out, 0);
    return rc ? rc : r->at == r->end ? 0 : WARP_ECORRUPT;
}

int codec_decode(const struct warp_type *type, const uint8_t *from,
                 size_t bytes, void *out, struct warp_arena *arena)
{
    if (type->plain) {
        if (bytes != type->wire_bytes)
            return WARP_ECORRUPT;
        memcpy(out, from, bytes);
        return 0;
    }
    struct reader r = {from, from + bytes, arena};
    return read_all(&r, type, out);
}

int codec_check(const struct warp_type *type, const uint8_t *from, size_t bytes)
{
    if (type->plain)
        return bytes == type->wire_bytes ? 0 : WARP_ECORRUPT;
    struct reader r = {from, from + bytes, NULL};
    return read_all(&r, type, NULL);
}
