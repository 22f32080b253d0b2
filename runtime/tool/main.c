/* main.c: argv to a subcommand. The only place that ends the process. A
 * subcommand is a row of the table: its name, function, number of arguments,
 * the options that it takes, and its line of help. */
#include "tool.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/version.h>

enum {
    O_JSON = 1,
    O_FORMAT = 2,
    O_SCHEMA = 4,
    O_FIELDS = 8,
    O_RANGE = 16,
    O_TO = 32,
    O_LIMIT = 64,
    O_DEEP = 128,
    O_KEEP = 256,
    O_OUTPUT = 512
};

static const struct {
    const char *name;
    int (*run)(struct tool *tool);
    int least, most; /* arguments */
    unsigned options;
    const char *synopsis, *text;
} verbs[] = {
    {"stat", tool_stat, 1, 1, O_JSON | O_DEEP, "warp stat STORE",
     "bytes and counts by field and tier, log, health"},
    {"inspect", tool_inspect, 1, 1, O_JSON, "warp inspect STORE",
     "the schema that the store carries, and its files"},
    {"get", tool_get, 3, 3, O_JSON | O_FIELDS, "warp get STORE PRODUCT KEY",
     "one record"},
    {"scan", tool_scan, 2, 2, O_JSON | O_FIELDS | O_RANGE | O_TO | O_LIMIT,
     "warp scan STORE PRODUCT", "records in the order of their keys"},
    {"export", tool_export, 2, 2,
     O_JSON | O_FORMAT | O_FIELDS | O_RANGE | O_TO | O_LIMIT,
     "warp export --format F STORE PRODUCT",
     "all records as json, ndjson or csv"},
    {"import", tool_import, 3, 3, O_JSON | O_FORMAT | O_SCHEMA,
     "warp import --format F --schema S STORE PRODUCT FILE",
     "records of a file into a store, which is made if need be"},
    {"dump", tool_dump, 1, 1, O_JSON, "warp dump STORE",
     "everything, as NDJSON with the product's name"},
    {"verify", tool_verify, 1, 1, O_JSON, "warp verify STORE|BACKUP",
     "every checksum and every reference; reads only"},
    {"explain", tool_explain, 4, 4, O_JSON,
     "warp explain STORE PRODUCT KEY FIELD", "where a value is, and why"},
    {"ab", tool_ab, 2, 2, O_JSON, "warp ab report|log STORE",
     "two strategies of options.placement_ab compared; decisions"},
    {"advise", tool_advise, 1, 1, O_JSON, "warp advise STORE",
     "changes of the schema that measured uses speak for"},
    {"plot", tool_plot, 2, 2, O_JSON | O_OUTPUT,
     "warp plot placement|heat STORE [-o FILE.svg]",
     "bytes by tier, or uses of objects, as an SVG"},
    {"compact", tool_compact, 1, 1, O_JSON, "warp compact STORE",
     "give back the space of dead values"},
    {"checkpoint", tool_checkpoint, 1, 1, O_JSON, "warp checkpoint STORE",
     "move what the log holds into the tiers"},
    {"migrate", tool_migrate, 1, 1, O_JSON, "warp migrate STORE",
     "finish what moves in the background"},
    {"backup", tool_backup, 2, 2, O_JSON | O_KEEP,
     "warp backup STORE TARGET [--keep N]",
     "a sealed, consistent copy, also of a live store"},
    {"restore", tool_restore, 2, 2, O_JSON | O_TO,
     "warp restore BACKUP TARGET [--to POSITION|TIME]",
     "a store from a backup"},
    {"repair", tool_repair, 2, 2, O_JSON, "warp repair STORE TARGET",
     "what can be read, into a new store; lists what cannot"},
    {"clock", tool_clock, 1, 2, O_JSON, "warp clock STORE [accept|reset]",
     "the store's clock; accept a jump, lower a poisoned mark"},
    {"metrics", tool_metrics, 1, 1, O_JSON, "warp metrics STORE",
     "counters as OpenMetrics text"},
    {"devices", tool_devices, 0, 1, O_JSON, "warp devices [STORE]",
     "where kernels can run here; what a store has on each device"},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

/* An option is listed where a subcommand has one of the bits and none of
 * `not`. */
static const struct {
    unsigned bits, not;
    const char *text;
} options[] = {
    {O_JSON, 0,
     "  --json                 print JSON; of plot: what it draws\n"},
    {O_FORMAT, 0,
     "  --format json|ndjson|csv   of export and import; ndjson\n"},
    {O_SCHEMA, 0, "  --schema FILE.warp     of a store that import makes\n"},
    {O_FIELDS, 0, "  --fields a,b           only these fields\n"},
    {O_RANGE, 0,
     "  --from K --to K        keys from K on, below K\n"
     "  --prefix P             text keys that begin so; of bytes: base64\n"},
    {O_LIMIT, 0, "  --limit N              at most N records\n"},
    {O_TO, O_RANGE,
     "  --to POSITION|TIME     of restore: a position of the log, ms\n"
     "      since 1970, or 2026-01-31T12:00:00Z. A backup reaches back\n"
     "      to the last checkpoint before it; from each earlier state\n"
     "      that it keeps, as far as the logs of the backups behind it\n"
     "      lead on. What lies outside is refused, with what does not\n"},
    {O_KEEP, 0,
     "  --keep N               of backup: earlier states kept (3)\n"},
    {O_OUTPUT, 0,
     "  -o FILE                of plot; else to standard output\n"},
    {O_DEEP, 0,
     "  --deep                 stat: count elements of series, too\n"},
};

static void print_options(FILE *out, unsigned bits, bool all)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (all || ((options[i].bits & bits) && !(options[i].not & bits)))
            fputs(options[i].text, out);
}

