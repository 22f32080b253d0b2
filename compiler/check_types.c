/* Written types -> interned types: equal shapes are one pointer. Structs, enums
 * and sums themselves are read in check_decls.c. */
#include "check.h"
#include "limit.h"
#include "mangle.h"

#include <string.h>

struct scalar {
    const char *name, *elixir, *c_form;
    uint32_t bytes;
    enum type_class class;
};

static const struct scalar scalars[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class)                         \
    [TYPE_##id] = {name, elixir, c_form, bytes, CLASS_##class},
#include "../grammar/types.def"
#undef SCALAR
};
enum { SCALAR_COUNT = sizeof scalars / sizeof scalars[0] };

/* Interning ---------------------------------------------------------------- */

static bool same_type(const struct model_type *a, const struct model_type *b)
{
    return a->kind == b->kind && a->limit == b->limit &&
           a->element == b->element && a->key == b->key &&
           a->structure == b->structure && a->enumeration == b->enumeration &&
           a->sum == b->sum &&
           (a->kind != TYPE_OPAQUE || strcmp(a->spelling, b->spelling) == 0);
}

static uint32_t hash_type(const struct model_type *type)
{
    uintptr_t parts[] = {
        (uintptr_t)type->kind,      (uintptr_t)type->limit,
        (uintptr_t)type->element,   (uintptr_t)type->key,
        (uintptr_t)type->structure, (uintptr_t)type->enumeration,
        (uintptr_t)type->sum};
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        hash = (hash ^ parts[i]) * 1099511628211u;
    return (uint32_t)(hash ^ hash >> 29);
}

static void place_type(struct check *check, const struct model_type *type)
{
    uint32_t at = hash_type(type) & (check->slot_count - 1);
    while (check->type_slots[at] != 0)
        at = (at + 1) & (check->slot_count - 1);
    check->type_slots[at] = type->index + 1;
}

static void grow_types(struct check *check)
{
    size_t bytes = check->type_capacity * sizeof(struct model_type *);
    uint32_t capacity =
        check->type_capacity == 0 ? 64 : check->type_capacity * 2;
    check->types = arena_grow(check->arena, check->types, bytes,
                              capacity * sizeof(struct model_type *));
    check->type_capacity = capacity;
    check->slot_count = capacity * 2;
    check->type_slots = ARENA_ARRAY(check->arena, uint32_t, capacity * 2);
    for (uint32_t i = 0; i < check->type_count; i++)
        place_type(check, check->types[i]);
}

/* The given type, or the equal one that was there before. */
static struct model_type *intern_type(struct check *check,
                                      const struct model_type *wanted)
{
    if (check->type_count == check->type_capacity)
        grow_types(check);
    uint32_t at = hash_type(wanted) & (check->slot_count - 1);
    for (; check->type_slots[at] != 0;
         at = (at + 1) & (check->slot_count - 1)) {
        struct model_type *type = check->types[check->type_slots[at] - 1];
        if (same_type(type, wanted))
            return type;
    }
    struct model_type *type = ARENA_NEW(check->arena, struct model_type);
    *type = *wanted;
    type->index = check->type_count;
    check->types[check->type_count++] = type;
    check->type_slots[at] = type->index + 1;
    return type;
}

struct model_type *check_declared_type(struct check *check,
                                       const struct check_symbol *symbol)
{
    struct model_type wanted = {.class = CLASS_OTHER};
    const char *name = symbol->decl->name->text;
    switch (symbol->decl->kind) {
    case AST_ENUM:
        wanted.kind = TYPE_ENUM;
        wanted.class = CLASS_ENUM;
        wanted.enumeration = symbol->enumeration;
        wanted.c_type =
            arena_format(check->arena, "enum %s", symbol->enumeration->c_name);
        wanted.c_size = wanted.c_align = 4;
        wanted.fixed = true;
        break;
    case AST_STRUCT:
        wanted.kind = TYPE_STRUCT;
        wanted.structure = symbol->structure;
        wanted.c_type =
            arena_format(check->arena, "struct %s", symbol->structure->c_name);
        break;
    default:
        wanted.kind = TYPE_SUM;
        wanted.sum = symbol->sum;
        wanted.c_type =
            arena_format(check->arena, "struct %s", symbol->sum->c_name);
        break;
    }
    wanted.spelling = name;
    return intern_type(check, &wanted);
}

/* Made types --------------------------------------------------------------- */

