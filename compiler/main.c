/* argv -> the options that all subcommands share, then the subcommand. The
 * only place that ends the process. A subcommand is a row of the table; what
 * it prints for people goes to stderr, data goes to stdout. */
#include "atom.h"
#include "command.h"
#include "diff.h"
#include "emit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(struct command *command);
    const char *synopsis, *text;
} verbs[] = {
    {"gen", gen_run, "warpc gen FILE... -o DIR",
     "write FILE.warp.h and FILE.warp.c (the default verb)"},
    {"check", check_run, "warpc check FILE...", "find mistakes, write nothing"},
    {"diff", diff_run, "warpc diff OLD NEW",
     "what a change means for stored data"},
    {"fmt", fmt_run, "warpc fmt [--check] FILE...",
     "lay the text out anew, in place"},
    {"explain", explain_run, "warpc explain FILE PRODUCT[.FIELD]",
     "where a field lives and what is promised"},
    {"help", help_run, "warpc help [W0123 | ANNOTATION]",
     "explain a message or an annotation"},
};
#define DEFAULT_VERB "gen"
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static void print_help(FILE *out)
{
    fputs("Examples:\n"
          "  warpc gen game.warp -o build      writes build/game.warp.h, .c\n"
          "  warpc check --strict game.warp    only looks for mistakes\n"
          "  warpc explain game.warp Entity.gold\n"
          "  warpc help W0300\n\n"
          "Subcommands:\n",
          out);
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-38s %s\n", verbs[i].synopsis, verbs[i].text);
    fputs("\nOptions of gen:\n"
          "  -o DIR                where the files go; made if it is missing\n"
          "  --with-imports        the files that are imported, too\n"
          "  --descriptor          FILE.wsd, the schema as a store keeps it\n"
          "  --name NAME           NAME_warp_schema instead of FILE's\n"
          "  --check               write nothing; exit 1 if a file is stale\n"
          "  --list-outputs        print what would be written\n"
          "  -MD [-MF FILE] [-MT TARGET] [-MP]  a make rule with every input\n"
          "Options of diff:\n"
          "  --against OLD         git:REF, a store, a .wsd or a .warp file\n"
          "\nOptions of all subcommands:\n"
          "  -I DIR                look for imports there, too\n"
          "  --strict              what may be a slip is an error\n"
          "  -W<name> -Wno-<name>  switch a warning on or off\n"
          "  -Werror[=<name>]      warnings are errors\n"
          "  --diagnostics=FORMAT  text, json, sarif or github, on stderr\n"
          "  --color=WHEN          auto (the default), always or never\n"
          "  --help --version\n\n"
          "Exit status: 0 clean, 1 findings, 2 usage, 3 I/O, 4 own bug.\n",
          out);
}

int command_usage(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "warpc %s: ", command->argv[0]);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, command->argv[0]) == 0)
            fprintf(stderr, "usage: %s\n", verbs[i].synopsis);
    }
    return EXIT_USAGE;
}

int command_status(const struct command *command)
{
    if (command->compile->io_failed)
        return EXIT_IO;
    return diag_error_count(command->diag) != 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}

static void no_memory(size_t bytes)
{
    fprintf(stderr, "warpc: out of memory (%zu bytes more were needed)\n",
            bytes);
    exit(EXIT_IO);
}

/* Options ------------------------------------------------------------------ */

struct shared {
    struct command command;
    const char **include_dirs;
    const char *color;
    bool help, version;
};

static int bad_option(const char *text, const char *argument)
{
    fprintf(stderr, "warpc: %s `%s`\nwarpc --help lists the options\n", text,
            argument);
    return EXIT_USAGE;
}

static int read_format(struct diag *diag, const char *name)
{
    static const char *const names[] = {[DIAG_FORMAT_TEXT] = "text",
                                        [DIAG_FORMAT_JSON] = "json",
                                        [DIAG_FORMAT_SARIF] = "sarif",
                                        [DIAG_FORMAT_GITHUB] = "github"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            diag_set_format(diag, (enum diag_format)i);
            return 0;
        }
    }
    return bad_option("no such format of diagnostics:", name);
}

