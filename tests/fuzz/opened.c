/* opened: a store whose files were changed: `warp verify` and all that reads,
 * then a program that opens it, writes, makes a checkpoint and closes, then
 * `warp repair`. Every call may fail; none may crash or hang. */
#include "fuzz.h"
#include "sample.h"
#include "tool.h"

#include "fuzz.warp.h"

static struct fuzz_files *files;
static const char *dir, *repaired;

static void use(void)
{
    struct warp_db *db = NULL;
    if (sample_open(dir, &db) != WARP_OK)
        return;
    int rc = sample_fill(db, 3, 20);
    rc = warp_checkpoint(db) == WARP_OK ? rc : WARP_ECORRUPT;
    if (rc == WARP_OK)
        rc = fuzz_thing_delete(db, 3);
    rc = warp_close(&db) == WARP_OK ? rc : WARP_ECORRUPT;
    if (rc == WARP_OK)
        sample_read(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    const char *made = fuzz_dir("made");
    sample_make(made);
    files = fuzz_files_load(made);
    dir = fuzz_dir("store");
    repaired = fuzz_dir("repaired");
    fuzz_quiet();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tool tool = {.name = "fuzz",
                        .synopsis = "",
                        .args = {dir, repaired},
                        .arg_count = 2,
                        .program = "fuzz"};
    fuzz_files_write(files, data, size, dir);
    sample_read(dir);
    fuzz_empty(repaired);
    tool_repair(&tool);
    use();
    return 0;
}
