/* Where a field lives, what it survives and how it is compressed: what the
 * field, its product and its file say, and what the policy itself implies,
 * become one resolved value with its origin. */
#include "check.h"

#include <string.h>

static bool says(const struct check_notes *notes, enum annotation_id id)
{
    return note_at(notes, id) != NULL;
}

static bool refuse(struct check_field *field)
{
    field->good = false;
    return false;
}

/* The product's own `persist:` --------------------------------------------- */

static void product_policy(struct check *check, struct check_symbol *symbol)
{
    const struct check_notes *notes = symbol->notes;
    symbol->product->policy = PERSIST_DEFAULT;
    if (!says(notes, ANNOTATION_PERSIST))
        return;
    const struct check_word *word = note_word(notes, ANNOTATION_PERSIST);
    enum persist_policy policy = (enum persist_policy)word->value;
    if (notes->copy_count > 0) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT,
                    note_at(notes, ANNOTATION_PERSIST)->value->at,
                    "a product has one home; copies belong to fields");
        return;
    }
    if (policy == PERSIST_GPU_MEMORY || policy == PERSIST_MEMORY_COMPUTED ||
        policy == PERSIST_TEMPORAL_TIERING) {
        diag_report(check->diag, DIAG_MISPLACED_ANNOTATION, word->at,
                    "`:%s` is for single fields, not for a whole product",
                    word->word);
        diag_help(check->diag, "write it on the fields that it is for");
        return;
    }
    if (symbol->product->survives == SURVIVES_NOTHING &&
        model_policy_facts(policy)->is_durable) {
        check_contradiction(check, notes, ANNOTATION_PERSIST,
                            ANNOTATION_SURVIVES,
                            "a durable tier survives more than nothing",
                            "use `persist: :memory_only`, or drop `survives:`");
        return;
    }
    symbol->product->policy = policy;
    if (policy == PERSIST_MEMORY_ONLY && symbol->product->survives == 0)
        symbol->product->survives = SURVIVES_NOTHING;
}

/* Copies ------------------------------------------------------------------- */

static bool check_copy(struct check *check, struct check_field *field,
                       const struct check_word *copy)
{
    enum persist_policy policy = (enum persist_policy)copy->value;
    enum persist_policy home = field->model->policy;
    const char *why = NULL;
    if (policy == PERSIST_MEMORY_ONLY || policy == PERSIST_TEMPORAL_TIERING ||
        policy == PERSIST_AUTO || policy == PERSIST_HYBRID)
        why = "says how a home behaves, it cannot be a copy";
    else if (home == PERSIST_MEMORY_ONLY || home == PERSIST_MEMORY_COMPUTED ||
             home == PERSIST_TEMPORAL_TIERING)
        why = "cannot be a copy: this home has none";
    else if (home == PERSIST_DISK_ONLY && policy <= PERSIST_MEMORY_COMPUTED)
        why = "would keep in memory what `:disk_only` keeps out of it";
    else if (policy == PERSIST_MEMORY_COMPUTED && field->model->type != NULL &&
             field->model->compute_count == 0)
        why = "holds a computed result, and nothing computes one here";
    if (why == NULL)
        return true;
    diag_report(check->diag, DIAG_CONTRADICTION, copy->at, "`:%s` %s",
                copy->word, why);
    diag_note(check->diag, note_word(&field->notes, ANNOTATION_PERSIST)->at,
              "the home");
    diag_help(check->diag, policy == PERSIST_MEMORY_COMPUTED &&
                                   field->model->compute_count == 0
                               ? "add `compute:`, or drop the copy"
                               : "drop the copy");
    return refuse(field);
}

static void read_copies(struct check *check, struct check_field *field)
{
    const struct check_notes *notes = &field->notes;
    if (notes->copy_count == 0)
        return;
    enum persist_policy *copies =
        ARENA_ARRAY(check->arena, enum persist_policy, notes->copy_count);
    for (uint32_t i = 0; i < notes->copy_count; i++) {
        copies[i] = (enum persist_policy)notes->copies[i].value;
        if (!check_copy(check, field, &notes->copies[i]))
            return;
    }
    field->model->copies = copies;
    field->model->copy_count = notes->copy_count;
}

