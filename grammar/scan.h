/* Between warp.l, warp.y and the compiler's parse files: the state of one
 * scan, and what the grammar's actions build with. */
#ifndef WARP_SCAN_H
#define WARP_SCAN_H

#include "../compiler/ast.h"

struct arena;
struct diag;
struct parse_feed;

struct scan {
    struct arena *arena;
    struct atom_table *atoms;
    struct diag *diag;
    struct source *source;
    void *lexer;             /* flex's own state */
    uint32_t offset;         /* of the next byte */
    uint32_t text_begin;     /* of a """ text that is open */
    bool quiet;              /* skipping after a mistake: say nothing */
    bool newline;            /* a line ended since the token before */
    bool comments;           /* give comments as tokens: fmt */
    struct parse_feed *feed; /* parse_feed.c: between scanner and parser */
    struct ast_file *file;
    struct ast_decl *last_decl;
};

/* A list under construction: its end is kept beside its beginning. */
struct scan_list {
    void *first, *last;
};

void *scan_alloc(struct scan *scan, size_t bytes);
struct ast_expr *scan_expr(struct scan *scan, enum ast_expr_kind kind,
                           struct source_range at);
struct ast_expr *scan_unary(struct scan *scan, enum ast_op op,
                            struct source_range op_at,
                            struct ast_expr *operand);
struct ast_expr *scan_binary(struct scan *scan, enum ast_op op,
                             struct source_range op_at, struct ast_expr *left,
                             struct ast_expr *right);
struct ast_expr *scan_dot(struct scan *scan, struct ast_expr *left,
                          const struct atom *name, struct source_range at);
struct ast_type *scan_type(struct scan *scan, enum ast_type_kind kind,
                           struct source_range at, struct ast_type *element);
struct ast_entry *scan_entry(struct scan *scan, const struct atom *key,
                             struct source_range key_at, struct ast_expr *value,
                             struct source_range at);
struct ast_decl *scan_decl(struct scan *scan, enum ast_decl_kind kind,
                           const char *doc, const struct atom *name,
                           struct source_range at);
void scan_add(struct scan *scan, struct ast_decl *decl);
struct ast_member *scan_member(struct scan *scan, const char *doc,
                               const struct atom *name, struct source_range at,
                               struct ast_type *type);
const struct atom *scan_dotted(struct scan *scan, const struct atom *left,
                               const struct atom *right);
/* One @doc after another: they are joined. */
const char *scan_doc(struct scan *scan, const char *before,
                     struct ast_text text);
/* Is the place the first of its line that holds anything? */
bool scan_begins_line(const struct scan *scan, uint32_t at);
/* Where one list of entries goes on with another. */
void scan_annotate(struct scan *scan, struct ast_member *member,
                   struct ast_entry *entry);
void scan_use(struct scan *scan, const struct atom *name,
              struct source_range at);
void scan_config(struct scan *scan, struct ast_decl *decl,
                 const struct atom *name, struct source_range at,
                 struct ast_expr *value);

/* After the entries of a call, list, map or tuple are known. */
void scan_entries(struct scan *scan, struct ast_expr *expr, void *entries);

/* The token that was given last does not fit; `expected` names what would have
 * (none if too much would). */
void scan_syntax_error(struct scan *scan, const char *const *expected,
                       int count);
void scan_too_deep(struct scan *scan, struct source_range at);

/* The text between two quotes, escapes resolved; and of a """ text. */
struct ast_text scan_text(struct scan *scan, uint32_t begin, uint32_t end);
struct ast_text scan_long_text(struct scan *scan, uint32_t begin, uint32_t end);
struct ast_number scan_number(struct scan *scan, const char *text, size_t len);

#endif
