/* A token that does not fit -> the message that helps most: the mistakes that
 * people make are recognised by the tokens around, everything else is named
 * with what could stand there instead. */
#include "parse_error.h"

#include "arena.h"
#include "diag.h"

#include <string.h>

enum { SHOWN_BYTES = 40 };

static bool expects(const char *const *expected, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(expected[i], name) == 0)
            return true;
    }
    return false;
}

static const char *token_text(struct scan *scan, struct source_range at)
{
    uint32_t len = at.end - at.begin;
    const char *text = scan->source->text + at.begin;
    const char *end = memchr(text, '\n', len);
    if (end != NULL)
        len = (uint32_t)(end - text);
    if (len <= SHOWN_BYTES)
        return arena_format(scan->arena, "%.*s", (int)len, text);
    len = SHOWN_BYTES;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return arena_format(scan->arena, "%.*s...", (int)len, text);
}

static const char *expected_list(struct scan *scan, const char *const *expected,
                                 int count)
{
    const char *list = "";
    for (int i = 0; i < count; i++)
        list = arena_format(scan->arena, "%s%s%s", list,
                            i == 0           ? ""
                            : i == count - 1 ? " or "
                                             : ", ",
                            expected[i]);
    return list;
}

bool parse_error_is_operand(const struct scan *scan,
                            const struct parse_token_value *token)
{
    const char *next = scan->source->text + token->at.end;
    next += strspn(next, " \t");
    return *next != 0 && strchr("+-*/<>=!&|.,)", *next) != NULL;
}

bool parse_error_knows_key(const char *name)
{
    static const char *const names[] = {
#define ANNOTATION(id, name, places, shape, words, text) name,
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help)
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* `persist::memory`, `persist : :memory`, `persist :memory` for a key. */
static bool report_split_key(struct scan *scan,
                             const struct parse_token_value *token)
{
    const char *name = token->value.atom->text;
    const char *next = scan->source->text + token->at.end;
    struct source_range at = token->at;
    const char *colon = next + strspn(next, " \t");
    if (*colon != ':')
        return false;
    uint32_t colons = colon[1] == ':' ? 2 : 1;
    at.end = (uint32_t)(colon - scan->source->text) + colons;
    if (colon == next && colons == 2)
        diag_report(scan->diag, DIAG_KEY_SPELLING, at,
                    "`%s::` is no annotation: one colon belongs to the key, "
                    "one to the atom, and a space between them",
                    name);
    else
        diag_report(scan->diag, DIAG_KEY_SPELLING, at,
                    "a key and its colon are written together");
    const char *value = colon + colons;
    value += strspn(value, " \t:");
    size_t len = strcspn(value, " \t\r\n,");
    diag_help(scan->diag, "write `%s: :%.*s`", name,
              len < SHOWN_BYTES ? (int)len : SHOWN_BYTES, value);
    return true;
}

static bool report_key(struct scan *scan, const struct parse_token_value *token,
                       bool type, bool comma)
{
    const char *name = token->value.atom->text;
    if (token->newline && type && !parse_error_knows_key(name)) {
        diag_report(scan->diag, DIAG_KEY_SPELLING, token->at,
                    "`%s:` is a key, not the name of a field", name);
        diag_help(scan->diag,
                  "a field's type stands after two colons: `%s :: …`", name);
        return true;
    }
    if (!comma && !parse_error_knows_key(name))
        return false;
    diag_report(scan->diag, DIAG_MISSING_COMMA, token->at,
                "a comma is missing before `%s:`", name);
    diag_help(scan->diag, "an annotation follows a comma");
    return true;
}

static bool report_word_operator(struct scan *scan,
                                 const struct parse_token_value *token)
{
    static const char *const words[][2] = {
        {"and", "&&"},        {"or", "||"}, {"not", "!"},
        {"rem", "mod(a, b)"}, {"div", "/"}, {"xor", "!="},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(token->value.atom->text, words[i][0]) != 0)
            continue;
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "`%s` is no operator here", words[i][0]);
        diag_help(scan->diag, "operators are symbols: `%s`", words[i][1]);
        return true;
    }
    return false;
}

static bool is_unit(const char *text)
{
    for (int unit = UNIT_MS; unit <= UNIT_TIB; unit++) {
        if (strcmp(text, ast_unit_text((enum ast_unit)unit)) == 0)
            return true;
    }
    return false;
}

/* The unit that a word of another language means, NULL: none. */
static const char *unit_of(const char *text)
{
    static const struct {
        const char *word, *unit;
    } units[] = {
        {"millis", "ms"},  {"millisecond", "ms"}, {"sec", "s"},
        {"second", "s"},   {"min", "m"},          {"minute", "m"},
        {"hour", "h"},     {"day", "d"},          {"week", "w"},
        {"month", "mo"},   {"year", "y"},         {"byte", "B"},
        {"kb", "KiB"},     {"KB", "KiB"},         {"mb", "MiB"},
        {"MB", "MiB"},     {"gb", "GiB"},         {"GB", "GiB"},
    };
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = strlen(units[i].word);
        if (strncmp(text, units[i].word, n) == 0 &&
            (len == n || (len == n + 1 && text[n] == 's')))
            return units[i].unit;
    }
    return is_unit(text) ? text : NULL;
}

/* `5 m`, `5 minutes` */
static void report_unit(struct scan *scan, struct source_range at,
                        const char *unit)
{
    diag_report(scan->diag, DIAG_BAD_UNIT, at,
                "a number and its unit are written together");
    diag_help(scan->diag, "as `5%s`", unit);
}

