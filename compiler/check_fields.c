/* Products: their fields, types and keys. What the annotations mean comes
 * after, when kernels and formulas are known. */
#include "check.h"
#include "mangle.h"

#include <string.h>

struct check_field *check_find_field(struct check_symbol *product,
                                     const char *name)
{
    for (uint32_t i = 0; i < product->field_count; i++) {
        if (strcmp(product->fields[i].model->name, name) == 0)
            return &product->fields[i];
    }
    return NULL;
}

void check_unknown_field(struct check *check,
                         const struct check_symbol *product,
                         const struct atom *name, struct source_range at)
{
    struct atom_nearest nearest;
    if (product->broken)
        return;
    atom_nearest_init(&nearest, name->text);
    for (uint32_t i = 0; i < product->field_count; i++)
        atom_nearest_offer(&nearest, product->fields[i].model->name);
    diag_report(check->diag, DIAG_UNKNOWN_NAME, at, "`%s` has no field `%s`",
                product->decl->name->text, name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    else
        diag_note(check->diag, product->decl->at, "declared here");
}

static void read_strategy(struct check *check, struct check_symbol *symbol)
{
    const struct check_notes *notes = symbol->notes;
    const struct atom *name = note_name(notes, ANNOTATION_STRATEGY);
    if (note_at(notes, ANNOTATION_STRATEGY) == NULL)
        return;
    struct source_range at = note_at(notes, ANNOTATION_STRATEGY)->value->at;
    struct check_symbol *strategy = check_find(check, name);
    if (strategy == NULL) {
        check_unknown(check, DIAG_UNKNOWN_NAME, name, at, "strategy",
                      AST_STRATEGY);
        return;
    }
    if (strategy->decl->kind != AST_STRATEGY) {
        diag_report(check->diag, DIAG_WRONG_KIND, at,
                    "`%s` is a %s, not a strategy", name->text,
                    check_kind_name(strategy->decl->kind));
        diag_note(check->diag, strategy->decl->at, "declared here");
        return;
    }
    symbol->product->strategy = strategy->strategy;
    strategy->used = true;
}

static bool read_field(struct check *check, struct check_symbol *symbol,
                       const struct ast_member *ast, struct check_field *field)
{
    struct model_field *model = field->model;
    field->ast = ast;
    model->product = symbol->product;
    model->name = model->c_name = ast->name == NULL ? "" : ast->name->text;
    model->doc = ast->doc;
    model->at = ast->at;
    check_notes_read(check, ast->annotations, IN_FIELD, &field->notes);
    if (ast->name == NULL)
        return false;
    model->c_macro = arena_format(
        check->arena, "%s_%s", symbol->product->c_upper,
        mangle_upper(check->scratch,
                     mangle_snake(check->scratch, model->name)));
    bool good = check_member_name(check, ast->name, ast->at, true);
    good &= !check_notes_conflicts(check, &field->notes);
    model->type = check_type(check, ast->type, &model->optional);
    if (model->type != NULL)
        good &= check_sized(check, model->type, ast->type->at);
    model->key = note_number(&field->notes, ANNOTATION_KEY) != 0;
    model->unique = note_number(&field->notes, ANNOTATION_UNIQUE) != 0;
    model->indexed =
        model->unique || note_number(&field->notes, ANNOTATION_INDEX) != 0;
    model->deprecated = note_number(&field->notes, ANNOTATION_DEPRECATED) != 0;
    if (note_at(&field->notes, ANNOTATION_WAS) != NULL)
        model->was = note_name(&field->notes, ANNOTATION_WAS)->text;
    return good && model->type != NULL && !field->notes.refused && !ast->broken;
}

static void read_fields(struct check *check, struct check_symbol *symbol)
{
    uint32_t count = 0, n = 0;
    for (const struct ast_member *m = symbol->decl->members; m != NULL;
         m = m->next) {
        if (++count == MODEL_FIELD_MAX + 1) {
            diag_report(check->diag, DIAG_TOO_MANY, m->at,
                        "`%s` has more than %d fields",
                        symbol->decl->name->text, MODEL_FIELD_MAX);
            diag_note(check->diag, symbol->decl->at, "declared here");
            diag_help(check->diag, "put fields that belong together into a "
                                   "defstruct");
        }
    }
    struct model_field *models =
        ARENA_ARRAY(check->arena, struct model_field, count + 1);
    symbol->fields =
        ARENA_ARRAY(check->scratch, struct check_field, count + 1);
    atom_map_clear(&check->names);
    for (const struct ast_member *m = symbol->decl->members;
         m != NULL && n < MODEL_FIELD_MAX; m = m->next) {
        const struct ast_member *first =
            m->name == NULL
                ? NULL
                : atom_map_put(&check->names, m->name, (void *)(uintptr_t)m);
        if (first != NULL) {
            diag_report(check->diag, DIAG_DUPLICATE, m->at,
                        "the field `%s` is there twice", m->name->text);
            diag_note(check->diag, first->at, "first defined here");
            diag_help(check->diag, "rename one of them");
            continue;
        }
        symbol->fields[n].model = &models[n];
        models[n].index = n;
        symbol->fields[n].good =
            read_field(check, symbol, m, &symbol->fields[n]);
        symbol->broken |=
            m->name == NULL || m->broken || symbol->fields[n].notes.refused;
        n++;
    }
    symbol->field_count = n;
    symbol->broken |= count > MODEL_FIELD_MAX;
    symbol->product->fields = models;
    symbol->product->field_count = n;
}

/* Keys --------------------------------------------------------------------- */

static bool is_key_type(const struct model_type *type)
{
    return type->kind == TYPE_FIXED_BYTES ||
           (type->class != CLASS_OTHER && type->class != CLASS_FLOAT &&
            type->kind != TYPE_OPAQUE);
}

static void check_key(struct check *check, struct check_field *field)
{
    const struct model_type *type = field->model->type;
    if (type == NULL)
        return;
    if (field->model->optional) {
        diag_report(check->diag, DIAG_BAD_TYPE, field->ast->type->at,
                    "a key cannot be optional");
        diag_help(check->diag, "drop the `?`");
        field->good = false;
    } else if (!is_key_type(type)) {
        diag_report(check->diag, DIAG_BAD_TYPE, field->ast->type->at,
                    "`%s` cannot be a key", type->spelling);
        diag_help(check->diag, "a key is a whole number, bool, time, uuid, "
                               "enum, string, bytes, or several of them");
        field->good = false;
    }
}

static void find_keys(struct check *check, struct check_symbol *symbol)
{
    struct model_product *product = symbol->product;
    const struct model_field **keys = ARENA_ARRAY(
        check->arena, const struct model_field *, symbol->field_count + 1);
    uint32_t count = 0;
    bool any = false;
    for (uint32_t i = 0; i < symbol->field_count; i++)
        any |= symbol->fields[i].model->key;
    for (uint32_t i = 0; i < symbol->field_count; i++) {
        struct check_field *field = &symbol->fields[i];
        if (!any && strcmp(field->model->name, "id") == 0 &&
            note_at(&field->notes, ANNOTATION_KEY) == NULL) {
            field->model->key = true;
            /* `id` is the key without saying so: its conflicts count too. */
            struct ast_entry *entry = ARENA_NEW(check->arena, struct ast_entry);
            entry->key = atom_intern(check->atoms, "key", 3);
            entry->key_at = entry->at = field->ast->at;
            check_notes_imply(check, &field->notes, ANNOTATION_KEY, entry, 1);
            if (check_notes_conflicts(check, &field->notes))
                field->good = false;
        }
        if (field->model->key) {
            check_key(check, field);
            keys[count++] = field->model;
        }
    }
    product->keys = keys;
    product->key_count = count;
    if (count == 0 && !symbol->broken && !check->lost) {
        diag_report(check->diag, DIAG_NO_KEY, symbol->decl->at,
                    "the product `%s` has no key", product->name);
        diag_help(check->diag, "call a field `id`, or write `key: true` on "
                               "one or more fields");
    }
}

static void check_was(struct check *check, struct check_symbol *symbol)
{
    for (uint32_t i = 0; i < symbol->field_count; i++) {
        const struct check_field *field = &symbol->fields[i];
        const char *was = field->model->was;
        if (was == NULL)
            continue;
        struct source_range at =
            note_at(&field->notes, ANNOTATION_WAS)->value->at;
        struct check_field *other = check_find_field(symbol, was);
        if (other != NULL) {
            diag_report(check->diag, DIAG_CONTRADICTION, at,
                        "`was: :%s` names a field that is still there", was);
            diag_note(check->diag, other->model->at, "here");
            diag_help(check->diag, "`was:` is the name that this field had "
                                   "before it was renamed");
            continue;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (symbol->fields[j].model->was == NULL ||
                strcmp(symbol->fields[j].model->was, was) != 0)
                continue;
            diag_report(check->diag, DIAG_CONTRADICTION, at,
                        "two fields say that they were `%s`", was);
            diag_note(check->diag,
                      note_at(&symbol->fields[j].notes, ANNOTATION_WAS)->at,
                      "the other one");
            diag_help(check->diag, "only one of them can have its values");
        }
    }
}

static void read_product(struct check *check, struct check_symbol *symbol)
{
    struct model_product *product = symbol->product;
    struct check_notes *notes = symbol->notes =
        ARENA_NEW(check->arena, struct check_notes);
    check_notes_read(check, symbol->decl->annotations, IN_PRODUCT, notes);
    check_notes_conflicts(check, notes);
    product->max_memory_bytes =
        (uint64_t)note_number(notes, ANNOTATION_MAX_MEMORY);
    product->ttl_ms = note_number(notes, ANNOTATION_TTL);
    product->priority =
        note_at(notes, ANNOTATION_PRIORITY) == NULL
            ? PRIORITY_NORMAL
            : (enum model_priority)note_word(notes, ANNOTATION_PRIORITY)->value;
    product->access =
        note_at(notes, ANNOTATION_ACCESS_PATTERN) == NULL
            ? ACCESS_UNSET
            : (enum model_access)note_word(notes, ANNOTATION_ACCESS_PATTERN)
                  ->value;
    if (note_at(notes, ANNOTATION_SURVIVES) != NULL)
        product->survives =
            (enum model_survives)note_word(notes, ANNOTATION_SURVIVES)->value;
    read_strategy(check, symbol);
    read_fields(check, symbol);
    find_keys(check, symbol);
    check_was(check, symbol);
}

void check_products(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_PRODUCT)
            read_product(check, s);
    }
}
