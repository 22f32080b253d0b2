/* The descriptor's bytes -> C strings, the shortest text for bytes that are
 * mostly names and zeros. A compiler need not take a string of more than 4,095
 * bytes, and warns about one that fills its array: so they are the members of a
 * struct, each of which ends with a zero of the bytes themselves, or is a list
 * of numbers where there is none. */
#include "emit.h"

#include <string.h>

enum { PIECE_MAX = 4000, LINE_MAX = 72 };

/* WARP_GEN_FACTS */
static const uint8_t facts[] = {1, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* The bytes of the piece that begins at `at`, with the zero at its end. */
static size_t piece_size(const uint8_t *at, size_t left)
{
    size_t size = left < PIECE_MAX ? left : PIECE_MAX;
    while (size > 1 && at[size - 1] != 0)
        size--;
    if (size > 1)
        return size;
    return left < PIECE_MAX ? left : PIECE_MAX;
}

/* An octal escape is as long as it can be before a digit. */
static size_t put_byte(char *to, uint8_t byte, uint8_t next)
{
    size_t size = 0;
    bool digit = next >= '0' && next <= '7';
    if (byte >= ' ' && byte < 127) {
        if (byte == '"' || byte == '\\' || byte == '?')
            to[size++] = '\\';
        to[size++] = (char)byte;
        return size;
    }
    to[size++] = '\\';
    if (byte >= 64 || digit)
        to[size++] = (char)('0' + (byte >> 6));
    if (byte >= 8 || digit)
        to[size++] = (char)('0' + (byte >> 3 & 7));
    to[size++] = (char)('0' + (byte & 7));
    return size;
}

/* Without the zero at the end, which the string has by itself. */
static void put_string(struct text *out, const uint8_t *at, size_t size)
{
    char line[LINE_MAX + 8];
    size_t used = 0;
    if (size == 0)
        TEXT(out, "    \"\"\n");
    for (size_t i = 0; i < size;) {
        if (size - i >= sizeof facts &&
            memcmp(at + i, facts, sizeof facts) == 0) {
            TEXT(out, "    \"");
            text_bytes(out, line, used);
            TEXT(out, "\" WARP_GEN_FACTS\n");
            used = 0;
            i += sizeof facts;
            continue;
        }
        used += put_byte(line + used, at[i], i + 1 < size ? at[i + 1] : 0);
        i++;
        if (used < LINE_MAX && i < size)
            continue;
        TEXT(out, "    \"");
        text_bytes(out, line, used);
        TEXT(out, "\"\n");
        used = 0;
    }
}

static void put_numbers(struct text *out, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_format(out, "%s%u,", i % 20 ? "" : "\n    ", at[i]);
}

void emit_c_descriptor(const struct emit *emit, struct text *out)
{
    const uint8_t *at = emit->wsd, *end = at + emit->wsd_bytes;
    uint32_t number = 0;
    TEXT(out, "static const struct {\n");
    while (at < end) {
        size_t size = piece_size(at, (size_t)(end - at));
        text_format(out, "    %s p%u_[%u];\n",
                    at[size - 1] ? "unsigned char" : "char", number++,
                    (unsigned)size);
        at += size;
    }
    TEXT(out, "} descriptor_0_ = {\n");
    for (at = emit->wsd; at < end;) {
        size_t size = piece_size(at, (size_t)(end - at));
        if (at[size - 1] == 0) {
            put_string(out, at, size - 1);
            TEXT(out, "    ,\n");
        } else {
            TEXT(out, "    {");
            put_numbers(out, at, size);
            TEXT(out, " },\n");
        }
        text_flush(out);
        at += size;
    }
    TEXT(out, "};\n");
}
