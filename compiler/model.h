/* The meaning of one schema file and its import closure: resolved, checked,
 * laid out, read-only. Made by the check_*.c passes, read by the emitters,
 * `explain`, `diff` and `model_dump`, which look at nothing else.
 *
 * Every name that the generated C holds for a declaration stands here ready
 * made (one mangler, compiler/mangle.c); verbs are put behind c_name. All
 * strings end with NUL; a text that a user wrote carries its length too.
 * An annotation that is added gets its resolved value here. */
#ifndef WARPC_MODEL_H
#define WARPC_MODEL_H

#include "source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_FIELD_MAX 56 /* bits 56 to 63 of a mask are call flags */

/* Types -------------------------------------------------------------------- */

enum type_kind {
#define SCALAR(id, name, elixir, c_form, bytes, class) TYPE_##id,
#include "../grammar/types.def"
#undef SCALAR
    TYPE_OPAQUE,      /* an undeclared X.t(): bytes in a warp_str */
    TYPE_FIXED_BYTES, /* bytes<N>: struct { uint8_t b[N]; } */
    TYPE_ARRAY,       /* T[N]: struct { T v[N]; } */
    TYPE_LIST,        /* [T], [T, max: N]: struct warp_list */
    TYPE_MAP,         /* map<K, V>: struct warp_list of { key, value } */
    TYPE_DYNAMIC_MAP, /* map(): struct warp_list of { struct warp_str key;
                         struct warp_value value; } */
    TYPE_STRUCT,
    TYPE_ENUM,
    TYPE_SUM,
};

enum type_class {
    CLASS_BOOL,
    CLASS_UINT,
    CLASS_SINT,
    CLASS_FLOAT,
    CLASS_TIME,
    CLASS_UUID,
    CLASS_TEXT, /* string, bytes, atom, opaque */
    CLASS_ENUM,
    CLASS_OTHER,
};

/* One per shape in a model: equal types are the same pointer. */
struct model_type {
    enum type_kind kind;
    enum type_class class;
    uint32_t index;       /* in model->types */
    const char *spelling; /* as a schema writes it: "[Item, max: 256]" */
    const char *c_type;   /* "uint64_t", "struct game_vec3", "enum game_kind" */
    uint32_t c_size, c_align; /* of c_type in bytes, LP64 */
    /* Bytes of the stored form when every value takes the same number of
     * them (an enum takes its `type:`), otherwise 0. */
    uint32_t stored_bytes;
    bool fixed;     /* holds no pointer at any depth */
    uint64_t limit; /* string<N>, bytes<N>, T[N]: N; a list's max:; 0 = none */
    const struct model_type *element; /* of an array or list; a map's value */
    const struct model_type *key;     /* of a map */
    /* A type that the generated header itself declares because a field uses
     * it: bytes<N>, T[N], and the entry of map<K, V>. The tag is made from the
     * shape, so several headers may declare it: it is guarded. */
    const char *wrapper_tag;   /* "warp_bytes_16", "game_vec3_4", or NULL */
    const char *wrapper_guard; /* "WARP_BYTES_16_DECLARED", or NULL */
    const struct model_struct *structure; /* TYPE_STRUCT */
    const struct model_enum *enumeration; /* TYPE_ENUM */
    const struct model_sum *sum;          /* TYPE_SUM */
};

/* What model->order and file->order list: in an order in which C can declare
 * them (by value first). */
enum model_decl_kind { DECL_ENUM, DECL_STRUCT, DECL_SUM, DECL_WRAPPER };
struct model_decl {
    enum model_decl_kind kind;
    const struct model_enum *enumeration;
    const struct model_struct *structure;
    const struct model_sum *sum;
    const struct model_type *wrapper; /* wrapper_tag is set */
};

/* Values ------------------------------------------------------------------- */

enum value_kind {
    VALUE_NONE,
    VALUE_BOOL,  /* i is 0 or 1 */
    VALUE_INT,   /* i: signed types and times */
    VALUE_UINT,  /* u: unsigned types */
    VALUE_FLOAT, /* f */
    VALUE_ENUM,  /* i, and member */
    VALUE_TEXT,  /* text, len: string, bytes, atom, opaque, bytes<N> */
    VALUE_UUID,  /* text: 16 bytes */
    VALUE_EMPTY, /* the empty list or map */
    VALUE_TUPLE, /* items: of an array, list, or a struct's members in order */
};

