/* A series is a list that is :temporal_tiering: `retention:` says up to which
 * age each tier keeps its elements, `by:` which member is their time. */
#include "check.h"

#include <string.h>

static bool refuse(struct check_field *field)
{
    field->good = false;
    return false;
}

struct reading {
    struct model_retention_step *steps;
    uint32_t count;
    const struct ast_entry *last;
    enum model_retention_end end;
};

static enum model_tier retention_tier(const char *name)
{
    return strcmp(name, "memory") == 0    ? MODEL_TIER_MEMORY
           : strcmp(name, "ssd") == 0     ? MODEL_TIER_SSD
           : strcmp(name, "disk") == 0    ? MODEL_TIER_DISK
           : strcmp(name, "archive") == 0 ? MODEL_TIER_ARCHIVE
                                          : MODEL_TIER_NONE;
}

static bool unknown_tier(struct check *check, const struct ast_entry *entry)
{
    static const char *const names[] = {"memory", "ssd", "disk", "archive",
                                        "then"};
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, entry->key->text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        atom_nearest_offer(&nearest, names[i]);
    diag_report(check->diag, DIAG_UNKNOWN_WORD, entry->key_at,
                "`retention:` knows no tier `%s`", entry->key->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s:`?", nearest.best);
    else
        diag_help(check->diag, "tiers are memory, ssd, disk and archive; "
                               "`then: :delete` ends the list");
    return false;
}

static bool read_then(struct check *check, const struct ast_entry *entry,
                      struct reading *reading)
{
    const struct ast_expr *value = entry->value;
    if (value->kind == AST_BAD)
        return false;
    if (value->kind != AST_ATOM || strcmp(value->name->text, "delete") != 0) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, value->at,
                    "`then:` takes `:delete`");
        diag_help(check->diag, "to keep everything, end with "
                               "`archive: :indefinite`");
        return false;
    }
    if (reading->count == 0) {
        diag_report(check->diag, DIAG_RETENTION_ORDER, entry->at,
                    "`then:` stands behind the tiers");
        return false;
    }
    if (reading->end == RETENTION_KEEP) {
        diag_report(check->diag, DIAG_CONTRADICTION, entry->at,
                    "nothing is left to delete after `:indefinite`");
        diag_note(check->diag, reading->last->at, "this keeps everything");
        diag_help(check->diag, "give the last tier an age, or drop `then:`");
        return false;
    }
    reading->end = RETENTION_DELETE;
    return true;
}

static bool read_step(struct check *check, const struct ast_entry *entry,
                      struct reading *reading)
{
    if (entry->key == NULL) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, entry->at,
                    "a tier is missing here");
        diag_help(check->diag, "write `memory: 1h`");
        return false;
    }
    if (reading->end != RETENTION_UNSAID && reading->last != NULL) {
        diag_report(check->diag, DIAG_RETENTION_ORDER, entry->at,
                    "nothing can follow this retention's end");
        diag_note(check->diag, reading->last->at, "the end");
        return false;
    }
    if (strcmp(entry->key->text, "then") == 0)
        return read_then(check, entry, reading);
    enum model_tier tier = retention_tier(entry->key->text);
    int64_t age = 0;
    if (tier == MODEL_TIER_NONE)
        return unknown_tier(check, entry);
    if (!check_age(check, entry->value, &age))
        return false;
    if (reading->count > 0) {
        const struct model_retention_step *before =
            &reading->steps[reading->count - 1];
        bool order = tier > before->tier;
        if (!order || age <= before->age_ms) {
            diag_report(check->diag, DIAG_RETENTION_ORDER, entry->at,
                        tier == before->tier ? "this tier is given twice"
                        : !order ? "the tiers of a retention are out of order"
                                 : "the ages of a retention must grow");
            diag_note(check->diag, reading->last->at, "the tier before");
            diag_help(check->diag, "the order is memory, ssd, disk, archive; "
                                   "each keeps longer than the one before");
            return false;
        }
    }
    if (age == MODEL_FOREVER)
        reading->end = RETENTION_KEEP;
    reading->steps[reading->count++] = (struct model_retention_step){
        .tier = tier, .age_ms = age, .at = entry->at};
    return true;
}

static bool read_retention(struct check *check, struct check_field *field)
{
    const struct ast_entry *note = note_at(&field->notes, ANNOTATION_RETENTION);
    const struct ast_expr *map = note->value;
    struct reading reading = {.end = RETENTION_UNSAID};
    uint32_t count = 0;
    if (map->kind != AST_MAP || map->entries == NULL) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, map->at,
                    "`retention:` takes a map of tiers and ages");
        diag_help(check->diag, "write `%%{memory: 1h, disk: 30d, then: "
                               ":delete}`");
        return false;
    }
    for (const struct ast_entry *e = map->entries; e != NULL; e = e->next)
        count++;
    reading.steps =
        ARENA_ARRAY(check->arena, struct model_retention_step, count);
    for (const struct ast_entry *e = map->entries; e != NULL; e = e->next) {
        if (!read_step(check, e, &reading))
            return false;
        reading.last = e;
    }
    if (reading.end == RETENTION_UNSAID) {
        diag_report(check->diag, DIAG_RETENTION_OPEN, note->at,
                    "this retention has no end: the last tier keeps "
                    "everything");
        diag_help(check->diag, "end it with `then: :delete` or "
                               "`archive: :indefinite`");
    }
    field->model->retention = reading.steps;
    field->model->retention_count = reading.count;
    field->model->retention_end = reading.end;
    return true;
}

