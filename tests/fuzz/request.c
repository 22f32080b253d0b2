/* request: what a client of the owner's socket may send, to an open store. Not
 * a backup, which writes wherever its target says. */
#include "request.h"
#include "error.h"
#include "fuzz.h"
#include "sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct warp_db *db;
    static const struct progress silent;
    struct text reply = TEXT_INIT;
    if (db == NULL) {
        fuzz_need(sample_open(fuzz_dir("request"), &db) == WARP_OK &&
                      sample_fill(db, 0, 12) == WARP_OK &&
                      warp_checkpoint(db) == WARP_OK &&
                      sample_fill(db, 9, 15) == WARP_OK,
                  error_text());
    }
    if (size >= 4 && data[2] == REQUEST_BACKUP)
        return 0;
    request_run(db, data, size, &silent, &reply);
    text_free(&reply);
    return 0;
}
