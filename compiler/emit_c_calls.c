/* The calls of a product: a line of <warp/calls.h> for the record and for each
 * field that has some. A further call is a line there, or in one of its lists;
 * check_idents.c must know its name. */
#include "emit.h"

/* WARP_GEN_KIND(number, field, type), with the type where the line takes it. */
static void put_line(struct text *out, const char *kind,
                     const struct model_field *f, const char *type)
{
    text_put3(out, "WARP_GEN_", f->deprecated ? "DEPRECATED_" : "", kind);
    text_format(out, "(%u, ", f->index);
    text_put(out, f->c_name);
    if (type)
        text_put3(out, ", ", type, "");
    TEXT(out, ")\n");
}

static const char *kind_of_value(const struct model_field *f)
{
    if (!f->can_add)
        return "SET";
    return f->type->class == CLASS_FLOAT ? "REAL" : "INTEGER";
}

void emit_c_calls(struct text *out, const struct model_product *p)
{
    text_put3(out, "#define WARP_GEN_P ", p->c_name, ", ");
    text_put3(out, p->key_c_type, "\nWARP_GEN_RECORD()\n",
              model_has_partners(p) ? "WARP_GEN_PARTNERS()\n" : "");
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct model_field *f = &p->fields[i];
        const char *type = f->type->c_type;
        if (f->can_set)
            put_line(out, kind_of_value(f), f, type);
        if (f->indexed || f->unique)
            put_line(out, f->unique ? "UNIQUE" : "INDEX", f, type);
        if (f->column)
            put_line(out, "COLUMN", f, NULL);
        if (emit_is_kernel(p, f))
            put_line(out, "KERNEL", f, type);
        if (f->summary)
            put_line(out, "SUMMARY", f, NULL);
        if (f->series)
            put_line(out, f->by ? "SERIES_BY" : "SERIES", f,
                     f->type->element->c_type);
    }
    TEXT(out, "#undef WARP_GEN_P\n");
}
