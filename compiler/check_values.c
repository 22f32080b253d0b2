/* Constants: times, sizes, counts, flags, ages, and `default:` values of every
 * type. */
#include "check_number.h"
#include "limit.h"
#include "parse.h"

#include <string.h>

static const int64_t unit_values[] = {
    [UNIT_NONE] = 1,
    [UNIT_MS] = 1,
    [UNIT_S] = 1000,
    [UNIT_M] = 60000,
    [UNIT_H] = 3600000,
    [UNIT_D] = 86400000,
    [UNIT_W] = 7 * (int64_t)86400000,
    [UNIT_MO] = 30 * (int64_t)86400000,
    [UNIT_Y] = 365 * (int64_t)86400000,
    [UNIT_B] = 1,
    [UNIT_KIB] = 1024,
    [UNIT_MIB] = 1024 * 1024,
    [UNIT_GIB] = (int64_t)1024 * 1024 * 1024,
    [UNIT_TIB] = (int64_t)1024 * 1024 * 1024 * 1024,
};

static bool is_time(enum ast_unit unit)
{
    return unit >= UNIT_MS && unit <= UNIT_Y;
}

/* Numbers with units ------------------------------------------------------- */

enum measure { MEASURE_TIME, MEASURE_BYTES, MEASURE_COUNT };

static bool wrong_unit(struct check *check, const struct ast_expr *expr,
                       const char *what, enum measure measure)
{
    static const char *const wants[] = {[MEASURE_TIME] = "a time",
                                        [MEASURE_BYTES] = "a size",
                                        [MEASURE_COUNT] =
                                            "a number without a unit"};
    static const char *const helps[] = {
        [MEASURE_TIME] = "units of time are ms s m h d w mo y; a bare number "
                         "is seconds",
        [MEASURE_BYTES] = "units of size are B KiB MiB GiB TiB; a bare number "
                          "is bytes",
        [MEASURE_COUNT] = "write the number alone"};
    diag_report(check->diag, DIAG_WRONG_UNIT, expr->at,
                "`%s` takes %s, and `%s` is none", what, wants[measure],
                ast_unit_text(expr->number.unit));
    diag_help(check->diag, "%s", helps[measure]);
    return false;
}

static bool read_measure(struct check *check, const struct ast_expr *expr,
                         const char *what, enum measure measure, int64_t *out)
{
    static const char *const wants[] = {
        [MEASURE_TIME] = "a time, like 30s, 12h or 7d",
        [MEASURE_BYTES] = "a size, like 512 or 64MiB",
        [MEASURE_COUNT] = "a whole number"};
    if (expr->kind == AST_BAD)
        return false;
    if (expr->kind == AST_UNARY && expr->op == AST_OP_NEG &&
        expr->left->kind == AST_NUMBER) {
        diag_report(check->diag, DIAG_OUT_OF_RANGE, expr->at,
                    "`%s` cannot be negative", what);
        return false;
    }
    if (expr->kind != AST_NUMBER) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at, "`%s` takes %s",
                    what, wants[measure]);
        if (expr->kind == AST_TEXT)
            diag_help(check->diag, "write it without quotes");
        return false;
    }
    enum ast_unit unit = expr->number.unit;
    bool fits = unit == UNIT_NONE ||
                (measure == MEASURE_TIME && is_time(unit)) ||
                (measure == MEASURE_BYTES && unit >= UNIT_B);
    if (!fits)
        return wrong_unit(check, expr, what, measure);
    int64_t factor =
        unit == UNIT_NONE && measure == MEASURE_TIME ? 1000 : unit_values[unit];
    if (expr->number.is_float) {
        double value = expr->number.value * (double)factor;
        if (measure == MEASURE_COUNT ||
            (value < 9.2e18 && value != (double)(int64_t)value)) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                        measure == MEASURE_TIME
                            ? "`%s` takes whole milliseconds"
                            : "`%s` takes a whole number",
                        what);
            return false;
        }
        if (value < 9.2e18) {
            *out = (int64_t)value;
            return true;
        }
    } else if (!expr->number.too_big &&
               expr->number.whole <= (uint64_t)(INT64_MAX / 4 / factor)) {
        *out = (int64_t)expr->number.whole * factor;
        return true;
    }
    diag_report(check->diag, DIAG_OUT_OF_RANGE, expr->at,
                "`%s` is past what 63 bits can hold", what);
    return false;
}

bool check_time(struct check *check, const struct ast_expr *expr,
                const char *what, int64_t *ms)
{
    return read_measure(check, expr, what, MEASURE_TIME, ms);
}