const struct model_type *check_scalar(struct check *check, enum type_kind kind)
{
    const struct scalar *row = &scalars[kind];
    bool text = row->class == CLASS_TEXT;
    return intern_type(
        check, &(struct model_type){.kind = kind,
                                    .class = row->class,
                                    .spelling = row->name,
                                    .c_type = row->c_form,
                                    .c_size = row->bytes,
                                    .c_align = row->class == CLASS_UUID ? 1
                                               : text                   ? 8
                                                      : row->bytes,
                                    .stored_bytes = text ? 0 : row->bytes,
                                    .fixed = !text});
}

bool check_is_number(const struct model_type *type)
{
    return type->class == CLASS_UINT || type->class == CLASS_SINT ||
           type->class == CLASS_FLOAT;
}

/* The part of a wrapper's tag that names this type: "u32", "game_vec3". */
static const char *tag_part(struct check *check, const struct model_type *type)
{
    switch (type->kind) {
    case TYPE_STRUCT:
        return type->structure->c_name;
    case TYPE_ENUM:
        return type->enumeration->c_name;
    case TYPE_SUM:
        return type->sum->c_name;
    case TYPE_FIXED_BYTES:
    case TYPE_ARRAY:
        return strncmp(type->wrapper_tag, "warp_", 5) == 0
                   ? type->wrapper_tag + 5
                   : type->wrapper_tag;
    case TYPE_LIST:
        return arena_format(check->arena, "%s_list",
                            tag_part(check, type->element));
    case TYPE_MAP:
        return arena_format(check->arena, "%s_by_%s",
                            tag_part(check, type->element),
                            tag_part(check, type->key));
    case TYPE_DYNAMIC_MAP:
        return "map";
    case TYPE_OPAQUE:
        return "opaque";
    case TYPE_ATOM:
        return "atom";
    default:
        return scalars[type->kind].name;
    }
}

/* Does the tag begin with a name of the schema's own? */
static bool has_own_name(const struct model_type *type)
{
    while (type->kind == TYPE_ARRAY || type->kind == TYPE_LIST ||
           type->kind == TYPE_MAP)
        type = type->element;
    return type->kind == TYPE_STRUCT || type->kind == TYPE_ENUM ||
           type->kind == TYPE_SUM;
}

static void name_wrapper(struct check *check, struct model_type *type,
                         const char *tag, bool own)
{
    type->wrapper_tag = own ? tag : arena_format(check->arena, "warp_%s", tag);
    type->wrapper_guard =
        arena_format(check->arena, "%s_DECLARED",
                     mangle_upper(check->arena, type->wrapper_tag));
}

const struct model_type *check_array_of(struct check *check,
                                        const struct model_type *element,
                                        uint64_t count)
{
    struct model_type *type =
        intern_type(check, &(struct model_type){.kind = TYPE_ARRAY,
                                                .class = CLASS_OTHER,
                                                .limit = count,
                                                .element = element});
    if (type->spelling != NULL)
        return type;
    type->spelling = arena_format(check->arena, "%s[%llu]", element->spelling,
                                  (unsigned long long)count);
    type->c_size = (uint32_t)(element->c_size * count);
    type->c_align = element->c_align;
    type->stored_bytes = (uint32_t)(element->stored_bytes * count);
    type->fixed = element->fixed;
    name_wrapper(check, type,
                 arena_format(check->arena, "%s_%llu", tag_part(check, element),
                              (unsigned long long)count),
                 has_own_name(element));
    type->c_type = arena_format(check->arena, "struct %s", type->wrapper_tag);
    return type;
}

static const struct model_type *fixed_bytes(struct check *check, uint64_t count)
{
    struct model_type *type =
        intern_type(check, &(struct model_type){.kind = TYPE_FIXED_BYTES,
                                                .class = CLASS_OTHER,
                                                .limit = count});
    if (type->spelling != NULL)
        return type;
    unsigned long long n = count;
    type->spelling = arena_format(check->arena, "bytes<%llu>", n);
    type->c_size = type->stored_bytes = (uint32_t)count;
    type->c_align = 1;
    type->fixed = true;
    name_wrapper(check, type, arena_format(check->arena, "bytes_%llu", n),
                 false);
    type->c_type = arena_format(check->arena, "struct %s", type->wrapper_tag);
    return type;
}

