/* Enums, structs and sums -> their models and sizes. A struct is read when its
 * size is first needed, so that circles are found on the way: the store's types
 * refer only to what stands before them. */
#include "check.h"
#include "limit.h"
#include "mangle.h"

#include <limits.h>
#include <string.h>

static void note_duplicate(struct check *check, const char *what,
                           const struct atom *name, struct source_range at,
                           struct source_range first)
{
    diag_report(check->diag, DIAG_DUPLICATE, at, "the %s `%s` is there twice",
                what, name->text);
    diag_note(check->diag, first, "first defined here");
    diag_help(check->diag, "rename one of them");
}

/* Enums -------------------------------------------------------------------- */

static int64_t enum_least(const struct model_type *storage)
{
    switch (storage->kind) {
    case TYPE_I8:
        return INT8_MIN;
    case TYPE_I16:
        return INT16_MIN;
    case TYPE_I32:
    case TYPE_I64:
        return INT32_MIN;
    default:
        return 0;
    }
}

static int64_t enum_greatest(const struct model_type *storage)
{
    switch (storage->kind) {
    case TYPE_U8:
        return UINT8_MAX;
    case TYPE_U16:
        return UINT16_MAX;
    case TYPE_I8:
        return INT8_MAX;
    case TYPE_I16:
        return INT16_MAX;
    default:
        return INT32_MAX;
    }
}

static bool enum_value(struct check *check, const struct ast_expr *expr,
                       const struct model_type *storage, int64_t *value)
{
    const struct ast_expr *number = expr;
    bool negative = expr->kind == AST_UNARY && expr->op == AST_OP_NEG;
    if (expr->kind == AST_BAD)
        return false;
    if (negative)
        number = expr->left;
    if (number->kind != AST_NUMBER || number->number.is_float ||
        number->number.unit != UNIT_NONE) {
        diag_report(check->diag, DIAG_BAD_ENUM_VALUE, expr->at,
                    "an enum's value is a whole number");
        return false;
    }
    int64_t least = enum_least(storage), greatest = enum_greatest(storage);
    uint64_t whole = number->number.whole;
    bool fits = !number->number.too_big && whole <= INT32_MAX + 1ull;
    *value = negative ? -(int64_t)(fits ? whole : 0) : (int64_t)whole;
    if (fits && *value >= least && *value <= greatest)
        return true;
    diag_report(check->diag, DIAG_BAD_ENUM_VALUE, expr->at,
                "the value does not fit into the enum's `type: %s`",
                storage->spelling);
    diag_help(check->diag, "it lies between %lld and %lld", (long long)least,
              (long long)greatest);
    return false;
}

struct seen_value {
    struct seen_value *next;
    int64_t value;
    const struct ast_enum_member *member;
};

/* The member that has the value already, or NULL. */
static const struct ast_enum_member *
see_value(struct check *check, struct seen_value **slots, uint32_t mask,
          int64_t value, const struct ast_enum_member *member)
{
    struct seen_value **slot = &slots[(uint64_t)value * 2654435761u & mask];
    for (struct seen_value *s = *slot; s != NULL; s = s->next) {
        if (s->value == value)
            return s->member;
    }
    struct seen_value *seen = ARENA_NEW(check->arena, struct seen_value);
    *seen = (struct seen_value){*slot, value, member};
    *slot = seen;
    return NULL;
}

static void read_members(struct check *check, struct check_symbol *symbol,
                         uint32_t count)
{
    struct model_enum *model = symbol->enumeration;
    struct model_enum_member *members =
        ARENA_ARRAY(check->arena, struct model_enum_member, count);
    uint32_t mask = 15, n = 0;
    int64_t value = 0;
    struct atom_map names;
    while (mask < count)
        mask = mask * 2 + 1;
    struct seen_value **slots =
        ARENA_ARRAY(check->arena, struct seen_value *, mask + 1);
    atom_map_init(&names, check->arena);
    for (const struct ast_enum_member *m = symbol->decl->enum_members;
         m != NULL; m = m->next, value++) {
        const struct ast_enum_member *first =
            atom_map_put(&names, m->name, (void *)(uintptr_t)m);
        if (first != NULL) {
            note_duplicate(check, "member", m->name, m->at, first->at);
            continue;
        }
        if (m->value != NULL) {
            if (!enum_value(check, m->value, model->storage, &value))
                continue;
        } else if (value > enum_greatest(model->storage)) {
            diag_report(check->diag, DIAG_BAD_ENUM_VALUE, m->at,
                        "`%s` would be %lld, which does not fit into the "
                        "enum's `type: %s`",
                        m->name->text, (long long)value,
                        model->storage->spelling);
            continue;
        }
        first = see_value(check, slots, mask, value, m);
        if (first != NULL) {
            diag_report(check->diag, DIAG_BAD_ENUM_VALUE,
                        m->value != NULL ? m->value->at : m->at,
                        "`%s` and `%s` are both %lld", first->name->text,
                        m->name->text, (long long)value);
            diag_note(check->diag, first->at, "first used here");
            continue;
        }
        const char *upper = mangle_upper(
            check->arena, mangle_snake(check->arena, m->name->text));
        members[n++] = (struct model_enum_member){
            .name = m->name->text,
            .doc = m->doc,
            .value = value,
            .at = m->at,
            .c_name =
                arena_format(check->arena, "%s_%s", model->c_upper, upper)};
    }
    model->members = members;
    model->member_count = n;
}

