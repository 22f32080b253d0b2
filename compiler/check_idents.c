/* Every identifier that the generated code would hold, and that none is there
 * twice: two fields, a field and a verb, a series beside a product. A call that
 * the emitters add gets its row here. */
#include "check.h"
#include "mangle.h"

#include <stdio.h>
#include <string.h>

enum when {
    ALWAYS,
    COMPOSITE,
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
};

/* c_name + before + field + after */
static const struct {
    enum when when;
    const char *before, *after;
} field_idents[] = {
    {SET, "_set_", ""},          {SET, "_set_", "_in"},
    {ADD, "_add_", ""},          {ADD, "_add_", "_in"},
    {INDEXED, "_by_", ""},       {UNIQUE, "_get_by_", ""},
    {COLUMN, "_", "_column"},    {SERIES, "_", "_append"},
    {SERIES, "_", "_append_in"}, {SERIES, "_", "_range"},
    {SERIES, "_", "_next"},      {DERIVED, "_", "_peek"},
    {DERIVED, "_", "_request"},  {DERIVED, "_", "_compute"},
    {SUMMARY, "_", "_summary"},
};

struct collecting {
    struct check *check;
    struct atom_map seen; /* name -> struct model_ident */
    struct model_ident *list;
    uint32_t count, capacity;
    struct source_range clash, clash_first; /* the last that was reported */
    bool root;   /* the file whose identifiers the model lists */
    bool shared; /* wrappers: several files may declare the same one */
};

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

static void add_ident(struct collecting *c, enum ident_kind kind,
                      const char *name, struct source_range at)
{
    struct check *check = c->check;
    if (strncmp(name, "warp_", 5) == 0 && !c->shared) {
        diag_report(check->diag, DIAG_NAME_CLASH, at,
                    "`%s` begins like the library's own names", name);
        diag_help(check->diag, "give the file a `@prefix`, or rename it");
        return;
    }
    struct model_ident *ident = ARENA_NEW(check->arena, struct model_ident);
    *ident = (struct model_ident){kind, name, at};
    const struct model_ident *first = atom_map_put(
        &c->seen, atom_intern(check->atoms, name, strlen(name)), ident);
    if (first != NULL) {
        if (!c->shared)
            report_clash(c, first, name, at);
        return;
    }
    if (mangle_is_keyword(name)) {
        diag_report(check->diag, DIAG_NAME_KEYWORD, at,
                    "`%s` is a keyword of C or C++", name);
        diag_help(check->diag, "give the file a `@prefix`, or rename it");
    }
    if (!c->root)
        return;
    if (c->count == c->capacity) {
        uint32_t capacity = c->capacity == 0 ? 256 : c->capacity * 2;
        c->list = arena_grow(check->arena, c->list, c->capacity * sizeof *ident,
                             capacity * sizeof *ident);
        c->capacity = capacity;
    }
    c->list[c->count++] = *ident;
}

/* One string after the other: this runs for every field and every call. */
static const char *join(struct check *check, const char *a, const char *b,
                        const char *d, const char *e)
{
    size_t na = strlen(a), nb = strlen(b), nd = strlen(d), ne = strlen(e);
    char *out = arena_alloc(check->arena, na + nb + nd + ne + 1);
    memcpy(out, a, na);
    memcpy(out + na, b, nb);
    memcpy(out + na + nb, d, nd);
    memcpy(out + na + nb + nd, e, ne);
    return out;
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

static void add_product(struct collecting *c,
                        const struct model_product *product)
{
    struct check *check = c->check;
    for (size_t i = 0; i < sizeof product_idents / sizeof product_idents[0];
         i++) {
        if (product_idents[i].when == COMPOSITE && !product->key_composite)
            continue;
        add_ident(
            c, product_idents[i].kind,
            join(check, product->c_name, product_idents[i].suffix, "", ""),
            product->at);
    }
    add_ident(c, IDENT_MACRO, join(check, product->c_upper, "_HOT", "", ""),
              product->at);
    add_ident(c, IDENT_MACRO, join(check, product->c_upper, "_ALL", "", ""),
              product->at);
    for (uint32_t f = 0; f < product->field_count; f++) {
        const struct model_field *field = &product->fields[f];
        add_ident(c, IDENT_MACRO, field->c_macro, field->at);
        for (size_t i = 0; i < sizeof field_idents / sizeof field_idents[0];
             i++) {
            if (applies(field_idents[i].when, field))
                add_ident(c, IDENT_FUNCTION,
                          join(check, product->c_name, field_idents[i].before,
                               field->c_name, field_idents[i].after),
                          field->at);
        }
    }
}

static void add_decl(struct collecting *c, const struct model_decl *decl)
{
    switch (decl->kind) {
    case DECL_ENUM:
        add_ident(c, IDENT_TAG, decl->enumeration->c_name,
                  decl->enumeration->at);
        for (uint32_t i = 0; i < decl->enumeration->member_count; i++)
            add_ident(c, IDENT_ENUMERATOR, decl->enumeration->members[i].c_name,
                      decl->enumeration->members[i].at);
        break;
    case DECL_STRUCT:
        add_ident(c, IDENT_TAG, decl->structure->c_name, decl->structure->at);
        break;
    case DECL_SUM:
        add_ident(c, IDENT_TAG, decl->sum->c_name, decl->sum->at);
        add_ident(c, IDENT_TAG, decl->sum->c_tag_enum, decl->sum->at);
        for (uint32_t i = 0; i < decl->sum->variant_count; i++)
            add_ident(c, IDENT_ENUMERATOR, decl->sum->variants[i].c_tag,
                      decl->sum->variants[i].at);
        break;
    case DECL_WRAPPER:
        break;
    }
}

static void add_wrappers(struct collecting *c, const struct model_file *file)
{
    c->shared = true;
    for (uint32_t i = 0; i < file->order_count; i++) {
        const struct model_type *type = file->order[i].wrapper;
        if (file->order[i].kind != DECL_WRAPPER)
            continue;
        const struct model_ident *first = atom_map_get(
            &c->seen, atom_intern(c->check->atoms, type->wrapper_tag,
                                  strlen(type->wrapper_tag)));
        if (first != NULL && first->at.file != 0)
            report_clash(c, first, type->wrapper_tag, first->at);
        add_ident(c, IDENT_TAG, type->wrapper_tag, (struct source_range){0});
        add_ident(c, IDENT_MACRO, type->wrapper_guard,
                  (struct source_range){0});
    }
    c->shared = false;
}

static void add_schema(struct collecting *c, const struct model_file *file)
{
    struct source_range at = {.file = file->source};
    if (file->stem_c != NULL) {
        add_ident(c, IDENT_OBJECT,
                  join(c->check, file->stem_c, "_warp_schema", "", ""), at);
        return;
    }
    diag_report(c->check->diag, DIAG_BAD_STEM, at,
                "`%s_warp_schema` would be no C identifier", file->stem);
    diag_help(c->check->diag, "rename the file, or give a name with --name");
}

void check_idents(struct check *check)
{
    struct collecting c = {.check = check};
    atom_map_init(&c.seen, check->arena);
    for (uint32_t i = 0; i < check->file_count; i++) {
        const struct model_file *file = check->files[i].model;
        c.root = i + 1 == check->file_count;
        for (uint32_t d = 0; d < file->order_count; d++)
            add_decl(&c, &file->order[d]);
        for (uint32_t p = 0; p < file->product_count; p++)
            add_product(&c, file->products[p]);
        add_wrappers(&c, file);
        if (c.root)
            add_schema(&c, file);
    }
    check->model->idents = c.list;
    check->model->ident_count = c.count;
}
