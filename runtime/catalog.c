/* catalog.c: numbers of products and fields, read and written; the format is in
 * catalog.h. Who gets which number is decided in evolve.c. */
#include "catalog.h"

#include "error.h"
#include "wire.h"

#include <stdlib.h>

static const struct ssd_slice names[] = {{"schema", 6}, {"before", 6}};

static int damaged(void)
{
    return error_set(WARP_ECORRUPT, "the store's entry of its schema version "
                                    "is damaged");
}

static int decode_product(struct catalog_product *p, const uint8_t **at,
                          const uint8_t *end)
{
    if (end - *at < 4)
        return damaged();
    p->id = wire_get16(*at);
    p->next_field = (*at)[2];
    p->field_count = (*at)[3];
    *at += 4;
    if (p->field_count > sizeof p->fields || end - *at < p->field_count)
        return damaged();
    memcpy(p->fields, *at, p->field_count);
    *at += p->field_count;
    for (uint32_t i = 0; i < p->field_count; i++)
        if (p->fields[i] >= p->next_field)
            return damaged();
    return WARP_OK;
}

static int decode(void *arg, struct ssd_slice value)
{
    struct catalog *c = arg;
    const uint8_t *at = value.data, *end = at + value.bytes;
    if (value.bytes < 12)
        return damaged();
    c->version = wire_get32(at);
    c->product_count = wire_get32(at + 4);
    c->next_product = wire_get32(at + 8);
    at += 12;
    if (c->version == 0 || c->product_count > value.bytes / 4)
        return damaged();
    c->products = calloc(c->product_count + 1u, sizeof *c->products);
    if (!c->products)
        return error_set(WARP_ENOMEM, "out of memory for the schema");
    for (uint32_t i = 0; i < c->product_count; i++) {
        int rc = decode_product(&c->products[i], &at, end);
        if (rc != WARP_OK)
            return rc;
        if (c->products[i].id >= c->next_product)
            return damaged();
    }
    return at == end ? WARP_OK : damaged();
}

int catalog_read(struct ssd *ssd, enum catalog_entry entry, struct catalog *c)
{
    memset(c, 0, sizeof *c);
    c->version = entry == CATALOG_NOW;
    int rc = ssd_get(ssd, SSD_META, names[entry], decode, c);
    if (rc == WARP_ENOTFOUND)
        return WARP_OK;
    if (rc != WARP_OK)
        catalog_free(c);
    return rc;
}

int catalog_complete(struct catalog *c, const struct warp_schema *s)
{
    bool fits = c->product_count == s->product_count;
    if (c->products) {
        for (uint32_t i = 0; fits && i < s->product_count; i++)
            fits = c->products[i].field_count == s->products[i]->field_count;
        return fits ? WARP_OK : damaged();
    }
    c->products = calloc(s->product_count + 1u, sizeof *c->products);
    if (!c->products)
        return error_set(WARP_ENOMEM, "out of memory for the schema");
    c->product_count = c->next_product = s->product_count;
    for (uint32_t i = 0; i < s->product_count; i++) {
        struct catalog_product *p = &c->products[i];
        p->id = (uint16_t)i;
        p->next_field = p->field_count = (uint8_t)s->products[i]->field_count;
        for (uint32_t f = 0; f < p->field_count && f < 56; f++)
            p->fields[f] = (uint8_t)f;
    }
    return WARP_OK;
}

int catalog_write(struct ssd_txn *txn, enum catalog_entry entry,
                  const struct catalog *c)
{
    size_t bytes = 12 + (size_t)c->product_count * (4 + 56);
    uint8_t *room = malloc(bytes), *at = room;
    if (!room)
        return error_set(WARP_ENOMEM, "out of memory for the schema");
    at = wire_put32(at, c->version);
    at = wire_put32(at, c->product_count);
    at = wire_put32(at, c->next_product);
    for (uint32_t i = 0; i < c->product_count; i++) {
        const struct catalog_product *p = &c->products[i];
        at = wire_put16(at, p->id);
        *at++ = p->next_field;
        *at++ = p->field_count;
        memcpy(at, p->fields, p->field_count);
        at += p->field_count;
    }
    struct ssd_slice value = {room, (size_t)(at - room)};
    int rc = ssd_put(txn, SSD_META, names[entry], value);
    free(room);
    return rc;
}

int catalog_drop_before(struct ssd_txn *txn)
{
    return ssd_del(txn, SSD_META, names[CATALOG_BEFORE]);
}

void catalog_number(const struct catalog *c, struct layout *l)
{
    const struct catalog_product *p = &c->products[l->number];
    l->id = p->id;
    for (uint32_t i = 0; i < p->field_count; i++)
        l->fields[i].id = p->fields[i];
}

int catalog_number_all(struct ssd *ssd, struct layout *const *layouts,
                       uint32_t count)
{
    struct catalog c;
    int rc = catalog_read(ssd, CATALOG_NOW, &c);
    bool fits = rc == WARP_OK && (!c.products || c.product_count == count);
    for (uint32_t i = 0; fits && c.products && i < count; i++)
        fits = c.products[i].field_count == layouts[i]->desc->field_count;
    if (rc == WARP_OK && !fits)
        rc = damaged();
    for (uint32_t i = 0; rc == WARP_OK && c.products && i < count; i++)
        catalog_number(&c, layouts[i]);
    catalog_free(&c);
    return rc;
}

struct layout *catalog_find(struct layout *const *layouts, uint32_t count,
                            uint32_t id)
{
    if (id < count && layouts[id]->id == id)
        return layouts[id];
    for (uint32_t i = 0; i < count; i++)
        if (layouts[i]->id == id)
            return layouts[i];
    return NULL;
}

void catalog_free(struct catalog *c)
{
    free(c->products);
    c->products = NULL;
}
