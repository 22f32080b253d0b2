/* The schema says more than this version does: one row for each such thing, so
 * that nothing is accepted and ignored in silence. Whoever brings an engine
 * takes its row away. */
#include "explain.h"

static bool is_on_device(const struct model_field *f)
{
    return f->policy == PERSIST_GPU_MEMORY;
}

static bool is_cpus(const struct model_field *f)
{
    for (uint32_t i = 0; i < f->compute_count; i++)
        if (f->compute[i].kind == COMPUTE_CPU)
            return true;
    return false;
}

/* A device holds what a kernel of the same product reads as a number. */
static bool is_hosts_alone(const struct model_field *f)
{
    enum type_class class = f->type->class;
    if (!is_on_device(f))
        return false;
    if (class != CLASS_UINT && class != CLASS_SINT && class != CLASS_FLOAT)
        return true;
    for (uint32_t i = 0; i < f->product->field_count; i++) {
        const struct model_field *reader = &f->product->fields[i];
        if (reader->derived && !is_cpus(reader) &&
            (reader->inputs >> f->index & 1))
            return false;
    }
    return true;
}

/* One on a device beside another home, or a second durable one. */
bool explain_copy_unmade(const struct model_field *f, enum persist_policy copy)
{
    return copy == PERSIST_GPU_MEMORY ||
           (copy > PERSIST_MEMORY_COMPUTED && f->policy != PERSIST_MEMORY &&
            f->policy != PERSIST_GPU_MEMORY);
}

static bool has_unmade_copy(const struct model_field *f)
{
    for (uint32_t i = 0; i < f->copy_count; i++)
        if (f->copies[i] != f->policy && explain_copy_unmade(f, f->copies[i]))
            return true;
    return false;
}

/* A prior for who leaves memory, of what never does. */
static bool has_idle_access(const struct model_field *f)
{
    bool leaves = f->policy == PERSIST_SSD || f->policy == PERSIST_DISK ||
                  f->policy == PERSIST_DISK_COMPRESSED ||
                  f->policy == PERSIST_DISK_ONLY ||
                  f->policy == PERSIST_AUTO || f->policy == PERSIST_HYBRID;
    for (uint32_t i = 0; f->series && i < f->retention_count; i++)
        leaves = leaves || f->retention[i].tier == MODEL_TIER_MEMORY;
    return f->access != ACCESS_UNSET && !f->key && !leaves;
}

static bool has_mass(const struct model_field *f)
{
    return f->physics == PHYSICS_GRAVITATIONAL_MASS;
}

static bool draws(const struct model_field *f)
{
    return has_mass(f) || f->physics == PHYSICS_POSITION ||
           f->physics == PHYSICS_SPACETIME_SHARD_HINT;
}

static bool is_weight(const struct model_field *f)
{
    return has_mass(f) || f->physics == PHYSICS_TEMPORAL_WEIGHT ||
           f->physics == PHYSICS_TEMPERATURE;
}

static bool leaves_memory(const struct model_field *f)
{
    return !f->key && !f->series &&
           model_policy_facts(f->policy)->may_read_disk;
}

/* Numbers that are weighed lie in the record's row. */
static bool is_weight_unread(const struct model_field *f)
{
    if (f->physics == PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL)
        return f->key;
    if (draws(f) && !has_mass(f))
        return f->key || f->derived;
    return is_weight(f) &&
           (f->key || f->derived ||
            (leaves_memory(f) && f->policy != PERSIST_AUTO &&
             f->policy != PERSIST_HYBRID));
}

static bool strategy_has(const struct model_field *f, uint32_t values)
{
    return f->product->strategy != NULL &&
           (f->product->strategy->set & values) != 0;
}

/* Elements of a series have their order from their key's shard. */
static bool has_series(const struct model_field *f)
{
    for (uint32_t i = 0; i < f->product->field_count; i++)
        if (f->product->fields[i].series)
            return draws(f);
    return false;
}

static bool is_left_alone(const struct model_field *f)
{
    return draws(f) && strategy_has(f, 1u << STRATEGY_AUTO_MIGRATION) &&
           !f->product->strategy->auto_migration;
}

static bool has_no_partners(const struct model_field *f)
{
    if (!has_mass(f) ||
        (strategy_has(f, 1u << STRATEGY_ACCESS_PATTERN_LEARNING) &&
         f->product->strategy->access_pattern_learning))
        return false;
    for (uint32_t i = 0; i < f->product->field_count; i++) {
        enum model_physics role = f->product->fields[i].physics;
        if (role == PHYSICS_QUANTUM_ENTANGLEMENT_GROUP ||
            role == PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL)
            return false;
    }
    return true;
}

static bool has_idle_mass(const struct model_field *f)
{
    if (!has_mass(f))
        return false;
    for (uint32_t i = 0; i < f->product->field_count; i++)
        if (leaves_memory(&f->product->fields[i]) &&
            f->product->fields[i].policy != PERSIST_DISK_ONLY)
            return false;
    return true;
}

