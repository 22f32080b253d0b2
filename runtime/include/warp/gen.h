/* gen.h: what generated code may use, and nothing else does.
 *
 * warpc writes constant tables of these descriptors (one row per field) and
 * typed functions that pass a descriptor and pointers to the calls below. The
 * loops and the I/O live in libwarp. A user's program includes its generated
 * header, not this file's calls. WARP_GEN_ABI stands in a symbol, so a stale
 * generated file fails when it is linked. */
#ifndef WARP_GEN_H
#define WARP_GEN_H

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WARP_GEN_ABI 1
/* Defined by libwarp; referenced by every generated .c file. */
WARP_API extern const int warp_gen_abi_1;

/** How a value looks in C and on the wire. The wire form is little-endian. */
enum warp_type_kind {
    WARP_T_BOOL = 1,
    WARP_T_U8, WARP_T_U16, WARP_T_U32, WARP_T_U64,
    WARP_T_I8, WARP_T_I16, WARP_T_I32, WARP_T_I64,
    WARP_T_F32, WARP_T_F64,
    WARP_T_TIMESTAMP, WARP_T_DURATION, /* int64_t ms */
    WARP_T_UUID,        /* struct warp_uuid */
    WARP_T_STRING,      /* struct warp_str, UTF-8; count = max bytes or 0 */
    WARP_T_BYTES,       /* struct warp_str; count = max bytes or 0 */
    WARP_T_OPAQUE,      /* struct warp_str */
    WARP_T_FIXED_BYTES, /* bytes<N>: struct { uint8_t b[N]; }, count = N */
    WARP_T_ARRAY,       /* T[N]: struct { T v[N]; }, count = N, elem */
    WARP_T_LIST,        /* struct warp_list of elem; count = max or 0 */
    WARP_T_MAP,         /* struct warp_list of {key, value}: a struct of two
                           members described by elem; sorted by key */
    WARP_T_VALUE_MAP,   /* map(): struct warp_list of struct warp_entry */
    WARP_T_STRUCT,      /* members */
    WARP_T_ENUM,        /* C enum (int); width bytes on the wire; values */
    WARP_T_SUM          /* { enum tag; union u; }; members are the variants */
};

struct warp_type;

/** A member of a struct, or a variant of a sum. */
struct warp_member {
    const char *name;
    const struct warp_type *type; /* variant: a struct type, or NULL if empty */
    uint32_t offset;              /* in the C struct; variant: of the union */
    uint32_t has_offset;          /* of `bool has_x` for T?, else UINT32_MAX */
    int64_t tag;                  /* variant: its tag value */
};

struct warp_enumerator {
    const char *name;
    int64_t value;
};

struct warp_type {
    const char *name;   /* as the schema spells it, e.g. "Vec3", "u64" */
    uint8_t kind;       /* enum warp_type_kind */
    uint8_t width;      /* enum: bytes on the wire, 1 2 4 8 */
    uint8_t is_signed;  /* enum: values may be negative */
    uint8_t plain;      /* the C bytes are the wire bytes (no padding, bool,
                           enum, pointer) */
    uint32_t size;      /* sizeof the C form */
    uint32_t wire_bytes; /* on the wire if always the same, else 0 */
    uint32_t count;     /* see kinds; struct, sum, enum: members or values */
    const struct warp_type *elem;
    const struct warp_member *members;
    const struct warp_enumerator *values;
};

/* The scalar types, shared by all generated code; defined by libwarp. */
WARP_API extern const struct warp_type
    warp_type_bool, warp_type_u8, warp_type_u16, warp_type_u32, warp_type_u64,
    warp_type_i8, warp_type_i16, warp_type_i32, warp_type_i64,
    warp_type_f32, warp_type_f64, warp_type_timestamp, warp_type_duration,
    warp_type_uuid, warp_type_string, warp_type_bytes, warp_type_value_map;

/** Where a field's value is at home. */
enum warp_home {
    WARP_HOME_MEMORY = 1,
    WARP_HOME_MEMORY_ONLY,
    WARP_HOME_GPU,
    WARP_HOME_COMPUTED, /* memory_computed, and derived fields */
    WARP_HOME_SSD,
    WARP_HOME_DISK,
    WARP_HOME_DISK_COMPRESSED,
    WARP_HOME_DISK_ONLY,
    WARP_HOME_TEMPORAL,
    WARP_HOME_AUTO,
    WARP_HOME_HYBRID
};

enum warp_tier {
    WARP_TIER_MEMORY = 1,
    WARP_TIER_GPU,
    WARP_TIER_SSD,
    WARP_TIER_DISK,
    WARP_TIER_ARCHIVE
};

