/* request_stat.c: counts by field and tier, and why a value is where it is, as
 * JSON. The names of a JSON member are part of what users' scripts read. */
#include "request.h"

#include "clock.h"
#include "error.h"
#include "hash.h"
#include "iter.h"
#include "look.h"
#include "migrate.h"
#include "series.h"

#include <stdlib.h>

static const char *const home_names[] = {
    "",     "memory", "memory_only",     "gpu_memory", "memory_computed",
    "ssd",  "disk",   "disk_compressed", "disk_only",  "temporal_tiering",
    "auto", "hybrid"};
static const char *const survives_names[] = {"default", "nothing",
                                             "process_crash", "power_loss"};
static const char *const tier_names[] = {"",    "memory", "gpu",
                                         "ssd", "disk",   "archive"};
static const char *const compression_names[] = {"by threshold", "none", "fast",
                                                "default", "maximum"};
static const char *const priority_names[] = {
    "", "background", "low", "normal", "high", "critical"};

#define NAME(table, n)                                                         \
    ((n) < sizeof(table) / sizeof(table)[0] ? (table)[n] : "?")

/* ---- stat ---- */

struct field_count {
    uint64_t count, lost, expired, elements;
    uint64_t memory, ssd, disk, archive, series;
};

static void count_record(const struct layout *l, const struct look *look,
                         struct field_count *fields)
{
    FOR_BITS(i, look->have)
    fields[i].count++;
    FOR_BITS(i, look->lost)
    fields[i].lost++;
    FOR_BITS(i, look->expired)
    fields[i].expired++;
    FOR_BITS(i, look->have & l->stored)
    {
        uint64_t bit = UINT64_C(1) << i;
        if (look->resident & bit)
            fields[i].memory += look->bytes[i];
        const struct disk_place *place = &look->place[i];
        if ((l->ssd & bit) && place->segment == 0 && !(look->unsaved & bit))
            fields[i].ssd += look->bytes[i];
        if (place->segment != 0)
            *(disk_place_archived(place) ? &fields[i].archive
                                         : &fields[i].disk) += place->bytes;
    }
}

static int count_series(struct warp_db *db, const struct layout *l,
                        const struct key_ref *key, uint64_t have,
                        struct field_count *fields)
{
    int rc = WARP_OK;
    FOR_BITS(i, have & l->series)
    {
        struct series_iter *it = NULL;
        const uint8_t *element;
        uint32_t bytes;
        int64_t at;
        rc = series_range(db->series, l, (uint32_t)i, key, INT64_MIN, INT64_MAX,
                          clock_now(db->clock), true, &it);
        while (rc == WARP_OK) {
            rc = series_next(it, &at, &element, &bytes);
            if (rc == WARP_OK) {
                fields[i].elements++;
                fields[i].series += bytes;
            }
        }
        if (it)
            series_iter_close(&it);
        if (rc != WARP_END)
            return rc;
        rc = WARP_OK;
    }
    return rc;
}

static int count_product(struct warp_db *db, const struct layout *l, bool deep,
                         uint64_t *records, struct field_count *fields)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    struct look look;
    int rc = warp_gen_scan(db, l->desc, NULL, 0, &it);
    while (rc == WARP_OK) {
        warp_arena_reset(&arena);
        void *out = warp_arena_alloc(&arena, l->desc->record_bytes);
        rc = out ? warp_gen_next(it, l->desc, out, &arena)
                 : error_set(WARP_ENOMEM, "out of memory for a count");
        if (rc != WARP_OK)
            break;
        const uint8_t *key = (const uint8_t *)it->key.data + 2;
        uint32_t bytes = (uint32_t)it->key.bytes - 2;
        struct key_ref ref = key_ref_of(db->seed, l, key, bytes);
        rc = look_at(db, l, &ref, &look);
        if (rc == WARP_OK && look.exists) {
            ++*records;
            count_record(l, &look, fields);
            if (deep)
                rc = count_series(db, l, &ref, l->series, fields);
        }
    }
    warp_iter_close(&it);
    warp_arena_free(&arena);
    rc = rc == WARP_END ? WARP_OK : rc;
    FOR_BITS(i, deep ? l->series : 0)
    {
        struct series_stat stat[3];
        if (rc == WARP_OK)
            rc = series_count(db->series, l, (uint32_t)i, NULL, stat);
        if (rc != WARP_OK)
            break;
        fields[i].ssd = stat[0].packed_bytes;
        fields[i].disk = stat[1].packed_bytes;
        fields[i].archive = stat[2].packed_bytes;
    }
    return rc;
}

