/* Kernels -> the parts of FILESTEM.warp.c: their functions, what gathers their
 * inputs from records, the loop over rows, and a table for each. */
#include "emit_kernel.h"

#include <stdio.h>
#include <string.h>

/* ---- gathering ----------------------------------------------------------- */

static void put_source(struct text *out, const struct kernel_input *input)
{
    const struct model_expr *e = input->leaf;
    text_format(out, "(%s)", kernel_input_type(input));
    if (e->kind == EXPR_ELEMENT)
        text_put(out, "*from");
    else if (e->kind == EXPR_MEMBER)
        text_put3(out, "from->", e->member->c_name, "");
    else
        text_put3(out, "from->", e->field->c_name, "");
    if (e->kind == EXPR_FIELD && e->member)
        text_put3(out, ".", e->member->c_name, "");
}

/* Inputs of one side, from a record or an element. */
static bool put_take(struct text *out, const struct kernel_text *k,
                     enum kernel_side side, const char *name, const char *type)
{
    bool any = false;
    for (uint32_t i = 0; i < k->input_count; i++) {
        const struct kernel_input *input = &k->inputs[i];
        if (input->side != side || input->leaf->kind == EXPR_SHARD)
            continue;
        if (!any)
            text_format(out,
                        "static void %s_%u_%s_(const void *from_, "
                        "void *const *arg_, uint32_t at_)\n{\n"
                        "    const %s *from = from_;\n",
                        k->product->c_name, k->field->index, name, type);
        any = true;
        text_format(
            out, "    ((%s *)arg_[%u])[at_] = ", kernel_input_type(input), i);
        put_source(out, input);
        text_put(out, ";\n");
    }
    if (any)
        text_put(out, "}\n");
    return any;
}

static const char *struct_of(const struct emit *emit,
                             const struct model_product *p)
{
    struct text name;
    text_init(&name, emit->arena, 64);
    text_put3(&name, "struct ", p->c_name, "");
    return text_cstr(&name);
}

/* ---- running ------------------------------------------------------------- */

static void put_run(struct text *out, const struct kernel_text *k)
{
    uint32_t result = k->input_count + k->segments;
    const char *wide = k->out_real ? "double" : k->out;
    text_format(out,
                "static void %s_%u_run_(const struct warp_kernel_args *a_)\n"
                "{\n    for (uint32_t row_ = 0; row_ < a_->rows; row_++)\n"
                "        %s_%u_r_(",
                k->product->c_name, k->field->index, k->product->c_name,
                k->field->index);
    emit_kernel_list(out, k, LIST_ARGUMENTS);
    text_format(out, "(%s *)a_->arg[%u], row_, a_->cols);\n}\n", k->out,
                result);
    text_format(out,
                "static void %s_%u_reference_(const struct warp_kernel_args "
                "*a_,\n    uint32_t row_, void *out_)\n{\n    %s_%u_wr_(",
                k->product->c_name, k->field->index, k->product->c_name,
                k->field->index);
    emit_kernel_list(out, k, LIST_ARGUMENTS);
    text_format(out, "(%s *)out_, row_, a_->cols);\n}\n", wide);
}

/* The user's function takes a record: one is made of the arrays. */
static void put_raw_run(struct text *out, const struct kernel_text *k)
{
    const char *p = k->product->c_name, *type = k->field->type->c_type;
    uint32_t number = k->field->index;
    text_format(out,
                "static void %s_%u_row_(const struct warp_kernel_args *a_, "
                "uint32_t row_, %s *out_)\n{\n    struct %s r_ = {0};\n",
                p, number, type, p);
    for (uint32_t i = 0; i < k->input_count; i++)
        text_format(out, "    r_.%s = ((const %s *)a_->arg[%u])[row_];\n",
                    k->inputs[i].leaf->field->c_name,
                    kernel_input_type(&k->inputs[i]), i);
    if (k->input_count == 0)
        text_put(out, "    (void)a_, (void)row_;\n");
    text_format(out,
                "    %s(&r_, out_);\n}\n"
                "static void %s_%u_run_(const struct warp_kernel_args *a_)\n"
                "{\n    for (uint32_t row_ = 0; row_ < a_->rows; row_++)\n"
                "        %s_%u_row_(a_, row_, (%s *)a_->arg[%u] + row_);\n}\n",
                k->function, p, number, p, number, type, k->input_count);
    text_format(out,
                "static void %s_%u_reference_(const struct warp_kernel_args "
                "*a_,\n    uint32_t row_, void *out_)\n{\n    %s v_ = 0;\n"
                "    %s_%u_row_(a_, row_, &v_);\n    *(%s *)out_ = v_;\n}\n",
                p, number, type, p, number, k->out_real ? "double" : type);
    text_format(out,
                "static void %s_%u_(const void *record, void *result)\n{\n"
                "    %s((const struct %s *)record, (%s *)result);\n}\n",
                p, number, k->function, p, type);
}

