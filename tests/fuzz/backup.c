/* backup: a backup whose files were changed: `warp verify` of it, and `warp
 * restore`: to its end, to a position, to a time; what comes of it is read. */
#include "error.h"
#include "fuzz.h"
#include "sample.h"
#include "tool.h"

static struct fuzz_files *files;
static const char *target, *changed, *restored;

static void make(const char *dir)
{
    struct warp_db *db = NULL;
    int rc = sample_open(dir, &db);
    if (rc == WARP_OK)
        rc = sample_fill(db, 0, 9);
    if (rc == WARP_OK)
        rc = warp_backup(db, target);
    if (rc == WARP_OK)
        rc = sample_fill(db, 5, 12);
    if (rc == WARP_OK) /* again: incremental */
        rc = warp_backup(db, target);
    fuzz_need(rc == WARP_OK, error_text());
}

static void restore(const char *limit)
{
    struct tool tool = {.name = "fuzz",
                        .synopsis = "",
                        .args = {changed, restored},
                        .arg_count = 2,
                        .to = limit,
                        .program = "fuzz"};
    fuzz_empty(restored);
    if (tool_restore(&tool) == TOOL_CLEAN)
        sample_read(restored);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    target = fuzz_dir("backup");
    fuzz_killed(make, fuzz_dir("made"));
    files = fuzz_files_load(target);
    changed = fuzz_dir("changed");
    restored = fuzz_dir("restored");
    fuzz_quiet();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tool tool = {.name = "fuzz",
                        .synopsis = "",
                        .args = {changed},
                        .arg_count = 1,
                        .program = "fuzz"};
    fuzz_files_write(files, data, size, changed);
    tool_verify(&tool);
    restore(NULL);
    restore(size % 2 ? "3" : "2026-09-21T13:46:40Z");
    return 0;
}
