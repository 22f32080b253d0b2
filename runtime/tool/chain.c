/* chain.c: see chain.h. A log leads on from a state when its first block is at
 * or before the one where the blocks known so far end, and when the schema is
 * the same: commits are read by the descriptors of their state. */
#include "chain.h"

#include "../backup_keep.h"
#include "../error.h"
#include "../log_copy.h"
#include "../text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a restore");
}

/* ---- states ---- */

static int read_state(struct chain *c, const char *dir, uint64_t position)
{
    struct chain_state *s = &c->states[c->count];
    if (position == BACKUP_NEWEST)
        snprintf(s->dir, sizeof s->dir, "%.4000s", dir);
    else
        snprintf(s->dir, sizeof s->dir, "%.4000s/" BACKUP_EARLIER "/%" PRIu64,
                 dir, position);
    int rc = manifest_read(s->dir, &s->manifest);
    if (rc == WARP_OK)
        c->count++;
    s->whole_only = manifest_find(&s->manifest, "ring/ring-000") != NULL;
    return rc;
}

static int read_states(struct chain *c, const char *dir, bool earlier)
{
    struct manifest newest = {0};
    uint64_t *positions = NULL;
    uint32_t count = 0;
    int rc = manifest_read(dir, &newest);
    if (rc == WARP_OK)
        rc = backup_states(&newest, &positions, &count);
    c->states = calloc(count + 1, sizeof *c->states);
    if (rc == WARP_OK && !c->states)
        rc = no_memory();
    for (uint32_t i = 0; i < count && rc == WARP_OK && earlier; i++) {
        rc = read_state(c, dir, positions[i]);
        if (rc == WARP_ECORRUPT || rc == WARP_ENOSTORE) {
            manifest_free(&c->states[c->count].manifest);
            c->damaged++;
            rc = WARP_OK;
        }
    }
    if (rc == WARP_OK)
        rc = read_state(c, dir, BACKUP_NEWEST);
    free(positions);
    manifest_free(&newest);
    return rc;
}

/* ---- logs ---- */

static uint64_t number_of(const struct manifest_file *f)
{
    return strncmp(f->path, "log/", 4) == 0 ? log_segment_number(f->path + 4)
                                            : 0;
}

static int read_log(struct chain *c, uint32_t state,
                    const struct manifest_file *f)
{
    char path[CHAIN_PATH_BYTES + MANIFEST_PATH_MAX];
    struct log_extent e = {.limit_block = UINT64_MAX, .limit_clock = INT64_MAX};
    snprintf(path, sizeof path, "%s/%s", c->states[state].dir, f->path);
    int rc = log_extent_read(path, &e);
    if (rc != WARP_OK)
        return rc == WARP_ENOTFOUND
                   ? error_set(WARP_ECORRUPT, "%s: the backup's file has "
                                              "changed: use another backup",
                               path)
                   : rc;
    c->logs[c->log_count++] = (struct chain_log){
        number_of(f), e.first, e.next, e.clock, state, f};
    return WARP_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct chain_log *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->next < y->next ? -1 : x->next > y->next;
}

static int read_logs(struct chain *c)
{
    uint32_t count = 0;
    int rc = WARP_OK;
    for (uint32_t s = 0; s < c->count; s++)
        for (uint32_t i = 0; i < c->states[s].manifest.count; i++)
            count += number_of(&c->states[s].manifest.files[i]) != 0;
    c->logs = calloc(count + 1, sizeof *c->logs);
    if (!c->logs)
        return no_memory();
    for (uint32_t s = 0; s < c->count && rc == WARP_OK; s++) {
        const struct manifest *m = &c->states[s].manifest;
        for (uint32_t i = 0; i < m->count && rc == WARP_OK; i++)
            if (number_of(&m->files[i])) {
                rc = read_log(c, s, &m->files[i]);
                if (rc == WARP_ECORRUPT && s + 1 < c->count) {
                    c->damaged++;
                    rc = WARP_OK;
                }
            }
    }
    if (c->log_count > 1)
        qsort(c->logs, c->log_count, sizeof *c->logs, by_number);
    return rc;
}

/* ---- what can be reached ---- */

static bool same_schema(const struct manifest *a, const struct manifest *b)
{
    const struct manifest *both[] = {a, b};
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < both[k]->count; i++) {
            const struct manifest_file *f = &both[k]->files[i], *g;
            if (strncmp(f->path, "schema/", 7) != 0)
                continue;
            g = manifest_find(both[!k], f->path);
            if (!g || g->bytes != f->bytes || g->crc != f->crc)
                return false;
        }
    return true;
}

/* The first segment that a state carries. */
static uint64_t least_number(const struct manifest *m)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t n = number_of(&m->files[i]);
        if (n && n < least)
            least = n;
    }
    return least;
}

