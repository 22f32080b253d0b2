/* The descriptor of a schema: what a store must know of the schema that wrote
 * it, without the schema file. warpc encodes it into the generated code and
 * into `.wsd` files, the runtime keeps one per schema version and compares it
 * with the program's. The byte format stands at the head of descriptor.c.
 *
 * Numbers of kinds, homes, tiers, flags … are those of the enums in
 * <warp/gen.h>; a unit test compares them. Adding something: a member here,
 * its bytes in descriptor.c and descriptor_decode.c, a new DESCRIPTOR_VERSION,
 * and its rule in descriptor_compare.c. Nothing here prints or exits. */
#ifndef WARP_DESCRIPTOR_H
#define WARP_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESCRIPTOR_VERSION      1
#define DESCRIPTOR_HEADER_BYTES 32
/* Limits of a decoder that trusts nothing; the encoder keeps them too. */
#define DESCRIPTOR_BYTES_MAX    (16u << 20)
#define DESCRIPTOR_TYPES_MAX    65536u
#define DESCRIPTOR_PRODUCTS_MAX 65536u
#define DESCRIPTOR_FIELDS_MAX   56
#define DESCRIPTOR_DEPTH_MAX    200        /* of nested types and values */
#define DESCRIPTOR_C_BYTES_MAX  (1u << 30) /* of a type's C form */

enum descriptor_error {
    DESCRIPTOR_OK = 0,
    DESCRIPTOR_ECORRUPT = -1,
    DESCRIPTOR_EVERSION = -2, /* written by a later version */
    DESCRIPTOR_ENOMEM = -3,
    DESCRIPTOR_ELIMIT = -4 /* the schema is past a limit above */
};

enum descriptor_kind { /* enum warp_type_kind */
                       DESCRIPTOR_BOOL = 1,
                       DESCRIPTOR_U8,
                       DESCRIPTOR_U16,
                       DESCRIPTOR_U32,
                       DESCRIPTOR_U64,
                       DESCRIPTOR_I8,
                       DESCRIPTOR_I16,
                       DESCRIPTOR_I32,
                       DESCRIPTOR_I64,
                       DESCRIPTOR_F32,
                       DESCRIPTOR_F64,
                       DESCRIPTOR_TIMESTAMP,
                       DESCRIPTOR_DURATION,
                       DESCRIPTOR_UUID,
                       DESCRIPTOR_STRING,
                       DESCRIPTOR_BYTES,
                       DESCRIPTOR_OPAQUE,
                       DESCRIPTOR_FIXED_BYTES,
                       DESCRIPTOR_ARRAY,
                       DESCRIPTOR_LIST,
                       DESCRIPTOR_MAP,
                       DESCRIPTOR_VALUE_MAP,
                       DESCRIPTOR_STRUCT,
                       DESCRIPTOR_ENUM,
                       DESCRIPTOR_SUM
};
#define DESCRIPTOR_KIND_LAST DESCRIPTOR_SUM

enum descriptor_home { /* enum warp_home */
                       DESCRIPTOR_HOME_MEMORY = 1,
                       DESCRIPTOR_HOME_MEMORY_ONLY,
                       DESCRIPTOR_HOME_GPU,
                       DESCRIPTOR_HOME_COMPUTED,
                       DESCRIPTOR_HOME_SSD,
                       DESCRIPTOR_HOME_DISK,
                       DESCRIPTOR_HOME_DISK_COMPRESSED,
                       DESCRIPTOR_HOME_DISK_ONLY,
                       DESCRIPTOR_HOME_TEMPORAL,
                       DESCRIPTOR_HOME_AUTO,
                       DESCRIPTOR_HOME_HYBRID
};
#define DESCRIPTOR_HOME_LAST DESCRIPTOR_HOME_HYBRID

enum descriptor_flags { /* enum warp_field_flags */
                        DESCRIPTOR_F_KEY = 1 << 0,
                        DESCRIPTOR_F_SERIES = 1 << 1,
                        DESCRIPTOR_F_DERIVED = 1 << 2,
                        DESCRIPTOR_F_INDEX = 1 << 3,
                        DESCRIPTOR_F_UNIQUE = 1 << 4,
                        DESCRIPTOR_F_COLUMN = 1 << 5,
                        DESCRIPTOR_F_DEPRECATED = 1 << 6,
                        DESCRIPTOR_F_INLINE = 1 << 7,
                        DESCRIPTOR_F_THEN_DELETE = 1 << 8
};
#define DESCRIPTOR_FLAGS_ALL 0x1ffu

