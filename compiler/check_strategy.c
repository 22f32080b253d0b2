/* Pools and strategies, and which strategy a product has. */
#include "check.h"

#include <string.h>

/* Pools -------------------------------------------------------------------- */

static void read_pool(struct check *check, struct check_symbol *symbol)
{
    struct check_notes notes;
    check_notes_read(check, symbol->decl->annotations, IN_POOL, &notes);
    if (note_at(&notes, ANNOTATION_SIZE) != NULL) {
        symbol->pool->size_bytes =
            (uint64_t)note_number(&notes, ANNOTATION_SIZE);
    } else if (!notes.refused) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, symbol->decl->at,
                    "the pool `%s` has no size", symbol->decl->name->text);
        diag_help(check->diag, "write `defpool %s, size: 64MiB`",
                  symbol->decl->name->text);
    }
}

static void warn_of_near_pool(struct check *check, const struct atom *name,
                              struct source_range at)
{
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_POOL ||
            atom_distance(s->decl->name->text, name->text, 2) > 2)
            continue;
        diag_report(check->diag, DIAG_UNKNOWN_POOL, at,
                    "no defpool declares `:%s`", name->text);
        diag_note(check->diag, s->decl->at, "this one is called `%s`",
                  s->decl->name->text);
        diag_help(check->diag, "did you mean `:%s`?", s->decl->name->text);
        return;
    }
}

/* A pool that no defpool declares is the program's to size. */
static const struct model_pool *find_pool(struct check *check,
                                          const struct model_file *file,
                                          const struct check_notes *notes,
                                          enum annotation_id id)
{
    const struct atom *name = note_name(notes, id);
    struct source_range at = note_at(notes, id)->value->at;
    struct check_symbol *symbol = check_find(check, name);
    if (symbol != NULL && symbol->decl->kind == AST_POOL) {
        symbol->used = true;
        return symbol->pool;
    }
    for (uint32_t i = 0; i < check->pool_count; i++) {
        if (strcmp(check->pools[i]->name, name->text) == 0)
            return check->pools[i];
    }
    warn_of_near_pool(check, name, at);
    if (check->pool_count == check->pool_capacity) {
        uint32_t capacity =
            check->pool_capacity == 0 ? 8 : check->pool_capacity * 2;
        check->pools =
            arena_grow(check->arena, check->pools,
                       check->pool_capacity * sizeof(struct model_pool *),
                       capacity * sizeof(struct model_pool *));
        check->pool_capacity = capacity;
    }
    struct model_pool *pool = ARENA_NEW(check->arena, struct model_pool);
    *pool = (struct model_pool){.file = file, .name = name->text, .at = at};
    check->pools[check->pool_count++] = pool;
    return pool;
}

/* Thresholds --------------------------------------------------------------- */

/* {frequency: 10, time_window: :hour} */
static bool read_frequency(struct check *check, const struct ast_expr *expr,
                           const char *what, struct model_threshold *out)
{
    const struct ast_expr *frequency = NULL, *window = NULL;
    int64_t count = 0;
    bool good = expr->kind == AST_TUPLE || expr->kind == AST_MAP;
    for (const struct ast_entry *e = good ? expr->entries : NULL; e != NULL;
         e = e->next) {
        const char *key = e->key == NULL ? "" : e->key->text;
        if (strcmp(key, "frequency") == 0 && frequency == NULL)
            frequency = e->value;
        else if (strcmp(key, "time_window") == 0 && window == NULL)
            window = e->value;
        else
            good = false;
    }
    if (!good || frequency == NULL || window == NULL) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`%s:` takes {frequency: N, time_window: W}", what);
        diag_help(check->diag,
                  "write `%s: {frequency: 10, time_window: "
                  ":hour}`: fewer than 10 accesses an hour",
                  what);
        return false;
    }
    if (!check_count(check, frequency, "frequency", &count))
        return false;
    out->frequency = (uint64_t)count;
    if (window->kind != AST_ATOM)
        good = check_time(check, window, "time_window", &out->window_ms);
    else
        out->window_ms = check_unit_ms(window->name->text);
    if (good && (count == 0 || out->window_ms <= 0)) {
        diag_report(check->diag, DIAG_OUT_OF_RANGE,
                    count == 0 ? frequency->at : window->at,
                    count == 0 ? "a frequency of 0 is never fallen short of"
                               : "this is no time window");
        diag_help(check->diag, count == 0
                                   ? "give at least 1"
                                   : "write :second, :minute, :hour, :day, "
                                     ":week, :month, :year, or a time");
        return false;
    }
    return good;
}

