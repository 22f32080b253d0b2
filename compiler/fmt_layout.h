/* Tokens -> the text in its usual layout. */
#ifndef WARPC_FMT_LAYOUT_H
#define WARPC_FMT_LAYOUT_H

#include "parse.h"

struct fmt_text {
    char *bytes;
    size_t len;
};

void fmt_layout(struct arena *arena, const struct source *source,
                const struct parse_token *tokens, uint32_t count,
                struct fmt_text *out);

#endif
