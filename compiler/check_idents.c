/* Every identifier that the generated code would hold, and that none is there
 * twice: two fields, a field and a verb, a series beside a product. A call that
 * the emitters add gets its row here. A set of hashes says whether there is
 * anything to report; only then the names themselves are made. */
#include "check.h"
#include "mangle.h"

#include <stdio.h>
#include <string.h>

enum when {
    ALWAYS,
    COMPOSITE,
    PARTNERS,
    SET,
    ADD,
    INDEXED,
    UNIQUE,
    COLUMN,
    SERIES,
    DERIVED,
    SUMMARY,
};

/* c_name + suffix */
static const struct {
    enum ident_kind kind;
    enum when when;
    const char *suffix;
} product_idents[] = {
    {IDENT_TAG, ALWAYS, ""},
    {IDENT_TAG, COMPOSITE, "_key"},
    {IDENT_TAG, ALWAYS, "_range"},
    {IDENT_OBJECT, ALWAYS, "_warp_product"},
    {IDENT_FUNCTION, ALWAYS, "_put"},
    {IDENT_FUNCTION, ALWAYS, "_put_in"},
    {IDENT_FUNCTION, ALWAYS, "_get"},
    {IDENT_FUNCTION, ALWAYS, "_delete"},
    {IDENT_FUNCTION, ALWAYS, "_delete_in"},
    {IDENT_FUNCTION, ALWAYS, "_touch"},
    {IDENT_FUNCTION, ALWAYS, "_touch_in"},
    {IDENT_FUNCTION, ALWAYS, "_expire"},
    {IDENT_FUNCTION, ALWAYS, "_expire_in"},
    {IDENT_FUNCTION, ALWAYS, "_version"},
    {IDENT_FUNCTION, ALWAYS, "_expect_in"},
    {IDENT_FUNCTION, ALWAYS, "_state"},
    {IDENT_FUNCTION, ALWAYS, "_prefetch"},
    {IDENT_FUNCTION, ALWAYS, "_scan"},
    {IDENT_FUNCTION, ALWAYS, "_next"},
    {IDENT_FUNCTION, PARTNERS, "_get_with_partners"},
};

/* c_name + before + field + after */
static const struct {
    enum when when;
    const char *before, *after;
} field_idents[] = {
    {SET, "_set_", ""},           {SET, "_set_", "_in"},
    {ADD, "_add_", ""},           {ADD, "_add_", "_in"},
    {INDEXED, "_by_", ""},        {UNIQUE, "_get_by_", ""},
    {COLUMN, "_", "_column"},     {SERIES, "_", "_append"},
    {SERIES, "_", "_append_in"},  {SERIES, "_", "_range"},
    {SERIES, "_", "_range_with"}, {SERIES, "_", "_next"},
    {DERIVED, "_", "_peek"},      {DERIVED, "_", "_request"},
    {DERIVED, "_", "_compute"},   {SUMMARY, "_", "_summary"},
};

/* A name in pieces: most are never needed as one text. */
struct ident_parts {
    enum ident_kind kind;
    const char *parts[4];
    struct source_range at;
    bool shared; /* a wrapper: several files may declare the same one */
};

struct collecting {
    struct check *check;
    void (*take)(struct collecting *c, const struct ident_parts *ident);
    bool root; /* in the file whose identifiers the model lists */
    /* quick: is there anything to report? */
    struct arena *table; /* holds nothing but hashes */
    uint64_t *hashes;
    uint32_t capacity, count;
    bool suspicious;
    /* thorough */
    struct atom_map seen; /* name -> struct model_ident */
    struct model_ident *list;
    uint32_t list_count, list_capacity;
    struct source_range clash, clash_first; /* the last that was reported */
};

/* Quick: a set of hashes --------------------------------------------------- */

static void grow_hashes(struct collecting *c)
{
    uint32_t capacity = c->capacity == 0 ? 4096 : c->capacity * 2;
    struct arena *table = arena_create();
    uint64_t *hashes = ARENA_ARRAY(table, uint64_t, capacity);
    for (uint32_t i = 0; i < c->capacity; i++) {
        if (c->hashes[i] == 0)
            continue;
        uint32_t at = (uint32_t)c->hashes[i] & (capacity - 1);
        while (hashes[at] != 0)
            at = (at + 1) & (capacity - 1);
        hashes[at] = c->hashes[i];
    }
    arena_destroy(&c->table);
    c->table = table;
    c->hashes = hashes;
    c->capacity = capacity;
}

static const char *why_not(const char *name)
{
    return strcmp(name, "std") == 0 ? "is a namespace of C++"
                                    : mangle_why_not(name);
}

