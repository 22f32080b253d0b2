/* open.c: the parts of a store, from its files. */
#include "open.h"

#include "archive_where.h"
#include "checkpoint.h"
#include "claim.h"
#include "clock.h"
#include "coaccess.h"
#include "descriptor.h"
#include "error.h"
#include "evolve.h"
#include "evolve_past.h"
#include "far.h"
#include "forward.h"
#include "keeper.h"
#include "prefetch.h"
#include "rehome.h"
#include "relocate.h"
#include "replay.h"
#include "room.h"
#include "schema_load.h"
#include "secondary.h"
#include "series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- schema ---- */

static int read_file(const char *path, uint8_t **bytes, size_t *count)
{
    uint64_t size = 0;
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return fd == -ENOENT ? WARP_ENOSTORE
                             : error_os(fd, "cannot open", path);
    int64_t n = os_size(fd, &size);
    if (n == 0 && size <= DESCRIPTOR_BYTES_MAX)
        n = (*bytes = malloc(size + 1)) ? os_pread(fd, *bytes, size, 0)
                                        : -ENOMEM;
    os_close(fd);
    *count = size;
    if (*bytes && n == (int64_t)size)
        return WARP_OK;
    free(*bytes);
    *bytes = NULL;
    return n < 0 ? error_os((int)n, "cannot read", path)
                 : error_set(WARP_ECORRUPT, "%s: cannot be read whole", path);
}

/* The store's bytes are not the program's: is the structure? Else the store
 * takes a step to the program's schema. */
static int compare_schemas(struct warp_db *db, const char *path,
                           const uint8_t *bytes, size_t count)
{
    struct descriptor *theirs = NULL, *ours = NULL;
    struct descriptor_fault fault = {0, ""};
    char text[256] = "";
    int rc = descriptor_decode(bytes, count, &theirs, &fault), our_rc;
    if (rc != DESCRIPTOR_OK)
        rc = error_set(schema_code(rc), "%s: byte %zu: %s", path, fault.offset,
                       fault.what);
    else if ((our_rc = descriptor_decode(db->schema->descriptor,
                                         db->schema->descriptor_bytes, &ours,
                                         &fault)) == DESCRIPTOR_ENOMEM)
        rc = error_set(WARP_ENOMEM, "out of memory for the schema");
    else if (our_rc != DESCRIPTOR_OK)
        rc = error_set(WARP_EABI, "the generated descriptor of %s: byte %zu: "
                                  "%s; run warpc again",
                       db->schema->name, fault.offset, fault.what);
    else if (!descriptor_first_difference(theirs, ours, text, sizeof text))
        rc = WARP_OK;
    else if (db->read_only)
        rc = error_set(WARP_ESCHEMA,
                       "%s was written with another schema: %s; open it once "
                       "for writing, or with the schema in %s",
                       db->paths.store, text, path);
    else
        rc = evolve_begin(db, path, bytes, count);
    if (theirs)
        descriptor_destroy(&theirs);
    if (ours)
        descriptor_destroy(&ours);
    return rc;
}

int open_schema(struct warp_db *db, bool is_new)
{
    char path[DB_PATH_BYTES];
    uint8_t *bytes = NULL;
    size_t count = 0;
    int rc = catalog_read(db->ssd, CATALOG_NOW, &db->catalog);
    if (rc != WARP_OK)
        return rc;
    db->schema_version = db->catalog.version;
    if (is_new) {
        rc = evolve_write_schema(db, db->schema, db->schema_version);
        if (rc == WARP_OK && !db->read_only)
            evolve_forget(db);
        return rc == WARP_OK ? catalog_complete(&db->catalog, db->schema) : rc;
    }
    snprintf(path, sizeof path, "%s/%u.wsd", db->paths.schema,
             db->schema_version);
    rc = read_file(path, &bytes, &count);
    if (rc == WARP_ENOSTORE)
        return error_set(WARP_ECORRUPT, "%s is missing: restore it from a "
                                        "backup", path);
    if (rc == WARP_OK &&
        (count != db->schema->descriptor_bytes ||
         memcmp(bytes, db->schema->descriptor, count) != 0))
        rc = compare_schemas(db, path, bytes, count);
    free(bytes);
    if (rc == WARP_OK && !db->read_only)
        evolve_forget(db);
    return rc == WARP_OK ? catalog_complete(&db->catalog, db->schema) : rc;
}

