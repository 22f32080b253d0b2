/* Literals: numbers with their units, texts with their escapes, and the """
 * texts of @doc, which lose the indentation that their last line has. */
#include "arena.h"
#include "diag.h"

#include "../grammar/scan.h"

#include <stdlib.h>
#include <string.h>

static const char *const unit_texts[] = {
    [UNIT_NONE] = "",   [UNIT_MS] = "ms",   [UNIT_S] = "s",
    [UNIT_M] = "m",     [UNIT_H] = "h",     [UNIT_D] = "d",
    [UNIT_W] = "w",     [UNIT_MO] = "mo",   [UNIT_Y] = "y",
    [UNIT_B] = "B",     [UNIT_KIB] = "KiB", [UNIT_MIB] = "MiB",
    [UNIT_GIB] = "GiB", [UNIT_TIB] = "TiB",
};

const char *ast_unit_text(enum ast_unit unit)
{
    return unit_texts[unit];
}

static struct source_range part(const struct scan *scan, uint32_t begin,
                                uint32_t end)
{
    return (struct source_range){scan->source->id, begin, end};
}

static void check_unit(struct scan *scan, struct ast_number *number,
                       const char *unit, size_t len, struct source_range at)
{
    if (len == 0)
        return;
    for (int i = UNIT_MS; i <= UNIT_TIB; i++) {
        if (strlen(unit_texts[i]) == len &&
            memcmp(unit_texts[i], unit, len) == 0) {
            number->unit = (enum ast_unit)i;
            return;
        }
    }
    if (scan->quiet)
        return;
    diag_report(scan->diag, DIAG_BAD_UNIT, at, "unknown unit `%.*s`",
                len > 40 ? 40 : (int)len, unit);
    diag_help(scan->diag, "units of time are ms s m h d w mo (30 d) y "
                          "(365 d), of size B KiB MiB GiB TiB");
}

/* Without a digit above 0 before the exponent. */
static bool is_zero(const char *digits)
{
    size_t zeros = strspn(digits, "0.");
    return digits[zeros] < '1' || digits[zeros] > '9';
}

struct ast_number scan_number(struct scan *scan, const char *text, size_t len)
{
    struct ast_number number = {0};
    char digits[64];
    size_t used = 0, i = 0;
    bool long_number = false;
    for (; i < len; i++) {
        char c = text[i];
        bool digit = c >= '0' && c <= '9';
        bool exponent = (c == 'e' || c == 'E') && i + 1 < len &&
                        (text[i + 1] == '+' || text[i + 1] == '-' ||
                         (text[i + 1] >= '0' && text[i + 1] <= '9'));
        bool sign = (c == '+' || c == '-') && i > 0 &&
                    (text[i - 1] == 'e' || text[i - 1] == 'E');
        if (c == '_')
            continue;
        if (!digit && c != '.' && !exponent && !sign)
            break;
        number.is_float |= c == '.' || exponent;
        if (!number.is_float && digit) {
            uint64_t d = (uint64_t)(c - '0');
            if (number.whole > (UINT64_MAX - d) / 10)
                number.too_big = true;
            number.whole = number.whole * 10 + d;
        }
        if (used < sizeof digits - 1)
            digits[used++] = c;
        else
            long_number = true;
    }
    digits[used] = 0;
    number.value = strtod(digits, NULL);
    uint32_t end = scan->offset, begin = end - (uint32_t)len;
    if (long_number && !scan->quiet)
        diag_report(scan->diag, DIAG_BAD_NUMBER, part(scan, begin, end),
                    "a number with more than %d digits",
                    (int)sizeof digits - 1);
    else if (number.value > 1.7976931348623157e308 && !scan->quiet)
        diag_report(scan->diag, DIAG_BAD_NUMBER, part(scan, begin, end),
                    "a number past what 64 bits can hold");
    else if (number.value == 0 && number.is_float && !scan->quiet &&
             !is_zero(digits))
        diag_report(scan->diag, DIAG_BAD_NUMBER, part(scan, begin, end),
                    "a number so small that 64 bits would hold 0");
    check_unit(scan, &number, text + i, len - i,
               part(scan, begin + (uint32_t)i, end));
    return number;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* \xHH and \u{H…}: the bytes read, 0 if it is neither. */
static uint32_t numeric_escape(const char *text, uint32_t left, char *out,
                               uint32_t *written)
{
    if (text[0] == 'x' && left >= 3 && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
        out[0] = (char)(hex(text[1]) * 16 + hex(text[2]));
        *written = 1;
        return 3;
    }
    if (text[0] != 'u' || left < 4 || text[1] != '{')
        return 0;
    uint32_t code = 0, i = 2;
    for (; i < left && i < 8 && hex(text[i]) >= 0; i++)
        code = code * 16 + (uint32_t)hex(text[i]);
    if (i == 2 || i >= left || text[i] != '}' || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return 0;
    *written = put_utf8(out, code);
    return i + 1;
}

struct ast_text scan_text(struct scan *scan, uint32_t begin, uint32_t end)
{
    static const char names[] = "nrt0e\"\\#", values[] = "\n\r\t\0\033\"\\#";
    const char *text = scan->source->text;
    char *out = arena_alloc(scan->arena, end - begin + 1);
    uint32_t used = 0;
    for (uint32_t i = begin; i < end;) {
        if (text[i] != '\\') {
            out[used++] = text[i++];
            continue;
        }
        const char *name = i + 1 < end ? strchr(names, text[i + 1]) : NULL;
        uint32_t written = 0, len;
        if (name != NULL && *name != 0) {
            out[used++] = values[name - names];
            i += 2;
        } else if ((len = numeric_escape(text + i + 1, end - i - 1, out + used,
                                         &written)) != 0) {
            used += written;
            i += 1 + len;
        } else {
            if (!scan->quiet) {
                diag_report(scan->diag, DIAG_BAD_ESCAPE,
                            part(scan, i, i + 2 < end ? i + 2 : end),
                            "unknown escape");
                diag_help(scan->diag, "known are \\n \\r \\t \\0 \\e \\\" "
                                      "\\\\ \\# \\xHH and \\u{HEX}");
            }
            i += 2;
        }
    }
    return (struct ast_text){out, used};
}

struct ast_text scan_long_text(struct scan *scan, uint32_t begin, uint32_t end)
{
    struct ast_text raw = scan_text(scan, begin, end);
    const char *text = raw.bytes, *last = text + raw.len;
    size_t indent = 0;
    if (raw.len > 0 && *text == '\n')
        text++;
    /* The last line, if blank, gives the indentation and goes. */
    while (last > text && (last[-1] == ' ' || last[-1] == '\t'))
        last--;
    if (last == text || last[-1] == '\n') {
        indent = (size_t)(raw.bytes + raw.len - last);
        if (last > text)
            last--;
    } else {
        last = raw.bytes + raw.len;
    }
    char *out = arena_alloc(scan->arena, raw.len + 1);
    size_t used = 0;
    while (text < last) {
        for (size_t i = 0;
             i < indent && text < last && (*text == ' ' || *text == '\t'); i++)
            text++;
        while (text < last && *text != '\n')
            out[used++] = *text++;
        if (text < last)
            out[used++] = *text++;
    }
    return (struct ast_text){out, (uint32_t)used};
}
