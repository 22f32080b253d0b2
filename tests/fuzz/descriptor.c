/* descriptor: the bytes of a .wsd file, its length and checksum made right ->
 * descriptor, tables, comparison with another schema. */
#include "fuzz.h"

#include "../../grammar/descriptor.h"
#include "schema_load.h"

#include "fuzz.warp.h"

#include <stdlib.h>
#include <string.h>

static void put32(uint8_t *to, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(n >> (8 * i));
}

static void seal(uint8_t *bytes, size_t size)
{
    memcpy(bytes, "warp.wsd", 8);
    put32(bytes + 12, (uint32_t)(size - DESCRIPTOR_HEADER_BYTES));
    put32(bytes + 24, descriptor_crc(descriptor_crc(0, bytes, 24),
                                     bytes + DESCRIPTOR_HEADER_BYTES,
                                     size - DESCRIPTOR_HEADER_BYTES));
}

static void count(void *arg, const struct descriptor_change *change)
{
    *(size_t *)arg += strlen(change->text) +
                      (change->help ? strlen(change->help) : 0) +
                      (change->field ? strlen(change->field) : 0);
}

static void compare(const struct descriptor *a, const struct descriptor *b)
{
    char text[300];
    size_t sum = 0;
    descriptor_compare(a, b, count, &sum);
    descriptor_first_difference(a, b, text, sizeof text);
    if (a == b && (sum != 0 || text[0] != 0))
        abort(); /* a schema is no change of itself */
}

/* What was read is written as the same descriptor. */
static void again(const struct descriptor *d)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct descriptor *back = NULL;
    if (descriptor_encode(d, &bytes, &size) != DESCRIPTOR_OK)
        return;
    if (descriptor_decode(bytes, size, &back, NULL) != DESCRIPTOR_OK ||
        back->product_count != d->product_count)
        abort();
    descriptor_destroy(&back);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct descriptor *mine;
    struct descriptor *theirs = NULL;
    struct warp_schema *schema = NULL;
    if (mine == NULL)
        fuzz_need(descriptor_decode(fuzz_warp_schema.descriptor,
                                    fuzz_warp_schema.descriptor_bytes, &mine,
                                    NULL) == DESCRIPTOR_OK,
                  "its own descriptor");
    if (size < DESCRIPTOR_HEADER_BYTES)
        return 0;
    uint8_t *bytes = malloc(size);
    fuzz_need(bytes != NULL, "memory");
    memcpy(bytes, data, size);
    seal(bytes, size);
    if (descriptor_decode(bytes, size, &theirs, NULL) == DESCRIPTOR_OK) {
        compare(mine, theirs);
        compare(theirs, mine);
        compare(theirs, theirs);
        again(theirs);
        descriptor_destroy(&theirs);
    }
    if (schema_load(bytes, size, &schema, NULL) == WARP_OK)
        schema_free(&schema);
    free(bytes);
    return 0;
}