bool check_bytes(struct check *check, const struct ast_expr *expr,
                 const char *what, int64_t *bytes)
{
    return read_measure(check, expr, what, MEASURE_BYTES, bytes);
}

bool check_count(struct check *check, const struct ast_expr *expr,
                 const char *what, int64_t *count)
{
    return read_measure(check, expr, what, MEASURE_COUNT, count);
}

bool check_flag(struct check *check, const struct ast_expr *expr,
                const char *what, int64_t *flag)
{
    bool yes = expr->kind == AST_NAME && strcmp(expr->name->text, "true") == 0;
    bool no = expr->kind == AST_NAME && strcmp(expr->name->text, "false") == 0;
    *flag = yes;
    if (yes || no)
        return true;
    diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                "`%s:` takes `true` or `false`", what);
    return false;
}

/* Ages --------------------------------------------------------------------- */

int64_t check_unit_ms(const char *name)
{
    static const struct {
        const char *name;
        enum ast_unit unit;
    } names[] = {
        {"millisecond", UNIT_MS}, {"second", UNIT_S}, {"minute", UNIT_M},
        {"hour", UNIT_H},         {"day", UNIT_D},    {"week", UNIT_W},
        {"month", UNIT_MO},       {"year", UNIT_Y},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i].name);
        if (strncmp(names[i].name, name, len) == 0 &&
            (name[len] == 0 || strcmp(name + len, "s") == 0))
            return unit_values[names[i].unit];
    }
    return 0;
}

/* :last_24_hours, :last_year */
static int64_t last_age(const char *text)
{
    uint64_t count = 0;
    if (strncmp(text, "last_", 5) != 0)
        return 0;
    text += 5;
    if (*text < '0' || *text > '9')
        return check_unit_ms(text);
    for (; *text >= '0' && *text <= '9'; text++) {
        count = count * 10 + (uint64_t)(*text - '0');
        if (count > 1000000000)
            return 0;
    }
    if (*text != '_' || count == 0)
        return 0;
    int64_t unit = check_unit_ms(text + 1);
    return unit == 0 || (int64_t)count > INT64_MAX / 4 / unit
               ? 0
               : (int64_t)count * unit;
}

bool check_age(struct check *check, const struct ast_expr *expr, int64_t *ms)
{
    if (expr->kind == AST_BAD)
        return false;
    if (expr->kind != AST_ATOM) {
        if (expr->kind != AST_NUMBER) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                        "an age stands here");
            diag_help(check->diag, "an age is a time (24h, 30d) or an atom "
                                   "(:last_24_hours, :indefinite)");
            return false;
        }
        if (!check_time(check, expr, "age", ms))
            return false;
        if (*ms > 0)
            return true;
        diag_report(check->diag, DIAG_OUT_OF_RANGE, expr->at,
                    "an age of 0 would keep nothing");
        return false;
    }
    if (strcmp(expr->name->text, "indefinite") == 0) {
        *ms = MODEL_FOREVER;
        return true;
    }
    *ms = last_age(expr->name->text);
    if (*ms > 0)
        return true;
    diag_report(check->diag, DIAG_UNKNOWN_WORD, expr->at, "`:%s` is no age",
                expr->name->text);
    diag_help(check->diag, "ages are :last_<n>_<unit> (:last_24_hours, "
                           ":last_30_days, :last_year), :indefinite, or a "
                           "time like 30d");
    return false;
}

/* Defaults ----------------------------------------------------------------- */

static bool bad_default(struct check *check, const struct ast_expr *expr,
                        const struct model_type *type, const char *want)
{
    diag_report(check->diag, DIAG_BAD_DEFAULT, expr->at,
                "this is no value of type `%s`", type->spelling);
    diag_help(check->diag, "%s", want);
    return false;
}

