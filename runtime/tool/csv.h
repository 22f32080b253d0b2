/* csv.h: comma-separated values, RFC 4180: quotes doubled inside quotes, a cell
 * with a comma, quote or line break in quotes. A cell without quotes and with
 * nothing in it is no value; "" is an empty text. */
#ifndef WARP_TOOL_CSV_H
#define WARP_TOOL_CSV_H

#include <stdio.h>

#include "../text.h"

struct csv_cell {
    size_t at, bytes; /* in the row's text */
    bool quoted;
};
struct csv_row {
    struct text text;
    struct csv_cell *cells;
    uint32_t count, room;
    uint32_t line; /* where the row begins */
};
struct csv_input {
    const char *at, *end;
    uint32_t line;
    const char *fault;
};

/* The next row; 0, WARP_END, WARP_EINVAL with a fault, WARP_ENOMEM. */
int csv_next(struct csv_input *in, struct csv_row *row);
void csv_row_free(struct csv_row *row);
/* A cell's text as it must stand in a file. */
void csv_put(struct text *to, const char *bytes, size_t count);

#endif
