/* Messages: collected in the order of the passes, printed once at the end in
 * the order of the text, as text, JSON, SARIF or GitHub commands. A message is
 * a row of diag.def (its number never changes its meaning), a place, a
 * sentence, and perhaps a second place and a help line. Nothing here exits. */
#ifndef WARPC_DIAG_H
#define WARPC_DIAG_H

#include "source.h"

#include <stdarg.h>
#include <stdio.h>

struct arena;

enum diag_id {
#define DIAG(number, id, level, name, brief, text) DIAG_##id = number,
#include "diag.def"
#undef DIAG
};

enum diag_level {
    DIAG_LEVEL_NOTE,    /* said, never counted */
    DIAG_LEVEL_WARNING, /* -W<name>, -Wno-<name>, -Werror[=<name>] */
    DIAG_LEVEL_STRICT,  /* a warning that --strict makes an error */
    DIAG_LEVEL_ERROR,
};

enum diag_format {
    DIAG_FORMAT_TEXT,
    DIAG_FORMAT_JSON,
    DIAG_FORMAT_SARIF,
    DIAG_FORMAT_GITHUB,
};

struct diag;

struct diag *diag_create(struct arena *arena, struct source_table *sources);
void diag_set_format(struct diag *diag, enum diag_format format);
void diag_set_strict(struct diag *diag, bool strict);
void diag_set_color(struct diag *diag, bool color);
/* The text after -W: "name", "no-name", "error", "error=name". False if the
 * name is not in the table. */
bool diag_set_warning(struct diag *diag, const char *argument);

/* The sentence begins in lower case and has no full stop. Notes and help
 * belong to the report before them. */
void diag_report(struct diag *diag, enum diag_id id, struct source_range at,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_note(struct diag *diag, struct source_range at, const char *format,
               ...) __attribute__((format(printf, 3, 4)));
void diag_help(struct diag *diag, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

unsigned diag_error_count(const struct diag *diag);
/* Every error that was reported, also one that was known or is not shown: two
 * readings of this tell whether a pass found something. */
unsigned diag_error_reports(const struct diag *diag);
unsigned diag_warning_count(const struct diag *diag);
/* Errors past the limit are counted, not kept: passes may stop early. */
bool diag_is_full(const struct diag *diag);

/* Writes everything that was reported, once. */
void diag_flush(struct diag *diag, FILE *out);

/* One row of the table, for `warpc help`; NULL if there is none. */
struct diag_row {
    unsigned number;
    enum diag_level level;
    const char *name;  /* of the warning, as -W takes it; "" for errors */
    const char *brief; /* one line */
    const char *text;  /* the long explanation */
};
const struct diag_row *diag_row(unsigned number);
const struct diag_row *diag_row_at(unsigned index);

#endif
