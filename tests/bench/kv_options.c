/* The command line of `warp-bench kv` -> a plan. Everything wrong is said in
 * one line and ends with status 2; nothing is measured here. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "kv.h"
#include "kv_workload.h"

static const char help_text[] =
    "  warp-bench kv\n"
    "  warp-bench kv --engines warp,lmdb --workloads load,a,c --threads 1,2\n"
    "  warp-bench kv --workloads w --threads 1,16,64 --durability power_loss\n"
    "  warp-bench kv --records 1000000 --value 100,1000 --json kv.json\n"
    "\n"
    "Measures key-value work (16-byte keys) on Warp and on its peers, one\n"
    "after the other, on stores that are removed afterwards.\n"
    "\n"
    "  --engines LIST      of those below; all that were built in\n"
    "  --workloads LIST    of those below; load,a,b,c,w\n"
    "  --threads LIST      1,2\n"
    "  --records LIST      1000000\n"
    "  --value LIST        bytes in a value; 100\n"
    "  --durability D      process_crash: writes survive kill -9 (default);\n"
    "                      power_loss: writes are synced\n"
    "  --seconds S         for each workload but load; 3\n"
    "  --every S           also the rate of each S seconds, as it goes\n"
    "  --repeat N          repeats; medians are reported; 3\n"
    "  --json FILE         write the results there as JSON too\n"
    "  --plot FILE         draw the rates there, as SVG\n"
    "  --dir DIR           where stores are made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 all measured, 1 an engine failed or returned wrong\n"
    "values, 2 usage, 3 a file could not be written\n";

static void print_help(void)
{
    fputs(help_text, stdout);
    puts("\nworkloads:");
    for (unsigned i = 0; i < kv_workloads_count; i++)
        printf("  %-12s %s\n", kv_workloads[i].name, kv_workloads[i].about);
    puts("\nengines in this build:");
    for (size_t i = 0; i < engine_count; i++)
        printf("  %-12s %s\n", engine_table[i]->name, engine_table[i]->about);
}

/* The next word of a comma-separated list; false at its end. */
static bool next_word(const char **rest, const char **word, size_t *bytes)
{
    if (*rest == NULL)
        return false;
    const char *comma = strchr(*rest, ',');
    *word = *rest;
    *bytes = comma != NULL ? (size_t)(comma - *rest) : strlen(*rest);
    *rest = comma != NULL ? comma + 1 : NULL;
    return true;
}

static int wrong(const char *option, const char *what, const char *word,
                 size_t bytes)
{
    fprintf(stderr, "warp-bench: %s: %s: '%.*s'\n", option, what, (int)bytes,
            word);
    return 2;
}

static int read_engines(const char *list, struct kv_plan *plan)
{
    const char *word;
    size_t bytes;
    plan->engines_count = 0;
    while (next_word(&list, &word, &bytes)) {
        const struct engine *engine = engine_find(word, bytes);
        if (engine == NULL && engine_is_known(word, bytes))
            return wrong("--engines",
                         "not in this build, its development files were not "
                         "found",
                         word, bytes);
        if (engine == NULL)
            return wrong("--engines", "no such engine", word, bytes);
        for (unsigned i = 0; i < plan->engines_count; i++)
            if (plan->engines[i] == engine)
                return wrong("--engines", "named twice", word, bytes);
        plan->engines[plan->engines_count++] = engine;
    }
    return 0;
}

int kv_plan_workloads(const char *list, struct kv_plan *plan)
{
    const char *word;
    size_t bytes;
    plan->workloads_count = 0;
    while (next_word(&list, &word, &bytes)) {
        const struct kv_workload *found = NULL;
        for (unsigned i = 0; i < kv_workloads_count; i++)
            if (strlen(kv_workloads[i].name) == bytes &&
                memcmp(kv_workloads[i].name, word, bytes) == 0)
                found = &kv_workloads[i];
        if (found == NULL)
            return wrong("--workloads", "no such workload", word, bytes);
        for (unsigned i = 0; i < plan->workloads_count; i++)
            if (plan->workloads[i] == found)
                return wrong("--workloads", "named twice", word, bytes);
        plan->workloads[plan->workloads_count++] = found;
    }
    return 0;
}