static bool number_default(struct check *check, const struct ast_expr *expr,
                           const struct model_type *type,
                           struct model_value *out)
{
    bool negative = expr->kind == AST_UNARY && expr->op == AST_OP_NEG;
    const struct ast_expr *number = negative ? expr->left : expr;
    if (number->kind != AST_NUMBER || number->number.unit != UNIT_NONE)
        return bad_default(check, expr, type, "write a number");
    if (type->class == CLASS_FLOAT) {
        double value = number->number.value;
        out->kind = VALUE_FLOAT;
        out->f = negative ? -value : value;
        if (type->kind == TYPE_F32 && !number_in_f32(value))
            return bad_default(check, expr, type,
                               value > 1 ? "it is past what an f32 can hold"
                                         : "it is so small that an f32 would "
                                           "hold 0");
        return true;
    }
    unsigned bits = type->c_size * 8;
    uint64_t whole = number->number.whole;
    bool is_signed = type->class == CLASS_SINT;
    uint64_t most = is_signed ? (UINT64_MAX >> (65 - bits)) + negative
                              : UINT64_MAX >> (64 - bits);
    if (number->number.is_float || number->number.too_big || whole > most ||
        (negative && !is_signed && whole != 0))
        return bad_default(check, expr, type, "write a whole number that fits");
    out->kind = is_signed ? VALUE_INT : VALUE_UINT;
    if (is_signed)
        out->i = negative ? (int64_t)(0 - whole) : (int64_t)whole;
    else
        out->u = whole;
    return true;
}

static bool time_default(struct check *check, const struct ast_expr *expr,
                         const struct model_type *type, struct model_value *out)
{
    out->kind = VALUE_INT;
    if (expr->kind == AST_NUMBER &&
        (expr->number.unit == UNIT_NONE || is_time(expr->number.unit)))
        return check_time(check, expr, "default", &out->i);
    return bad_default(check, expr, type,
                       type->kind == TYPE_DURATION
                           ? "write a time, like 30s"
                           : "write the time since 1970-01-01, like "
                             "1700000000s");
}

static bool enum_default(struct check *check, const struct ast_expr *expr,
                         const struct model_type *type, struct model_value *out)
{
    const struct model_enum *e = type->enumeration;
    struct atom_nearest nearest;
    if (expr->kind != AST_ATOM)
        return bad_default(check, expr, type,
                           "write a member as an atom, like `:NONE`");
    atom_nearest_init(&nearest, expr->name->text);
    for (uint32_t i = 0; i < e->member_count; i++) {
        if (strcmp(e->members[i].name, expr->name->text) == 0) {
            out->kind = VALUE_ENUM;
            out->i = e->members[i].value;
            out->member = &e->members[i];
            return true;
        }
        atom_nearest_offer(&nearest, e->members[i].name);
    }
    diag_report(check->diag, DIAG_BAD_DEFAULT, expr->at,
                "`%s` has no member `%s`", e->name, expr->name->text);
    diag_note(check->diag, e->at, "declared here");
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `:%s`?", nearest.best);
    return false;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool uuid_default(struct check *check, const struct ast_expr *expr,
                         const struct model_type *type, struct model_value *out)
{
    char *bytes = arena_alloc(check->arena, 17);
    const char *text = expr->text.bytes;
    bool good = expr->kind == AST_TEXT && expr->text.len == 36;
    for (int i = 0, n = 0; good && i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        int digit = hex_digit(text[i]);
        good = dash ? text[i] == '-' : digit >= 0;
        if (!dash && good) {
            bytes[n / 2] = (char)((unsigned char)bytes[n / 2] << 4 | digit);
            n++;
        }
    }
    if (!good)
        return bad_default(
            check, expr, type,
            "write \"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\" in hexadecimal");
    *out = (struct model_value){.kind = VALUE_UUID, .text = bytes, .len = 16};
    return true;
}

static bool text_default(struct check *check, const struct ast_expr *expr,
                         const struct model_type *type, struct model_value *out)
{
    if (type->kind == TYPE_ATOM && expr->kind == AST_ATOM) {
        out->kind = VALUE_TEXT;
        out->text = expr->name->text;
        out->len = expr->name->len;
        return true;
    }
    if (expr->kind != AST_TEXT)
        return bad_default(check, expr, type,
                           type->kind == TYPE_ATOM
                               ? "write an atom, like `:none`"
                               : "write a text between quotes");
    out->kind = VALUE_TEXT;
    out->text = expr->text.bytes;
    out->len = expr->text.len;
    if (type->kind == TYPE_FIXED_BYTES && out->len != type->limit)
        return bad_default(check, expr, type,
                           arena_format(check->arena,
                                        "it must have exactly %llu bytes",
                                        (unsigned long long)type->limit));
    if (type->kind == TYPE_STRING && !parse_is_utf8(out->text, out->len))
        return bad_default(check, expr, type,
                           "a string is UTF-8; `bytes` holds anything");
    if (type->limit != 0 && out->len > type->limit)
        return bad_default(check, expr, type,
                           arena_format(check->arena,
                                        "it has at most %llu bytes",
                                        (unsigned long long)type->limit));
    return true;
}

static uint32_t count_entries(const struct ast_expr *expr)
{
    uint32_t count = 0;
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next)
        count++;
    return count;
}

