/* option.c: see option.h. */
#include "option.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(const char *option, const char *what)
{
    fprintf(stderr, "warp-bench: %s: %s\n", option, what);
    return 2;
}

static int read_value(const struct option *o, const char *word)
{
    char *end = NULL, what[160];
    if (o->kind == OPTION_TEXT) {
        *(const char **)o->to = word;
        return 0;
    }
    errno = 0;
    double real = strtod(word, &end);
    bool good = end != word && *end == 0 && errno == 0 && isfinite(real) &&
                real >= o->low && real <= o->high;
    if (o->kind == OPTION_NUMBER)
        good = good && real == floor(real);
    if (!good) {
        snprintf(what, sizeof what, "not a %s from %.15g to %.15g: '%.24s'",
                 o->kind == OPTION_NUMBER ? "whole number" : "number", o->low,
                 o->high, word);
        return wrong(o->name, what);
    }
    if (o->kind == OPTION_NUMBER)
        *(uint64_t *)o->to = (uint64_t)real;
    else
        *(double *)o->to = real;
    return 0;
}

/* The row of an option; *value gets what stands behind its `=`, or NULL. */
static const struct option *find(const struct option *table, const char *word,
                                 const char **value)
{
    size_t bytes = strcspn(word, "=");
    *value = word[bytes] == '=' ? word + bytes + 1 : NULL;
    for (const struct option *o = table; o->name; o++)
        if (strlen(o->name) == bytes && memcmp(o->name, word, bytes) == 0)
            return o;
    return NULL;
}

int option_read(int argc, char **argv, const struct option *table,
                const char *help, int *status)
{
    *status = 2;
    for (int i = 0; i < argc; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            *status = 0;
            return 1;
        }
        const struct option *o = find(table, argv[i], &value);
        if (!o) {
            wrong(argv[i], "no such option; --help lists them");
            return 1;
        }
        if (o->kind == OPTION_FLAG) {
            *(bool *)o->to = true;
            continue;
        }
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value || !*value) {
            wrong(o->name, "a value is missing");
            return 1;
        }
        if (read_value(o, value) != 0)
            return 1;
    }
    *status = 0;
    return 0;
}
