/* compiler_bench.c: `warp-bench compiler`: how long warpc takes for a schema of
 * many products of 12 fields, what memory, and how much text it writes; beside
 * it flatcc and protoc-c on the same shape where they are installed. With --cc
 * also what a C compiler makes of the text. To add a peer: a row in `tools`. */
#include "compiler_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "option.h"
#include "process.h"

enum { FIELDS = 12, RUNS_MAX = 99, CC_PRODUCTS = 20, PATH_BYTES = 4608 };

static const char help[] =
    "  warp-bench compiler\n"
    "  warp-bench compiler --products 1000 --limit-ms 60\n"
    "  warp-bench compiler --cc \"$(pkg-config --cflags warp)\"\n"
    "\n"
    "Compiles a schema of many products of 12 fields with warpc, and the same\n"
    "shape with flatcc and protoc-c where they are in $PATH. Times are whole\n"
    "processes, medians; each run writes into an empty folder.\n"
    "\n"
    "  --products N    1000\n"
    "  --repeat N      runs of each; 9\n"
    "  --limit-ms M    exit 1 when warpc's median is above\n"
    "  --cc FLAGS      also: time of `cc -O2 -c` and bytes of machine code\n"
    "                  for a product, of 20 products\n"
    "  --warpc PATH    beside this program, else from $PATH\n"
    "  --json FILE     write the results there as JSON too\n"
    "  --dir DIR       where files are made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 done, 1 above the limit or a compiler failed, 2 usage,\n"
    "3 a file could not be written\n";

struct plan {
    uint64_t products, repeat;
    double limit_ms;
    const char *cc, *warpc, *json, *dir;
};

struct figures {
    double median_ms, least_ms;
    double text_bytes, memory_bytes;
    double cc_ms, code_bytes; /* of one product; 0: not measured */
};

/* One field each of the usual types, in the three languages. */
static const struct {
    const char *warp, *flat, *proto;
} types[FIELDS] = {
    {"u64", "ulong", "uint64"},      {"string", "string", "string"},
    {"f32", "float", "float"},       {"f64", "double", "double"},
    {"i64", "long", "int64"},        {"u32", "uint", "uint32"},
    {"bool", "bool", "bool"},        {"timestamp", "long", "int64"},
    {"string<34>", "string", "string"}, {"bytes", "[ubyte]", "bytes"},
    {"i32", "int", "int32"},         {"u16", "ushort", "uint32"},
};

static void write_warp(FILE *file, uint64_t products)
{
    fputs("@prefix \"bench\"\n", file);
    for (uint64_t p = 0; p < products; p++) {
        fprintf(file, "\ndefproduct Product%llu do\n",
                (unsigned long long)p);
        for (int i = 0; i < FIELDS; i++)
            fprintf(file, "  %s%.0d :: %s%s\n", i ? "field_" : "id", i,
                    types[i].warp, i ? ", persist: :memory" : "");
        fputs("end\n", file);
    }
}

static void write_flat(FILE *file, uint64_t products)
{
    fputs("namespace bench;\n", file);
    for (uint64_t p = 0; p < products; p++) {
        fprintf(file, "table Product%llu {\n", (unsigned long long)p);
        for (int i = 0; i < FIELDS; i++)
            fprintf(file, "  %s%.0d:%s;\n", i ? "field_" : "id", i,
                    types[i].flat);
        fputs("}\n", file);
    }
}

static void write_proto(FILE *file, uint64_t products)
{
    fputs("syntax = \"proto3\";\npackage bench;\n", file);
    for (uint64_t p = 0; p < products; p++) {
        fprintf(file, "message Product%llu {\n", (unsigned long long)p);
        for (int i = 0; i < FIELDS; i++)
            fprintf(file, "  %s %s%.0d = %d;\n", types[i].proto,
                    i ? "field_" : "id", i, i + 1);
        fputs("}\n", file);
    }
}

struct tool {
    const char *name, *input; /* of the schema, in the folder */
    void (*write)(FILE *file, uint64_t products);
    const char *args[5];      /* IN and OUT stand for paths */
    const char *object;       /* the C file it writes, or NULL */
};
static const char IN[] = "in", OUT[] = "out";
static const struct tool tools[] = {
    {"warpc", "schema.warp", write_warp, {"gen", IN, "-o", OUT},
     "schema.warp.c"},
    {"flatcc", "schema.fbs", write_flat, {"-a", "-o", OUT, IN}, NULL},
    {"protoc-c", "schema.proto", write_proto, {"--c_out", OUT, "-I", ".", IN},
     "schema.pb-c.c"},
};
enum { TOOLS = sizeof tools / sizeof tools[0] };

/* ---- running ---- */