static const struct model_type *
list_of(struct check *check, const struct model_type *element, uint64_t max)
{
    struct model_type *type =
        intern_type(check, &(struct model_type){.kind = TYPE_LIST,
                                                .class = CLASS_OTHER,
                                                .limit = max,
                                                .element = element,
                                                .c_type = "struct warp_list",
                                                .c_size = 16,
                                                .c_align = 8});
    if (type->spelling == NULL)
        type->spelling =
            max == 0 ? arena_format(check->arena, "[%s]", element->spelling)
                     : arena_format(check->arena, "[%s, max: %llu]",
                                    element->spelling, (unsigned long long)max);
    return type;
}

static const struct model_type *map_of(struct check *check,
                                       const struct model_type *key,
                                       const struct model_type *value)
{
    struct model_type *type =
        intern_type(check, &(struct model_type){.kind = TYPE_MAP,
                                                .class = CLASS_OTHER,
                                                .element = value,
                                                .key = key,
                                                .c_type = "struct warp_list",
                                                .c_size = 16,
                                                .c_align = 8});
    if (type->spelling != NULL)
        return type;
    type->spelling = arena_format(check->arena, "map<%s, %s>", key->spelling,
                                  value->spelling);
    name_wrapper(check, type,
                 arena_format(check->arena, "%s_by_%s", tag_part(check, value),
                              tag_part(check, key)),
                 has_own_name(value));
    return type;
}

static const struct model_type *text_of(struct check *check,
                                        enum type_kind kind, uint64_t limit)
{
    struct model_type *type =
        intern_type(check, &(struct model_type){.kind = kind,
                                                .class = CLASS_TEXT,
                                                .limit = limit,
                                                .c_type = "struct warp_str",
                                                .c_size = 16,
                                                .c_align = 8});
    if (type->spelling == NULL)
        type->spelling =
            arena_format(check->arena, "%s<%llu>", scalars[kind].name,
                         (unsigned long long)limit);
    return type;
}

/* Written types ------------------------------------------------------------ */

static bool read_limit(struct check *check, const struct ast_number *number,
                       struct source_range at, uint64_t max, uint64_t *out)
{
    *out = number->whole;
    if (number->is_float || number->unit != UNIT_NONE || number->too_big ||
        number->whole == 0 || number->whole > max) {
        diag_report(check->diag, DIAG_BAD_LIMIT, at,
                    "a whole number from 1 to %llu stands here",
                    (unsigned long long)max);
        return false;
    }
    return true;
}

static bool is_map_key(const struct model_type *type)
{
    return type->class != CLASS_OTHER && type->class != CLASS_FLOAT &&
           type->kind != TYPE_OPAQUE;
}

static const struct model_type *read_map(struct check *check,
                                         const struct ast_type *type)
{
    const struct ast_type *first = type->args;
    if (first == NULL || first->next == NULL || first->next->next != NULL) {
        diag_report(check->diag, DIAG_BAD_TYPE, type->at,
                    "a map has a key type and a value type");
        diag_help(check->diag, "write `map<string, u32>`, or `map()` for "
                               "values of any type");
        return NULL;
    }
    const struct model_type *key = check_type(check, first, NULL);
    const struct model_type *value = check_type(check, first->next, NULL);
    if (key == NULL || value == NULL)
        return NULL;
    if (is_map_key(key))
        return map_of(check, key, value);
    diag_report(check->diag, DIAG_BAD_TYPE, first->at,
                "a map cannot be sorted by `%s`", key->spelling);
    diag_help(check->diag, "keys are whole numbers, bool, times, uuid, enums "
                           "and texts");
    return NULL;
}

static const struct model_type *read_generic(struct check *check,
                                             const struct ast_type *type)
{
    const char *name = type->name->text;
    const struct ast_type *arg = type->args;
    uint64_t limit;
    if (strcmp(name, "map") == 0)
        return read_map(check, type);
    if (strcmp(name, "string") != 0 && strcmp(name, "bytes") != 0) {
        diag_report(check->diag, DIAG_BAD_TYPE, type->at,
                    "`%s` takes nothing between < and >", name);
        if (arg != NULL && arg->next == NULL && arg->kind == AST_TYPE_NAME)
            diag_help(check->diag, "a list is written `[%s]`, a value that may "
                                   "be missing `%s?`",
                      arg->name->text, arg->name->text);
        else
            diag_help(check->diag, "those that do are string<N>, bytes<N> and "
                                   "map<K, V>");
        return NULL;
    }
    if (arg == NULL || arg->next != NULL || arg->kind != AST_TYPE_NUMBER) {
        diag_report(check->diag, DIAG_BAD_TYPE, type->at,
                    "`%s<N>` takes one number, its length in bytes", name);
        return NULL;
    }
    if (!read_limit(check, arg->number, arg->number_at, LIMIT_C_BYTES, &limit))
        return NULL;
    return *name == 's' ? text_of(check, TYPE_STRING, limit)
                        : fixed_bytes(check, limit);
}

