/* emit_kernel.h: what the emitters of kernels share. A kernel here is a derived
 * field that a formula or a defkernel computes. */
#ifndef WARPC_EMIT_KERNEL_H
#define WARPC_EMIT_KERNEL_H

#include "emit_expr.h"
#include "limit.h"

enum kernel_side { SIDE_ROW, SIDE_COL, SIDE_ITEM };

/* An array that the kernel reads. */
struct kernel_input {
    const struct model_expr *leaf; /* the first of its kind */
    enum kernel_side side;
};

struct kernel_text {
    const struct model_product *product;
    const struct model_field *field;
    const struct model_kernel *kernel; /* NULL: a formula, or raw */
    const struct model_compute *raw;   /* gpu_raw: texts of the user's own */
    const char *function;              /* raw: cpu(function) */
    struct model_expr leaves[LIMIT_KERNEL_INPUTS]; /* raw: of its inputs */
    const struct model_expr *result;
    enum type_kind element; /* what the element function gives */
    const char *out;        /* C type of an element of the results */
    uint32_t out_bytes, out_count;
    bool out_real;
    bool segments; /* offsets stand behind the inputs */
    struct kernel_input inputs[LIMIT_KERNEL_INPUTS];
    uint32_t input_count;
};

/* false: the field is no kernel, or a formula that reads more than a launch
 * takes: the CPU computes that in each get. */
bool kernel_text_read(const struct model_product *product,
                      const struct model_field *field, struct kernel_text *out);
/* Element and row functions; `wide`: the reference's. */
void emit_kernel_functions(struct expr_writer *writer,
                           const struct kernel_text *k);
/* `in0_, in1_, ` with each its type, or cast from a_->arg[]. */
enum list_form { LIST_PARAMETERS, LIST_NAMES, LIST_ARGUMENTS };
void emit_kernel_list(struct text *out, const struct kernel_text *k,
                      enum list_form form);
/* Is the result a place that rounding may decide? */
bool kernel_places(const struct kernel_text *k);
const char *kernel_input_type(const struct kernel_input *input);

#endif
