/* care.c: verify, compact, migrate, backup, clock and inspect. */
#include "record.h"

#include "../backup_keep.h"
#include "../error.h"
#include "../header.h"
#include "../log_copy.h"
#include "../schema_file.h"
#include "../schema_load.h"
#include "../ssd_compact.h"
#include "../verify.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- verify ---- */

static int print_findings(struct tool *tool, const struct text *reply)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json_input in = {reply->data, reply->data + reply->used, 1, NULL};
    struct json *j = NULL;
    int rc = json_read(&in, &arena, &j);
    const struct json *list = rc == WARP_OK ? json_member(j, "findings") : NULL;
    const struct json *count = json_member(j, "finding_count");
    int status = list && list->count == 0 ? TOOL_CLEAN : TOOL_FINDINGS;
    if (tool->json) {
        tool_print_json(tool, reply);
        goto out;
    }
    for (const struct json *f = list ? list->first : NULL; f; f = f->next)
        printf("%.*s\n", (int)f->text.len, f->text.data);
    static const char *const names[] = {"rows", "values", "files"};
    printf("%.*s findings", count ? (int)count->text.len : 1,
           count ? count->text.data : "?");
    for (int i = 0; i < 3; i++) {
        const struct json *n = json_member(j, names[i]);
        if (n && n->kind == JSON_NUMBER)
            printf(", %.*s %s", (int)n->text.len, n->text.data, names[i]);
    }
    puts("");
out:
    warp_arena_free(&arena);
    return status;
}

int tool_verify(struct tool *tool)
{
    struct tool_bar bar = {0};
    struct progress progress = {tool_progress, &bar};
    struct text reply = TEXT_INIT, request = TEXT_INIT;
    struct source source = {.socket = -1};
    int rc = verify_store(tool->args[0], &progress, &reply);
    tool_bar_end(&bar);
    if (rc == WARP_EBUSY) {
        rc = source_open(&source, tool->args[0], SOURCE_READ);
        request_begin(&request, REQUEST_VERIFY);
        if (rc == WARP_OK)
            rc = source_ask(&source, &request, &reply);
        source_close(&source);
    }
    int status = rc == WARP_OK ? print_findings(tool, &reply)
                               : tool_fail(tool, rc, error_text());
    text_free(&reply);
    text_free(&request);
    return status;
}

/* ---- compact, migrate ---- */

static int write_and_ask(struct tool *tool, enum request_what what,
                         const char *argument, struct text *reply)
{
    struct source source;
    struct text request = TEXT_INIT;
    bool live = false;
    int rc = source_open(&source, tool->args[0], SOURCE_WRITE);
    request_begin(&request, what);
    text_put(&request, argument);
    if (rc == WARP_OK) {
        live = !source.db;
        rc = source_ask(&source, &request, reply);
    }
    if (rc != WARP_OK)
        tool_fail(tool, rc, error_text());
    int closed = source_close(&source);
    text_free(&request);
    if (rc == WARP_OK && closed != WARP_OK)
        tool_fail(tool, rc = closed, error_text());
    return rc == WARP_OK ? (live ? 1 : 0) : rc;
}

static int exit_of(int rc)
{
    return rc >= 0 ? TOOL_CLEAN
           : rc == WARP_EIO || rc == WARP_ENOSPC || rc == WARP_ENOSTORE ||
                   rc == WARP_ENOMEM
               ? TOOL_IO
               : TOOL_FINDINGS;
}

int tool_compact(struct tool *tool)
{
    struct text reply = TEXT_INIT;
    uint64_t before = 0, after = 0;
    int live = write_and_ask(tool, REQUEST_COMPACT, "", &reply);
    int status = exit_of(live);
    /* LMDB's file never shrinks by itself: a smaller copy takes its place
     * when nobody has the store open. */
    if (live == 0) {
        int rc = ssd_compact_store(tool->args[0], &before, &after);
        if (rc != WARP_OK)
            status = tool_fail(tool, rc, error_text());
    }
    if (status == TOOL_CLEAN && reply.used > 0) {
        reply.used--; /* the closing brace */
        text_number(&reply, "ssd_bytes_before", before);
        text_number(&reply, "ssd_bytes_after", after);
        text_put(&reply, "}");
        tool_print_json(tool, &reply);
    }
    text_free(&reply);
    return status;
}

int tool_migrate(struct tool *tool)
{
    struct text reply = TEXT_INIT;
    int rc = write_and_ask(tool, REQUEST_MIGRATE, "", &reply);
    if (rc >= 0)
        tool_print_json(tool, &reply);
    text_free(&reply);
    return exit_of(rc);
}

/* ---- backup ---- */

int tool_backup(struct tool *tool)
{
    char target[4096], here[4000];
    struct text reply = TEXT_INIT, request = TEXT_INIT;
    struct source source;
    size_t n = strlen(tool->args[1]);
    while (n > 1 && tool->args[1][n - 1] == '/')
        n--;
    if (tool->args[1][0] == '/' || !getcwd(here, sizeof here))
        snprintf(target, sizeof target, "%.*s", (int)n, tool->args[1]);
    else
        snprintf(target, sizeof target, "%s/%.*s", here, (int)n, tool->args[1]);
    if (n == 0 || target[0] != '/')
        return tool_usage(tool, "the target's path cannot be used");
    char *end = NULL;
    unsigned long keep = tool->keep ? strtoul(tool->keep, &end, 10)
                                    : BACKUP_KEEP;
    if (end && (end == tool->keep || *end || *tool->keep == '-' ||
                keep > BACKUP_KEEP_MAX))
        return tool_usage(tool, "--keep needs a number up to %d",
                          BACKUP_KEEP_MAX);
    int rc = source_open(&source, tool->args[0], SOURCE_READ);
    request_begin(&request, REQUEST_BACKUP);
    text_u16(&request, (uint16_t)keep);
    text_put(&request, target);
    if (rc == WARP_OK)
        rc = source_ask(&source, &request, &reply);
    int status = rc == WARP_OK ? tool_print_json(tool, &reply)
                               : tool_fail(tool, rc, error_text());
    source_close(&source);
    text_free(&request);
    text_free(&reply);
    return status;
}