/* Home --------------------------------------------------------------------- */

static void read_policy(struct check_symbol *symbol, struct check_field *field)
{
    struct model_field *model = field->model;
    if (says(&field->notes, ANNOTATION_PERSIST)) {
        model->policy =
            (enum persist_policy)note_word(&field->notes, ANNOTATION_PERSIST)
                ->value;
        model->policy_from = ORIGIN_FIELD;
    } else if (model->derived) {
        model->policy = PERSIST_MEMORY_COMPUTED;
    } else if (symbol->product->policy != PERSIST_DEFAULT) {
        /* a key that nothing is said of is in memory */
        if (!model->key || symbol->product->policy == PERSIST_MEMORY_ONLY)
            model->policy = symbol->product->policy;
        model->policy_from = ORIGIN_PRODUCT;
    }
}

static bool check_derived_home(struct check *check, struct check_field *field)
{
    const struct model_field *model = field->model;
    const struct check_word *word =
        note_word(&field->notes, ANNOTATION_PERSIST);
    if (model->derived && model->policy != PERSIST_MEMORY_COMPUTED &&
        model->policy != PERSIST_GPU_MEMORY &&
        model->policy != PERSIST_MEMORY_ONLY) {
        diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                    "`:%s` stores what is computed again anyway", word->word);
        diag_help(check->diag, "a derived field is `:memory_computed` (the "
                               "default), `:gpu_memory` or `:memory_only`");
        return refuse(field);
    }
    if (model->derived || model->policy != PERSIST_MEMORY_COMPUTED)
        return true;
    diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                "`:memory_computed` is for results, and nothing computes "
                "`%s`",
                model->name);
    diag_help(check->diag, "add `formula:` or a kernel in `compute:`, or use "
                           "`:memory`");
    return refuse(field);
}

static bool check_home(struct check *check, struct check_field *field)
{
    const struct model_field *model = field->model;
    const struct check_word *word =
        note_word(&field->notes, ANNOTATION_PERSIST);
    if (model->policy_from != ORIGIN_FIELD)
        return true;
    if (model->key && model->policy != PERSIST_MEMORY) {
        diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                    "a key is in memory as long as its record is, `:%s` "
                    "cannot be",
                    word->word);
        diag_help(check->diag, "drop `persist:`, or write it on the product");
        return refuse(field);
    }
    if (!check_derived_home(check, field))
        return false;
    if (model->policy == PERSIST_GPU_MEMORY &&
        (!model->type->fixed || model->type->kind == TYPE_SUM)) {
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, word->at,
                    "a device column cannot hold `%s`", model->type->spelling);
        diag_help(check->diag, "`:gpu_memory` is for numbers, and for arrays "
                               "and structs of them");
        return refuse(field);
    }
    if (model->policy == PERSIST_TEMPORAL_TIERING &&
        model->type->kind != TYPE_LIST) {
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, word->at,
                    "`:temporal_tiering` is for lists, `%s` is `%s`",
                    model->name, model->type->spelling);
        diag_help(check->diag, "write `[%s]`, or use `:auto`",
                  model->type->spelling);
        return refuse(field);
    }
    return true;
}

