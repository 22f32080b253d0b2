/* Results -> a table for people, with the ratio of the first engine's rate
 * (Warp's, where it takes part) to each, and JSON for programs. */
#include <stdio.h>
#include <string.h>

#include "kv.h"

static const char *durability_name(const struct kv_plan *plan)
{
    return plan->durability == KV_POWER_LOSS ? "power_loss" : "process_crash";
}

static bool same_block(const struct kv_result *a, const struct kv_result *b)
{
    return a->workload == b->workload && a->threads == b->threads &&
           a->records == b->records && a->value_bytes == b->value_bytes;
}

static const struct kv_result *base_of(const struct kv_result *block,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(block[i].engine->name, "warp") == 0)
            return &block[i];
    return &block[0];
}

static void print_block(const struct kv_plan *plan,
                        const struct kv_result *block, size_t count)
{
    const struct kv_result *base = base_of(block, count);
    char against[40];
    snprintf(against, sizeof against, "%s is", base->engine->name);
    printf("\n%s: %s; %u thread%s, %llu records, %zu bytes, %s\n",
           block->workload->name, block->workload->about, block->threads,
           block->threads == 1 ? "" : "s", (unsigned long long)block->records,
           block->value_bytes, durability_name(plan));
    printf("  %-11s %10s %8s %8s %8s %8s %7s %7s %7s %7s %6s %11s\n", "engine",
           "ops/s", "p50 us", "p99 us", "p999 us", "max us", "cpu ns",
           "all ns", "disk MB", "mem MB", "errors", against);
    for (size_t i = 0; i < count; i++) {
        const struct kv_result *r = &block[i];
        printf("  %-11s %10.0f %8.2f %8.2f %8.2f %8.0f %7.0f %7.0f %7.0f "
               "%7.0f %6llu",
               r->engine->name, r->ops_per_s, r->p50_us, r->p99_us, r->p999_us,
               r->max_us, r->call_ns, r->all_ns, r->disk_bytes / 1e6,
               r->memory_bytes / 1e6, (unsigned long long)r->errors);
        if (r == base || r->ops_per_s <= 0)
            printf(" %11s\n", "-");
        else
            printf(" %10.2fx\n", base->ops_per_s / r->ops_per_s);
    }
    for (size_t i = 0; i < count; i++)
        if (block[i].flushed > 0)
            printf("  %s: checkpoints that ended wrote %.0f records, %.0f ns "
                   "of processor time each\n",
                   block[i].engine->name, block[i].flushed,
                   block[i].flushed_ns);
}

void kv_report_table(const struct kv_plan *plan,
                     const struct kv_result *results, size_t count)
{
    for (size_t from = 0; from < count;) {
        size_t to = from + 1;
        while (to < count && same_block(&results[from], &results[to]))
            to++;
        print_block(plan, results + from, to - from);
        from = to;
    }
    puts("\ncpu: processor time of the calling threads for an operation; all:\n"
         "of the process, with its background work.");
    puts("\nA ratio compares different classes of engines:");
    for (unsigned i = 0; i < plan->engines_count; i++)
        printf("  %-11s %s\n", plan->engines[i]->name, plan->engines[i]->about);
}

int kv_report_json(const struct kv_plan *plan, const struct kv_result *results,
                   size_t count)
{
    if (plan->json_path == NULL)
        return 0;
    FILE *file = fopen(plan->json_path, "w");
    if (file == NULL) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->json_path);
        return -1;
    }
    fputs("{\"results\":[", file);
    for (size_t i = 0; i < count; i++) {
        const struct kv_result *r = &results[i];
        fprintf(file,
                "%s\n{\"engine\":\"%s\",\"workload\":\"%s\",\"threads\":%u,"
                "\"value_bytes\":%zu,\"records\":%llu,\"durability\":\"%s\","
                "\"ops_per_s\":%.1f,\"p50_us\":%.3f,\"p99_us\":%.3f,"
                "\"p999_us\":%.3f,\"max_us\":%.1f,\"call_cpu_ns\":%.1f,"
                "\"all_cpu_ns\":%.1f,\"written_bytes_per_op\":%.1f,"
                "\"lock_waits_per_op\":%.6f,\"futex_calls_per_op\":%.6f,"
                "\"memory_bytes\":%.0f,\"disk_bytes\":%.0f,"
                "\"flushed_records\":%.0f,\"flushed_cpu_ns\":%.1f,"
                "\"errors\":%llu}",
                i == 0 ? "" : ",", r->engine->name, r->workload->name,
                r->threads, r->value_bytes, (unsigned long long)r->records,
                durability_name(plan), r->ops_per_s, r->p50_us, r->p99_us,
                r->p999_us, r->max_us, r->call_ns, r->all_ns,
                r->written_bytes, r->lock_waits, r->futex_calls,
                r->memory_bytes, r->disk_bytes, r->flushed, r->flushed_ns,
                (unsigned long long)r->errors);
    }
    fputs("\n]}\n", file);
    bool bad = ferror(file) != 0;
    if (fclose(file) != 0 || bad) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->json_path);
        return -1;
    }
    return 0;
}