/* {age: :months, 3}, {age: 90d} */
static bool read_old_age(struct check *check, const struct ast_expr *expr,
                         int64_t *ms)
{
    const struct ast_entry *age =
        expr->kind == AST_TUPLE || expr->kind == AST_MAP ? expr->entries : NULL;
    int64_t count = 1, unit = 0;
    if (age != NULL && age->key != NULL && strcmp(age->key->text, "age") == 0) {
        const struct ast_entry *number = age->next;
        if (age->value->kind == AST_ATOM && number != NULL &&
            number->key == NULL && number->next == NULL) {
            unit = check_unit_ms(age->value->name->text);
            if (unit != 0 && !check_count(check, number->value, "age", &count))
                return false;
        } else if (number == NULL && age->value->kind == AST_NUMBER) {
            if (!check_time(check, age->value, "age", &unit))
                return false;
        }
    }
    if (unit > 0 && count > 0 && count < INT64_MAX / 4 / unit) {
        *ms = unit * count;
        return true;
    }
    diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                "`cold_to_archive:` takes an age");
    diag_help(check->diag, "write `cold_to_archive: {age: :months, 3}` or "
                           "`{age: 90d}`");
    return false;
}

static void read_thresholds(struct check *check, const struct ast_expr *expr,
                            struct model_strategy *model)
{
    uint32_t seen = 0;
    if (expr->kind != AST_MAP) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`migration_thresholds:` takes a map");
        diag_help(check->diag, "write `%%{hot_to_warm: {frequency: 10, "
                               "time_window: :hour}}`");
        return;
    }
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next) {
        struct check_word word;
        bool good = false;
        if (e->key == NULL) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, e->at,
                        "a key is missing here");
            continue;
        }
        if (!check_word_of(check, ANNOTATION_MIGRATION_THRESHOLDS, e->key,
                           e->key_at, &word))
            continue;
        uint32_t bit = 1u << word.value;
        if ((seen & bit) != 0) {
            diag_report(check->diag, DIAG_DUPLICATE, e->key_at,
                        "`%s:` is given twice", word.word);
            continue;
        }
        seen |= bit;
        if (word.value == STRATEGY_HOT_TO_WARM)
            good =
                read_frequency(check, e->value, word.word, &model->hot_to_warm);
        else if (word.value == STRATEGY_WARM_TO_COLD)
            good = read_frequency(check, e->value, word.word,
                                  &model->warm_to_cold);
        else
            good = read_old_age(check, e->value, &model->cold_to_archive_ms);
        if (good)
            model->set |= bit;
    }
}

/* Strategies --------------------------------------------------------------- */

