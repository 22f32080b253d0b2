/* warpc explain FILE PRODUCT[.FIELD]: where a field lives and what is promised,
 * from the resolved model and the table of policies. What is not in effect yet
 * is said by explain_not_yet.c. */
#include "explain.h"
#include "atom.h"
#include "command.h"
#include "model_dump.h"

#include <inttypes.h>
#include <string.h>

static void label(const char *name)
{
    printf("  %-18s ", name);
}

static void print_because(const struct model_field *field,
                          enum model_origin from)
{
    switch (from) {
    case ORIGIN_FIELD:
        fputs(", said by the field", stdout);
        break;
    case ORIGIN_PRODUCT:
        printf(", said by the product %s", field->product->name);
        break;
    case ORIGIN_STRATEGY:
        printf(", said by the strategy %s", field->product->strategy->name);
        break;
    case ORIGIN_FILE:
        fputs(", said by the file's @survives", stdout);
        break;
    case ORIGIN_DEFAULT:
        break;
    }
}

static void print_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    printf("%" PRIu64 " %s", bytes, units[unit]);
}

/* Home and copies ---------------------------------------------------------- */

/* "": explain_not_yet.c says that it is not made. */
static const char *copy_means(const struct model_field *field,
                              enum persist_policy copy)
{
    bool in_memory = field->policy == PERSIST_MEMORY ||
                     field->policy == PERSIST_GPU_MEMORY;
    if (explain_copy_unmade(field, copy))
        return "";
    if (copy == PERSIST_MEMORY_COMPUTED)
        return ", what `compute:` makes of it, while there is room";
    if (copy != PERSIST_MEMORY)
        return ", that of the checkpoints: a row in the directory on the ssd";
    return in_memory ? ", as every column has it on the host"
                     : ", loaded after an open and not taken away for want of "
                       "use, while there is room";
}

static void explain_home(const struct model_field *field)
{
    const struct policy_facts *facts = model_policy_facts(field->policy);
    label("home");
    if (field->key) {
        fputs("with the record: in the index while the record is resident, "
              "and in LMDB's directory of all keys",
              stdout);
        if (field->policy == PERSIST_MEMORY_ONLY)
            fputs(" (memory_only: in memory)", stdout);
    } else if (field->policy == PERSIST_DEFAULT) {
        printf("%s, as no `persist:` is given: as `:memory`", facts->home);
    } else {
        printf("%s: `:%s`", facts->home, model_policy_name(field->policy));
        print_because(field, field->policy_from);
        if (field->policy_from == ORIGIN_DEFAULT && field->derived)
            fputs(", because the field is derived", stdout);
    }
    putchar('\n');
    for (uint32_t i = 0; i < field->copy_count; i++) {
        label("copy");
        printf("%s: `:%s`%s\n", model_policy_facts(field->copies[i])->home,
               model_policy_name(field->copies[i]),
               copy_means(field, field->copies[i]));
    }
    if (field->prefer != MODEL_TIER_NONE) {
        label("prefers");
        printf("%s, as a hint that migration may override\n",
               model_tier_name(field->prefer));
    }
    if (field->key)
        return;
    label("in RAM");
    puts(facts->in_ram);
}

static void explain_durability(const struct model_field *field)
{
    /* Wherever its last result lies, a derived field is computed again. */
    const struct policy_facts *facts = model_policy_facts(
        field->derived ? PERSIST_MEMORY_COMPUTED : field->policy);
    label("durable");
    puts(facts->durable);
    label("survives");
    if (field->derived) {
        puts("what the fields that it reads survive: it is computed from them");
        label("after a restart");
        puts(facts->after_restart);
        return;
    }
    printf("%s", model_survives_name(field->survives));
    if (field->survives_from != ORIGIN_DEFAULT)
        print_because(field, field->survives_from);
    else if (facts->is_durable)
        fputs(", the policy's default: the store's option `survives` may say "
              "otherwise",
              stdout);
    else
        printf(", because `:%s` is not stored",
               model_policy_name(field->policy));
    putchar('\n');
    static const char *const means[] = {
        [SURVIVES_NOTHING] = "it is in RAM only",
        [SURVIVES_PROCESS_CRASH] =
            "when the commit returns, kill -9 loses nothing; a power loss may "
            "lose the last sync_every_ms (10) plus the flush in progress",
        [SURVIVES_POWER_LOSS] =
            "when the commit returns, it is on stable storage",
    };
    label("");
    puts(means[field->survives]);
    label("after a restart");
    puts(facts->after_restart);
}

