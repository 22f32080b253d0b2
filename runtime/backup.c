/* backup.c: see backup.h.
 *
 * ORDER. B1 disk segments and the log are held: nothing is unlinked or cut from
 * here on. B2 the newest state of LMDB is pinned, and a mark set in the log,
 * while no checkpoint runs: what the log tells up to the mark relies on no
 * later state (relocate.h, R3). Then it is copied. B3 then the segments: all
 * places of that state are in them, synced before its commit (C3). B4 then the
 * log up to the mark: it begins at or before the checkpoint of that state, so a
 * replay makes the state consistent. B5 holds end. B6 the copy is checked as a
 * whole and takes the target's place by a rename. */
#include "backup.h"

#include "backup_keep.h"
#include "clock.h"
#include "error.h"
#include "file_copy.h"
#include "header.h"
#include "log_copy.h"
#include "manifest.h"
#include "segment.h"
#include "verify.h"
#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

struct backup {
    struct warp_db *db;
    const struct progress *progress;
    char dir[PATH_BYTES]; /* target.new */
    const char *target;
    struct manifest manifest, old;
    uint64_t done, total, linked;
    uint64_t mark;
    uint32_t keep, earlier; /* states */
    int lock_fd;
    bool placed; /* it stands under the target's name */
    bool checkpoints_run;
};

/* ---- directories ---- */

static const char *const parts[] = {"ssd",  "disk",   "log",
                                    "ring", "schema", "archive"};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

struct remove_call {
    const char *dir;
    int rc;
};

static int remove_name(void *arg, const char *name)
{
    struct remove_call *c = arg;
    char path[PATH_BYTES + 300];
    snprintf(path, sizeof path, "%s/%s", c->dir, name);
    int rc = os_unlink(path);
    if (rc != 0 && rc != -EISDIR && rc != -EPERM)
        c->rc = rc;
    return 0;
}

/* One of the earlier states of a backup. */
static int remove_state(void *arg, const char *name)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", (const char *)arg, name);
    return n < (int)sizeof path ? backup_remove(path) : -ENAMETOOLONG;
}

int backup_remove(const char *dir)
{
    char path[PATH_BYTES];
    struct remove_call c = {path, 0};
    snprintf(path, sizeof path, "%s/" BACKUP_EARLIER, dir);
    os_list(path, remove_state, path);
    os_rmdir(path);
    for (int i = 0; i < PART_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, parts[i]);
        os_list(path, remove_name, &c);
        os_rmdir(path);
    }
    c.dir = dir;
    os_list(dir, remove_name, &c);
    int rc = os_rmdir(dir);
    if (rc == -ENOENT)
        rc = 0;
    return rc == 0 ? WARP_OK : error_os(rc, "cannot remove", dir);
}

static int any_name(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return 1;
}

int backup_dir_used(const char *dir)
{
    int rc = os_list(dir, any_name, NULL);
    if (rc == -ENOENT)
        return 0;
    return rc < 0 ? error_os(rc, "cannot read the directory", dir) : rc;
}

/* ---- what must not change ---- */

/* Held until it is clear which state is copied. */
static void let_checkpoints(struct backup *b, bool run)
{
    if (b->db->read_only || b->checkpoints_run == run)
        return;
    b->checkpoints_run = run;
    if (run)
        os_unlock(&b->db->checkpoint_lock);
    else
        os_lock(&b->db->checkpoint_lock);
}

static void hold(struct backup *b, bool on)
{
    struct warp_db *db = b->db;
    if (db->read_only)
        return;
    let_checkpoints(b, !on);
    disk_hold(db->disk, on);
    archive_hold(db->archive, on);
    log_hold(db->log, on);
}

/* ---- copying ---- */

static int step_bytes(void *arg, uint64_t bytes)
{
    struct backup *b = arg;
    b->done += bytes;
    if (!b->progress || !b->progress->fn)
        return 0;
    return b->progress->fn(b->progress->arg, "backup", b->done,
                           b->total > b->done ? b->total : b->done);
}

