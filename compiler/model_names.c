/* The words of the model as a schema writes them, the table of promises of the
 * persist policies, from which `warpc explain` speaks, and small questions. */
#include "model.h"

static const struct policy_facts policies[PERSIST_COUNT] = {
    [PERSIST_DEFAULT] =
        {"memory (none given)", "RAM", "always",
         "yes: log, then checkpoint",
         "there before the first get returns it", "no", true, false,
         SURVIVES_PROCESS_CRASH},
    [PERSIST_MEMORY] = {"memory", "RAM", "always", "yes: log, then checkpoint",
                        "there before the first get returns it", "no", true,
                        false, SURVIVES_PROCESS_CRASH},
    [PERSIST_MEMORY_ONLY] = {"memory_only", "RAM", "always", "no",
                             "LOST, after a clean stop too", "no", false, false,
                             SURVIVES_NOTHING},
    [PERSIST_GPU_MEMORY] = {"gpu_memory", "device column, host copy", "always",
                            "yes, host copy",
                            "there; device filled in the background", "no",
                            true, false, SURVIVES_PROCESS_CRASH},
    [PERSIST_MEMORY_COMPUTED] = {"memory_computed",
                                 "RAM cache of a computed result", "if room",
                                 "no, recomputed", "recomputed on demand", "no",
                                 false, false, SURVIVES_NOTHING},
    [PERSIST_SSD] = {"ssd", "LMDB", "cached if used", "yes", "there", "yes",
                     true, true, SURVIVES_PROCESS_CRASH},
    [PERSIST_DISK] = {"disk", "disk segments", "cached if used", "yes", "there",
                      "yes", true, true, SURVIVES_PROCESS_CRASH},
    [PERSIST_DISK_COMPRESSED] = {"disk_compressed", "disk segments, LZ4",
                                 "cached, decompressed size counted", "yes",
                                 "there", "yes", true, true,
                                 SURVIVES_PROCESS_CRASH},
    [PERSIST_DISK_ONLY] = {"disk_only", "disk segments", "never kept", "yes",
                           "there", "yes", true, true, SURVIVES_PROCESS_CRASH},
    [PERSIST_TEMPORAL_TIERING] = {"temporal_tiering", "by age (`retention:`)",
                                  "the `memory:` range",
                                  "yes, from the first append on", "there",
                                  "past the memory range", true, true,
                                  SURVIVES_PROCESS_CRASH},
    [PERSIST_AUTO] = {"auto", "the engine decides", "maybe", "yes", "there",
                      "yes", true, true, SURVIVES_PROCESS_CRASH},
    [PERSIST_HYBRID] = {"hybrid", "the engine decides", "maybe", "yes", "there",
                        "yes", true, true, SURVIVES_PROCESS_CRASH},
};

const struct policy_facts *model_policy_facts(enum persist_policy policy)
{
    return &policies[policy];
}

const char *model_policy_name(enum persist_policy policy)
{
    return policy == PERSIST_DEFAULT ? "memory" : policies[policy].name;
}

const char *model_survives_name(enum model_survives survives)
{
    static const char *const names[] = {"", "nothing", "process_crash",
                                        "power_loss"};
    return names[survives];
}

const char *model_tier_name(enum model_tier tier)
{
    static const char *const names[] = {"",    "memory", "gpu",
                                        "ssd", "disk",   "archive"};
    return names[tier];
}

const char *model_compression_name(enum model_compression compression)
{
    static const char *const names[] = {"", "none", "fast", "default",
                                        "maximum"};
    return names[compression];
}

const char *model_priority_name(enum model_priority priority)
{
    static const char *const names[] = {"critical", "high", "normal", "low",
                                        "background"};
    return names[priority];
}

const char *model_access_name(enum model_access access)
{
    static const char *const names[] = {"",     "hot",        "warm",
                                        "cold", "sequential", "balanced"};
    return names[access];
}

const char *model_physics_name(enum model_physics physics)
{
    static const char *const names[] = {"",
                                        "gravitational_mass",
                                        "quantum_entanglement_potential",
                                        "quantum_entanglement_group",
                                        "temporal_weight",
                                        "temperature",
                                        "position",
                                        "spacetime_shard_hint"};
    return names[physics];
}

bool model_has_partners(const struct model_product *product)
{
    const struct model_strategy *s = product->strategy;
    for (uint32_t i = 0; i < product->field_count; i++) {
        enum model_physics role = product->fields[i].physics;
        if (role == PHYSICS_QUANTUM_ENTANGLEMENT_GROUP ||
            role == PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL)
            return true;
    }
    return s != NULL && s->access_pattern_learning &&
           (s->set >> STRATEGY_ACCESS_PATTERN_LEARNING & 1) != 0;
}

bool model_is_input(const struct model_expr *expr)
{
    return expr->kind == EXPR_FIELD || expr->kind == EXPR_MEMBER ||
           expr->kind == EXPR_ELEMENT || expr->kind == EXPR_SHARD;
}

bool model_same_input(const struct model_expr *a, const struct model_expr *b)
{
    return a->kind == b->kind && a->param == b->param && a->field == b->field &&
           a->member == b->member && a->type == b->type &&
           (a->kind != EXPR_SHARD || a->shard_member == b->shard_member);
}