struct model_value {
    enum value_kind kind;
    uint32_t item_count; /* VALUE_TUPLE */
    union {
        int64_t i;
        uint64_t u;
        double f;
        size_t len; /* VALUE_TEXT, VALUE_UUID */
    };
    union {
        const char *text;
        const struct model_enum_member *member; /* VALUE_ENUM, beside i */
        const struct model_value *items;        /* VALUE_TUPLE */
    };
};

/* Declarations ------------------------------------------------------------- */

struct model_enum_member {
    const char *name;   /* "LOGIN" */
    const char *c_name; /* "GAME_KIND_LOGIN" */
    const char *doc;    /* or NULL */
    int64_t value;
    struct source_range at;
};

struct model_enum {
    const struct model_file *file;
    const char *name, *c_name; /* "Kind", "game_kind" (enum game_kind) */
    const char *c_upper;       /* "GAME_KIND" */
    const char *doc;
    struct source_range at;
    const struct model_type *type;    /* this enum */
    const struct model_type *storage; /* u8 … i64: the width in the store */
    const struct model_enum_member *members;
    uint32_t member_count;
};

/* A member of a struct or of a sum's variant. */
struct model_member {
    uint32_t index;
    const char *name, *c_name;
    const char *c_has; /* "has_weight" when optional, otherwise NULL */
    const char *doc;
    struct source_range at;
    const struct model_type *type;
    bool optional;
    const char *was; /* the name before, or NULL */
    bool deprecated;
    struct model_value value; /* default:, or VALUE_NONE */
    uint32_t c_offset;        /* in the C struct */
};

struct model_struct {
    const struct model_file *file;
    const char *name, *c_name, *c_upper; /* "Vec3", "game_vec3", "GAME_VEC3" */
    const char *doc;
    struct source_range at;
    const struct model_type *type;
    const struct model_member *members;
    uint32_t member_count;
};

struct model_variant {
    uint32_t index;            /* the tag's value: from 0 in source order */
    const char *name, *c_name; /* "Card", "card" (the union's member) */
    const char *c_tag;         /* "GAME_PAYMENT_CARD" */
    const char *doc;
    struct source_range at;
    const struct model_member *members; /* none: no member in the union */
    uint32_t member_count;
};

struct model_sum {
    const struct model_file *file;
    const char *name, *c_name, *c_upper;
    const char *c_tag_enum; /* "game_payment_tag" (enum game_payment_tag) */
    const char *doc;
    struct source_range at;
    const struct model_type *type;
    const struct model_variant *variants;
    uint32_t variant_count;
    bool has_union; /* at least one variant has members */
};

struct model_pool {
    const struct model_file *file;
    const char *name;
    uint64_t size_bytes; /* 0: not declared by a defpool; see semantics.md */
    bool declared;
    struct source_range at;
};

/* A strategy: what was not given is absent from `set` and has the default
 * that the runtime documents. */
enum strategy_value {
    STRATEGY_MEMORY_POOL,
    STRATEGY_GPU_MEMORY_POOL,
    STRATEGY_MAX_MEMORY_PER_INSTANCE,
    STRATEGY_GPU_BATCH_SIZE,
    STRATEGY_COMPRESSION_THRESHOLD,
    STRATEGY_ASYNC_WRITE_BUFFER,
    STRATEGY_ACCESS_PATTERN_LEARNING,
    STRATEGY_AUTO_MIGRATION,
    STRATEGY_HOT_TO_WARM,
    STRATEGY_WARM_TO_COLD,
    STRATEGY_COLD_TO_ARCHIVE,
    STRATEGY_VALUE_COUNT,
};

struct model_threshold {
    uint64_t frequency; /* fewer than this many accesses … */
    int64_t window_ms;  /* … in this window */
};

struct model_strategy {
    const struct model_file *file;
    const char *name;
    const char *doc;
    struct source_range at;
    uint32_t set; /* 1 << enum strategy_value */
    const struct model_pool *memory_pool, *gpu_memory_pool;
    uint64_t max_memory_per_instance_bytes;
    uint64_t gpu_batch_size;              /* records */
    uint64_t compression_threshold_bytes; /* default 1024 */
    uint64_t async_write_buffer;          /* records */
    bool access_pattern_learning;
    bool auto_migration;
    struct model_threshold hot_to_warm, warm_to_cold;
    int64_t cold_to_archive_ms;
};

/* Annotations of a field --------------------------------------------------- */