/* The longest form of the segment that logs[*at] is one of; *at moves behind
 * all its forms. */
static const struct chain_log *longest(const struct chain *c, uint32_t state,
                                       uint32_t *at)
{
    const struct chain_log *best = NULL;
    uint64_t number = c->logs[*at].number;
    for (; *at < c->log_count && c->logs[*at].number == number; ++*at) {
        const struct chain_log *log = &c->logs[*at];
        if (log->state >= state &&
            same_schema(&c->states[state].manifest,
                        &c->states[log->state].manifest))
            best = log;
    }
    return best;
}

int chain_logs(const struct chain *c, uint32_t state,
               int (*fn)(void *arg, const struct chain_log *log), void *arg)
{
    const struct manifest *m = &c->states[state].manifest;
    uint64_t least = least_number(m), end = m->position;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < c->log_count && rc == WARP_OK;) {
        const struct chain_log *log = longest(c, state, &i);
        if (!log || log->number < least)
            continue;
        if (log->first > end)
            break;
        rc = fn(arg, log);
        if (log->next > end)
            end = log->next;
    }
    return rc;
}

struct reach {
    const struct chain *chain;
    struct chain_state *state;
};

static int reach_log(void *arg, const struct chain_log *log)
{
    struct reach *r = arg;
    const struct chain_state *from = &r->chain->states[log->state];
    struct chain_state *s = r->state;
    char path[CHAIN_PATH_BYTES + MANIFEST_PATH_MAX];
    struct log_extent e = {.limit_block = s->manifest.base,
                           .limit_clock = INT64_MAX};
    if (log->next > s->last) {
        s->last = log->next;
        if (log->clock_ms > s->last_ms)
            s->last_ms = log->clock_ms;
    }
    if (log->first >= s->manifest.base)
        return WARP_OK;
    snprintf(path, sizeof path, "%s/%s", from->dir, log->file->path);
    int rc = log_extent_read(path, &e);
    if (rc == WARP_OK && e.cut_next)
        s->first_ms = e.cut_clock;
    return rc;
}

/* Where the log has nothing left of the time before the tiers' state, a time
 * is known to be behind it only from the backup's own on. */
static int reach(struct chain *c)
{
    int rc = WARP_OK;
    for (uint32_t i = 0; i < c->count && rc == WARP_OK; i++) {
        struct chain_state *s = &c->states[i];
        struct reach r = {c, s};
        s->first = s->manifest.base;
        s->last = s->manifest.position;
        s->first_ms = s->manifest.base == 0 ? 0 : s->manifest.clock_ms;
        s->last_ms = s->manifest.made_ms;
        if (!s->whole_only)
            rc = chain_logs(c, i, reach_log, &r);
    }
    return rc;
}

int chain_read(const char *dir, bool earlier, struct chain *c)
{
    memset(c, 0, sizeof *c);
    int rc = read_states(c, dir, earlier);
    if (rc == WARP_OK && earlier)
        rc = read_logs(c);
    return rc == WARP_OK && earlier ? reach(c) : rc;
}

void chain_free(struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        manifest_free(&c->states[i].manifest);
    free(c->states);
    free(c->logs);
    memset(c, 0, sizeof *c);
}

static int unreachable(const struct chain *c)
{
    struct text t = TEXT_INIT;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct chain_state *s = &c->states[i];
        if (s->whole_only)
            continue;
        text_say(&t, "%s%" PRIu64 " to %" PRIu64 " (%" PRId64 " to %" PRId64
                     " ms)",
                 t.used ? ", " : "", s->first, s->last, s->first_ms,
                 s->last_ms);
    }
    int rc = error_set(
        WARP_EINVAL,
        t.used ? "the backup reaches the positions %.800s%s: name one of "
                 "these, or use an earlier backup"
               : "this backup is of a store that was not closed: restore it "
                 "as it is%.0s%s",
        t.used ? t.data : "",
        c->damaged ? "; an earlier state of it is damaged (`warp verify` "
                     "tells where)"
                   : "");
    text_free(&t);
    return rc;
}

int chain_find(const struct chain *c, uint64_t block, int64_t clock_ms,
               uint32_t *state)
{
    for (uint32_t i = c->count; i > 0; i--) {
        const struct chain_state *s = &c->states[i - 1];
        bool by_block = block != UINT64_MAX;
        if (s->whole_only ||
            (by_block && (block < s->first || block > s->last)))
            continue;
        if (!by_block && (clock_ms < s->first_ms || clock_ms > s->last_ms))
            continue;
        *state = i - 1;
        return WARP_OK;
    }
    return unreachable(c);
}
