/* json.c: a recursive descent over one text; depth and memory are bounded by
 * JSON_DEPTH_MAX and the text's own length. Strict: RFC 8259, valid UTF-8, no
 * name twice in an object. */
#include "json.h"

#include "../utf8.h"

#include <string.h>

static int fail(struct json_input *in, const char *what)
{
    if (!in->fault)
        in->fault = what;
    return WARP_EINVAL;
}

void json_space(struct json_input *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' ||
                                *in->at == '\r' || *in->at == '\n'))
        if (*in->at++ == '\n')
            in->line++;
}

static int hex4(struct json_input *in, uint32_t *out)
{
    *out = 0;
    if (in->end - in->at < 4)
        return fail(in, "\\u needs four hexadecimal digits");
    for (int i = 0; i < 4; i++) {
        char c = *in->at++;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail(in, "\\u needs four hexadecimal digits");
        *out = *out << 4 | digit;
    }
    return 0;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* Behind a backslash. */
static int escape(struct json_input *in, char **to)
{
    static const char from[] = "\"\\/bfnrt", what[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end)
        return fail(in, "a string does not end");
    char c = *in->at++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *(*to)++ = what[known - from];
        return 0;
    }
    uint32_t high, low;
    if (c != 'u')
        return fail(in, "an unknown escape in a string");
    if (hex4(in, &high) != 0)
        return WARP_EINVAL;
    if (high >= 0xd800 && high < 0xdc00) {
        if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
            return fail(in, "half of a surrogate pair");
        in->at += 2;
        if (hex4(in, &low) != 0)
            return WARP_EINVAL;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(in, "half of a surrogate pair");
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    } else if (high >= 0xdc00 && high < 0xe000) {
        return fail(in, "half of a surrogate pair");
    }
    *to = put_utf8(*to, high);
    return 0;
}

/* At the quote. An escape is never shorter than what it means. */
static int read_string(struct json_input *in, struct warp_arena *arena,
                       struct warp_str *out)
{
    const char *end = ++in->at;
    while (end < in->end && *end != '"')
        end += *end == '\\' && end + 1 < in->end ? 2 : 1;
    if (end >= in->end) {
        in->at = in->end;
        return fail(in, "a string does not end");
    }
    if (end - in->at > UINT32_MAX / 2)
        return fail(in, "a string is too long");
    char *start = warp_arena_alloc(arena, (size_t)(end - in->at) + 1);
    char *to = start;
    if (!start)
        return WARP_ENOMEM;
    while (in->at < end) {
        char c = *in->at++;
        if ((unsigned char)c < 0x20)
            return fail(in, "a control character in a string");
        if (c != '\\')
            *to++ = c;
        else if (escape(in, &to) != 0)
            return WARP_EINVAL;
    }
    in->at = end + 1;
    out->data = start;
    out->len = (uint32_t)(to - start);
    return utf8_valid_bytes(start, out->len) == out->len
               ? 0
               : fail(in, "a string is not valid UTF-8");
}

static bool digits(struct json_input *in)
{
    const char *from = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
        in->at++;
    return in->at > from;
}

static int read_number(struct json_input *in, struct warp_str *out)
{
    const char *from = in->at;
    if (*in->at == '-')
        in->at++;
    const char *first = in->at;
    bool ok = digits(in) && (*first != '0' || in->at == first + 1);
    if (ok && in->at < in->end && *in->at == '.') {
        in->at++;
        ok = digits(in);
    }
    if (ok && in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
        in->at++;
        if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
            in->at++;
        ok = digits(in);
    }
    if (!ok || in->at - from > 1000)
        return fail(in, "this is no JSON value");
    out->data = from;
    out->len = (uint32_t)(in->at - from);
    return 0;
}

static int read_value(struct json_input *in, struct warp_arena *arena,
                      int depth, struct json **out);

static bool has_name(const struct json *object, struct warp_str name)
{
    for (const struct json *m = object->first; m; m = m->next)
        if (m->name.len == name.len &&
            (name.len == 0 || memcmp(m->name.data, name.data, name.len) == 0))
            return true;
    return false;
}

/* Behind the opening bracket, up to the closing one. */
static int read_members(struct json_input *in, struct warp_arena *arena,
                        int depth, struct json *parent)
{
    enum { NAMES_CHECKED_MAX = 4096 };
    char close = parent->kind == JSON_OBJECT ? '}' : ']';
    struct json **last = &parent->first;
    json_space(in);
    if (in->at < in->end && *in->at == close) {
        in->at++;
        return 0;
    }
    for (;;) {
        struct warp_str name = {NULL, 0};
        json_space(in);
        if (parent->kind == JSON_OBJECT) {
            if (in->at == in->end || *in->at != '"')
                return fail(in, "a name in quotes is missing");
            int rc = read_string(in, arena, &name);
            if (rc != 0)
                return rc;
            if (parent->count < NAMES_CHECKED_MAX && has_name(parent, name))
                return fail(in, "an object has a name twice");
            json_space(in);
            if (in->at == in->end || *in->at++ != ':')
                return fail(in, "a colon is missing");
        }
        int rc = read_value(in, arena, depth + 1, last);
        if (rc != 0)
            return rc;
        (*last)->name = name;
        last = &(*last)->next;
        parent->count++;
        json_space(in);
        if (in->at == in->end)
            return fail(in, "a bracket is not closed");
        char c = *in->at++;
        if (c == close)
            return 0;
        if (c != ',')
            return fail(in, close == ']' ? "a comma or ] is missing"
                                         : "a comma or } is missing");
    }
}

static bool word(struct json_input *in, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(in->end - in->at) < n || memcmp(in->at, text, n) != 0)
        return false;
    in->at += n;
    return true;
}

static int read_value(struct json_input *in, struct warp_arena *arena,
                      int depth, struct json **out)
{
    struct json *j = warp_arena_alloc(arena, sizeof *j);
    json_space(in);
    if (!j)
        return WARP_ENOMEM;
    memset(j, 0, sizeof *j);
    j->line = in->line;
    *out = j;
    if (in->at == in->end)
        return fail(in, "a value is missing");
    if (depth > JSON_DEPTH_MAX)
        return fail(in, "values are nested too deeply");
    switch (*in->at) {
    case '"':
        j->kind = JSON_STRING;
        return read_string(in, arena, &j->text);
    case '{':
    case '[':
        j->kind = *in->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
        return read_members(in, arena, depth, j);
    case 't':
        j->kind = JSON_TRUE;
        return word(in, "true") ? 0 : fail(in, "this is no JSON value");
    case 'f':
        j->kind = JSON_FALSE;
        return word(in, "false") ? 0 : fail(in, "this is no JSON value");
    case 'n':
        j->kind = JSON_NULL;
        return word(in, "null") ? 0 : fail(in, "this is no JSON value");
    default:
        j->kind = JSON_NUMBER;
        return read_number(in, &j->text);
    }
}

int json_read(struct json_input *in, struct warp_arena *arena,
              struct json **out)
{
    in->fault = NULL;
    int rc = read_value(in, arena, 0, out);
    json_space(in);
    return rc;
}

const struct json *json_member(const struct json *object, const char *name)
{
    size_t n = strlen(name);
    if (object && object->kind == JSON_OBJECT)
        for (const struct json *m = object->first; m; m = m->next)
            if (m->name.len == n && memcmp(m->name.data, name, n) == 0)
                return m;
    return NULL;
}
