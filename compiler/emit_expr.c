/* A typed expression -> C, in the subset that OpenCL C and CUDA share: floats
 * in their own type with the functions of that type, integers that never trap:
 * they wrap, x / 0 and mod(x, 0) are 0, and a float out of range becomes the
 * nearest integer. What an input is called is the writer's leaf(). */
#include "emit_expr.h"

#include <string.h>

/* Helpers are written when a formula needs them; their names end in _. */
enum helper { /* at most 32: expr_writer.used */
              HELPER_DIV_I,
              HELPER_DIV_U,
              HELPER_MOD_I,
              HELPER_MOD_U,
              HELPER_ABS_I,
              HELPER_MIN_I,
              HELPER_MIN_U,
              HELPER_MAX_I,
              HELPER_MAX_U,
              HELPER_CLAMP_I,
              HELPER_CLAMP_U,
              HELPER_TO_I,
              HELPER_TO_U,
              HELPER_CLAMP_F32,
              HELPER_CLAMP_F64,
              HELPER_EQ_I,
              HELPER_EQ_U,
              HELPER_LT_I,
              HELPER_LT_U,
              HELPER_LE_I,
              HELPER_LE_U,
              HELPER_COUNT
};

static const struct {
    const char *name, *text;
} helpers[HELPER_COUNT] = {
    [HELPER_DIV_I] =
        {"div_i_",
         "int64_t div_i_(int64_t a, int64_t b)\n{\n"
         "    return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) "
         ": a / b;\n}\n"},
    [HELPER_DIV_U] = {"div_u_", "uint64_t div_u_(uint64_t a, uint64_t b)\n{\n"
                                "    return b == 0 ? 0 : a / b;\n}\n"},
    [HELPER_MOD_I] = {"mod_i_",
                      "int64_t mod_i_(int64_t a, int64_t b)\n{\n"
                      "    return b == 0 || b == -1 ? 0 : a % b;\n}\n"},
    [HELPER_MOD_U] = {"mod_u_", "uint64_t mod_u_(uint64_t a, uint64_t b)\n{\n"
                                "    return b == 0 ? 0 : a % b;\n}\n"},
    [HELPER_ABS_I] =
        {"abs_i_", "int64_t abs_i_(int64_t a)\n{\n"
                   "    return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;\n}\n"},
    [HELPER_MIN_I] = {"min_i_", "int64_t min_i_(int64_t a, int64_t b)\n{\n"
                                "    return a < b ? a : b;\n}\n"},
    [HELPER_MIN_U] = {"min_u_", "uint64_t min_u_(uint64_t a, uint64_t b)\n{\n"
                                "    return a < b ? a : b;\n}\n"},
    [HELPER_MAX_I] = {"max_i_", "int64_t max_i_(int64_t a, int64_t b)\n{\n"
                                "    return a > b ? a : b;\n}\n"},
    [HELPER_MAX_U] = {"max_u_", "uint64_t max_u_(uint64_t a, uint64_t b)\n{\n"
                                "    return a > b ? a : b;\n}\n"},
    [HELPER_CLAMP_I] =
        {"clamp_i_", "int64_t clamp_i_(int64_t x, int64_t lo, int64_t hi)\n{\n"
                     "    return x < lo ? lo : x > hi ? hi : x;\n}\n"},
    [HELPER_CLAMP_U] =
        {"clamp_u_",
         "uint64_t clamp_u_(uint64_t x, uint64_t lo, uint64_t hi)\n{\n"
         "    return x < lo ? lo : x > hi ? hi : x;\n}\n"},
    [HELPER_TO_I] =
        {"to_i_",
         "int64_t to_i_(double x, int64_t lo, int64_t hi)\n{\n"
         "    int64_t i = x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN\n"
         "        : x != x ? 0 : (int64_t)x;\n"
         "    return i < lo ? lo : i > hi ? hi : i;\n}\n"},
    [HELPER_TO_U] =
        {"to_u_",
         "uint64_t to_u_(double x, uint64_t hi)\n{\n"
         "    uint64_t u = x >= 0x1p64 ? UINT64_MAX : x > 0 ? (uint64_t)x "
         ": 0;\n"
         "    return u > hi ? hi : u;\n}\n"},
    [HELPER_CLAMP_F32] = {"clamp_f32_",
                          "float clamp_f32_(float x, float lo, float hi)\n{\n"
                          "    return x < lo ? lo : x > hi ? hi : x;\n}\n"},
    [HELPER_CLAMP_F64] =
        {"clamp_f64_", "double clamp_f64_(double x, double lo, double hi)\n{\n"
                       "    return x < lo ? lo : x > hi ? hi : x;\n}\n"},
    [HELPER_EQ_I] = {"eq_i_", "bool eq_i_(int64_t a, int64_t b)\n{\n"
                              "    return a == b;\n}\n"},
    [HELPER_EQ_U] = {"eq_u_", "bool eq_u_(uint64_t a, uint64_t b)\n{\n"
                              "    return a == b;\n}\n"},
    [HELPER_LT_I] = {"lt_i_", "bool lt_i_(int64_t a, int64_t b)\n{\n"
                              "    return a < b;\n}\n"},
    [HELPER_LT_U] = {"lt_u_", "bool lt_u_(uint64_t a, uint64_t b)\n{\n"
                              "    return a < b;\n}\n"},
    [HELPER_LE_I] = {"le_i_", "bool le_i_(int64_t a, int64_t b)\n{\n"
                              "    return a <= b;\n}\n"},
    [HELPER_LE_U] = {"le_u_", "bool le_u_(uint64_t a, uint64_t b)\n{\n"
                              "    return a <= b;\n}\n"},
};

