/* Model -> text, for golden tests. */
#ifndef WARPC_MODEL_DUMP_H
#define WARPC_MODEL_DUMP_H

#include "model.h"

#include <stdio.h>

void model_dump(const struct model *model, FILE *out);
/* An expression as a schema would write it, every operation in parentheses;
 * conversions are shown as calls of the type: f32(a). */
void model_dump_expr(const struct model_expr *expr, FILE *out);
void model_dump_value(const struct model_value *value, FILE *out);
/* "24h", "30d": the largest unit that gives a whole number. */
void model_dump_time(int64_t ms, FILE *out);

#endif