/* A whole number from low to high, at text[0 .. bytes). */
static bool read_number(const char *text, size_t bytes, uint64_t low,
                        uint64_t high, uint64_t *number)
{
    char *end = NULL;
    if (bytes == 0 || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end == text + bytes && *number >= low &&
           *number <= high;
}

static int read_numbers(const char *option, const char *list, uint64_t low,
                        uint64_t high, uint64_t *numbers, unsigned *count)
{
    const char *word;
    size_t bytes;
    char what[80];
    *count = 0;
    snprintf(what, sizeof what, "not a number from %llu to %llu",
             (unsigned long long)low, (unsigned long long)high);
    while (next_word(&list, &word, &bytes)) {
        if (*count == KV_LIST_MAX)
            return wrong(option, "more than 16 in the list", word, bytes);
        if (!read_number(word, bytes, low, high, &numbers[*count]))
            return wrong(option, what, word, bytes);
        ++*count;
    }
    return 0;
}

int kv_plan_threads(const char *list, struct kv_plan *plan)
{
    uint64_t numbers[KV_LIST_MAX];
    unsigned count = 0;
    int rc = read_numbers("--threads", list, 1, KV_THREADS_MAX, numbers,
                          &count);
    for (unsigned i = 0; i < count && rc == 0; i++)
        plan->threads[i] = (unsigned)numbers[i];
    plan->threads_count = count;
    return rc;
}

static int read_durability(const char *word, struct kv_plan *plan)
{
    if (strcmp(word, "process_crash") == 0)
        plan->durability = KV_PROCESS_CRASH;
    else if (strcmp(word, "power_loss") == 0)
        plan->durability = KV_POWER_LOSS;
    else
        return wrong("--durability", "process_crash or power_loss is wanted",
                     word, strlen(word));
    return 0;
}

static int read_seconds(const char *option, const char *word, double *seconds)
{
    char *end = NULL;
    *seconds = strtod(word, &end);
    if (end == word || *end != 0 || !isfinite(*seconds) || *seconds < 0.01 ||
        *seconds > 3600)
        return wrong(option, "not a time from 0.01 to 3600", word,
                     strlen(word));
    return 0;
}

static int read_one(const char *option, const char *value, struct kv_plan *plan)
{
    uint64_t numbers[KV_LIST_MAX];
    unsigned count = 0;
    int rc = 0;
    if (strcmp(option, "--engines") == 0)
        return read_engines(value, plan);
    if (strcmp(option, "--workloads") == 0)
        return kv_plan_workloads(value, plan);
    if (strcmp(option, "--durability") == 0)
        return read_durability(value, plan);
    if (strcmp(option, "--seconds") == 0)
        return read_seconds(option, value, &plan->seconds);
    if (strcmp(option, "--every") == 0)
        return read_seconds(option, value, &plan->every);
    if (strcmp(option, "--json") == 0)
        plan->json_path = value;
    else if (strcmp(option, "--plot") == 0)
        plan->plot_path = value;
    else if (strcmp(option, "--dir") == 0)
        plan->dir = value;
    else if (strcmp(option, "--threads") == 0) {
        rc = kv_plan_threads(value, plan);
    } else if (strcmp(option, "--records") == 0) {
        rc = read_numbers(option, value, 1, UINT32_MAX, numbers, &count);
        for (unsigned i = 0; i < count && rc == 0; i++)
            plan->records[i] = numbers[i];
        plan->records_count = count;
    } else if (strcmp(option, "--value") == 0) {
        rc = read_numbers(option, value, 1, KV_VALUE_MAX, numbers, &count);
        for (unsigned i = 0; i < count && rc == 0; i++)
            plan->value_bytes[i] = (size_t)numbers[i];
        plan->values_count = count;
    } else {
        rc = read_numbers(option, value, 1, KV_REPEAT_MAX, numbers, &count);
        if (rc == 0 && count != 1)
            rc = wrong(option, "one number is wanted", value, strlen(value));
        plan->repeat = (unsigned)numbers[0];
    }
    return rc;
}

static bool takes_value(const char *option)
{
    static const char *const options[] = {
        "--engines", "--workloads",  "--threads", "--records", "--value",
        "--json",    "--plot",       "--durability",
        "--seconds", "--every",      "--repeat",  "--dir"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i], option) == 0)
            return true;
    return false;
}

void kv_plan_default(struct kv_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    for (size_t i = 0; i < engine_count; i++)
        plan->engines[plan->engines_count++] = engine_table[i];
    for (unsigned i = 0; i < kv_workloads_count; i++)
        if (!kv_workloads[i].extra)
            plan->workloads[plan->workloads_count++] = &kv_workloads[i];
    plan->threads[0] = 1;
    plan->threads[1] = 2;
    plan->threads_count = 2;
    plan->records[0] = 1000000;
    plan->value_bytes[0] = 100;
    plan->records_count = plan->values_count = 1;
    plan->seconds = 3;
    plan->repeat = 3;
    plan->dir = folder_base();
}

int kv_options_read(int argc, char **argv, struct kv_plan *plan, int *status)
{
    kv_plan_default(plan);
    *status = 0;
    for (int i = 0; i < argc; i++) {
        char option[32];
        const char *equals = strchr(argv[i], '=');
        const char *value = NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 1;
        }
        /* --option=value is --option value. */
        size_t bytes =
            equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        snprintf(option, sizeof option, "%.*s", (int)bytes, argv[i]);
        if (bytes >= sizeof option || !takes_value(option)) {
            *status = wrong("kv", "unknown option", argv[i], strlen(argv[i]));
            fputs("warp-bench kv --help lists them\n", stderr);
            return 1;
        }
        if (equals != NULL)
            value = equals + 1;
        else if (i + 1 < argc)
            value = argv[++i];
        if (value == NULL || value[0] == 0) {
            *status = wrong("kv", "a value is missing", option, bytes);
            return 1;
        }
        *status = read_one(option, value, plan);
        if (*status != 0)
            return 1;
    }
    return 0;
}