enum persist_policy {
    PERSIST_DEFAULT, /* none given: as MEMORY, compressed past a threshold */
    PERSIST_MEMORY,
    PERSIST_MEMORY_ONLY,
    PERSIST_GPU_MEMORY,
    PERSIST_MEMORY_COMPUTED,
    PERSIST_SSD,
    PERSIST_DISK,
    PERSIST_DISK_COMPRESSED,
    PERSIST_DISK_ONLY,
    PERSIST_TEMPORAL_TIERING,
    PERSIST_AUTO,
    PERSIST_HYBRID,
    PERSIST_COUNT,
};

enum model_tier {
    MODEL_TIER_NONE,
    MODEL_TIER_MEMORY,
    MODEL_TIER_GPU,
    MODEL_TIER_SSD,
    MODEL_TIER_DISK,
    MODEL_TIER_ARCHIVE,
};

enum model_survives { /* as enum warp_survives: from 1, stronger is greater */
                      SURVIVES_NOTHING = 1,
                      SURVIVES_PROCESS_CRASH = 2,
                      SURVIVES_POWER_LOSS = 3,
};

/* Where a resolved value comes from. */
enum model_origin {
    ORIGIN_DEFAULT, /* nothing was said: the policy's or the language's own */
    ORIGIN_FILE,    /* @survives */
    ORIGIN_PRODUCT,
    ORIGIN_STRATEGY,
    ORIGIN_FIELD,
};

enum model_compression {
    COMPRESSION_UNSET, /* the policy's own: see model_field.compression */
    COMPRESSION_NONE,
    COMPRESSION_FAST,
    COMPRESSION_DEFAULT,
    COMPRESSION_MAXIMUM,
};

enum model_priority { /* 0 is the most important */
                      PRIORITY_CRITICAL,
                      PRIORITY_HIGH,
                      PRIORITY_NORMAL,
                      PRIORITY_LOW,
                      PRIORITY_BACKGROUND,
};

enum model_access {
    ACCESS_UNSET,
    ACCESS_HOT,
    ACCESS_WARM,
    ACCESS_COLD,
    ACCESS_SEQUENTIAL,
    ACCESS_BALANCED,
};

enum model_physics {
    PHYSICS_NONE,
    PHYSICS_GRAVITATIONAL_MASS,
    PHYSICS_QUANTUM_ENTANGLEMENT_POTENTIAL,
    PHYSICS_QUANTUM_ENTANGLEMENT_GROUP,
    PHYSICS_TEMPORAL_WEIGHT,
    PHYSICS_TEMPERATURE,
    PHYSICS_POSITION,
    PHYSICS_SPACETIME_SHARD_HINT,
};

/* retention: — in the order of the tiers; age is the end of the step's range,
 * counted from the element's time. */
#define MODEL_FOREVER INT64_MAX
struct model_retention_step {
    enum model_tier tier;
    int64_t age_ms; /* or MODEL_FOREVER */
    struct source_range at;
};

enum model_retention_end {
    RETENTION_UNSAID, /* kept, with a warning */
    RETENTION_KEEP,   /* the last step is :indefinite */
    RETENTION_DELETE, /* then: :delete */
};

enum compute_kind {
    COMPUTE_GPU,
    COMPUTE_CPU,
    COMPUTE_GPU_ONLY,
    COMPUTE_GPU_BATCH,
    COMPUTE_CPU_FALLBACK,
    COMPUTE_KERNEL,  /* kernel */
    COMPUTE_GPU_RAW, /* cl_path, cu_path, entry */
    COMPUTE_CPU_FN,  /* function: a C function that the user links */
};

struct model_compute {
    enum compute_kind kind;
    const struct model_kernel *kernel;
    const char *cl_path, *cu_path, *entry;
    const char *function;
    struct source_range at;
};

/* Fields and products ------------------------------------------------------ */

struct model_field {
    const struct model_product *product;
    uint32_t index; /* its bit in masks: source order */
    const char *name;
    const char *c_name;  /* the member: "gold" */
    const char *c_macro; /* the mask: "GAME_ENTITY_GOLD" */
    const char *doc;
    struct source_range at; /* the name */
    const struct model_type *type;

    /* Placement. A byte each: schemas have many fields. */
    const enum persist_policy *copies; /* persist: [home, copy…] */
    uint32_t copy_count;
    enum persist_policy policy : 8; /* the home */
    enum model_origin policy_from : 8;
    enum model_tier prefer : 8;       /* a hint, or MODEL_TIER_NONE */
    enum model_survives survives : 8; /* in effect */
    /* ORIGIN_DEFAULT on a durable policy: the schema leaves it open, the
     * store's `survives` option decides, process_crash if that is silent. */
    enum model_origin survives_from : 8;
    enum model_compression compression : 8; /* in effect; UNSET only where the
                       policy is DEFAULT: compressed past the threshold */
    enum model_origin compression_from : 8;
    enum model_priority priority : 8;
    enum model_origin priority_from : 8;
    enum model_access access : 8;
    enum model_origin access_from : 8;
    enum model_physics physics : 8;
    bool optional; /* T?: no more than its have bit, said for the reader */
    bool column; /* layout: :column */
    bool hot;    /* part of HOT: read without the disk */