enum warp_compression {
    WARP_COMPRESS_DEFAULT_POLICY = 0, /* not said: threshold decides */
    WARP_COMPRESS_NONE = 1,
    WARP_COMPRESS_FAST,
    WARP_COMPRESS_DEFAULT,
    WARP_COMPRESS_MAXIMUM
};

enum warp_priority {
    WARP_PRIORITY_BACKGROUND = 1,
    WARP_PRIORITY_LOW,
    WARP_PRIORITY_NORMAL, /* when nothing is said */
    WARP_PRIORITY_HIGH,
    WARP_PRIORITY_CRITICAL
};

/** The role of a field in a built-in model; see the manual on physics. */
enum warp_physics {
    WARP_PHYSICS_NONE = 0,
    WARP_PHYSICS_MASS,
    WARP_PHYSICS_ENTANGLEMENT_POTENTIAL,
    WARP_PHYSICS_ENTANGLEMENT_GROUP,
    WARP_PHYSICS_TEMPORAL_WEIGHT,
    WARP_PHYSICS_TEMPERATURE,
    WARP_PHYSICS_POSITION,
    WARP_PHYSICS_SHARD_HINT
};

enum warp_access {
    WARP_ACCESS_NONE = 0,
    WARP_ACCESS_HOT,
    WARP_ACCESS_WARM,
    WARP_ACCESS_COLD,
    WARP_ACCESS_SEQUENTIAL,
    WARP_ACCESS_BALANCED
};

/** One step of `retention:`; half-open ages, in order. */
struct warp_retention {
    uint8_t tier;       /* enum warp_tier */
    int64_t age_ms;     /* INT64_MAX: indefinite */
};

enum warp_field_flags {
    WARP_F_KEY = 1 << 0,
    WARP_F_SERIES = 1 << 1,   /* own calls; not in HOT and ALL */
    WARP_F_DERIVED = 1 << 2,  /* formula or kernel: no setter */
    WARP_F_INDEX = 1 << 3,
    WARP_F_UNIQUE = 1 << 4,   /* implies INDEX */
    WARP_F_COLUMN = 1 << 5,   /* layout: :column, or home gpu */
    WARP_F_DEPRECATED = 1 << 6,
    WARP_F_INLINE = 1 << 7,   /* string<N>, bounded: stored in the row */
    WARP_F_THEN_DELETE = 1 << 8 /* retention ends in a delete */
};

/* ---- kernels: how a derived field is computed in batches ---- */

/* What an array of a kernel holds one element for. */
enum warp_kernel_side {
    WARP_SIDE_ROW,     /* record that is computed */
    WARP_SIDE_COL,     /* shard, or record of the other product */
    WARP_SIDE_ITEM,    /* element of the records' lists, one after the other */
    WARP_SIDE_OFFSETS, /* record, and one more: where its items begin */
    WARP_SIDE_RESULT
};

struct warp_kernel_arg {
    uint8_t side;  /* enum warp_kernel_side */
    uint8_t bytes; /* of an element */
    bool real;     /* float or double */
    /* COL: 1 + px, py, mass, load, capacity of a shard. ROW: 1 + the number of
     * the record's field whose value it is, as it is. Else 0. */
    uint8_t source;
};

struct warp_kernel_args {
    uint32_t rows, cols, items;
    void *const *arg;
};

/** What `compute:` says about where. */
enum warp_kernel_on {
    WARP_ON_AUTO,
    WARP_ON_GPU, /* first; the CPU where that is sooner or fails */
    WARP_ON_CPU,
    WARP_ON_GPU_ONLY
};

struct warp_product;
struct warp_kernel {
    const char *name;    /* "Product.field" */
    const char *entry;   /* in both texts */
    const char *cl, *cu; /* OpenCL C, CUDA C */
    const struct warp_kernel_arg *args; /* the result is the last */
    uint32_t arg_count;
    uint32_t result_count; /* elements of one result */
    uint8_t on;            /* enum warp_kernel_on */
    bool pairs;            /* of each record with each column */
    bool places;           /* results are places of the greatest real value:
                              near ties may differ */
    bool segments;         /* over the elements of the field `list` */
    uint32_t list;
    const struct warp_product *other; /* whose records are the columns, or
                                         NULL: the shards are */
    uint64_t other_inputs; /* bits of its fields */
    /* Inputs of a record (of the other product, of an element) into place
     * `at` of the arrays; NULL where there is none. */
    void (*take)(const void *record, void *const *arg, uint32_t at);
    void (*take_other)(const void *record, void *const *arg, uint32_t at);
    void (*take_item)(const void *element, void *const *arg, uint32_t at);
    void (*run)(const struct warp_kernel_args *args);
    /* One row in float64; reals go to `out` as double. Where `places`, the
     * value at the place follows as a double, in the second 8 bytes. */
    void (*reference)(const struct warp_kernel_args *args, uint32_t row,
                      void *out);
};

