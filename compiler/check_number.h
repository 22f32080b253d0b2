/* The arithmetic of types behind check_expr.c: what numbers are computed in,
 * where two of them meet, and whether a result fits its field. */
#ifndef WARPC_CHECK_NUMBER_H
#define WARPC_CHECK_NUMBER_H

#include "check.h"

bool number_is_float(enum type_kind type);
const char *number_name(enum type_kind type);
/* What a field's value is computed in where the result is `number`; BOOL
 * stays. */
enum type_kind number_promoted(enum type_kind number, enum type_kind type);
/* What integers are added, multiplied, … in: 64 bits where the result has
 * them, so that nothing is cut off on the way. */
enum type_kind number_widened(enum type_kind number, enum type_kind type,
                              const struct model_expr *const *operands,
                              uint32_t count);
/* Is it neither past what an f32 can hold nor so small that it becomes 0? */
bool number_in_f32(double value);
/* Does the constant fit into the type? */
bool number_fits(const struct model_expr *expr, enum type_kind type);
/* The type in which two numbers meet; false: there is none, and it was said. */
bool number_common(struct check *check, const struct model_expr *a,
                   const struct model_expr *b, struct source_range at,
                   enum type_kind *out);
/* The same for one or more. */
bool number_meet(struct check *check, const struct model_expr *const *numbers,
                 uint32_t count, struct source_range at, enum type_kind *out);
const struct model_expr *number_convert(struct check *check,
                                        const struct model_expr *expr,
                                        enum type_kind type);

struct model_expr *expr_make(struct check *check, enum expr_kind kind,
                             enum type_kind type, struct source_range at);
void expr_set_operands(struct check *check, struct model_expr *expr,
                       const struct model_expr *const *operands,
                       uint32_t count);

#endif
