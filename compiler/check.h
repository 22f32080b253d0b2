/* AST -> model: the state that the check_*.c passes share, and the calls that
 * they make of one another. The passes run in the order of check.c; each
 * reports what it finds and goes on, and a NULL type stands for one that was
 * refused, so that one mistake gets one message. */
#ifndef WARPC_CHECK_H
#define WARPC_CHECK_H

#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "model.h"

struct check_symbol {
    const struct ast_decl *decl;
    struct model_file *file;
    const struct ast_file *ast;
    enum { SYMBOL_NEW, SYMBOL_BUSY, SYMBOL_DONE, SYMBOL_BAD } state;
    union { /* by decl->kind */
        struct model_enum *enumeration;
        struct model_struct *structure;
        struct model_sum *sum;
        struct model_product *product;
        struct model_strategy *strategy;
        struct model_pool *pool;
        struct model_kernel *kernel;
    };
    struct model_type *type; /* enum, struct, sum */
    /* product: what its fields were made from, for the passes after */
    struct check_field *fields;
    uint32_t field_count;
    struct check_notes *notes;
    uint64_t following, followed; /* derived fields, in search of circles */
    bool broken; /* a field is missing: say nothing about what lacks */
    bool used;   /* a strategy or pool: by some product */
    struct check_symbol *next; /* in source order, over all files */
};

struct check_file {
    struct ast_file *ast;
    struct model_file *model;
    const struct ast_decl *first;
};

struct check {
    struct arena *arena;   /* lives as long as the model */
    struct arena *scratch; /* of the passes */
    struct atom_table *atoms;
    struct diag *diag;
    struct model *model;
    struct check_file *files; /* imports first; the root is the last */
    uint32_t file_count;
    const char *schema_name; /* --name */
    bool list_idents;
    unsigned errors_before; /* of other files of the same run */
    bool failed;            /* a file could not be read or parsed */
    bool lost;              /* unknown names may be right */
    struct atom_map symbols;
    struct check_symbol *first, *last;
    struct atom_map names; /* of one product's fields, cleared for the next */
    struct atom_map rows;  /* annotations by name: row + 1 */
    /* types */
    struct model_type **types; /* in the order of their making */
    uint32_t type_count, type_capacity;
    uint32_t *type_slots; /* hash table of index + 1 */
    uint32_t slot_count;
    uint32_t value_depth; /* of structs being read */
    /* named in strategies without a defpool */
    struct model_pool **pools;
    uint32_t pool_count, pool_capacity;
};

/* check.c */
const struct model *check_files(struct check *check);

/* check_names.c: files, attributes, declarations */
void check_names(struct check *check);
struct check_symbol *check_find(struct check *check, const struct atom *name);
/* Reports that the name is unknown, with the nearest of that kind (-1: any
 * type). Says nothing when declarations were lost to syntax errors. */
void check_unknown(struct check *check, enum diag_id id,
                   const struct atom *name, struct source_range at,
                   const char *what, int kind);
const char *check_kind_name(enum ast_decl_kind kind);
/* Is it fit to be a member in C? Reports if not. */
bool check_member_name(struct check *check, const struct atom *name,
                       struct source_range at, bool field);

/* check_decls.c: enums, structs, sums */
void check_decls(struct check *check);
/* Makes sure that the size in C is known. False: refused, and said. */
bool check_sized(struct check *check, const struct model_type *type,
                 struct source_range use);

/* check_types.c */
struct model_type *check_declared_type(struct check *check,
                                       const struct check_symbol *symbol);
/* NULL: refused. `optional` NULL: T? is refused here. */
const struct model_type *
check_type(struct check *check, const struct ast_type *type, bool *optional);
const struct model_type *check_scalar(struct check *check, enum type_kind kind);
const struct model_type *check_array_of(struct check *check,
                                        const struct model_type *element,
                                        uint64_t count);
bool check_is_number(const struct model_type *type);

/* check_annotations.c */
enum annotation_id {
#define ANNOTATION(id, name, places, shape, words, text) ANNOTATION_##id,
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help)
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
    ANNOTATION_COUNT,
};

enum annotation_place {
    IN_FIELD = 1,
    IN_PRODUCT = 2,
    IN_MEMBER = 4,
    IN_ENUM = 8,
    IN_KERNEL = 16,
    IN_POOL = 32,
    IN_LIST = 64,
    IN_STRATEGY = 128,
};

struct check_word {
    const char *word;
    int value;
    struct source_range at;
};

/* One annotation, read by shape. */
struct check_note {
    const struct ast_entry *entry;
    struct check_word word;  /* WORD, WORDS: the first */
    int64_t number;          /* TIME in ms, BYTES, COUNT, FLAG, TYPE */
    const struct atom *name; /* ATOM, NAME */
};

/* What one field (product, …) was annotated with. */
struct check_notes {
    uint8_t slot[ANNOTATION_COUNT]; /* in list + 1; 0: absent or refused */
    bool refused; /* at least one was: what is absent may have been there */
    uint16_t count;
    uint32_t copy_count;
    struct check_note *list;
    struct check_word *copies; /* persist: [home, copy…] */
};

/* The note of an annotation; all zero where there is none. */
const struct check_note *check_note(const struct check_notes *notes,
                                    enum annotation_id id);

