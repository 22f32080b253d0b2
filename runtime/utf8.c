/* utf8.c: checks text, eight ASCII bytes at a time.
 *
 * Nothing is decoded or repaired: a sequence is valid or ends the check. */
#include "utf8.h"

#include <string.h>

/* Length of the sequence at `at`, 0 when it is not valid. `left` >= 1. */
static size_t sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < bytes)
        return 0;
    /* The second byte's range shuts out overlong forms, surrogates and what
     * lies past U+10FFFF. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

size_t utf8_valid_bytes(const void *text, size_t bytes)
{
    const uint8_t *at = text;
    size_t i = 0;
    while (i < bytes) {
        uint64_t word;
        while (bytes - i >= sizeof word) {
            memcpy(&word, at + i, sizeof word);
            if (word & UINT64_C(0x8080808080808080))
                break;
            i += sizeof word;
        }
        if (i == bytes)
            break;
        size_t step = sequence(at + i, bytes - i);
        if (!step)
            return i;
        i += step;
    }
    return bytes;
}
