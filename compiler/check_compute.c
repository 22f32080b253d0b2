/* formula: and compute: of fields: which make a field derived, what it reads,
 * and that no field is computed from itself. */
#include "check.h"
#include "mangle.h"

#include <string.h>

/* compute: ----------------------------------------------------------------- */

struct compute_reading {
    struct check_symbol *product;
    struct check_field *field;
    struct model_compute *list;
    uint32_t count;
    bool good;
};

static const struct model_compute *find_entry(const struct compute_reading *r,
                                              enum compute_kind kind)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->list[i].kind == kind)
            return &r->list[i];
    }
    return NULL;
}

static void unknown_device(struct check *check, const struct ast_expr *expr)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, expr->name->text);
    check_offer_words(&nearest, ANNOTATION_COMPUTE);
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_KERNEL)
            atom_nearest_offer(&nearest, s->decl->name->text);
    }
    if (check->lost)
        return;
    diag_report(check->diag, DIAG_UNKNOWN_WORD, expr->at,
                "`:%s` is neither a device nor a kernel", expr->name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `:%s`?", nearest.best);
    else
        diag_help(check->diag, "it takes :gpu :cpu :gpu_only :gpu_batch "
                               ":cpu_fallback, the name of a defkernel, "
                               "gpu_raw(…) or cpu(…)");
}

static bool read_device(const struct ast_expr *expr, struct model_compute *out)
{
    struct check_word word;
    if (!check_is_word(ANNOTATION_COMPUTE, expr->name, &word))
        return false;
    out->kind = (enum compute_kind)word.value;
    return true;
}

static bool read_kernel(struct check *check, struct compute_reading *r,
                        const struct ast_expr *expr, struct model_compute *out)
{
    struct check_symbol *symbol = check_find(check, expr->name);
    if (symbol == NULL || symbol->decl->kind != AST_KERNEL) {
        unknown_device(check, expr);
        return false;
    }
    if (symbol->state != SYMBOL_DONE)
        return false;
    const struct model_kernel *kernel = symbol->kernel;
    const struct model_type *type = r->field->model->type;
    out->kind = COMPUTE_KERNEL;
    out->kernel = kernel;
    if (kernel->params[0].product != r->product->product)
        diag_report(check->diag, DIAG_KERNEL_MISMATCH, expr->at,
                    "the kernel `%s` is for `%s`, not for `%s`", kernel->name,
                    kernel->params[0].product->name, r->product->product->name);
    else if (kernel->shape == SHAPE_PAIRWISE && kernel->reduce == REDUCE_NONE)
        diag_report(check->diag, DIAG_KERNEL_MISMATCH, expr->at,
                    "`%s` gives a matrix: without `reduce:` it has no value "
                    "for a field",
                    kernel->name);
    else if (kernel->type != type)
        diag_report(check->diag, DIAG_KERNEL_MISMATCH, expr->at,
                    "the kernel `%s` gives `%s`, the field is `%s`",
                    kernel->name, kernel->type->spelling, type->spelling);
    else
        return true;
    diag_note(check->diag, kernel->at, "declared here");
    return false;
}

static const struct ast_expr *argument(const struct ast_expr *call,
                                       unsigned index, enum ast_expr_kind kind)
{
    const struct ast_entry *entry = call->entries;
    while (entry != NULL && index-- > 0)
        entry = entry->next;
    return entry != NULL && entry->key == NULL && entry->value->kind == kind
               ? entry->value
               : NULL;
}

/* gpu_raw("k.cl", "k.cu", "entry"), cpu(fn) */
static bool read_raw(struct check *check, const struct ast_expr *call,
                     struct model_compute *out)
{
    if (strcmp(call->name->text, "gpu_raw") == 0) {
        const struct ast_expr *cl = argument(call, 0, AST_TEXT);
        const struct ast_expr *cu = argument(call, 1, AST_TEXT);
        const struct ast_expr *entry = argument(call, 2, AST_TEXT);
        if (cl == NULL || cu == NULL || entry == NULL ||
            call->entries->next->next->next != NULL) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, call->at,
                        "`gpu_raw` takes three texts");
            diag_help(check->diag, "write `gpu_raw(\"k.cl\", \"k.cu\", "
                                   "\"entry\")`");
            return false;
        }
        if (!mangle_is_identifier(entry->text.bytes)) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, entry->at,
                        "an entry point is a C identifier");
            return false;
        }
        out->kind = COMPUTE_GPU_RAW;
        out->cl_path = cl->text.bytes;
        out->cu_path = cu->text.bytes;
        out->entry = entry->text.bytes;
        return true;
    }
    const struct ast_expr *function = argument(call, 0, AST_NAME);
    if (strcmp(call->name->text, "cpu") != 0 || function == NULL ||
        call->entries->next != NULL ||
        mangle_is_keyword(function->name->text)) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, call->at,
                    "`compute:` takes gpu_raw(\"k.cl\", \"k.cu\", \"entry\") "
                    "and cpu(function)");
        return false;
    }
    out->kind = COMPUTE_CPU_FN;
    out->function = function->name->text;
    return true;
}

