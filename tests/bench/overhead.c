/* overhead.c: `warp-bench overhead`: pairs of work, in turn, many short rounds;
 * the median of the rounds' ratios counts, of three stores. Where valgrind is
 * in $PATH each side is run once more under callgrind, which counts the
 * instructions of the calling thread inside overhead_counted() and nothing
 * else. */
#include "overhead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "now.h"
#include "option.h"
#include "process.h"

enum {
    STORES = 3,
    ROUNDS = 101,
    ROUND_OPS = 1024,
    COUNTED_OPS = 2048,
    PATH_BYTES = 4608
};

static const char help[] =
    "  warp-bench overhead\n"
    "  warp-bench overhead --limit 5\n"
    "\n"
    "Compares generated get, set and put of a hot product with the same work\n"
    "by hand over the runtime's internal calls, and a product of 12 annotated\n"
    "fields with 12 bare ones: by time (median of 101 rounds, in turn, the\n"
    "middle one of three stores) and, where valgrind is in $PATH, by\n"
    "instructions of the calling thread.\n"
    "\n"
    "  --limit PERCENT  exit 1 when one of the pairs is above, by either\n"
    "  --no-count       by time alone\n"
    "  --json FILE      write the results there as JSON too\n"
    "  --dir DIR        where the store is made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 done, 1 above the limit or a call failed, 2 usage, 3 a\n"
    "file could not be written\n";

struct plan {
    double limit;
    bool no_count;
    const char *json, *dir, *count_case;
    uint64_t count_side;
};

struct figures {
    double base_ns, other_ns, time_percent;
    double base_count, other_count, count_percent; /* 0: not counted */
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int by_percent(const void *a, const void *b)
{
    return by_size(&((const struct figures *)a)->time_percent,
                   &((const struct figures *)b)->time_percent);
}

static int failed(const char *name, int rc)
{
    fprintf(stderr, "warp-bench: %s: %s\n", name, warp_strerror(rc));
    return 1;
}

/* ---- time ---- */

static int side_ns(struct overhead_bed *bed,
                   int (*work)(struct overhead_bed *, uint64_t), double *ns)
{
    uint64_t before = now_ns();
    int rc = work(bed, ROUND_OPS);
    *ns = (double)(now_ns() - before) / ROUND_OPS;
    return rc;
}

static int measure(struct overhead_bed *bed, const struct overhead_case *c,
                   struct figures *f)
{
    double base[ROUNDS], other[ROUNDS], ratio[ROUNDS];
    int rc = c->base(bed, ROUND_OPS);
    if (rc == WARP_OK)
        rc = c->other(bed, ROUND_OPS);
    for (int i = 0; i < ROUNDS && rc == WARP_OK; i++) {
        /* Each side is first in every second round. */
        if (i & 1)
            rc = side_ns(bed, c->other, &other[i]);
        if (rc == WARP_OK)
            rc = side_ns(bed, c->base, &base[i]);
        if (rc == WARP_OK && !(i & 1))
            rc = side_ns(bed, c->other, &other[i]);
        ratio[i] = other[i] / base[i];
    }
    if (rc != WARP_OK)
        return failed(c->name, rc);
    qsort(base, ROUNDS, sizeof *base, by_size);
    qsort(other, ROUNDS, sizeof *other, by_size);
    qsort(ratio, ROUNDS, sizeof *ratio, by_size);
    f->base_ns = base[ROUNDS / 2];
    f->other_ns = other[ROUNDS / 2];
    f->time_percent = (ratio[ROUNDS / 2] - 1) * 100;
    return 0;
}

/* ---- instructions ---- */

/* callgrind counts between the entry and the end of this function. */
int overhead_counted(const struct overhead_case *c, struct overhead_bed *bed,
                     bool other);
__attribute__((noinline)) int overhead_counted(const struct overhead_case *c,
                                               struct overhead_bed *bed,
                                               bool other)
{
    return (other ? c->other : c->base)(bed, COUNTED_OPS);
}

static const struct overhead_case *find_case(const char *name)
{
    for (unsigned i = 0; i < overhead_cases_count; i++)
        if (strcmp(overhead_cases[i].name, name) == 0)
            return &overhead_cases[i];
    return NULL;
}

/* What runs under callgrind. */
static int count_here(const struct plan *plan, const char *dir)
{
    struct overhead_bed bed;
    const struct overhead_case *c = find_case(plan->count_case);
    if (!c) {
        fprintf(stderr, "warp-bench: no pair called %s\n", plan->count_case);
        return 2;
    }
    int rc = overhead_bed_open(&bed, dir);
    if (rc != WARP_OK)
        fprintf(stderr, "warp-bench: %s\n", warp_errmsg(bed.db));
    if (rc == WARP_OK)
        rc = c->base(&bed, COUNTED_OPS);
    if (rc == WARP_OK)
        rc = c->other(&bed, COUNTED_OPS);
    if (rc == WARP_OK)
        rc = overhead_counted(c, &bed, plan->count_side == 1);
    int closed = overhead_bed_close(&bed);
    rc = rc == WARP_OK ? closed : rc;
    return rc == WARP_OK ? 0 : failed(c->name, rc);
}

static double read_total(const char *path)
{
    char line[400];
    unsigned long long total = 0;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "totals: %llu", &total) == 1 ||
            sscanf(line, "summary: %llu", &total) == 1)
            break;
    if (file)
        fclose(file);
    return (double)total / COUNTED_OPS;
}

