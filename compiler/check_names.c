/* Files and declarations: attributes, the one space of names, and the C names
 * that are made from both. Does not look into declarations. */
#include "check.h"
#include "limit.h"
#include "mangle.h"

#include <string.h>
#include <strings.h>

const char *check_kind_name(enum ast_decl_kind kind)
{
    static const char *const names[] = {
        [AST_PRODUCT] = "product", [AST_STRUCT] = "struct",
        [AST_ENUM] = "enum",       [AST_SUM] = "sum type",
        [AST_POOL] = "pool",       [AST_STRATEGY] = "strategy",
        [AST_KERNEL] = "kernel",
    };
    return names[kind];
}

/* Attributes --------------------------------------------------------------- */

static void read_prefix(struct check *check, struct model_file *file,
                        const struct ast_attribute *attribute)
{
    const struct ast_expr *value = attribute->value;
    if (value->kind != AST_TEXT) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, value->at,
                    "`@prefix` takes a text");
        diag_help(check->diag, "write `@prefix \"app\"`");
        return;
    }
    const char *text = value->text.bytes;
    size_t len = strlen(text);
    bool good = len == value->text.len && len <= LIMIT_NAME_BYTES &&
                mangle_is_identifier(text) && *text != '_' &&
                text[len - 1] != '_';
    for (const char *c = text; good && *c != 0; c++)
        good = *c < 'A' || *c > 'Z';
    if (!good || strcmp(text, "warp") == 0 || strncmp(text, "warp_", 5) == 0) {
        diag_report(check->diag, DIAG_BAD_PREFIX, value->at,
                    good ? "the prefix `warp` is the library's own"
                         : "this text cannot begin a C name");
        diag_help(check->diag, "a prefix is small letters, digits and _, and "
                               "begins with a letter");
        return;
    }
    file->prefix = text;
    file->c_lower = arena_format(check->arena, "%s_", text);
    file->c_upper = mangle_upper(check->arena, file->c_lower);
}

static void read_attributes(struct check *check, struct model_file *file,
                            const struct ast_file *ast)
{
    const struct ast_attribute *prefix = NULL, *survives = NULL;
    for (const struct ast_attribute *a = ast->attributes; a != NULL;
         a = a->next) {
        const struct ast_attribute **seen;
        struct check_word word;
        if (strcmp(a->name->text, "prefix") == 0) {
            seen = &prefix;
        } else if (strcmp(a->name->text, "survives") == 0) {
            seen = &survives;
        } else {
            struct atom_nearest nearest;
            atom_nearest_init(&nearest, a->name->text);
            atom_nearest_offer(&nearest, "prefix");
            atom_nearest_offer(&nearest, "survives");
            atom_nearest_offer(&nearest, "doc");
            diag_report(check->diag, DIAG_BAD_ATTRIBUTE, a->at,
                        "unknown attribute `@%s`", a->name->text);
            if (nearest.best != NULL)
                diag_help(check->diag, "did you mean `@%s`?", nearest.best);
            else
                diag_help(check->diag, "a file knows `@prefix`, `@survives` "
                                       "and `@doc`");
            continue;
        }
        if (*seen != NULL) {
            diag_report(check->diag, DIAG_BAD_ATTRIBUTE, a->at,
                        "`@%s` is given twice", a->name->text);
            diag_note(check->diag, (*seen)->at, "first given here");
            continue;
        }
        *seen = a;
        if (a == prefix)
            read_prefix(check, file, a);
        else if (a->value->kind != AST_ATOM)
            check_word_of(check, ANNOTATION_SURVIVES, NULL, a->value->at,
                          &word);
        else if (check_word_of(check, ANNOTATION_SURVIVES, a->value->name,
                               a->value->at, &word))
            file->survives = (enum model_survives)word.value;
    }
}

static void name_file(struct check *check, struct model_file *file,
                      const struct ast_file *ast, bool root)
{
    const char *path = ast->source->path;
    const char *slash = strrchr(path, '/');
    file->source = ast->source->id;
    file->path = path;
    file->base = slash == NULL ? path : slash + 1;
    size_t len = strlen(file->base);
    if (len > 5 && strcmp(file->base + len - 5, ".warp") == 0)
        len -= 5;
    file->stem = arena_copy(check->arena, file->base, len);
    file->stem_c = mangle_is_identifier(file->stem) ? file->stem : NULL;
    if (root && check->schema_name != NULL)
        file->stem_c = check->schema_name;
    file->prefix = file->c_lower = file->c_upper = "";
}

/* Declarations ------------------------------------------------------------- */