/* What the text of a kernel is made of, in C. */
#define WARP_FN static inline
#define WARP_GLOBAL
#define WARP_AS_WRITTEN /* a * b + c rounds twice */

struct warp_field {
    const char *name;
    const struct warp_type *type; /* a series: the type of its element */
    uint32_t offset;     /* in the record struct; UINT32_MAX for a series */
    uint32_t key_offset; /* key field of a composite key: in struct p_x_key */
    uint32_t flags;      /* enum warp_field_flags */
    uint8_t home;        /* enum warp_home, effective */
    uint8_t survives;    /* enum warp_survives, effective; 0 = the option's */
    uint8_t compression; /* enum warp_compression */
    uint8_t priority;    /* enum warp_priority, effective */
    uint8_t physics;     /* enum warp_physics */
    uint8_t access;      /* enum warp_access */
    uint8_t prefer;      /* enum warp_tier or 0 */
    uint8_t retention_count;
    uint32_t copies;     /* bit 1 << enum warp_home for each further copy */
    int64_t ttl_ms;      /* 0: none */
    const struct warp_retention *retention;
    uint32_t by_offset;  /* series with by: offset of the element's time, else
                            UINT32_MAX (the call gives the time) */
    const void *default_value; /* in C form, or NULL */
    const char *was;     /* the old name, or NULL */
    /* Derived by a formula: the result from a record whose `inputs` are set. */
    void (*derive)(const void *record, void *result);
    uint64_t inputs;     /* bits of the fields that the formula reads */
    const struct warp_kernel *kernel; /* derived: in batches, or NULL */
};

/** Limits and thresholds from a defstrategy; 0 where nothing is said. */
struct warp_strategy {
    const char *name;
    const char *memory_pool, *gpu_memory_pool;
    uint64_t memory_pool_bytes, gpu_memory_pool_bytes; /* from defpool */
    uint64_t max_memory_per_instance_bytes;
    uint64_t gpu_batch_count;
    uint64_t compression_threshold_bytes;
    uint64_t async_write_buffer_count;
    int8_t access_pattern_learning; /* -1 not said, 0 false, 1 true */
    int8_t auto_migration;
    uint64_t hot_to_warm_count, warm_to_cold_count;
    int64_t hot_to_warm_window_ms, warm_to_cold_window_ms;
    int64_t cold_to_archive_age_ms;
};

struct warp_product {
    const char *name;
    const struct warp_field *fields;
    uint32_t field_count;    /* at most 56; bit i is fields[i] */
    uint32_t record_bytes;   /* sizeof the record struct */
    uint32_t have_offset;    /* of `uint64_t have` */
    uint32_t key_bytes;      /* sizeof the key's C form */
    uint32_t key_count;      /* fields in the key */
    const uint8_t *key_fields; /* their numbers, in key order */
    uint64_t hot, all;       /* masks */
    int64_t ttl_ms;          /* of the record; 0: none */
    uint64_t max_memory_bytes;
    uint8_t priority, access;
    const struct warp_strategy *strategy; /* or NULL */
};

struct warp_schema {
    uint32_t abi;            /* WARP_GEN_ABI */
    uint32_t product_count;
    const char *name;        /* the file's stem */
    const struct warp_product *const *products; /* of the import closure */
    const uint8_t *descriptor; /* the .wsd bytes */
    uint32_t descriptor_bytes;
    uint64_t fingerprint;    /* of the structure */
};

/** The range of a scan, from the generated struct p_x_range. */
struct warp_gen_range {
    const void *from, *to;         /* key in C form, or NULL; half-open */
    const struct warp_str *prefix; /* string and bytes keys, or NULL */
    bool reverse;
};

/* `key` is a pointer to the key's C form: of a single key field its own C
 * form, of a composite key struct p_x_key. `field` is a field's number. Masks
 * are those of the generated header. Contracts: see the generated header and
 * the manual; errors as warp.h lists them. */
WARP_API WARP_MUST_USE int warp_gen_put(struct warp_db *,
    const struct warp_product *, const void *record, uint64_t fields);
WARP_API WARP_MUST_USE int warp_gen_get(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t fields, void *out,
    struct warp_arena *);
