/* repair.c: what can be read of a damaged store, into a new one: rows of tiers
 * (repair_row.c), then the log's commits that they do not hold (repair_log.c),
 * then elements of series (repair_series.c). What is lost is listed; nothing is
 * written to the damaged store. */
#include "repair.h"

#include "../archive_where.h"
#include "../backup.h"
#include "../catalog.h"
#include "../checkpoint.h"
#include "../error.h"
#include "../schema_file.h"
#include "../schema_load.h"
#include "../value_print.h"

#include <errno.h>
#include <stdlib.h>

enum { LOST_MAX = 10000, PATH_BYTES = 4200 };

void repair_tell(void *arg, const char *text)
{
    struct repair *r = arg;
    os_lock(&r->lock);
    if (r->lost_count++ < LOST_MAX) {
        if (r->lost.used)
            text_add(&r->lost, ",", 1);
        text_quote(&r->lost, text, strlen(text));
    }
    os_unlock(&r->lock);
}

void repair_tell_event(void *arg, int code, const char *text)
{
    if (code < 0)
        repair_tell(arg, text);
}

void repair_tell_record(struct repair *r, const struct layout *l,
                        const uint8_t *key, uint32_t key_bytes, int field,
                        const char *what)
{
    struct text t = TEXT_INIT;
    text_say(&t, "%s ", l->desc->name);
    value_print_key(&t, l->desc, key, key_bytes);
    if (field >= 0)
        text_say(&t, " field %s", l->desc->fields[field].name);
    text_say(&t, ": %s", what);
    text_u8(&t, 0);
    repair_tell(r, t.failed ? what : t.data);
    text_free(&t);
}

/* ---- the whole ---- */

static int open_schema(struct repair *r)
{
    char dir[PATH_BYTES];
    uint32_t newest = 0;
    snprintf(dir, sizeof dir, "%.4000s/schema", r->from);
    int rc = schema_file_newest(dir, &newest);
    for (uint32_t n = newest; rc == WARP_OK && n > 0 && !r->schema; n--)
        if (schema_file_load(dir, n, &r->schema) != WARP_OK)
            repair_tell(r, error_text());
    if (rc == WARP_OK && !r->schema)
        rc = error_set(WARP_ECORRUPT,
                       "%s: no descriptor can be read: make "
                       "one with `warpc gen --descriptor`",
                       dir);
    if (rc != WARP_OK)
        return rc;
    r->layouts = calloc(r->schema->product_count, sizeof *r->layouts);
    for (uint32_t i = 0; r->layouts && i < r->schema->product_count; i++) {
        rc = layout_make(r->schema->products[i], (uint16_t)i,
                         header_survives(&r->header), &r->layouts[i]);
        if (rc != WARP_OK)
            return rc;
        r->layout_count = i + 1;
    }
    return r->layouts ? WARP_OK : WARP_ENOMEM;
}

static int open_series(struct repair *r)
{
    char path[ARCHIVE_WHERE_BYTES];
    int rc = archive_where(r->ssd, r->from, NULL, r->header.store_id, false,
                           path);
    if (rc == WARP_OK)
        rc = archive_open(path, r->header.store_id, true, repair_tell_event, r,
                          &r->archive);
    struct series_config config = {.ssd = r->ssd,
                                   .disk = r->disk,
                                   .archive = r->archive,
                                   .budget = &r->budget,
                                   .layouts = r->layouts,
                                   .layout_count = r->layout_count};
    return rc == WARP_OK ? series_open(&config, &r->series) : rc;
}

static int open_tiers(struct repair *r)
{
    char dir[PATH_BYTES];
    header_dir(&r->header, HEADER_DISK, r->from, dir, sizeof dir);
    int rc = disk_open(dir, true, 0, repair_tell_event, r, &r->disk);
    if (rc != WARP_OK)
        return rc;
    atomic_store(&r->budget.limit, os_memory_limit() / 4);
    header_dir(&r->header, HEADER_SSD, r->from, dir, sizeof dir);
    rc = ssd_open(dir, 0, true, repair_tell_event, r, &r->ssd);
    if (rc == WARP_OK)
        rc = catalog_number_all(r->ssd, r->layouts, r->layout_count);
    if (rc == WARP_OK) {
        snprintf(dir, sizeof dir, "%.4000s/schema", r->from);
        rc = evolve_past_open(r->ssd, r->disk, &r->archive, dir,
                              header_survives(&r->header), r->schema,
                              r->layouts, r->layout_count, &r->past);
    }
    if (rc == WARP_OK) {
        rc = open_series(r);
        if (rc != WARP_ECORRUPT)
            return rc;
        repair_tell(r, error_text());
        repair_tell(r, "all elements of series, and what is in the archive");
        return WARP_OK;
    }
    if (rc != WARP_ECORRUPT && rc != WARP_ENOSTORE)
        return rc;
    repair_tell(r, error_text());
    repair_tell(r, "all rows that the log does not hold: the directory of all "
                   "keys cannot be opened");
    return WARP_OK;
}

