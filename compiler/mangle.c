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

/* Names of headers --------------------------------------------------------- */

/* The name without `prefix`, or NULL. */
static const char *behind(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 ? name + len : NULL;
}

static const char *behind_any(const char *name, const char *const *prefixes,
                              size_t count)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        const char *rest = behind(name, prefixes[i]);
        if (rest != NULL)
            return rest;
    }
    return NULL;
}

#define BEHIND_ANY(name, ...)                                                  \
    behind_any(name, (const char *const[]){__VA_ARGS__},                       \
               sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *))

static bool is_end(const char *rest)
{
    return rest != NULL && *rest == 0;
}

/* UINT8_MAX, INT_LEAST16_MIN, INTPTR_WIDTH, UINT64_C, SIZE_MAX */
static bool is_limit(const char *name)
{
    const char *of =
        BEHIND_ANY(name, "SIZE", "PTRDIFF", "SIG_ATOMIC", "WCHAR", "WINT");
    const char *integer = BEHIND_ANY(name, "INT", "UINT");
    if (integer != NULL) {
        const char *least = BEHIND_ANY(integer, "_LEAST", "_FAST");
        of = BEHIND_ANY(least != NULL ? least : integer, "8", "16", "32", "64",
                        "MAX", "PTR");
    }
    return is_end(BEHIND_ANY(of, "_MIN", "_MAX", "_WIDTH", "_C"));
}

/* uint8_t, int_fast16_t, intptr_t, size_t */
static bool is_integer_type(const char *name)
{
    const char *of = BEHIND_ANY(name, "int", "uint");
    if (of != NULL) {
        const char *least = BEHIND_ANY(of, "_least", "_fast");
        of = BEHIND_ANY(least != NULL ? least : of, "8", "16", "32", "64",
                        "max", "ptr");
    } else {
        of = BEHIND_ANY(name, "size", "ptrdiff");
    }
    return of != NULL && strcmp(of, "_t") == 0;
}

/* M_PI, M_LOG2El, HUGE_VALF, FP_NAN */
static bool is_of_math(const char *name)
{
    const char *constant =
        BEHIND_ANY(name, "M_E", "M_LOG2E", "M_LOG10E", "M_LN2", "M_LN10",
                   "M_PI_2", "M_PI_4", "M_PI", "M_1_PI", "M_2_PI", "M_2_SQRTPI",
                   "M_SQRT2", "M_SQRT1_2");
    if (constant != NULL)
        return constant[strspn(constant, "fl0123468x")] == 0;
    if (BEHIND_ANY(name, "HUGE_VAL", "SNAN", "FP_INT_", "FP_FAST_") != NULL)
        return true;
    return is_end(BEHIND_ANY(
        name, "INFINITY", "NAN", "MAXFLOAT", "math_errhandling", "MATH_ERRNO",
        "MATH_ERREXCEPT", "FP_NAN", "FP_INFINITE", "FP_ZERO", "FP_SUBNORMAL",
        "FP_NORMAL", "FP_ILOGBNAN", "FP_ILOGB0", "FP_LLOGBNAN", "FP_LLOGB0"));
}

const char *mangle_why_not(const char *name)
{
    if (mangle_is_keyword(name))
        return "is a keyword of C or C++";
    if (name[0] == '_' && (name[1] == '_' || is_upper(name[1])))
        return "begins as names do that C and C++ keep for their compilers";
    if (is_end(BEHIND_ANY(name, "linux", "unix", "i386", "typeof")))
        return "is a word of C's compilers";
    if (is_limit(name) || is_integer_type(name) || is_of_math(name) ||
        is_end(BEHIND_ANY(name, "NULL", "offsetof", "errno")))
        return "is a name of C's own headers";
    return NULL;
}
