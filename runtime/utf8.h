/* utf8.h: is a run of bytes valid UTF-8 (RFC 3629)? */
#ifndef WARP_UTF8_H
#define WARP_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes before the first that is not part of a valid sequence; `bytes` when
 * all are. Surrogates, overlong forms and anything past U+10FFFF are not valid;
 * U+0000 is. */
size_t utf8_valid_bytes(const void *text, size_t bytes);

#endif
