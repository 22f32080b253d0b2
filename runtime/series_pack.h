/* series_pack.h: elements of a series as columns, and back.
 *
 * Times, orders and each scalar inside the element's type become a column of
 * their own (series_number.h); text becomes lengths and bytes, or numbers into
 * a list of the distinct texts. What the type does not tell apart (map(), types
 * with very many parts) stays as bytes. */
#ifndef WARP_SERIES_PACK_H
#define WARP_SERIES_PACK_H

#include "text.h"

#include <warp/gen.h>

enum { SERIES_COUNT_MAX = 4096 }; /* elements in one chunk */

/* One element: its wire bytes belong to somebody else. */
struct series_item {
    int64_t at;
    uint64_t order;
    const uint8_t *data;
    uint32_t bytes;
};

/* Scratch memory of one thread. */
struct series_pack;
int series_pack_create(struct series_pack **pack);
void series_pack_destroy(struct series_pack **pack);

/* Appends to `to`. orders: they are kept, else an element gets the number of
 * those before it with the same time (counted from the order of the first
 * element, which the caller keeps). level: enum warp_compression for text.
 * WARP_ENOMEM; WARP_ECORRUPT: an element is not one of the type. */
int series_pack_items(struct series_pack *pack, const struct warp_type *type,
                      const struct series_item *items, uint32_t count,
                      bool orders, int level, struct text *to);
/* The items and their bytes belong to the pack and last until its next use.
 * WARP_ECORRUPT without a text. raw_bytes: of all elements together. */
int series_unpack_items(struct series_pack *pack, const struct warp_type *type,
                        const uint8_t *from, size_t bytes, uint32_t count,
                        bool orders, uint64_t first_order,
                        uint32_t raw_bytes, struct series_item **items);

#endif