/* The reference computes f32 in double. */
static bool is_single(const struct expr_writer *f, enum type_kind kind)
{
    return kind == TYPE_F32 && !f->wide;
}

static bool is_float(enum type_kind kind)
{
    return kind == TYPE_F32 || kind == TYPE_F64;
}

const char *emit_expr_type(enum type_kind kind)
{
    static const char *const names[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) [TYPE_##id] = c_form,
#include "../grammar/types.def"
#undef SCALAR
    };
    return names[kind];
}

static const char *type_of(const struct expr_writer *f, enum type_kind kind)
{
    return kind == TYPE_F32 && f->wide ? "double" : emit_expr_type(kind);
}

static bool is_unsigned(enum type_kind kind)
{
    return kind == TYPE_BOOL || (kind >= TYPE_U8 && kind <= TYPE_U64);
}

static void put_helper(struct expr_writer *f, enum helper helper,
                       enum type_kind type)
{
    f->used |= 1u << helper;
    if (!is_float(type))
        text_format(f->out, "(%s)", type_of(f, type));
    text_format(f->out, "%s(", helpers[helper].name);
}

static void put_operands(struct expr_writer *f, const struct model_expr *e)
{
    for (uint32_t i = 0; i < e->operand_count; i++) {
        if (i > 0)
            text_put(f->out, ", ");
        emit_expr(f, e->operands[i]);
    }
    text_put(f->out, ")");
}

static void put_number(struct expr_writer *f, const struct model_expr *e)
{
    const struct model_value *v = &e->value;
    switch (e->type) {
    case TYPE_F32:
    case TYPE_F64:
        text_double(f->out, v->f, is_single(f, e->type));
        break;
    case TYPE_BOOL:
        text_put(f->out, v->i ? "true" : "false");
        break;
    default:
        if (is_unsigned(e->type))
            text_format(f->out, "(%s)UINT64_C(%llu)", type_of(f, e->type),
                        (unsigned long long)(v->kind == VALUE_UINT
                                                 ? v->u
                                                 : (uint64_t)v->i));
        else if (v->i == INT64_MIN)
            text_put(f->out, "INT64_MIN");
        else
            text_format(
                f->out, "(%s)INT64_C(%lld)", type_of(f, e->type),
                (long long)(v->kind == VALUE_UINT ? (int64_t)v->u : v->i));
        break;
    }
}

