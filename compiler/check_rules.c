/* What an annotation asks of its field's type or of the fields beside it:
 * indexes, columns, defaults, physics roles; and which calls a field gets. */
#include "check.h"

#include <string.h>

static bool refuse(struct check_field *field)
{
    field->good = false;
    return false;
}

static bool not_for_type(struct check *check, struct check_field *field,
                         enum annotation_id id, const char *want)
{
    diag_report(check->diag, DIAG_NOT_FOR_TYPE, note_at(&field->notes, id)->at,
                "`%s:` is not for `%s`", check_annotation_name(id),
                field->model->type->spelling);
    diag_help(check->diag, "%s", want);
    return refuse(field);
}

static bool is_searchable(const struct model_type *type)
{
    return type->kind == TYPE_FIXED_BYTES ||
           (type->class != CLASS_OTHER && type->kind != TYPE_OPAQUE);
}

static bool check_index(struct check *check, struct check_field *field)
{
    const struct model_field *model = field->model;
    if (!model->indexed)
        return true;
    enum annotation_id id = note_number(&field->notes, ANNOTATION_UNIQUE) != 0
                                ? ANNOTATION_UNIQUE
                                : ANNOTATION_INDEX;
    if (!is_searchable(model->type))
        return not_for_type(check, field, id,
                            "an index takes numbers, bool, times, uuid, "
                            "enums, string and bytes");
    if (model->policy != PERSIST_DISK_ONLY)
        return true;
    diag_report(check->diag, DIAG_CONTRADICTION, note_at(&field->notes, id)->at,
                "an index over a `:disk_only` field would read the disk at "
                "every step");
    diag_help(check->diag, "give the field `persist: :disk` or `:memory`");
    return refuse(field);
}

static bool check_column(struct check *check, struct check_field *field)
{
    struct model_field *model = field->model;
    if (note_at(&field->notes, ANNOTATION_LAYOUT) == NULL)
        return true;
    model->column = true;
    if (!model->type->fixed || model->type->kind == TYPE_SUM)
        return not_for_type(check, field, ANNOTATION_LAYOUT,
                            "a column holds values that all take the same "
                            "number of bytes");
    if (!model_policy_facts(model->policy)->may_read_disk &&
        model->policy != PERSIST_MEMORY_COMPUTED)
        return true;
    diag_report(check->diag, DIAG_CONTRADICTION,
                note_at(&field->notes, ANNOTATION_LAYOUT)->at,
                "a column lies in memory, `:%s` does not",
                model_policy_name(model->policy));
    if (note_at(&field->notes, ANNOTATION_PERSIST) != NULL)
        diag_note(check->diag, note_at(&field->notes, ANNOTATION_PERSIST)->at,
                  "the tier is named here");
    diag_help(check->diag, "use `persist: :memory`, or drop `layout:`");
    return refuse(field);
}

/* A default is read where nothing was written, and an index has only what was
 * written. */
static bool check_index_default(struct check *check, struct check_field *field)
{
    const struct check_notes *notes = &field->notes;
    if (field->model->unique) {
        check_contradiction(check, notes, ANNOTATION_UNIQUE, ANNOTATION_DEFAULT,
                            "a default would be the value of many records, and "
                            "a unique value is that of one",
                            "drop one of them");
        return refuse(field);
    }
    if (!field->model->indexed || note_number(notes, ANNOTATION_INDEX) == 0)
        return true;
    diag_report(check->diag, DIAG_INDEX_DEFAULT,
                note_at(notes, ANNOTATION_DEFAULT)->at,
                "the index of `%s` finds only what was written, never the "
                "default",
                field->model->name);
    diag_note(check->diag, note_at(notes, ANNOTATION_INDEX)->at,
              "the index is asked for here");
    diag_help(check->diag, "write the value into each new record, or scan for "
                           "records that lack it");
    return true;
}

static bool check_value(struct check *check, struct check_field *field)
{
    const struct ast_entry *note = note_at(&field->notes, ANNOTATION_DEFAULT);
    if (note == NULL)
        return true;
    if (field->model->series) {
        diag_report(check->diag, DIAG_CONTRADICTION, note->at,
                    "a series begins empty, it has no default");
        return refuse(field);
    }
    if (!check_default(check, note->value, field->model->type,
                       &field->model->value))
        return refuse(field);
    return check_index_default(check, field);
}

/* Physics ------------------------------------------------------------------ */

