/* codec_order.c: the order of map keys, and a map's entries in that order.
 *
 * A key type is added by a case in type_orders and type_compare. Nothing here
 * reads unchecked wire bytes. */
#include "codec_type.h"

#include <stdlib.h>

bool type_orders(const struct warp_type *type)
{
    switch (type->kind) {
    case WARP_T_ARRAY:
    case WARP_T_LIST:
    case WARP_T_MAP:
    case WARP_T_VALUE_MAP:
    case WARP_T_STRUCT:
    case WARP_T_SUM:
        return false;
    default:
        return true;
    }
}

bool type_is_nan(const struct warp_type *type, const void *key)
{
    if (type->kind == WARP_T_F32) {
        float f;
        memcpy(&f, key, sizeof f);
        return f != f;
    }
    if (type->kind == WARP_T_F64) {
        double d;
        memcpy(&d, key, sizeof d);
        return d != d;
    }
    return false;
}

static int compare_bytes(const void *a, size_t a_bytes, const void *b,
                         size_t b_bytes)
{
    size_t both = a_bytes < b_bytes ? a_bytes : b_bytes;
    int order = both ? memcmp(a, b, both) : 0;
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_text(const void *a, const void *b)
{
    struct warp_str x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return compare_bytes(x.data, x.len, y.data, y.len);
}

#define COMPARE(c_type)                                                        \
    do {                                                                       \
        c_type x, y;                                                           \
        memcpy(&x, a, sizeof x);                                               \
        memcpy(&y, b, sizeof y);                                               \
        return (x > y) - (x < y);                                              \
    } while (0)

int type_compare(const struct warp_type *type, const void *a, const void *b)
{
    if (!type)
        return compare_text(a, b);
    switch (type->kind) {
    case WARP_T_BOOL:
    case WARP_T_U8:
        COMPARE(uint8_t);
    case WARP_T_U16:
        COMPARE(uint16_t);
    case WARP_T_U32:
        COMPARE(uint32_t);
    case WARP_T_U64:
        COMPARE(uint64_t);
    case WARP_T_I8:
        COMPARE(int8_t);
    case WARP_T_I16:
        COMPARE(int16_t);
    case WARP_T_I32:
        COMPARE(int32_t);
    case WARP_T_I64:
    case WARP_T_TIMESTAMP:
    case WARP_T_DURATION:
        COMPARE(int64_t);
    case WARP_T_F32:
        COMPARE(float);
    case WARP_T_F64:
        COMPARE(double);
    case WARP_T_ENUM: {
        int64_t x = type_enum_load(type, a), y = type_enum_load(type, b);
        return (x > y) - (x < y);
    }
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        return memcmp(a, b, type->size);
    default:
        return compare_text(a, b);
    }
}

const void *type_key_from_wire(const struct warp_type *type,
                               const uint8_t *from, size_t bytes,
                               union type_key *scratch)
{
    if (!type || type_is_text(type)) {
        /* behind its length */
        scratch->text.data = (const char *)from + sizeof(uint32_t);
        scratch->text.len = (uint32_t)(bytes - sizeof(uint32_t));
        return scratch;
    }
    if (type->kind != WARP_T_ENUM)
        return from;
    type_enum_store(type, type_enum_from_wire(type, from), &scratch->value);
    return scratch;
}

static const uint8_t *key_of(const struct type_order *order, uint32_t number)
{
    return order->entries + (size_t)number * order->stride_bytes +
           order->key_offset;
}

static int compare_numbers(const void *a, const void *b, void *arg)
{
    const struct type_order *order = arg;
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return type_compare(order->key, key_of(order, x), key_of(order, y));
}

void type_order_init(struct type_order *order, const struct warp_type *map,
                     const struct warp_list *list)
{
    order->key = map ? map->elem->members[0].type : NULL;
    order->key_offset = map ? map->elem->members[0].offset
                            : (uint32_t)offsetof(struct warp_entry, key);
    order->stride_bytes = map ? map->elem->size : sizeof(struct warp_entry);
    order->entries = list->data;
    order->count = list->count;
    order->at = 0;
    order->numbers = NULL;
    order->searched = false;
    order->last = NULL;
    bool ascending = true;
    for (uint32_t i = 1; ascending && i < order->count; i++)
        ascending = type_compare(order->key, key_of(order, i - 1),
                                 key_of(order, i)) < 0;
    if (ascending)
        return;
    order->numbers = order->few;
    if (order->count > sizeof order->few / sizeof *order->few)
        order->numbers = malloc(order->count * sizeof *order->numbers);
    if (!order->numbers) {
        order->searched = true;
        return;
    }
    for (uint32_t i = 0; i < order->count; i++)
        order->numbers[i] = i;
    qsort_r(order->numbers, order->count, sizeof *order->numbers,
            compare_numbers, order);
}

/* The entry with the least key above the last one. */
static const uint8_t *search(struct type_order *order)
{
    const uint8_t *best = NULL;
    for (uint32_t i = 0; i < order->count; i++) {
        const uint8_t *key = key_of(order, i);
        if (order->last && type_compare(order->key, key, order->last) <= 0)
            continue;
        if (!best || type_compare(order->key, key, best) < 0)
            best = key;
    }
    order->last = best;
    return best;
}

const void *type_order_next(struct type_order *order)
{
    if (order->at == order->count)
        return NULL;
    if (order->searched) {
        const uint8_t *key = search(order);
        order->at++;
        return key ? key - order->key_offset : NULL;
    }
    uint32_t number = order->numbers ? order->numbers[order->at] : order->at;
    order->at++;
    return order->entries + (size_t)number * order->stride_bytes;
}

bool type_order_has_equal(const struct type_order *order)
{
    if (!order->numbers && !order->searched)
        return false; /* strictly ascending */
    for (uint32_t i = 1; i < order->count; i++) {
        if (!order->searched) {
            if (!compare_numbers(&order->numbers[i - 1], &order->numbers[i],
                                 (void *)(uintptr_t)order))
                return true;
            continue;
        }
        for (uint32_t j = 0; j < i; j++)
            if (!type_compare(order->key, key_of(order, i), key_of(order, j)))
                return true;
    }
    return false;
}

void type_order_fini(struct type_order *order)
{
    if (order->numbers != order->few)
        free(order->numbers);
    order->numbers = NULL;
}