/* Instructions of one operation; 0 where it cannot be counted. */
static double count_side(const struct overhead_case *c, int side,
                         const char *dir)
{
    char self[PATH_BYTES], path[PATH_BYTES], out[PATH_BYTES + 32];
    char log[PATH_BYTES];
    char number[16];
    struct process_cost cost;
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    if (bytes <= 0)
        return 0;
    self[bytes] = 0;
    snprintf(path, sizeof path, "%s/count", dir);
    snprintf(out, sizeof out, "--callgrind-out-file=%s", path);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(number, sizeof number, "%d", side);
    const char *argv[] = {"valgrind", "--tool=callgrind",
                          "--toggle-collect=overhead_counted", out, self,
                          "overhead", "--count", c->name, "--side", number,
                          "--dir", dir, NULL};
    if (process_run(argv, log, 0, &cost) != 0 || cost.status != 0)
        return 0;
    return read_total(path);
}

static void count(const struct overhead_case *c, const char *dir,
                  struct figures *f)
{
    f->base_count = count_side(c, 0, dir);
    f->other_count = count_side(c, 1, dir);
    if (f->base_count > 0 && f->other_count > 0)
        f->count_percent = (f->other_count / f->base_count - 1) * 100;
    else
        f->base_count = f->other_count = 0;
}

/* ---- report ---- */

static void print(const struct overhead_case *c, const struct figures *f)
{
    printf("  %-14s %-9s %-13s %7.1f %7.1f %+7.2f", c->name, c->base_is,
           c->other_is, f->base_ns, f->other_ns, f->time_percent);
    if (f->base_count > 0)
        printf(" %9.0f %9.0f %+7.2f\n", f->base_count, f->other_count,
               f->count_percent);
    else
        puts("         -         -       -");
    fflush(stdout);
}

static int write_json(const char *path, const struct figures *figures)
{
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!path)
        return 0;
    if (file) {
        fputs("{\"overhead\":[", file);
        for (unsigned i = 0; i < overhead_cases_count; i++) {
            const struct figures *f = &figures[i];
            fprintf(file,
                    "%s\n{\"name\":\"%s\",\"base_ns\":%.2f,\"other_ns\":%.2f,"
                    "\"time_percent\":%.2f,\"base_instructions\":%.1f,"
                    "\"other_instructions\":%.1f,"
                    "\"instructions_percent\":%.2f}",
                    i ? "," : "", overhead_cases[i].name, f->base_ns,
                    f->other_ns, f->time_percent, f->base_count,
                    f->other_count, f->count_percent);
        }
        fputs("\n]}\n", file);
    }
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "warp-bench: cannot write %s\n", path);
        return 3;
    }
    return 0;
}