static bool is_position(const struct model_type *type)
{
    if (type->class == CLASS_FLOAT)
        return true;
    if (type->kind == TYPE_ARRAY)
        return type->element->class == CLASS_FLOAT && type->limit <= 3;
    if (type->kind != TYPE_STRUCT || type->structure->member_count > 3)
        return false;
    for (uint32_t i = 0; i < type->structure->member_count; i++) {
        if (type->structure->members[i].type->class != CLASS_FLOAT)
            return false;
    }
    return true;
}

static bool check_physics_type(struct check *check, struct check_field *field)
{
    const struct model_type *type = field->model->type;
    switch (field->model->physics) {
    case PHYSICS_NONE:
        return true;
    case PHYSICS_POSITION:
        return is_position(type) ||
               not_for_type(check, field, ANNOTATION_PHYSICS,
                            "`:position` is for f32 and f64, and for arrays "
                            "and structs of up to three of them");
    case PHYSICS_QUANTUM_ENTANGLEMENT_GROUP:
    case PHYSICS_SPACETIME_SHARD_HINT:
        return (is_searchable(type) && type->class != CLASS_FLOAT) ||
               not_for_type(check, field, ANNOTATION_PHYSICS,
                            "this role compares values: it is for whole "
                            "numbers, enums, uuid and texts");
    default:
        return check_is_number(type) ||
               not_for_type(check, field, ANNOTATION_PHYSICS,
                            "this role is for numbers");
    }
}

/* Partners are found by the value: the field gets an index. */
static bool check_group(struct check *check, struct check_field *field)
{
    struct model_field *model = field->model;
    const char *why =
        model->key       ? "partners are found by an index, and a key has none"
        : model->derived ? "a derived field cannot be searched for partners"
        : model->unique  ? "a unique value stands in one record, which has no "
                           "partners then"
        : model->policy == PERSIST_DISK_ONLY
            ? "partners are searched by a `:disk_only` field: that would read "
              "the disk at every step"
            : NULL;
    if (why == NULL) {
        model->indexed = true;
        return true;
    }
    diag_report(check->diag, DIAG_CONTRADICTION,
                note_at(&field->notes, ANNOTATION_PHYSICS)->at, "%s", why);
    diag_help(check->diag, "give the role to a field of its own that is held "
                           "in memory or on the ssd");
    return refuse(field);
}

static bool check_physics(struct check *check, struct check_symbol *product,
                          struct check_field *field)
{
    struct model_field *model = field->model;
    const struct ast_entry *note = note_at(&field->notes, ANNOTATION_PHYSICS);
    uint32_t same = 0;
    const struct model_field *first = NULL;
    if (note == NULL)
        return true;
    model->physics =
        (enum model_physics)note_word(&field->notes, ANNOTATION_PHYSICS)->value;
    if (model->series)
        return not_for_type(check, field, ANNOTATION_PHYSICS,
                            "a series has no role in a model");
    if (!check_physics_type(check, field))
        return false;
    for (uint32_t i = 0; i < model->index; i++) {
        if (product->fields[i].model->physics != model->physics)
            continue;
        first = product->fields[i].model;
        same++;
    }
    if (same < (model->physics == PHYSICS_POSITION ? 3u : 1u))
        return model->physics != PHYSICS_QUANTUM_ENTANGLEMENT_GROUP ||
               check_group(check, field);
    diag_report(check->diag, DIAG_PHYSICS_ROLE, note->at,
                model->physics == PHYSICS_POSITION
                    ? "a position has at most three coordinates"
                    : "the role `:%s` is taken",
                model_physics_name(model->physics));
    diag_note(check->diag, first->at, "by this field");
    return refuse(field);
}

/*  ------------------------------------------------------------------------- */

static void check_field(struct check *check, struct check_symbol *product,
                        struct check_field *field)
{
    struct model_field *model = field->model;
    check_series(check, product, field);
    if (!field->good || !check_index(check, field) ||
        !check_column(check, field) || !check_value(check, field) ||
        !check_physics(check, product, field))
        return;
    model->can_set = !model->key && !model->series && !model->derived;
    model->can_add = model->can_set && check_is_number(model->type);
}

void check_rules(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_PRODUCT)
            continue;
        for (uint32_t i = 0; i < s->field_count; i++) {
            if (s->fields[i].good)
                check_field(check, s, &s->fields[i]);
        }
    }
}
