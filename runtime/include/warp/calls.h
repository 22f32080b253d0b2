/* calls.h: what the lines of a generated header declare.
 *
 * warpc writes a product's struct and masks, and one line for each of its
 * fields that has calls:
 *
 *     #define WARP_GEN_P game_entity, uint64_t
 *     WARP_GEN_RECORD()
 *     WARP_GEN_INTEGER(4, gold, int64_t)
 *     #undef WARP_GEN_P
 *
 * WARP_GEN_P is P, the product's prefix, and K, the C type of its key. Below
 * stands what a line declares. In the generated .c file, which includes its
 * header with another WARP_GEN_CALL_, the same lines define the calls.
 *
 * Of all calls
 *  Ownership   values are copied before return; what a get finds is the
 *              caller's, strings and lists live in the arena (NULL is allowed
 *              where none is asked for).
 *  Durability  WARP_OK: what was written survives what the strongest field
 *              written promises. A call named _in takes part in its batch.
 *  Threads     any; an iterator and an arena belong to one thread at a time.
 *  Cost        fields that are not HOT may read the disk.
 *  Errors      0, a positive state or a negative error: see <warp/warp.h>. */
#ifndef WARP_CALLS_H
#define WARP_CALLS_H
#pragma GCC system_header

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct warp_product;

/** The mask of one field. */
#define WARP_BIT(n) (UINT64_C(1) << (n))

/* A call in a header, and in the .c file that defines it. */
#define WARP_GEN_DECLARE_(head, value) head;
#define WARP_GEN_DEFINE_(head, value) \
    head;                             \
    head                              \
    {                                 \
        return value;                 \
    }
/* A line -> its list of calls, with P and K put in front. */
#define WARP_GEN_LINE_(list, ...) list(__VA_ARGS__)

/** Of each product. put, and set and add below, create the record if it is not
 *  there and leave other fields alone; get, touch, expire and delete of a key
 *  that is not there: WARP_ENOTFOUND. A range of NULL is all. expect: version 0
 *  says that there is no such record; else WARP_ECONFLICT at commit. */
