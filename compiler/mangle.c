/* CamelCase and snake_case to C names; the words that C and C++ keep. */
#include "mangle.h"

#include "arena.h"

#include <stdlib.h>
#include <string.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *mangle_snake(struct arena *arena, const char *name)
{
    size_t len = strlen(name);
    char *out = arena_alloc(arena, 2 * len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (!is_upper(c)) {
            out[n++] = c;
            continue;
        }
        if (i > 0 && name[i - 1] != '_' &&
            (is_lower(name[i - 1]) || is_digit(name[i - 1]) ||
             is_lower(name[i + 1])))
            out[n++] = '_';
        out[n++] = (char)(c - 'A' + 'a');
    }
    out[n] = 0;
    return out;
}

const char *mangle_upper(struct arena *arena, const char *snake)
{
    size_t len = strlen(snake);
    char *out = arena_copy(arena, snake, len);
    for (size_t i = 0; i < len; i++) {
        if (is_lower(out[i]))
            out[i] = (char)(out[i] - 'a' + 'A');
    }
    return out;
}

/* Sorted by strcmp. */
static const char *const keywords[] = {
    "_Alignas",      "_Alignof",    "_Atomic",
    "_Bool",         "_Complex",    "_Generic",
    "_Imaginary",    "_Noreturn",   "_Static_assert",
    "_Thread_local", "alignas",     "alignof",
    "and",           "and_eq",      "asm",
    "auto",          "bitand",      "bitor",
    "bool",          "break",       "case",
    "catch",         "char",        "char16_t",
    "char32_t",      "class",       "compl",
    "const",         "const_cast",  "constexpr",
    "continue",      "decltype",    "default",
    "delete",        "do",          "double",
    "dynamic_cast",  "else",        "enum",
    "explicit",      "export",      "extern",
    "false",         "float",       "for",
    "friend",        "goto",        "if",
    "inline",        "int",         "long",
    "mutable",       "namespace",   "new",
    "noexcept",      "not",         "not_eq",
    "nullptr",       "operator",    "or",
    "or_eq",         "private",     "protected",
    "public",        "register",    "reinterpret_cast",
    "restrict",      "return",      "short",
    "signed",        "sizeof",      "static",
    "static_assert", "static_cast", "struct",
    "switch",        "template",    "this",
    "thread_local",  "throw",       "true",
    "try",           "typedef",     "typeid",
    "typename",      "union",       "unsigned",
    "using",         "virtual",     "void",
    "volatile",      "wchar_t",     "while",
    "xor",           "xor_eq",
};

static int compare_keyword(const void *name, const void *row)
{
    return strcmp(name, *(const char *const *)row);
}

bool mangle_is_keyword(const char *name)
{
    return bsearch(name, keywords, sizeof keywords / sizeof keywords[0],
                   sizeof keywords[0], compare_keyword) != NULL;
}

bool mangle_is_identifier(const char *name)
{
    if (*name == 0 || is_digit(*name))
        return false;
    for (; *name != 0; name++) {
        if (!is_upper(*name) && !is_lower(*name) && !is_digit(*name) &&
            *name != '_')
            return false;
    }
    return true;
}