void emit_c_kernels(const struct emit *emit, struct text *out, uint32_t *used)
{
    struct kernel_text k;
    struct expr_writer w = {.out = out};
    for (uint32_t i = 0; i < emit->file->product_count; i++) {
        const struct model_product *p = emit->file->products[i];
        for (uint32_t j = 0; j < p->field_count; j++) {
            if (!kernel_text_read(p, &p->fields[j], &k))
                continue;
            if (k.raw) {
                put_raw_run(out, &k);
                continue;
            }
            w.wide = false;
            emit_kernel_functions(&w, &k);
            w.wide = true;
            emit_kernel_functions(&w, &k);
            put_run(out, &k);
        }
    }
    *used |= w.used;
}

/* ---- tables -------------------------------------------------------------- */

static void put_text_bytes(struct text *out, const char *name,
                           const struct text *bytes)
{
    text_format(out, "static const char %s[] = {", name);
    for (size_t i = 0; i < bytes->size; i++)
        text_format(out, "%s%d,", i % 20 == 0 ? "\n    " : "",
                    (int)(unsigned char)bytes->at[i]);
    text_put(out, "0\n};\n");
}

/* The texts that gpu_raw names: read by emit.c, which says what is missing. */
static void put_raw_texts(const struct emit *emit, struct text *out)
{
    for (uint32_t i = 0; i < emit->raw_count; i++) {
        const struct emit_raw *raw = &emit->raws[i];
        const char *p = raw->field->product->c_name;
        struct text bytes;
        for (int cu = 0; cu < 2; cu++) {
            struct text name;
            text_init(&name, emit->arena, 64);
            text_init(&bytes, emit->arena, 4096);
            text_put(&bytes, cu ? raw->cu : raw->cl);
            text_format(&name, "%s_%u_%s_", p, raw->field->index,
                        cu ? "cu" : "cl");
            put_text_bytes(out, text_cstr(&name), &bytes);
        }
    }
}

void emit_c_kernel_texts(const struct emit *emit, struct text *out)
{
    struct text cl, cu;
    put_raw_texts(emit, out);
    if (!emit_has_kernels(emit))
        return;
    text_init(&cl, emit->arena, 8192);
    text_init(&cu, emit->arena, 8192);
    emit_kernel_cl(emit, &cl);
    emit_kernel_cu(emit, &cu);
    put_text_bytes(out, "cl_0_", &cl);
    put_text_bytes(out, "cu_0_", &cu);
}

static const char *side_name(const struct kernel_input *input)
{
    return input->side == SIDE_ROW   ? "ROW"
           : input->side == SIDE_COL ? "COL"
                                     : "ITEM";
}

static uint32_t bytes_of(const char *type)
{
    return strstr(type, "64") || strcmp(type, "double") == 0  ? 8
           : strstr(type, "32") || strcmp(type, "float") == 0 ? 4
           : strstr(type, "16")                               ? 2
                                                              : 1;
}

/* What warp_kernel_arg.source says. */
static uint32_t source_of(const struct kernel_input *input)
{
    const struct model_expr *leaf = input->leaf;
    if (leaf->kind == EXPR_SHARD)
        return 1 + (uint32_t)leaf->shard_member;
    return input->side == SIDE_ROW && leaf->kind == EXPR_FIELD &&
                   leaf->field && !leaf->member
               ? 1 + leaf->field->index
               : 0;
}

static void put_args(struct text *out, const struct kernel_text *k)
{
    text_format(out, "static const struct warp_kernel_arg %s_%u_args_[] = {\n",
                k->product->c_name, k->field->index);
    for (uint32_t i = 0; i < k->input_count; i++) {
        const struct kernel_input *input = &k->inputs[i];
        enum type_kind kind = input->leaf->type;
        text_format(out, "    { WARP_SIDE_%s, %u, %s, %u },\n",
                    side_name(input), bytes_of(kernel_input_type(input)),
                    kind == TYPE_F32 || kind == TYPE_F64 ? "true" : "false",
                    source_of(input));
    }
    if (k->segments)
        text_put(out, "    { WARP_SIDE_OFFSETS, 4, false, 0 },\n");
    text_format(out, "    { WARP_SIDE_RESULT, %u, %s, 0 },\n};\n", k->out_bytes,
                k->out_real ? "true" : "false");
}