static void explain_reads(const struct model_field *field)
{
    label("may a get read");
    if (field->series)
        fputs("the disk: yes, past the memory range; the archive: only with "
              "WARP_ARCHIVE in _range_with",
              stdout);
    else if (field->derived)
        printf("the disk: %s, it is computed from what it reads",
               field->hot ? "no" : "yes");
    else
        printf("the disk: %s", model_policy_facts(field->policy)->reads_disk);
    if (explain_goes_to_archive(field))
        fputs("; the archive: only with WARP_ARCHIVE in its mask", stdout);
    if (field->key)
        fputs(" (the key is what the get is given)", stdout);
    else if (!field->series)
        printf("; it is %s %s_HOT", field->hot ? "in" : "not in",
               field->product->c_upper);
    putchar('\n');
}

/* Lifetime ----------------------------------------------------------------- */

static void explain_retention(const struct model_field *field)
{
    for (uint32_t i = 0; i < field->retention_count; i++) {
        const struct model_retention_step *step = &field->retention[i];
        label(i == 0 ? "retention" : "");
        printf("%s ", model_tier_name(step->tier));
        if (step->age_ms == MODEL_FOREVER) {
            puts("for ever");
            continue;
        }
        fputs("up to the age of ", stdout);
        model_dump_time(step->age_ms, stdout);
        putchar('\n');
    }
    label(field->retention_count == 0 ? "retention" : "then");
    puts(field->retention_end == RETENTION_DELETE
             ? "deleted: hidden at once, freed by chunk"
         : field->retention_end == RETENTION_KEEP
             ? "kept: the last tier has no end"
             : "kept, because no end is said");
    label("ordered by");
    if (field->by != NULL)
        printf("the element's `%s`\n", field->by->name);
    else
        puts("the time that the append is given");
}

static void explain_lifetime(const struct model_field *field)
{
    if (field->ttl_ms != 0) {
        label("ttl");
        model_dump_time(field->ttl_ms, stdout);
        puts(" after its last write; touch and expire move it, a read never "
             "does");
    }
    if (field->product->ttl_ms != 0) {
        label("record's ttl");
        model_dump_time(field->product->ttl_ms, stdout);
        puts(" after the last write of any field");
    }
    if (field->series)
        explain_retention(field);
    else if (field->ttl_ms == 0 && field->product->ttl_ms == 0) {
        label("lifetime");
        puts(field->key ? "that of its record" : "until it is deleted");
    }
}

/* The rest ----------------------------------------------------------------- */

static uint64_t threshold_of(const struct model_field *field)
{
    const struct model_strategy *strategy = field->product->strategy;
    return strategy == NULL ? 1024 : strategy->compression_threshold_bytes;
}

static void explain_storage(const struct model_field *field)
{
    if (field->compression == COMPRESSION_UNSET) {
        label("compression");
        fputs("when stored, from ", stdout);
        print_bytes(threshold_of(field));
        puts(" on (compression_threshold)");
    } else if (field->compression != COMPRESSION_NONE ||
               field->compression_from == ORIGIN_FIELD) {
        label("compression");
        printf("%s\n", model_compression_name(field->compression));
    }
    label("priority");
    printf("%s", model_priority_name(field->priority));
    print_because(field, field->priority_from);
    putchar('\n');
    if (field->access != ACCESS_UNSET) {
        label("access pattern");
        printf("%s", model_access_name(field->access));
        print_because(field, field->access_from);
        putchar('\n');
    }
    if (field->column) {
        label("layout");
        printf("a contiguous array per shard, read by %s_%s_column\n",
               field->product->c_name, field->c_name);
    }
    if (field->indexed) {
        label("index");
        printf("%s, read by %s_by_%s\n",
               field->unique ? "unique over the store" : "secondary",
               field->product->c_name, field->c_name);
    }
}