static void read_prefer(struct check *check, struct check_field *field)
{
    struct model_field *model = field->model;
    const struct check_word *word = note_word(&field->notes, ANNOTATION_PREFER);
    if (!says(&field->notes, ANNOTATION_PREFER))
        return;
    model->prefer = (enum model_tier)word->value;
    if (model->policy == PERSIST_DEFAULT ||
        model->policy_from == ORIGIN_PRODUCT) {
        model->policy = PERSIST_AUTO;
        model->policy_from = ORIGIN_FIELD;
    } else if (model->policy != PERSIST_AUTO &&
               model->policy != PERSIST_HYBRID) {
        if (says(&field->notes, ANNOTATION_PERSIST))
            check_contradiction(check, &field->notes, ANNOTATION_PERSIST,
                                ANNOTATION_PREFER,
                                "a named tier is a contract, not a hint",
                                "use `persist: :auto` with `prefer:`, or "
                                "drop `prefer:`");
        else
            diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                        "a derived field is computed where it is needed");
        refuse(field);
        return;
    }
    if (model->prefer == MODEL_TIER_GPU && !model->type->fixed) {
        diag_report(check->diag, DIAG_NOT_FOR_TYPE, word->at,
                    "device memory cannot hold `%s`", model->type->spelling);
        refuse(field);
    }
}

/* Survives ----------------------------------------------------------------- */

/* `nothing` from above makes a field that names no tier :memory_only; a tier
 * that the field names itself is the stronger word. */
static void inherit_survives(struct model_field *model,
                             enum model_survives survives,
                             enum model_origin from)
{
    if (survives == SURVIVES_NOTHING) {
        if (model->policy_from == ORIGIN_FIELD)
            return;
        if (model->policy != PERSIST_DEFAULT &&
            model->policy != PERSIST_MEMORY &&
            model->policy != PERSIST_MEMORY_ONLY)
            return;
        model->policy = PERSIST_MEMORY_ONLY;
        model->policy_from = from;
    }
    model->survives = survives;
    model->survives_from = from;
}

static void own_survives(struct check *check, struct check_symbol *symbol,
                         struct check_field *field)
{
    struct model_field *model = field->model;
    const struct check_word *word =
        note_word(&field->notes, ANNOTATION_SURVIVES);
    bool durable = model_policy_facts(model->policy)->is_durable;
    model->survives = (enum model_survives)word->value;
    model->survives_from = ORIGIN_FIELD;
    if (model->survives == SURVIVES_NOTHING && durable) {
        if (model->policy == PERSIST_DEFAULT) {
            model->policy = PERSIST_MEMORY_ONLY;
            model->policy_from = ORIGIN_FIELD;
            return;
        }
        diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                    "`%s` is durable, so it survives more than nothing",
                    model_policy_name(model->policy));
        if (says(&field->notes, ANNOTATION_PERSIST))
            diag_note(check->diag,
                      note_at(&field->notes, ANNOTATION_PERSIST)->at,
                      "the tier is named here");
        else if (says(symbol->notes, ANNOTATION_PERSIST))
            diag_note(check->diag,
                      note_at(symbol->notes, ANNOTATION_PERSIST)->at,
                      "the product names the tier");
        diag_help(check->diag, "use `persist: :memory_only`");
        refuse(field);
    } else if (model->survives != SURVIVES_NOTHING && !durable &&
               !says(&field->notes, ANNOTATION_PERSIST)) {
        /* With a persist: of its own it is a row of the conflict table. */
        diag_report(check->diag, DIAG_CONTRADICTION, word->at,
                    model->derived
                        ? "a derived value is not stored but computed again"
                        : "the product is `:memory_only`, which survives "
                          "nothing");
        if (says(symbol->notes, ANNOTATION_PERSIST))
            diag_note(check->diag,
                      note_at(symbol->notes, ANNOTATION_PERSIST)->at,
                      "the product says so here");
        diag_help(check->diag, model->derived
                                   ? "drop `survives:`"
                                   : "give the field `persist: :memory`");
        refuse(field);
    }
}

static void read_survives(struct check *check, struct check_symbol *symbol,
                          struct check_field *field)
{
    struct model_field *model = field->model;
    bool durable = model_policy_facts(model->policy)->is_durable;
    model->survives = model_policy_facts(model->policy)->survives;
    if (says(&field->notes, ANNOTATION_SURVIVES)) {
        own_survives(check, symbol, field);
        return;
    }
    if (!durable)
        return;
    if (symbol->product->survives != 0)
        inherit_survives(model, symbol->product->survives, ORIGIN_PRODUCT);
    else if (symbol->file->survives != 0)
        inherit_survives(model, symbol->file->survives, ORIGIN_FILE);
}