/* What stands where a type should, or behind one, as elsewhere it may. */
static bool report_type(struct scan *scan,
                        const struct parse_token_value *token,
                        const struct parse_token_value *before)
{
    const char *text = scan->source->text + token->at.begin;
    bool opens = token->kind == MAP_OPEN || *text == '{';
    if (token->kind == ']' && before->kind == '[') {
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "a type is missing before `]`, or a number");
        diag_help(scan->diag, "a list is written `[f32]`, an array of a fixed "
                              "size `f32[16]`");
        return true;
    }
    if (before->kind == COLONCOLON && opens) {
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "a type stands after `::`");
        diag_help(scan->diag, "a map is written `map<string, u32>`; a struct "
                              "has a name, from defstruct");
        return true;
    }
    if (token->kind == '=' && before->kind != '=') {
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "`=` has no place here");
        diag_help(scan->diag, "a value belongs to a key: `, default: …`; two "
                              "are compared with `==`");
        return true;
    }
    return false;
}

static bool report_name(struct scan *scan,
                        const struct parse_token_value *token,
                        const struct parse_token_value *before,
                        const char *const *expected, int count)
{
    const char *name = token->value.atom->text;
    if (before->kind == ',' && report_split_key(scan, token))
        return true;
    if (before->kind == ',' && parse_error_knows_key(name) &&
        expects(expected, count, "a key (`name:`)")) {
        diag_report(scan->diag, DIAG_KEY_SPELLING, token->at,
                    "a colon is missing behind the key `%s`", name);
        diag_help(scan->diag, "write `%s: …`", name);
        return true;
    }
    if (before->kind == NUMBER && !token->newline && unit_of(name)) {
        report_unit(scan, token->at, unit_of(name));
        return true;
    }
    if (expects(expected, count, "`&&`") || count == 0)
        return report_word_operator(scan, token);
    return false;
}

static bool is_comparison(int kind)
{
    return kind == '<' || kind == '>' || kind == LE || kind == GE ||
           kind == EQ || kind == NE;
}

/* The name before was taken for a field's, but it belongs to the value before
 * it: `a > 1 and b < 3`, `ttl: 5 minutes`. */
static bool report_name_before(struct scan *scan,
                               const struct parse_token_value *before)
{
    if (before->kind != NAME || before->newline)
        return false;
    const char *text = scan->source->text;
    uint32_t at = before->at.begin;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    const char *unit = unit_of(before->value.atom->text);
    if (unit && at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9') {
        report_unit(scan, before->at, unit);
        return true;
    }
    return report_word_operator(scan, before);
}

static bool report_known_mistake(struct scan *scan,
                                 const struct parse_token_value *token,
                                 const struct parse_token_value *before,
                                 const char *const *expected, int count)
{
    bool operand =
        before->kind == NAME || before->kind == NUMBER || before->kind == ')';
    if (report_name_before(scan, before) || report_type(scan, token, before))
        return true;
    if (token->kind == KEY)
        return report_key(scan, token, expects(expected, count, "a name"),
                          expects(expected, count, "','"));
    if (token->kind == NAME)
        return report_name(scan, token, before, expected, count);
    if (is_comparison(token->kind) && operand) {
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "comparisons do not follow one another");
        diag_help(scan->diag, "write `a < b && b < c`");
        return true;
    }
    if (token->kind == ':') {
        diag_report(scan->diag, DIAG_KEY_SPELLING, token->at,
                    "a colon stands alone");
        diag_help(scan->diag, "a key is written `name:`, an atom `:name`, "
                              "a field's type stands after `::`");
        return true;
    }
    if (token->kind == END && !token->newline && before->kind != ',' &&
        parse_error_is_operand(scan, token)) {
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "`end` closes a block, it cannot be computed with");
        diag_help(scan->diag, "give a field of that name another one; `was: "
                              ":end` keeps its data");
        return true;
    }
    if (token->kind == END && before->kind == ',') {
        diag_report(scan->diag, DIAG_SYNTAX, before->at,
                    "nothing follows this comma");
        diag_help(scan->diag, "a field goes on after a comma; take it away");
        return true;
    }
    return false;
}

void parse_error_report(struct scan *scan,
                        const struct parse_token_value *token,
                        const struct parse_token_value *before, bool module,
                        const char *const *expected, int count)
{
    if (!module && report_known_mistake(scan, token, before, expected, count))
        return;
    const char *what =
        token->kind == 0 ? "the end of the file"
        : token->kind == NEWLINE
            ? "the end of the line"
            : arena_format(scan->arena, "`%s`", token_text(scan, token->at));
    const char *name = strncmp(what, "the ", 4) == 0 ? what + 4 : what;
    if (module) {
        diag_report(scan->diag, DIAG_ELIXIR, token->at,
                    "%s has no meaning in a schema", what);
        diag_help(scan->diag,
                  "a defmodule holds `use …`, `@doc \"…\"` and `def "
                  "persistence_config do %%{…} end`, no other Elixir code");
        return;
    }
    if (count > 0)
        diag_report(scan->diag, DIAG_SYNTAX, token->at,
                    "unexpected %s; %s could stand here", name,
                    expected_list(scan, expected, count));
    else
        diag_report(scan->diag, DIAG_SYNTAX, token->at, "unexpected %s", name);
    if (before->kind == 0 && token->kind == NAME)
        diag_help(scan->diag, "a schema is made of defproduct, defstruct, "
                              "defenum, defsum, defpool, defstrategy, "
                              "defkernel, import and @prefix");
}
