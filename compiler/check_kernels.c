/* defkernel: parameters, shape, reduction, statements and result. */
#include "check.h"
#include "limit.h"

#include <string.h>

struct kernel_reading {
    struct check_symbol *symbol;
    struct model_kernel *model;
    struct model_param *params;
    struct check_symbol **owners;
    const struct model_type **elements;
    struct check_notes notes;
};

/* Parameters --------------------------------------------------------------- */

static const struct model_field *
list_of_element(struct check *check, struct check_symbol *product,
                const struct model_type *element, struct source_range at)
{
    const struct model_field *found = NULL;
    for (uint32_t i = 0; i < product->field_count; i++) {
        const struct model_field *field = product->fields[i].model;
        if (field->type == NULL || field->type->kind != TYPE_LIST ||
            field->type->element != element)
            continue;
        if (found != NULL) {
            diag_report(check->diag, DIAG_BAD_KERNEL, at,
                        "`%s` has more than one list of `%s`",
                        product->decl->name->text, element->spelling);
            diag_note(check->diag, found->at, "this one");
            diag_note(check->diag, field->at, "and this one");
            diag_help(check->diag, "give the elements types of their own");
            return NULL;
        }
        found = field;
    }
    if (found == NULL && !product->broken) {
        diag_report(check->diag, DIAG_BAD_KERNEL, at,
                    "`%s` has no list of `%s`", product->decl->name->text,
                    element->spelling);
        diag_help(check->diag, "a segreduce kernel runs over the elements of "
                               "a list of its product");
    }
    return found;
}

static struct check_symbol *product_of(struct check *check,
                                       const struct ast_type *type)
{
    const struct atom *name = type->name;
    if (type->kind != AST_TYPE_NAME && type->kind != AST_TYPE_CALL)
        return NULL;
    if (type->kind == AST_TYPE_CALL && name->len > 2 &&
        strcmp(name->text + name->len - 2, ".t") == 0)
        name = atom_intern(check->atoms, name->text, name->len - 2);
    struct check_symbol *symbol = check_find(check, name);
    return symbol != NULL && symbol->decl->kind == AST_PRODUCT ? symbol : NULL;
}

static bool read_first(struct check *check, struct kernel_reading *reading,
                       const struct ast_param *param)
{
    struct check_symbol *product = product_of(check, param->type);
    if (product != NULL) {
        reading->owners[0] = product;
        reading->params[0].product = product->product;
        return true;
    }
    if (param->type->kind == AST_TYPE_NAME &&
        check_find(check, param->type->name) == NULL)
        check_unknown(check, DIAG_UNKNOWN_NAME, param->type->name,
                      param->type->at, "product", AST_PRODUCT);
    else if (param->type->kind != AST_TYPE_BAD)
        diag_report(check->diag, DIAG_BAD_KERNEL, param->type->at,
                    "a kernel's first parameter is a product");
    return false;
}

static bool read_second(struct check *check, struct kernel_reading *reading,
                        const struct ast_param *param)
{
    struct model_kernel *model = reading->model;
    struct model_param *out = &reading->params[1];
    bool shard = param->type->kind == AST_TYPE_NAME &&
                 strcmp(param->type->name->text, "shard") == 0;
    struct check_symbol *product = product_of(check, param->type);
    if (model->shape == SHAPE_PAIRWISE && (shard || product != NULL)) {
        out->shard = shard;
        reading->owners[1] = product;
        out->product = product == NULL ? NULL : product->product;
        return true;
    }
    if (shard || product != NULL || model->shape == SHAPE_PAIRWISE) {
        diag_report(check->diag, DIAG_BAD_KERNEL, param->type->at,
                    model->shape == SHAPE_PAIRWISE
                        ? "the other side of a pairwise kernel is `shard` or "
                          "a product"
                        : "the second parameter of a segreduce kernel is an "
                          "element of a list");
        return false;
    }
    const struct model_type *element = check_type(check, param->type, NULL);
    if (element == NULL)
        return false;
    reading->elements[1] = element;
    out->list =
        list_of_element(check, reading->owners[0], element, param->type->at);
    return out->list != NULL;
}

static bool check_param_name(struct check *check,
                             const struct kernel_reading *reading,
                             const struct ast_param *param, uint32_t count)
{
    if (!check_member_name(check, param->name, param->at, false))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(reading->params[i].name, param->name->text) != 0)
            continue;
        diag_report(check->diag, DIAG_DUPLICATE, param->at,
                    "the parameter `%s` is there twice", param->name->text);
        diag_note(check->diag, reading->params[i].at, "first defined here");
        return false;
    }
    return true;
}