static void read_enum(struct check *check, struct check_symbol *symbol)
{
    struct model_enum *model = symbol->enumeration;
    struct check_notes notes;
    uint32_t count = 0;
    enum type_kind kind = TYPE_I32;
    check_notes_read(check, symbol->decl->annotations, IN_ENUM, &notes);
    if (note_at(&notes, ANNOTATION_TYPE) != NULL)
        kind = (enum type_kind)note_number(&notes, ANNOTATION_TYPE);
    model->type = symbol->type;
    model->storage = check_scalar(check, kind);
    symbol->type->stored_bytes = model->storage->c_size;
    symbol->state = SYMBOL_DONE;
    for (const struct ast_enum_member *m = symbol->decl->enum_members;
         m != NULL; m = m->next)
        count++;
    if (count == 0 || count > LIMIT_ENUM_MEMBERS) {
        if (count == 0 && check->lost)
            return;
        diag_report(check->diag, count == 0 ? DIAG_EMPTY : DIAG_TOO_MANY,
                    symbol->decl->at,
                    count == 0 ? "the enum `%s` has no members"
                               : "the enum `%s` has more than 65536 members",
                    symbol->decl->name->text);
        return;
    }
    read_members(check, symbol, count);
}

/* Structs and sums --------------------------------------------------------- */

static bool read_member(struct check *check, const struct ast_member *ast,
                        struct model_member *member)
{
    struct check_notes notes;
    if (ast->name != NULL &&
        !check_member_name(check, ast->name, ast->at, false))
        return false;
    check_notes_read(check, ast->annotations, IN_MEMBER, &notes);
    check_notes_conflicts(check, &notes);
    *member =
        (struct model_member){.name = ast->name == NULL ? "" : ast->name->text,
                              .doc = ast->doc,
                              .at = ast->at};
    member->c_name = member->name;
    member->type = check_type(check, ast->type, &member->optional);
    if (member->type == NULL || ast->broken ||
        !check_sized(check, member->type, ast->type->at))
        return false;
    if (member->optional)
        member->c_has = arena_format(check->arena, "has_%s", member->name);
    if (note_at(&notes, ANNOTATION_WAS) != NULL)
        member->was = note_name(&notes, ANNOTATION_WAS)->text;
    member->deprecated = note_number(&notes, ANNOTATION_DEPRECATED) != 0;
    if (note_at(&notes, ANNOTATION_DEFAULT) != NULL)
        check_default(check, note_at(&notes, ANNOTATION_DEFAULT)->value,
                      member->type, &member->value);
    return !notes.refused;
}

/* Two names that C would see once: x twice, or x? beside has_x. */
static void check_member_clash(struct check *check, struct atom_map *names,
                               const struct model_member *member,
                               const char *text)
{
    const struct atom *name = atom_intern(check->atoms, text, strlen(text));
    const struct model_member *first =
        atom_map_put(names, name, (void *)(uintptr_t)member);
    if (first == NULL)
        return;
    diag_report(check->diag, DIAG_NAME_CLASH, member->at,
                "`%s` and `%s` both make a member `%s` in C", first->name,
                member->name, text);
    diag_note(check->diag, first->at, "the other one");
    diag_help(check->diag, "rename one of them");
}

/* The value of `was:`, or NULL. */
static const struct ast_expr *was_of(const struct ast_member *ast)
{
    for (const struct ast_entry *e = ast->annotations; e != NULL; e = e->next) {
        if (e->key != NULL && strcmp(e->key->text, "was") == 0 &&
            e->value->kind == AST_ATOM)
            return e->value;
    }
    return NULL;
}