/* -1: not a shared option. Otherwise 0, or an exit status. */
static int read_shared(struct shared *shared, int argc, char **argv, int *i)
{
    struct command *command = &shared->command;
    const char *arg = argv[*i];
    if (strncmp(arg, "-I", 2) == 0) {
        const char *dir = arg + 2;
        if (*dir == 0) {
            if (++*i == argc)
                return bad_option("a directory is missing behind", arg);
            dir = argv[*i];
        }
        shared->include_dirs[command->compile->include_dir_count++] = dir;
        return 0;
    }
    if (strcmp(arg, "--strict") == 0) {
        diag_set_strict(command->diag, true);
        return 0;
    }
    if (strncmp(arg, "-W", 2) == 0)
        return diag_set_warning(command->diag, arg + 2)
                   ? 0
                   : bad_option("no such warning:", arg);
    if (strncmp(arg, "--diagnostics=", 14) == 0)
        return read_format(command->diag, arg + 14);
    if (strcmp(arg, "--diagnostics") == 0) {
        if (++*i == argc)
            return bad_option("a format is missing behind", arg);
        return read_format(command->diag, argv[*i]);
    }
    if (strncmp(arg, "--color=", 8) == 0) {
        shared->color = arg + 8;
        if (strcmp(shared->color, "auto") != 0 &&
            strcmp(shared->color, "always") != 0 &&
            strcmp(shared->color, "never") != 0)
            return bad_option("colours are auto, always or never, not",
                              shared->color);
        return 0;
    }
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        shared->help = true;
        return 0;
    }
    if (strcmp(arg, "--version") == 0) {
        shared->version = true;
        return 0;
    }
    return -1;
}

static void choose_color(const struct shared *shared)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool color = isatty(STDERR_FILENO) &&
                 (no_color == NULL || *no_color == 0) &&
                 (term == NULL || strcmp(term, "dumb") != 0);
    if (shared->color != NULL && strcmp(shared->color, "auto") != 0)
        color = strcmp(shared->color, "always") == 0;
    diag_set_color(shared->command.diag, color);
}

static int find_verb(const char *name)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* A first word that is neither a verb nor looks like a file. */
static int unknown_verb(const char *name)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, name);
    for (int i = 0; i < VERB_COUNT; i++)
        atom_nearest_offer(&nearest, verbs[i].name);
    fprintf(stderr, "warpc: no subcommand is called `%s`\n", name);
    if (nearest.best != NULL)
        fprintf(stderr, "did you mean `%s`?\n", nearest.best);
    fputs("warpc --help lists them\n", stderr);
    return EXIT_USAGE;
}

static int run_verb(struct shared *shared, int argc, char **argv)
{
    struct command *command = &shared->command;
    char **rest = ARENA_ARRAY(command->arena, char *, argc + 2);
    int verb = -1, count = 1;
    bool options = true;
    for (int i = 1; i < argc; i++) {
        int status = options ? read_shared(shared, argc, argv, &i) : -1;
        if (status > 0)
            return status;
        if (status == 0)
            continue;
        if (strcmp(argv[i], "--") == 0)
            options = false;
        if (verb < 0 && count == 1 && *argv[i] != '-' && options) {
            verb = find_verb(argv[i]);
            if (verb >= 0)
                continue;
            if (strpbrk(argv[i], "./") == NULL)
                return unknown_verb(argv[i]);
        }
        rest[count++] = argv[i];
    }
    choose_color(shared);
    if (shared->version) {
        puts("warpc " WARPC_VERSION);
        return EXIT_CLEAN;
    }
    if (shared->help || (verb < 0 && count == 1)) {
        print_help(shared->help ? stdout : stderr);
        return shared->help ? EXIT_CLEAN : EXIT_USAGE;
    }
    if (verb < 0)
        verb = find_verb(DEFAULT_VERB);
    if (verb < 0)
        return unknown_verb(rest[1]);
    rest[0] =
        arena_copy(command->arena, verbs[verb].name, strlen(verbs[verb].name));
    command->argc = count;
    command->argv = rest;
    return verbs[verb].run(command);
}

int main(int argc, char **argv)
{
    arena_on_no_memory(no_memory);
    struct arena *arena = arena_create();
    struct source_table *sources = source_table_create(arena);
    struct diag *diag = diag_create(arena, sources);
    struct compile compile = {.arena = arena, .sources = sources, .diag = diag};
    struct shared shared = {.command = {.arena = arena,
                                        .sources = sources,
                                        .diag = diag,
                                        .compile = &compile}};
    shared.include_dirs = ARENA_ARRAY(arena, const char *, argc + 1);
    compile.include_dirs = shared.include_dirs;
    int status = run_verb(&shared, argc, argv);
    if (status != EXIT_USAGE)
        diag_flush(diag, stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("warpc: cannot write the output\n", stderr);
        status = EXIT_IO;
    }
    arena_destroy(&arena);
    return status;
}
