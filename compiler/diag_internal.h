/* What diag.c collects and diag_print.c writes; nobody else looks inside. */
#ifndef WARPC_DIAG_INTERNAL_H
#define WARPC_DIAG_INTERNAL_H

#include "diag.h"

struct diag_part { /* a note or a help line */
    struct diag_part *next;
    bool help; /* no place */
    struct source_range at;
    const char *text;
};

struct diag_message {
    const struct diag_row *row;
    enum diag_level level; /* as it counts in this run: NOTE, WARNING, ERROR */
    struct source_range at;
    const char *text;
    uint32_t sequence;
    struct diag_part *parts, **parts_end;
};

struct diag {
    struct arena *arena;
    struct source_table *sources;
    enum diag_format format;
    bool strict, color, werror;
    unsigned char *choice; /* per row: 0 table's, 1 off, 2 on, 3 error */
    struct diag_message **messages;
    uint32_t count, capacity;
    unsigned errors, warnings, dropped, reports;
    struct diag_message *last;
};

#endif