/* ---- layouts ---- */

int open_layouts(struct warp_db *db)
{
    uint32_t n = db->schema->product_count, slots = 4;
    while (slots < n * 2 + 1)
        slots *= 2;
    if (n == 0 || n > 65535)
        return error_set(WARP_EINVAL, "schema %s has %u products",
                         db->schema->name, n);
    db->layouts = calloc(n, sizeof *db->layouts);
    db->by_desc = calloc(slots, sizeof *db->by_desc);
    if (!db->layouts || !db->by_desc)
        return error_set(WARP_ENOMEM, "out of memory for the schema");
    db->by_desc_mask = slots - 1;
    db->layout_count = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct warp_product *desc = db->schema->products[i];
        int rc = layout_make(desc, (uint16_t)i,
                             (uint8_t)db->options.survives, &db->layouts[i]);
        if (rc != WARP_OK)
            return rc;
        catalog_number(&db->catalog, db->layouts[i]);
        /* Who only looks needs no memory for all of it. */
        if (db->read_only)
            layout_unpin(db->layouts[i]);
        if (db->layouts[i]->movable)
            db->priorities |= 1u << db->layouts[i]->priority;
        if (db->layouts[i]->role[WARP_PHYSICS_MASS] != LAYOUT_NO_ROLE)
            db->weighed = true;
        uint32_t at = (uint32_t)((uintptr_t)desc >> 4) & db->by_desc_mask;
        while (db->by_desc[at].desc)
            at = (at + 1) & db->by_desc_mask;
        db->by_desc[at].desc = desc;
        db->by_desc[at].layout = db->layouts[i];
    }
    int rc = relocate_open(db);
    if (rc != WARP_OK)
        return rc;
    return evolve_past_open(db->ssd, db->disk, &db->archive, db->paths.schema,
                            (uint8_t)db->options.survives, db->schema,
                            db->layouts, n, &db->past);
}

/* ---- tiers ---- */

static void tier_event(void *arg, int code, const char *text)
{
    db_log(arg, WARP_LOG_WARNING, code, text);
}

/* A store that is made has it: a new one in its place would hide that. */
static int missing_ssd(const struct warp_db *db)
{
    char path[DB_PATH_BYTES];
    snprintf(path, sizeof path, "%s/data.mdb", db->paths.ssd);
    return os_exists(path) != 0
               ? WARP_OK
               : error_set(WARP_ECORRUPT,
                           "%s is missing: put it back, or restore a backup",
                           path);
}

int open_tiers(struct warp_db *db, bool is_new)
{
    uint64_t rows = 0, series = 0;
    int missing = is_new ? WARP_OK : missing_ssd(db);
    if (missing != WARP_OK)
        return missing;
    uint64_t map = db->options.ssd_map_bytes ? db->options.ssd_map_bytes
                                             : UINT64_C(1) << 40;
    int rc = ssd_open(db->paths.ssd, map, db->read_only, tier_event, db,
                      &db->ssd);
    if (rc == WARP_OK)
        rc = disk_open(db->paths.disk, db->read_only,
                       room_segment_bytes(db->paths.disk), tier_event, db,
                       &db->disk);
    if (rc == WARP_OK)
        rc = secondary_open(db->ssd, &db->budget, &db->secondary);
    if (rc == WARP_OK)
        rc = ssd_count(db->ssd, SSD_ROWS, &rows);
    if (rc == WARP_OK)
        rc = ssd_count(db->ssd, SSD_SERIES, &series);
    atomic_store(&db->loading, rows > 0 || series > 0);
    return rc;
}

