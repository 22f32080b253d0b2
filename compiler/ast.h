/* What was written, before anything is known about its meaning: made by the
 * parser, read by the checks and ast_dump. Lists are singly linked in source
 * order. Every node knows the bytes that it was made from. */
#ifndef WARPC_AST_H
#define WARPC_AST_H

#include "atom.h"
#include "source.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum ast_unit {
    UNIT_NONE,
    UNIT_MS,
    UNIT_S,
    UNIT_M,
    UNIT_H,
    UNIT_D,
    UNIT_W,
    UNIT_MO,
    UNIT_Y,
    UNIT_B,
    UNIT_KIB,
    UNIT_MIB,
    UNIT_GIB,
    UNIT_TIB,
};

struct ast_number {
    bool is_float; /* a fraction or an exponent was written */
    bool too_big;  /* past 64 bits */
    uint64_t whole;
    double value;
    enum ast_unit unit;
};

struct ast_text {
    const char *bytes; /* escapes resolved; ends with a NUL byte */
    uint32_t len;
};

enum ast_expr_kind {
    AST_NUMBER,
    AST_TEXT,
    AST_ATOM,  /* :name */
    AST_NAME,  /* name, true, false, A.B */
    AST_CALL,  /* name(entries) */
    AST_LIST,  /* [entries] */
    AST_MAP,   /* %{entries} */
    AST_TUPLE, /* {entries} */
    AST_DOT,   /* left.name */
    AST_UNARY, /* op left */
    AST_BINARY,
    AST_BAD, /* was refused by the parser; says nothing more */
};

enum ast_op {
    AST_OP_NEG,
    AST_OP_NOT,
    AST_OP_ADD,
    AST_OP_SUB,
    AST_OP_MUL,
    AST_OP_DIV,
    AST_OP_EQ,
    AST_OP_NE,
    AST_OP_LT,
    AST_OP_LE,
    AST_OP_GT,
    AST_OP_GE,
    AST_OP_AND,
    AST_OP_OR,
};

struct ast_expr {
    enum ast_expr_kind kind;
    enum ast_op op;
    uint32_t depth; /* of the tree below, itself included */
    bool parens;    /* stood in parentheses of its own */
    struct source_range at;
    struct source_range op_at;
    const struct atom *name; /* ATOM, NAME, CALL, DOT */
    union {
        struct ast_number number;
        struct ast_text text;
        struct {
            struct ast_expr *left, *right; /* DOT, UNARY, BINARY */
            struct ast_entry *entries;     /* CALL, LIST, MAP, TUPLE */
        };
    };
};

/* `key: value`, or a value alone: an annotation, an entry of a map, tuple,
 * list or strategy, an argument of a call. */
struct ast_entry {
    struct ast_entry *next;
    const struct atom *key; /* NULL if there is none */
    struct source_range key_at;
    struct ast_expr *value;
    struct source_range at; /* of both */
};

enum ast_type_kind {
    AST_TYPE_NAME,     /* u32, Vec3 */
    AST_TYPE_CALL,     /* float(), String.t(), X.t() */
    AST_TYPE_GENERIC,  /* string<N>, bytes<N>, map<K, V>: args, number */
    AST_TYPE_LIST,     /* [T, max: N]: element, options */
    AST_TYPE_ARRAY,    /* T[N]: element, number */
    AST_TYPE_OPTIONAL, /* T?: element */
    AST_TYPE_NUMBER,   /* only as an argument of a generic */
    AST_TYPE_BAD,
};

struct ast_type {
    enum ast_type_kind kind;
    uint32_t depth;
    struct source_range at;
    const struct atom *name; /* with its dots, without t() */
    struct ast_type *element;
    struct ast_type *next; /* of a generic's arguments, in order */
    union {
        struct ast_type *args;     /* GENERIC */
        struct ast_entry *options; /* LIST */
        struct ast_number *number; /* ARRAY, NUMBER */
    };
    struct source_range number_at;
};

/* A field of a product, a member of a struct or variant. */
struct ast_member {
    struct ast_member *next;
    const char *doc;
    const struct atom *name;
    struct source_range at; /* of the name */
    struct ast_type *type;
    struct ast_entry *annotations, *last_annotation;
    bool broken; /* part of it could not be read */
};

struct ast_enum_member {
    struct ast_enum_member *next;
    const char *doc;
    const struct atom *name;
    struct source_range at;
    struct ast_expr *value; /* NULL: one more than the member before */
};

struct ast_variant {
    struct ast_variant *next;
    const char *doc;
    const struct atom *name;
    struct source_range at;
    struct ast_member *members, *last_member;
};

struct ast_param {
    struct ast_param *next;
    const struct atom *name;
    struct source_range at;
    struct ast_type *type;
};

struct ast_statement {
    struct ast_statement *next;
    const struct atom *name; /* NULL: a value alone */
    struct source_range at;  /* of the name, or of the value */
    struct ast_expr *value;
};

enum ast_decl_kind {
    AST_PRODUCT,
    AST_STRUCT,
    AST_ENUM,
    AST_SUM,
    AST_POOL,
    AST_STRATEGY,
    AST_KERNEL,
};

struct ast_decl {
    struct ast_decl *next;
    enum ast_decl_kind kind;
    const char *doc;
    const struct atom *name;
    struct source_range at; /* of the name */
    struct ast_entry *annotations;
    struct ast_member *members;           /* product, struct */
    struct ast_enum_member *enum_members; /* enum */
    struct ast_variant *variants;         /* sum */
    struct ast_entry *entries;            /* strategy */
    struct ast_param *params;             /* kernel */
    struct ast_type *result;              /* kernel */
    struct ast_statement *statements;     /* kernel */
    bool has_config; /* a strategy of Elixir's spelling, and its def stands */
    bool broken;     /* part of it could not be read */
};

struct ast_import {
    struct ast_import *next;
    struct ast_text path;
    struct source_range at;
};

/* @prefix, @survives: whatever stands behind an @ that is not @doc. */
struct ast_attribute {
    struct ast_attribute *next;
    const struct atom *name;
    struct source_range at;
    struct ast_expr *value;
};

struct ast_file {
    struct source *source;
    struct ast_import *imports;
    struct ast_attribute *attributes;
    struct ast_decl *decls;
    bool lost; /* a whole declaration could not be read: what refers to an
                  unknown name may be right */
};

void ast_dump(const struct ast_file *file, void *stream);
const char *ast_op_text(enum ast_op op);
const char *ast_unit_text(enum ast_unit unit);

#endif