/* [a, b] for a list or array; an empty one for maps too. */
static bool list_default(struct check *check, const struct ast_expr *expr,
                         const struct model_type *type, struct model_value *out)
{
    bool map = type->kind == TYPE_MAP || type->kind == TYPE_DYNAMIC_MAP;
    bool fits = expr->kind == (map ? AST_MAP : AST_LIST);
    uint32_t count = fits ? count_entries(expr) : 0, n = 0;
    if (!fits || (map && count != 0))
        return bad_default(check, expr, type,
                           map ? "a map's default is the empty one, `%{}`"
                               : "write a list, like `[]`");
    if (type->kind == TYPE_ARRAY && count != type->limit)
        return bad_default(check, expr, type,
                           arena_format(check->arena, "it needs %llu elements",
                                        (unsigned long long)type->limit));
    if (type->kind == TYPE_LIST && type->limit != 0 && count > type->limit)
        return bad_default(check, expr, type,
                           "the list is longer than its `max:`");
    if (count == 0) {
        out->kind = VALUE_EMPTY;
        return true;
    }
    struct model_value *items =
        ARENA_ARRAY(check->arena, struct model_value, count);
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next) {
        if (e->key != NULL)
            return bad_default(check, e->value, type, "a list has no keys");
        if (!check_default(check, e->value, type->element, &items[n++]))
            return false;
    }
    *out = (struct model_value){
        .kind = VALUE_TUPLE, .items = items, .item_count = count};
    return true;
}

/* %{x: 1, y: 2}: every member once. */
static bool struct_default(struct check *check, const struct ast_expr *expr,
                           const struct model_type *type,
                           struct model_value *out)
{
    const struct model_struct *s = type->structure;
    if (expr->kind != AST_MAP)
        return bad_default(check, expr, type,
                           "write a map of its members, like `%{x: 0}`");
    struct model_value *items =
        ARENA_ARRAY(check->arena, struct model_value, s->member_count);
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next) {
        uint32_t i = 0;
        while (i < s->member_count && e->key != NULL &&
               strcmp(s->members[i].name, e->key->text) != 0)
            i++;
        if (e->key == NULL || i == s->member_count) {
            diag_report(check->diag, DIAG_BAD_DEFAULT, e->at,
                        "`%s` has no such member", s->name);
            diag_note(check->diag, s->at, "declared here");
            return false;
        }
        if (items[i].kind != VALUE_NONE) {
            diag_report(check->diag, DIAG_DUPLICATE, e->at,
                        "`%s:` is given twice", s->members[i].name);
            return false;
        }
        if (!check_default(check, e->value, s->members[i].type, &items[i]))
            return false;
    }
    for (uint32_t i = 0; i < s->member_count; i++) {
        if (items[i].kind == VALUE_NONE && !s->members[i].optional)
            return bad_default(check, expr, type,
                               arena_format(check->arena, "`%s:` is missing",
                                            s->members[i].name));
    }
    *out = (struct model_value){
        .kind = VALUE_TUPLE, .items = items, .item_count = s->member_count};
    return true;
}

bool check_default(struct check *check, const struct ast_expr *expr,
                   const struct model_type *type, struct model_value *out)
{
    int64_t flag;
    memset(out, 0, sizeof *out);
    if (expr->kind == AST_BAD)
        return false;
    switch (type->class) {
    case CLASS_BOOL:
        out->kind = VALUE_BOOL;
        if (!check_flag(check, expr, "default", &flag))
            return false;
        out->i = flag;
        return true;
    case CLASS_UINT:
    case CLASS_SINT:
    case CLASS_FLOAT:
        return number_default(check, expr, type, out);
    case CLASS_TIME:
        return time_default(check, expr, type, out);
    case CLASS_UUID:
        return uuid_default(check, expr, type, out);
    case CLASS_TEXT:
        return text_default(check, expr, type, out);
    case CLASS_ENUM:
        return enum_default(check, expr, type, out);
    case CLASS_OTHER:
        break;
    }
    if (type->kind == TYPE_FIXED_BYTES)
        return text_default(check, expr, type, out);
    if (type->kind == TYPE_STRUCT)
        return struct_default(check, expr, type, out);
    if (type->kind == TYPE_SUM)
        return bad_default(check, expr, type,
                           "a sum has no default: leave it out");
    return list_default(check, expr, type, out);
}