/* Compression and the rest ------------------------------------------------- */

static void read_compression(struct check *check, struct check_field *field)
{
    struct model_field *model = field->model;
    bool varies = !model->type->fixed;
    if (says(&field->notes, ANNOTATION_COMPRESSION)) {
        model->compression = (enum model_compression)note_word(
                                 &field->notes, ANNOTATION_COMPRESSION)
                                 ->value;
        model->compression_from = ORIGIN_FIELD;
        if (varies)
            return;
        diag_report(check->diag, DIAG_NOT_FOR_TYPE,
                    note_at(&field->notes, ANNOTATION_COMPRESSION)->at,
                    "`compression:` is for values of any length, `%s` always "
                    "takes %u bytes",
                    model->type->spelling, model->type->c_size);
        diag_help(check->diag, "drop `compression:`");
        refuse(field);
    } else if (model->policy == PERSIST_DISK_COMPRESSED) {
        model->compression = COMPRESSION_DEFAULT;
    } else if (model->policy == PERSIST_DEFAULT && varies && !model->key) {
        model->compression = COMPRESSION_UNSET;
    } else {
        model->compression = COMPRESSION_NONE;
    }
}

static void read_priors(struct check_symbol *symbol, struct check_field *field)
{
    struct model_field *model = field->model;
    const struct check_notes *notes = &field->notes;
    model->priority = symbol->product->priority;
    model->priority_from = says(symbol->notes, ANNOTATION_PRIORITY)
                               ? ORIGIN_PRODUCT
                               : ORIGIN_DEFAULT;
    if (says(notes, ANNOTATION_PRIORITY)) {
        model->priority =
            (enum model_priority)note_word(notes, ANNOTATION_PRIORITY)->value;
        model->priority_from = ORIGIN_FIELD;
    }
    model->access = symbol->product->access;
    model->access_from = says(symbol->notes, ANNOTATION_ACCESS_PATTERN)
                             ? ORIGIN_PRODUCT
                             : ORIGIN_DEFAULT;
    if (says(notes, ANNOTATION_ACCESS_PATTERN)) {
        model->access =
            (enum model_access)note_word(notes, ANNOTATION_ACCESS_PATTERN)
                ->value;
        model->access_from = ORIGIN_FIELD;
    }
}

static void place_field(struct check *check, struct check_symbol *symbol,
                        struct check_field *field)
{
    read_policy(symbol, field);
    if (!check_home(check, field))
        return;
    read_copies(check, field);
    read_prefer(check, field);
    read_survives(check, symbol, field);
    read_compression(check, field);
    read_priors(symbol, field);
    field->model->ttl_ms = note_number(&field->notes, ANNOTATION_TTL);
    field->model->hot =
        !model_policy_facts(field->model->policy)->may_read_disk;
}

/* A record that keeps anything over a restart keeps its key. */
static void place_keys(struct check_symbol *symbol)
{
    bool durable = false;
    for (uint32_t i = 0; i < symbol->field_count; i++) {
        const struct model_field *field = symbol->fields[i].model;
        durable |= !field->key && !field->derived &&
                   model_policy_facts(field->policy)->is_durable;
    }
    for (uint32_t i = 0; durable && i < symbol->field_count; i++) {
        struct model_field *field = symbol->fields[i].model;
        if (!field->key || model_policy_facts(field->policy)->is_durable)
            continue;
        field->policy = PERSIST_DEFAULT;
        field->policy_from = ORIGIN_DEFAULT;
        field->survives = SURVIVES_PROCESS_CRASH;
        field->survives_from = ORIGIN_DEFAULT;
    }
}

void check_placement(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_PRODUCT)
            continue;
        product_policy(check, s);
        for (uint32_t i = 0; i < s->field_count; i++) {
            if (s->fields[i].good)
                place_field(check, s, &s->fields[i]);
        }
        place_keys(s);
    }
}