static bool read_params(struct check *check, struct kernel_reading *reading)
{
    static const char *const wants[] = {
        [SHAPE_MAP] = "one parameter: (self :: Product)",
        [SHAPE_PAIRWISE] = "two parameters: (self :: Product, s :: shard)",
        [SHAPE_SEGREDUCE] = "two parameters: (self :: Product, e :: Element)",
    };
    const struct ast_decl *decl = reading->symbol->decl;
    uint32_t count = 0;
    for (const struct ast_param *p = decl->params; p != NULL; p = p->next)
        count++;
    uint32_t want = reading->model->shape == SHAPE_MAP ? 1 : 2;
    if (count != want) {
        const char *shape =
            note_word(&reading->notes, ANNOTATION_SHAPE)->word == NULL
                ? "map"
                : note_word(&reading->notes, ANNOTATION_SHAPE)->word;
        diag_report(check->diag, DIAG_BAD_KERNEL, decl->at,
                    "a kernel of shape `:%s` has %s", shape,
                    wants[reading->model->shape]);
        if (note_at(&reading->notes, ANNOTATION_SHAPE) == NULL)
            diag_help(check->diag, "without `shape:` it is a `:map`; others "
                                   "are `:pairwise` and `:segreduce`");
        return false;
    }
    reading->params = ARENA_ARRAY(check->arena, struct model_param, 2);
    reading->owners = ARENA_ARRAY(check->arena, struct check_symbol *, 2);
    reading->elements = ARENA_ARRAY(check->arena, const struct model_type *, 2);
    uint32_t n = 0;
    for (const struct ast_param *p = decl->params; p != NULL; p = p->next) {
        if (!check_param_name(check, reading, p, n))
            return false;
        reading->params[n].name = p->name->text;
        reading->params[n].at = p->at;
        if (!(n == 0 ? read_first(check, reading, p)
                     : read_second(check, reading, p)))
            return false;
        n++;
    }
    reading->model->params = reading->params;
    reading->model->param_count = n;
    return true;
}

/* Reduction and result ----------------------------------------------------- */

/* :max, or {:top_k, K} */
static bool read_reduce(struct check *check, struct kernel_reading *reading)
{
    const struct ast_entry *note = note_at(&reading->notes, ANNOTATION_REDUCE);
    const struct ast_expr *value = note->value;
    const struct ast_expr *count = NULL;
    struct check_word word;
    int64_t k = 0;
    if (value->kind == AST_TUPLE && value->entries != NULL &&
        value->entries->key == NULL && value->entries->next != NULL &&
        value->entries->next->next == NULL) {
        count = value->entries->next->value;
        value = value->entries->value;
    }
    if (!check_word_of(check, ANNOTATION_REDUCE,
                       value->kind == AST_ATOM ? value->name : NULL, value->at,
                       &word))
        return false;
    reading->model->reduce = (enum kernel_reduce)word.value;
    if ((reading->model->reduce == REDUCE_TOP_K) != (count != NULL)) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, note->value->at,
                    count == NULL ? "`:top_k` needs its K"
                                  : "only `:top_k` takes a number");
        diag_help(check->diag, "write `reduce: {:top_k, 8}`");
        return false;
    }
    if (count == NULL)
        return true;
    if (!check_count(check, count, "top_k", &k))
        return false;
    if (k < 1 || k > LIMIT_TOP_K) {
        diag_report(check->diag, DIAG_OUT_OF_RANGE, count->at,
                    "K lies between 1 and %d", LIMIT_TOP_K);
        return false;
    }
    reading->model->reduce_k = (uint32_t)k;
    return true;
}

static bool read_shape(struct check *check, struct kernel_reading *reading)
{
    struct model_kernel *model = reading->model;
    const struct check_notes *notes = &reading->notes;
    if (note_at(notes, ANNOTATION_SHAPE) != NULL)
        model->shape =
            (enum kernel_shape)note_word(notes, ANNOTATION_SHAPE)->value;
    if (note_at(notes, ANNOTATION_REDUCE) != NULL) {
        if (!read_reduce(check, reading))
            return false;
        if (model->shape != SHAPE_MAP)
            return true;
        diag_report(check->diag, DIAG_BAD_KERNEL,
                    note_at(notes, ANNOTATION_REDUCE)->at,
                    "a kernel of shape `:map` has nothing to reduce");
        return false;
    }
    if (model->shape != SHAPE_SEGREDUCE)
        return true;
    diag_report(check->diag, DIAG_BAD_KERNEL, reading->symbol->decl->at,
                "a segreduce kernel needs `reduce:`");
    diag_help(check->diag, "write `reduce: :sum`");
    return false;
}

