/* Expressions of formulas and kernels: names, types, conversions. Every
 * conversion is written into the model, so that emitters only print. */
#include "check_number.h"

#include <string.h>

/* A value that a field, member or element holds, in the scope's type. */
static const struct model_expr *loaded(struct check *check,
                                       const struct check_scope *scope,
                                       struct model_expr *expr,
                                       enum type_kind declared)
{
    /* Times and enums are integers for who computes. */
    expr->type = declared == TYPE_ENUM ? TYPE_I32
                 : declared == TYPE_TIMESTAMP || declared == TYPE_DURATION
                     ? TYPE_I64
                     : declared;
    if (declared == TYPE_BOOL)
        return expr;
    return number_convert(check, expr,
                          number_is_float(scope->number)
                              ? scope->number
                              : number_promoted(scope->number, declared));
}

static const char *what_it_is(const struct model_expr *expr)
{
    return expr->type == TYPE_BOOL ? "a condition" : number_name(expr->type);
}

static bool need_number(struct check *check, const struct model_expr *expr,
                        const char *who)
{
    if (expr->type != TYPE_BOOL)
        return true;
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                "%s takes numbers, this is a condition", who);
    diag_help(check->diag, "write `select(condition, 1, 0)`");
    return false;
}

static bool need_condition(struct check *check, const struct model_expr *expr,
                           const char *who)
{
    if (expr->type == TYPE_BOOL)
        return true;
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                "%s takes conditions, this is %s", who, what_it_is(expr));
    diag_help(check->diag, "write `… != 0`");
    return false;
}

/* Names -------------------------------------------------------------------- */

static bool is_computable(const struct model_type *type)
{
    return check_is_number(type) || type->class == CLASS_BOOL ||
           type->class == CLASS_TIME || type->class == CLASS_ENUM;
}

static const struct model_expr *not_computable(struct check *check,
                                               const char *name,
                                               const struct model_type *type,
                                               struct source_range at,
                                               struct source_range declared)
{
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, at,
                "`%s` is `%s`, which cannot be computed with", name,
                type->spelling);
    diag_note(check->diag, declared, "declared here");
    if (type->kind == TYPE_STRUCT)
        diag_help(check->diag, "name a member: `%s.%s`", name,
                  type->structure->member_count > 0
                      ? type->structure->members[0].name
                      : "x");
    else
        diag_help(check->diag, "expressions take numbers, bool, times and "
                               "enums");
    return NULL;
}

static const struct model_member *find_member(struct check *check,
                                              const struct model_struct *s,
                                              const struct atom *name,
                                              struct source_range at)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, name->text);
    for (uint32_t i = 0; i < s->member_count; i++) {
        if (strcmp(s->members[i].name, name->text) == 0)
            return &s->members[i];
        atom_nearest_offer(&nearest, s->members[i].name);
    }
    diag_report(check->diag, DIAG_UNKNOWN_NAME, at, "`%s` has no member `%s`",
                s->name, name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    return NULL;
}

/* A value in a struct has no bit that says that it is missing, and 0 would be
 * a wrong answer. */
static bool is_optional(struct check *check, const struct model_member *member,
                        struct source_range at)
{
    if (!member->optional)
        return false;
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, at,
                "`%s` may be missing from its struct, so it cannot be "
                "computed with",
                member->name);
    diag_note(check->diag, member->at, "declared here");
    diag_help(check->diag, "drop the `?`, or make it a field of the product: "
                           "a derived field has no value where one of those "
                           "has none");
    return true;
}