#define DESCRIPTOR_FOREVER   INT64_MAX
#define DESCRIPTOR_NO_MEMBER UINT32_MAX

/* A default value. */
enum descriptor_value_kind {
    DESCRIPTOR_VALUE_NONE,
    DESCRIPTOR_VALUE_INT,   /* i: bool, signed, enum, times */
    DESCRIPTOR_VALUE_UINT,  /* u */
    DESCRIPTOR_VALUE_FLOAT, /* f */
    DESCRIPTOR_VALUE_BYTES, /* data, count: text, bytes<N>, uuid */
    DESCRIPTOR_VALUE_TUPLE  /* items, count: array, list, struct; an empty
                               list or map has no items; NONE for an optional
                               member that is not there */
};

struct descriptor_value {
    enum descriptor_value_kind kind;
    int64_t i;
    uint64_t u;
    double f;
    const uint8_t *data;
    const struct descriptor_value *items;
    uint32_t count;
};

struct descriptor_type;

/* Of a struct, or a variant of a sum. */
struct descriptor_member {
    const char *name;
    const struct descriptor_type *type; /* an empty variant: NULL */
    bool optional;
    bool deprecated;
    int64_t tag;     /* of a variant */
    const char *was; /* or NULL */
    struct descriptor_value value;
    /* Layout; see descriptor_layout(). */
    uint32_t offset;     /* a variant: of the union */
    uint32_t has_offset; /* DESCRIPTOR_NO_MEMBER unless optional */
};

struct descriptor_enumerator {
    const char *name;
    int64_t value;
};

struct descriptor_type {
    uint32_t index; /* in descriptor.types; the types it uses come before */
    const char *name;
    uint8_t kind;   /* enum descriptor_kind */
    uint8_t width;  /* enum: bytes in the store */
    bool is_signed; /* enum: values may be negative */
    /* string, bytes, list: the maximum or 0; fixed bytes, array: how many;
     * struct, sum, enum: members or values. */
    uint32_t count;
    /* array, list: the element; map: a struct { key, value }. */
    const struct descriptor_type *elem;
    struct descriptor_member *members;
    const struct descriptor_enumerator *values;
    /* Layout of the C form on a 64-bit machine; see descriptor_layout(). */
    uint32_t size, align;
    uint32_t wire_bytes;  /* stored, if always the same, otherwise 0 */
    bool plain;           /* the C bytes are the stored bytes */
    uint8_t depth;        /* 1 without parts */
    uint64_t fingerprint; /* of its structure, parts included */
};

struct descriptor_retention {
    uint8_t tier;   /* enum warp_tier */
    int64_t age_ms; /* or DESCRIPTOR_FOREVER */
};

struct descriptor_field {
    const char *name;
    const struct descriptor_type *type; /* of a series: of its element */
    uint32_t flags;
    uint8_t home;        /* in effect */
    uint8_t survives;    /* enum warp_survives; 0: the store's option */
    uint8_t compression; /* enum warp_compression */
    uint8_t priority, physics, access, prefer;
    uint32_t copies; /* 1 << enum descriptor_home each */
    int64_t ttl_ms;
    uint32_t retention_count;
    const struct descriptor_retention *retention;
    uint32_t by; /* a series: the element's member, or DESCRIPTOR_NO_MEMBER */
    struct descriptor_value value; /* default: */
    const char *was;               /* or NULL */
    uint64_t inputs;               /* derived: bits of the fields it reads */
    /* Layout; UINT32_MAX where there is no such place. */
    uint32_t offset;     /* in the record struct */
    uint32_t key_offset; /* in the key's struct */
};

struct descriptor_strategy {
    const char *name;
    const char *memory_pool, *gpu_memory_pool; /* or NULL */
    uint64_t memory_pool_bytes, gpu_memory_pool_bytes;
    uint64_t max_memory_per_instance_bytes;
    uint64_t gpu_batch_count;
    uint64_t compression_threshold_bytes;
    uint64_t async_write_buffer_count;
    int8_t access_pattern_learning, auto_migration; /* -1: not said */
    uint64_t hot_to_warm_count, warm_to_cold_count;
    int64_t hot_to_warm_window_ms, warm_to_cold_window_ms;
    int64_t cold_to_archive_age_ms;
};