static int write_schema(const struct tool *tool, const char *path,
                        uint64_t products)
{
    FILE *file = fopen(path, "w");
    if (file)
        tool->write(file, products);
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "warp-bench: cannot write %s\n", path);
        return 3;
    }
    return 0;
}

static void show_log(const char *name, const char *log)
{
    char line[400];
    FILE *file = fopen(log, "r");
    fprintf(stderr, "warp-bench: %s fails\n", name);
    for (int i = 0; file && i < 10 && fgets(line, sizeof line, file); i++)
        fprintf(stderr, "  %s", line);
    if (file)
        fclose(file);
}

/* One compilation into an empty folder `out`. */
static int compile(const struct tool *tool, const char *program,
                   const char *dir, int memory, struct process_cost *cost)
{
    char in[PATH_BYTES], out[PATH_BYTES], log[PATH_BYTES];
    char here[PATH_BYTES];
    snprintf(in, sizeof in, "%s/%s", dir, tool->input);
    snprintf(out, sizeof out, "%s/out", dir);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(here, sizeof here, "%s", dir);
    folder_remove(out);
    if (mkdir(out, 0700) != 0) {
        fprintf(stderr, "warp-bench: cannot make %s\n", out);
        return 3;
    }
    const char *argv[8] = {program};
    for (int i = 0; i < 5 && tool->args[i]; i++)
        argv[i + 1] = tool->args[i] == IN                  ? in
                      : tool->args[i] == OUT               ? out
                      : strcmp(tool->args[i], ".") == 0    ? here
                                                           : tool->args[i];
    if (process_run(argv, log, memory, cost) == 0 && cost->status == 0)
        return 0;
    show_log(tool->name, log);
    return 1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* ---- what the C compiler makes of it ---- */

/* .text and what it reads, as `size` adds them up. */
static double code_bytes(const char *object, const char *dir)
{
    char log[PATH_BYTES], line[200];
    const char *argv[] = {"size", object, NULL};
    struct process_cost cost;
    double text = 0;
    snprintf(log, sizeof log, "%s/size", dir);
    if (process_run(argv, log, 0, &cost) != 0 || cost.status != 0)
        return 0;
    FILE *file = fopen(log, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%lf", &text) == 1)
            break;
    if (file)
        fclose(file);
    return text;
}

static int compile_c(const struct plan *plan, const struct tool *tool,
                     const char *program, const char *dir,
                     struct figures *figures)
{
    struct process_cost cost;
    char script[3 * PATH_BYTES], object[PATH_BYTES], log[PATH_BYTES];
    char in[PATH_BYTES];
    if (!tool->object)
        return 0;
    snprintf(in, sizeof in, "%s/%s", dir, tool->input);
    snprintf(object, sizeof object, "%s/object.o", dir);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(script, sizeof script,
             "cd '%s/out' && cc -O2 -I. %s -c -o '%s' %s", dir, plan->cc,
             object, tool->object);
    const char *argv[] = {"sh", "-c", script, NULL};
    int rc = write_schema(tool, in, CC_PRODUCTS);
    if (rc == 0)
        rc = compile(tool, program, dir, 0, &cost);
    if (rc != 0)
        return rc;
    if (process_run(argv, log, 0, &cost) != 0 || cost.status != 0) {
        show_log("cc", log);
        return 1;
    }
    figures->cc_ms = (double)cost.wall_ns * 1e-6 / CC_PRODUCTS;
    figures->code_bytes = code_bytes(object, dir) / CC_PRODUCTS;
    return 0;
}

static int measure(const struct plan *plan, const struct tool *tool,
                   const char *program, const char *dir,
                   struct figures *figures)
{
    struct process_cost cost;
    double ms[RUNS_MAX];
    char path[PATH_BYTES];
    memset(figures, 0, sizeof *figures);
    snprintf(path, sizeof path, "%s/%s", dir, tool->input);
    int rc = write_schema(tool, path, plan->products);
    for (uint64_t i = 0; i < plan->repeat && rc == 0; i++) {
        rc = compile(tool, program, dir, 0, &cost);
        ms[i] = (double)cost.wall_ns * 1e-6;
    }
    if (rc == 0)
        rc = compile(tool, program, dir, 1, &cost);
    if (rc != 0)
        return rc;
    qsort(ms, plan->repeat, sizeof *ms, by_size);
    figures->median_ms = ms[plan->repeat / 2];
    figures->least_ms = ms[0];
    figures->memory_bytes = (double)cost.memory_bytes;
    snprintf(path, sizeof path, "%s/out", dir);
    figures->text_bytes = folder_text_bytes(path);
    rc = plan->cc ? compile_c(plan, tool, program, dir, figures) : 0;
    return tool == &tools[0] ? rc : 0; /* a peer may lack its headers */
}

/* ---- report ---- */

static void print(const struct plan *plan, const struct tool *tool,
                  const struct figures *f)
{
    printf("  %-10s %9.1f %9.1f %10.2f %10.1f", tool->name, f->median_ms,
           f->least_ms, f->text_bytes / 1e6, f->memory_bytes / 1e6);
    if (plan->cc && f->cc_ms > 0)
        printf(" %10.1f %10.0f", f->cc_ms, f->code_bytes);
    putchar('\n');
}

static int write_json(const struct plan *plan, const struct figures *figures,
                      const bool *there)
{
    FILE *file = plan->json ? fopen(plan->json, "w") : NULL;
    if (!plan->json)
        return 0;
    if (file) {
        fprintf(file, "{\"products\":%llu,\"fields\":%d,\"compilers\":[",
                (unsigned long long)plan->products, FIELDS);
        for (int i = 0, n = 0; i < TOOLS; i++) {
            const struct figures *f = &figures[i];
            if (there[i])
                fprintf(file,
                        "%s\n{\"name\":\"%s\",\"median_ms\":%.2f,"
                        "\"least_ms\":%.2f,\"text_bytes\":%.0f,"
                        "\"memory_bytes\":%.0f,\"cc_ms_per_product\":%.2f,"
                        "\"code_bytes_per_product\":%.0f}",
                        n++ ? "," : "", tools[i].name, f->median_ms,
                        f->least_ms, f->text_bytes, f->memory_bytes,
                        f->cc_ms, f->code_bytes);
        }
        fputs("\n]}\n", file);
    }
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->json);
        return 3;
    }
    return 0;
}

