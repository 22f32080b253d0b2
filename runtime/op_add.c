/* op_add.c: the sum of an add, by the field's type; overflow is refused. */
#include "op.h"

#include "error.h"

#include <math.h>

static int out_of_range(const struct op *op)
{
    return error_set(WARP_ERANGE, "%s.%s: the sum does not fit the field",
                     op->layout->desc->name,
                     op->layout->desc->fields[op->field].name);
}

#define ADD_INTEGER(T)                                                        \
    {                                                                         \
        T old, sum;                                                           \
        memcpy(&old, value, sizeof old);                                      \
        if (__builtin_add_overflow(old, op->delta.i, &sum))                   \
            return out_of_range(op);                                          \
        memcpy(value, &sum, sizeof sum);                                      \
        return WARP_OK;                                                       \
    }
#define ADD_FLOAT(T)                                                          \
    {                                                                         \
        T old;                                                                \
        memcpy(&old, value, sizeof old);                                      \
        T sum = (T)(old + (T)op->delta.f);                                    \
        if (!isfinite(sum) && isfinite(old) && isfinite(op->delta.f))         \
            return out_of_range(op);                                          \
        memcpy(value, &sum, sizeof sum);                                      \
        return WARP_OK;                                                       \
    }

int op_add_to(const struct op *op, uint8_t *value)
{
    switch (op->layout->desc->fields[op->field].type->kind) {
    case WARP_T_U8:
        ADD_INTEGER(uint8_t)
    case WARP_T_U16:
        ADD_INTEGER(uint16_t)
    case WARP_T_U32:
        ADD_INTEGER(uint32_t)
    case WARP_T_U64:
        ADD_INTEGER(uint64_t)
    case WARP_T_I8:
        ADD_INTEGER(int8_t)
    case WARP_T_I16:
        ADD_INTEGER(int16_t)
    case WARP_T_I32:
        ADD_INTEGER(int32_t)
    case WARP_T_F32:
        ADD_FLOAT(float)
    case WARP_T_F64:
        ADD_FLOAT(double)
    default:
        ADD_INTEGER(int64_t)
    }
}
