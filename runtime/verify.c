/* verify.c: see verify.h. Every part is checked, whatever the others gave. */
#include "verify.h"

#include "archive_where.h"
#include "catalog.h"
#include "checkpoint.h"
#include "error.h"
#include "evolve_past.h"
#include "file_copy.h"
#include "header.h"
#include "log.h"
#include "manifest.h"
#include "schema_file.h"
#include "schema_load.h"
#include "series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

void verify_tell(void *arg, const char *text)
{
    struct verify *v = arg;
    if (v->count++ >= VERIFY_FINDINGS_MAX)
        return;
    if (v->findings.used)
        text_add(&v->findings, ",", 1);
    text_quote(&v->findings, text, strlen(text));
}

void verify_step(struct verify *v, const char *what, uint64_t done,
                 uint64_t total)
{
    if (v->progress && v->progress->fn &&
        v->progress->fn(v->progress->arg, what, done, total) != 0)
        v->stopped = true;
}

/* The parts of a closed store. */
struct closed {
    struct verify *v;
    char path[PATH_BYTES];
    struct header header;
    struct warp_schema *schema;
    struct layout **layouts;
    uint32_t layout_count;
    struct evolve_past *past;
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    struct series *series;
    struct budget budget;
    uint64_t *floors;
    bool is_backup;
    bool ssd_good;
};

static void sub_path(const struct closed *c, char *to, const char *name)
{
    snprintf(to, PATH_BYTES + 128, "%s/%.119s", c->path, name);
}

/* ---- a backup's files ---- */

struct sum_step {
    struct verify *v;
    uint64_t done, total;
};

static int step_sum(void *arg, uint64_t bytes)
{
    struct sum_step *s = arg;
    s->done += bytes;
    verify_step(s->v, "files", s->done, s->total);
    return s->v->stopped;
}

static void check_manifest(struct closed *c)
{
    struct manifest m;
    struct sum_step step = {c->v, 0, 0};
    int rc = manifest_read(c->path, &m);
    if (rc == WARP_ENOSTORE)
        return;
    c->is_backup = true;
    if (rc != WARP_OK) {
        verify_tell(c->v, error_text());
        return;
    }
    for (uint32_t i = 0; i < m.count; i++)
        step.total += m.files[i].bytes;
    for (uint32_t i = 0; i < m.count && !c->v->stopped; i++) {
        char path[PATH_BYTES + 128], text[PATH_BYTES + 256];
        uint64_t bytes = 0;
        uint32_t crc = 0;
        sub_path(c, path, m.files[i].path);
        rc = file_sum(path, &bytes, &crc, step_sum, &step);
        c->v->files++;
        if (rc == WARP_TIMEOUT)
            break;
        if (rc != WARP_OK) {
            verify_tell(c->v, error_text());
            continue;
        }
        if (bytes == m.files[i].bytes && crc == m.files[i].crc)
            continue;
        snprintf(text, sizeof text,
                 "%s: the backup's file has changed (%" PRIu64
                 " bytes of %" PRIu64 ", checksum %08x, not %08x)",
                 path, bytes, m.files[i].bytes, crc, m.files[i].crc);
        verify_tell(c->v, text);
    }
    manifest_free(&m);
}

/* ---- header and descriptors ---- */

static int check_schema(struct closed *c)
{
    char dir[PATH_BYTES + 128];
    uint32_t newest = 0;
    sub_path(c, dir, "schema");
    int rc = schema_file_newest(dir, &newest);
    if (rc == WARP_OK && newest == 0)
        rc = error_set(WARP_ECORRUPT, "%s has no descriptor", dir);
    if (rc != WARP_OK) {
        verify_tell(c->v, error_text());
        return rc;
    }
    for (uint32_t n = 1; n <= newest; n++) {
        if (c->schema)
            schema_free(&c->schema);
        rc = schema_file_load(dir, n, &c->schema);
        if (rc != WARP_OK)
            verify_tell(c->v, error_text());
    }
    if (!c->schema)
        return rc;
    c->layouts = calloc(c->schema->product_count, sizeof *c->layouts);
    for (uint32_t i = 0; c->layouts && i < c->schema->product_count; i++) {
        rc = layout_make(c->schema->products[i], (uint16_t)i,
                         header_survives(&c->header), &c->layouts[i]);
        if (rc != WARP_OK) {
            verify_tell(c->v, error_text());
            return rc;
        }
        c->layout_count = i + 1;
    }
    return c->layouts ? WARP_OK : WARP_ENOMEM;
}

/* ---- tiers ---- */

static void tier_event(void *arg, int code, const char *text)
{
    if (code < 0)
        verify_tell(arg, text);
}

