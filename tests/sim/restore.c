/* restore.c: `warp restore` as it is (runtime/tool), called as a function: in
 * place of the command line and the terminal stands this. */
#include "errand.h"

#include "tool.h"

static int code;

int restore_run(const char *backup, const char *target, const char *to)
{
    struct tool tool = {.name = "restore",
                        .args = {backup, target},
                        .arg_count = 2,
                        .to = to};
    code = WARP_OK;
    (void)tool_restore(&tool);
    return code;
}

int tool_usage(const struct tool *tool, const char *format, ...)
{
    (void)tool;
    (void)format;
    code = WARP_EINVAL;
    return TOOL_USAGE;
}

int tool_fail(const struct tool *tool, int rc, const char *text)
{
    (void)tool;
    (void)text;
    code = rc;
    return TOOL_FINDINGS;
}

int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total)
{
    (void)bar;
    (void)what;
    (void)done;
    (void)total;
    return 0;
}

void tool_bar_end(struct tool_bar *bar)
{
    (void)bar;
}

int tool_print_json(const struct tool *tool, const struct text *reply)
{
    (void)tool;
    (void)reply;
    return TOOL_CLEAN;
}
