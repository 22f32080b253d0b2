/* json: a JSON or NDJSON text (the first byte says which, and the product)
 * into an open store, as `warp import` does. */
#include "fuzz.h"
#include "import.h"
#include "sample.h"

#include "fuzz.warp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct warp_db *db;
    if (db == NULL)
        fuzz_need(sample_open(fuzz_dir("json"), &db) == WARP_OK, "open");
    if (size == 0)
        return 0;
    struct import_text text = {"fuzz", (const char *)data + 1, size - 1, NULL,
                               0};
    int rc = import_records(db, fuzz_warp_schema.products[data[0] >> 1 & 1],
                            data[0] & 1 ? IMPORT_JSON : IMPORT_NDJSON, &text);
    /* A text without a record, or the store's own answer. */
    (void)rc;
    return 0;
}