static void read_strategy(struct check *check, struct check_symbol *symbol)
{
    static const struct {
        enum annotation_id id;
        enum strategy_value value;
    } map[] = {
        {ANNOTATION_MEMORY_POOL, STRATEGY_MEMORY_POOL},
        {ANNOTATION_GPU_MEMORY_POOL, STRATEGY_GPU_MEMORY_POOL},
        {ANNOTATION_MAX_MEMORY_PER_INSTANCE, STRATEGY_MAX_MEMORY_PER_INSTANCE},
        {ANNOTATION_GPU_BATCH_SIZE, STRATEGY_GPU_BATCH_SIZE},
        {ANNOTATION_COMPRESSION_THRESHOLD, STRATEGY_COMPRESSION_THRESHOLD},
        {ANNOTATION_ASYNC_WRITE_BUFFER, STRATEGY_ASYNC_WRITE_BUFFER},
        {ANNOTATION_ACCESS_PATTERN_LEARNING, STRATEGY_ACCESS_PATTERN_LEARNING},
        {ANNOTATION_AUTO_MIGRATION, STRATEGY_AUTO_MIGRATION},
    };
    struct model_strategy *model = symbol->strategy;
    struct check_notes notes, head;
    check_notes_read(check, symbol->decl->annotations, 0, &head);
    check_notes_read(check, symbol->decl->entries, IN_STRATEGY, &notes);
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (note_at(&notes, map[i].id) != NULL)
            model->set |= 1u << map[i].value;
    }
    if (note_at(&notes, ANNOTATION_MEMORY_POOL) != NULL)
        model->memory_pool =
            find_pool(check, symbol->file, &notes, ANNOTATION_MEMORY_POOL);
    if (note_at(&notes, ANNOTATION_GPU_MEMORY_POOL) != NULL)
        model->gpu_memory_pool =
            find_pool(check, symbol->file, &notes, ANNOTATION_GPU_MEMORY_POOL);
    model->max_memory_per_instance_bytes =
        (uint64_t)note_number(&notes, ANNOTATION_MAX_MEMORY_PER_INSTANCE);
    model->gpu_batch_size =
        (uint64_t)note_number(&notes, ANNOTATION_GPU_BATCH_SIZE);
    model->compression_threshold_bytes =
        note_at(&notes, ANNOTATION_COMPRESSION_THRESHOLD) == NULL
            ? 1024
            : (uint64_t)note_number(&notes, ANNOTATION_COMPRESSION_THRESHOLD);
    /* 0 means every value, too; in a descriptor 0 means that nothing is said */
    if (model->compression_threshold_bytes == 0)
        model->compression_threshold_bytes = 1;
    model->async_write_buffer =
        (uint64_t)note_number(&notes, ANNOTATION_ASYNC_WRITE_BUFFER);
    model->access_pattern_learning =
        note_at(&notes, ANNOTATION_ACCESS_PATTERN_LEARNING) == NULL ||
        note_number(&notes, ANNOTATION_ACCESS_PATTERN_LEARNING) != 0;
    model->auto_migration =
        note_at(&notes, ANNOTATION_AUTO_MIGRATION) == NULL ||
        note_number(&notes, ANNOTATION_AUTO_MIGRATION) != 0;
    if (note_at(&notes, ANNOTATION_MIGRATION_THRESHOLDS) != NULL)
        read_thresholds(check,
                        note_at(&notes, ANNOTATION_MIGRATION_THRESHOLDS)->value,
                        model);
    if (symbol->decl->entries == NULL && !symbol->decl->broken && !check->lost)
        diag_report(check->diag, DIAG_EMPTY, symbol->decl->at,
                    "the strategy `%s` says nothing", symbol->decl->name->text);
}

void check_strategies(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_POOL)
            read_pool(check, s);
    }
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_STRATEGY)
            read_strategy(check, s);
    }
}

/* The only strategy of a file binds to its only product. */
static void bind_only(struct check *check, const struct check_file *file)
{
    struct check_symbol *product = NULL, *strategy = NULL;
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->file != file->model)
            continue;
        if (s->decl->kind == AST_PRODUCT) {
            if (product != NULL)
                return;
            product = s;
        } else if (s->decl->kind == AST_STRATEGY) {
            if (strategy != NULL)
                return;
            strategy = s;
        }
    }
    if (product == NULL || strategy == NULL || strategy->used ||
        note_at(product->notes, ANNOTATION_STRATEGY) != NULL ||
        product->notes->refused || check->lost)
        return;
    product->product->strategy = strategy->strategy;
    product->product->strategy_bound = true;
    strategy->used = true;
    diag_report(check->diag, DIAG_STRATEGY_BOUND, strategy->decl->at,
                "`%s` is the only strategy of the file: it binds to its only "
                "product, `%s`",
                strategy->decl->name->text, product->decl->name->text);
}

void check_bind_strategies(struct check *check)
{
    for (uint32_t i = 0; i < check->file_count; i++)
        bind_only(check, &check->files[i]);
    if (check->lost || check_failed(check))
        return;
    const struct model_file *root = check->files[check->file_count - 1].model;
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next) {
        /* An imported file may be imported for other products. */
        bool pool = s->decl->kind == AST_POOL;
        if ((!pool && s->decl->kind != AST_STRATEGY) || s->used ||
            s->file != root || check->lost)
            continue;
        bool any = false;
        for (const struct check_symbol *p = check->first; p != NULL && !any;
             p = p->next)
            any = p->decl->kind == AST_PRODUCT && p->file == root;
        if (!any)
            continue;
        diag_report(check->diag, DIAG_UNUSED, s->decl->at,
                    pool ? "no strategy uses the pool `%s`"
                         : "no product uses the strategy `%s`",
                    s->decl->name->text);
    }
}