static void read_entry(struct check *check, struct compute_reading *r,
                       const struct ast_expr *expr)
{
    struct model_compute *out = &r->list[r->count];
    *out = (struct model_compute){.at = expr->at};
    bool good = false;
    if (expr->kind == AST_ATOM)
        good = read_device(expr, out) || read_kernel(check, r, expr, out);
    else if (expr->kind == AST_CALL)
        good = read_raw(check, expr, out);
    else if (expr->kind == AST_NAME)
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`compute:` takes atoms: write `:%s`", expr->name->text);
    else if (expr->kind != AST_BAD)
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`compute:` takes devices and kernels");
    if (!good) {
        r->good = false;
        return;
    }
    const struct model_compute *first = find_entry(r, out->kind);
    if (first != NULL) {
        diag_report(check->diag, DIAG_DUPLICATE, expr->at,
                    out->kind == COMPUTE_KERNEL ? "a field has one kernel"
                                                : "this stands twice");
        diag_note(check->diag, first->at, "first here");
        r->good = false;
        return;
    }
    r->count++;
}

static bool contradict(struct check *check, struct compute_reading *r,
                       const struct model_compute *a,
                       const struct model_compute *b, const char *why,
                       const char *help)
{
    if (a == NULL || b == NULL)
        return false;
    diag_report(check->diag, DIAG_CONTRADICTION, b->at, "%s", why);
    diag_note(check->diag, a->at, "the other one");
    diag_help(check->diag, "%s", help);
    r->good = false;
    return true;
}

/* The list is in order of preference. */
static bool check_order(struct check *check, struct compute_reading *r)
{
    const struct model_compute *only = find_entry(r, COMPUTE_GPU_ONLY);
    const struct model_compute *after = find_entry(r, COMPUTE_CPU_FALLBACK);
    const struct model_compute *gpus[] = {find_entry(r, COMPUTE_GPU),
                                          find_entry(r, COMPUTE_GPU_BATCH)};
    for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
        if (contradict(check, r, only, gpus[i],
                       "`:gpu_only` leaves nothing to the CPU, this does",
                       "keep one of them") ||
            (after < gpus[i] &&
             contradict(check, r, after, gpus[i],
                        "a fallback stands before what it is for",
                        "write `:cpu` first, or `:cpu_fallback` last")))
            return false;
    }
    return true;
}

static void check_entries(struct check *check, struct compute_reading *r)
{
    const struct model_compute *raw = find_entry(r, COMPUTE_GPU_RAW);
    const struct model_compute *cpu = find_entry(r, COMPUTE_CPU_FN);
    const struct model_compute *only = find_entry(r, COMPUTE_GPU_ONLY);
    const struct model_compute *kernel = find_entry(r, COMPUTE_KERNEL);
    const char *no_cpu = "`:gpu_only` leaves nothing to the CPU";
    const char *drop = "use `:gpu`, or drop the CPU";
    if (contradict(check, r, only, find_entry(r, COMPUTE_CPU), no_cpu, drop) ||
        contradict(check, r, only, find_entry(r, COMPUTE_CPU_FALLBACK), no_cpu,
                   drop) ||
        contradict(check, r, raw, kernel,
                   "a kernel and `gpu_raw` both "
                   "compute the field",
                   "keep one of them") ||
        !check_order(check, r))
        return;
    if ((raw == NULL) == (cpu == NULL))
        return;
    diag_report(check->diag, DIAG_CONTRADICTION, (raw ? raw : cpu)->at,
                raw != NULL ? "`gpu_raw` needs `cpu(function)` beside it"
                            : "`cpu(function)` belongs beside `gpu_raw`");
    diag_help(check->diag, raw != NULL
                               ? "the CPU has every kernel: it is the "
                                 "fallback and the reference"
                               : "use `formula:` or a defkernel, which run "
                                 "on every device");
    r->good = false;
}

static bool is_numeric(const struct model_type *type)
{
    if (check_is_number(type))
        return true;
    if (type->kind == TYPE_ARRAY)
        return is_numeric(type->element);
    if (type->kind != TYPE_STRUCT)
        return false;
    for (uint32_t i = 0; i < type->structure->member_count; i++) {
        if (!is_numeric(type->structure->members[i].type))
            return false;
    }
    return true;
}