static inline const struct ast_entry *note_at(const struct check_notes *notes,
                                              enum annotation_id id)
{
    return check_note(notes, id)->entry;
}

static inline const struct check_word *
note_word(const struct check_notes *notes, enum annotation_id id)
{
    return &check_note(notes, id)->word;
}

static inline int64_t note_number(const struct check_notes *notes,
                                  enum annotation_id id)
{
    return check_note(notes, id)->number;
}

static inline const struct atom *note_name(const struct check_notes *notes,
                                           enum annotation_id id)
{
    return check_note(notes, id)->name;
}

void check_notes_read(struct check *check, const struct ast_entry *entries,
                      unsigned place, struct check_notes *notes);
/* Adds a note that the text implies. */
void check_notes_imply(struct check *check, struct check_notes *notes,
                       enum annotation_id id, const struct ast_entry *entry,
                       int64_t number);
/* True if there is one: it was said. */
bool check_notes_conflicts(struct check *check,
                           const struct check_notes *notes);
/* Both places and a help line. */
void check_contradiction(struct check *check, const struct check_notes *notes,
                         enum annotation_id a, enum annotation_id b,
                         const char *why, const char *help);
const char *check_annotation_name(enum annotation_id id);
bool check_is_word(enum annotation_id id, const struct atom *name,
                   struct check_word *out);
void check_offer_words(struct atom_nearest *nearest, enum annotation_id id);
/* The same, with a message if it is none; name NULL: it is no atom. */
bool check_word_of(struct check *check, enum annotation_id id,
                   const struct atom *name, struct source_range at,
                   struct check_word *out);

/* check_values.c */
bool check_time(struct check *check, const struct ast_expr *expr,
                const char *what, int64_t *ms);
bool check_bytes(struct check *check, const struct ast_expr *expr,
                 const char *what, int64_t *bytes);
bool check_count(struct check *check, const struct ast_expr *expr,
                 const char *what, int64_t *count);
bool check_flag(struct check *check, const struct ast_expr *expr,
                const char *what, int64_t *flag);
/* An age: a time, or an atom :last_<n>_<unit>, :last_<unit>, :indefinite. */
bool check_age(struct check *check, const struct ast_expr *expr, int64_t *ms);
/* The length of :hour, :days, … or 0. */
int64_t check_unit_ms(const char *name);
bool check_default(struct check *check, const struct ast_expr *expr,
                   const struct model_type *type, struct model_value *out);

/* check_strategy.c */
void check_strategies(struct check *check);
void check_bind_strategies(struct check *check);

/* check_fields.c: products, their fields and keys */
struct check_field {
    const struct ast_member *ast;
    struct model_field *model;
    bool good; /* false: what can be said about it was said */
    struct check_notes notes;
};
void check_products(struct check *check);
/* The field of that name, or NULL. */
struct check_field *check_find_field(struct check_symbol *product,
                                     const char *name);
void check_unknown_field(struct check *check,
                         const struct check_symbol *product,
                         const struct atom *name, struct source_range at);

/* check_placement.c: persist, survives, compression, priority, lifetimes */
void check_placement(struct check *check);
/* check_series.c: retention and by */
void check_series(struct check *check, struct check_symbol *product,
                  struct check_field *field);
/* check_rules.c: what needs the field's type or its neighbours */
void check_rules(struct check *check);

/* check_expr.c */
struct check_scope {
    struct check_symbol *product; /* formulas: names are its fields */
    struct check_field *field;    /* formulas: the derived field */
    struct model_kernel *kernel;  /* kernels: names are params and locals */
    struct check_symbol **owners; /* kernels: the product of each param */
    const struct model_type **elements; /* kernels: of a list, or NULL */
    /* F32 or F64: all is computed in it. Otherwise each value keeps its own
     * type, small integers become 32 bits wide, and mixtures the next type
     * that holds both. */
    enum type_kind number;
    bool compared; /* inside a comparison: integers are computed in 64 bits */
    bool lost;     /* kernels: a line before is missing, and with it a name */
    uint64_t inputs;       /* out: fields of param 0 */
    uint64_t other_inputs; /* out: of param 1, where it is a product */
};
/* NULL: refused, and said. */
const struct model_expr *check_expr(struct check *check,
                                    struct check_scope *scope,
                                    const struct ast_expr *expr);
/* Converts to a field's type; NULL with a message if that would narrow. */
const struct model_expr *check_fit(struct check *check,
                                   const struct model_expr *expr,
                                   const struct model_type *type,
                                   const char *what);

/* check_kernels.c */
void check_kernels(struct check *check);
/* False: more than a launch takes, and said. `kernel` NULL: a formula. */
bool check_input_count(struct check *check, const struct model_kernel *kernel,
                       const struct model_expr *result);
/* check_compute.c: formula: and compute:, and circles among them */
void check_computes(struct check *check);

/* check_layout.c: sizes, masks, the order of declarations */
void check_layout_struct(struct check *check, struct model_member *members,
                         uint32_t count, uint32_t *size, uint32_t *align);
void check_layout(struct check *check);

/* check_idents.c: every identifier that would be written */
void check_idents(struct check *check);

/* Were errors found in this closure? */
bool check_failed(const struct check *check);

#endif
