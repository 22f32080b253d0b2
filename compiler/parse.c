/* Text -> AST: refuses what is no text, runs the parser, and builds what the
 * grammar's actions ask for. */
#include "parse.h"

#include "arena.h"
#include "diag.h"
#include "limit.h"
#include "parse_feed.h"

#define YYSTYPE WARP_YYSTYPE
#define YYLTYPE WARP_YYLTYPE
#include "warp.scan.h"

#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 character at text, 0 if it is none. */
static uint32_t utf8_length(const unsigned char *text, uint32_t left)
{
    unsigned char first = text[0];
    uint32_t len = first < 0x80   ? 1
                   : first < 0xc2 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf5 ? 4
                                  : 0;
    if (len == 0 || len > left)
        return 0;
    for (uint32_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((first == 0xe0 && text[1] < 0xa0) ||
        (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return len;
}

bool parse_is_utf8(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < len;) {
        uint32_t one = utf8_length(bytes + i, (uint32_t)(len - i));
        if (one == 0)
            return false;
        i += one;
    }
    return true;
}

static bool check_text(struct diag *diag, const struct source *source)
{
    const unsigned char *text = (const unsigned char *)source->text;
    for (uint32_t i = 0; i < source->len;) {
        uint32_t len = utf8_length(text + i, source->len - i);
        struct source_range at = {source->id, i, i + 1};
        if (len == 0) {
            diag_report(diag, DIAG_NOT_TEXT, at,
                        "the byte 0x%02x is no UTF-8 here", text[i]);
            diag_help(diag, "a schema is a text in UTF-8");
            return false;
        }
        if (text[i] == 0) {
            diag_report(diag, DIAG_NOT_TEXT, at, "a NUL byte in the text");
            diag_help(diag, "a schema is a text in UTF-8");
            return false;
        }
        i += len;
    }
    return true;
}

static bool scan_open(struct scan *scan, struct arena *arena,
                      struct atom_table *atoms, struct diag *diag,
                      struct source *source)
{
    yyscan_t lexer;
    memset(scan, 0, sizeof *scan);
    scan->arena = arena;
    scan->atoms = atoms;
    scan->diag = diag;
    scan->source = source;
    if (!check_text(diag, source) || warp_scan_lex_init_extra(scan, &lexer))
        return false;
    warp_scan__scan_bytes(source->text, (int)source->len, lexer);
    scan->lexer = lexer;
    return true;
}

struct ast_file *parse_file(struct arena *arena, struct atom_table *atoms,
                            struct diag *diag, struct source *source)
{
    struct scan scan;
    if (!scan_open(&scan, arena, atoms, diag, source))
        return NULL;
    scan.feed = parse_feed_create(&scan);
    scan.file = ARENA_NEW(arena, struct ast_file);
    scan.file->source = source;
    if (warp_yyparse(&scan) != 0)
        scan.file->lost = true;
    warp_scan_lex_destroy(scan.lexer);
    return scan.file;
}

bool parse_tokens(struct arena *arena, struct atom_table *atoms,
                  struct diag *diag, struct source *source,
                  struct parse_token **tokens, uint32_t *count)
{
    struct scan scan;
    WARP_YYSTYPE value;
    uint32_t used = 0, room = 1024;
    if (!scan_open(&scan, arena, atoms, diag, source))
        return false;
    scan.comments = true;
    *tokens = ARENA_ARRAY(arena, struct parse_token, room);
    for (;;) {
        struct parse_token token = {0};
        token.kind = warp_scan_lex(&value, &token.at, scan.lexer);
        if (token.kind == 0)
            break;
        token.comment = token.kind == COMMENT;
        if (used == room) {
            size_t bytes = room * sizeof **tokens;
            *tokens = arena_grow(arena, *tokens, bytes, bytes * 2);
            room *= 2;
        }
        (*tokens)[used++] = token;
    }
    *count = used;
    warp_scan_lex_destroy(scan.lexer);
    return true;
}

/* What the actions build --------------------------------------------------- */

void *scan_alloc(struct scan *scan, size_t bytes)
{
    return arena_alloc(scan->arena, bytes);
}

struct ast_expr *scan_expr(struct scan *scan, enum ast_expr_kind kind,
                           struct source_range at)
{
    struct ast_expr *expr = ARENA_NEW(scan->arena, struct ast_expr);
    expr->kind = kind;
    expr->at = at;
    expr->depth = 1;
    return expr;
}

/* A tree that is too deep becomes BAD, and so does all that it is part of: no
 * pass has to walk it, and it is said once. */
static struct ast_expr *limit_depth(struct scan *scan, struct ast_expr *expr,
                                    uint32_t below)
{
    expr->depth = below + 1;
    if ((expr->left != NULL && expr->left->kind == AST_BAD) ||
        (expr->right != NULL && expr->right->kind == AST_BAD))
        return scan_expr(scan, AST_BAD, expr->at);
    if (expr->depth <= LIMIT_EXPRESSION_DEPTH)
        return expr;
    diag_report(scan->diag, DIAG_TOO_DEEP, expr->at,
                "an expression is nested more than %d deep",
                LIMIT_EXPRESSION_DEPTH);
    diag_help(scan->diag, "split it: a kernel takes several statements");
    return scan_expr(scan, AST_BAD, expr->at);
}

struct ast_expr *scan_unary(struct scan *scan, enum ast_op op,
                            struct source_range op_at, struct ast_expr *operand)
{
    struct source_range at = op_at;
    at.end = operand->at.end;
    struct ast_expr *expr = scan_expr(scan, AST_UNARY, at);
    expr->op = op;
    expr->op_at = op_at;
    expr->left = operand;
    return limit_depth(scan, expr, operand->depth);
}

struct ast_expr *scan_binary(struct scan *scan, enum ast_op op,
                             struct source_range op_at, struct ast_expr *left,
                             struct ast_expr *right)
{
    struct source_range at = left->at;
    at.end = right->at.end;
    struct ast_expr *expr = scan_expr(scan, AST_BINARY, at);
    expr->op = op;
    expr->op_at = op_at;
    expr->left = left;
    expr->right = right;
    return limit_depth(scan, expr,
                       left->depth > right->depth ? left->depth : right->depth);
}

struct ast_expr *scan_dot(struct scan *scan, struct ast_expr *left,
                          const struct atom *name, struct source_range at)
{
    struct ast_expr *expr = scan_expr(scan, AST_DOT, at);
    expr->left = left;
    expr->name = name;
    return limit_depth(scan, expr, left->depth);
}

void scan_entries(struct scan *scan, struct ast_expr *expr, void *entries)
{
    uint32_t below = 0;
    expr->entries = entries;
    for (const struct ast_entry *entry = entries; entry != NULL;
         entry = entry->next) {
        if (entry->value->depth > below)
            below = entry->value->depth;
    }
    if (limit_depth(scan, expr, below) != expr)
        expr->kind = AST_BAD;
}

struct ast_type *scan_type(struct scan *scan, enum ast_type_kind kind,
                           struct source_range at, struct ast_type *element)
{
    struct ast_type *type = ARENA_NEW(scan->arena, struct ast_type);
    type->kind = kind;
    type->at = at;
    type->element = element;
    type->depth = element == NULL ? 1 : element->depth + 1;
    if (type->depth > LIMIT_NESTING) {
        diag_report(scan->diag, DIAG_TOO_DEEP, at,
                    "a type is nested more than %d deep", LIMIT_NESTING);
        type->kind = AST_TYPE_BAD;
        type->element = NULL;
        type->depth = 1;
    }
    return type;
}

struct ast_entry *scan_entry(struct scan *scan, const struct atom *key,
                             struct source_range key_at, struct ast_expr *value,
                             struct source_range at)
{
    struct ast_entry *entry = ARENA_NEW(scan->arena, struct ast_entry);
    entry->key = key;
    entry->key_at = key_at;
    entry->value = value;
    entry->at = at;
    return entry;
}

struct ast_decl *scan_decl(struct scan *scan, enum ast_decl_kind kind,
                           const char *doc, const struct atom *name,
                           struct source_range at)
{
    struct ast_decl *decl = ARENA_NEW(scan->arena, struct ast_decl);
    decl->kind = kind;
    decl->doc = doc;
    decl->name = name;
    decl->at = at;
    scan_add(scan, decl);
    return decl;
}

void scan_add(struct scan *scan, struct ast_decl *decl)
{
    if (scan->last_decl == NULL)
        scan->file->decls = decl;
    else
        scan->last_decl->next = decl;
    scan->last_decl = decl;
}

struct ast_member *scan_member(struct scan *scan, const char *doc,
                               const struct atom *name, struct source_range at,
                               struct ast_type *type)
{
    struct ast_member *member = ARENA_NEW(scan->arena, struct ast_member);
    member->doc = doc;
    member->name = name;
    member->at = at;
    member->type = type;
    return member;
}

const struct atom *scan_dotted(struct scan *scan, const struct atom *left,
                               const struct atom *right)
{
    char *text = arena_format(scan->arena, "%s.%s", left->text, right->text);
    return atom_intern(scan->atoms, text, left->len + 1 + right->len);
}

const char *scan_doc(struct scan *scan, const char *before,
                     struct ast_text text)
{
    if (before == NULL)
        return text.bytes;
    return arena_format(scan->arena, "%s\n\n%s", before, text.bytes);
}

bool scan_begins_line(const struct scan *scan, uint32_t at)
{
    const char *text = scan->source->text;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    return at == 0 || text[at - 1] == '\n';
}

void scan_annotate(struct scan *scan, struct ast_member *member,
                   struct ast_entry *entry)
{
    if (member == NULL) {
        diag_report(scan->diag, DIAG_SYNTAX, entry->key_at,
                    "`%s:` stands where no field is", entry->key->text);
        return;
    }
    if (member->annotations == NULL)
        member->annotations = entry;
    else
        member->last_annotation->next = entry;
    member->last_annotation = entry;
}

void scan_use(struct scan *scan, const struct atom *name,
              struct source_range at)
{
    static const char want[] = "PersistenceStrategy";
    size_t tail = sizeof want - 1;
    if (name->len >= tail && strcmp(name->text + name->len - tail, want) == 0)
        return;
    diag_report(scan->diag, DIAG_ELIXIR, at, "`use %s` has no meaning here",
                name->text);
    diag_help(scan->diag, "a strategy says `use WarpEngine.%s`", want);
}

void scan_config(struct scan *scan, struct ast_decl *decl,
                 const struct atom *name, struct source_range at,
                 struct ast_expr *value)
{
    if (name == NULL) {
        diag_report(scan->diag, DIAG_ELIXIR, at,
                    "this module says nothing that a schema needs");
        diag_help(scan->diag,
                  "a strategy holds `def persistence_config do %%{…} end`");
    } else if (strcmp(name->text, "persistence_config") != 0) {
        diag_report(scan->diag, DIAG_ELIXIR, at,
                    "`def %s` is Elixir code, a schema has none", name->text);
        diag_help(scan->diag, "a strategy holds only "
                              "`def persistence_config do %%{…} end`");
    } else if (decl->entries != NULL) {
        diag_report(scan->diag, DIAG_DUPLICATE, at,
                    "`persistence_config` is defined twice");
    } else if (value->kind != AST_MAP && value->kind != AST_BAD) {
        diag_report(scan->diag, DIAG_ELIXIR, value->at,
                    "`persistence_config` must be one map, `%%{…}`");
    } else {
        decl->entries = value->entries;
        decl->broken |= value->kind == AST_BAD;
        decl->has_config = true;
        return;
    }
    decl->broken = decl->has_config = true;
}