#define WARP_GEN_RECORD() WARP_GEN_LINE_(WARP_GEN_RECORD_, WARP_GEN_P)
#define WARP_GEN_RECORD_(P, K)                                                \
    struct P##_range {                                                        \
        K from, to; /* half-open */                                           \
        struct warp_str prefix; /* of string and bytes keys */                \
        bool has_from, has_to, has_prefix, reverse;                           \
    };                                                                        \
    extern const struct warp_product P##_warp_product;                        \
    WARP_GEN_CALL_(int P##_put(struct warp_db *db,                            \
                       const struct P *record, uint64_t fields),              \
                   warp_gen_put(db, &P##_warp_product, record, fields))       \
    WARP_GEN_CALL_(int P##_get(struct warp_db *db, K key,                     \
                       uint64_t fields, struct P *out,                        \
                       struct warp_arena *arena),                             \
                   warp_gen_get(db, &P##_warp_product, &key, fields, out,     \
                       arena))                                                \
    WARP_GEN_CALL_(int P##_delete(struct warp_db *db, K key),                 \
                   warp_gen_delete(db, &P##_warp_product, &key))              \
    WARP_GEN_CALL_(int P##_touch(struct warp_db *db, K key,                   \
                       uint64_t fields),                                      \
                   warp_gen_touch(db, &P##_warp_product, &key, fields))       \
    WARP_GEN_CALL_(int P##_expire(struct warp_db *db, K key,                  \
                       uint64_t fields, int64_t deadline_ms),                 \
                   warp_gen_expire(db, &P##_warp_product, &key, fields,       \
                       deadline_ms))                                          \
    WARP_GEN_CALL_(int P##_version(struct warp_db *db, K key,                 \
                       uint64_t *version),                                    \
                   warp_gen_version(db, &P##_warp_product, &key, version))    \
    WARP_GEN_CALL_(enum warp_state P##_state(struct warp_db *db, K key,       \
                       uint64_t field),                                       \
                   warp_gen_state(db, &P##_warp_product, &key, field))        \
    WARP_GEN_CALL_(int P##_prefetch(struct warp_db *db, const K *keys,        \
                       size_t count, uint64_t fields),                        \
                   warp_gen_prefetch(db, &P##_warp_product, keys, count,      \
                       fields))                                               \
    WARP_GEN_CALL_(int P##_scan(struct warp_db *db,                           \
                       const struct P##_range *range, uint64_t fields,        \
                       struct warp_iter **iter),                              \
                   WARP_GEN_SCAN_(db, P, range, fields, iter))                \
    WARP_GEN_CALL_(int P##_next(struct warp_iter *iter, struct P *out,        \
                       struct warp_arena *arena),                             \
                   warp_gen_next(iter, &P##_warp_product, out, arena))        \
    WARP_GEN_CALL_(int P##_put_in(struct warp_batch *batch,                   \
                       const struct P *record, uint64_t fields),              \
                   warp_gen_put_in(batch, &P##_warp_product, record, fields)) \
    WARP_GEN_CALL_(int P##_delete_in(struct warp_batch *batch, K key),        \
                   warp_gen_delete_in(batch, &P##_warp_product, &key))        \
    WARP_GEN_CALL_(int P##_touch_in(struct warp_batch *batch, K key,          \
                       uint64_t fields),                                      \
                   warp_gen_touch_in(batch, &P##_warp_product, &key, fields)) \
    WARP_GEN_CALL_(int P##_expire_in(struct warp_batch *batch, K key,         \
                       uint64_t fields, int64_t deadline_ms),                 \
                   warp_gen_expire_in(batch, &P##_warp_product, &key, fields, \
                       deadline_ms))                                          \
    WARP_GEN_CALL_(int P##_expect_in(struct warp_batch *batch, K key,         \
                       uint64_t version),                                     \
                   warp_gen_expect_in(batch, &P##_warp_product, &key,         \
                       version))

/** Of a product whose records may belong together; see warp_quantum_get(). */
#define WARP_GEN_PARTNERS() WARP_GEN_LINE_(WARP_GEN_PARTNERS_, WARP_GEN_P)
#define WARP_GEN_PARTNERS_(P, K)                                              \
    WARP_GEN_CALL_(int P##_get_with_partners(struct warp_db *db, K key,       \
                       uint64_t fields, struct P *out,                        \
                       struct warp_partners *partners,                        \
                       struct warp_arena *arena),                             \
                   warp_quantum_get(db, &P##_warp_product, &key, fields, out, \
                       partners, arena))

/* Lines of fields: i is the field's number, f its name, T the C type of its
 * value (of a series: of an element). Those of deprecated fields say so. */

/** A field that is set. */
#define WARP_GEN_SET(i, f, T)                                                 \
    WARP_GEN_LINE_(WARP_GEN_SET_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_SET(i, f, T)                                      \
    WARP_GEN_LINE_(WARP_GEN_SET_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_SET_(P, K, A, i, f, T)                                       \
    WARP_GEN_CALL_(A int P##_set_##f(struct warp_db *db, K key, T value),     \
                   warp_gen_set(db, &P##_warp_product, &key, i, &value))      \
    WARP_GEN_CALL_(A int P##_set_##f##_in(struct warp_batch *batch,           \
                       K key, T value),                                       \
                   warp_gen_set_in(batch, &P##_warp_product, &key, i,         \
                       &value))

/** An integer: set, or added to, atomically; now may be NULL. Overflow:
 *  WARP_ERANGE, nothing is written. */
#define WARP_GEN_INTEGER(i, f, T)                                             \
    WARP_GEN_LINE_(WARP_GEN_INTEGER_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_INTEGER(i, f, T)                                  \
    WARP_GEN_LINE_(WARP_GEN_INTEGER_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_INTEGER_(P, K, A, i, f, T)                                   \
    WARP_GEN_SET_(P, K, A, i, f, T)                                           \
    WARP_GEN_CALL_(A int P##_add_##f(struct warp_db *db, K key,               \
                       int64_t delta, T *now),                                \
                   warp_gen_add(db, &P##_warp_product, &key, i, &delta, now)) \
    WARP_GEN_CALL_(A int P##_add_##f##_in(struct warp_batch *batch,           \
                       K key, int64_t delta),                                 \
                   warp_gen_add_in(batch, &P##_warp_product, &key, i,         \
                       &delta))

/** A float, likewise. */
#define WARP_GEN_REAL(i, f, T)                                                \
    WARP_GEN_LINE_(WARP_GEN_REAL_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_REAL(i, f, T)                                     \
    WARP_GEN_LINE_(WARP_GEN_REAL_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_REAL_(P, K, A, i, f, T)                                      \
    WARP_GEN_SET_(P, K, A, i, f, T)                                           \
    WARP_GEN_CALL_(A int P##_add_##f(struct warp_db *db, K key, T delta,      \
                       T *now),                                               \
                   warp_gen_add(db, &P##_warp_product, &key, i, &delta, now)) \
    WARP_GEN_CALL_(A int P##_add_##f##_in(struct warp_batch *batch,           \
                       K key, T delta),                                       \
                   warp_gen_add_in(batch, &P##_warp_product, &key, i,         \
                       &delta))

/** Records by the value of an indexed field: those in which it was written. A
 *  record that only reads its `default:` is not found. */
#define WARP_GEN_INDEX(i, f, T)                                               \
    WARP_GEN_LINE_(WARP_GEN_INDEX_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_INDEX(i, f, T)                                    \
    WARP_GEN_LINE_(WARP_GEN_INDEX_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_INDEX_(P, K, A, i, f, T)                                     \
    WARP_GEN_CALL_(A int P##_by_##f(struct warp_db *db, T value,              \
                       uint64_t fields, struct warp_iter **iter),             \
                   warp_gen_by(db, &P##_warp_product, i, &value, fields,      \
                       iter))

/** Also the one record that has it. */
#define WARP_GEN_UNIQUE(i, f, T)                                              \
    WARP_GEN_LINE_(WARP_GEN_UNIQUE_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_UNIQUE(i, f, T)                                   \
    WARP_GEN_LINE_(WARP_GEN_UNIQUE_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_UNIQUE_(P, K, A, i, f, T)                                    \
    WARP_GEN_CALL_(A int P##_by_##f(struct warp_db *db, T value,              \
                       uint64_t fields, struct warp_iter **iter),             \
                   warp_gen_by(db, &P##_warp_product, i, &value, fields,      \
                       iter))                                                 \
    WARP_GEN_CALL_(A int P##_get_by_##f(struct warp_db *db, T value,          \
                       uint64_t fields, struct P *out,                        \
                       struct warp_arena *arena),                             \
                   warp_gen_get_by(db, &P##_warp_product, i, &value, fields,  \
                       out, arena))

/** The array of a shard; warp_column_release() gives it back. */
#define WARP_GEN_COLUMN(i, f)                                                 \
    WARP_GEN_LINE_(WARP_GEN_COLUMN_, WARP_GEN_P, , i, f)
#define WARP_GEN_DEPRECATED_COLUMN(i, f)                                      \
    WARP_GEN_LINE_(WARP_GEN_COLUMN_, WARP_GEN_P, WARP_DEPRECATED, i, f)
#define WARP_GEN_COLUMN_(P, K, A, i, f)                                       \
    WARP_GEN_CALL_(A int P##_##f##_column(struct warp_db *db,                 \
                       uint32_t shard, struct warp_column *column),           \
                   warp_gen_column(db, &P##_warp_product, i, shard, column))

/** A field that kernels compute. */
#define WARP_GEN_KERNEL(i, f, T)                                              \
    WARP_GEN_LINE_(WARP_GEN_KERNEL_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_KERNEL(i, f, T)                                   \
    WARP_GEN_LINE_(WARP_GEN_KERNEL_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_KERNEL_(P, K, A, i, f, T)                                    \
    WARP_GEN_CALL_(A int P##_##f##_peek(struct warp_db *db, K key,            \
                       T *value, enum warp_fresh *fresh),                     \
                   warp_gen_kernel_peek(db, &P##_warp_product, &key, i,       \
                       value, fresh))                                         \
    WARP_GEN_CALL_(A int P##_##f##_request(struct warp_db *db,                \
                       const K *keys, size_t count,                           \
                       struct warp_future **future),                          \
                   warp_gen_kernel_request(db, &P##_warp_product, keys,       \
                       count, i, future))                                     \
    WARP_GEN_CALL_(A int P##_##f##_compute(struct warp_db *db,                \
                       const K *keys, size_t count, T *out,                   \
                       struct warp_run_info *info),                           \
                   warp_gen_kernel_compute(db, &P##_warp_product, keys,       \
                       count, i, out, info))

/** A list of which kernels compute a summary. */
#define WARP_GEN_SUMMARY(i, f)                                                \
    WARP_GEN_LINE_(WARP_GEN_SUMMARY_, WARP_GEN_P, , i, f)
#define WARP_GEN_DEPRECATED_SUMMARY(i, f)                                     \
    WARP_GEN_LINE_(WARP_GEN_SUMMARY_, WARP_GEN_P, WARP_DEPRECATED, i, f)
#define WARP_GEN_SUMMARY_(P, K, A, i, f)                                      \
    WARP_GEN_CALL_(A int P##_##f##_summary(struct warp_db *db, K key,         \
                       struct warp_summary *out),                             \
                   warp_gen_summary(db, &P##_warp_product, &key, i, out))

/** A series; WARP_NOW is the store's clock, [from_ms, to_ms) a range. */
#define WARP_GEN_SERIES(i, f, T)                                              \
    WARP_GEN_LINE_(WARP_GEN_SERIES_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_SERIES(i, f, T)                                   \
    WARP_GEN_LINE_(WARP_GEN_SERIES_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_SERIES_(P, K, A, i, f, T)                                    \
    WARP_GEN_CALL_(A int P##_##f##_append(struct warp_db *db, K key,          \
                       int64_t at_ms, T element),                             \
                   warp_gen_append(db, &P##_warp_product, &key, i, at_ms,     \
                       &element))                                             \
    WARP_GEN_CALL_(A int P##_##f##_append_in(struct warp_batch *batch,        \
                       K key, int64_t at_ms, T element),                      \
                   warp_gen_append_in(batch, &P##_warp_product, &key, i,      \
                       at_ms, &element))                                      \
    WARP_GEN_READ_(P, K, A, i, f, T)

/** A series whose elements carry their time. */
#define WARP_GEN_SERIES_BY(i, f, T)                                           \
    WARP_GEN_LINE_(WARP_GEN_SERIES_BY_, WARP_GEN_P, , i, f, T)
#define WARP_GEN_DEPRECATED_SERIES_BY(i, f, T)                                \
    WARP_GEN_LINE_(WARP_GEN_SERIES_BY_, WARP_GEN_P, WARP_DEPRECATED, i, f, T)
#define WARP_GEN_SERIES_BY_(P, K, A, i, f, T)                                 \
    WARP_GEN_CALL_(A int P##_##f##_append(struct warp_db *db, K key,          \
                       T element),                                            \
                   warp_gen_append(db, &P##_warp_product, &key, i, WARP_NOW,  \
                       &element))                                             \
    WARP_GEN_CALL_(A int P##_##f##_append_in(struct warp_batch *batch,        \
                       K key, T element),                                     \
                   warp_gen_append_in(batch, &P##_warp_product, &key, i,      \
                       WARP_NOW, &element))                                   \
    WARP_GEN_READ_(P, K, A, i, f, T)
#define WARP_GEN_READ_(P, K, A, i, f, T)                                      \
    WARP_GEN_CALL_(A int P##_##f##_range(struct warp_db *db, K key,           \
                       int64_t from_ms, int64_t to_ms,                        \
                       struct warp_iter **iter),                              \
                   warp_gen_range(db, &P##_warp_product, &key, i, from_ms,    \
                       to_ms, iter))                                          \
    WARP_GEN_CALL_(A int P##_##f##_range_with(struct warp_db *db, K key,      \
                       int64_t from_ms, int64_t to_ms, uint64_t flags,        \
                       struct warp_iter **iter),                              \
                   warp_gen_range_with(db, &P##_warp_product, &key, i,        \
                       from_ms, to_ms, flags, iter))                          \
    WARP_GEN_CALL_(A int P##_##f##_next(struct warp_iter *iter,               \
                       int64_t *at_ms, T *element, struct warp_arena *arena), \
                   warp_gen_range_next(iter, &P##_warp_product, i, at_ms,     \
                       element, arena))

#ifdef __cplusplus
}
#endif
#endif