static int measure_all(const char *dir, struct figures *figures)
{
    struct overhead_bed bed;
    int rc = overhead_bed_open(&bed, dir);
    if (rc != WARP_OK) {
        fprintf(stderr, "warp-bench: %s\n", warp_errmsg(bed.db));
        overhead_bed_close(&bed);
        return 1;
    }
    for (unsigned i = 0; i < overhead_cases_count && rc == 0; i++)
        rc = measure(&bed, &overhead_cases[i], &figures[i]);
    int closed = overhead_bed_close(&bed);
    return rc == 0 && closed != WARP_OK ? failed("close", closed) : rc;
}

/* Where the memory of a store lies makes one side faster by some per cent, for
 * as long as it is open. */
static int measure_stores(const char *dir, struct figures *figures)
{
    unsigned count = overhead_cases_count;
    struct figures *all = calloc(STORES * count, sizeof *all);
    int rc = all ? 0 : failed("overhead", WARP_ENOMEM);
    for (unsigned s = 0; s < STORES && rc == 0; s++) {
        char store[FOLDER_PATH_BYTES];
        rc = folder_make(dir, store);
        rc = rc == 0 ? measure_all(store, all + s * count) : 3;
    }
    for (unsigned i = 0; i < count && rc == 0; i++) {
        struct figures f[STORES];
        for (unsigned s = 0; s < STORES; s++)
            f[s] = all[s * count + i];
        qsort(f, STORES, sizeof *f, by_percent);
        figures[i] = f[STORES / 2];
    }
    free(all);
    return rc;
}

static int run(const struct plan *plan, const char *dir,
               struct figures *figures)
{
    bool counts = !plan->no_count && process_is_there("valgrind");
    int rc = measure_stores(dir, figures);
    printf("  %-14s %-9s %-13s %7s %7s %7s %9s %9s %7s\n", "work", "base",
           "against", "ns", "ns", "%", "instr.", "instr.", "%");
    for (unsigned i = 0; i < overhead_cases_count && rc == 0; i++) {
        char store[FOLDER_PATH_BYTES];
        if (counts && folder_make(dir, store) == 0)
            count(&overhead_cases[i], store, &figures[i]);
        print(&overhead_cases[i], &figures[i]);
    }
    if (rc == 0 && !counts && !plan->no_count)
        puts("valgrind is not in $PATH: instructions are not counted");
    for (unsigned i = 0; i < overhead_cases_count && rc == 0; i++)
        if (plan->limit > 0 && (figures[i].time_percent > plan->limit ||
                                figures[i].count_percent > plan->limit)) {
            printf("%s is above the limit of %g %%\n", overhead_cases[i].name,
                   plan->limit);
            rc = 1;
        }
    return rc;
}

int overhead_main(int argc, char **argv)
{
    struct plan plan = {0};
    char dir[FOLDER_PATH_BYTES];
    int status;
    const struct option table[] = {
        {"--limit", OPTION_REAL, 0.001, 1000, &plan.limit},
        {"--no-count", OPTION_FLAG, 0, 0, &plan.no_count},
        {"--json", OPTION_TEXT, 0, 0, &plan.json},
        {"--dir", OPTION_TEXT, 0, 0, &plan.dir},
        /* For itself, under callgrind: one side of one pair. */
        {"--count", OPTION_TEXT, 0, 0, &plan.count_case},
        {"--side", OPTION_NUMBER, 0, 1, &plan.count_side},
        {0},
    };
    if (option_read(argc, argv, table, help, &status) != 0)
        return status;
    struct figures *figures = calloc(overhead_cases_count, sizeof *figures);
    if (!figures || folder_make(plan.dir, dir) != 0) {
        free(figures);
        return 3;
    }
    if (plan.count_case)
        status = count_here(&plan, dir);
    else
        status = run(&plan, dir, figures);
    if (!plan.count_case && status <= 1) {
        int written = write_json(plan.json, figures);
        status = written ? written : status;
    }
    folder_remove(dir);
    free(figures);
    return status;
}
