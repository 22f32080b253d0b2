/* A formula or defkernel -> functions in the C subset that C, OpenCL C and CUDA
 * share: WARP_FN, WARP_GLOBAL and the names of <math.h> are what each of them
 * makes of it (gen.h, and the beginnings of the .cl and .cu files).
 *
 *   P_i_e_(inputs)        one element
 *   P_i_r_(arrays, out_, row_, cols_)   a row: the element, or the reduction
 *
 * and the same with w in double: the reference. Names end in _, because what a
 * schema names may be a word of OpenCL. */
#include "emit_kernel.h"

#include <string.h>

/* ---- reading ------------------------------------------------------------- */

static bool read_inputs(struct kernel_text *k, const struct model_expr *e)
{
    for (uint32_t i = 0; i < e->operand_count; i++)
        if (!read_inputs(k, e->operands[i]))
            return false;
    if (!model_is_input(e))
        return true;
    for (uint32_t i = 0; i < k->input_count; i++)
        if (model_same_input(k->inputs[i].leaf, e))
            return true;
    if (k->input_count == LIMIT_KERNEL_INPUTS)
        return false;
    k->inputs[k->input_count++] = (struct kernel_input){
        .leaf = e,
        .side = e->kind == EXPR_FIELD && e->param == 0 ? SIDE_ROW
                : k->segments                          ? SIDE_ITEM
                                                       : SIDE_COL};
    return true;
}

static uint32_t bytes_of(enum type_kind kind)
{
    static const uint32_t bytes[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) [TYPE_##id] = bytes,
#include "../grammar/types.def"
#undef SCALAR
    };
    return bytes[kind];
}

/* bool is no type of an array on a device. */
static const char *array_type(enum type_kind kind)
{
    return kind == TYPE_BOOL ? "uint8_t" : emit_expr_type(kind);
}

const char *kernel_input_type(const struct kernel_input *input)
{
    return array_type(input->leaf->type);
}

static const struct model_compute *entry_of(const struct model_field *field,
                                            enum compute_kind kind)
{
    for (uint32_t i = 0; i < field->compute_count; i++)
        if (field->compute[i].kind == kind)
            return &field->compute[i];
    return NULL;
}

/* All stored numbers of the record, in the order of the schema: fewer than a
 * product has fields, so that they fit. */
static void read_raw(struct kernel_text *k)
{
    const struct model_compute *cpu = entry_of(k->field, COMPUTE_CPU_FN);
    k->function = cpu->function;
    for (uint32_t i = 0; i < k->product->field_count; i++) {
        const struct model_field *f = &k->product->fields[i];
        if ((k->field->inputs >> i & 1) == 0)
            continue;
        k->leaves[k->input_count] = (struct model_expr){
            .kind = EXPR_FIELD, .type = f->type->kind, .field = f};
        k->inputs[k->input_count] = (struct kernel_input){
            .leaf = &k->leaves[k->input_count], .side = SIDE_ROW};
        k->input_count++;
    }
}

bool kernel_text_read(const struct model_product *product,
                      const struct model_field *field, struct kernel_text *out)
{
    const struct model_compute *raw = entry_of(field, COMPUTE_GPU_RAW);
    const struct model_kernel *kernel = field->kernel;
    const struct model_type *type = field->type;
    if (kernel == NULL && field->formula == NULL && raw == NULL)
        return false;
    *out = (struct kernel_text){.product = product,
                                .field = field,
                                .kernel = kernel,
                                .raw = raw,
                                .result = field->formula,
                                .element = type->kind,
                                .out_count = 1};
    if (kernel != NULL) {
        out->result = kernel->result;
        out->element = kernel->element;
        out->segments = kernel->shape == SHAPE_SEGREDUCE;
        if (kernel->reduce == REDUCE_TOP_K) {
            out->out_count = kernel->reduce_k;
            type = type->element;
        }
        for (uint32_t i = 0; i < kernel->statement_count; i++)
            if (!read_inputs(out, kernel->statements[i].value))
                return false;
    }
    out->out = array_type(type->kind);
    out->out_bytes = bytes_of(type->kind);
    out->out_real = type->class == CLASS_FLOAT;
    if (raw == NULL)
        return read_inputs(out, out->result);
    read_raw(out);
    return true;
}

bool emit_is_kernel(const struct model_product *product,
                    const struct model_field *field)
{
    struct kernel_text k;
    return kernel_text_read(product, field, &k);
}

bool emit_has_kernels(const struct emit *emit)
{
    struct kernel_text k;
    for (uint32_t i = 0; i < emit->file->product_count; i++)
        for (uint32_t j = 0; j < emit->file->products[i]->field_count; j++)
            if (kernel_text_read(emit->file->products[i],
                                 &emit->file->products[i]->fields[j], &k) &&
                !k.raw)
                return true;
    return false;
}

/* ---- pieces -------------------------------------------------------------- */

static const char *type_in(const struct expr_writer *w, enum type_kind kind)
{
    return kind == TYPE_F32 && w->wide ? "double" : emit_expr_type(kind);
}