struct descriptor_product {
    const char *name;
    uint32_t field_count;
    struct descriptor_field *fields;
    uint32_t key_count;
    const uint8_t *key_fields; /* field numbers, in key order */
    uint64_t hot;              /* mask: read without the disk */
    int64_t ttl_ms;
    uint64_t max_memory_bytes;
    uint8_t priority, access;
    const struct descriptor_strategy *strategy; /* or NULL */
    uint64_t fingerprint;                       /* of its structure */
    /* Layout. */
    uint64_t all;
    uint32_t record_bytes, have_offset, key_bytes;
};

struct descriptor {
    const char *name; /* the schema file's stem */
    uint64_t fingerprint;
    uint32_t type_count;
    struct descriptor_type *const *types;
    uint32_t strategy_count;
    struct descriptor_strategy *strategies;
    uint32_t product_count;
    struct descriptor_product *products;
    void *memory; /* private: what descriptor_destroy() frees */
};

/* ---- encoding (descriptor.c) ---- */

/** Fill in `fingerprint` of types, products and the whole: a hash over names,
 *  types, keys, indexes, homes, lifetimes and defaults. Priorities, hints and
 *  strategies are no structure. DESCRIPTOR_ENOMEM, DESCRIPTOR_ELIMIT. */
int descriptor_fingerprint(struct descriptor *descriptor);

/** The bytes of a .wsd file, to be freed by free(). The layout members are
 *  not read; the fingerprint is. DESCRIPTOR_ENOMEM, DESCRIPTOR_ELIMIT. */
int descriptor_encode(const struct descriptor *descriptor, uint8_t **bytes,
                      size_t *size);

/* ---- decoding (descriptor_decode.c, descriptor_layout.c) ---- */

/** Where a decoder gave up, and why; the text is static. */
struct descriptor_fault {
    size_t offset;
    const char *what;
};

/** Checks every byte; takes nothing from `bytes` by reference. Fills in the
 *  layout. `fault` may be NULL. */
int descriptor_decode(const uint8_t *bytes, size_t size,
                      struct descriptor **out, struct descriptor_fault *fault);
/** Frees what descriptor_decode() made and nulls the handle. */
void descriptor_destroy(struct descriptor **descriptor);

/** Work out sizes and offsets of the C forms (64-bit) from the types; false
 *  when one is larger than DESCRIPTOR_C_BYTES_MAX. Types are in order. */
bool descriptor_layout(struct descriptor *descriptor);

/** Is the value one of that type? */
bool descriptor_value_fits(const struct descriptor_value *value,
                           const struct descriptor_type *type);

/** CRC-32C, four bits at a time: descriptors are small and read once. */
uint32_t descriptor_crc(uint32_t crc, const uint8_t *bytes, size_t size);

/* ---- comparing (descriptor_compare.c) ---- */

/** What a change means for data that exists; greater is worse. */
enum descriptor_class {
    DESCRIPTOR_FREE,
    DESCRIPTOR_LAZY,            /* rewritten in the background */
    DESCRIPTOR_SOURCE_BREAKING, /* data is kept; programs must change */
    DESCRIPTOR_DATA_LOSS        /* refused unless allowed by name */
};

struct descriptor_change {
    enum descriptor_class class;
    /* By the names that the old schema uses; a new field by its own. */
    const char *product;
    const char *field; /* NULL: the product itself */
    const char *text;  /* "removed"; no full stop; valid during the call */
    const char *help;  /* a remedy, or NULL */
    int32_t old_product, old_field, new_product, new_field; /* or -1 */
};

/** Calls `each` for every difference, products and fields in the order of the
 *  new schema, what was removed last. Gives the worst class, DESCRIPTOR_FREE
 *  when there is nothing. `each` may be NULL. */
enum descriptor_class descriptor_compare(
    const struct descriptor *old, const struct descriptor *new,
    void (*each)(void *arg, const struct descriptor_change *change), void *arg);

/** Name the first field whose structure differs, as "Entity.gold: type i64,
 *  was u64"; false and "" when the structures are the same. */
bool descriptor_first_difference(const struct descriptor *old,
                                 const struct descriptor *new, char *text,
                                 size_t text_bytes);

/** The field of `old` that holds the data of field `name` of the new schema
 *  (by name, else by `was`), or -1. */
int32_t descriptor_match_field(const struct descriptor_product *old,
                               const struct descriptor_product *new,
                               uint32_t new_field);

#endif