static void say_field(struct text *t, const struct warp_field *f,
                      const struct field_count *c, bool deep)
{
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_string(t, "name", f->name);
    text_string(t, "persist", NAME(home_names, f->home));
    text_number(t, "count", c->count);
    text_number(t, "memory_bytes", c->memory);
    text_number(t, "ssd_bytes", c->ssd);
    text_number(t, "disk_bytes", c->disk);
    if ((f->flags & WARP_F_SERIES) && deep) {
        text_number(t, "elements", c->elements);
        text_number(t, "element_bytes", c->series);
    }
    if (c->archive || ((f->flags & WARP_F_SERIES) && deep))
        text_number(t, "archive_bytes", c->archive);
    if (c->lost)
        text_number(t, "lost", c->lost);
    if (c->expired)
        text_number(t, "expired", c->expired);
    text_put(t, "}");
}

/* Each device by its kind. */
static void add_devices(struct text *t, struct warp_db *db)
{
    const char *kind;
    uint64_t held, sent;
    for (uint32_t i = 0;
         db->device_stat && db->device_stat(db, i, &kind, &held, &sent); i++)
        text_say(t, ",\"%s\":{\"bytes\":%llu,\"sent_bytes\":%llu}", kind,
                 (unsigned long long)held, (unsigned long long)sent);
}

static int say_product(struct warp_db *db, const struct layout *l, bool deep,
                       struct text *t)
{
    struct field_count fields[56];
    uint64_t records = 0;
    memset(fields, 0, sizeof fields);
    int rc = count_product(db, l, deep, &records, fields);
    if (rc != WARP_OK)
        return rc;
    text_put(t, l->number ? ",{" : "{");
    text_string(t, "name", l->desc->name);
    text_number(t, "records", records);
    text_key(t, "fields");
    text_put(t, "[");
    for (uint32_t i = 0; i < l->desc->field_count && !t->failed; i++)
        if (!(l->keys >> i & 1))
            say_field(t, &l->desc->fields[i], &fields[i], deep);
    text_put(t, "]}");
    return WARP_OK;
}