static void put_leaf(struct expr_writer *w, const struct model_expr *e)
{
    const struct kernel_text *k = w->arg;
    if (e->kind == EXPR_LOCAL) {
        text_put3(w->out, k->kernel->statements[e->local].c_name, "_l_", "");
        return;
    }
    for (uint32_t i = 0; i < k->input_count; i++)
        if (model_same_input(k->inputs[i].leaf, e))
            text_format(w->out, "in%u_", i);
}

static void put_name(const struct expr_writer *w, const struct kernel_text *k,
                     char what)
{
    text_format(w->out, "%s_%u_%s%c_", k->product->c_name, k->field->index,
                w->wide ? "w" : "", what);
}

void emit_kernel_list(struct text *out, const struct kernel_text *k,
                      enum list_form form)
{
    for (uint32_t i = 0; i <= k->input_count; i++) {
        bool offsets = i == k->input_count;
        const char *type =
            offsets ? "uint32_t" : kernel_input_type(&k->inputs[i]);
        if (offsets && !k->segments)
            break;
        if (form == LIST_ARGUMENTS) {
            text_format(out, "(const %s *)a_->arg[%u], ", type, i);
            continue;
        }
        if (form == LIST_PARAMETERS)
            text_format(out, "WARP_GLOBAL const %s *", type);
        if (offsets)
            text_put(out, "offsets_, ");
        else
            text_format(out, "in%u_, ", i);
    }
}

static void put_element(struct expr_writer *w, const struct kernel_text *k)
{
    const char *type = type_in(w, k->element);
    text_format(w->out, "WARP_FN %s ", type);
    put_name(w, k, 'e');
    text_put(w->out, "(");
    for (uint32_t i = 0; i < k->input_count; i++)
        text_format(w->out, "%s%s in%u_", i ? ", " : "",
                    type_in(w, k->inputs[i].leaf->type), i);
    text_put(w->out, k->input_count ? ")\n{\n" : "void)\n{\n");
    /* One element a row waits for memory: rounding as the CPU does is free. */
    if (!k->kernel || k->kernel->reduce == REDUCE_NONE)
        text_put(w->out, "    WARP_AS_WRITTEN\n");
    for (uint32_t i = 0; k->kernel && i < k->kernel->statement_count; i++) {
        const struct model_statement *s = &k->kernel->statements[i];
        text_format(w->out, "    const %s %s_l_ = ", type_in(w, s->value->type),
                    s->c_name);
        emit_expr(w, s->value);
        text_format(w->out, ";\n    (void)%s_l_;\n", s->c_name);
    }
    text_put(w->out, "    return ");
    emit_expr(w, k->result);
    text_put(w->out, ";\n}\n");
}

static void put_call(struct expr_writer *w, const struct kernel_text *k)
{
    put_name(w, k, 'e');
    text_put(w->out, "(");
    for (uint32_t i = 0; i < k->input_count; i++) {
        bool row = k->inputs[i].side == SIDE_ROW;
        bool flag = k->inputs[i].leaf->type == TYPE_BOOL;
        text_format(w->out, "%sin%u_[%s]%s", i ? ", " : "", i,
                    row ? "row_" : "j_", flag ? " != 0" : "");
    }
    text_put(w->out, ")");
}

/* ---- reductions ---------------------------------------------------------- */

static void put_loop(struct expr_writer *w, const struct kernel_text *k)
{
    text_put(w->out,
             k->segments
                 ? "    for (uint32_t j_ = offsets_[row_] - offsets_[0];\n"
                   "         j_ < offsets_[row_ + 1] - offsets_[0]; j_++) {\n"
                 : "    for (uint32_t j_ = 0; j_ < cols_; j_++) {\n");
    text_format(w->out, "        const %s v_ = ", type_in(w, k->element));
    put_call(w, k);
    text_put(w->out, ";\n");
}

static bool is_real(const struct kernel_text *k)
{
    return k->element == TYPE_F32 || k->element == TYPE_F64;
}

static void put_sum(struct expr_writer *w, const struct kernel_text *k,
                    const char *type)
{
    bool real = is_real(k);
    text_format(w->out, "    %s acc_ = 0;\n", type);
    if (real)
        text_format(w->out, "    %s lost_ = 0;\n", type);
    put_loop(w, k);
    if (real) /* compensated, and an infinity stays one */
        text_format(w->out,
                    "        const %s y_ = v_ - lost_, t_ = acc_ + y_;\n"
                    "        lost_ = t_ - t_ == 0 ? (t_ - acc_) - y_ : 0;\n"
                    "        acc_ = t_;\n    }\n",
                    type);
    else
        text_format(w->out,
                    "        acc_ = (%s)((uint64_t)acc_ + (uint64_t)v_);\n"
                    "    }\n",
                    type);
}

/* NaN gives way to every number, so no order of the values matters. */
static void put_extreme(struct expr_writer *w, const struct kernel_text *k,
                        const char *type, const char *than)
{
    text_format(w->out, "    %s acc_ = 0;\n    uint32_t n_ = 0;\n", type);
    put_loop(w, k);
    text_format(w->out,
                "        acc_ = n_ == 0 || v_ %s acc_%s ? v_ : acc_;\n"
                "        n_++;\n    }\n",
                than, is_real(k) ? " || acc_ != acc_" : "");
}