/* Beside this program, as they are installed; else in $PATH. */
static const char *find_warpc(char path[PATH_BYTES])
{
    ssize_t bytes = readlink("/proc/self/exe", path, PATH_BYTES - 16);
    if (bytes > 0) {
        path[bytes] = 0;
        char *slash = strrchr(path, '/');
        if (slash) {
            strcpy(slash + 1, "warpc");
            if (access(path, X_OK) == 0)
                return path;
        }
    }
    return "warpc";
}

static int run(const struct plan *plan, const char *dir)
{
    struct figures figures[TOOLS];
    bool there[TOOLS] = {false};
    printf("%llu products of %d fields; medians of %llu runs\n"
           "  %-10s %9s %9s %10s %10s%s\n",
           (unsigned long long)plan->products, FIELDS,
           (unsigned long long)plan->repeat, "compiler", "ms", "least ms",
           "text MB", "memory MB",
           plan->cc ? "  cc ms/product, code bytes/product" : "");
    for (int i = 0; i < TOOLS; i++) {
        const char *program = i == 0 ? plan->warpc : tools[i].name;
        there[i] = process_is_there(program);
        if (!there[i] && i > 0) {
            printf("  %-10s not in $PATH\n", tools[i].name);
            continue;
        }
        if (!there[i]) {
            fputs("warp-bench: warpc is not found; --warpc names it\n",
                  stderr);
            return 1;
        }
        int rc = measure(plan, &tools[i], program, dir, &figures[i]);
        /* A peer that fails is told above and left out. */
        if (rc != 0 && i == 0)
            return rc;
        there[i] = rc == 0;
        if (there[i])
            print(plan, &tools[i], &figures[i]);
        fflush(stdout);
    }
    int rc = write_json(plan, figures, there);
    if (rc == 0 && plan->limit_ms > 0 &&
        figures[0].median_ms > plan->limit_ms) {
        printf("warpc takes longer than the limit of %g ms\n", plan->limit_ms);
        rc = 1;
    }
    return rc;
}

int compiler_main(int argc, char **argv)
{
    struct plan plan = {.products = 1000, .repeat = 9};
    char beside[PATH_BYTES], dir[FOLDER_PATH_BYTES];
    int status;
    const struct option table[] = {
        {"--products", OPTION_NUMBER, 1, 100000, &plan.products},
        {"--repeat", OPTION_NUMBER, 1, RUNS_MAX, &plan.repeat},
        {"--limit-ms", OPTION_REAL, 0.001, 1e9, &plan.limit_ms},
        {"--cc", OPTION_TEXT, 0, 0, &plan.cc},
        {"--warpc", OPTION_TEXT, 0, 0, &plan.warpc},
        {"--json", OPTION_TEXT, 0, 0, &plan.json},
        {"--dir", OPTION_TEXT, 0, 0, &plan.dir},
        {0},
    };
    if (option_read(argc, argv, table, help, &status) != 0)
        return status;
    if (!plan.warpc)
        plan.warpc = find_warpc(beside);
    if (folder_make(plan.dir, dir) != 0)
        return 3;
    status = run(&plan, dir);
    folder_remove(dir);
    return status;
}