static const struct model_type *read_list(struct check *check,
                                          const struct ast_type *type)
{
    struct check_notes notes;
    check_notes_read(check, type->options, IN_LIST, &notes);
    const struct model_type *element = check_type(check, type->element, NULL);
    if (element == NULL || notes.refused)
        return NULL;
    uint64_t max = 0;
    if (note_at(&notes, ANNOTATION_MAX) != NULL) {
        max = (uint64_t)note_number(&notes, ANNOTATION_MAX);
        if (max > UINT32_MAX) {
            diag_report(check->diag, DIAG_BAD_LIMIT,
                        note_at(&notes, ANNOTATION_MAX)->value->at,
                        "a list has at most %u elements", UINT32_MAX);
            return NULL;
        }
    }
    return list_of(check, element, max);
}

static const struct model_type *read_array(struct check *check,
                                           const struct ast_type *type)
{
    uint64_t count;
    const struct model_type *element = check_type(check, type->element, NULL);
    if (element == NULL || !check_sized(check, element, type->at) ||
        !read_limit(check, type->number, type->number_at, LIMIT_C_BYTES,
                    &count))
        return NULL;
    if (element->c_size * count > LIMIT_C_BYTES) {
        diag_report(check->diag, DIAG_BAD_LIMIT, type->at,
                    "this array takes more than %d bytes in C", LIMIT_C_BYTES);
        diag_help(check->diag, "a list, `[%s]`, lies outside of the struct",
                  element->spelling);
        return NULL;
    }
    return check_array_of(check, element, count);
}

/* X and X.t(): a declaration. */
static const struct model_type *read_declared(struct check *check,
                                              const struct ast_type *type,
                                              const struct atom *name)
{
    struct check_symbol *symbol = check_find(check, name);
    if (symbol == NULL) {
        check_unknown(check, DIAG_UNKNOWN_TYPE, name, type->at, "type", -1);
        return NULL;
    }
    switch (symbol->decl->kind) {
    case AST_STRUCT:
    case AST_ENUM:
    case AST_SUM:
        return symbol->type;
    case AST_PRODUCT:
        diag_report(check->diag, DIAG_WRONG_KIND, type->at,
                    "`%s` is a product: a record cannot lie inside another",
                    name->text);
        diag_note(check->diag, symbol->decl->at, "declared here");
        diag_help(check->diag, "hold its key, or declare a defstruct");
        return NULL;
    default:
        diag_report(check->diag, DIAG_WRONG_KIND, type->at,
                    "`%s` is a %s, not a type", name->text,
                    check_kind_name(symbol->decl->kind));
        diag_note(check->diag, symbol->decl->at, "declared here");
        return NULL;
    }
}

static const struct model_type *opaque_type(struct check *check,
                                            const struct ast_type *type,
                                            const struct atom *name)
{
    if (check->lost)
        return NULL;
    diag_report(check->diag, DIAG_UNDECLARED_TYPE, type->at,
                "`%s.t()` is declared nowhere: it is stored as opaque bytes",
                name->text);
    diag_help(check->diag, "declare it: `defstruct %s do … end`", name->text);
    return intern_type(
        check, &(struct model_type){
                   .kind = TYPE_OPAQUE,
                   .class = CLASS_TEXT,
                   .spelling = arena_format(check->arena, "%s.t()", name->text),
                   .c_type = "struct warp_str",
                   .c_size = 16,
                   .c_align = 8});
}