/* + - * of integers wrap: through uint64_t, and back to the own width. */
static void put_arithmetic(struct expr_writer *f, const struct model_expr *e)
{
    static const char *const ops[] = {
        [OP_ADD] = " + ", [OP_SUB] = " - ", [OP_MUL] = " * ", [OP_DIV] = " / "};
    if (is_float(e->type)) {
        text_put(f->out, "(");
        emit_expr(f, e->operands[0]);
        text_put(f->out, ops[e->op]);
        emit_expr(f, e->operands[1]);
        text_put(f->out, ")");
    } else if (e->op == OP_DIV) {
        put_helper(f, is_unsigned(e->type) ? HELPER_DIV_U : HELPER_DIV_I,
                   e->type);
        put_operands(f, e);
    } else {
        text_format(f->out, "(%s)((uint64_t)", type_of(f, e->type));
        emit_expr(f, e->operands[0]);
        text_format(f->out, "%s(uint64_t)", ops[e->op]);
        emit_expr(f, e->operands[1]);
        text_put(f->out, ")");
    }
}

/* Compared by a function: a C compiler warns of comparisons that it sees
 * through, of a u8 with 300 or of a value with itself. */
static void put_comparison(struct expr_writer *f, const struct model_expr *e)
{
    static const enum helper helpers_of[] = {
        [OP_EQ] = HELPER_EQ_I, [OP_NE] = HELPER_EQ_I, [OP_LT] = HELPER_LT_I,
        [OP_LE] = HELPER_LE_I, [OP_GT] = HELPER_LT_I, [OP_GE] = HELPER_LE_I};
    bool swap = e->op == OP_GT || e->op == OP_GE;
    unsigned helper = helpers_of[e->op];
    helper += is_unsigned(e->operands[0]->type); /* I, then U */
    f->used |= 1u << helper;
    text_put3(f->out, e->op == OP_NE ? "(!" : "", helpers[helper].name, "(");
    emit_expr(f, e->operands[swap]);
    text_put(f->out, ", ");
    emit_expr(f, e->operands[!swap]);
    text_put(f->out, e->op == OP_NE ? "))" : ")");
}

static void put_binary(struct expr_writer *f, const struct model_expr *e)
{
    static const char *const ops[] = {
        [OP_EQ] = " == ",  [OP_NE] = " != ", [OP_LT] = " < ",
        [OP_LE] = " <= ",  [OP_GT] = " > ",  [OP_GE] = " >= ",
        [OP_AND] = " && ", [OP_OR] = " || "};
    if (e->op <= OP_DIV) {
        put_arithmetic(f, e);
        return;
    }
    if (e->op <= OP_GE && !is_float(e->operands[0]->type)) {
        put_comparison(f, e);
        return;
    }
    text_put(f->out, "(");
    emit_expr(f, e->operands[0]);
    text_put(f->out, ops[e->op]);
    emit_expr(f, e->operands[1]);
    text_put(f->out, ")");
}

static void put_unary(struct expr_writer *f, const struct model_expr *e)
{
    if (e->op == OP_NOT)
        text_put(f->out, "(!");
    else if (is_float(e->type))
        text_put(f->out, "(-");
    else
        text_format(f->out, "(%s)(0 - (uint64_t)", type_of(f, e->type));
    emit_expr(f, e->operands[0]);
    text_put(f->out, ")");
}

/* The name in <math.h>, without the f of float. */
static const char *math_name(enum expr_call call)
{
    switch (call) {
    case CALL_SQRT:
        return "sqrt";
    case CALL_EXP:
        return "exp";
    case CALL_LOG:
        return "log";
    case CALL_LOG2:
        return "log2";
    case CALL_POW:
        return "pow";
    case CALL_SIN:
        return "sin";
    case CALL_COS:
        return "cos";
    case CALL_ABS:
        return "fabs";
    case CALL_MIN:
        return "fmin";
    case CALL_MAX:
        return "fmax";
    case CALL_FLOOR:
        return "floor";
    case CALL_MOD:
        return "fmod";
    default:
        return NULL;
    }
}

static void put_float_call(struct expr_writer *f, const struct model_expr *e)
{
    const char *suffix = is_single(f, e->type) ? "f" : "";
    if (e->call == CALL_RSQRT) {
        text_format(f->out, "(%s / sqrt%s(", *suffix ? "1.0f" : "1.0", suffix);
        put_operands(f, e);
        text_put(f->out, ")");
    } else if (e->call == CALL_CLAMP) {
        put_helper(f, *suffix ? HELPER_CLAMP_F32 : HELPER_CLAMP_F64, e->type);
        put_operands(f, e);
    } else {
        text_format(f->out, "%s%s(", math_name(e->call), suffix);
        put_operands(f, e);
    }
}

