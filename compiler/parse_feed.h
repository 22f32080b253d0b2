/* The tokens as the parser gets them: parse_feed.c makes them from the
 * scanner's. */
#ifndef WARPC_PARSE_FEED_H
#define WARPC_PARSE_FEED_H

#include "../grammar/scan.h"
#include "warp.tab.h"

struct parse_token_value {
    int kind;
    WARP_YYSTYPE value;
    struct source_range at;
    bool newline; /* the first on its line */
};

struct parse_feed *parse_feed_create(struct scan *scan);

#endif
