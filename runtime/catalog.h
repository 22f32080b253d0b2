/* catalog.h: the numbers that products and fields have in a store.
 *
 * A product or field gets its number at its first appearance and keeps it for
 * ever; keys of rows, values, indexes and series, and the hash of a record's
 * key are made of them. A new store's numbers are the places in its schema.
 *
 * ENTRY "schema" of SSD_META (little-endian; absent: version 1, numbers are
 * places): u32 schema version; u32 products in the schema; u32 the next
 * product's number; for each product: u16 number, u8 the next field's number,
 * u8 fields, a u8 number for each field. The entry "before" is the one of an
 * earlier version, of which rows may still be there (row_past.h). */
#ifndef WARP_CATALOG_H
#define WARP_CATALOG_H

#include <stdint.h>

#include "layout.h"
#include "ssd.h"

enum { CATALOG_FIELD_MAX = 254, CATALOG_PRODUCT_MAX = 65535 };

struct catalog_product {
    uint16_t id;
    uint8_t next_field, field_count;
    uint8_t fields[56];
};

struct catalog {
    uint32_t version, product_count, next_product;
    struct catalog_product *products; /* in the schema's order */
};

enum catalog_entry { CATALOG_NOW, CATALOG_BEFORE };

/* An entry; when it is absent products is NULL, version 1 of CATALOG_NOW, 0 of
 * CATALOG_BEFORE. */
int catalog_read(struct ssd *ssd, enum catalog_entry entry,
                 struct catalog *catalog);
/* Where nothing was read, the places in the schema. WARP_ECORRUPT when it does
 * not fit the schema of its version. */
int catalog_complete(struct catalog *catalog, const struct warp_schema *s);
int catalog_write(struct ssd_txn *txn, enum catalog_entry entry,
                  const struct catalog *catalog);
/* No row of the version before is left. */
int catalog_drop_before(struct ssd_txn *txn);
void catalog_number(const struct catalog *catalog, struct layout *layout);
/* Numbers for the layouts of a whole schema, in its order, of a store that is
 * not open: what an entry says, else the places. */
int catalog_number_all(struct ssd *ssd, struct layout *const *layouts,
                       uint32_t count);
/* The layout of a product's number in the store, or NULL. */
struct layout *catalog_find(struct layout *const *layouts, uint32_t count,
                            uint32_t id);
void catalog_free(struct catalog *catalog);

#endif
