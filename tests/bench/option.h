/* The options of a subcommand as one table: what the command line says goes
 * where a row points. Everything wrong is said in one line. */
#ifndef BENCH_OPTION_H
#define BENCH_OPTION_H

#include <stdbool.h>
#include <stdint.h>

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_REAL, OPTION_FLAG };

struct option {
    const char *name; /* with its dashes; NULL ends the table */
    enum option_kind kind;
    double low, high; /* of numbers */
    void *to;         /* const char **, uint64_t *, double *, bool * */
};

/** 0; 1 when there is nothing to run, with the exit status in *status: 0 after
 *  --help (the text is printed), 2 after a mistake. */
int option_read(int argc, char **argv, const struct option *table,
                const char *help, int *status);

#endif
