/* Types -> constant tables for the generated .c file, one object per shape
 * that the file's products use, and assertions that pin the layout of every
 * struct. Scalars are the runtime's own. Names at file scope end in a digit
 * and _, which no name made from a schema does. */
#include "emit.h"

#include <string.h>

static const char *scalar_name(unsigned kind)
{
    static const char *const names[] = {[DESCRIPTOR_BOOL] = "bool",
                                        [DESCRIPTOR_U8] = "u8",
                                        [DESCRIPTOR_U16] = "u16",
                                        [DESCRIPTOR_U32] = "u32",
                                        [DESCRIPTOR_U64] = "u64",
                                        [DESCRIPTOR_I8] = "i8",
                                        [DESCRIPTOR_I16] = "i16",
                                        [DESCRIPTOR_I32] = "i32",
                                        [DESCRIPTOR_I64] = "i64",
                                        [DESCRIPTOR_F32] = "f32",
                                        [DESCRIPTOR_F64] = "f64",
                                        [DESCRIPTOR_TIMESTAMP] = "timestamp",
                                        [DESCRIPTOR_DURATION] = "duration",
                                        [DESCRIPTOR_UUID] = "uuid",
                                        [DESCRIPTOR_STRING] = "string",
                                        [DESCRIPTOR_BYTES] = "bytes",
                                        [DESCRIPTOR_VALUE_MAP] = "value_map"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

static bool is_shared(const struct descriptor_type *type)
{
    return scalar_name(type->kind) != NULL && type->count == 0;
}

void emit_type_ref(struct text *out, const struct descriptor_type *type)
{
    if (is_shared(type))
        text_put(out, scalar_name(type->kind));
    else
        text_format(out, "t%u_", ((const struct emit_type *)type)->number);
}

static void mark(const struct descriptor_type *row)
{
    /* rows are made by emit_descriptor.c, which owns them */
    struct emit_type *type = (struct emit_type *)(uintptr_t)row;
    if (type->used)
        return;
    type->used = true;
    if (row->elem)
        mark(row->elem);
    if (row->kind == DESCRIPTOR_STRUCT || row->kind == DESCRIPTOR_SUM)
        for (uint32_t i = 0; i < row->count; i++)
            if (row->members[i].type)
                mark(row->members[i].type);
}

/* What sizeof takes: a type, or a member of the sum that a variant is of. */
static void put_sizeof(struct text *out, const struct emit_type *type)
{
    if (type->variant)
        text_format(out, "sizeof(((struct %s *)0)->u.%s)", type->sum->c_name,
                    type->variant->c_name);
    else if (type->map)
        text_format(out, "sizeof(struct %s)", type->map->wrapper_tag);
    else
        text_format(out, "sizeof(%s)", type->model->c_type);
}

static const char *member_c_name(const struct emit_type *type, uint32_t i)
{
    if (type->variant)
        return type->variant->members[i].c_name;
    if (type->map)
        return i == 0 ? "key" : "value";
    return type->model->structure->members[i].c_name;
}

static void put_offsetof(struct text *out, const struct emit_type *type,
                         const char *member)
{
    if (type->variant)
        text_format(out,
                    "offsetof(struct %s, u.%s.%s) - offsetof(struct %s, u)",
                    type->sum->c_name, type->variant->c_name, member,
                    type->sum->c_name);
    else if (type->map)
        text_format(out, "offsetof(struct %s, %s)", type->map->wrapper_tag,
                    member);
    else
        text_format(out, "offsetof(%s, %s)", type->model->c_type, member);
}

static void put_members(struct text *out, const struct emit_type *type)
{
    const struct descriptor_type *row = &type->row;
    text_format(out, "static const struct warp_member m%u_[] = {\n",
                type->number);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct descriptor_member *m = &row->members[i];
        text_format(out, "    { \"%s\", ", m->name);
        text_put(out, m->type ? "&warp_type_" : "NULL");
        if (m->type)
            emit_type_ref(out, m->type);
        text_put(out, ", ");
        if (row->kind == DESCRIPTOR_SUM) {
            if (type->model->sum->has_union)
                text_format(out, "offsetof(%s, u)", type->model->c_type);
            else
                text_put(out, "0");
            text_format(out, ", UINT32_MAX, %lld },\n", (long long)m->tag);
            continue;
        }
        put_offsetof(out, type, member_c_name(type, i));
        text_put(out, ", ");
        if (m->optional)
            put_offsetof(out, type,
                         type->variant
                             ? type->variant->members[i].c_has
                             : type->model->structure->members[i].c_has);
        else
            text_put(out, "UINT32_MAX");
        text_put(out, ", 0 },\n");
    }
    text_put(out, "};\n");
}

static void put_values(struct text *out, const struct emit_type *type)
{
    const struct descriptor_type *row = &type->row;
    text_format(out, "static const struct warp_enumerator v%u_[] = {\n",
                type->number);
    for (uint32_t i = 0; i < row->count; i++)
        text_format(out, "    { \"%s\", %lld },\n", row->values[i].name,
                    (long long)row->values[i].value);
    text_put(out, "};\n");
}

static const char *kind_name(unsigned kind)
{
    switch (kind) {
    case DESCRIPTOR_STRING:
        return "STRING";
    case DESCRIPTOR_BYTES:
        return "BYTES";
    case DESCRIPTOR_OPAQUE:
        return "OPAQUE";
    case DESCRIPTOR_FIXED_BYTES:
        return "FIXED_BYTES";
    case DESCRIPTOR_ARRAY:
        return "ARRAY";
    case DESCRIPTOR_LIST:
        return "LIST";
    case DESCRIPTOR_MAP:
        return "MAP";
    case DESCRIPTOR_STRUCT:
        return "STRUCT";
    case DESCRIPTOR_ENUM:
        return "ENUM";
    default:
        return "SUM";
    }
}

/* One assertion over size and all offsets. */
static void put_assertion(struct text *out, const struct emit_type *type)
{
    const struct descriptor_type *row = &type->row;
    text_put(out, "_Static_assert(");
    put_sizeof(out, type);
    text_format(out, " == %u", row->size);
    if (row->kind == DESCRIPTOR_STRUCT)
        for (uint32_t i = 0; i < row->count; i++) {
            text_put(out, " &&\n    ");
            put_offsetof(out, type, member_c_name(type, i));
            text_format(out, " == %u", row->members[i].offset);
        }
    text_put(out, ",\n    \"layout of ");
    text_put(out, row->name);
    text_put(out, "\");\n");
}

static void put_table(struct text *out, const struct emit_type *type)
{
    const struct descriptor_type *row = &type->row;
    bool parts = row->kind == DESCRIPTOR_STRUCT || row->kind == DESCRIPTOR_SUM;
    if (parts)
        put_members(out, type);
    if (row->kind == DESCRIPTOR_ENUM)
        put_values(out, type);
    text_format(
        out, "static const struct warp_type warp_type_t%u_ = { .name = ",
        type->number);
    text_literal(out, row->name, strlen(row->name));
    text_format(out,
                ",\n    .kind = WARP_T_%s, .size = ", kind_name(row->kind));
    put_sizeof(out, type);
    if (row->kind == DESCRIPTOR_ENUM) {
        text_format(out, ", .width = %u", row->width);
        if (row->is_signed)
            text_put(out, ", .is_signed = 1");
        text_format(out, ", .values = v%u_", type->number);
    }
    if (row->plain)
        text_put(out, ", .plain = 1");
    if (row->wire_bytes)
        text_format(out, ",\n    .wire_bytes = %u", row->wire_bytes);
    if (row->count)
        text_format(out, ", .count = %u", row->count);
    if (row->elem) {
        text_put(out, ", .elem = &warp_type_");
        emit_type_ref(out, row->elem);
    }
    if (parts)
        text_format(out, ", .members = m%u_", type->number);
    text_put(out, " };\n");
    if (row->kind == DESCRIPTOR_STRUCT || row->kind == DESCRIPTOR_SUM ||
        row->kind == DESCRIPTOR_ARRAY || row->kind == DESCRIPTOR_FIXED_BYTES)
        put_assertion(out, type);
}

void emit_c_types(const struct emit *emit, struct text *out)
{
    const struct descriptor *d = emit->descriptor;
    uint32_t number = 0;
    for (uint32_t i = 0; i < d->product_count; i++)
        if (emit->model->products[i]->file == emit->file)
            for (uint32_t j = 0; j < d->products[i].field_count; j++)
                mark(d->products[i].fields[j].type);
    for (uint32_t i = 0; i < d->type_count; i++) {
        struct emit_type *type = (struct emit_type *)d->types[i];
        if (!type->used || is_shared(&type->row))
            continue;
        type->number = number++;
        put_table(out, type);
    }
    if (number)
        text_bytes(out, "\n", 1);
}

/* ---- defaults ------------------------------------------------------------ */

struct values {
    struct text *out; /* what goes before */
    const char *name;
    uint32_t arrays;
};

static void put_integer(struct text *out, int64_t value)
{
    if (value == INT64_MIN)
        text_put(out, "INT64_MIN");
    else if (value > INT32_MAX || value < -INT32_MAX)
        text_format(out, "INT64_C(%lld)", (long long)value);
    else
        text_format(out, "%lld", (long long)value);
}

static void put_byte_array(struct text *out, const char *bytes, size_t size)
{
    text_put(out, "{ { ");
    for (size_t i = 0; i < size; i++)
        text_format(out, "%s%u", i ? ", " : "", (unsigned char)bytes[i]);
    text_put(out, size ? " } }" : "0 } }");
}

static void put_value(struct values *v, struct text *expr,
                      const struct model_type *type,
                      const struct model_value *value);

/* A list's elements are an object of their own, written before. */
static void put_list(struct values *v, struct text *expr,
                     const struct model_type *type,
                     const struct model_value *value)
{
    struct text elements;
    uint32_t number = v->arrays++;
    text_init(&elements, v->out->arena, 256);
    for (uint32_t i = 0; i < value->item_count; i++) {
        text_put(&elements, i ? ", " : " ");
        put_value(v, &elements, type->element, &value->items[i]);
    }
    text_format(v->out, "static %s %sa%u_[] = {", type->element->c_type,
                v->name, number);
    text_bytes(v->out, elements.at, elements.size);
    text_put(v->out, " };\n");
    text_format(expr, "{ %sa%u_, %u }", v->name, number, value->item_count);
}

static void put_tuple(struct values *v, struct text *expr,
                      const struct model_type *type,
                      const struct model_value *value)
{
    bool array = type->kind == TYPE_ARRAY, first = true;
    if (type->kind == TYPE_LIST) {
        put_list(v, expr, type, value);
        return;
    }
    text_put(expr, array ? "{ { " : "{ ");
    for (uint32_t i = 0; i < value->item_count; i++) {
        const struct model_member *m =
            array ? NULL : &type->structure->members[i];
        if (m && value->items[i].kind == VALUE_NONE)
            continue; /* an optional member that is not there */
        if (!first)
            TEXT(expr, ", ");
        first = false;
        if (m && m->optional)
            text_put3(expr, ".", m->c_has, " = true, ");
        if (m)
            text_put3(expr, ".", m->c_name, " = ");
        put_value(v, expr, array ? type->element : m->type, &value->items[i]);
    }
    if (first && !array) /* all are optional, none is there */
        text_put3(expr, ".", type->structure->members[0].c_has, " = false");
    text_put(expr, array ? " } }" : " }");
}

static void put_value(struct values *v, struct text *expr,
                      const struct model_type *type,
                      const struct model_value *value)
{
    switch (value->kind) {
    case VALUE_BOOL:
        text_put(expr, value->i ? "true" : "false");
        break;
    case VALUE_INT:
        put_integer(expr, value->i);
        break;
    case VALUE_UINT:
        if (value->u > INT32_MAX)
            text_format(expr, "UINT64_C(%llu)", (unsigned long long)value->u);
        else
            text_format(expr, "%llu", (unsigned long long)value->u);
        break;
    case VALUE_FLOAT:
        text_double(expr, value->f, type->kind == TYPE_F32);
        break;
    case VALUE_ENUM:
        text_put(expr, value->member->c_name);
        break;
    case VALUE_TEXT:
        if (type->kind == TYPE_FIXED_BYTES) {
            put_byte_array(expr, value->text, value->len);
            break;
        }
        text_put(expr, "{ ");
        text_literal(expr, value->text, value->len);
        text_format(expr, ", %u }", (unsigned)value->len);
        break;
    case VALUE_UUID:
        put_byte_array(expr, value->text, 16);
        break;
    case VALUE_TUPLE:
        put_tuple(v, expr, type, value);
        break;
    case VALUE_EMPTY: /* a list or map */
        TEXT(expr, "{ NULL, 0 }");
        break;
    case VALUE_NONE: /* left out by put_tuple() */
        break;
    }
}

void emit_c_default(struct text *out, const struct model_type *type,
                    const struct model_value *value, const char *name)
{
    struct values v = {out, name, 0};
    struct text expr;
    text_init(&expr, out->arena, 256);
    put_value(&v, &expr, type, value);
    text_format(out, "static const %s %s_ = ", type->c_type, name);
    text_bytes(out, expr.at, expr.size);
    text_put(out, ";\n");
}