static void explain_compute(const struct model_field *field)
{
    static const char *const kinds[] = {
        "a GPU, or the CPU",
        "the CPU",
        "a GPU only",
        "a GPU, in batches",
        "the CPU when no GPU can",
        "kernel",
        "kernel sources of your own",
        "C function",
    };
    if (field->formula != NULL) {
        label("derived");
        fputs("by its formula: ", stdout);
        model_dump_expr(field->formula, stdout);
        putchar('\n');
    }
    for (uint32_t i = 0; i < field->compute_count; i++) {
        const struct model_compute *c = &field->compute[i];
        label(i == 0 ? "computed on" : "");
        printf("%s", kinds[c->kind]);
        if (c->kind == COMPUTE_KERNEL)
            printf(" `%s`", c->kernel->name);
        if (c->kind == COMPUTE_GPU_RAW)
            printf(" %s, %s, entry %s", c->cl_path, c->cu_path, c->entry);
        if (c->kind == COMPUTE_CPU_FN)
            printf(" `%s`", c->function);
        putchar('\n');
    }
}

/* What a role changes; what it does not change yet is said at the end. */
static void explain_physics(const struct model_field *field)
{
    static const char *const effects[] = {
        [PHYSICS_GRAVITATIONAL_MASS] =
            ": the heavier a record, the longer it stays in memory, and the "
            "more it draws its partners to its shard",
        [PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL] =
            ": how much the record's links weigh among partners",
        [PHYSICS_QUANTUM_ENTANGLEMENT_GROUP] =
            ": records with the same value are partners",
        [PHYSICS_TEMPORAL_WEIGHT] =
            ": uses count on in later windows of the strategy, with this "
            "half-life in windows",
        [PHYSICS_TEMPERATURE] =
            ": as many uses in each window of the strategy, beside the real "
            "ones; less than 0: fewer",
        [PHYSICS_POSITION] = ": records that are near are drawn to one shard",
        [PHYSICS_SPACETIME_SHARD_HINT] =
            ": a number is the record's shard, modulo their count; records "
            "with the same other value are in one",
    };
    const struct model_product *product = field->product;
    if (field->physics == PHYSICS_NONE)
        return;
    label("physics");
    printf("its role is `:%s`%s\n", model_physics_name(field->physics),
           effects[field->physics]);
    if (field->physics == PHYSICS_QUANTUM_ENTANGLEMENT_GROUP ||
        field->physics == PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL) {
        label("");
        printf("partners are told, with their weights, by "
               "%s_get_with_partners, and prefetched\n",
               product->c_name);
    }
}

static void print_pool(const char *name, const struct model_pool *pool)
{
    if (pool == NULL)
        return;
    label(name);
    printf("%s: ", pool->name);
    if (pool->size_bytes != 0) {
        print_bytes(pool->size_bytes);
        puts(" (defpool; options.pools wins)");
    } else {
        puts("no size is declared: options.pools sizes it, otherwise it has "
             "the whole budget of the store");
    }
}

static void explain_strategy(const struct model_product *product)
{
    const struct model_strategy *s = product->strategy;
    if (s == NULL)
        return;
    label("strategy");
    printf("%s%s\n", s->name,
           product->strategy_bound ? ", bound because it is the file's only one"
                                   : "");
    print_pool("memory pool", s->memory_pool);
    print_pool("GPU memory pool", s->gpu_memory_pool);
    if (s->max_memory_per_instance_bytes != 0) {
        label("per record");
        print_bytes(s->max_memory_per_instance_bytes);
        puts(" of memory at most: past it, fields that may move leave RAM, "
             "lowest priority first, then the put fails");
    }
}