static const struct model_type *read_call(struct check *check,
                                          const struct ast_type *type)
{
    const char *name = type->name->text;
    const char *written = arena_format(check->arena, "%s()", name);
    size_t len = type->name->len;
    for (int i = 0; i < SCALAR_COUNT; i++) {
        if (scalars[i].elixir != NULL &&
            strcmp(scalars[i].elixir, written) == 0)
            return check_scalar(check, (enum type_kind)i);
        if (strcmp(scalars[i].name, written) == 0)
            return check_scalar(check, (enum type_kind)i);
    }
    if (strcmp(name, "map") == 0)
        return intern_type(check,
                           &(struct model_type){.kind = TYPE_DYNAMIC_MAP,
                                                .class = CLASS_OTHER,
                                                .spelling = "map()",
                                                .c_type = "struct warp_list",
                                                .c_size = 16,
                                                .c_align = 8});
    if (len > 2 && strcmp(name + len - 2, ".t") == 0) {
        const struct atom *base = atom_intern(check->atoms, name, len - 2);
        if (check_find(check, base) == NULL)
            return opaque_type(check, type, base);
        return read_declared(check, type, base);
    }
    if (check_find(check, type->name) != NULL) {
        diag_report(check->diag, DIAG_UNKNOWN_TYPE, type->at,
                    "`%s()` is no type", name);
        diag_help(check->diag, "write `%s` or `%s.t()`", name, name);
        return NULL;
    }
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, written);
    for (int i = 0; i < SCALAR_COUNT; i++) {
        atom_nearest_offer(&nearest, scalars[i].name);
        if (scalars[i].elixir != NULL)
            atom_nearest_offer(&nearest, scalars[i].elixir);
    }
    atom_nearest_offer(&nearest, "map()");
    diag_report(check->diag, DIAG_UNKNOWN_TYPE, type->at, "unknown type `%s`",
                written);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    return NULL;
}

/* What other languages, C and Elixir among them, call these types. */
static const struct {
    const char *name, *write;
} habits[] = {
    {"map", "map()"},       {"atom", "atom()"},
    {"integer", "i64"},     {"boolean", "bool"},
    {"String", "string"},   {"DateTime", "timestamp"},
    {"float", "f32"},       {"double", "f64"},
    {"int", "i32"},         {"uint", "u32"},
    {"char", "i8"},         {"byte", "u8"},
    {"short", "i16"},       {"long", "i64"},
    {"int8_t", "i8"},       {"uint8_t", "u8"},
    {"int16_t", "i16"},     {"uint16_t", "u16"},
    {"int32_t", "i32"},     {"uint32_t", "u32"},
    {"int64_t", "i64"},     {"uint64_t", "u64"},
    {"size_t", "u64"},      {"time_t", "timestamp"},
    {"int32", "i32"},       {"uint32", "u32"},
    {"int64", "i64"},       {"uint64", "u64"},
    {"float32", "f32"},     {"float64", "f64"},
    {"str", "string"},      {"text", "string"},
    {"blob", "bytes"},      {"datetime", "timestamp"},
};

static const struct model_type *read_name(struct check *check,
                                          const struct ast_type *type)
{
    const char *name = type->name->text;
    for (int i = 0; i < SCALAR_COUNT; i++) {
        if (strcmp(scalars[i].name, name) == 0)
            return check_scalar(check, (enum type_kind)i);
    }
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        if (strcmp(habits[i].name, name) != 0 ||
            check_find(check, type->name) != NULL)
            continue;
        diag_report(check->diag, DIAG_UNKNOWN_TYPE, type->at,
                    "unknown type `%s`", name);
        diag_help(check->diag, "write `%s`", habits[i].write);
        return NULL;
    }
    return read_declared(check, type, type->name);
}

const struct model_type *check_type(struct check *check,
                                    const struct ast_type *type, bool *optional)
{
    switch (type->kind) {
    case AST_TYPE_NAME:
        return read_name(check, type);
    case AST_TYPE_CALL:
        return read_call(check, type);
    case AST_TYPE_GENERIC:
        return read_generic(check, type);
    case AST_TYPE_LIST:
        return read_list(check, type);
    case AST_TYPE_ARRAY:
        return read_array(check, type);
    case AST_TYPE_OPTIONAL:
        if (optional == NULL || type->element->kind == AST_TYPE_OPTIONAL) {
            diag_report(check->diag, DIAG_BAD_TYPE, type->at,
                        "only a field or member as a whole can be optional");
            diag_help(check->diag, "wrap the value in a defstruct with an "
                                   "optional member");
            return NULL;
        }
        *optional = true;
        return check_type(check, type->element, NULL);
    case AST_TYPE_NUMBER:
        diag_report(check->diag, DIAG_BAD_TYPE, type->at,
                    "a type stands here, not a number");
        return NULL;
    case AST_TYPE_BAD:
        return NULL;
    }
    return NULL;
}
