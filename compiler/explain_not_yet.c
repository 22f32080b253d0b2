/* The schema says more than this version does: one row for each such thing, so
 * that nothing is accepted and ignored in silence. Whoever brings an engine
 * takes its row away. */
#include "explain.h"

static bool is_placed_by_engine(const struct model_field *f)
{
    return f->policy == PERSIST_AUTO || f->policy == PERSIST_HYBRID;
}

static bool is_on_device(const struct model_field *f)
{
    return f->policy == PERSIST_GPU_MEMORY;
}

static bool has_copies(const struct model_field *f)
{
    return f->copy_count > 0;
}

static bool has_access(const struct model_field *f)
{
    return f->access != ACCESS_UNSET;
}

static bool has_physics(const struct model_field *f)
{
    return f->physics != PHYSICS_NONE;
}

static bool has_device(const struct model_field *f)
{
    return f->compute_count > 0 && !f->derived && !f->summary;
}

static bool strategy_has(const struct model_field *f, uint32_t values)
{
    return f->product->strategy != NULL &&
           (f->product->strategy->set & values) != 0;
}

static bool has_batches(const struct model_field *f)
{
    return strategy_has(f, 1u << STRATEGY_GPU_BATCH_SIZE) && !f->derived &&
           (f->compute_count > 0 || is_on_device(f));
}

static bool has_thresholds(const struct model_field *f)
{
    return strategy_has(
        f, 1u << STRATEGY_ACCESS_PATTERN_LEARNING |
               1u << STRATEGY_AUTO_MIGRATION | 1u << STRATEGY_HOT_TO_WARM |
               1u << STRATEGY_WARM_TO_COLD | 1u << STRATEGY_COLD_TO_ARCHIVE);
}

static const struct {
    bool (*holds)(const struct model_field *field);
    const char *text;
} rows[] = {
    {is_placed_by_engine, "the value lives in memory and ssd; no engine "
                          "moves it"},
    {is_on_device, "the column is the host's, with dirty ranges; no device "
                   "holds a copy"},
    {has_copies, "copies in further tiers are not made: the value is read "
                 "from its home, or from the cache"},
    {has_access, "`access_pattern:` is stored, no engine reads it"},
    {has_physics, "`physics:` is stored, the built-in models do not run"},
    {has_device, "`compute:` is stored, no device works on the column"},
    {has_batches, "`gpu_batch_size:` is stored, nothing runs in batches"},
    {has_thresholds, "learning, migration and their thresholds are stored, "
                     "no engine reads them"},
};

bool explain_not_yet(const struct model_field *field, unsigned index,
                     const char **text)
{
    if (index >= sizeof rows / sizeof rows[0])
        return false;
    *text = rows[index].holds(field) ? rows[index].text : NULL;
    return true;
}
