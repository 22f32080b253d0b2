/* Model -> FILESTEM.warp.h: what a user's program includes. Value types in an
 * order that C accepts, then for each product its struct, masks and calls, in
 * source order, with the schema's doc comments. C11 that is C++17 too. */
#include "emit.h"

#include "mangle.h"

#include <string.h>

void emit_c_guard(const struct emit *emit, struct text *out)
{
    text_format(out, "WARP_GEN_%s_WARP_H",
                mangle_upper(emit->arena, emit->file->stem_c));
}

static void put_spaces(struct text *out, size_t from, size_t to)
{
    while (from++ < to)
        TEXT(out, " ");
}

/* ---- value types --------------------------------------------------------- */

static void put_members(struct text *out, const struct model_member *members,
                        uint32_t count, unsigned indent)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct model_member *m = &members[i];
        text_doc(out, indent, m->doc);
        put_spaces(out, 0, indent);
        if (m->optional) {
            text_format(out, "bool %s;\n", m->c_has);
            put_spaces(out, 0, indent);
        }
        text_format(out, "%s %s;", m->type->c_type, m->c_name);
        if (m->type->kind == TYPE_LIST || m->type->kind == TYPE_MAP ||
            m->type->limit != 0 || m->deprecated) {
            text_put(out, " /* ");
            text_comment_safe(out, m->type->spelling);
            text_put(out, m->deprecated ? " | deprecated */" : " */");
        }
        text_bytes(out, "\n", 1);
    }
}

static void put_enum(struct text *out, const struct model_enum *e)
{
    text_doc(out, 0, e->doc);
    text_format(out, "enum %s {\n", e->c_name);
    for (uint32_t i = 0; i < e->member_count; i++) {
        text_doc(out, 4, e->members[i].doc);
        text_format(out, "    %s = ", e->members[i].c_name);
        if (e->members[i].value == INT32_MIN)
            text_put(out, "-2147483647 - 1");
        else
            text_format(out, "%lld", (long long)e->members[i].value);
        text_put(out, i + 1 < e->member_count ? ",\n" : "\n");
    }
    text_put(out, "};\n\n");
}

static void put_struct(struct text *out, const struct model_struct *s)
{
    text_doc(out, 0, s->doc);
    text_format(out, "struct %s {\n", s->c_name);
    put_members(out, s->members, s->member_count, 4);
    text_put(out, "};\n\n");
}

static void put_sum(struct text *out, const struct model_sum *s)
{
    text_format(out, "enum %s {\n", s->c_tag_enum);
    for (uint32_t i = 0; i < s->variant_count; i++) {
        text_doc(out, 4, s->variants[i].doc);
        text_format(out, "    %s = %u%s\n", s->variants[i].c_tag,
                    s->variants[i].index, i + 1 < s->variant_count ? "," : "");
    }
    text_put(out, "};\n\n");
    text_doc(out, 0, s->doc);
    text_format(out, "struct %s {\n    enum %s tag;\n", s->c_name,
                s->c_tag_enum);
    if (s->has_union)
        text_put(out, "    union {\n");
    for (uint32_t i = 0; i < s->variant_count; i++) {
        const struct model_variant *v = &s->variants[i];
        if (v->member_count == 0)
            continue;
        text_put(out, "        struct {\n");
        put_members(out, v->members, v->member_count, 12);
        text_format(out, "        } %s;\n", v->c_name);
    }
    if (s->has_union)
        text_put(out, "    } u;\n");
    text_put(out, "};\n\n");
}

/* bytes<N>, T[N], an entry of map<K, V>. */
static void put_wrapper(struct text *out, const struct model_type *type)
{
    text_format(out, "#ifndef %s\n#define %s\nstruct %s {", type->wrapper_guard,
                type->wrapper_guard, type->wrapper_tag);
    if (type->kind == TYPE_MAP)
        text_format(out, "\n    %s key;\n    %s value;\n};\n",
                    type->key->c_type, type->element->c_type);
    else if (type->kind == TYPE_FIXED_BYTES)
        text_format(out, " uint8_t b[%llu]; };\n",
                    (unsigned long long)type->limit);
    else
        text_format(out, " %s v[%llu]; };\n", type->element->c_type,
                    (unsigned long long)type->limit);
    text_put(out, "#endif\n\n");
}

static void put_declarations(struct text *out, const struct model_file *file)
{
    for (uint32_t i = 0; i < file->order_count; i++) {
        const struct model_decl *decl = &file->order[i];
        switch (decl->kind) {
        case DECL_ENUM:
            put_enum(out, decl->enumeration);
            break;
        case DECL_STRUCT:
            put_struct(out, decl->structure);
            break;
        case DECL_SUM:
            put_sum(out, decl->sum);
            break;
        case DECL_WRAPPER:
            put_wrapper(out, decl->wrapper);
            break;
        }
    }
}