static bool bad_result(struct check *check,
                       const struct kernel_reading *reading, const char *want)
{
    diag_report(check->diag, DIAG_BAD_KERNEL, reading->symbol->decl->result->at,
                "the result of this kernel is %s", want);
    return false;
}

/* What the element function computes, and what the reduction makes of it. */
static bool read_result(struct check *check, struct kernel_reading *reading)
{
    struct model_kernel *model = reading->model;
    const struct model_type *type =
        check_type(check, reading->symbol->decl->result, NULL);
    if (type == NULL)
        return false;
    model->type = type;
    model->element = type->kind;
    switch (model->reduce) {
    case REDUCE_NONE:
        if (check_is_number(type) || type->class == CLASS_BOOL ||
            type->class == CLASS_TIME)
            return true;
        return bad_result(check, reading, "a number, a time or bool");
    case REDUCE_SUM:
    case REDUCE_MIN:
    case REDUCE_MAX:
        if (check_is_number(type))
            return true;
        return bad_result(check, reading, "a number");
    case REDUCE_SOFTMAX:
        if (type->class == CLASS_FLOAT)
            return true;
        return bad_result(check, reading, "f32 or f64");
    case REDUCE_ARGMAX:
        model->element = TYPE_F64; /* so far: see read_argmax() */
        if (type->kind == TYPE_U32 || type->kind == TYPE_U64)
            return true;
        return bad_result(check, reading,
                          "the place of the greatest value: u32 or u64");
    case REDUCE_TOP_K:
        if (type->kind == TYPE_ARRAY && type->element->class == CLASS_FLOAT &&
            type->limit == model->reduce_k) {
            model->element = type->element->kind;
            return true;
        }
        return bad_result(check, reading, "an array of K floats, `f32[K]`");
    }
    return false;
}

/* Statements --------------------------------------------------------------- */

