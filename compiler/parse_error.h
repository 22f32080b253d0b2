/* What is said about a token that does not fit. */
#ifndef WARPC_PARSE_ERROR_H
#define WARPC_PARSE_ERROR_H

#include "parse_feed.h"

void parse_error_report(struct scan *scan,
                        const struct parse_token_value *token,
                        const struct parse_token_value *before, bool module,
                        const char *const *expected, int count);

/* Does an expression go on behind the token, as in `end + 1`? */
bool parse_error_is_operand(const struct scan *scan,
                            const struct parse_token_value *token);
/* Is it the name of an annotation? */
bool parse_error_knows_key(const char *name);

#endif