/* A field of a product, or (member_name) a member of the struct in it. */
static const struct model_expr *
field_expr(struct check *check, struct check_scope *scope,
           struct check_symbol *product, uint32_t param,
           const struct atom *name, const struct atom *member_name,
           struct source_range at)
{
    struct check_field *field = check_find_field(product, name->text);
    if (field == NULL) {
        check_unknown_field(check, product, name, at);
        return NULL;
    }
    const struct model_type *type = field->model->type;
    const struct model_member *member = NULL;
    if (type == NULL)
        return NULL;
    if (field == scope->field) {
        diag_report(check->diag, DIAG_FORMULA_CYCLE, at,
                    "`%s` is computed from itself", name->text);
        return NULL;
    }
    struct source_range declared = field->model->at;
    const char *shown = name->text;
    if (member_name != NULL) {
        if (type->kind != TYPE_STRUCT) {
            diag_report(check->diag, DIAG_EXPRESSION_TYPE, at,
                        "`%s` is `%s` and has no members", name->text,
                        type->spelling);
            return NULL;
        }
        member = find_member(check, type->structure, member_name, at);
        if (member == NULL || is_optional(check, member, at))
            return NULL;
        type = member->type;
        declared = member->at;
        shown = arena_format(check->arena, "%s.%s", shown, member->name);
    }
    if (!is_computable(type))
        return not_computable(check, shown, type, at, declared);
    struct model_expr *expr = expr_make(check, EXPR_FIELD, type->kind, at);
    expr->field = field->model;
    expr->member = member;
    expr->param = param;
    if (param == 0)
        scope->inputs |= UINT64_C(1) << field->model->index;
    else
        scope->other_inputs |= UINT64_C(1) << field->model->index;
    return loaded(check, scope, expr, type->kind);
}

static const struct model_expr *
shard_expr(struct check *check, const struct check_scope *scope, uint32_t param,
           const struct atom *name, struct source_range at)
{
    static const char *const names[] = {"px", "py", "mass", "load", "capacity"};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name->text) != 0)
            continue;
        struct model_expr *expr = expr_make(check, EXPR_SHARD, TYPE_F32, at);
        expr->shard_member = (enum shard_member)i;
        expr->param = param;
        return loaded(check, scope, expr, TYPE_F32);
    }
    diag_report(check->diag, DIAG_UNKNOWN_NAME, at, "a shard has no `%s`",
                name->text);
    diag_help(check->diag, "it has px, py, mass, load and capacity");
    return NULL;
}

static const struct model_expr *
element_expr(struct check *check, const struct check_scope *scope,
             uint32_t param, const struct atom *name, struct source_range at)
{
    const struct model_type *type = scope->elements[param];
    struct model_expr *expr = expr_make(check, EXPR_ELEMENT, type->kind, at);
    struct source_range declared = scope->kernel->params[param].at;
    expr->param = param;
    if (name != NULL) {
        if (type->kind != TYPE_STRUCT) {
            diag_report(check->diag, DIAG_EXPRESSION_TYPE, at,
                        "`%s` is `%s` and has no members",
                        scope->kernel->params[param].name, type->spelling);
            return NULL;
        }
        const struct model_member *member =
            find_member(check, type->structure, name, at);
        if (member == NULL || is_optional(check, member, at))
            return NULL;
        expr->kind = EXPR_MEMBER;
        expr->member = member;
        type = member->type;
        declared = member->at;
    }
    if (!is_computable(type))
        return not_computable(check,
                              name != NULL ? name->text
                                           : scope->kernel->params[param].name,
                              type, at, declared);
    return loaded(check, scope, expr, type->kind);
}

static int find_param(const struct check_scope *scope, const struct atom *name)
{
    for (uint32_t i = 0;
         scope->kernel != NULL && i < scope->kernel->param_count; i++) {
        if (strcmp(scope->kernel->params[i].name, name->text) == 0)
            return (int)i;
    }
    return -1;
}

static const struct model_expr *unknown_in_kernel(struct check *check,
                                                  const struct check_scope *s,
                                                  const struct ast_expr *expr)
{
    struct atom_nearest nearest;
    if (s->lost)
        return NULL;
    atom_nearest_init(&nearest, expr->name->text);
    for (uint32_t i = 0; i < s->kernel->param_count; i++)
        atom_nearest_offer(&nearest, s->kernel->params[i].name);
    for (uint32_t i = 0; i < s->kernel->statement_count; i++)
        atom_nearest_offer(&nearest, s->kernel->statements[i].name);
    diag_report(check->diag, DIAG_UNKNOWN_NAME, expr->at,
                "nothing before this line is called `%s`", expr->name->text);
    if (s->owners[0] != NULL &&
        check_find_field(s->owners[0], expr->name->text) != NULL)
        diag_help(check->diag, "write `%s.%s`", s->kernel->params[0].name,
                  expr->name->text);
    else if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    return NULL;
}