/* It lies in the backup; what has not changed since the last one is shared. */
static int add_file(struct backup *b, const char *name, uint64_t bytes,
                    uint32_t crc)
{
    const struct backup_keep keep = {b->target,    b->dir,     &b->old,
                                     &b->manifest, step_bytes, b};
    int rc = backup_share(&keep, name, bytes, crc, &b->linked);
    return rc == WARP_OK ? manifest_add(&b->manifest, name, bytes, crc) : rc;
}

static int copy_part(struct backup *b, const char *from, const char *name,
                     uint64_t limit, bool direct)
{
    char to[PATH_BYTES + MANIFEST_PATH_MAX + 2];
    uint64_t bytes = 0;
    uint32_t crc = 0;
    snprintf(to, sizeof to, "%s/%s", b->dir, name);
    int rc = file_copy(from, to, limit, direct, &bytes, &crc, step_bytes, b);
    return rc == WARP_OK ? add_file(b, name, bytes, crc) : rc;
}

/* A file that another call has made in the backup. */
static int add_part(struct backup *b, const char *name)
{
    char path[PATH_BYTES + MANIFEST_PATH_MAX + 2];
    uint64_t bytes = 0;
    uint32_t crc = 0;
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    int fd = os_open(path, OS_READ | OS_WRITE);
    int rc = fd < 0 ? fd : os_fdatasync(fd);
    os_close(fd);
    if (rc < 0)
        return error_os(rc, "cannot sync", path);
    rc = file_sum(path, &bytes, &crc, step_bytes, b);
    return rc == WARP_OK ? add_file(b, name, bytes, crc) : rc;
}

/* A sealed segment never changes: an earlier backup's is the same file. */
static bool link_segment(struct backup *b, const char *from, const char *name)
{
    const struct manifest_file *f = manifest_find(&b->old, name);
    char old[PATH_BYTES + MANIFEST_PATH_MAX], to[PATH_BYTES * 2];
    uint64_t bytes = 0;
    struct segment_trailer trailer;
    if (!f)
        return false;
    int fd = os_open(from, OS_READ);
    if (fd < 0)
        return false;
    os_size(fd, &bytes);
    struct segment_file file = {fd, segment_number(strrchr(from, '/') + 1),
                                bytes, ""};
    bool sealed =
        bytes == f->bytes && segment_read_trailer(&file, &trailer) == WARP_OK;
    os_close(fd);
    snprintf(old, sizeof old, "%s/%s", b->target, name);
    snprintf(to, sizeof to, "%s/%s", b->dir, name);
    if (!sealed || os_link(old, to) != 0)
        return false;
    b->linked++;
    return manifest_add(&b->manifest, name, f->bytes, f->crc) == WARP_OK;
}

struct copy_call {
    struct backup *b;
    const char *from; /* directory */
    const char *part;
    int (*copy)(void *arg, const char *name); /* of one file */
    int rc;
};

static int copy_segment(void *arg, const char *name)
{
    struct copy_call *c = arg;
    char from[PATH_BYTES + 300], to[MANIFEST_PATH_MAX];
    if (segment_number(name) == 0)
        return 0;
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%.60s", c->part, name);
    if (link_segment(c->b, from, to))
        return 0;
    return copy_part(c->b, from, to, UINT64_MAX, false);
}

/* An archive's segment never changes, and no other one gets its name. */
static int copy_archived(void *arg, const char *name)
{
    struct copy_call *c = arg;
    char from[PATH_BYTES + 300], part[MANIFEST_PATH_MAX];
    char old[PATH_BYTES + MANIFEST_PATH_MAX], to[PATH_BYTES * 2];
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(part, sizeof part, "%s/%.60s", c->part, name);
    const struct manifest_file *f = manifest_find(&c->b->old, part);
    snprintf(old, sizeof old, "%s/%s", c->b->target, part);
    snprintf(to, sizeof to, "%s/%s", c->b->dir, part);
    if (!f || strchr(name, '.') == NULL || os_link(old, to) != 0)
        return copy_part(c->b, from, part, UINT64_MAX, false);
    c->b->linked++;
    return manifest_add(&c->b->manifest, part, f->bytes, f->crc);
}