/* Of a column that a kernel reads where it is, a device has what `compute:`
 * asks for. */
static bool has_device(const struct model_field *f)
{
    bool is_worked_on = is_on_device(f) && !is_hosts_alone(f);
    return f->compute_count > 0 && !f->derived && !f->summary && !is_worked_on;
}

/* Does a kernel of the product run over many records at once? */
static bool has_kernels(const struct model_product *product)
{
    for (uint32_t i = 0; i < product->field_count; i++)
        if (product->fields[i].derived)
            return true;
    return false;
}

static bool has_batches(const struct model_field *f)
{
    return strategy_has(f, 1u << STRATEGY_GPU_BATCH_SIZE) &&
           !has_kernels(f->product) &&
           (f->compute_count > 0 || is_on_device(f));
}

static bool has_thresholds(const struct model_field *f)
{
    return strategy_has(f, 1u << STRATEGY_HOT_TO_WARM |
                               1u << STRATEGY_WARM_TO_COLD);
}

/* No field that the engine may move by thresholds. */
static bool none_moves(const struct model_field *f)
{
    for (uint32_t i = 0; i < f->product->field_count; i++)
        if (f->product->fields[i].policy == PERSIST_AUTO ||
            f->product->fields[i].policy == PERSIST_HYBRID)
            return false;
    return true;
}

static bool has_idle_thresholds(const struct model_field *f)
{
    return has_thresholds(f) && none_moves(f);
}

static bool has_idle_heat(const struct model_field *f)
{
    return (f->physics == PHYSICS_TEMPERATURE ||
            f->physics == PHYSICS_TEMPORAL_WEIGHT) &&
           (!has_thresholds(f) || none_moves(f));
}

/* The engine moves it outside the row. */
static bool is_placed(const struct model_field *f)
{
    return (f->policy == PERSIST_AUTO || f->policy == PERSIST_HYBRID) &&
           !f->type->fixed;
}

/* Of a product of which nothing can go to the archive. */
static bool has_idle_archive(const struct model_field *f)
{
    if (!strategy_has(f, 1u << STRATEGY_COLD_TO_ARCHIVE) || f->key)
        return false;
    for (uint32_t i = 0; i < f->product->field_count; i++)
        if (f->product->fields[i].series || is_placed(&f->product->fields[i]))
            return false;
    return true;
}

/* Values go there from the disk, and nothing brings them to it. */
static bool has_archive_alone(const struct model_field *f)
{
    return strategy_has(f, 1u << STRATEGY_COLD_TO_ARCHIVE) &&
           !strategy_has(f, 1u << STRATEGY_WARM_TO_COLD) && is_placed(f);
}

static const struct {
    bool (*holds)(const struct model_field *field);
    const char *text;
} rows[] = {
    {is_hosts_alone, "no kernel of the product reads the column as a number on "
                     "a device: none holds a copy"},
    {has_unmade_copy, "a copy on a device is made of the home `:gpu_memory` "
                      "alone, and of a value on a tier no second one on "
                      "another: it is read from its home, or from memory"},
    {has_idle_access, "`access_pattern:` says who leaves memory first: this "
                      "field stays there"},
    {has_series, "the role moves no record: one of a product with a series "
                 "stays in the shard of its key"},
    {is_left_alone, "the role moves no record to another shard: the strategy "
                    "says `auto_migration: false`"},
    {has_no_partners, "`:gravitational_mass` draws no record to another "
                      "shard: those of the product have no partners"},
    {has_idle_mass, "`:gravitational_mass` keeps nothing in memory: no field "
                    "of the product can leave it"},
    {has_idle_heat, "the role moves nothing: it counts in the thresholds of a "
                    "strategy, for fields that are `:auto`, `:hybrid` or have "
                    "`prefer:`"},
    {is_weight_unread, "the role is read from the record's row: a key, a "
                       "derived value or one on a disk counts as none"},
    {has_device, "`compute:` is stored, no device works on the column"},
    {has_batches, "`gpu_batch_size:` is stored, nothing runs in batches"},
    {has_idle_thresholds, "the thresholds move nothing: no field of the "
                          "product is `:auto`, `:hybrid` or has `prefer:`"},
    {has_idle_archive, "`cold_to_archive:` moves nothing: it takes elements of "
                       "series, and strings, bytes and lists that are `:auto`, "
                       "`:hybrid` or have `prefer:`"},
    {has_archive_alone, "`cold_to_archive:` takes values from the disk: "
                        "without `warm_to_cold:` they stay on the ssd"},
};

bool explain_goes_to_archive(const struct model_field *field)
{
    return strategy_has(field, 1u << STRATEGY_COLD_TO_ARCHIVE) &&
           strategy_has(field, 1u << STRATEGY_WARM_TO_COLD) && is_placed(field);
}

bool explain_not_yet(const struct model_field *field, unsigned index,
                     const char **text)
{
    if (index >= sizeof rows / sizeof rows[0])
        return false;
    *text = rows[index].holds(field) ? rows[index].text : NULL;
    return true;
}