WARP_API WARP_MUST_USE int warp_gen_get_many(struct warp_db *,
    const struct warp_product *, const void *keys, size_t count,
    uint64_t fields, void *out, int *codes, struct warp_arena *);
/** A get that also tells the records that belong with this one: declared by the
 *  schema or learned from what is used together. They are brought into memory
 *  in the background.
 *  Ownership   keys and bonds are in the arena, which must not be NULL.
 *  Durability  writes nothing.
 *  Threads     any; waits for a lock of the store's table of uses.
 *  Cost        a get of the record and a read of each partner's row: at most
 *              32, 256 where potentials are compared; a row that left
 *              memory is read from the ssd.
 *  Errors      as of a get; partners that are gone are left out. */
WARP_API WARP_MUST_USE int warp_quantum_get(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t fields, void *out,
    struct warp_partners *, struct warp_arena *);
WARP_API WARP_MUST_USE int warp_gen_delete(struct warp_db *,
    const struct warp_product *, const void *key);
WARP_API WARP_MUST_USE int warp_gen_set(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    const void *value);
/* delta: int64_t for integers, timestamps and durations, the field's own type
 * for floats; now: the field's own type, or NULL */
WARP_API WARP_MUST_USE int warp_gen_add(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    const void *delta, void *now);
WARP_API WARP_MUST_USE int warp_gen_touch(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t fields);
WARP_API WARP_MUST_USE int warp_gen_expire(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t fields,
    int64_t deadline_ms);
WARP_API WARP_MUST_USE int warp_gen_version(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t *version);
WARP_API enum warp_state warp_gen_state(struct warp_db *,
    const struct warp_product *, const void *key, uint64_t field);
WARP_API WARP_MUST_USE int warp_gen_prefetch(struct warp_db *,
    const struct warp_product *, const void *keys, size_t count,
    uint64_t fields);
WARP_API WARP_MUST_USE int warp_gen_scan(struct warp_db *,
    const struct warp_product *, const struct warp_gen_range *,
    uint64_t fields, struct warp_iter **);
WARP_API WARP_MUST_USE int warp_gen_by(struct warp_db *,
    const struct warp_product *, uint32_t field, const void *value,
    uint64_t fields, struct warp_iter **);
WARP_API WARP_MUST_USE int warp_gen_get_by(struct warp_db *,
    const struct warp_product *, uint32_t field, const void *value,
    uint64_t fields, void *out, struct warp_arena *);
WARP_API WARP_MUST_USE int warp_gen_next(struct warp_iter *,
    const struct warp_product *, void *out, struct warp_arena *);
WARP_API WARP_MUST_USE int warp_gen_column(struct warp_db *,
    const struct warp_product *, uint32_t field, uint32_t shard,
    struct warp_column *);
/* at_ms is read only when the field has no by: */
WARP_API WARP_MUST_USE int warp_gen_append(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    int64_t at_ms, const void *element);
WARP_API WARP_MUST_USE int warp_gen_range(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    int64_t from_ms, int64_t to_ms, struct warp_iter **);
/* flags: WARP_ARCHIVE */
WARP_API WARP_MUST_USE int warp_gen_range_with(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    int64_t from_ms, int64_t to_ms, uint64_t flags, struct warp_iter **);
WARP_API WARP_MUST_USE int warp_gen_range_next(struct warp_iter *,
    const struct warp_product *, uint32_t field, int64_t *at_ms,
    void *element, struct warp_arena *);

/* The twins inside a batch; nothing is checked against the store before
 * warp_batch_commit(). Values are copied. */
WARP_API WARP_MUST_USE int warp_gen_put_in(struct warp_batch *,
    const struct warp_product *, const void *record, uint64_t fields);
WARP_API WARP_MUST_USE int warp_gen_delete_in(struct warp_batch *,
    const struct warp_product *, const void *key);
WARP_API WARP_MUST_USE int warp_gen_set_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint32_t field,
    const void *value);
WARP_API WARP_MUST_USE int warp_gen_add_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint32_t field,
    const void *delta);
WARP_API WARP_MUST_USE int warp_gen_touch_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint64_t fields);
WARP_API WARP_MUST_USE int warp_gen_expire_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint64_t fields,
    int64_t deadline_ms);
WARP_API WARP_MUST_USE int warp_gen_append_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint32_t field,
    int64_t at_ms, const void *element);
/* version 0: the record must not exist */
WARP_API WARP_MUST_USE int warp_gen_expect_in(struct warp_batch *,
    const struct warp_product *, const void *key, uint64_t version);

/* Derived fields with a kernel. peek never waits; compute and request run the
 * kernel over many records, where it is soonest done. out: count values in the
 * field's C form, NaN or 0 for keys without a value; info may be NULL. */