static bool read_by(struct check *check, struct check_field *field)
{
    const struct atom *name = note_name(&field->notes, ANNOTATION_BY);
    struct source_range at = note_at(&field->notes, ANNOTATION_BY)->value->at;
    const struct model_type *element = field->model->type->element;
    struct atom_nearest nearest;
    if (element->kind != TYPE_STRUCT) {
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, at,
                    "`by:` names a member of the element, and `%s` has none",
                    element->spelling);
        diag_help(check->diag, "declare the element with defstruct, or drop "
                               "`by:` (append then takes the time)");
        return false;
    }
    atom_nearest_init(&nearest, name->text);
    for (uint32_t i = 0; i < element->structure->member_count; i++) {
        const struct model_member *member = &element->structure->members[i];
        if (strcmp(member->name, name->text) != 0) {
            if (member->type->kind == TYPE_TIMESTAMP)
                atom_nearest_offer(&nearest, member->name);
            continue;
        }
        if (member->type->kind == TYPE_TIMESTAMP && !member->optional) {
            field->model->by = member;
            return true;
        }
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, at, "`%s` is no timestamp",
                    name->text);
        diag_note(check->diag, member->at, "it is `%s%s`",
                  member->type->spelling, member->optional ? "?" : "");
        return false;
    }
    diag_report(check->diag, DIAG_UNKNOWN_NAME, at, "`%s` has no member `%s`",
                element->spelling, name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `:%s`?", nearest.best);
    return false;
}

static bool not_a_series(struct check *check, struct check_field *field,
                         enum annotation_id id)
{
    const struct ast_entry *note = note_at(&field->notes, id);
    bool list = field->model->type->kind == TYPE_LIST;
    if (list)
        diag_report(check->diag, DIAG_CONTRADICTION, note->at,
                    "`%s:` is for a series: a list that is "
                    "`:temporal_tiering`",
                    note->key->text);
    else
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, note->at,
                    "`%s:` is for lists, `%s` is `%s`", note->key->text,
                    field->model->name, field->model->type->spelling);
    if (note_at(&field->notes, ANNOTATION_PERSIST) != NULL)
        diag_note(check->diag, note_at(&field->notes, ANNOTATION_PERSIST)->at,
                  "its tier is named here");
    diag_help(check->diag,
              list ? "write `persist: :temporal_tiering`" : "drop it");
    return refuse(field);
}