static const struct model_expr *name_expr(struct check *check,
                                          struct check_scope *scope,
                                          const struct ast_expr *expr)
{
    const char *name = expr->name->text;
    bool yes = strcmp(name, "true") == 0;
    if (yes || strcmp(name, "false") == 0) {
        struct model_expr *flag =
            expr_make(check, EXPR_BOOL, TYPE_BOOL, expr->at);
        flag->value = (struct model_value){.kind = VALUE_BOOL, .i = yes};
        return flag;
    }
    if (scope->kernel == NULL)
        return field_expr(check, scope, scope->product, 0, expr->name, NULL,
                          expr->at);
    for (uint32_t i = scope->kernel->statement_count; i-- > 0;) {
        const struct model_statement *line = &scope->kernel->statements[i];
        if (strcmp(line->name, name) != 0)
            continue;
        if (line->value == NULL)
            return NULL;
        struct model_expr *local =
            expr_make(check, EXPR_LOCAL, line->value->type, expr->at);
        local->local = i;
        return local;
    }
    int param = find_param(scope, expr->name);
    if (param < 0)
        return unknown_in_kernel(check, scope, expr);
    if (scope->elements[param] != NULL)
        return element_expr(check, scope, (uint32_t)param, NULL, expr->at);
    diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                "`%s` is no number: name one of its fields", name);
    diag_help(check->diag, "write `%s.field`", name);
    return NULL;
}

static const struct model_expr *dot_expr(struct check *check,
                                         struct check_scope *scope,
                                         const struct ast_expr *expr)
{
    const struct ast_expr *left = expr->left;
    if (scope->kernel == NULL && left->kind == AST_NAME)
        return field_expr(check, scope, scope->product, 0, left->name,
                          expr->name, expr->at);
    const struct ast_expr *owner = left->kind == AST_DOT ? left->left : left;
    int param = owner->kind == AST_NAME ? find_param(scope, owner->name) : -1;
    if (scope->kernel == NULL || owner->kind != AST_NAME) {
        diag_report(check->diag, DIAG_BAD_EXPRESSION, expr->at,
                    "only a field has members here");
        return NULL;
    }
    if (param < 0)
        return unknown_in_kernel(check, scope, owner);
    bool deep = left->kind == AST_DOT;
    if (scope->owners[param] != NULL)
        return field_expr(check, scope, scope->owners[param], (uint32_t)param,
                          deep ? left->name : expr->name,
                          deep ? expr->name : NULL, expr->at);
    if (deep) {
        diag_report(check->diag, DIAG_BAD_EXPRESSION, expr->at,
                    "only a field has members here");
        return NULL;
    }
    if (scope->kernel->params[param].shard)
        return shard_expr(check, scope, (uint32_t)param, expr->name, expr->at);
    if (scope->elements[param] == NULL)
        return NULL;
    return element_expr(check, scope, (uint32_t)param, expr->name, expr->at);
}

/* Numbers written ---------------------------------------------------------- */