static int check_ssd(struct closed *c)
{
    char dir[PATH_BYTES + 128];
    int64_t mark;
    uint64_t resident;
    header_dir(&c->header, HEADER_SSD, c->path, dir, sizeof dir);
    verify_step(c->v, "pages", 0, 0);
    int rc = ssd_check_file(dir, true, verify_tell, c->v);
    if (rc == WARP_ENOTFOUND) {
        verify_tell(c->v, "the directory of all keys, ssd/data.mdb, is "
                          "missing");
        return WARP_OK;
    }
    if (rc == WARP_ECORRUPT)
        return WARP_OK;
    if (rc == WARP_OK)
        rc = ssd_open(dir, 0, true, tier_event, c->v, &c->ssd);
    c->ssd_good = rc == WARP_OK;
    c->floors = calloc(256, sizeof *c->floors);
    if (!c->floors)
        return WARP_ENOMEM;
    if (rc == WARP_OK && c->header.shards)
        rc = checkpoint_read(c->ssd, c->header.shards, c->floors, &mark,
                             &resident);
    if (rc == WARP_ECORRUPT) {
        verify_tell(c->v, error_text());
        rc = WARP_OK;
    }
    return rc;
}

static int check_disk(struct closed *c)
{
    char dir[PATH_BYTES + 128];
    header_dir(&c->header, HEADER_DISK, c->path, dir, sizeof dir);
    verify_step(c->v, "segments", 0, 0);
    int rc = disk_open(dir, true, 0, tier_event, c->v, &c->disk);
    if (rc == WARP_OK)
        rc = disk_verify(c->disk, verify_tell, c->v);
    return rc == WARP_ECORRUPT ? WARP_OK : rc;
}

static int check_archive(struct closed *c)
{
    char path[ARCHIVE_WHERE_BYTES];
    int rc = archive_where(c->ssd, c->path, NULL, c->header.store_id, false,
                           path);
    if (rc == WARP_OK)
        rc = archive_open(path, c->header.store_id, true, tier_event, c->v,
                          &c->archive);
    if (rc != WARP_OK) {
        verify_tell(c->v, error_text());
        return rc == WARP_ENOMEM ? rc : WARP_OK;
    }
    rc = archive_verify(c->archive, verify_tell, c->v);
    if (rc != WARP_OK && rc != WARP_ECORRUPT)
        return rc;
    struct series_config config = {.ssd = c->ssd,
                                   .disk = c->disk,
                                   .archive = c->archive,
                                   .budget = &c->budget,
                                   .layouts = c->layouts,
                                   .layout_count = c->layout_count};
    atomic_store(&c->budget.limit, UINT64_MAX);
    return series_open(&config, &c->series);
}

/* ---- log ---- */

static int check_commit(void *arg, uint32_t shard, uint64_t seq,
                        const uint8_t *body, size_t bytes)
{
    struct closed *c = arg;
    int rc = WARP_OK;
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        rc = op_decode((const struct layout *const *)c->layouts,
                       c->layout_count, body, bytes, &op, &used);
        body += used;
        bytes -= used;
    }
    if (rc == WARP_OK)
        return rc;
    return error_set(WARP_ECORRUPT,
                     "the log's commit %" PRIu64 " of shard %u cannot be "
                     "read: %s",
                     seq, shard, error_text());
}

static int check_log(struct closed *c)
{
    char dir[PATH_BYTES + 128], ring[PATH_BYTES + 128];
    struct log *log = NULL;
    sub_path(c, dir, "log");
    header_dir(&c->header, HEADER_RING, c->path, ring, sizeof ring);
    verify_step(c->v, "log", 0, 0);
    struct log_options o = {
        .dir = dir,
        .ring_dir = ring,
        .shards = c->header.shards,
        .ring_bytes = c->header.ring_bytes,
        .read_only = true,
        .no_rings = c->is_backup && os_exists(ring) != 1,
        .floor_seq = c->floors,
        .event = tier_event,
        .arg = c->v,
    };
    memcpy(o.store_id, c->header.store_id, sizeof o.store_id);
    int rc = log_open(&o, &log);
    if (rc == WARP_OK)
        rc = log_replay(log, check_commit, c, NULL, NULL);
    if (log)
        log_close(&log);
    if (rc == WARP_ECORRUPT || rc == WARP_EVERSION || rc == WARP_EINVAL ||
        rc == WARP_ENOSTORE) {
        verify_tell(c->v, error_text());
        rc = WARP_OK;
    }
    return rc;
}

/* ---- all ---- */

static int check_rows(struct closed *c, const struct verify_tiers *tiers)
{
    char dir[PATH_BYTES + 128];
    sub_path(c, dir, "schema");
    int rc = evolve_past_open(c->ssd, c->disk, &c->archive, dir,
                              WARP_SURVIVES_PROCESS_CRASH, c->schema,
                              c->layouts, c->layout_count, &c->past);
    if (rc == WARP_OK)
        return verify_rows(c->v, tiers);
    if (rc == WARP_ENOMEM)
        return rc;
    verify_tell(c->v, error_text());
    return WARP_OK;
}

static bool has(const struct closed *c, const char *name)
{
    char path[PATH_BYTES + 128];
    sub_path(c, path, name);
    return os_exists(path) == 1;
}

/* Without its manifest a backup opens as a store. It has earlier states, or
 * neither the lock nor the rings that a store is made with. */