/* The lifetime of a series is its retention, and the record's is no shorter. */
static void check_lifetimes(struct check *check, struct check_symbol *product,
                            struct check_field *field)
{
    const struct check_notes *notes = &field->notes;
    if (note_at(notes, ANNOTATION_TTL) != NULL &&
        note_at(notes, ANNOTATION_RETENTION) == NULL) {
        check_contradiction(check, notes, ANNOTATION_PERSIST, ANNOTATION_TTL,
                            "the elements of a series live as long as "
                            "`retention:` says",
                            "use `retention: %{…, then: :delete}`");
        refuse(field);
    }
    if (product->product->ttl_ms == 0 ||
        field->model->retention_end != RETENTION_KEEP)
        return;
    const struct model_retention_step *last =
        &field->model->retention[field->model->retention_count - 1];
    diag_report(check->diag, DIAG_CONTRADICTION, last->at,
                "the archive keeps everything, but the product's ttl deletes "
                "the record with it");
    diag_note(check->diag, note_at(product->notes, ANNOTATION_TTL)->at,
              "the product's ttl");
    diag_help(check->diag, "end the retention with `then: :delete`, or drop "
                           "the product's `ttl:`");
}

/* The elements of a series are on their tiers, not in the record. */
static void refuse_kernels(struct check *check, struct check_field *field)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        const struct model_kernel *kernel = s->kernel;
        if (s->decl->kind != AST_KERNEL || kernel == NULL ||
            kernel->param_count < 2 || kernel->params[1].list != field->model)
            continue;
        diag_report(check->diag, DIAG_BAD_KERNEL, kernel->params[1].at,
                    "a kernel cannot run over `%s`, which is a series",
                    field->model->name);
        diag_note(check->diag, field->model->at, "`:temporal_tiering` here");
        diag_help(check->diag, "it is for lists of records: give the list "
                               "another `persist:`");
        field->good = false;
    }
}

/* What other lists may say of their length, and of being there at all. */
static bool check_list(struct check *check, struct check_field *field)
{
    const struct model_field *model = field->model;
    if (!model->optional && model->type->limit == 0)
        return true;
    diag_report(check->diag, DIAG_CONTRADICTION, field->ast->type->at,
                model->optional ? "a series cannot be optional: it begins empty"
                                : "a series has no `max:`: its elements go by "
                                  "their age");
    diag_note(check->diag, note_at(&field->notes, ANNOTATION_PERSIST)->at,
              "it is a series by this");
    diag_help(check->diag, model->optional
                               ? "drop the `?`"
                               : "drop `max:`, and end it with `retention: "
                                 "%%{…, then: :delete}`");
    return refuse(field);
}

void check_series(struct check *check, struct check_symbol *product,
                  struct check_field *field)
{
    struct model_field *model = field->model;
    model->series = model->policy == PERSIST_TEMPORAL_TIERING;
    if (!model->series) {
        if (note_at(&field->notes, ANNOTATION_RETENTION) != NULL)
            not_a_series(check, field, ANNOTATION_RETENTION);
        else if (note_at(&field->notes, ANNOTATION_BY) != NULL)
            not_a_series(check, field, ANNOTATION_BY);
        return;
    }
    refuse_kernels(check, field);
    if (!check_list(check, field))
        return;
    if (note_at(&field->notes, ANNOTATION_RETENTION) != NULL) {
        if (!read_retention(check, field)) {
            refuse(field);
            return;
        }
    } else {
        diag_report(check->diag, DIAG_RETENTION_OPEN, model->at,
                    "the series `%s` has no retention: everything is kept",
                    model->name);
        diag_help(check->diag, "add `retention: %%{memory: 1d, disk: 1y, "
                               "then: :delete}`");
    }
    if (note_at(&field->notes, ANNOTATION_BY) != NULL &&
        !read_by(check, field)) {
        refuse(field);
        return;
    }
    check_lifetimes(check, product, field);
}
