/* emit_expr.h: expressions as C text, for formulas and kernels. */
#ifndef WARPC_EMIT_EXPR_H
#define WARPC_EMIT_EXPR_H

#include "emit.h"

struct expr_writer {
    struct text *out;
    uint32_t used; /* helpers that the text calls */
    bool wide;     /* f32 is computed in double: the reference */
    /* Writes a field, element, member of the shard or local. */
    void (*leaf)(struct expr_writer *writer, const struct model_expr *e);
    const void *arg; /* of leaf() */
};

void emit_expr(struct expr_writer *writer, const struct model_expr *e);
/* The C type of a scalar. */
const char *emit_expr_type(enum type_kind kind);
/* The helpers, each behind a prefix: "static ". */
void emit_expr_helpers(struct text *out, uint32_t used, const char *prefix);

#endif