static void put_integer_call(struct expr_writer *f, const struct model_expr *e)
{
    bool u = is_unsigned(e->type);
    switch (e->call) {
    case CALL_ABS:
        if (u) {
            emit_expr(f, e->operands[0]);
            return;
        }
        put_helper(f, HELPER_ABS_I, e->type);
        break;
    case CALL_MIN:
        put_helper(f, u ? HELPER_MIN_U : HELPER_MIN_I, e->type);
        break;
    case CALL_MAX:
        put_helper(f, u ? HELPER_MAX_U : HELPER_MAX_I, e->type);
        break;
    case CALL_CLAMP:
        put_helper(f, u ? HELPER_CLAMP_U : HELPER_CLAMP_I, e->type);
        break;
    default: /* mod: the others give floats */
        put_helper(f, u ? HELPER_MOD_U : HELPER_MOD_I, e->type);
        break;
    }
    put_operands(f, e);
}

static void put_call(struct expr_writer *f, const struct model_expr *e)
{
    if (e->call == CALL_SELECT) {
        if (!is_float(e->type))
            text_format(f->out, "(%s)", type_of(f, e->type));
        text_put(f->out, "(");
        emit_expr(f, e->operands[0]);
        text_put(f->out, " ? ");
        emit_expr(f, e->operands[1]);
        text_put(f->out, " : ");
        emit_expr(f, e->operands[2]);
        text_put(f->out, ")");
    } else if (is_float(e->type)) {
        put_float_call(f, e);
    } else {
        put_integer_call(f, e);
    }
}

static void put_limits(struct text *out, enum type_kind type)
{
    static const char *const limits[] = {[TYPE_U8] = "UINT8_MAX",
                                         [TYPE_U16] = "UINT16_MAX",
                                         [TYPE_U32] = "UINT32_MAX",
                                         [TYPE_U64] = "UINT64_MAX",
                                         [TYPE_I8] = "INT8_MIN, INT8_MAX",
                                         [TYPE_I16] = "INT16_MIN, INT16_MAX",
                                         [TYPE_I32] = "INT32_MIN, INT32_MAX",
                                         [TYPE_I64] = "INT64_MIN, INT64_MAX"};
    text_format(out, ", %s)", limits[type]);
}

static void put_convert(struct expr_writer *f, const struct model_expr *e)
{
    const struct model_expr *from = e->operands[0];
    if (e->type == TYPE_BOOL && from->type != TYPE_BOOL) {
        text_put(f->out, "(");
        emit_expr(f, from);
        text_put(f->out, is_float(from->type) ? " != 0.0)" : " != 0)");
    } else if (is_float(from->type) && !is_float(e->type)) {
        put_helper(f, is_unsigned(e->type) ? HELPER_TO_U : HELPER_TO_I,
                   e->type);
        emit_expr(f, from);
        put_limits(f->out, e->type);
    } else {
        text_format(f->out, "(%s)", type_of(f, e->type));
        emit_expr(f, from);
    }
}

void emit_expr(struct expr_writer *f, const struct model_expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
    case EXPR_BOOL:
        put_number(f, e);
        break;
    case EXPR_FIELD:
    case EXPR_MEMBER:
    case EXPR_ELEMENT:
    case EXPR_SHARD:
    case EXPR_LOCAL:
        f->leaf(f, e);
        break;
    case EXPR_UNARY:
        put_unary(f, e);
        break;
    case EXPR_BINARY:
        put_binary(f, e);
        break;
    case EXPR_CALL:
        put_call(f, e);
        break;
    case EXPR_CONVERT:
        put_convert(f, e);
        break;
    }
}

void emit_expr_helpers(struct text *out, uint32_t used, const char *prefix)
{
    for (unsigned i = 0; i < HELPER_COUNT; i++)
        if (used >> i & 1)
            text_put3(out, prefix, helpers[i].text, "");
}