static void take_hash(struct collecting *c, const struct ident_parts *ident)
{
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < 4 && ident->parts[i] != NULL; i++) {
        for (const char *p = ident->parts[i]; *p != 0; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    }
    hash ^= hash >> 32;
    hash += hash == 0;
    if (ident->parts[1] == NULL && why_not(ident->parts[0]) != NULL)
        c->suspicious = true;
    if (c->count * 4 >= c->capacity * 3)
        grow_hashes(c);
    uint32_t at = (uint32_t)hash & (c->capacity - 1);
    while (c->hashes[at] != 0) {
        if (c->hashes[at] == hash) {
            c->suspicious |= !ident->shared;
            return;
        }
        at = (at + 1) & (c->capacity - 1);
    }
    c->hashes[at] = hash;
    c->count++;
}

/* Thorough: the names themselves ------------------------------------------- */

static const char *join(struct check *check, const char *const *parts)
{
    size_t len = 0;
    for (int i = 0; i < 4 && parts[i] != NULL; i++)
        len += strlen(parts[i]);
    char *out = arena_alloc(check->arena, len + 1), *end = out;
    for (int i = 0; i < 4 && parts[i] != NULL; i++) {
        size_t part = strlen(parts[i]);
        memcpy(end, parts[i], part);
        end += part;
    }
    return out;
}

static void report_clash(struct collecting *c, const struct model_ident *first,
                         const char *name, struct source_range at)
{
    struct diag *diag = c->check->diag;
    /* A pair of fields clashes in several calls: once is enough. */
    if (c->clash.file == at.file && c->clash.begin == at.begin &&
        c->clash_first.file == first->at.file &&
        c->clash_first.begin == first->at.begin)
        return;
    c->clash = at;
    c->clash_first = first->at;
    diag_report(diag, DIAG_NAME_CLASH, at,
                "the generated code would hold `%s` twice", name);
    diag_note(diag, first->at, "it is made from this, too");
    diag_help(diag, "rename one of them; for a field, `was: :old_name` keeps "
                    "its data");
}

static void list_ident(struct collecting *c, const struct model_ident *ident)
{
    if (c->list_count == c->list_capacity) {
        uint32_t capacity = c->list_capacity == 0 ? 256 : c->list_capacity * 2;
        c->list = arena_grow(c->check->arena, c->list,
                             c->list_capacity * sizeof *ident,
                             capacity * sizeof *ident);
        c->list_capacity = capacity;
    }
    c->list[c->list_count++] = *ident;
}

static void take_name(struct collecting *c, const struct ident_parts *parts)
{
    struct check *check = c->check;
    const char *name = join(check, parts->parts);
    struct model_ident *ident = ARENA_NEW(check->arena, struct model_ident);
    *ident = (struct model_ident){parts->kind, name, parts->at};
    const struct model_ident *first = atom_map_put(
        &c->seen, atom_intern(check->atoms, name, strlen(name)), ident);
    if (first != NULL) {
        if (!parts->shared)
            report_clash(c, first, name, parts->at);
        return;
    }
    const char *why = parts->shared ? NULL : why_not(name);
    if (why != NULL) {
        diag_report(check->diag, DIAG_NAME_KEYWORD, parts->at,
                    "`%s`, which the generated code would hold, %s", name, why);
        diag_help(check->diag, "give the file a `@prefix`, or rename it");
    }
    if (c->root)
        list_ident(c, ident);
}

/* The walk ----------------------------------------------------------------- */

static void add_ident(struct collecting *c, enum ident_kind kind, const char *a,
                      const char *b, struct source_range at)
{
    c->take(c, &(struct ident_parts){
                   .kind = kind, .parts = {a, b, NULL, NULL}, .at = at});
}

static bool applies(enum when when, const struct model_field *field)
{
    switch (when) {
    case SET:
        return field->can_set;
    case ADD:
        return field->can_add;
    case INDEXED:
        return field->indexed;
    case UNIQUE:
        return field->unique;
    case COLUMN:
        return field->column;
    case SERIES:
        return field->series;
    case DERIVED:
        return field->derived;
    case SUMMARY:
        return field->summary;
    default:
        return true;
    }
}

static void add_field(struct collecting *c, const struct model_field *field)
{
    add_ident(c, IDENT_MACRO, field->c_macro, NULL, field->at);
    for (size_t i = 0; i < sizeof field_idents / sizeof field_idents[0]; i++) {
        if (!applies(field_idents[i].when, field))
            continue;
        c->take(c, &(struct ident_parts){
                       .kind = IDENT_FUNCTION,
                       .parts = {field->product->c_name, field_idents[i].before,
                                 field->c_name, field_idents[i].after},
                       .at = field->at});
    }
}