/* As for the fields of a product: the name is free, and asked for once. */
static void check_was(struct check *check, const struct ast_member *list)
{
    struct atom_map names, taken;
    atom_map_init(&names, check->arena);
    atom_map_init(&taken, check->arena);
    for (const struct ast_member *m = list; m != NULL; m = m->next) {
        if (m->name != NULL)
            atom_map_put(&names, m->name, (void *)(uintptr_t)m);
    }
    for (const struct ast_member *m = list; m != NULL; m = m->next) {
        const struct ast_expr *value = was_of(m);
        if (value == NULL)
            continue;
        const struct atom *was = value->name;
        const struct ast_member *other = atom_map_get(&names, was);
        if (other != NULL) {
            diag_report(check->diag, DIAG_CONTRADICTION, value->at,
                        "`was: :%s` names a member that is still there",
                        was->text);
            diag_note(check->diag, other->at, "here");
            diag_help(check->diag, "`was:` is the name that this member had "
                                   "before it was renamed");
            continue;
        }
        other = atom_map_put(&taken, was, (void *)(uintptr_t)m);
        if (other == NULL)
            continue;
        diag_report(check->diag, DIAG_CONTRADICTION, value->at,
                    "two members say that they were `%s`", was->text);
        diag_note(check->diag, was_of(other)->at, "the other one");
        diag_help(check->diag, "only one of them can have its values");
    }
}

static const struct model_member *
read_member_list(struct check *check, const struct ast_member *first,
                 uint32_t *count, bool *good)
{
    struct atom_map names, c_names;
    uint32_t n = 0;
    for (const struct ast_member *m = first; m != NULL; m = m->next)
        n++;
    struct model_member *members =
        ARENA_ARRAY(check->arena, struct model_member, n == 0 ? 1 : n);
    atom_map_init(&names, check->arena);
    atom_map_init(&c_names, check->arena);
    n = 0;
    for (const struct ast_member *m = first; m != NULL; m = m->next) {
        const struct ast_member *other =
            m->name == NULL
                ? NULL
                : atom_map_put(&names, m->name, (void *)(uintptr_t)m);
        if (other != NULL) {
            note_duplicate(check, "member", m->name, m->at, other->at);
            *good = false;
            continue;
        }
        if (!read_member(check, m, &members[n])) {
            *good = false;
            continue;
        }
        members[n].index = n;
        check_member_clash(check, &c_names, &members[n], members[n].c_name);
        if (members[n].optional)
            check_member_clash(check, &c_names, &members[n], members[n].c_has);
        n++;
    }
    if (*good)
        check_was(check, first);
    *count = n;
    return members;
}

static uint32_t align_up(uint32_t value, uint32_t align)
{
    return align == 0 ? value : (value + align - 1) / align * align;
}

/* Offsets as C lays them out; adds what is stored and whether it is fixed. */
static void lay_out(struct model_member *members, uint32_t count,
                    uint64_t *size, uint32_t *align, uint64_t *stored,
                    bool *fixed)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct model_type *type = members[i].type;
        if (members[i].optional) {
            *size += 1;
            *stored = 0;
        }
        *size = (*size + type->c_align - 1) / type->c_align * type->c_align;
        members[i].c_offset = (uint32_t)*size;
        *size += type->c_size;
        if (type->c_align > *align)
            *align = type->c_align;
        if (type->stored_bytes == 0)
            *stored = 0;
        else if (*stored != 0 || i == 0)
            *stored += members[i].optional ? 0 : type->stored_bytes;
        *fixed &= type->fixed;
    }
    *size = (*size + *align - 1) / *align * *align;
}

static bool check_size(struct check *check, struct check_symbol *symbol,
                       uint64_t size)
{
    if (size <= LIMIT_C_BYTES)
        return true;
    diag_report(check->diag, DIAG_BAD_LIMIT, symbol->decl->at,
                "`%s` takes more than %d bytes in C", symbol->decl->name->text,
                LIMIT_C_BYTES);
    diag_help(check->diag, "a list, `[T]`, lies outside of the struct");
    return false;
}

static bool read_struct(struct check *check, struct check_symbol *symbol)
{
    struct model_struct *model = symbol->structure;
    struct check_notes notes;
    bool good = true;
    check_notes_read(check, symbol->decl->annotations, 0, &notes);
    model->type = symbol->type;
    model->members = read_member_list(check, symbol->decl->members,
                                      &model->member_count, &good);
    if (model->member_count == 0) {
        if (good && !check->lost)
            diag_report(check->diag, DIAG_EMPTY, symbol->decl->at,
                        "the struct `%s` has no members", model->name);
        return false;
    }
    uint64_t size = 0, stored = 0;
    uint32_t align = 1;
    bool fixed = true;
    lay_out((struct model_member *)(uintptr_t)model->members,
            model->member_count, &size, &align, &stored, &fixed);
    symbol->type->c_size = (uint32_t)size;
    symbol->type->c_align = align;
    symbol->type->stored_bytes = (uint32_t)stored;
    symbol->type->fixed = fixed;
    return check_size(check, symbol, size) && good;
}

static void name_variant(struct check *check, const struct model_sum *sum,
                         const struct ast_variant *ast, uint32_t index,
                         struct model_variant *variant)
{
    const char *snake = mangle_snake(check->arena, ast->name->text);
    *variant = (struct model_variant){
        .index = index,
        .name = ast->name->text,
        .c_name = snake,
        .c_tag = arena_format(check->arena, "%s_%s", sum->c_upper,
                              mangle_upper(check->arena, snake)),
        .doc = ast->doc,
        .at = ast->at};
}