/* ---- clock ---- */

struct names {
    const char *dir;
    int failed;
};

static int remove_one(void *arg, const char *name)
{
    struct names *n = arg;
    char path[4400];
    if (strcmp(name, LOG_ENDS_HERE) == 0)
        return 0;
    snprintf(path, sizeof path, "%s/%s", n->dir, name);
    if (os_unlink(path) != 0)
        n->failed = 1;
    return 0;
}

/* After a clean close the tiers hold everything; what is left of the log only
 * remembers the clock that was wrong. */
static int forget_log(struct tool *tool, const char *store)
{
    static const char *const parts[] = {"log", "ring"};
    char log[4200];
    snprintf(log, sizeof log, "%s/log", store);
    int rc = log_end_here(log);
    for (int i = 0; i < 2 && rc == WARP_OK; i++) {
        char dir[4200];
        struct names n = {dir, 0};
        snprintf(dir, sizeof dir, "%s/%s", store, parts[i]);
        if (os_list(dir, remove_one, &n) != 0 || n.failed)
            return tool_fail(tool, WARP_EIO,
                             "the log's files cannot be "
                             "removed");
    }
    if (rc == WARP_OK)
        rc = header_renew(store);
    return rc == WARP_OK ? TOOL_CLEAN : tool_fail(tool, rc, error_text());
}

int tool_clock(struct tool *tool)
{
    const char *what = tool->arg_count > 1 ? tool->args[1] : "";
    struct text request = TEXT_INIT, reply = TEXT_INIT;
    struct source source;
    bool accept = strcmp(what, "accept") == 0;
    bool reset = strcmp(what, "reset") == 0, live = false;
    if (*what && !accept && !reset)
        return tool_usage(tool, "accept or reset, not %s", what);
    int rc = source_open(&source, tool->args[0],
                         reset    ? SOURCE_OWN
                         : accept ? SOURCE_WRITE
                                  : SOURCE_READ);
    request_begin(&request, REQUEST_CLOCK);
    text_u8(&request, accept ? 1 : reset ? 2 : 0);
    if (rc == WARP_OK) {
        live = !source.db;
        rc = source_ask(&source, &request, &reply);
    }
    int status = rc == WARP_OK ? tool_print_json(tool, &reply)
                               : tool_fail(tool, rc, error_text());
    rc = source_close(&source);
    if (rc != WARP_OK && status == TOOL_CLEAN)
        status = tool_fail(tool, rc, error_text());
    if (reset && !live && status == TOOL_CLEAN)
        status = forget_log(tool, tool->args[0]);
    text_free(&request);
    text_free(&reply);
    return status;
}

/* ---- inspect ---- */

static void say_field(struct text *t, const struct warp_field *f)
{
    static const char *const homes[] = {
        "",     "memory", "memory_only",     "gpu_memory", "memory_computed",
        "ssd",  "disk",   "disk_compressed", "disk_only",  "temporal_tiering",
        "auto", "hybrid"};
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_string(t, "name", f->name);
    text_string(t, "type", f->type->name);
    text_string(t, "persist", f->home < 12 ? homes[f->home] : "?");
    if (f->flags & WARP_F_KEY)
        text_put(t, ",\"key\":true");
    if (f->flags & WARP_F_UNIQUE)
        text_put(t, ",\"unique\":true");
    else if (f->flags & WARP_F_INDEX)
        text_put(t, ",\"index\":true");
    if (f->ttl_ms)
        text_number(t, "ttl_ms", (uint64_t)f->ttl_ms);
    if (f->was)
        text_string(t, "was", f->was);
    text_put(t, "}");
}

int tool_inspect(struct tool *tool)
{
    char dir[4200];
    uint32_t newest = 0;
    struct warp_schema *schema = NULL;
    struct text t = TEXT_INIT;
    snprintf(dir, sizeof dir, "%s/schema", tool->args[0]);
    int rc = schema_file_newest(dir, &newest);
    if (rc == WARP_OK && newest == 0)
        rc = error_set(WARP_ENOSTORE, "%s: there is no store", tool->args[0]);
    if (rc == WARP_OK)
        rc = schema_file_load(dir, newest, &schema);
    if (rc != WARP_OK)
        return tool_fail(tool, rc, error_text());
    text_put(&t, "{");
    text_string(&t, "schema", schema->name);
    text_number(&t, "version", newest);
    text_key(&t, "fingerprint");
    text_say(&t, "\"%016llx\"", (unsigned long long)schema->fingerprint);
    text_key(&t, "products");
    text_put(&t, "[");
    for (uint32_t i = 0; i < schema->product_count && !t.failed; i++) {
        const struct warp_product *p = schema->products[i];
        text_put(&t, i ? ",{" : "{");
        text_string(&t, "name", p->name);
        text_key(&t, "fields");
        text_put(&t, "[");
        for (uint32_t k = 0; k < p->field_count && !t.failed; k++)
            say_field(&t, &p->fields[k]);
        text_put(&t, "]}");
    }
    text_put(&t, "]}");
    int status = tool_print_json(tool, &t);
    text_free(&t);
    schema_free(&schema);
    return status;
}