static int copy_archive(struct backup *b)
{
    char to[PATH_BYTES + 32];
    struct copy_call c = {b, b->db->paths.archive, "archive", NULL, WARP_OK};
    struct archive_stat stat;
    archive_stat(b->db->archive, &stat);
    if (stat.segments == 0)
        return WARP_OK;
    snprintf(to, sizeof to, "%s/archive", b->dir);
    int rc = os_mkdir(to);
    if (rc < 0)
        return error_os(rc, "cannot make", to);
    rc = archive_files(b->db->archive, copy_archived, &c);
    if (rc == WARP_OK && (rc = os_sync_dir(to)) < 0)
        rc = error_os(rc, "cannot sync", to);
    return rc;
}

static int copy_log_file(void *arg, const char *name)
{
    struct copy_call *c = arg;
    char from[PATH_BYTES + 300], to[MANIFEST_PATH_MAX];
    struct log_extent e = {.limit_block = c->b->mark, .limit_clock = INT64_MAX};
    bool ends = strcmp(name, LOG_ENDS_HERE) == 0;
    if (log_segment_number(name) == 0 && !ends)
        return 0;
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%.60s", c->part, name);
    if (ends)
        return copy_part(c->b, from, to, 0, false);
    int rc = log_extent_read(from, &e);
    if (rc == WARP_ENOTFOUND || (rc == WARP_OK && e.first == e.next))
        return 0;
    return rc == WARP_OK ? copy_part(c->b, from, to, e.bytes, true) : rc;
}

static int copy_any(void *arg, const char *name)
{
    struct copy_call *c = arg;
    char from[PATH_BYTES + 300], to[MANIFEST_PATH_MAX];
    size_t n = strlen(name);
    if (n > 60 || (n > 4 && strcmp(name + n - 4, ".new") == 0))
        return 0;
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%s", c->part, name);
    return copy_part(c->b, from, to, UINT64_MAX, false);
}

/* Its code is kept apart: WARP_ENOSPC and -ENOENT are one number. */
static int copy_next(void *arg, const char *name)
{
    struct copy_call *c = arg;
    c->rc = c->copy(c, name);
    return c->rc != WARP_OK;
}

static int copy_dir(struct backup *b, const char *from, const char *part,
                    int (*copy)(void *arg, const char *name))
{
    char to[PATH_BYTES + 32];
    struct copy_call c = {b, from, part, copy, WARP_OK};
    snprintf(to, sizeof to, "%s/%s", b->dir, part);
    int rc = os_mkdir(to);
    if (rc < 0)
        return error_os(rc, "cannot make", to);
    rc = os_list(from, copy_next, &c);
    if (c.rc != WARP_OK)
        return c.rc;
    if (rc < 0 && rc != -ENOENT)
        return error_os(rc, "cannot list", from);
    rc = os_sync_dir(to);
    return rc < 0 ? error_os(rc, "cannot sync", to) : WARP_OK;
}

static int read_number(void *arg, struct ssd_slice value)
{
    if (value.bytes != 8)
        return WARP_ECORRUPT;
    *(uint64_t *)arg = wire_get64(value.data);
    return WARP_OK;
}

