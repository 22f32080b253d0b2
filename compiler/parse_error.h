/* What is said about a token that does not fit. */
#ifndef WARPC_PARSE_ERROR_H
#define WARPC_PARSE_ERROR_H

#include "parse_feed.h"

void parse_error_report(struct scan *scan,
                        const struct parse_token_value *token,
                        const struct parse_token_value *before, bool module,
                        const char *const *expected, int count);

/* Is it the name of an annotation? */
bool parse_error_knows_key(const char *name);

#endif