    /* Lifetime */
    bool series;                   /* a list that is :temporal_tiering */
    enum model_retention_end retention_end : 8;
    int64_t ttl_ms; /* of the field; 0 = none */
    const struct model_retention_step *retention;
    const struct model_member *by; /* the element's time member, or NULL */
    uint32_t retention_count;

    /* Keys and indexes */
    bool key;
    bool indexed; /* index: or unique: */
    bool unique;

    /* Evolution */
    bool deprecated;
    const char *was;          /* the name before, or NULL */
    struct model_value value; /* default:, or VALUE_NONE */

    /* Compute */
    const struct model_compute *compute;
    uint32_t compute_count;
    bool derived; /* formula, kernel or gpu_raw: no setter */
    bool summary; /* compute: on a list without a kernel: _summary() */
    const struct model_expr *formula;  /* typed, of the field's type; or NULL */
    const struct model_kernel *kernel; /* the first that compute: names */
    uint64_t inputs; /* derived: the bits of the fields that it reads */

    /* Which calls the field gets; the checker's list of identifiers and the
     * emitters both go by these. */
    bool can_set; /* not the key, a series or derived */
    bool can_add; /* can_set and an integer or float */
};

struct model_product {
    const struct model_file *file;
    const char *name, *c_name, *c_upper; /* "Entity", "game_entity", … */
    const char *doc;
    struct source_range at;
    uint32_t index; /* in model->products */
    const struct model_field *fields;
    uint32_t field_count;
    const struct model_field *const *keys; /* in source order, at least one */
    uint32_t key_count;
    /* "uint64_t", "struct warp_str"; composite: "struct game_x_key". */
    const char *key_c_type;
    bool key_composite;
    uint64_t key_mask, hot_mask, all_mask, series_mask, derived_mask;
    const struct model_strategy *strategy; /* or NULL */
    bool strategy_bound;        /* by being the file's only one, not by name */
    uint64_t max_memory_bytes;  /* max_memory:, 0 = none */
    int64_t ttl_ms;             /* of the record, 0 = none */
    enum persist_policy policy; /* for fields that say nothing */
    enum model_survives survives; /* 0 = not said for the product */
    enum model_priority priority;
    enum model_access access;
    uint32_t c_size, c_align; /* of struct c_name, `have` included */
};

/* Expressions and kernels -------------------------------------------------- */

enum expr_kind {
    EXPR_NUMBER,  /* value */
    EXPR_BOOL,    /* value.i */
    EXPR_FIELD,   /* param's (kernels) or the own product's (formulas) field;
                     `member` is set for a member of a struct in it */
    EXPR_MEMBER,  /* param is an element of a list: its struct's member */
    EXPR_ELEMENT, /* param is an element of a list: a number itself */
    EXPR_SHARD,   /* a member of the shard: shard_member */
    EXPR_LOCAL,   /* a name that a statement before it gave a value */
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_CALL,
    EXPR_CONVERT, /* operand 0 to `type`; every conversion is written down */
};

enum expr_op {
    OP_NEG,
    OP_NOT,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_AND,
    OP_OR,
};

enum expr_call { /* grammar/calls.def: one row per name */
#define CALL(id, name, arity, result, text) CALL_##id,
#include "../grammar/calls.def"
#undef CALL
};

enum shard_member {
    SHARD_PX,
    SHARD_PY,
    SHARD_MASS,
    SHARD_LOAD,
    SHARD_CAPACITY,
};

struct model_expr {
    enum expr_kind kind;
    /* TYPE_BOOL, TYPE_F32, TYPE_F64 or an integer kind: what it computes in.
     * Times and enums come as integers, by EXPR_CONVERT. */
    enum type_kind type;
    enum expr_op op;
    enum expr_call call;
    struct model_value value;
    const struct model_field *field;
    const struct model_member *member;
    enum shard_member shard_member;
    uint32_t param; /* of the kernel; 0 in formulas */
    uint32_t local; /* EXPR_LOCAL: statement of the kernel */
    const struct model_expr *const *operands;
    uint32_t operand_count;
    struct source_range at;
};