/* Time stands still at the checkpoint: what has expired since then was alive
 * when the log's commits came, and gets the deadline that it had. */
static int64_t frozen(void *arg)
{
    return *(int64_t *)arg;
}

static int64_t clock_of(struct repair *r)
{
    uint64_t floors[256] = {0}, resident;
    int64_t mark = 0;
    if (!r->ssd || !r->has_header ||
        checkpoint_read(r->ssd, r->header.shards, floors, &mark, &resident) !=
            WARP_OK)
        return 0;
    return mark;
}

static int run(struct repair *r, const char *to)
{
    char path[PATH_BYTES];
    struct warp_options o = WARP_OPTIONS_INIT;
    int64_t clock_ms;
    snprintf(path, sizeof path, "%.4000s/store", r->from);
    r->has_header = header_read(path, &r->header) == WARP_OK;
    if (!r->has_header)
        repair_tell(r, error_text());
    int rc = open_schema(r);
    if (rc == WARP_OK)
        rc = open_tiers(r);
    if (rc != WARP_OK)
        return rc;
    clock_ms = clock_of(r);
    o.shards = r->has_header ? r->header.shards : 0;
    o.clock_ms = frozen;
    o.clock_arg = &clock_ms;
    rc = warp_open(to, r->schema, &o, &r->out);
    if (rc == WARP_OK && r->ssd)
        rc = repair_rows(r);
    if (rc == WARP_OK && r->has_header)
        rc = repair_log(r);
    else if (rc == WARP_OK)
        repair_tell(r, "what only the log held: the header names its form");
    if (rc == WARP_OK)
        rc = repair_series(r);
    if (r->out) {
        int closed = warp_close(&r->out);
        rc = rc == WARP_OK ? closed : rc;
    }
    return rc;
}

static void destroy(struct repair *r)
{
    if (r->series)
        series_close(&r->series);
    if (r->archive)
        archive_close(&r->archive);
    evolve_past_close(&r->past);
    if (r->ssd)
        ssd_close(&r->ssd);
    if (r->disk)
        disk_close(&r->disk);
    for (uint32_t i = 0; i < r->layout_count; i++)
        layout_free(&r->layouts[i]);
    free(r->layouts);
    if (r->schema)
        schema_free(&r->schema);
    text_free(&r->lost);
    tool_bar_end(&r->bar);
}

int tool_repair(struct tool *tool)
{
    struct repair r = {.from = tool->args[0]};
    struct text t = TEXT_INIT;
    char lock[PATH_BYTES];
    int fd = -1, pid = 0;
    int rc = backup_dir_used(tool->args[1]);
    if (rc > 0)
        rc = error_set(WARP_EEXIST, "%s is not empty: name a new directory",
                       tool->args[1]);
    snprintf(lock, sizeof lock, "%.4000s/lock", tool->args[0]);
    if (rc == WARP_OK)
        rc = os_owner_lock(lock, false, &fd, &pid);
    if (rc == -EAGAIN && pid)
        rc = error_set(WARP_EBUSY, "process %d has this store open", pid);
    else if (rc == -ENOENT)
        rc = WARP_OK;
    if (rc == WARP_OK && (rc = run(&r, tool->args[1])) != WARP_OK) {
        /* A part of what can be read would pass for all of it. */
        char text[1024];
        snprintf(text, sizeof text, "%s", error_text());
        (void)backup_remove(tool->args[1]);
        error_set(rc, "%s", text);
    }
    text_put(&t, "{\"lost\":[");
    text_add(&t, r.lost.data, r.lost.used);
    text_put(&t, "]");
    text_number(&t, "lost_count", r.lost_count);
    text_number(&t, "rows", r.rows);
    text_number(&t, "commits", r.commits);
    text_put(&t, "}");
    int status = rc == WARP_OK ? tool_print_json(tool, &t)
                               : tool_fail(tool, rc, error_text());
    if (status == TOOL_CLEAN && r.lost_count > 0)
        status = TOOL_FINDINGS;
    text_free(&t);
    destroy(&r);
    os_owner_unlock(fd, lock);
    return status;
}