int backup_base(struct ssd *ssd, uint64_t *block)
{
    struct ssd_slice key = {"position", 8};
    *block = 0; /* all that there is stands in the log */
    int rc = ssd_get(ssd, SSD_META, key, read_number, block);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

/* Which state of the tiers it is, is clear; no checkpoint runs (B2). */
static int take_mark(void *arg)
{
    struct backup *b = arg;
    struct warp_db *db = b->db;
    int rc = WARP_OK;
    b->mark = UINT64_MAX;
    if (!db->read_only)
        rc = log_mark(db->log, &b->mark);
    b->manifest.clock_ms =
        db->read_only ? clock_mark(db->clock) : clock_now(db->clock);
    b->manifest.made_ms = b->manifest.clock_ms;
    /* Nobody writes to a store that is open for reading. */
    if (db->read_only && os_wall_ms() > b->manifest.made_ms)
        b->manifest.made_ms = os_wall_ms();
    b->manifest.position =
        b->mark == UINT64_MAX ? log_end_block(db->log) : b->mark;
    let_checkpoints(b, true);
    return rc;
}

static int copy_ssd(struct backup *b)
{
    char dir[PATH_BYTES + 32];
    struct ssd *copy = NULL;
    snprintf(dir, sizeof dir, "%s/ssd", b->dir);
    int rc = os_mkdir(dir);
    if (rc < 0)
        return error_os(rc, "cannot make", dir);
    rc = ssd_copy(b->db->ssd, dir, take_mark, step_bytes, b);
    if (rc == WARP_OK)
        rc = ssd_open(dir, 0, true, NULL, NULL, &copy);
    if (rc == WARP_OK)
        rc = backup_base(copy, &b->manifest.base);
    if (copy)
        ssd_close(&copy);
    if (rc == WARP_OK)
        rc = add_part(b, "ssd/data.mdb");
    if (rc == WARP_OK && (rc = os_sync_dir(dir)) < 0)
        rc = error_os(rc, "cannot sync", dir);
    return rc;
}

static int copy_log(struct backup *b)
{
    struct warp_db *db = b->db;
    int rc = copy_dir(b, db->paths.log, "log", copy_log_file);
    /* Nobody has the store open: what is in the rings alone comes along. */
    if (rc == WARP_OK && db->read_only && !log_was_clean(db->log))
        rc = copy_dir(b, db->paths.ring, "ring", copy_any);
    return rc;
}

static int copy_held(struct backup *b)
{
    hold(b, true); /* B1 */
    int rc = copy_ssd(b); /* B2 */
    if (rc == WARP_OK)
        rc = copy_dir(b, b->db->paths.disk, "disk", copy_segment); /* B3 */
    if (rc == WARP_OK)
        rc = copy_archive(b);
    if (rc == WARP_OK)
        rc = copy_log(b); /* B4 */
    hold(b, false);       /* B5 */
    return rc;
}

/* What the backup that is replaced holds stays restorable. */
static int keep_states(struct backup *b)
{
    const struct backup_keep keep = {b->target,    b->dir,     &b->old,
                                     &b->manifest, step_bytes, b};
    uint64_t *positions = NULL;
    int rc = b->old.files ? backup_keep(&keep, b->keep) : WARP_OK;
    if (rc == WARP_OK)
        rc = backup_states(&b->manifest, &positions, &b->earlier);
    free(positions);
    return rc;
}

static int copy_rest(struct backup *b)
{
    struct warp_db *db = b->db;
    struct header h;
    char path[PATH_BYTES + 32];
    int rc = copy_dir(b, db->paths.schema, "schema", copy_any);
    if (rc == WARP_OK)
        rc = header_read(db->paths.header, &h);
    if (rc != WARP_OK)
        return rc;
    /* A restored store has all its files in itself. */
    for (int i = 0; i < HEADER_PATHS; i++)
        h.paths[i][0] = 0;
    snprintf(path, sizeof path, "%s/store", b->dir);
    rc = header_write(path, b->dir, &h);
    if (rc == WARP_OK)
        rc = add_part(b, "store");
    if (rc == WARP_OK)
        rc = keep_states(b);
    if (rc == WARP_OK)
        rc = manifest_write(b->dir, &b->manifest);
    if (rc == WARP_OK && (rc = os_sync_dir(b->dir)) < 0)
        rc = error_os(rc, "cannot sync", b->dir);
    return rc;
}

/* ---- the whole ---- */

static int check_target(struct backup *b)
{
    int rc = backup_dir_used(b->target);
    if (rc <= 0)
        return rc;
    rc = manifest_read(b->target, &b->old);
    if (rc != WARP_OK && rc != WARP_ENOSTORE && rc != WARP_ECORRUPT)
        return rc; /* what it holds is not known */
    if (rc == WARP_ECORRUPT)
        return error_set(WARP_EEXIST,
                         "%s holds a backup whose file `" MANIFEST_NAME "` is "
                         "damaged: name a new directory",
                         b->target);
    if (rc != WARP_OK || memcmp(b->old.store_id, b->db->store_id, 16) != 0)
        return error_set(WARP_EEXIST,
                         "%s is not empty and holds no backup of this store: "
                         "name a new directory",
                         b->target);
    struct header then, now;
    char path[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/store", b->target);
    rc = header_read(path, &then);
    if (rc == WARP_OK)
        rc = header_read(b->db->paths.header, &now);
    if (rc == WARP_OK && then.life != now.life)
        rc = error_set(WARP_EEXIST,
                       "%s holds a backup of this store before it was restored "
                       "or its clock reset: name a new directory",
                       b->target);
    return rc;
}

/* WARP_OK; 1 with the findings, terminated; or an error. */
static int check_dir(struct backup *b, const char *dir, struct text *findings)
{
    int rc = verify_store(dir, b->progress, findings);
    text_u8(findings, 0);
    if (rc == WARP_OK && findings->failed)
        return error_set(WARP_ENOMEM, "out of memory for a backup");
    return rc == WARP_OK &&
                   strncmp(findings->data, "{\"findings\":[],", 15) != 0
               ? 1
               : rc;
}

/* Whose fault is it: the store's, or that of the backup of which sealed files
 * and earlier states were taken over? */
static int check_copy(struct backup *b)
{
    struct text findings = TEXT_INIT, old = TEXT_INIT;
    int rc = check_dir(b, b->dir, &findings), before = WARP_OK;
    if (rc == 1 && b->old.files)
        before = check_dir(b, b->target, &old);
    if (rc == 1 && before < 0)
        rc = before;
    else if (rc == 1 && before == 1)
        rc = error_set(WARP_ECORRUPT,
                       "the backup that stands in %s is damaged: name a new "
                       "directory for a backup, and keep this one as long as "
                       "its states are needed: %.600s",
                       b->target, old.data);
    else if (rc == 1)
        rc = error_set(WARP_ECORRUPT,
                       "the backup is not sound, because the "
                       "store is not: %.700s",
                       findings.data);
    text_free(&findings);
    text_free(&old);
    return rc;
}

/* The new backup takes the place of what was there: at once, where the file
 * system can exchange two names. */
static int replace(struct backup *b)
{
    char old[PATH_BYTES];
    bool had = b->old.files != NULL;
    snprintf(old, sizeof old, "%s", b->dir);
    int rc = had ? os_exchange(b->dir, b->target)
                 : os_rename(b->dir, b->target);
    if (had && rc == -EINVAL) {
        snprintf(old, sizeof old, "%s.old", b->target);
        rc = backup_remove(old);
        if (rc == WARP_OK)
            rc = os_rename(b->target, old);
        if (rc == 0)
            rc = os_rename(b->dir, b->target);
    }
    b->placed = rc == 0;
    if (rc == 0)
        rc = os_sync_parent(b->target);
    if (rc != 0)
        return error_os(rc, "cannot rename", b->dir);
    return had ? backup_remove(old) : WARP_OK;
}

static void say_result(const struct backup *b, struct text *reply)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->manifest.count; i++)
        bytes += b->manifest.files[i].bytes;
    text_put(reply, "{");
    text_string(reply, "target", b->target);
    text_number(reply, "files", b->manifest.count);
    text_number(reply, "bytes", bytes);
    text_number(reply, "linked", b->linked);
    text_number(reply, "position", b->manifest.position);
    text_number(reply, "base", b->manifest.base);
    text_number(reply, "earlier", b->earlier);
    text_key(reply, "clock_ms");
    text_say(reply, "%" PRId64 "}", b->manifest.clock_ms);
}