static const struct model_expr *number_expr(struct check *check,
                                            const struct check_scope *scope,
                                            const struct ast_expr *expr)
{
    const struct ast_number *number = &expr->number;
    struct model_expr *out = expr_make(check, EXPR_NUMBER, TYPE_F64, expr->at);
    int64_t scaled;
    if (number->unit != UNIT_NONE) {
        bool size = number->unit >= UNIT_B;
        if (!(size ? check_bytes(check, expr, "number", &scaled)
                   : check_time(check, expr, "number", &scaled)))
            return NULL;
        out->value =
            (struct model_value){.kind = VALUE_UINT, .u = (uint64_t)scaled};
    } else if (number->is_float || number->too_big) {
        out->value =
            (struct model_value){.kind = VALUE_FLOAT, .f = number->value};
    } else {
        out->value =
            (struct model_value){.kind = VALUE_UINT, .u = number->whole};
    }
    if (out->value.kind == VALUE_UINT)
        out->type = number_fits(out, TYPE_I32)   ? TYPE_I32
                    : number_fits(out, TYPE_I64) ? TYPE_I64
                                                 : TYPE_U64;
    if (!number_is_float(scope->number))
        return out;
    out = (struct model_expr *)(uintptr_t)number_convert(check, out,
                                                         scope->number);
    if (scope->number == TYPE_F64 || number_in_f32(out->value.f))
        return out;
    diag_report(check->diag, DIAG_BAD_NUMBER, expr->at,
                "an f32 cannot hold this number");
    diag_help(check->diag, "it holds 0 and what lies between 1.4e-45 and "
                           "3.4e38; give the result the type f64");
    return NULL;
}

/* Operators ---------------------------------------------------------------- */

static const enum expr_op ops[] = {
    [AST_OP_NEG] = OP_NEG, [AST_OP_NOT] = OP_NOT, [AST_OP_ADD] = OP_ADD,
    [AST_OP_SUB] = OP_SUB, [AST_OP_MUL] = OP_MUL, [AST_OP_DIV] = OP_DIV,
    [AST_OP_EQ] = OP_EQ,   [AST_OP_NE] = OP_NE,   [AST_OP_LT] = OP_LT,
    [AST_OP_LE] = OP_LE,   [AST_OP_GT] = OP_GT,   [AST_OP_GE] = OP_GE,
    [AST_OP_AND] = OP_AND, [AST_OP_OR] = OP_OR,
};

static bool is_wide(enum type_kind number)
{
    return number == TYPE_U64 || number == TYPE_I64 ||
           number == TYPE_TIMESTAMP || number == TYPE_DURATION;
}

/* What integers are computed for. What is compared must not have wrapped: a
 * product of two i32 is past a million, whatever its last 32 bits say. */
static enum type_kind integers_of(const struct check_scope *scope)
{
    return scope->compared && !is_wide(scope->number) ? TYPE_I64
                                                      : scope->number;
}

static const struct model_expr *unary_expr(struct check *check,
                                           struct check_scope *scope,
                                           const struct ast_expr *ast)
{
    const struct model_expr *operand = check_expr(check, scope, ast->left);
    if (operand == NULL)
        return NULL;
    if (ast->op == AST_OP_NOT) {
        if (!need_condition(check, operand, "`!`"))
            return NULL;
    } else if (!need_number(check, operand, "`-`")) {
        return NULL;
    } else if (operand->type == TYPE_U64) {
        diag_report(check->diag, DIAG_EXPRESSION_TYPE, ast->at,
                    "the negative of a `u64` has no type");
        return NULL;
    } else if (operand->type == TYPE_U32) {
        operand = number_convert(check, operand, TYPE_I64);
    } else if (is_wide(integers_of(scope)) && operand->type == TYPE_I32 &&
               operand->kind != EXPR_NUMBER) {
        operand = number_convert(check, operand, TYPE_I64);
    }
    struct model_expr *expr =
        expr_make(check, EXPR_UNARY, operand->type, ast->at);
    expr->op = ops[ast->op];
    expr_set_operands(check, expr, &operand, 1);
    return expr;
}

/* kind == :LOGIN */
static const struct model_expr *enum_constant(struct check *check,
                                              const struct check_scope *scope,
                                              const struct model_expr *other,
                                              const struct ast_expr *atom)
{
    while (other->kind == EXPR_CONVERT)
        other = other->operands[0];
    const struct model_type *type =
        other->member != NULL ? other->member->type
        : other->kind == EXPR_FIELD && other->field != NULL ? other->field->type
                                                            : NULL;
    struct model_value value;
    if (type == NULL || type->kind != TYPE_ENUM) {
        diag_report(check->diag, DIAG_EXPRESSION_TYPE, atom->at,
                    "an atom can only be compared with an enum");
        return NULL;
    }
    if (!check_default(check, atom, type, &value))
        return NULL;
    struct model_expr *expr = expr_make(check, EXPR_NUMBER, TYPE_I32, atom->at);
    expr->value = value;
    if (number_is_float(scope->number)) {
        expr->type = scope->number;
        expr->value.kind = VALUE_FLOAT;
        expr->value.f = (double)value.i;
    } else {
        expr->value.kind = VALUE_INT;
    }
    return expr;
}

