/* csv.c: see csv.h. */
#include "csv.h"

#include <stdlib.h>
#include <string.h>
#include <warp/warp.h>

static int add_cell(struct csv_row *row, size_t at, bool quoted)
{
    if (row->count == row->room) {
        uint32_t room = row->room ? row->room * 2 : 32;
        struct csv_cell *grown = realloc(row->cells, room * sizeof *grown);
        if (!grown)
            return WARP_ENOMEM;
        row->cells = grown;
        row->room = room;
    }
    row->cells[row->count++] =
        (struct csv_cell){at, row->text.used - at, quoted};
    return WARP_OK;
}

static int fail(struct csv_input *in, const char *what)
{
    in->fault = what;
    return WARP_EINVAL;
}

/* Behind the opening quote, to behind the closing one. */
static int quoted(struct csv_input *in, struct csv_row *row)
{
    for (;;) {
        const char *from = in->at;
        while (in->at < in->end && *in->at != '"')
            if (*in->at++ == '\n')
                in->line++;
        text_add(&row->text, from, (size_t)(in->at - from));
        if (in->at == in->end)
            return fail(in, "a quote is not closed");
        in->at++;
        if (in->at == in->end || *in->at != '"')
            return WARP_OK;
        text_add(&row->text, in->at++, 1);
    }
}

int csv_next(struct csv_input *in, struct csv_row *row)
{
    row->count = 0;
    text_clear(&row->text);
    in->fault = NULL;
    row->line = in->line;
    if (in->at == in->end)
        return WARP_END;
    /* Empty cells, too, are somewhere. */
    if (!text_room(&row->text, 1))
        return WARP_ENOMEM;
    for (;;) {
        size_t start = row->text.used;
        bool is_quoted = in->at < in->end && *in->at == '"';
        int rc = WARP_OK;
        if (is_quoted) {
            in->at++;
            rc = quoted(in, row);
        } else {
            const char *from = in->at;
            while (in->at < in->end && !memchr(",\r\n\"", *in->at, 4))
                in->at++;
            if (in->at < in->end && *in->at == '"')
                return fail(in, "a quote inside a cell without quotes");
            text_add(&row->text, from, (size_t)(in->at - from));
        }
        if (rc == WARP_OK)
            rc = add_cell(row, start, is_quoted);
        if (rc != WARP_OK || row->text.failed)
            return rc != WARP_OK ? rc : WARP_ENOMEM;
        if (in->at < in->end && *in->at == '\r')
            in->at++;
        if (in->at == in->end)
            return WARP_OK;
        if (*in->at == '\n') {
            in->at++;
            in->line++;
            return WARP_OK;
        }
        if (*in->at != ',')
            return fail(in, "a comma is missing behind a quote");
        in->at++;
    }
}

void csv_row_free(struct csv_row *row)
{
    text_free(&row->text);
    free(row->cells);
    row->cells = NULL;
    row->count = row->room = 0;
}

void csv_put(struct text *to, const char *bytes, size_t count)
{
    bool plain = count > 0;
    for (size_t i = 0; i < count; i++)
        plain = plain && !memchr(",\"\r\n", bytes[i], 4);
    if (plain) {
        text_add(to, bytes, count);
        return;
    }
    text_add(to, "\"", 1);
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '"')
            text_add(to, "\"", 1);
        text_add(to, bytes + i, 1);
    }
    text_add(to, "\"", 1);
}
