/* Types of numbers: promotion, common types, conversion, and whether a result
 * fits. Integers widen, never narrow; floats meet in f64. */
#include "check_number.h"

#include <string.h>

/* Numbers ------------------------------------------------------------------ */

bool number_is_float(enum type_kind type)
{
    return type == TYPE_F32 || type == TYPE_F64;
}

static bool number_is_unsigned(enum type_kind type)
{
    return type >= TYPE_U8 && type <= TYPE_U64;
}

static bool number_is_integer(enum type_kind type)
{
    return type >= TYPE_U8 && type <= TYPE_I64;
}

static unsigned number_bits(enum type_kind type)
{
    static const unsigned bits[] = {
        [TYPE_U8] = 8, [TYPE_U16] = 16, [TYPE_U32] = 32, [TYPE_U64] = 64,
        [TYPE_I8] = 8, [TYPE_I16] = 16, [TYPE_I32] = 32, [TYPE_I64] = 64,
    };
    return bits[type];
}

const char *number_name(enum type_kind type)
{
    static const char *const names[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) name,
#include "../grammar/types.def"
#undef SCALAR
    };
    return names[type];
}

struct model_expr *expr_make(struct check *check, enum expr_kind kind,
                             enum type_kind type, struct source_range at)
{
    struct model_expr *expr = ARENA_NEW(check->arena, struct model_expr);
    expr->kind = kind;
    expr->type = type;
    expr->at = at;
    return expr;
}

void expr_set_operands(struct check *check, struct model_expr *expr,
                       const struct model_expr *const *operands, uint32_t count)
{
    const struct model_expr **copy =
        ARENA_ARRAY(check->arena, const struct model_expr *, count);
    memcpy(copy, operands, count * sizeof *copy);
    expr->operands = copy;
    expr->operand_count = count;
}

static bool number_is_constant(const struct model_expr *expr)
{
    return expr->kind == EXPR_NUMBER && expr->value.kind == VALUE_UINT;
}

bool number_fits(const struct model_expr *expr, enum type_kind type)
{
    if (number_is_float(type))
        return true;
    unsigned bits = number_bits(type) - !number_is_unsigned(type);
    return bits == 64 || expr->value.u >> bits == 0;
}

bool number_in_f32(double value)
{
    double size = value < 0 ? -value : value;
    /* half of the least subnormal rounds to 0, half a step past the greatest
     * to infinity */
    return size == 0 || (size > 0x1p-150 && size < 0x1.ffffffp127);
}

const struct model_expr *number_convert(struct check *check,
                                        const struct model_expr *expr,
                                        enum type_kind type)
{
    if (expr->type == type)
        return expr;
    if (expr->kind == EXPR_NUMBER && number_fits(expr, type)) {
        struct model_expr *number =
            expr_make(check, EXPR_NUMBER, type, expr->at);
        number->value = expr->value;
        if (number_is_float(type) && expr->value.kind == VALUE_UINT)
            number->value = (struct model_value){.kind = VALUE_FLOAT,
                                                 .f = (double)expr->value.u};
        return number;
    }
    struct model_expr *converted =
        expr_make(check, EXPR_CONVERT, type, expr->at);
    expr_set_operands(check, converted, &expr, 1);
    return converted;
}

enum type_kind number_promoted(enum type_kind number, enum type_kind type)
{
    switch (type) {
    case TYPE_U8:
    case TYPE_U16:
        return number == TYPE_U32 || number == TYPE_U64 ? TYPE_U32 : TYPE_I32;
    case TYPE_I8:
    case TYPE_I16:
    case TYPE_ENUM:
        return TYPE_I32;
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        return TYPE_I64;
    default:
        return type;
    }
}

/* Of an unsigned type, or converted from one to a wider type; sums and products
 * of such. */
static bool is_never_negative(const struct model_expr *expr)
{
    if (expr->kind == EXPR_BINARY && (expr->op == OP_ADD || expr->op == OP_MUL))
        return is_never_negative(expr->operands[0]) &&
               is_never_negative(expr->operands[1]);
    return number_is_unsigned(expr->type) || number_is_constant(expr) ||
           (expr->kind == EXPR_CONVERT && number_is_integer(expr->type) &&
            number_bits(expr->operands[0]->type) < number_bits(expr->type) &&
            is_never_negative(expr->operands[0]));
}

enum type_kind number_widened(enum type_kind number, enum type_kind type,
                              const struct model_expr *const *operands,
                              uint32_t count)
{
    bool positive = true;
    if (!number_is_integer(type))
        return type;
    for (uint32_t i = 0; i < count; i++)
        positive &= is_never_negative(operands[i]);
    if (number == TYPE_U64 && positive)
        return TYPE_U64;
    if (number_bits(type) == 64)
        return type;
    switch (number) {
    case TYPE_U32:
        return positive ? TYPE_U32 : type;
    case TYPE_U64:
    case TYPE_I64:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        return TYPE_I64;
    default:
        return type;
    }
}

static bool mixed_signs(struct check *check, struct source_range at)
{
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, at,
                "no integer type holds both `u64` and a signed number");
    diag_help(check->diag, "use a smaller unsigned type, a float field, or "
                           "sums: a difference may be negative");
    return false;
}