static void check_seal(struct closed *c)
{
    if (!c->is_backup && has(c, "store") &&
        (has(c, "earlier") || (!has(c, "lock") && !has(c, "ring"))))
        verify_tell(c->v, "the file `" MANIFEST_NAME "` is missing: this is a "
                          "backup without its seal, and what is missing of it "
                          "cannot be told; use another backup");
}

static int check_closed(struct closed *c)
{
    char path[PATH_BYTES + 128];
    check_manifest(c);
    check_seal(c);
    sub_path(c, path, "store");
    int rc = header_read(path, &c->header);
    bool header = rc == WARP_OK;
    if (rc == WARP_ENOSTORE && !c->is_backup)
        return rc;
    if (!header)
        verify_tell(c->v, error_text());
    rc = check_schema(c);
    bool schema = rc == WARP_OK;
    if (rc == WARP_ENOMEM)
        return rc;
    rc = check_ssd(c);
    if (rc == WARP_OK && !c->v->stopped)
        rc = check_disk(c);
    if (rc == WARP_OK && header && schema && c->ssd_good && !c->v->stopped)
        rc = check_log(c);
    if (rc == WARP_OK && schema && c->ssd_good &&
        catalog_number_all(c->ssd, c->layouts, c->layout_count) != WARP_OK) {
        verify_tell(c->v, error_text());
        return rc;
    }
    if (rc == WARP_OK && header && schema && c->ssd_good)
        rc = check_archive(c);
    struct verify_tiers tiers = {c->ssd, c->disk, c->archive, c->series,
                                 c->layouts,
                                 c->layout_count};
    if (rc == WARP_OK && schema && c->ssd_good && !c->v->stopped)
        rc = check_rows(c, &tiers);
    return rc;
}

static int reply_findings(struct verify *v, int rc, struct text *reply)
{
    if (rc == WARP_OK && v->stopped)
        rc = error_set(WARP_TIMEOUT, "stopped");
    if (rc == WARP_OK) {
        text_put(reply, "{\"findings\":[");
        text_add(reply, v->findings.data, v->findings.used);
        text_put(reply, "]");
        text_number(reply, "finding_count", v->count);
        text_number(reply, "rows", v->rows);
        text_number(reply, "values", v->values);
        text_number(reply, "files", v->files);
        text_put(reply, "}");
        reply->failed |= v->findings.failed;
    }
    text_free(&v->findings);
    return rc;
}

int verify_store(const char *path, const struct progress *progress,
                 struct text *reply)
{
    char lock[PATH_BYTES + 128];
    struct verify v = {.findings = TEXT_INIT, .progress = progress};
    int fd = -1, pid = 0;
    struct closed *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(WARP_ENOMEM, "out of memory for a check");
    c->v = &v;
    snprintf(c->path, sizeof c->path, "%s", path);
    sub_path(c, lock, "lock");
    int rc = os_owner_lock(lock, false, &fd, &pid);
    if (rc == -EAGAIN)
        rc = error_set(WARP_EBUSY, "%s: process %d has this store open", path,
                       pid);
    else if (rc == -ENOENT || rc == 0)
        rc = check_closed(c); /* a backup has no lock: nobody writes to it */
    else
        rc = error_os(rc, "cannot lock", lock);
    rc = reply_findings(&v, rc, reply);
    if (c->series)
        series_close(&c->series);
    if (c->archive)
        archive_close(&c->archive);
    evolve_past_close(&c->past);
    if (c->disk)
        disk_close(&c->disk);
    if (c->ssd)
        ssd_close(&c->ssd);
    for (uint32_t i = 0; i < c->layout_count; i++)
        layout_free(&c->layouts[i]);
    free(c->layouts);
    if (c->schema)
        schema_free(&c->schema);
    free(c->floors);
    free(c);
    os_owner_unlock(fd, lock);
    return rc;
}

int verify_open(struct warp_db *db, const struct progress *progress,
                struct text *reply)
{
    struct verify v = {.findings = TEXT_INIT, .progress = progress};
    struct verify_tiers tiers = {db->ssd, db->disk, db->archive, db->series,
                                 db->layouts,
                                 db->layout_count};
    if (atomic_load(&db->health) != WARP_OK)
        verify_tell(&v, warp_strerror(atomic_load(&db->health)));
    int rc = ssd_verify(db->ssd, verify_tell, &v);
    if (rc == WARP_OK || rc == WARP_ECORRUPT)
        rc = disk_verify(db->disk, verify_tell, &v);
    if (rc == WARP_OK || rc == WARP_ECORRUPT)
        rc = archive_verify(db->archive, verify_tell, &v);
    /* A checkpoint would free the places that are looked at. */
    os_lock(&db->checkpoint_lock);
    disk_hold(db->disk, true);
    archive_hold(db->archive, true);
    os_unlock(&db->checkpoint_lock);
    if (rc == WARP_OK || rc == WARP_ECORRUPT)
        rc = verify_rows(&v, &tiers);
    archive_hold(db->archive, false);
    disk_hold(db->disk, false);
    return reply_findings(&v, rc, reply);
}