static void print_status(FILE *out)
{
    fputs("Exit status: 0 clean, 1 findings or refused, 2 usage, 3 I/O or\n"
          "interrupted, 4 own bug. A second interrupt ends at once, with 128 "
          "and\nthe signal's number.\n",
          out);
}

static void print_help(FILE *out)
{
    fputs("Examples:\n"
          "  warp stat game.store                 where the bytes are\n"
          "  warp get game.store Entity 7 --json  one record\n"
          "  warp export --format csv game.store Entity >entities.csv\n"
          "  warp backup game.store game.backup  also while it is open\n"
          "  warp verify game.backup              every byte\n\n"
          "Subcommands (warp SUBCOMMAND --help tells of one):\n",
          out);
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-52s %s\n", verbs[i].synopsis, verbs[i].text);
    fputs("\nOptions:\n", out);
    print_options(out, 0, true);
    fputs("  --help --version\n\n"
          "A store that a program has open is asked through its owner; else\n"
          "warp opens it itself. No schema file is needed. bytes are base64,\n"
          "timestamps and durations milliseconds, 64-bit integers exact.\n\n",
          out);
    print_status(out);
}

/* The part of one subcommand. */
static void print_verb(int verb)
{
    printf("usage: %s\n%s\n\n", verbs[verb].synopsis, verbs[verb].text);
    if (verbs[verb].options) {
        puts("Options:");
        print_options(stdout, verbs[verb].options, false);
        puts("");
    }
    print_status(stdout);
}

static int verb_of(const char *name)
{
    int i = 0;
    while (i < VERB_COUNT && strcmp(name, verbs[i].name) != 0)
        i++;
    return i;
}

int tool_usage(const struct tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "warp %s: ", tool->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nusage: %s\n", tool->synopsis);
    va_end(args);
    return TOOL_USAGE;
}

int tool_fail(const struct tool *tool, int code, const char *text)
{
    fprintf(stderr, "warp %s: %s\n", tool->name,
            text && *text ? text : warp_strerror(code));
    switch (code) {
    case WARP_OK:
        return TOOL_CLEAN;
    case WARP_EIO:
    case WARP_ENOSPC:
    case WARP_ENOSTORE:
    case WARP_ENOMEM:
    case WARP_TIMEOUT: /* verify was stopped */
        return TOOL_IO;
    default:
        return TOOL_FINDINGS;
    }
}