bool number_common(struct check *check, const struct model_expr *a,
                   const struct model_expr *b, struct source_range at,
                   enum type_kind *out)
{
    enum type_kind x = a->type, y = b->type;
    if (number_is_constant(a) && !number_is_constant(b) && number_fits(a, y))
        x = y;
    else if (number_is_constant(b) && !number_is_constant(a) &&
             number_fits(b, x))
        y = x;
    if (x == y) {
        *out = x;
        return true;
    }
    if (number_is_float(x) || number_is_float(y)) {
        *out = TYPE_F64;
        return true;
    }
    bool same = number_is_unsigned(x) == number_is_unsigned(y);
    unsigned bits =
        number_bits(x) > number_bits(y) ? number_bits(x) : number_bits(y);
    if (same) {
        *out = number_bits(x) == bits ? x : y;
        return true;
    }
    bool first = number_is_unsigned(x);
    const struct model_expr *other = first ? b : a;
    enum type_kind type = first ? x : y;
    /* u8 beside u32 or u64, or any constant beside u64: it fits as it is */
    if (is_never_negative(other) &&
        (type == TYPE_U64 || !number_is_constant(other))) {
        *out = type;
        return true;
    }
    *out = TYPE_I64;
    return number_bits(type) < 64 || mixed_signs(check, at);
}

bool number_meet(struct check *check, const struct model_expr *const *numbers,
                 uint32_t count, struct source_range at, enum type_kind *out)
{
    struct model_expr both = *numbers[0]; /* stands for those seen so far */
    *out = both.type;
    for (uint32_t i = 1; i < count; i++) {
        const struct model_expr *next = numbers[i];
        bool constants = number_is_constant(&both) && number_is_constant(next);
        bool positive = is_never_negative(&both) && is_never_negative(next);
        if (!number_common(check, &both, next, at, out))
            return false;
        if (constants)
            both.value.u =
                next->value.u > both.value.u ? next->value.u : both.value.u;
        else if (number_is_constant(&both))
            both = *next;
        /* past what its kind tells: negative, or a constant that is larger */
        if (!constants && (!positive || *out != both.type))
            both.kind = EXPR_LOCAL;
        both.type = *out;
    }
    return true;
}

/* Results ------------------------------------------------------------------ */

static bool range_holds(enum type_kind wide, enum type_kind narrow)
{
    if (number_is_unsigned(narrow))
        return number_is_unsigned(wide)
                   ? number_bits(wide) >= number_bits(narrow)
                   : number_bits(wide) > number_bits(narrow);
    return !number_is_unsigned(wide) &&
           number_bits(wide) >= number_bits(narrow);
}

/* Is every value that it may have one of the type's? What only chooses among
 * values, like select(), gives one of those. */
static bool value_fits(const struct model_expr *expr, enum type_kind kind)
{
    const struct model_expr *from =
        expr->operand_count > 0 ? expr->operands[0] : NULL;
    if (number_is_constant(expr))
        return number_fits(expr, kind);
    if (!number_is_integer(expr->type))
        return false;
    if (range_holds(kind, expr->type))
        return true;
    if (expr->kind == EXPR_CONVERT)
        return number_is_integer(from->type) && value_fits(from, kind);
    if (expr->kind == EXPR_UNARY && expr->op == OP_NEG &&
        number_is_constant(from))
        return from->value.u == 0 ||
               (!number_is_unsigned(kind) && from->value.u - 1 <=
                                                 (uint64_t)INT64_MAX >>
                                                 (64 - number_bits(kind)));
    if (expr->kind != EXPR_CALL ||
        (expr->call != CALL_SELECT && expr->call != CALL_MIN &&
         expr->call != CALL_MAX && expr->call != CALL_CLAMP))
        return false;
    /* the condition of select, and what clamp has between its ends */
    uint32_t first = expr->call == CALL_SELECT || expr->call == CALL_CLAMP;
    for (uint32_t i = first; i < expr->operand_count; i++) {
        if (!value_fits(expr->operands[i], kind))
            return false;
    }
    return true;
}

static const struct model_expr *narrowing(struct check *check,
                                          const struct model_expr *expr,
                                          const struct model_type *type,
                                          const char *what)
{
    diag_report(check->diag, DIAG_NARROWING, expr->at,
                "the result is `%s`, which does not fit into %s of type `%s`",
                number_name(expr->type), what, type->spelling);
    diag_help(check->diag,
              number_is_float(expr->type)
                  ? "give it a float type"
                  : "give it the type `%s`, or clamp the result into a float",
              number_name(expr->type));
    return NULL;
}

const struct model_expr *check_fit(struct check *check,
                                   const struct model_expr *expr,
                                   const struct model_type *type,
                                   const char *what)
{
    enum type_kind kind = type->class == CLASS_TIME ? TYPE_I64 : type->kind;
    /* A field read as it is needs no room for what it is promoted to. */
    if (expr->kind == EXPR_CONVERT && number_is_integer(kind) &&
        number_is_integer(expr->operands[0]->type) &&
        range_holds(kind, expr->operands[0]->type))
        expr = expr->operands[0];
    if (expr->type == kind)
        return expr;
    if ((expr->type == TYPE_BOOL) != (kind == TYPE_BOOL)) {
        diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                    kind == TYPE_BOOL
                        ? "%s is bool, and this is a number"
                        : "%s is a number, and this is a condition",
                    what);
        diag_help(check->diag, kind == TYPE_BOOL
                                   ? "write `… != 0`"
                                   : "write `select(condition, 1, 0)`");
        return NULL;
    }
    if (number_is_float(kind))
        return number_convert(check, expr, kind);
    if (number_is_float(expr->type) || !value_fits(expr, kind))
        return narrowing(check, expr, type, what);
    return number_convert(check, expr, kind);
}
