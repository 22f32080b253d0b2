/* text.c: see text.h. */
#include "text.h"

#include "utf8.h"
#include "wire.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_free(struct text *t)
{
    free(t->data);
    *t = (struct text)TEXT_INIT;
}

void text_clear(struct text *t)
{
    t->used = 0;
    t->failed = false;
}

bool text_room(struct text *t, size_t more)
{
    if (t->failed || more > SIZE_MAX / 4 - t->used) {
        t->failed = true;
        return false;
    }
    if (t->used + more <= t->room)
        return true;
    size_t room = (t->used + more) * 2 < 256 ? 256 : (t->used + more) * 2;
    char *grown = realloc(t->data, room);
    if (!grown) {
        t->failed = true;
        return false;
    }
    t->data = grown;
    t->room = room;
    return true;
}

void text_add(struct text *t, const void *bytes, size_t count)
{
    if (count == 0 || !text_room(t, count))
        return;
    memcpy(t->data + t->used, bytes, count);
    t->used += count;
}

void text_put(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

/* Of the calling thread: a program may have a locale that writes 1,5. newlocale
 * gives one object for "C" and needs no memory for it; without it the program's
 * stays. */
static locale_t plain_numbers(void)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return plain ? uselocale(plain) : (locale_t)0;
}

static void numbers_as_before(locale_t before)
{
    if (before)
        freelocale(uselocale(before));
}

int text_format(char *to, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    locale_t before = plain_numbers();
    int n = vsnprintf(to, room, format, args);
    numbers_as_before(before);
    va_end(args);
    return n;
}

bool text_reads_as(const char *digits, double value, bool single)
{
    locale_t before = plain_numbers();
    bool same = single ? strtof(digits, NULL) == (float)value
                       : strtod(digits, NULL) == value;
    numbers_as_before(before);
    return same;
}

void text_say(struct text *t, const char *format, ...)
{
    va_list args, again;
    locale_t before = plain_numbers();
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && text_room(t, (size_t)n + 1)) {
        vsnprintf(t->data + t->used, (size_t)n + 1, format, again);
        t->used += (size_t)n;
    }
    numbers_as_before(before);
    va_end(again);
    va_end(args);
}

/* Bytes of the character that begins here, or 0: it is not valid. */
static size_t character(const char *at, size_t left)
{
    uint8_t lead = (uint8_t)*at;
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return n <= left && utf8_valid_bytes(at, n) == n ? n : 0;
}

void text_quote(struct text *t, const char *bytes, size_t count)
{
    static const char escapes[] = "btnvfr";
    text_add(t, "\"", 1);
    for (size_t i = 0; i < count;) {
        uint8_t c = (uint8_t)bytes[i];
        size_t n = 1;
        if (c == '"' || c == '\\')
            text_say(t, "\\%c", c);
        else if (c >= 8 && c <= 13 && c != 11)
            text_say(t, "\\%c", escapes[c - 8]);
        else if (c < 0x20 || c == 0x7f)
            text_say(t, "\\u%04x", c);
        else if ((n = character(bytes + i, count - i)) > 0)
            text_add(t, bytes + i, n);
        else
            text_put(t, "\xef\xbf\xbd");
        i += n ? n : 1;
    }
    text_add(t, "\"", 1);
}

void text_key(struct text *t, const char *name)
{
    char last = t->used ? t->data[t->used - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        text_add(t, ",", 1);
    text_quote(t, name, strlen(name));
    text_add(t, ":", 1);
}

void text_number(struct text *t, const char *name, uint64_t value)
{
    text_key(t, name);
    text_say(t, "%llu", (unsigned long long)value);
}

void text_string(struct text *t, const char *name, const char *value)
{
    text_key(t, name);
    if (value)
        text_quote(t, value, strlen(value));
    else
        text_put(t, "null");
}

void text_u8(struct text *t, uint8_t v)
{
    text_add(t, &v, 1);
}

void text_u16(struct text *t, uint16_t v)
{
    uint8_t b[2];
    wire_put16(b, v);
    text_add(t, b, sizeof b);
}

void text_u32(struct text *t, uint32_t v)
{
    uint8_t b[4];
    wire_put32(b, v);
    text_add(t, b, sizeof b);
}

void text_u64(struct text *t, uint64_t v)
{
    uint8_t b[8];
    wire_put64(b, v);
    text_add(t, b, sizeof b);
}
