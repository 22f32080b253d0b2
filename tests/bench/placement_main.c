/* `warp-bench placement`: the command line -> a plan, and its run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement.h"
#include "placement_report.h"

static const char help_text[] =
    "  warp-bench placement --trace web.csv.xz\n"
    "  warp-bench placement --trace web.csv --capacity 1,10,50 --json w.json\n"
    "  warp-bench placement --trace w.csv --policies lru,engine --plot w.svg\n"
    "  warp-bench placement --trace web.csv --store /var/tmp\n"
    "\n"
    "Replays a trace through policies that decide what a fast tier keeps, and\n"
    "tells how near each comes to the best that can be.\n"
    "\n"
    "  --trace FILE        CSV with the head time_s,key_u64,size,op; plain,\n"
    "                      .gz or .xz\n"
    "  --capacity LIST     of the fast tier, percent of the bytes of all\n"
    "                      objects; 1,10,50\n"
    "  --policies LIST     of those below; all\n"
    "  --latency LIST      us of a request that the fast, the middle and the\n"
    "                      slow tier serve; 0.5,80,100: memory, a read of a\n"
    "                      solid-state disk, a read and its decompression\n"
    "  --middle X          the middle tier is X times the fast one; 4\n"
    "  --moves LIST        us of bringing an object into the fast and the\n"
    "                      middle tier; 0,0. With them: what a request costs,\n"
    "                      moves counted, and G of that against a bound\n"
    "  --seeds N           runs that are averaged (of --store: the best); 1\n"
    "  --unit              every object takes the same room\n"
    "  --vary              64 to 65536 bytes, as its key's hash says\n"
    "  --cost              time each request of the engine too\n"
    "  --store DIR         no harness: gets of a real store made below DIR\n"
    "                      with a fifth of its records' bytes as memory, by\n"
    "                      plain LRU and by the engine\n"
    "  --value-bytes N     of each record there; 1000\n"
    "  --json FILE         write the results there as JSON too\n"
    "  --plot FILE         write them there as an SVG too\n"
    "\n"
    "G: share of the gap between static hashing and the optimum that is\n"
    "closed. A: requests served no slower than by the optimum. regret: the\n"
    "gap of hashing / that of the policy. late: the second half.\n"
    "\n"
    "exit status: 0 measured, 1 no memory, 2 usage, 3 a file could not be\n"
    "read or written\n";

static const struct placement_policy *const all_policies[] = {
    &placement_lru,      &placement_lfu, &placement_arc,
    &placement_lirs,     &placement_s3fifo, &placement_sieve,
    &placement_wtinylfu, &placement_lhd, &placement_engine,
};
enum {
    POLICIES = sizeof all_policies / sizeof all_policies[0],
    CAPACITIES = 16
};

struct command {
    const char *trace, *json, *plot, *store;
    uint32_t value_bytes;
    double capacities[CAPACITIES];
    unsigned capacities_count;
    const struct placement_policy *policies[POLICIES];
    unsigned policies_count;
    struct placement_plan plan;
    bool unit, vary, cost;
};

static int wrong(const char *option, const char *what, const char *value)
{
    fprintf(stderr, "warp-bench: %s: %s: '%s'\n", option, what, value);
    return 2;
}

/* Numbers over `low` up to `high`; how many, or -1. */
static int read_numbers(const char *text, double low, double high,
                        double *numbers, int most)
{
    int count = 0;
    for (;; text++) {
        char *end = NULL;
        double number = strtod(text, &end);
        if (end == text || count == most || !isfinite(number) ||
            number <= low || number > high)
            return -1;
        numbers[count++] = number;
        if (*end == '\0')
            return count;
        if (*end != ',')
            return -1;
        text = end;
    }
}

static int read_policies(const char *list, struct command *c)
{
    c->policies_count = 0;
    while (*list) {
        size_t bytes = strcspn(list, ",");
        const struct placement_policy *found = NULL;
        for (unsigned i = 0; i < POLICIES; i++)
            if (strlen(all_policies[i]->name) == bytes &&
                memcmp(all_policies[i]->name, list, bytes) == 0)
                found = all_policies[i];
        for (unsigned i = 0; i < c->policies_count; i++)
            if (c->policies[i] == found)
                return wrong("--policies", "named twice", list);
        if (!found)
            return wrong("--policies", "no such policy", list);
        c->policies[c->policies_count++] = found;
        list += bytes + (list[bytes] == ',');
    }
    return c->policies_count > 0 ? 0
                                 : wrong("--policies", "names none", list);
}