bool kernel_places(const struct kernel_text *k)
{
    return k->kernel && k->kernel->reduce == REDUCE_ARGMAX && is_real(k);
}

static void put_argmax(struct expr_writer *w, const struct kernel_text *k,
                       const char *type)
{
    text_format(w->out, "    %s best_ = 0;\n    uint32_t acc_ = 0, n_ = 0;\n",
                type);
    put_loop(w, k);
    text_format(w->out,
                "        if (n_ == 0 || v_ > best_%s) {\n"
                "            best_ = v_;\n            acc_ = n_;\n"
                "        }\n        n_++;\n    }\n",
                is_real(k) ? " || (best_ != best_ && v_ == v_)" : "");
}

/* The mean of the values, weighted by their softmax. */
static void put_softmax(struct expr_writer *w, const struct kernel_text *k,
                        const char *type)
{
    const char *f = strcmp(type, "float") == 0 ? "f" : "";
    text_format(w->out,
                "    %s most_ = 0, z_ = 0, acc_ = 0;\n    uint32_t n_ = 0;\n",
                type);
    put_loop(w, k);
    text_put(w->out, "        most_ = n_ == 0 || v_ > most_ ? v_ : most_;\n"
                     "        n_++;\n    }\n");
    put_loop(w, k);
    text_format(w->out,
                "        const %s w_ = exp%s(v_ - most_);\n"
                "        z_ += w_;\n        acc_ += w_ * v_;\n    }\n"
                "    acc_ = n_ == 0 ? 0 : acc_ / z_;\n",
                type, f);
}

/* A number stands before NaN: the least of what is kept, or of what comes. */
static void put_top_k(struct expr_writer *w, const struct kernel_text *k,
                      const char *type)
{
    uint32_t count = k->out_count;
    text_format(w->out,
                "    %s best_[%u];\n    uint32_t n_ = 0;\n"
                "    for (uint32_t i_ = 0; i_ < %u; i_++)\n"
                "        best_[i_] = 0;\n",
                type, count, count);
    put_loop(w, k);
    text_format(w->out,
                "        uint32_t at_ = n_ < %u ? n_ : %u;\n"
                "        if (n_ == %u && (v_ != v_ || best_[%u] >= v_))\n"
                "            continue;\n"
                "        for (; at_ > 0 && v_ == v_ &&\n"
                "               !(best_[at_ - 1] >= v_); at_--)\n"
                "            best_[at_] = best_[at_ - 1];\n"
                "        best_[at_] = v_;\n"
                "        n_ += n_ < %u;\n    }\n"
                "    for (uint32_t i_ = 0; i_ < %u; i_++)\n",
                count, count - 1, count, count - 1, count, count);
    if (w->wide)
        text_put(w->out, "        out_[i_] = best_[i_];\n");
    else
        text_format(w->out, "        out_[row_ * %u + i_] = best_[i_];\n",
                    count);
}

static void put_row(struct expr_writer *w, const struct kernel_text *k)
{
    const char *type = type_in(w, k->element);
    enum kernel_reduce reduce = k->kernel ? k->kernel->reduce : REDUCE_NONE;
    const char *out = k->out_real && w->wide ? "double" : k->out;
    text_put(w->out, "WARP_FN void ");
    put_name(w, k, 'r');
    text_put(w->out, "(");
    emit_kernel_list(w->out, k, LIST_PARAMETERS);
    text_format(w->out,
                "WARP_GLOBAL %s *out_, uint32_t row_, uint32_t cols_)\n{\n",
                out);
    text_put(w->out, "    (void)row_, (void)cols_;\n");
    switch (reduce) {
    case REDUCE_NONE:
        text_format(w->out, "    out_[%s] = (%s)", w->wide ? "0" : "row_", out);
        put_call(w, k);
        text_put(w->out, ";\n}\n");
        return;
    case REDUCE_SUM:
        put_sum(w, k, type);
        break;
    case REDUCE_MIN:
        put_extreme(w, k, type, "<");
        break;
    case REDUCE_MAX:
        put_extreme(w, k, type, ">");
        break;
    case REDUCE_ARGMAX:
        put_argmax(w, k, type);
        break;
    case REDUCE_SOFTMAX:
        put_softmax(w, k, type);
        break;
    case REDUCE_TOP_K:
        put_top_k(w, k, type);
        text_put(w->out, "}\n");
        return;
    }
    text_format(w->out, "    out_[%s] = (%s)acc_;\n", w->wide ? "0" : "row_",
                out);
    if (w->wide && kernel_places(k)) /* what the place is worth */
        text_put(w->out, "    ((double *)(void *)out_)[1] = best_;\n");
    text_put(w->out, "}\n");
}

void emit_kernel_functions(struct expr_writer *w, const struct kernel_text *k)
{
    w->arg = k;
    w->leaf = put_leaf;
    text_put3(w->out, "/* ", k->product->name, ".");
    text_put3(w->out, k->field->name, " */", "\n");
    put_element(w, k);
    put_row(w, k);
}
