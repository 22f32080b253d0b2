/* What main.c hands to a subcommand. A subcommand is one row of the table in
 * main.c; it gets what is left after the options that all share were taken
 * out (-I --strict -W -Werror --diagnostics --color). argv[0] is the verb.
 * It returns an exit status and never exits; main flushes the messages. */
#ifndef WARPC_COMMAND_H
#define WARPC_COMMAND_H

#include "arena.h"
#include "compile.h"
#include "diag.h"
#include "model.h"

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_IO = 3,
    EXIT_BUG = 4,
};

struct command {
    struct arena *arena;
    struct source_table *sources;
    struct diag *diag;
    struct compile *compile;
    int argc;
    char **argv;
};

/* Prints "warpc VERB: text" and how to get help, on stderr; EXIT_USAGE. */
int command_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* EXIT_IO if a named file could not be read, EXIT_FINDINGS if there were
 * errors, EXIT_CLEAN otherwise. */
int command_status(const struct command *command);

int check_run(struct command *command);
int fmt_run(struct command *command);
int explain_run(struct command *command);
int help_run(struct command *command);

#endif