/* One backup at a time into a directory. The lock is a file beside it, since
 * the directory itself is exchanged; it dies with its process. */
static int lock_target(struct backup *b, const char *path)
{
    enum { TRIES = 50 };
    int pid = 0, rc = -EAGAIN;
    for (int i = 0; i < TRIES && rc == -EAGAIN && pid == 0; i++)
        rc = os_owner_lock(path, true, &b->lock_fd, &pid);
    if (rc == -EAGAIN)
        return error_set(WARP_EBUSY,
                         "process %d makes a backup into %s: wait until it "
                         "has ended, or name another directory",
                         pid, b->target);
    /* Where there are no locks a backup is as good as its users' care. */
    if (rc == -ENOLCK || rc == -EOPNOTSUPP)
        return WARP_OK;
    return rc == 0 ? WARP_OK : error_os(rc, "cannot make", path);
}

static void unlock_target(struct backup *b, const char *path)
{
    uint64_t bytes = 0;
    if (b->lock_fd < 0)
        return;
    /* A file of that name that was there and holds something is not ours. */
    if (os_size(b->lock_fd, &bytes) == 0 && bytes == 0)
        os_unlink(path);
    os_owner_unlock(b->lock_fd, path);
}

static int make(struct backup *b)
{
    struct warp_db *db = b->db;
    struct disk_stat disk;
    struct ssd_stat ssd;
    int rc = check_target(b);
    if (rc == WARP_OK)
        rc = backup_remove(b->dir); /* of a backup that was interrupted */
    if (rc == WARP_OK && (rc = os_mkdir(b->dir)) < 0)
        rc = error_os(rc, "cannot make", b->dir);
    if (rc == WARP_OK)
        rc = ssd_stat(db->ssd, &ssd);
    if (rc == WARP_OK) {
        disk_stat(db->disk, &disk);
        /* The ssd tier is read twice: its sum is made of the copy. */
        b->total = disk.file_bytes + 2 * ssd.file_bytes + log_bytes(db->log);
        rc = copy_held(b);
    }
    if (rc == WARP_OK)
        rc = copy_rest(b);
    if (rc == WARP_OK)
        rc = check_copy(b); /* B6 */
    if (rc == WARP_OK)
        rc = replace(b);
    if (rc != WARP_OK && rc != WARP_EEXIST && !b->placed) {
        char text[1024];
        snprintf(text, sizeof text, "%s", error_text());
        (void)backup_remove(b->dir);
        error_set(rc, "%s", text);
    }
    return rc;
}