static bool is_equality(enum ast_op op)
{
    return op == AST_OP_EQ || op == AST_OP_NE;
}

static const struct model_expr *logic_expr(struct check *check,
                                           const struct ast_expr *ast,
                                           const struct model_expr *left,
                                           const struct model_expr *right)
{
    const char *name = ast->op == AST_OP_AND ? "`&&`" : "`||`";
    if (!need_condition(check, left, name) ||
        !need_condition(check, right, name))
        return NULL;
    struct model_expr *expr = expr_make(check, EXPR_BINARY, TYPE_BOOL, ast->at);
    const struct model_expr *both[] = {left, right};
    expr->op = ops[ast->op];
    expr_set_operands(check, expr, both, 2);
    return expr;
}

static const struct model_expr *binary_expr(struct check *check,
                                            struct check_scope *scope,
                                            const struct ast_expr *ast)
{
    bool atom_left = is_equality(ast->op) && ast->left->kind == AST_ATOM;
    bool atom_right = is_equality(ast->op) && ast->right->kind == AST_ATOM;
    bool comparison = ast->op >= AST_OP_EQ && ast->op <= AST_OP_GE;
    bool compared = scope->compared;
    scope->compared |= comparison;
    const struct model_expr *left =
        atom_left ? NULL : check_expr(check, scope, ast->left);
    const struct model_expr *right =
        atom_right ? NULL : check_expr(check, scope, ast->right);
    scope->compared = compared;
    if (atom_left && right != NULL)
        left = enum_constant(check, scope, right, ast->left);
    else if (atom_right && left != NULL)
        right = enum_constant(check, scope, left, ast->right);
    if (left == NULL || right == NULL)
        return NULL;
    if (ast->op == AST_OP_AND || ast->op == AST_OP_OR)
        return logic_expr(check, ast, left, right);
    enum type_kind type = TYPE_BOOL;
    bool flags = is_equality(ast->op) && left->type == TYPE_BOOL &&
                 right->type == TYPE_BOOL;
    const char *name = arena_format(check->arena, "`%s`", ast_op_text(ast->op));
    if (!flags) {
        if (!need_number(check, left, name) ||
            !need_number(check, right, name) ||
            !number_common(check, left, right, ast->at, &type))
            return NULL;
        const struct model_expr *sides[] = {left, right};
        /* 1 - 2 is negative, whatever type the result has */
        bool below = ast->op == AST_OP_SUB && left->kind == EXPR_NUMBER &&
                     right->kind == EXPR_NUMBER;
        if (!comparison && !below)
            type = number_widened(integers_of(scope), type, sides, 2);
        left = number_convert(check, left, type);
        right = number_convert(check, right, type);
    }
    struct model_expr *expr =
        expr_make(check, EXPR_BINARY, comparison ? TYPE_BOOL : type, ast->at);
    const struct model_expr *both[] = {left, right};
    expr->op = ops[ast->op];
    expr_set_operands(check, expr, both, 2);
    return expr;
}

/* Calls -------------------------------------------------------------------- */

enum { ARGUMENTS_MAX = 3, RESULT_SAME, RESULT_FLOAT };
static const struct {
    const char *name;
    uint32_t arity;
    int result;
} calls[] = {
#define CALL(id, name, arity, result, text) {name, arity, RESULT_##result},
#include "../grammar/calls.def"
#undef CALL
};

static int find_call(struct check *check, const struct ast_expr *ast)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, ast->name->text);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].name, ast->name->text) == 0)
            return (int)i;
        atom_nearest_offer(&nearest, calls[i].name);
    }
    diag_report(check->diag, DIAG_UNKNOWN_CALL, ast->op_at,
                "no function is called `%s`", ast->name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    else
        diag_help(check->diag, "known are sqrt rsqrt exp log log2 pow sin cos "
                               "abs min max clamp floor select mod");
    return -1;
}