static const char *run_name(const struct model_field *f)
{
    if (f->compute_count == 0)
        return "AUTO";
    for (uint32_t i = 0; i < f->compute_count; i++)
        switch (f->compute[i].kind) {
        case COMPUTE_GPU_ONLY:
            return "GPU_ONLY";
        case COMPUTE_GPU:
        case COMPUTE_GPU_BATCH:
            return "GPU";
        case COMPUTE_CPU:
            return "CPU";
        default:
            break;
        }
    return "AUTO";
}

static void put_sides(const struct emit *emit, struct text *out,
                      const struct kernel_text *k, bool take[3])
{
    const struct model_param *other =
        k->kernel && k->kernel->param_count > 1 ? &k->kernel->params[1] : NULL;
    take[0] = put_take(out, k, SIDE_ROW, "take", struct_of(emit, k->product));
    take[1] =
        other && other->product &&
        put_take(out, k, SIDE_COL, "other", struct_of(emit, other->product));
    take[2] =
        other && other->list &&
        put_take(out, k, SIDE_ITEM, "item", other->list->type->element->c_type);
}

static uint64_t other_inputs(const struct kernel_text *k)
{
    uint64_t inputs = 0;
    for (uint32_t i = 0; i < k->input_count; i++)
        if (k->inputs[i].side == SIDE_COL && k->inputs[i].leaf->field)
            inputs |= UINT64_C(1) << k->inputs[i].leaf->field->index;
    return inputs;
}

static void put_table(const struct emit *emit, struct text *out,
                      const struct kernel_text *k)
{
    const struct model_param *other =
        k->kernel && k->kernel->param_count > 1 ? &k->kernel->params[1] : NULL;
    const char *p = k->product->c_name;
    uint32_t i = k->field->index;
    bool take[3];
    put_sides(emit, out, k, take);
    put_args(out, k);
    text_format(
        out,
        "static const struct warp_kernel %s_%u_kernel_ = {\n"
        "    .name = \"%s.%s\",\n    .args = %s_%u_args_, .arg_count = %u, "
        ".result_count = %u, .on = WARP_ON_%s,\n",
        p, i, k->product->name, k->field->name, p, i,
        k->input_count + k->segments + 1, k->out_count, run_name(k->field));
    if (k->raw)
        text_format(out,
                    "    .entry = \"%s\", .cl = %s_%u_cl_, .cu = %s_%u_cu_,\n",
                    k->raw->entry, p, i, p, i);
    else
        text_format(out, "    .entry = \"%s_%u\", .cl = cl_0_, .cu = cu_0_,\n",
                    p, i);
    if (k->kernel && k->kernel->shape == SHAPE_PAIRWISE)
        text_put(out, "    .pairs = true,\n");
    if (kernel_places(k))
        text_put(out, "    .places = true,\n");
    if (other && other->product)
        text_format(out,
                    "    .other = &%s_warp_product, .other_inputs = "
                    "UINT64_C(0x%llx),\n",
                    other->product->c_name,
                    (unsigned long long)other_inputs(k));
    if (k->segments)
        text_format(out, "    .segments = true, .list = %u,\n",
                    other->list->index);
    if (take[0])
        text_format(out, "    .take = %s_%u_take_,\n", p, i);
    if (take[1])
        text_format(out, "    .take_other = %s_%u_other_,\n", p, i);
    if (take[2])
        text_format(out, "    .take_item = %s_%u_item_,\n", p, i);
    text_format(out,
                "    .run = %s_%u_run_, .reference = %s_%u_reference_ };\n", p,
                i, p, i);
}

void emit_c_kernel_tables(const struct emit *emit, struct text *out,
                          const struct model_product *p)
{
    struct kernel_text k;
    for (uint32_t j = 0; j < p->field_count; j++)
        if (kernel_text_read(p, &p->fields[j], &k))
            put_table(emit, out, &k);
}

void emit_c_kernel_member(struct text *out, const struct model_product *p,
                          const struct model_field *f)
{
    struct kernel_text k;
    if (kernel_text_read(p, f, &k) && k.raw)
        text_format(out, ",\n      .derive = %s_%u_", p->c_name, f->index);
    if (kernel_text_read(p, f, &k))
        text_format(out, ",\n      .kernel = &%s_%u_kernel_", p->c_name,
                    f->index);
}

void emit_c_raw_prototypes(struct text *out, const struct model_product *p)
{
    struct kernel_text k;
    for (uint32_t j = 0; j < p->field_count; j++)
        if (kernel_text_read(p, &p->fields[j], &k) && k.raw)
            text_format(out,
                        "/* Yours: computes %s from the record's numbers. */\n"
                        "void %s(const struct %s *record, %s *result);\n",
                        p->fields[j].c_name, k.function, p->c_name,
                        p->fields[j].type->c_type);
}