static void explain_field(const struct model_field *field)
{
    printf("%s.%s :: %s%s\n", field->product->name, field->name,
           field->type->spelling, field->optional ? "?" : "");
    if (field->key) {
        label("key");
        puts(field->product->key_composite ? "a part of the record's key"
                                           : "of the record");
    }
    if (field->deprecated) {
        label("deprecated");
        puts("whoever compiles against its calls is warned");
    }
    if (field->was != NULL) {
        label("was");
        printf("%s: values stored under that name are read\n", field->was);
    }
    if (field->value.kind != VALUE_NONE) {
        label("default");
        model_dump_value(&field->value, stdout);
        putchar('\n');
    }
    explain_home(field);
    explain_durability(field);
    explain_reads(field);
    explain_lifetime(field);
    explain_storage(field);
    explain_compute(field);
    explain_physics(field);
    explain_strategy(field->product);
    const char *not_yet;
    for (unsigned i = 0; explain_not_yet(field, i, &not_yet); i++) {
        if (not_yet == NULL)
            continue;
        label("not in effect yet");
        puts(not_yet);
    }
}

/*  ------------------------------------------------------------------------- */

static const struct model_product *find_product(struct command *command,
                                                const struct model *model,
                                                const char *name, size_t len)
{
    struct atom_nearest nearest;
    const char *wanted = arena_copy(command->arena, name, len);
    atom_nearest_init(&nearest, wanted);
    for (uint32_t i = 0; i < model->product_count; i++) {
        if (strcmp(model->products[i]->name, wanted) == 0)
            return model->products[i];
        atom_nearest_offer(&nearest, model->products[i]->name);
    }
    diag_report(command->diag, DIAG_UNKNOWN_NAME,
                (struct source_range){.file = model->root->source},
                "the schema has no product `%s`", wanted);
    if (nearest.best != NULL)
        diag_help(command->diag, "did you mean `%s`?", nearest.best);
    return NULL;
}

static const struct model_field *find_field(struct command *command,
                                            const struct model_product *p,
                                            const char *name)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, name);
    for (uint32_t i = 0; i < p->field_count; i++) {
        if (strcmp(p->fields[i].name, name) == 0)
            return &p->fields[i];
        atom_nearest_offer(&nearest, p->fields[i].name);
    }
    diag_report(command->diag, DIAG_UNKNOWN_NAME, p->at,
                "`%s` has no field `%s`", p->name, name);
    if (nearest.best != NULL)
        diag_help(command->diag, "did you mean `%s`?", nearest.best);
    return NULL;
}

int explain_run(struct command *command)
{
    for (int i = 1; i < command->argc; i++) {
        if (command->argv[i][0] == '-')
            return command_usage(command, "no such option: `%s`",
                                 command->argv[i]);
    }
    if (command->argc != 3)
        return command_usage(command, "a file and PRODUCT.FIELD, please");
    const struct model *model =
        compile_file(command->compile, command->argv[1]);
    if (model == NULL)
        return command_status(command);
    const char *what = command->argv[2], *dot = strchr(what, '.');
    size_t len = dot == NULL ? strlen(what) : (size_t)(dot - what);
    const struct model_product *product =
        find_product(command, model, what, len);
    if (product == NULL)
        return EXIT_FINDINGS;
    if (dot != NULL) {
        const struct model_field *field = find_field(command, product, dot + 1);
        if (field == NULL)
            return EXIT_FINDINGS;
        explain_field(field);
        return command_status(command);
    }
    for (uint32_t i = 0; i < product->field_count; i++) {
        if (i > 0)
            putchar('\n');
        explain_field(&product->fields[i]);
    }
    return command_status(command);
}