WARP_API WARP_MUST_USE int warp_gen_kernel_peek(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field, void *value,
    enum warp_fresh *fresh);
WARP_API WARP_MUST_USE int warp_gen_kernel_compute(struct warp_db *,
    const struct warp_product *, const void *keys, size_t count,
    uint32_t field, void *out, struct warp_run_info *info);
WARP_API WARP_MUST_USE int warp_gen_kernel_request(struct warp_db *,
    const struct warp_product *, const void *keys, size_t count,
    uint32_t field, struct warp_future **future);

/* A list, or all elements of a series. WARP_ENOTFOUND: no record. */
WARP_API WARP_MUST_USE int warp_gen_summary(struct warp_db *,
    const struct warp_product *, const void *key, uint32_t field,
    struct warp_summary *out);

/* ---- what a generated .c file is made of ----
 * Rows of a product's table. WARP_GEN_S is the product's struct; f is a field,
 * t the name of its type's table behind warp_type_, n the product's number. */
#define WARP_GEN_ROW_(NAME, type_, at, HOME, PRIORITY)                        \
    .name = NAME, .type = type_, .offset = at, .home = WARP_HOME_##HOME,      \
    .priority = WARP_PRIORITY_##PRIORITY
#define WARP_GEN_FIELD(f, t, HOME, PRIORITY)                                  \
    WARP_GEN_ROW_(#f, &warp_type_##t, offsetof(WARP_GEN_S, f), HOME,          \
                  PRIORITY), .by_offset = UINT32_MAX
#define WARP_GEN_SERIES_FIELD(f, t, PRIORITY)                                 \
    WARP_GEN_ROW_(#f, &warp_type_##t, UINT32_MAX, TEMPORAL, PRIORITY)
/* Rows of which nothing else is to be said: values in memory, those of a
 * bounded length beside the others, single keys. */
#define WARP_GEN_SHORT_(NAME, type_, at, flags_)                              \
    { WARP_GEN_ROW_(NAME, type_, at, MEMORY, NORMAL),                         \
      .by_offset = UINT32_MAX, .flags = flags_,                               \
      .compression = WARP_COMPRESS_NONE }
#define WARP_GEN_ROW(f, t)                                                    \
    WARP_GEN_SHORT_(#f, &warp_type_##t, offsetof(WARP_GEN_S, f), 0)
#define WARP_GEN_INLINE(f, t)                                                 \
    WARP_GEN_SHORT_(#f, &warp_type_##t, offsetof(WARP_GEN_S, f),              \
                    WARP_F_INLINE)
#define WARP_GEN_KEY(f, t)                                                    \
    WARP_GEN_SHORT_(#f, &warp_type_##t, offsetof(WARP_GEN_S, f), WARP_F_KEY)
/* The rest: the numbers of the fields in the key. */
#define WARP_GEN_PRODUCT(n, NAME, K, HOT, ALL, PRIORITY, ...)                 \
    .name = NAME, .fields = f##n##_,                                          \
    .field_count = sizeof f##n##_ / sizeof f##n##_[0],                        \
    .record_bytes = sizeof(WARP_GEN_S),                                       \
    .have_offset = offsetof(WARP_GEN_S, have), .key_bytes = sizeof(K),        \
    .key_count = sizeof((const uint8_t[]) { __VA_ARGS__ }),                   \
    .key_fields = (const uint8_t[]) { __VA_ARGS__ },                          \
    .hot = UINT64_C(HOT), .all = UINT64_C(ALL),                               \
    .priority = WARP_PRIORITY_##PRIORITY
/* Of the struct, as it is in the descriptor. */
#define WARP_GEN_LAYOUT(record_bytes, have_offset)                            \
    _Static_assert(sizeof(WARP_GEN_S) == record_bytes &&                      \
                       offsetof(WARP_GEN_S, have) == have_offset,             \
                   "layout of a record");
/* What the descriptor says of such a field behind its flags. */
#define WARP_GEN_FACTS "\1\0\1\3\0\0\0\0\0\0\0\0\0\0"

/* What calls.h leaves to the .c file. */
#define WARP_GEN_SCAN_(db, P, range, fields, iter)                            \
    warp_gen_scan(db, &P##_warp_product,                                      \
                  &(const struct warp_gen_range) {                            \
                      range && range->has_from ? &range->from : NULL,         \
                      range && range->has_to ? &range->to : NULL,             \
                      range && range->has_prefix ? &range->prefix : NULL,     \
                      range && range->reverse                                 \
                  }, fields, iter)

#ifdef __cplusplus
}
#endif
#endif