enum kernel_shape { SHAPE_MAP, SHAPE_PAIRWISE, SHAPE_SEGREDUCE };

enum kernel_reduce {
    REDUCE_NONE,
    REDUCE_SUM,
    REDUCE_MIN,
    REDUCE_MAX,
    REDUCE_ARGMAX,
    REDUCE_SOFTMAX,
    REDUCE_TOP_K, /* reduce: {:top_k, K}: reduce_k */
};

struct model_param {
    const char *name;
    const struct model_product *product; /* self, or the other side */
    bool shard;
    const struct model_field *list; /* segreduce: the element of this field */
    struct source_range at;
};

struct model_statement {
    const char *name, *c_name;
    const struct model_expr *value;
    struct source_range at;
};

struct model_kernel {
    const struct model_file *file;
    const char *name, *c_name; /* "influence", "game_influence" */
    const char *doc;
    struct source_range at;
    const struct model_param *params;
    uint32_t param_count;
    const struct model_type *type; /* of one result, after the reduction */
    enum type_kind element;        /* what the element function computes */
    enum kernel_shape shape;
    enum kernel_reduce reduce;
    uint32_t reduce_k;
    const struct model_statement *statements;
    uint32_t statement_count;
    const struct model_expr *result;
    uint64_t inputs;       /* bits of the fields of param 0 that it reads */
    uint64_t other_inputs; /* of param 1, where that is a product */
};

/* Files -------------------------------------------------------------------- */

struct model_import {
    const struct model_file *file;
    const char *written; /* the text between the quotes: "base.warp" */
    struct source_range at;
};

struct model_file {
    uint32_t source;    /* its id */
    const char *path;   /* as found: for messages and depfiles, not output */
    const char *base;   /* "game.warp": the same in every directory */
    const char *stem;   /* "game": the schema is game_warp_schema */
    const char *stem_c; /* as a C identifier, or NULL if it is none */
    const char *prefix; /* "game" or "" */
    const char *c_lower, *c_upper; /* "game_", "GAME_", or "" */
    enum model_survives survives;  /* @survives, or 0 */
    const struct model_import *imports;
    uint32_t import_count;
    const struct model_decl *order; /* declared here, or wrapped for here */
    uint32_t order_count;
    const struct model_product *const *products;
    uint32_t product_count;
    const struct model_kernel *const *kernels;
    uint32_t kernel_count;
};

/* Every identifier at file scope that generated code for the root file holds:
 * listed when compile.list_idents asks for it, for a test that compares it
 * with the output. */
enum ident_kind {
    IDENT_TAG,
    IDENT_ENUMERATOR,
    IDENT_MACRO,
    IDENT_FUNCTION,
    IDENT_OBJECT
};
struct model_ident {
    enum ident_kind kind;
    const char *name;
    struct source_range at; /* what it is made from */
};

struct model {
    const struct model_file *root;
    const struct model_file *const *files; /* the closure, imports first */
    uint32_t file_count;
    const struct model_type *const *types;
    uint32_t type_count;
    const struct model_product *const *products; /* of the closure: the store */
    uint32_t product_count;
    const struct model_strategy *const *strategies;
    uint32_t strategy_count;
    const struct model_pool *const *pools;
    uint32_t pool_count;
    const struct model_kernel *const *kernels;
    uint32_t kernel_count;
    const struct model_ident *idents;
    uint32_t ident_count;
    struct source_table *sources; /* to turn a range into a line */
};

/* Names for people, the same as a schema writes them. */
const char *model_policy_name(enum persist_policy policy);
const char *model_survives_name(enum model_survives survives);
const char *model_tier_name(enum model_tier tier);
const char *model_compression_name(enum model_compression compression);
const char *model_priority_name(enum model_priority priority);
const char *model_access_name(enum model_access access);
const char *model_physics_name(enum model_physics physics);
/* Have records of it partners, and the call that tells them? */
bool model_has_partners(const struct model_product *product);
/* Does the expression read a value of a record, an element or a shard? And do
 * two of them read the same one? */
bool model_is_input(const struct model_expr *expr);
bool model_same_input(const struct model_expr *a, const struct model_expr *b);
/* What the first table of semantics.md says, one row per policy. */
struct policy_facts {
    const char *name, *home, *in_ram, *durable, *after_restart, *reads_disk;
    bool is_durable;
    bool may_read_disk;
    enum model_survives survives; /* by default */
};
const struct policy_facts *model_policy_facts(enum persist_policy policy);

#endif
