/* tool.h: what the subcommands of `warp` share: a call, its options, a store.
 *
 * A subcommand is a file with a function of this shape and a row in main.c's
 * table. Data goes to stdout, talk to stderr. */
#ifndef WARP_TOOL_H
#define WARP_TOOL_H

#include <stdio.h>

#include "../request.h"

enum tool_exit {
    TOOL_CLEAN = 0,
    TOOL_FINDINGS = 1, /* or refused */
    TOOL_USAGE = 2,
    TOOL_IO = 3,
    TOOL_BUG = 4
};

enum { TOOL_ARGS_MAX = 8 };

/* The command line of one subcommand, taken apart by main.c's table. */
struct tool {
    const char *name, *synopsis;
    const char *args[TOOL_ARGS_MAX]; /* what is no option */
    int arg_count;
    bool json, deep, yes;
    const char *format, *schema, *fields, *from, *to, *prefix, *limit, *keep;
    const char *output;
    const char *program; /* argv[0] */
};

int tool_usage(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the text of an error code and gives its exit status. */
int tool_fail(const struct tool *tool, int code, const char *text);
/* For struct progress: a bar with rate and rest of time, on a terminal only;
 * `arg` is a struct tool_bar, zeroed. Stops the work after an interrupt. */
struct tool_bar {
    int64_t began_ns, drawn_ns;
    bool drawn;
};
int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total);
void tool_bar_end(struct tool_bar *bar);

/* A JSON reply: as it is with --json, else as lines. An exit status. */
int tool_print_json(const struct tool *tool, const struct text *reply);

/* ---- source.c: a store, live or not ---- */
struct source {
    char path[4096];
    struct warp_schema *schema;
    struct warp_db *db; /* opened here, or NULL: asked through its owner */
    int socket;
    struct tool_bar bar;
};
enum source_mode {
    SOURCE_READ,  /* nothing is written */
    SOURCE_WRITE, /* opened for writing; time stands still where it was */
    SOURCE_OWN,   /* for writing, by the wall clock; never through an owner */
    /* As SOURCE_WRITE, of files that were checked: rings are missing on
     * purpose, which is not told. */
    SOURCE_RESTORED
};
/* The descriptors come from the store itself. An error code. */
int source_open(struct source *source, const char *path, enum source_mode mode);
/* Asks; the reply is filled in any case. An error code. */
int source_ask(struct source *source, const struct text *request,
               struct text *reply);
int source_close(struct source *source);
/* For warp_options.log: what the library warns of, on standard error. */
void source_log(void *arg, int level, int code, const char *text);
/* Was damage among it? Then no status is clean. */
bool source_damaged(void);
const struct warp_product *source_product(const struct source *source,
                                          const char *name, uint32_t *number);
void request_begin(struct text *request, enum request_what what);

/* ---- fields ---- */
/* The mask of a list "a,b"; NULL: all that is not a series, with_series: these
 * too. A text for people when a name is not known. */
int tool_mask(const struct warp_product *product, const char *names,
              bool with_series, uint64_t *mask, char *why, size_t why_bytes);
int tool_field(const struct warp_product *product, const char *name);

/* ---- subcommands ---- */
int tool_get(struct tool *tool);
int tool_scan(struct tool *tool);
int tool_export(struct tool *tool);
int tool_dump(struct tool *tool);
int tool_import(struct tool *tool);
int tool_stat(struct tool *tool);
int tool_inspect(struct tool *tool);
int tool_explain(struct tool *tool);
int tool_ab(struct tool *tool);
int tool_advise(struct tool *tool);
int tool_plot(struct tool *tool);
int tool_metrics(struct tool *tool);
int tool_clock(struct tool *tool);
int tool_devices(struct tool *tool);
int tool_verify(struct tool *tool);
int tool_compact(struct tool *tool);
int tool_migrate(struct tool *tool);
int tool_backup(struct tool *tool);
int tool_restore(struct tool *tool);
int tool_repair(struct tool *tool);
int tool_checkpoint(struct tool *tool);

#endif