int request_stat(struct warp_db *db, bool deep, struct text *t)
{
    struct warp_stat s = WARP_STAT_INIT;
    struct disk_stat disk = {0};
    int rc = warp_stat(db, &s);
    if (rc != WARP_OK)
        return rc;
    disk_stat(db->disk, &disk);
    text_put(t, "{");
    text_string(t, "schema", db->schema->name);
    text_number(t, "shards", db->shard_count);
    text_number(t, "records", s.records);
    text_key(t, "memory");
    text_say(t, "{\"bytes\":%llu,\"max_bytes\":%llu,\"loading\":%s}",
             (unsigned long long)s.memory_bytes,
             (unsigned long long)s.memory_max_bytes,
             s.loading ? "true" : "false");
    text_key(t, "ssd");
    text_say(t, "{\"bytes\":%llu}", (unsigned long long)s.ssd_bytes);
    text_key(t, "disk");
    text_say(t,
             "{\"bytes\":%llu,\"live_bytes\":%llu,\"raw_bytes\":%llu,"
             "\"segments\":%u}",
             (unsigned long long)s.disk_bytes,
             (unsigned long long)s.disk_live_bytes,
             (unsigned long long)disk.raw_bytes, disk.segments);
    text_key(t, "archive");
    text_say(t, "{\"bytes\":%llu}", (unsigned long long)s.archive_bytes);
    text_key(t, "device");
    text_say(t, "{\"bytes\":%llu,\"sent_bytes\":%llu",
             (unsigned long long)s.device_bytes,
             (unsigned long long)s.device_sent_bytes);
    add_devices(t, db);
    text_put(t, "}");
    text_key(t, "prefetch");
    text_say(t, "{\"brought\":%llu,\"used\":%llu,\"wasted\":%llu,"
                "\"off\":%s}",
             (unsigned long long)s.prefetched,
             (unsigned long long)s.prefetch_used,
             (unsigned long long)s.prefetch_wasted,
             s.prefetch_off ? "true" : "false");
    text_key(t, "placement_over_shards");
    text_say(t, "{\"moves\":%llu,\"away\":%llu,\"entropy\":%.3f,"
                "\"split_batches\":%llu}",
             (unsigned long long)s.shard_moves,
             (unsigned long long)s.records_away,
             (double)s.shards_entropy_permille / 1000,
             (unsigned long long)s.split_batches);
    text_key(t, "log");
    text_say(
        t,
        "{\"bytes\":%llu,\"max_bytes\":%llu,\"sync_lag_ms\":%llu,"
        "\"syncs\":%llu,\"writes_in_flight\":%llu,"
        "\"position\":%llu}",
        (unsigned long long)s.log_bytes, (unsigned long long)s.log_bytes_max,
        (unsigned long long)s.sync_lag_ms, (unsigned long long)s.sync_count,
        (unsigned long long)s.log_writes_in_flight,
        (unsigned long long)(db->read_only ? log_end_block(db->log)
                                           : log_next_block(db->log)));
    text_number(t, "checkpoints", s.checkpoints);
    text_number(t, "checkpoint_records", s.checkpoint_records);
    text_number(t, "checkpoint_ms", s.checkpoint_ms);
    text_number(t, "checkpoint_cpu_ms", s.checkpoint_cpu_ms);
    text_number(t, "sweep_lag_ms", s.sweep_lag_ms);
    text_number(t, "gets", s.gets);
    text_number(t, "puts", s.puts);
    text_number(t, "deletes", s.deletes);
    text_number(t, "batches", s.batches);
    text_number(t, "cold_reads", s.cold_reads);
    text_string(t, "health",
                s.health == WARP_OK ? "ok" : warp_strerror(s.health));
    text_key(t, "products");
    text_put(t, "[");
    for (uint32_t i = 0; i < db->layout_count && rc == WARP_OK; i++)
        rc = say_product(db, db->layouts[i], deep, t);
    text_put(t, "]}");
    return rc;
}

/* ---- explain ---- */

static const char *state_of(const struct layout *l, const struct look *look,
                            uint32_t i)
{
    uint64_t bit = UINT64_C(1) << i;
    if (!look->exists)
        return "absent";
    if (l->keys & bit)
        return "present";
    if (look->expired & bit)
        return "expired";
    if (look->have & bit)
        return "present";
    if (l->derived & bit)
        return "computed";
    return look->lost & bit ? "lost" : "absent";
}

/* Where the value is now: one name for each copy. */
static void say_where(struct text *t, const struct layout *l,
                      const struct look *look, uint32_t i)
{
    uint64_t bit = UINT64_C(1) << i;
    text_key(t, "where");
    text_put(t, "[");
    const char *comma = "";
    if (look->have & bit & look->resident) {
        text_put(t, "\"memory\"");
        comma = ",";
    }
    if ((look->have & bit & l->durable) && (look->unsaved & bit)) {
        text_say(t, "%s\"log\"", comma);
        comma = ",";
    }
    if ((look->have & bit & l->durable) && !(look->unsaved & bit)) {
        const struct disk_place *p = &look->place[i];
        bool archived = disk_place_archived(p);
        text_say(t, "%s\"%s\"", comma,
                 archived            ? "archive"
                 : p->segment != 0 ? "disk"
                                   : "ssd");
        if (archived)
            text_say(t, ",{\"segment\":%u,\"bytes\":%u}",
                     p->segment & ~DISK_ARCHIVED, p->bytes);
        else if (p->segment != 0)
            text_say(t,
                     ",{\"segment\":%u,\"block\":%u,\"offset\":%u,"
                     "\"bytes\":%u}",
                     p->segment, p->block, p->offset, p->bytes);
    }
    text_put(t, "]");
}

