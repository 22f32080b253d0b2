/* series: an entry of a series in the ssd directory: its header, then columns
 * -> elements, of one of several types. What unpacks packs again to the same
 * elements. The first byte says type and orders. */
#include "fuzz.h"

#include "series_chunk.h"
#include "series_pack.h"

#include "fuzz.warp.h"

#include <stdlib.h>
#include <string.h>

static const struct warp_type *type_of(unsigned n)
{
    const struct warp_product *p = fuzz_warp_schema.products[0];
    const struct warp_type *type;
    do
        type = p->fields[n++ % p->field_count].type;
    while (type == NULL);
    return type;
}

static bool same(const struct series_item *a, const struct series_item *b,
                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a[i].at != b[i].at || a[i].order != b[i].order ||
            a[i].bytes != b[i].bytes ||
            memcmp(a[i].data, b[i].data, a[i].bytes) != 0)
            return false;
    return true;
}

static void unpack(const struct warp_type *type, const struct chunk *chunk)
{
    static struct series_pack *pack, *other;
    struct series_item *items, *again;
    bool orders = (chunk->flags & CHUNK_ORDERS) != 0;
    struct text to = TEXT_INIT;
    if (pack == NULL)
        fuzz_need(series_pack_create(&pack) == WARP_OK &&
                      series_pack_create(&other) == WARP_OK,
                  "memory");
    if (series_unpack_items(pack, type, chunk->packed, chunk->packed_bytes,
                            chunk->count, orders, chunk->first_order,
                            chunk->raw_bytes, &items) != WARP_OK)
        return;
    /* Elements that are none of the type may be refused here. */
    if (series_pack_items(other, type, items, chunk->count, true,
                          WARP_COMPRESS_NONE, &to) == WARP_OK) {
        if (series_unpack_items(other, type, (const uint8_t *)to.data, to.used,
                                chunk->count, true, chunk->first_order,
                                chunk->raw_bytes, &again) != WARP_OK ||
            !same(items, again, chunk->count))
            abort();
    }
    text_free(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* product, field, stream, an ended record key, an element */
    static const uint8_t key[] = {0, 0, 24, 0, 7, 0, 0, 0x80, 0, 0, 0, 0,
                                  0, 0, 1,  0, 0, 0, 0, 0,    0, 0, 5};
    struct chunk chunk;
    if (size < 2)
        return 0;
    struct ssd_slice name = {key, sizeof key}, value = {data + 1, size - 1};
    if (chunk_decode(name, value, &chunk) == WARP_OK &&
        chunk.where == CHUNK_HERE)
        unpack(type_of(data[0]), &chunk);
    return 0;
}
