/* A derived field's formula -> a C function that computes it from a record
 * whose inputs are set. The expression itself: emit_expr.c. */
#include "emit_expr.h"

static void put_field(struct expr_writer *f, const struct model_expr *e)
{
    /* the enum's own signedness is the C compiler's choice */
    if ((e->member ? e->member->type : e->field->type)->kind == TYPE_ENUM)
        text_format(f->out, "(%s)", emit_expr_type(e->type));
    text_format(f->out, "self->%s", e->field->c_name);
    if (e->member)
        text_format(f->out, ".%s", e->member->c_name);
}

static void put_function(struct expr_writer *f, const struct model_product *p,
                         const struct model_field *field)
{
    text_format(f->out,
                "static void %s_%u_(const void *record, void *result)"
                "\n{\n",
                p->c_name, field->index);
    if (field->inputs || field->formula->kind != EXPR_NUMBER)
        text_format(f->out, "    const struct %s *self = record;\n", p->c_name);
    if (field->inputs == 0)
        text_put(f->out, field->formula->kind != EXPR_NUMBER
                             ? "    (void)self;\n"
                             : "    (void)record;\n");
    text_format(f->out, "    *(%s *)result = ", field->type->c_type);
    emit_expr(f, field->formula);
    text_put(f->out, ";\n}\n");
}

void emit_c_formulas(const struct emit *emit, struct text *out)
{
    struct text functions;
    struct expr_writer f = {.out = &functions, .leaf = put_field};
    text_init(&functions, emit->arena, 4096);
    for (uint32_t i = 0; i < emit->file->product_count; i++) {
        const struct model_product *p = emit->file->products[i];
        for (uint32_t j = 0; j < p->field_count; j++)
            if (p->fields[j].formula)
                put_function(&f, p, &p->fields[j]);
    }
    emit_c_kernels(emit, &functions, &f.used);
    if (functions.size == 0)
        return;
    emit_expr_helpers(out, f.used, "static ");
    text_bytes(out, functions.at, functions.size);
    emit_c_kernel_texts(emit, out);
    text_bytes(out, "\n", 1);
}