int backup_run(struct warp_db *db, const char *target, uint32_t keep,
               const struct progress *progress, struct text *reply)
{
    char lock[PATH_BYTES];
    struct backup *b = calloc(1, sizeof *b);
    if (!b)
        return error_set(WARP_ENOMEM, "out of memory for a backup");
    b->db = db;
    b->progress = progress;
    b->target = target;
    b->keep = keep;
    b->lock_fd = -1;
    b->checkpoints_run = true;
    memcpy(b->manifest.store_id, db->store_id, 16);
    snprintf(lock, sizeof lock, "%s.lock", target);
    int n = snprintf(b->dir, sizeof b->dir, "%s.new", target);
    int rc = n >= (int)sizeof b->dir - 64
                 ? error_set(WARP_EINVAL, "the path is too long: %s", target)
                 : lock_target(b, lock);
    if (rc == WARP_OK) {
        rc = make(b);
        unlock_target(b, lock);
    }
    if (rc == WARP_OK)
        say_result(b, reply);
    manifest_free(&b->manifest);
    manifest_free(&b->old);
    free(b);
    return rc;
}

int warp_backup(struct warp_db *db, const char *target)
{
    struct text reply = TEXT_INIT;
    if (!db || !target)
        return error_set(WARP_EINVAL, "warp_backup: NULL argument");
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    struct progress progress = {db->options.progress, db->options.progress_arg};
    int rc = backup_run(db, target, BACKUP_KEEP, &progress, &reply);
    text_free(&reply);
    return rc;
}