static void check_compute_type(struct check *check, struct compute_reading *r)
{
    struct model_field *model = r->field->model;
    const struct ast_entry *note =
        note_at(&r->field->notes, ANNOTATION_COMPUTE);
    if (model->kernel != NULL || note_at(&r->field->notes, ANNOTATION_FORMULA))
        return;
    if (model->derived && check_is_number(model->type))
        return;
    if (!model->derived && model->type->kind == TYPE_LIST) {
        model->summary = true;
        return;
    }
    if (!model->derived && is_numeric(model->type))
        return;
    diag_report(check->diag, DIAG_NOT_FOR_TYPE, note->at,
                "`compute:` without a kernel cannot work on `%s`",
                model->type->spelling);
    diag_note(check->diag, model->at, "the field");
    diag_help(check->diag,
              "it is for numbers and lists; name a defkernel "
              "whose result is `%s`, or drop `compute:`",
              model->type->spelling);
    r->field->good = false;
}

static void read_compute(struct check *check, struct check_symbol *product,
                         struct check_field *field)
{
    const struct ast_expr *value =
        note_at(&field->notes, ANNOTATION_COMPUTE)->value;
    struct compute_reading r = {
        .product = product, .field = field, .good = true};
    uint32_t count = 1;
    if (value->kind == AST_LIST) {
        count = 0;
        for (const struct ast_entry *e = value->entries; e; e = e->next)
            count++;
    }
    if (count == 0)
        diag_report(check->diag, DIAG_BAD_ARGUMENT, value->at,
                    "`compute:` takes at least one word");
    r.list = ARENA_ARRAY(check->arena, struct model_compute, count + 1);
    r.good = count > 0;
    if (value->kind == AST_LIST) {
        for (const struct ast_entry *e = value->entries; e; e = e->next)
            read_entry(check, &r, e->value);
    } else {
        read_entry(check, &r, value);
    }
    if (r.good)
        check_entries(check, &r);
    field->good &= r.good;
    field->model->compute = r.list;
    field->model->compute_count = r.count;
    if (!r.good)
        return;
    const struct model_compute *kernel = find_entry(&r, COMPUTE_KERNEL);
    if (kernel != NULL)
        field->model->kernel = kernel->kernel;
    field->model->derived =
        kernel != NULL || find_entry(&r, COMPUTE_GPU_RAW) != NULL;
    check_compute_type(check, &r);
}

/* formula: ----------------------------------------------------------------- */

static bool wants_device(const struct model_field *field)
{
    for (uint32_t i = 0; i < field->compute_count; i++) {
        enum compute_kind kind = field->compute[i].kind;
        if (kind == COMPUTE_GPU || kind == COMPUTE_GPU_ONLY ||
            kind == COMPUTE_GPU_BATCH)
            return true;
    }
    return false;
}

static void read_formula(struct check *check, struct check_symbol *product,
                         struct check_field *field)
{
    struct model_field *model = field->model;
    const struct model_type *type = model->type;
    const struct ast_entry *note = note_at(&field->notes, ANNOTATION_FORMULA);
    bool number = check_is_number(type);
    if (model->derived) {
        check_contradiction(check, &field->notes, ANNOTATION_COMPUTE,
                            ANNOTATION_FORMULA,
                            "a kernel and a formula both compute the field",
                            "keep one of them");
        field->good = false;
        return;
    }
    model->derived = true;
    if (!number && type->class != CLASS_BOOL && type->class != CLASS_TIME) {
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, note->at,
                    "a formula cannot make a value of type `%s`",
                    type->spelling);
        diag_help(check->diag, "it makes numbers, bool and times");
        field->good = false;
        return;
    }
    struct check_scope scope = {
        .product = product, .field = field, .number = type->kind};
    const struct model_expr *value = check_expr(check, &scope, note->value);
    model->inputs = scope.inputs;
    if (value != NULL)
        value = check_fit(check, value, type, "the field");
    /* Without a device in `compute:` the CPU may do it in each get. */
    if (value != NULL && wants_device(model) &&
        !check_input_count(check, NULL, value))
        value = NULL;
    model->formula = value;
    field->good &= value != NULL;
}

/* A kernel or gpu_raw cannot be a part of the key, or be searched for. */
static void check_derived(struct check *check, struct check_field *field)
{
    static const enum annotation_id not_with[] = {
        ANNOTATION_DEFAULT, ANNOTATION_INDEX, ANNOTATION_UNIQUE, ANNOTATION_TTL,
        ANNOTATION_RETENTION};
    for (size_t i = 0; i < sizeof not_with / sizeof not_with[0]; i++) {
        if (note_at(&field->notes, not_with[i]) == NULL ||
            note_at(&field->notes, ANNOTATION_FORMULA) != NULL)
            continue;
        check_contradiction(check, &field->notes, ANNOTATION_COMPUTE,
                            not_with[i],
                            "the field is derived: its value follows from "
                            "other fields",
                            "drop one of them");
        field->good = false;
        return;
    }
}

