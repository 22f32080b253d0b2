/* A buffer that grows, and the few ways in which C text is put into it. It
 * knows C's spelling, nothing of schemas. Its memory is the run's arena. */
#include "emit_text.h"

#include "arena.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *text, struct arena *arena, size_t room)
{
    text->arena = arena;
    *text = (struct text){
        .arena = arena, .at = arena_alloc(arena, room), .room = room};
}

void text_make_room(struct text *text, size_t size)
{
    size_t room = text->room;
    while (room - text->size < size)
        room *= 2;
    text->at = arena_grow(text->arena, text->at, text->size, room);
    text->room = room;
}

const char *text_cstr(struct text *text)
{
    text_bytes(text, "", 1);
    text->size--;
    return text->at;
}

static void put_number(struct text *text, uint64_t value, unsigned base)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    text_bytes(text, digits + at, sizeof digits - at);
}

static void put_signed(struct text *text, int64_t value)
{
    if (value < 0)
        text_bytes(text, "-", 1);
    put_number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (const char *at = format; *at;) {
        const char *next = strchr(at, '%');
        unsigned wide = 0;
        text_bytes(text, at, next ? (size_t)(next - at) : strlen(at));
        if (next == NULL)
            break;
        for (next++; *next == 'l'; next++)
            wide++;
        switch (*next) {
        case 's':
            text_put(text, va_arg(args, const char *));
            break;
        case 'c': {
            char c = (char)va_arg(args, int);
            text_bytes(text, &c, 1);
            break;
        }
        case 'd':
            put_signed(text, wide > 1    ? va_arg(args, long long)
                             : wide == 1 ? va_arg(args, long)
                                         : va_arg(args, int));
            break;
        case 'u':
        case 'x':
            put_number(text,
                       wide > 1    ? va_arg(args, unsigned long long)
                       : wide == 1 ? va_arg(args, unsigned long)
                                   : va_arg(args, unsigned),
                       *next == 'x' ? 16 : 10);
            break;
        default:
            text_bytes(text, next, 1);
            break;
        }
        at = next + 1;
    }
    va_end(args);
}

void text_literal(struct text *text, const char *bytes, size_t size)
{
    text_bytes(text, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char octal[4] = {'\\', (char)('0' + (c >> 6)),
                         (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7))};
        /* '?' could begin a trigraph */
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '?')
            text_bytes(text, &bytes[i], 1);
        else
            text_bytes(text, octal, 4);
    }
    text_bytes(text, "\"", 1);
}

/* Not what would end or begin a comment, nor a trigraph. */
static void put_words(struct text *text, const char *words, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = words[i], next = i + 1 < size ? words[i + 1] : ' ';
        text_bytes(text, &c, 1);
        if ((c == '*' && next == '/') || (c == '/' && next == '*') ||
            (c == '?' && next == '?'))
            text_bytes(text, " ", 1);
    }
}

void text_comment_safe(struct text *text, const char *words)
{
    put_words(text, words, strlen(words));
}

static void put_spaces(struct text *text, unsigned count)
{
    while (count-- > 0)
        text_bytes(text, " ", 1);
}

void text_doc(struct text *text, unsigned indent, const char *doc)
{
    size_t room = 80 - indent - 3;
    bool first = true;
    if (doc == NULL)
        return;
    while (*doc == '\n' || *doc == ' ')
        doc++;
    for (const char *line = doc; *line;) {
        size_t size = strcspn(line, "\n"), cut = size;
        if (cut > room - 4) {
            cut = room - 4;
            while (cut > 0 && line[cut] != ' ')
                cut--;
            if (cut == 0)
                cut = strcspn(line, " \n");
        }
        put_spaces(text, indent);
        text_put(text, first ? "/** " : " *  ");
        first = false;
        put_words(text, line, cut);
        line += cut;
        while (*line == ' ')
            line++;
        if (*line == '\n')
            line++;
        /* a backslash at the end would join the lines */
        while (text->at[text->size - 1] == ' ' ||
               text->at[text->size - 1] == '\\')
            text->size--;
        text_put(text, *line ? "\n" : " */\n");
    }
}

void text_double(struct text *text, double value, bool single)
{
    char digits[40];
    if (isnan(value) || isinf(value)) {
        text_put(text, isnan(value) ? "NAN"
                       : value < 0  ? "-INFINITY"
                                    : "INFINITY");
        return;
    }
    if (fabs(value) < 1e15 && value == floor(value)) {
        snprintf(digits, sizeof digits, "%.0f", value);
        text_put(text, digits);
        text_put(text, single ? ".0f" : ".0");
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (single ? strtof(digits, NULL) == (float)value
                   : strtod(digits, NULL) == value)
            break;
    }
    text_put(text, digits);
    if (strpbrk(digits, ".e") == NULL)
        text_put(text, ".0");
    if (single)
        text_put(text, "f");
}