static bool read_sum(struct check *check, struct check_symbol *symbol)
{
    struct model_sum *model = symbol->sum;
    struct check_notes notes;
    struct atom_map names;
    bool good = true, fixed = true;
    uint32_t count = 0, n = 0, align = 4, union_align = 1;
    uint64_t union_size = 0;
    check_notes_read(check, symbol->decl->annotations, 0, &notes);
    for (const struct ast_variant *v = symbol->decl->variants; v != NULL;
         v = v->next)
        count++;
    struct model_variant *variants =
        ARENA_ARRAY(check->arena, struct model_variant, count == 0 ? 1 : count);
    atom_map_init(&names, check->arena);
    for (const struct ast_variant *v = symbol->decl->variants; v != NULL;
         v = v->next) {
        name_variant(check, model, v, n, &variants[n]);
        struct model_variant *variant = &variants[n];
        const struct atom *c_name =
            atom_intern(check->atoms, variant->c_name, strlen(variant->c_name));
        const struct ast_variant *first =
            atom_map_put(&names, c_name, (void *)(uintptr_t)v);
        if (first != NULL) {
            note_duplicate(check, "variant", v->name, v->at, first->at);
            good = false;
            continue;
        }
        good &= check_member_name(check, c_name, v->at, false);
        variant->members =
            read_member_list(check, v->members, &variant->member_count, &good);
        uint64_t size = 0, stored = 0;
        uint32_t own_align = 1;
        lay_out((struct model_member *)(uintptr_t)variant->members,
                variant->member_count, &size, &own_align, &stored, &fixed);
        if (size > union_size)
            union_size = size;
        if (own_align > union_align)
            union_align = own_align;
        model->has_union |= variant->member_count > 0;
        n++;
    }
    model->type = symbol->type;
    model->variants = variants;
    model->variant_count = n;
    if (n == 0 && good && !check->lost)
        diag_report(check->diag, DIAG_EMPTY, symbol->decl->at,
                    "the sum `%s` has no variants", model->name);
    if (union_align > align)
        align = union_align;
    uint64_t size = 4;
    if (model->has_union)
        size = align_up(4, union_align) + union_size;
    size = (size + align - 1) / align * align;
    symbol->type->c_size = (uint32_t)size;
    symbol->type->c_align = align;
    symbol->type->fixed = fixed;
    return check_size(check, symbol, size) && good && n > 0;
}

static bool resolve(struct check *check, struct check_symbol *symbol)
{
    symbol->state = SYMBOL_BUSY;
    check->value_depth++;
    bool good = false;
    if (check->value_depth > LIMIT_STRUCT_DEPTH)
        diag_report(check->diag, DIAG_TOO_DEEP, symbol->decl->at,
                    "more than %d structs lie inside one another",
                    LIMIT_STRUCT_DEPTH);
    else if (symbol->decl->kind == AST_STRUCT)
        good = read_struct(check, symbol);
    else
        good = read_sum(check, symbol);
    check->value_depth--;
    symbol->state = good ? SYMBOL_DONE : SYMBOL_BAD;
    return good;
}

bool check_sized(struct check *check, const struct model_type *type,
                 struct source_range use)
{
    if (type->kind == TYPE_LIST || type->kind == TYPE_ARRAY)
        return check_sized(check, type->element, use);
    if (type->kind == TYPE_MAP)
        return check_sized(check, type->key, use) &&
               check_sized(check, type->element, use);
    if (type->kind != TYPE_STRUCT && type->kind != TYPE_SUM)
        return true;
    struct check_symbol *symbol =
        check_find(check, atom_intern(check->atoms, type->spelling,
                                      strlen(type->spelling)));
    if (symbol->state == SYMBOL_BUSY) {
        diag_report(check->diag, DIAG_RECURSIVE_TYPE, use, "`%s` holds itself",
                    type->spelling);
        diag_note(check->diag, symbol->decl->at, "declared here");
        diag_help(check->diag, "hold the keys of other records, or a value of "
                               "any shape, `map()`");
        return false;
    }
    if (symbol->state == SYMBOL_NEW)
        return resolve(check, symbol);
    return symbol->state == SYMBOL_DONE;
}

void check_decls(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_ENUM || s->decl->kind == AST_STRUCT ||
            s->decl->kind == AST_SUM)
            s->type = check_declared_type(check, s);
    }
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_ENUM)
            read_enum(check, s);
    }
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if ((s->decl->kind == AST_STRUCT || s->decl->kind == AST_SUM) &&
            s->state == SYMBOL_NEW)
            resolve(check, s);
    }
}