/* ---- progress ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    if (interrupted)
        _exit(128 + number);
    interrupted = 1;
}

int tool_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
    struct tool_bar *bar = arg;
    static int terminal = -1;
    int64_t now = os_mono_ns();
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    if (!bar->began_ns)
        bar->began_ns = now;
    if (!terminal || total == 0 || now - bar->drawn_ns < 100000000)
        return interrupted;
    bar->drawn_ns = now;
    bar->drawn = true;
    double seconds = (double)(now - bar->began_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    double left =
        rate > 0 ? (double)(total - (done < total ? done : total)) / rate : 0;
    int filled = (int)(done >= total ? 30 : done * 30 / total);
    fprintf(stderr, "\r%-10s [%.*s%*s] %3d%% %.0f/s, %.0f s left\033[K", what,
            filled, "##############################", 30 - filled, "",
            (int)(done >= total ? 100 : done * 100 / total), rate, left);
    return interrupted;
}

void tool_bar_end(struct tool_bar *bar)
{
    if (bar->drawn)
        fputs("\r\033[K", stderr);
    bar->drawn = false;
}

/* ---- options ---- */

static const char **value_option(struct tool *t, const char *name,
                                 unsigned *bit)
{
    struct {
        const char *name;
        unsigned bit;
        const char **value;
    } table[] = {
        {"--format", O_FORMAT, &t->format},
        {"--schema", O_SCHEMA, &t->schema},
        {"--fields", O_FIELDS, &t->fields},
        {"--from", O_RANGE, &t->from},
        {"--to", O_TO, &t->to},
        {"--prefix", O_RANGE, &t->prefix},
        {"--limit", O_LIMIT, &t->limit},
        {"--keep", O_KEEP, &t->keep},
        {"-o", O_OUTPUT, &t->output},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(name, table[i].name) == 0) {
            *bit = table[i].bit;
            return table[i].value;
        }
    return NULL;
}

static int parse(struct tool *t, unsigned allowed, int argc, char **argv)
{
    bool plain = false;
    for (int i = 0; i < argc; i++) {
        char name[32];
        const char *a = argv[i], *equals = strchr(a, '=');
        unsigned bit = 0;
        size_t n = equals ? (size_t)(equals - a) : strlen(a);
        /* A negative number is a key. */
        if (plain || a[0] != '-' || (a[1] >= '0' && a[1] <= '9') || !a[1]) {
            if (t->arg_count == TOOL_ARGS_MAX)
                return tool_usage(t, "too many arguments");
            t->args[t->arg_count++] = a;
            continue;
        }
        if (strcmp(a, "--") == 0) {
            plain = true;
            continue;
        }
        if (strcmp(a, "--json") == 0 && (allowed & O_JSON)) {
            t->json = true;
            continue;
        }
        if (strcmp(a, "--deep") == 0 && (allowed & O_DEEP)) {
            t->deep = true;
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(n < 31 ? n : 31), a);
        const char **value = value_option(t, name, &bit);
        if (!value || !(allowed & bit))
            return tool_usage(t, "unknown option %s", a);
        if (!equals && ++i == argc)
            return tool_usage(t, "%s needs a value", a);
        *value = equals ? equals + 1 : argv[i];
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct tool t = {.program = argv[0]};
    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
            (i == 1 && strcmp(argv[i], "help") == 0)) {
            const char *name = i > 1 ? argv[1] : argc > 2 ? argv[2] : "";
            if (verb_of(name) < VERB_COUNT)
                print_verb(verb_of(name));
            else
                print_help(stdout);
            return TOOL_CLEAN;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("warp %s\n", WARP_VERSION);
            return TOOL_CLEAN;
        }
    }
    int i = verb_of(argv[1]);
    if (i < VERB_COUNT) {
        t.name = verbs[i].name;
        t.synopsis = verbs[i].synopsis;
        int rc = parse(&t, verbs[i].options, argc - 2, argv + 2);
        if (rc != 0)
            return rc;
        if (t.arg_count < verbs[i].least || t.arg_count > verbs[i].most)
            return tool_usage(&t, "%s",
                              t.arg_count < verbs[i].least
                                  ? "an argument is missing"
                                  : "too many arguments");
        return verbs[i].run(&t);
    }
    fprintf(stderr, "warp: unknown subcommand %s; see warp --help\n", argv[1]);
    return TOOL_USAGE;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int status = run(argc, argv);
    if (status == TOOL_CLEAN && source_damaged())
        status = TOOL_FINDINGS;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("warp: cannot write to standard output\n", stderr);
        status = TOOL_IO;
    }
    return status;
}