/* One sentence: the policy, and what follows from it now. */
static void say_why(struct text *t, const struct layout *l,
                    const struct look *look, uint32_t i)
{
    const struct warp_field *f = &l->desc->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    const char *why;
    if (l->keys & bit)
        why = "a key is in the index and in the directory of all keys";
    else if (look->lost & bit)
        why = "memory_only: it was written, and the process has restarted";
    else if (look->expired & bit)
        why = "its ttl has passed; memory is freed by the next sweep";
    else if (l->derived & bit)
        why = "it is computed from other fields, never stored";
    else if (l->series & bit)
        why = "elements move by their age, as retention says";
    else if (!(look->have & bit))
        why = "it was never written";
    else if (f->home == WARP_HOME_MEMORY_ONLY)
        why = "memory_only: no log, no tier; a restart loses it";
    else if (look->unsaved & bit)
        why = "it was written since the last checkpoint: the log holds it "
              "until the next one copies it to its tier";
    else if ((l->tiered & bit) && disk_place_archived(&look->place[i]) &&
             !(look->resident & bit))
        why = "it rested on disk longer than cold_to_archive says; a get reads "
              "it with WARP_ARCHIVE";
    else if ((l->tiered & bit) && !(look->resident & bit))
        why = "it was used less often than its strategy asks for, or memory "
              "was scarce; a get reads it where it is";
    else if (l->tiered & bit)
        why = "the engine places it by its use; memory has a copy";
    else if ((l->disk_only & bit) || !(look->resident & bit))
        why = "its policy keeps it on its tier; a get reads it there";
    else if (l->cold & bit)
        why = "its home is the tier; memory has a copy until it is scarce";
    else
        why = "its home is memory; the ssd tier holds the durable copy";
    text_string(t, "why", why);
}

static void say_policy(struct text *t, const struct warp_field *f,
                       const struct warp_db *db)
{
    uint8_t survives =
        f->survives ? f->survives : (uint8_t)db->options.survives;
    text_string(t, "persist", NAME(home_names, f->home));
    text_string(t, "survives", NAME(survives_names, survives));
    text_string(t, "compression", NAME(compression_names, f->compression));
    text_string(t, "priority", NAME(priority_names, f->priority));
    if (f->ttl_ms)
        text_number(t, "ttl_ms", (uint64_t)f->ttl_ms);
    if (f->retention_count == 0)
        return;
    text_key(t, "retention");
    text_put(t, "[");
    for (uint32_t i = 0; i < f->retention_count; i++) {
        text_say(t, "%s{\"tier\":\"%s\",\"age_ms\":", i ? "," : "",
                 NAME(tier_names, f->retention[i].tier));
        if (f->retention[i].age_ms == INT64_MAX)
            text_put(t, "null}");
        else
            text_say(t, "%lld}", (long long)f->retention[i].age_ms);
    }
    text_put(t,
             f->flags & WARP_F_THEN_DELETE ? ",{\"then\":\"delete\"}]" : "]");
}