/* ---- products ------------------------------------------------------------ */

static void put_fields(struct text *out, const struct model_product *p)
{
    size_t widest = 0;
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct model_field *f = &p->fields[i];
        size_t width = strlen(f->type->c_type) + strlen(f->c_name);
        if (!f->series && width > widest && width < 36)
            widest = width;
    }
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct model_field *f = &p->fields[i];
        size_t start;
        if (f->series)
            continue;
        text_doc(out, 4, f->doc);
        text_format(out, "    ");
        start = out->size;
        text_format(out, "%s %s;", f->type->c_type, f->c_name);
        put_spaces(out, out->size - start, widest + 2);
        text_put(out, " /* ");
        emit_field_facts(out, f);
        text_put(out, " */\n");
    }
    text_put(out, "    uint64_t have;");
    put_spaces(out, 14, widest + 2);
    text_put(out, " /* out: which fields hold a value */\n};\n");
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct model_field *f = &p->fields[i];
        if (!f->series)
            continue;
        text_doc(out, 0, f->doc);
        text_format(out, "/* %s (bit %u) is a series, with calls of its own: ",
                    f->c_name, f->index);
        emit_field_facts(out, f);
        text_put(out, " */\n");
    }
}

static void put_masks(struct text *out, const struct model_product *p)
{
    size_t widest = strlen("HOT");
    size_t upper = strlen(p->c_upper) + 1;
    for (uint32_t i = 0; i < p->field_count; i++)
        if (strlen(p->fields[i].c_macro) - upper > widest)
            widest = strlen(p->fields[i].c_macro) - upper;
    for (uint32_t i = 0; i < p->field_count; i++) {
        text_format(out, "#define %s", p->fields[i].c_macro);
        put_spaces(out, strlen(p->fields[i].c_macro) - upper, widest);
        text_format(out, " WARP_BIT(%u)\n", i);
    }
    text_format(out, "#define %s_HOT", p->c_upper);
    put_spaces(out, 3, widest);
    text_format(out, " UINT64_C(0x%lx)\n", (unsigned long)p->hot_mask);
    text_format(out, "#define %s_ALL", p->c_upper);
    put_spaces(out, 3, widest);
    text_format(out, " UINT64_C(0x%lx)\n\n", (unsigned long)p->all_mask);
}

static void put_product(struct text *out, const struct model_product *p)
{
    if (p->key_composite) {
        text_format(out, "%s {\n", p->key_c_type);
        for (uint32_t i = 0; i < p->key_count; i++)
            text_format(out, "    %s %s;\n", p->keys[i]->type->c_type,
                        p->keys[i]->c_name);
        text_put(out, "};\n\n");
    }
    text_doc(out, 0, p->doc);
    text_format(out, "struct %s {\n", p->c_name);
    put_fields(out, p);
    put_masks(out, p);
    emit_c_calls(out, p);
    emit_c_raw_prototypes(out, p);
    TEXT(out, "\n");
    text_flush(out);
}

/* What the lines do with the calls: the .c file defines its own. */
static void put_mode(const struct emit *emit, struct text *out)
{
    text_put(out, "#ifdef ");
    emit_c_guard(emit, out);
    text_put(out, "_DEFINES\n#define WARP_GEN_CALL_ WARP_GEN_DEFINE_\n"
                  "#else\n#define WARP_GEN_CALL_ WARP_GEN_DECLARE_\n"
                  "#endif\n\n");
}

void emit_c_header(const struct emit *emit, struct text *out)
{
    const struct model_file *file = emit->file;
    text_put(out, "/* Written by warpc from ");
    text_comment_safe(out, file->base);
    text_put(out,
             ". Do not edit: change the schema.\n"
             " * Masks name fields; HOT and ALL hold neither key nor series. "
             "A WARP_GEN_ line\n"
             " * declares calls, such as PRODUCT_get() and "
             "PRODUCT_set_FIELD(): <warp/calls.h>\n"
             " * says what they are and promise. */\n#ifndef ");
    emit_c_guard(emit, out);
    text_put(out, "\n#define ");
    emit_c_guard(emit, out);
    text_put(out, "\n\n#include <warp/calls.h>\n");
    for (uint32_t i = 0; i < file->import_count; i++)
        text_format(out, "#include \"%s.warp.h\"\n",
                    file->imports[i].file->stem);
    text_put(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    put_declarations(out, file);
    if (file->product_count > 0)
        put_mode(emit, out);
    for (uint32_t i = 0; i < file->product_count; i++)
        put_product(out, file->products[i]);
    if (file->product_count > 0)
        text_put(out, "#undef WARP_GEN_CALL_\n");
    text_format(out, "extern const struct warp_schema %s_warp_schema;\n",
                file->stem_c);
    text_put(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