static int rehome_archived(void *arg, const void *owner, size_t owner_bytes,
                           struct archive_place place, const void *value,
                           size_t bytes, uint32_t *marked)
{
    return rehome_value(arg, owner, owner_bytes, far_of_archive(place), value,
                        bytes, marked);
}

int open_series(struct warp_db *db)
{
    char path[ARCHIVE_WHERE_BYTES];
    int rc = archive_where(db->ssd, db->paths.store, db->options.archive_url,
                           db->store_id, !db->read_only, path);
    db->options.archive_url = NULL; /* the caller's memory */
    if (rc == WARP_OK)
        rc = claim_archive(db->store_id, db->paths.store, path,
                           !db->read_only);
    if (rc == WARP_OK && !(db->paths.archive = strdup(path)))
        rc = error_set(WARP_ENOMEM, "out of memory for paths");
    if (rc == WARP_OK)
        rc = archive_open(path, db->store_id, db->read_only, tier_event, db,
                          &db->archive);
    struct series_config config = {
        .ssd = db->ssd,
        .disk = db->disk,
        .archive = db->archive,
        .budget = &db->budget,
        .layouts = db->layouts,
        .layout_count = db->layout_count,
        .seed = db->seed,
        .shard_count = db->shard_count,
        .rehome = rehome_archived,
        .event = tier_event,
        .arg = db,
    };
    return rc == WARP_OK ? series_open(&config, &db->series) : rc;
}