/* The arguments from `first` on, all in one type. */
static bool meet(struct check *check, const struct check_scope *scope, int call,
                 const struct model_expr **args, uint32_t first,
                 struct source_range at, enum type_kind *type)
{
    uint32_t count = calls[call].arity;
    const char *name = arena_format(check->arena, "`%s`", calls[call].name);
    for (uint32_t i = first; i < count; i++) {
        if (!need_number(check, args[i], name))
            return false;
    }
    if (!number_meet(check, args + first, count - first, at, type))
        return false;
    if (call == CALL_ABS) /* of the least i32 */
        *type = number_widened(integers_of(scope), *type, args, 1);
    if (calls[call].result == RESULT_FLOAT && !number_is_float(*type))
        *type = number_is_float(scope->number) ? scope->number : TYPE_F64;
    for (uint32_t i = first; i < count; i++)
        args[i] = number_convert(check, args[i], *type);
    return true;
}

static const struct model_expr *call_expr(struct check *check,
                                          struct check_scope *scope,
                                          const struct ast_expr *ast)
{
    const struct model_expr *args[ARGUMENTS_MAX] = {0};
    uint32_t count = 0;
    bool good = true;
    int call = find_call(check, ast);
    if (call < 0)
        return NULL;
    for (const struct ast_entry *e = ast->entries; e != NULL; e = e->next)
        count++;
    if (count != calls[call].arity) {
        diag_report(check->diag, DIAG_WRONG_ARITY, ast->at,
                    "`%s` takes %u argument%s, not %u", calls[call].name,
                    calls[call].arity, calls[call].arity == 1 ? "" : "s",
                    count);
        return NULL;
    }
    count = 0;
    for (const struct ast_entry *e = ast->entries; e != NULL; e = e->next) {
        if (e->key != NULL) {
            diag_report(check->diag, DIAG_BAD_EXPRESSION, e->at,
                        "arguments have no keys");
            return NULL;
        }
        args[count] = check_expr(check, scope, e->value);
        good &= args[count++] != NULL;
    }
    if (!good)
        return NULL;
    uint32_t first = call == CALL_SELECT ? 1 : 0;
    enum type_kind type;
    if ((first == 1 && !need_condition(check, args[0], "`select`")) ||
        !meet(check, scope, call, args, first, ast->at, &type))
        return NULL;
    struct model_expr *expr = expr_make(check, EXPR_CALL, type, ast->at);
    expr->call = (enum expr_call)call;
    expr_set_operands(check, expr, args, count);
    return expr;
}

const struct model_expr *check_expr(struct check *check,
                                    struct check_scope *scope,
                                    const struct ast_expr *expr)
{
    switch (expr->kind) {
    case AST_NUMBER:
        return number_expr(check, scope, expr);
    case AST_NAME:
        return name_expr(check, scope, expr);
    case AST_DOT:
        return dot_expr(check, scope, expr);
    case AST_CALL:
        return call_expr(check, scope, expr);
    case AST_UNARY:
        return unary_expr(check, scope, expr);
    case AST_BINARY:
        return binary_expr(check, scope, expr);
    case AST_BAD:
        return NULL;
    case AST_TEXT:
        diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                    "a text cannot be computed with");
        diag_help(check->diag, "names and numbers of an expression stand "
                               "without quotes");
        return NULL;
    case AST_ATOM:
        diag_report(check->diag, DIAG_EXPRESSION_TYPE, expr->at,
                    "an atom can only be compared with an enum: `kind == "
                    ":%s`",
                    expr->name->text);
        return NULL;
    case AST_LIST:
    case AST_MAP:
    case AST_TUPLE:
        diag_report(check->diag, DIAG_BAD_EXPRESSION, expr->at,
                    "this is no expression");
        diag_help(check->diag, "expressions are made of fields, numbers, "
                               "operators and calls");
        return NULL;
    }
    return NULL;
}