static bool is_call_name(const char *name)
{
    static const char *const names[] = {
#define CALL(id, name, arity, result, text) name,
#include "../grammar/calls.def"
#undef CALL
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool check_local(struct check *check,
                        const struct kernel_reading *reading,
                        const struct ast_statement *line)
{
    const struct model_kernel *model = reading->model;
    const char *name = line->name->text;
    struct source_range first = {0};
    for (uint32_t i = 0; i < model->param_count; i++) {
        if (strcmp(model->params[i].name, name) == 0)
            first = model->params[i].at;
    }
    for (uint32_t i = 0; i < model->statement_count; i++) {
        if (strcmp(model->statements[i].name, name) == 0)
            first = model->statements[i].at;
    }
    if (first.file != 0) {
        diag_report(check->diag, DIAG_BAD_STATEMENT, line->at,
                    "`%s` has a value already", name);
        diag_note(check->diag, first, "first given here");
        diag_help(check->diag, "a name is given once: use another one");
        return false;
    }
    if (is_call_name(name) || strcmp(name, "shard") == 0 ||
        strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
        diag_report(check->diag, DIAG_BAD_STATEMENT, line->at,
                    "`%s` is a word of expressions", name);
        return false;
    }
    return true;
}

/* Inputs are counted as the emitters do: each different value is an array. */
struct input_count {
    const struct model_expr *seen[LIMIT_KERNEL_INPUTS];
    uint32_t count;
    const struct model_expr *over; /* the first that is too many */
};

static void count_inputs(struct input_count *inputs,
                         const struct model_expr *expr)
{
    if (expr == NULL || inputs->over != NULL)
        return;
    for (uint32_t i = 0; i < expr->operand_count; i++)
        count_inputs(inputs, expr->operands[i]);
    if (!model_is_input(expr))
        return;
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (model_same_input(inputs->seen[i], expr))
            return;
    }
    if (inputs->count == LIMIT_KERNEL_INPUTS)
        inputs->over = expr;
    else
        inputs->seen[inputs->count++] = expr;
}

bool check_input_count(struct check *check, const struct model_kernel *kernel,
                       const struct model_expr *result)
{
    struct input_count inputs = {.count = 0};
    for (uint32_t i = 0; kernel != NULL && i < kernel->statement_count; i++)
        count_inputs(&inputs, kernel->statements[i].value);
    count_inputs(&inputs, result);
    if (inputs.over == NULL)
        return true;
    diag_report(check->diag, DIAG_TOO_MANY, inputs.over->at,
                "a kernel reads at most %d different values, and this is one "
                "more",
                LIMIT_KERNEL_INPUTS);
    diag_help(check->diag, "compute a part of them in a derived field of its "
                           "own, and read that one");
    return false;
}

/* Does float32 hold everything that it reads? */
static bool is_single(const struct model_expr *e)
{
    if (e->kind == EXPR_FIELD || e->kind == EXPR_MEMBER ||
        e->kind == EXPR_ELEMENT || e->kind == EXPR_SHARD)
        return e->type == TYPE_F32 || e->type == TYPE_BOOL ||
               e->type == TYPE_U8 || e->type == TYPE_U16 ||
               e->type == TYPE_I8 || e->type == TYPE_I16;
    for (uint32_t i = 0; i < e->operand_count; i++) {
        if (!is_single(e->operands[i]))
            return false;
    }
    return true;
}

/* The result where it is an integer that is read and nothing more. */
static const struct model_expr *integer_read(const struct model_kernel *model)
{
    const struct model_expr *e = model->result;
    while (e->kind == EXPR_LOCAL || e->kind == EXPR_CONVERT)
        e = e->kind == EXPR_LOCAL ? model->statements[e->local].value
                                  : e->operands[0];
    return e->operand_count == 0 && e->kind != EXPR_NUMBER &&
                   e->type >= TYPE_U8 && e->type <= TYPE_I64
               ? e
               : NULL;
}

/* The kernel was read in float64. What it compares: integers as they are where
 * nothing is computed, float32 where that holds all that is read. true: it is
 * to be read again, in float32. */
static bool read_argmax(struct model_kernel *model)
{
    const struct model_expr *integer = integer_read(model);
    bool single = is_single(model->result);
    for (uint32_t i = 0; i < model->statement_count && single; i++)
        single = is_single(model->statements[i].value);
    if (integer != NULL) {
        model->element = integer->type;
        model->result = integer;
    } else if (single) {
        model->element = TYPE_F32;
    }
    return integer == NULL && single;
}

static void read_body(struct check *check, struct kernel_reading *reading)
{
    struct model_kernel *model = reading->model;
    const struct ast_decl *decl = reading->symbol->decl;
    uint32_t count = 0;
    unsigned findings = diag_error_reports(check->diag);
    model->statement_count = 0;
    for (const struct ast_statement *s = decl->statements; s != NULL;
         s = s->next)
        count++;
    struct model_statement *lines =
        ARENA_ARRAY(check->arena, struct model_statement, count + 1);
    struct check_scope scope = {.kernel = model,
                                .owners = reading->owners,
                                .elements = reading->elements,
                                .number = model->element};
    model->statements = lines;
    for (const struct ast_statement *s = decl->statements; s != NULL;
         s = s->next) {
        if (s->name == NULL && s->next != NULL) {
            scope.lost |= s->value->kind == AST_BAD;
            if (s->value->kind != AST_BAD) {
                diag_report(check->diag, DIAG_BAD_STATEMENT, s->at,
                            "this value is used nowhere");
                diag_help(check->diag, "give it a name: `x = …`; only the "
                                       "last line is a value alone");
            }
            continue;
        }
        if (s->name != NULL && !check_local(check, reading, s))
            continue;
        const struct model_expr *value = check_expr(check, &scope, s->value);
        if (s->name != NULL) {
            lines[model->statement_count] = (struct model_statement){
                .name = s->name->text,
                .c_name = s->name->text, /* the emitters give it an end */
                .value = value,
                .at = s->at};
            model->statement_count++;
            if (s->next != NULL)
                continue;
            diag_report(check->diag, DIAG_BAD_STATEMENT, s->at,
                        "a kernel ends with its result");
            diag_help(check->diag, "add a last line: `%s`", s->name->text);
        } else if (value != NULL) {
            model->result =
                check_fit(check, value, check_scalar(check, model->element),
                          "the result");
        }
    }
    (void)check_input_count(check, model, model->result);
    model->inputs = scope.inputs;
    model->other_inputs = scope.other_inputs;
    if (model->param_count > 1 && model->params[1].list != NULL)
        model->inputs |= UINT64_C(1) << model->params[1].list->index;
    if (count == 0 && !check->lost)
        diag_report(check->diag, DIAG_EMPTY, decl->at,
                    "the kernel `%s` has no result", model->name);
    if (model->reduce == REDUCE_ARGMAX && model->element == TYPE_F64 &&
        model->result != NULL && diag_error_reports(check->diag) == findings &&
        read_argmax(model))
        read_body(check, reading);
}

void check_kernels(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_KERNEL)
            continue;
        struct kernel_reading reading = {.symbol = s, .model = s->kernel};
        check_notes_read(check, s->decl->annotations, IN_KERNEL,
                         &reading.notes);
        s->state = SYMBOL_BAD;
        if (reading.notes.refused || !read_shape(check, &reading) ||
            !read_params(check, &reading) || !read_result(check, &reading))
            continue;
        s->state = SYMBOL_DONE;
        read_body(check, &reading);
    }
}