int open_shards(struct warp_db *db)
{
    size_t bytes = db->shard_count * sizeof *db->shards;
    void *shards = NULL;
    db->floor_seq = calloc(db->shard_count, sizeof *db->floor_seq);
    if (!db->floor_seq || changed_open(&db->changed) != WARP_OK ||
        posix_memalign(&shards, 64, bytes) != 0)
        return error_set(WARP_ENOMEM, "out of memory for shards");
    memset(shards, 0, bytes);
    db->shards = shards;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        int rc = shard_init(&db->shards[i], db, i);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

/* ---- log ---- */

static int64_t log_clock(void *arg)
{
    struct warp_db *db = arg;
    return db->clock ? clock_now(db->clock) : 0;
}

static void log_event(void *arg, int code, const char *text)
{
    struct warp_db *db = arg;
    if (db->log && log_health(db->log) != WARP_OK)
        atomic_store(&db->health, log_health(db->log));
    db_log(db, code == WARP_OK ? WARP_LOG_INFO : WARP_LOG_ERROR, code, text);
}

static bool log_need_space(void *arg)
{
    struct warp_db *db = arg;
    db_wake_keeper(db); /* a checkpoint gives segments back */
    if (db->reserve_given)
        return false;
    db->reserve_given = true;
    return os_unlink(db->paths.reserve) == 0;
}

/* pinned: rows that must be in memory, as the last checkpoint counted them. */
static uint64_t memory_need(const struct warp_db *db, uint64_t pinned)
{
    enum { FIRST_BYTES = 64 << 10 }; /* of a shard's heap */
    uint64_t heaps = db->shard_count * (uint64_t)FIRST_BYTES;
    if (!db->read_only && pinned > heaps)
        heaps = pinned;
    return log_memory_bytes(db->log) + db_set_aside(db) + heaps +
           db->memory_max / 16; /* db_balance keeps that from the heaps */
}

static int check_memory(struct warp_db *db, uint64_t pinned)
{
    uint64_t limit = db->memory_max, need = memory_need(db, pinned);
    struct db_shares shares;
    if (need > limit) {
        /* What is set aside grows with the limit. */
        for (int i = 0; i < 64 && need > db->memory_max; i++) {
            db->memory_max = need;
            need = memory_need(db, pinned);
        }
        db->memory_max = limit;
        return error_set(WARP_ELIMIT,
                         "memory_max_bytes is %llu, the store's rows and "
                         "rings need %llu: raise it%s",
                         (unsigned long long)limit, (unsigned long long)need,
                         pinned == 0 ? ", or use smaller rings in a new store"
                                     : "");
    }
    db_shares(db, &shares);
    disk_cache_limit(db->disk, shares.cache_bytes);
    uint64_t fixed = log_memory_bytes(db->log) + db_set_aside(db);
    atomic_store(&db->ring_total, fixed);
    atomic_fetch_add(&db->budget.used, fixed);
    db_balance(db);
    return WARP_OK;
}

/* What the options ask for beyond what the store holds already. */
static void make_ready(struct warp_db *db)
{
    enum { RECORD_BYTES = 64 }; /* in memory, at least: more find no room */
    uint64_t each = db->options.ready_bytes / db->shard_count,
             records = db->options.ready_records,
             most = db->memory_max / RECORD_BYTES;
    records = (records < most ? records : most) / db->shard_count;
    for (uint32_t i = 0; i < db->shard_count && each + records > 0; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        if (heap_bytes(&s->heap) < each)
            heap_ready(&s->heap, each - heap_bytes(&s->heap));
        if (s->index.count < records)
            index_expect(&s->index, records);
        os_unlock(&s->lock);
    }
}

int open_log(struct warp_db *db, bool is_new)
{
    int64_t mark = 0, replayed_mark = 0;
    uint64_t replayed = 0;
    struct replay call = {.db = db};
    int rc = checkpoint_read(db->ssd, db->shard_count, db->floor_seq, &mark,
                             &db->pinned_before);
    if (rc != WARP_OK)
        return rc;
    struct log_options o = {
        .dir = db->paths.log,
        .ring_dir = db->paths.ring,
        .shards = db->shard_count,
        .ring_bytes = db->options.ring_bytes,
        .writes_in_flight = db->options.log_writes_in_flight,
        .sync_every_ms = db->options.sync_every_ms,
        .cpus = &db->background,
        .bytes_max = db->options.log_bytes_max,
        .fingerprint = db->schema->fingerprint,
        .read_only = db->read_only,
        .no_rings = db->is_backup && os_exists(db->paths.ring) != 1,
        .fresh = is_new,
        .floor_seq = db->floor_seq,
        .clock_ms = log_clock,
        .event = log_event,
        .arg = db,
        .need_space = log_need_space,
        .flushed = keeper_watch_log,
        .ahead = replay_ahead,
        .progress = replay_progress,
    };
    memcpy(o.store_id, db->store_id, sizeof o.store_id);
    rc = log_open(&o, &db->log);
    series_settled(db->series, db->floor_seq);
    if (rc == WARP_OK)
        rc = check_memory(db, db->pinned_before);
    if (rc == WARP_OK)
        rc = log_replay(db->log, replay_commit, &call, &replayed_mark,
                        &replayed);
    if (rc == WARP_OK && (call.strayed || atomic_load(&db->roamed)))
        rc = forward_rebuild(db);
    if (rc != WARP_OK)
        return rc;
    if (replayed_mark > mark)
        mark = replayed_mark;
    rc = clock_open(db->options.clock_ms, db->options.clock_arg, mark,
                    db->options.max_clock_step_ms, &db->clock);
    if (rc == WARP_OK && !db->read_only) {
        make_ready(db);
        rc = log_start(db->log);
    }
    return rc;
}

/* ---- partners ---- */

int open_partners(struct warp_db *db)
{
    bool learns = false;
    for (uint32_t i = 0; i < db->layout_count; i++)
        learns = learns || db->layouts[i]->learns;
    int rc = learns ? coaccess_create(&db->budget, db->memory_max,
                                      &db->coaccess)
                    : WARP_OK;
    return rc == WARP_OK && !db->read_only ? prefetch_start(db) : rc;
}