/* Elements by the tier of their age, and by where they are. */
static int say_series(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key, uint32_t i, struct text *t)
{
    const struct warp_field *f = &l->desc->fields[i];
    uint64_t counts[8] = {0};
    struct series_iter *it = NULL;
    const uint8_t *element;
    uint32_t bytes;
    int64_t at, now = clock_now(db->clock);
    int rc =
        series_range(db->series, l, i, key, INT64_MIN, INT64_MAX, now, true,
                     &it);
    while (rc == WARP_OK) {
        uint32_t step = 0;
        rc = series_next(it, &at, &element, &bytes);
        if (rc != WARP_OK)
            break;
        while (step + 1 < f->retention_count && step < 7 &&
               f->retention[step].age_ms != INT64_MAX &&
               now - at >= f->retention[step].age_ms)
            step++;
        counts[step]++;
    }
    if (it)
        series_iter_close(&it);
    if (rc != WARP_END)
        return rc;
    text_key(t, "elements_by_age");
    text_put(t, "[");
    for (uint32_t step = 0; step < f->retention_count && step < 8; step++)
        text_say(t, "%s{\"tier\":\"%s\",\"count\":%llu}", step ? "," : "",
                 NAME(tier_names, f->retention[step].tier),
                 (unsigned long long)counts[step]);
    text_put(t, "]");
    struct series_stat stat[3];
    rc = series_count(db->series, l, i, key, stat);
    static const char *const where[] = {"ssd", "disk", "archive"};
    text_key(t, "elements_by_tier");
    text_put(t, "[");
    for (int n = 0; n < 3; n++)
        text_say(t, "%s{\"tier\":\"%s\",\"count\":%llu,\"bytes\":%llu}",
                 n ? "," : "", where[n], (unsigned long long)stat[n].elements,
                 (unsigned long long)stat[n].packed_bytes);
    text_put(t, "]");
    return rc;
}

/* Roles of the record's fields that have a say in where it is. */
static void say_physics(struct text *t, const struct layout *l,
                        const struct look *look)
{
    const char *comma = "";
    if (l->role[WARP_PHYSICS_MASS] == LAYOUT_NO_ROLE &&
        l->role[WARP_PHYSICS_TEMPORAL_WEIGHT] == LAYOUT_NO_ROLE &&
        l->role[WARP_PHYSICS_TEMPERATURE] == LAYOUT_NO_ROLE)
        return;
    text_key(t, "physics");
    text_put(t, "{");
    if (l->role[WARP_PHYSICS_MASS] != LAYOUT_NO_ROLE) {
        text_say(t, "\"mass\":%.9g,\"evictions_passed\":%u", look->mass,
                 look->passes);
        comma = ",";
    }
    if (l->role[WARP_PHYSICS_TEMPORAL_WEIGHT] != LAYOUT_NO_ROLE) {
        text_say(t, "%s\"half_life_windows\":%.9g", comma, look->half_life);
        comma = ",";
    }
    if (l->role[WARP_PHYSICS_TEMPERATURE] != LAYOUT_NO_ROLE)
        text_say(t, "%s\"temperature_uses\":%.9g", comma, look->temperature);
    text_put(t, "}");
}

int request_explain(struct warp_db *db, const struct layout *l,
                    const struct key_ref *key, uint32_t field, struct text *t)
{
    const struct warp_field *f = &l->desc->fields[field];
    uint64_t bit = UINT64_C(1) << field;
    struct look look;
    int rc = look_at(db, l, key, &look);
    if (rc != WARP_OK)
        return rc;
    if (!look.exists)
        return error_set(WARP_ENOTFOUND, "%s: no record has this key",
                         l->desc->name);
    text_put(t, "{");
    text_string(t, "product", l->desc->name);
    text_string(t, "field", f->name);
    text_string(t, "state", state_of(l, &look, field));
    say_where(t, l, &look, field);
    say_why(t, l, &look, field);
    if (look.have & bit & l->stored)
        text_number(t, "bytes", look.bytes[field]);
    text_number(t, "version", look.version);
    say_policy(t, f, db);
    if (look.deadlines[field])
        text_number(t, "deadline_ms", (uint64_t)look.deadlines[field]);
    if (look.deadline)
        text_number(t, "record_deadline_ms", (uint64_t)look.deadline);
    text_number(t, "now_ms", (uint64_t)clock_now(db->clock));
    say_physics(t, l, &look);
    if (l->roams)
        request_shard_explain(db, key, look.shard, t);
    if (l->series & bit)
        rc = say_series(db, l, key, field, t);
    migrate_explain(db, l, field, key->hash,
                    (look.have & look.resident & bit) != 0,
                    &look.place[field], t);
    if ((l->stored & bit) && (l->leaves_whole || (l->leaves & bit)))
        request_place_explain(db, l, key->hash, t);
    text_put(t, "}");
    return rc;
}
