/* restore.c: a store from a backup, as it was at the backup's end or at an
 * earlier position or time that its states and their logs lead to (chain.h). */
#include "chain.h"

#include "../backup.h"
#include "../backup_keep.h"
#include "../error.h"
#include "../file_copy.h"
#include "../header.h"
#include "../log_copy.h"
#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* A file of the store to be. */
struct restore_file {
    uint32_t state;
    const struct manifest_file *file;
};

struct restore {
    struct tool *tool;
    struct chain chain;
    uint32_t state; /* that the store begins from */
    struct restore_file *files;
    uint32_t file_count;
    struct tool_bar bar;
    uint64_t done, total;
    uint64_t limit_block;
    int64_t limit_clock;
    uint64_t position; /* that was reached */
};

static int step(void *arg, uint64_t bytes)
{
    struct restore *r = arg;
    r->done += bytes;
    return tool_progress(&r->bar, "restore", r->done, r->total);
}

static bool has_archive(const struct manifest *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (strncmp(m->files[i].path, "archive/", 8) == 0)
            return true;
    return false;
}

static int copy_files(struct restore *r)
{
    static const char *const parts[] = {"ssd",  "disk",   "log",
                                        "ring", "schema", "archive"};
    const struct manifest *m = &r->chain.states[r->state].manifest;
    const char *to = r->tool->args[1];
    char a[CHAIN_PATH_BYTES + MANIFEST_PATH_MAX], b[4300];
    int rc = os_mkdir(to);
    for (int i = 0; i < 6 && rc == 0; i++) {
        if (strcmp(parts[i], "archive") == 0 && !has_archive(m))
            continue;
        snprintf(b, sizeof b, "%s/%s", to, parts[i]);
        rc = os_mkdir(b);
    }
    if (rc != 0)
        return error_os(rc, "cannot make", to);
    for (uint32_t i = 0; i < r->file_count; i++)
        r->total += r->files[i].file->bytes;
    for (uint32_t i = 0; i < r->file_count; i++) {
        const struct manifest_file *f = r->files[i].file;
        uint64_t bytes = 0;
        uint32_t crc = 0;
        snprintf(a, sizeof a, "%s/%s", r->chain.states[r->files[i].state].dir,
                 f->path);
        snprintf(b, sizeof b, "%.4000s/%s", to, f->path);
        rc = file_copy(a, b, UINT64_MAX, false, &bytes, &crc, step, r);
        if (rc == WARP_OK && (bytes != f->bytes || crc != f->crc))
            rc = error_set(WARP_ECORRUPT,
                           "%s: the backup's file has "
                           "changed: use another backup",
                           a);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

/* ---- to a point in the log ---- */

/* So many digits and the character behind them, which 0 leaves where it is. */
static bool take_digits(const char **at, int count, char behind, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    if (behind && *(*at)++ != behind)
        return false;
    return true;
}

/* 2026-01-31T12:00:00Z, or without the time; a moment that there is. */
static bool parse_time(const char *text, int64_t *ms)
{
    struct tm tm = {0}, back;
    if (!take_digits(&text, 4, '-', &tm.tm_year) ||
        !take_digits(&text, 2, '-', &tm.tm_mon) ||
        !take_digits(&text, 2, 0, &tm.tm_mday))
        return false;
    if (*text == 'T' || *text == ' ') {
        text++;
        if (!take_digits(&text, 2, ':', &tm.tm_hour) ||
            !take_digits(&text, 2, ':', &tm.tm_min) ||
            !take_digits(&text, 2, 0, &tm.tm_sec))
            return false;
    }
    if (*text == 'Z')
        text++;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    /* timegm makes the 3rd of March of the 31st of February. */
    struct tm given = tm;
    time_t seconds = timegm(&tm);
    *ms = (int64_t)seconds * 1000;
    return *text == 0 && gmtime_r(&seconds, &back) &&
           back.tm_year == given.tm_year && back.tm_mon == given.tm_mon &&
           back.tm_mday == given.tm_mday && back.tm_hour == given.tm_hour &&
           back.tm_min == given.tm_min && back.tm_sec == given.tm_sec;
}

/* A number is a position, from 10^11 on a time in ms. */
static bool parse_limit(struct restore *r, const char *text)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    r->limit_block = UINT64_MAX;
    r->limit_clock = INT64_MAX;
    if (*text >= '0' && *text <= '9' && !*end && !errno) {
        if (n >= UINT64_C(100000000000))
            r->limit_clock = (int64_t)n;
        else
            r->limit_block = n;
        return true;
    }
    return parse_time(text, &r->limit_clock);
}

/* Behind the last whole cut inside the limits the log ends, as after a power
 * loss at that moment: *position is the number of the block behind it. */
static int end_log(struct restore *r, uint64_t limit_block, int64_t limit_clock,
                   bool cut, uint64_t *position)
{
    bool over = false;
    int rc = WARP_OK;
    *position = 0;
    for (uint32_t i = 0; i < r->file_count && rc == WARP_OK; i++) {
        char path[4300];
        const char *name = r->files[i].file->path;
        struct log_extent e = {.limit_block = limit_block,
                               .limit_clock = limit_clock};
        if (strncmp(name, "log/", 4) != 0)
            continue;
        snprintf(path, sizeof path, "%.4000s/%s", r->tool->args[1], name);
        if (!over)
            rc = log_extent_read(path, &e);
        if (rc != WARP_OK)
            break;
        if (!over && e.cut_next)
            *position = e.cut_next;
        bool whole_file = over || (e.limited && e.cut_bytes == 0);
        over = over || e.limited;
        if (!cut || !over)
            continue;
        if (whole_file) {
            rc = os_unlink(path);
        } else {
            int fd = os_open(path, OS_READ | OS_WRITE);
            rc = fd < 0 ? fd : os_truncate(fd, e.cut_bytes);
            if (rc == 0)
                rc = os_fdatasync(fd);
            os_close(fd);
        }
        if (rc < 0)
            rc = error_os(rc, "cannot cut", path);
    }
    return rc;
}

/* Everything that the tiers hold stands before the last cut up to `base`. */
static int cut_log(struct restore *r)
{
    const struct manifest *m = &r->chain.states[r->state].manifest;
    uint64_t least = 0;
    int rc = end_log(r, m->base, INT64_MAX, false, &least);
    if (rc == WARP_OK)
        rc = end_log(r, r->limit_block, r->limit_clock, true, &r->position);
    if (rc == WARP_OK && r->position < least)
        rc = error_set(WARP_EINVAL, "the backup begins after that time: use "
                                    "an earlier one");
    return rc;
}

/* ---- what it is made of ---- */

static int add_log(void *arg, const struct chain_log *log)
{
    struct restore *r = arg;
    r->files[r->file_count++] = (struct restore_file){log->state, log->file};
    return WARP_OK;
}

/* The state's own files and, in order, the log that leads on from it. */
static int choose_files(struct restore *r)
{
    const struct chain *c = &r->chain;
    r->state = c->count - 1;
    if (r->tool->to) {
        int rc = chain_find(c, r->limit_block, r->limit_clock, &r->state);
        if (rc != WARP_OK)
            return rc;
    }
    const struct manifest *m = &c->states[r->state].manifest;
    r->position = m->position;
    r->files = calloc(m->count + c->log_count + 1, sizeof *r->files);
    if (!r->files)
        return error_set(WARP_ENOMEM, "out of memory for a restore");
    for (uint32_t i = 0; i < m->count; i++) {
        const char *path = m->files[i].path, *rest;
        bool log = strncmp(path, "log/", 4) == 0;
        if (backup_state_of(path, &rest) == BACKUP_NEWEST &&
            !(log && r->tool->to))
            r->files[r->file_count++] =
                (struct restore_file){r->state, &m->files[i]};
    }
    return r->tool->to ? chain_logs(c, r->state, add_log, r) : WARP_OK;
}

/* ---- the store ---- */

/* Opened once: the log is replayed, everything moves into the tiers. */
static int settle(const char *path)
{
    struct source source;
    int rc = source_open(&source, path, SOURCE_RESTORED);
    if (rc == WARP_OK && !source.db)
        rc = error_set(WARP_EBUSY, "%s: somebody has opened it", path);
    if (rc == WARP_OK)
        rc = warp_checkpoint(source.db);
    int closed = source_close(&source);
    return rc == WARP_OK ? closed : rc;
}

static int run(struct restore *r)
{
    int used = backup_dir_used(r->tool->args[1]);
    if (used < 0)
        return used;
    if (used)
        return error_set(WARP_EEXIST, "%s is not empty: name a new directory",
                         r->tool->args[1]);
    int rc = chain_read(r->tool->args[0], r->tool->to != NULL, &r->chain);
    if (rc == WARP_OK)
        rc = choose_files(r);
    if (rc != WARP_OK)
        return rc;
    rc = copy_files(r);
    if (rc == WARP_OK && r->tool->to)
        rc = cut_log(r);
    if (rc == WARP_OK) {
        char log[4300];
        snprintf(log, sizeof log, "%.4000s/log", r->tool->args[1]);
        rc = log_end_here(log);
    }
    if (rc == WARP_OK)
        rc = header_renew(r->tool->args[1]);
    if (rc == WARP_OK)
        rc = settle(r->tool->args[1]);
    if (rc != WARP_OK) {
        char text[1024];
        snprintf(text, sizeof text, "%s", error_text());
        (void)backup_remove(r->tool->args[1]);
        error_set(rc, "%s", text);
    }
    return rc;
}

int tool_restore(struct tool *tool)
{
    struct restore r = {
        .tool = tool, .limit_block = UINT64_MAX, .limit_clock = INT64_MAX};
    struct text t = TEXT_INIT;
    if (tool->to && !parse_limit(&r, tool->to))
        return tool_usage(tool, "--to needs a position, milliseconds since "
                                "1970, or 2026-01-31T12:00:00Z");
    int rc = run(&r);
    tool_bar_end(&r.bar);
    text_put(&t, "{");
    text_string(&t, "target", tool->args[1]);
    text_number(&t, "files", r.file_count);
    text_number(&t, "bytes", r.total);
    text_number(&t, "position", r.position);
    text_put(&t, "}");
    int status = rc == WARP_OK ? tool_print_json(tool, &t)
                               : tool_fail(tool, rc, error_text());
    text_free(&t);
    free(r.files);
    chain_free(&r.chain);
    return status;
}