static uint64_t raw_inputs(const struct check_symbol *product)
{
    uint64_t inputs = 0;
    for (uint32_t i = 0; i < product->field_count; i++) {
        const struct model_field *field = product->fields[i].model;
        if (field->type != NULL && !field->derived &&
            check_is_number(field->type))
            inputs |= UINT64_C(1) << i;
    }
    return inputs;
}

/* Circles ------------------------------------------------------------------ */

/* A field whose inputs are being followed. */
struct step {
    struct check_symbol *product;
    uint32_t index;
};

static const struct model_field *field_of(struct step at)
{
    return at.product->fields[at.index].model;
}

static bool say_circle(struct check *check, struct step from, struct step to)
{
    const struct model_field *field = field_of(from), *input = field_of(to);
    if (from.product != to.product)
        diag_report(check->diag, DIAG_FORMULA_CYCLE, field->at,
                    "`%s.%s` is computed from `%s.%s`, which is computed from "
                    "it",
                    from.product->decl->name->text, field->name,
                    to.product->decl->name->text, input->name);
    else if (field == input)
        diag_report(check->diag, DIAG_FORMULA_CYCLE, field->at,
                    "`%s` is computed from the `%s` of all records",
                    field->name, field->name);
    else
        diag_report(check->diag, DIAG_FORMULA_CYCLE, field->at,
                    "`%s` is computed from `%s`, which is computed from it",
                    field->name, input->name);
    if (field != input)
        diag_note(check->diag, input->at, "`%s` stands here", input->name);
    diag_help(check->diag, field == input
                               ? "read a stored field of the other records"
                               : "let one of them be stored, or read another "
                                 "field");
    return true;
}

static bool find_circle(struct check *check, struct step at);

/* The fields of one product that the field reads. */
static bool follow(struct check *check, struct step from,
                   struct check_symbol *product, uint64_t inputs)
{
    for (uint32_t i = 0; product != NULL && i < product->field_count; i++) {
        struct step to = {product, i};
        if ((inputs >> i & 1) == 0 || !field_of(to)->derived ||
            (product->followed >> i & 1) != 0)
            continue;
        if ((product->following >> i & 1) != 0)
            return say_circle(check, from, to);
        if (find_circle(check, to))
            return true;
    }
    return false;
}

static struct check_symbol *symbol_of(struct check *check,
                                      const struct model_product *product)
{
    struct check_symbol *s = check->first;
    while (s != NULL && (s->decl->kind != AST_PRODUCT || s->product != product))
        s = s->next;
    return s;
}

static bool find_circle(struct check *check, struct step at)
{
    const struct model_field *field = field_of(at);
    const struct model_kernel *kernel = field->kernel;
    uint64_t bit = UINT64_C(1) << at.index;
    at.product->following |= bit;
    bool found = follow(check, at, at.product, field->inputs) ||
                 (kernel != NULL && kernel->other_inputs != 0 &&
                  follow(check, at, symbol_of(check, kernel->params[1].product),
                         kernel->other_inputs));
    at.product->following &= ~bit;
    at.product->followed |= bit;
    return found;
}

/* One is said of each product. */
static void find_circles(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        for (uint32_t i = 0; s->decl->kind == AST_PRODUCT && i < s->field_count;
             i++) {
            if (s->fields[i].model->derived && (s->followed >> i & 1) == 0 &&
                find_circle(check, (struct step){s, i}))
                break;
        }
    }
}

void check_computes(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_PRODUCT)
            continue;
        for (uint32_t i = 0; i < s->field_count; i++) {
            struct check_field *field = &s->fields[i];
            if (!field->good)
                continue;
            if (note_at(&field->notes, ANNOTATION_COMPUTE) != NULL)
                read_compute(check, s, field);
            if (field->good &&
                note_at(&field->notes, ANNOTATION_FORMULA) != NULL)
                read_formula(check, s, field);
            if (field->good && field->model->derived)
                check_derived(check, field);
        }
        for (uint32_t i = 0; i < s->field_count; i++) {
            struct model_field *model = s->fields[i].model;
            if (model->kernel != NULL)
                model->inputs = model->kernel->inputs;
            else if (model->derived &&
                     note_at(&s->fields[i].notes, ANNOTATION_FORMULA) == NULL)
                model->inputs = raw_inputs(s);
        }
    }
    find_circles(check);
}