static int read_value(const char *option, const char *value, struct command *c)
{
    double one[1];
    if (strcmp(option, "--trace") == 0) {
        c->trace = value;
    } else if (strcmp(option, "--json") == 0) {
        c->json = value;
    } else if (strcmp(option, "--plot") == 0) {
        c->plot = value;
    } else if (strcmp(option, "--policies") == 0) {
        return read_policies(value, c);
    } else if (strcmp(option, "--capacity") == 0) {
        int n = read_numbers(value, 0, 100, c->capacities, CAPACITIES);
        if (n < 0)
            return wrong(option, "up to 16 numbers over 0 up to 100", value);
        c->capacities_count = (unsigned)n;
    } else if (strcmp(option, "--latency") == 0) {
        double *us = c->plan.latency_us;
        if (read_numbers(value, 0, 1e9, us, PLACEMENT_TIERS) !=
                PLACEMENT_TIERS || us[0] >= us[1] || us[1] > us[2])
            return wrong(option, "three times, the fast tier's first", value);
    } else if (strcmp(option, "--moves") == 0) {
        if (read_numbers(value, -1, 1e9, c->plan.move_us,
                         PLACEMENT_TIERS - 1) != PLACEMENT_TIERS - 1 ||
            c->plan.move_us[0] < 0 || c->plan.move_us[1] < 0)
            return wrong(option, "two times, into the fast tier first", value);
    } else if (strcmp(option, "--store") == 0) {
        c->store = value;
    } else if (strcmp(option, "--value-bytes") == 0) {
        if (read_numbers(value, 15, 1 << 20, one, 1) != 1)
            return wrong(option, "not a number from 16 to 2^20", value);
        c->value_bytes = (uint32_t)one[0];
    } else if (strcmp(option, "--middle") == 0) {
        if (read_numbers(value, 0, 1e6, one, 1) != 1)
            return wrong(option, "not a number over 0", value);
        c->plan.middle = one[0];
    } else if (strcmp(option, "--seeds") == 0) {
        if (read_numbers(value, 0, 100, one, 1) != 1 || one[0] != floor(one[0]))
            return wrong(option, "not a whole number from 1 to 100", value);
        c->plan.seeds = (unsigned)one[0];
    } else {
        return wrong(option, "no such option; see --help", value);
    }
    return 0;
}

static int read_command(int argc, char **argv, struct command *c)
{
    for (int i = 0; i < argc; i++) {
        int rc = 0;
        if (strcmp(argv[i], "--unit") == 0) {
            c->unit = true;
        } else if (strcmp(argv[i], "--vary") == 0) {
            c->vary = true;
        } else if (strcmp(argv[i], "--cost") == 0) {
            c->cost = true;
        } else if (i + 1 < argc) {
            rc = read_value(argv[i], argv[i + 1], c);
            i++;
        } else {
            rc = wrong(argv[i], "no such option, or its value is missing", "");
        }
        if (rc != 0)
            return rc;
    }
    return c->trace ? 0 : wrong("--trace", "a file is wanted", "");
}

static int measure_store(const struct command *c,
                         const struct placement_trace *trace)
{
    struct placement_store_result r[2];
    if (placement_measure_store(trace, c->store, c->value_bytes,
                                c->plan.seeds, r) != 0)
        return 3;
    placement_report_store(trace, r);
    return 0;
}

static int measure(const struct command *c, const struct placement_trace *trace,
                   struct placement_result *results)
{
    unsigned each = c->policies_count + 2, count = 0;
    bool moves = c->plan.move_us[0] + c->plan.move_us[1] > 0;
    placement_report_head(trace, moves);
    for (unsigned i = 0; i < c->capacities_count; i++) {
        if (placement_measure(trace, c->capacities[i], &c->plan, c->policies,
                              c->policies_count, results + count) < 0) {
            fputs("warp-bench: no memory\n", stderr);
            return 1;
        }
        placement_report_rows(results + count, each, moves);
        count += each;
    }
    for (unsigned i = 0; c->cost && i < c->capacities_count; i++) {
        struct placement_cost cost;
        if (placement_measure_cost(trace, c->capacities[i], &cost) != 0) {
            fputs("warp-bench: no memory\n", stderr);
            return 1;
        }
        placement_report_cost(&cost);
    }
    if (c->json && placement_report_json(c->json, trace, results, count) != 0)
        return wrong("--json", "cannot be written", c->json) + 1;
    if (c->plot && placement_report_plot(c->plot, trace, results, count,
                                         each) != 0)
        return wrong("--plot", "cannot be written", c->plot) + 1;
    return 0;
}

int placement_main(int argc, char **argv)
{
    struct command c = {.plan = placement_default_plan,
                        .capacities = {1, 10, 50},
                        .capacities_count = 3,
                        .value_bytes = 1000,
                        .policies_count = POLICIES};
    memcpy(c.policies, all_policies, sizeof all_policies);
    if (argc == 1 &&
        (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        fputs(help_text, stdout);
        fputs("\npolicies, beside hash and optimum:", stdout);
        for (unsigned i = 0; i < POLICIES; i++)
            printf(" %s", all_policies[i]->name);
        putchar('\n');
        return 0;
    }
    int rc = read_command(argc, argv, &c);
    if (rc != 0)
        return rc;
    struct placement_trace trace;
    char error[200];
    if (placement_trace_read(&trace, c.trace, error, sizeof error) != 0) {
        fprintf(stderr, "warp-bench: %s: %s\n", c.trace, error);
        return 3;
    }
    if (c.unit)
        placement_trace_even(&trace);
    if (c.vary)
        placement_trace_vary(&trace);
    static struct placement_result results[CAPACITIES * (POLICIES + 2)];
    rc = c.store ? measure_store(&c, &trace) : measure(&c, &trace, results);
    placement_trace_fini(&trace);
    return rc;
}