static bool is_type_name(const char *name)
{
    static const char *const names[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) name,
#include "../grammar/types.def"
#undef SCALAR
        "map",     "shard", "String",  "DateTime",
        "integer", "float", "boolean", "atom",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool check_decl_name(struct check *check, const struct ast_decl *decl)
{
    const char *name = decl->name->text;
    const char *why = NULL;
    if (strchr(name, '.') != NULL && decl->kind != AST_STRATEGY)
        why = "has a dot, which only a defmodule's name may have";
    else if (decl->name->len > LIMIT_NAME_BYTES)
        why = "is longer than 120 characters";
    else if (is_type_name(name) && decl->kind != AST_POOL)
        why = "is the name of a built-in type";
    if (why == NULL)
        return true;
    diag_report(check->diag, DIAG_BAD_NAME, decl->at, "`%.140s` %s", name, why);
    diag_help(check->diag, "choose another name");
    return false;
}

/* Without a prefix, `Warp…` would make names of the library. */
static bool check_reserved(struct check *check, const struct ast_decl *decl,
                           const struct model_file *file)
{
    if (*file->prefix != 0 || decl->kind == AST_POOL ||
        decl->kind == AST_STRATEGY)
        return true;
    const char *name = mangle_snake(check->arena, decl->name->text);
    if (strcmp(name, "warp") != 0 && strncmp(name, "warp_", 5) != 0)
        return true;
    diag_report(check->diag, DIAG_NAME_CLASH, decl->at,
                "`%s` would make names that begin with warp_, like the "
                "library's own",
                decl->name->text);
    diag_help(check->diag, "give the file a `@prefix`, or rename it");
    return false;
}

static void create_model(struct check *check, struct check_symbol *symbol)
{
    struct arena *arena = check->arena;
    const struct ast_decl *decl = symbol->decl;
    const struct model_file *file = symbol->file;
    const char *name = decl->name->text;
    const char *lower =
        arena_format(arena, "%s%s", file->c_lower, mangle_snake(arena, name));
    const char *upper = mangle_upper(arena, lower);
    switch (decl->kind) {
    case AST_PRODUCT:
        symbol->product = ARENA_NEW(arena, struct model_product);
        *symbol->product = (struct model_product){.file = file,
                                                  .name = name,
                                                  .c_name = lower,
                                                  .c_upper = upper,
                                                  .doc = decl->doc,
                                                  .at = decl->at};
        break;
    case AST_STRUCT:
        symbol->structure = ARENA_NEW(arena, struct model_struct);
        *symbol->structure = (struct model_struct){.file = file,
                                                   .name = name,
                                                   .c_name = lower,
                                                   .c_upper = upper,
                                                   .doc = decl->doc,
                                                   .at = decl->at};
        break;
    case AST_ENUM:
        symbol->enumeration = ARENA_NEW(arena, struct model_enum);
        *symbol->enumeration = (struct model_enum){.file = file,
                                                   .name = name,
                                                   .c_name = lower,
                                                   .c_upper = upper,
                                                   .doc = decl->doc,
                                                   .at = decl->at};
        break;
    case AST_SUM:
        symbol->sum = ARENA_NEW(arena, struct model_sum);
        *symbol->sum = (struct model_sum){
            .file = file,
            .name = name,
            .c_name = lower,
            .c_upper = upper,
            .c_tag_enum = arena_format(arena, "%s_tag", lower),
            .doc = decl->doc,
            .at = decl->at};
        break;
    case AST_POOL:
        symbol->pool = ARENA_NEW(arena, struct model_pool);
        *symbol->pool = (struct model_pool){
            .file = file, .name = name, .declared = true, .at = decl->at};
        break;
    case AST_STRATEGY:
        symbol->strategy = ARENA_NEW(arena, struct model_strategy);
        *symbol->strategy = (struct model_strategy){
            .file = file, .name = name, .doc = decl->doc, .at = decl->at};
        break;
    case AST_KERNEL:
        symbol->kernel = ARENA_NEW(arena, struct model_kernel);
        *symbol->kernel = (struct model_kernel){.file = file,
                                                .name = name,
                                                .c_name = lower,
                                                .doc = decl->doc,
                                                .at = decl->at};
        break;
    }
}

static void add_symbol(struct check *check, struct check_file *file,
                       const struct ast_decl *decl)
{
    if (!check_decl_name(check, decl) ||
        !check_reserved(check, decl, file->model)) {
        check->lost = true;
        return;
    }
    struct check_symbol *symbol = ARENA_NEW(check->arena, struct check_symbol);
    symbol->decl = decl;
    symbol->file = file->model;
    symbol->ast = file->ast;
    struct check_symbol *first =
        atom_map_put(&check->symbols, decl->name, symbol);
    if (first != NULL) {
        diag_report(check->diag, DIAG_DUPLICATE, decl->at,
                    "`%s` is declared twice", decl->name->text);
        diag_note(check->diag, first->decl->at, "first declared here");
        diag_help(check->diag, "rename one of them");
        return;
    }
    create_model(check, symbol);
    if (check->last == NULL)
        check->first = symbol;
    else
        check->last->next = symbol;
    check->last = symbol;
}

static const struct model_import *import_of(const struct check *check,
                                            const struct model_file *file)
{
    for (uint32_t i = 0; i < check->file_count; i++) {
        const struct model_file *from = check->files[i].model;
        for (uint32_t j = 0; j < from->import_count; j++) {
            if (from->imports[j].file == file)
                return &from->imports[j];
        }
    }
    return NULL; /* the root */
}

/* What is generated lies in one directory, and includes one another there. */
static void check_same_output(struct check *check, uint32_t number)
{
    const struct model_file *file = check->files[number].model;
    for (uint32_t i = 0; i < number; i++) {
        const struct model_file *other = check->files[i].model;
        if (strcasecmp(file->stem, other->stem) != 0)
            continue;
        const struct model_import *second = import_of(check, file);
        const struct model_import *first = import_of(check, other);
        /* The file that is compiled is no import; the other one then is. */
        const struct model_import *told = second != NULL ? second : first;
        struct source_range at = {0};
        if (told != NULL)
            at = told->at;
        diag_report(check->diag, DIAG_SAME_OUTPUT, at,
                    strcmp(file->stem, other->stem) == 0
                        ? "`%s` and `%s` would both be written as `%s.warp.h`"
                        : "`%s` and `%s` differ in capitals only: the headers "
                          "of both would have the include guard of `%s.warp.h`",
                    other->path, file->path, file->stem);
        if (second != NULL && first != NULL)
            diag_note(check->diag, first->at, "the first one");
        diag_help(check->diag, "rename one of the files");
        return;
    }
}

void check_names(struct check *check)
{
    for (uint32_t i = 0; i < check->file_count; i++) {
        struct check_file *file = &check->files[i];
        bool root = i + 1 == check->file_count;
        name_file(check, file->model, file->ast, root);
        check_same_output(check, i);
        read_attributes(check, file->model, file->ast);
        check->lost |= file->ast->lost;
        for (const struct ast_decl *decl = file->ast->decls; decl != NULL;
             decl = decl->next)
            add_symbol(check, file, decl);
    }
}

struct check_symbol *check_find(struct check *check, const struct atom *name)
{
    return atom_map_get(&check->symbols, name);
}

void check_unknown(struct check *check, enum diag_id id,
                   const struct atom *name, struct source_range at,
                   const char *what, int kind)
{
    struct atom_nearest nearest;
    if (check->lost)
        return;
    atom_nearest_init(&nearest, name->text);
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next) {
        bool type = s->decl->kind == AST_STRUCT || s->decl->kind == AST_ENUM ||
                    s->decl->kind == AST_SUM;
        if (kind < 0 ? type : s->decl->kind == (enum ast_decl_kind)kind)
            atom_nearest_offer(&nearest, s->decl->name->text);
    }
    if (kind < 0) {
#define SCALAR(id, name, elixir, c_form, bytes, class)                         \
    atom_nearest_offer(&nearest, name);
#include "../grammar/types.def"
#undef SCALAR
        atom_nearest_offer(&nearest, "map");
    }
    diag_report(check->diag, id, at, "unknown %s `%s`", what, name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `%s`?", nearest.best);
    else if (kind < 0)
        diag_help(check->diag, "declare it with defstruct, defenum or "
                               "defsum, or import the file that does");
    else
        diag_help(check->diag, "declare it, or import the file that does");
}

bool check_member_name(struct check *check, const struct atom *name,
                       struct source_range at, bool field)
{
    const char *text = name->text;
    const char *why = mangle_why_not(text);
    if (strncmp(text, "WARP_", 5) == 0)
        why = "begins with WARP_, like the library's own names";
    else if (field && strcmp(text, "have") == 0)
        why = "is the member of the generated struct that says which fields "
              "hold a value";
    else if (field && (strcmp(text, "hot") == 0 || strcmp(text, "all") == 0))
        why = "would clash with a mask of the generated code";
    else if (name->len > LIMIT_NAME_BYTES)
        why = "is longer than 120 characters";
    if (why == NULL)
        return true;
    diag_report(check->diag, DIAG_NAME_KEYWORD, at, "`%.140s` %s", text, why);
    if (field)
        diag_help(check->diag,
                  "rename the field; `was: :%.140s` keeps data "
                  "that is already stored",
                  text);
    else
        diag_help(check->diag, "choose another name");
    return false;
}