static bool has_ident(const struct model_product *product, enum when when)
{
    return when == COMPOSITE  ? product->key_composite
           : when == PARTNERS ? model_has_partners(product)
                              : true;
}

static void add_product(struct collecting *c,
                        const struct model_product *product)
{
    for (size_t i = 0; i < sizeof product_idents / sizeof product_idents[0];
         i++) {
        if (has_ident(product, product_idents[i].when))
            add_ident(c, product_idents[i].kind, product->c_name,
                      *product_idents[i].suffix == 0 ? NULL
                                                     : product_idents[i].suffix,
                      product->at);
    }
    add_ident(c, IDENT_MACRO, product->c_upper, "_HOT", product->at);
    add_ident(c, IDENT_MACRO, product->c_upper, "_ALL", product->at);
    for (uint32_t i = 0; i < product->field_count; i++)
        add_field(c, &product->fields[i]);
}

static void add_decl(struct collecting *c, const struct model_decl *decl)
{
    switch (decl->kind) {
    case DECL_ENUM:
        add_ident(c, IDENT_TAG, decl->enumeration->c_name, NULL,
                  decl->enumeration->at);
        for (uint32_t i = 0; i < decl->enumeration->member_count; i++)
            add_ident(c, IDENT_ENUMERATOR, decl->enumeration->members[i].c_name,
                      NULL, decl->enumeration->members[i].at);
        break;
    case DECL_STRUCT:
        add_ident(c, IDENT_TAG, decl->structure->c_name, NULL,
                  decl->structure->at);
        break;
    case DECL_SUM:
        add_ident(c, IDENT_TAG, decl->sum->c_name, NULL, decl->sum->at);
        add_ident(c, IDENT_TAG, decl->sum->c_tag_enum, NULL, decl->sum->at);
        for (uint32_t i = 0; i < decl->sum->variant_count; i++)
            add_ident(c, IDENT_ENUMERATOR, decl->sum->variants[i].c_tag, NULL,
                      decl->sum->variants[i].at);
        break;
    case DECL_WRAPPER:
        break;
    }
}

/* The tags are made from the types, so they may clash with a declaration. */
static void add_wrappers(struct collecting *c, const struct model_file *file)
{
    for (uint32_t i = 0; i < file->order_count; i++) {
        const struct model_type *type = file->order[i].wrapper;
        if (file->order[i].kind != DECL_WRAPPER)
            continue;
        c->take(c, &(struct ident_parts){.kind = IDENT_TAG,
                                         .parts = {type->wrapper_tag},
                                         .shared = true});
        c->take(c, &(struct ident_parts){.kind = IDENT_MACRO,
                                         .parts = {type->wrapper_guard},
                                         .shared = true});
    }
}

static void walk(struct check *check, struct collecting *c)
{
    /* Wrappers first: what clashes with one is a declaration, with a place. */
    for (uint32_t i = 0; i < check->file_count; i++) {
        c->root = i + 1 == check->file_count;
        add_wrappers(c, check->files[i].model);
    }
    for (uint32_t i = 0; i < check->file_count; i++) {
        const struct model_file *file = check->files[i].model;
        c->root = i + 1 == check->file_count;
        for (uint32_t d = 0; d < file->order_count; d++)
            add_decl(c, &file->order[d]);
        for (uint32_t p = 0; p < file->product_count; p++)
            add_product(c, file->products[p]);
    }
    const struct model_file *root = check->model->root;
    if (root->stem_c != NULL)
        add_ident(c, IDENT_OBJECT, root->stem_c, "_warp_schema",
                  (struct source_range){.file = root->source});
}

void check_idents(struct check *check)
{
    const struct model_file *root = check->model->root;
    struct collecting quick = {.check = check, .take = take_hash};
    if (root->stem_c == NULL) {
        diag_report(check->diag, DIAG_BAD_STEM,
                    (struct source_range){.file = root->source},
                    "`%s_warp_schema` would be no C identifier", root->stem);
        diag_help(check->diag, "rename the file, or give a name with --name");
    }
    walk(check, &quick);
    arena_destroy(&quick.table);
    if (!quick.suspicious && !check->list_idents)
        return;
    struct collecting thorough = {.check = check, .take = take_name};
    atom_map_init(&thorough.seen, check->arena);
    walk(check, &thorough);
    check->model->idents = thorough.list;
    check->model->ident_count = thorough.list_count;
}
