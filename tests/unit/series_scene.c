/* series_scene.c: see series_scene.h. */
#include "series_scene.h"

static struct ssd *ssd;
static struct disk *disk;
struct archive *archive;
struct series *series;
struct budget budget;
static const uint8_t store_id[16] = "a store of tests";
static uint64_t seed = 88172645463325252u;

/* Field 0 keeps all in the directory, field 1 deletes after a day, field 2 goes
 * to the disk after a minute and to the archive after an hour. */
static const struct warp_retention day[] = {
    {.tier = WARP_TIER_MEMORY, .age_ms = 10 * MINUTE},
    {.tier = WARP_TIER_SSD, .age_ms = DAY}};
static const struct warp_retention far[] = {
    {.tier = WARP_TIER_MEMORY, .age_ms = MINUTE / 2},
    {.tier = WARP_TIER_SSD, .age_ms = MINUTE},
    {.tier = WARP_TIER_DISK, .age_ms = HOUR},
    {.tier = WARP_TIER_ARCHIVE, .age_ms = INT64_MAX}};
static const struct warp_field fields[FIELDS] = {
    {.name = "all", .flags = WARP_F_SERIES, .type = &warp_type_bytes},
    {.name = "day", .flags = WARP_F_SERIES | WARP_F_THEN_DELETE,
     .type = &warp_type_bytes, .retention = day, .retention_count = 2},
    {.name = "far", .flags = WARP_F_SERIES, .type = &warp_type_bytes,
     .retention = far, .retention_count = 4}};
static struct warp_product product = {
    .name = "P", .fields = fields, .field_count = FIELDS};
struct layout layout = {
    .desc = &product, .number = 0x0300, .id = 0x0300, .series = 7,
    .fields = {{.id = 0}, {.id = 1}, {.id = 2}}};
static struct layout *const layouts[] = {&layout};

struct element all[ELEMENTS_MAX];
uint32_t count;
uint64_t next_order = 1;

void layout_strategy(const struct warp_strategy *strategy)
{
    product.strategy = strategy;
}

void ok(int rc)
{
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

uint32_t below(uint32_t n)
{
    return (uint32_t)(scratch_random(&seed) % n);
}

/* Keys with zeros, keys that begin other keys, and one that is too long for the
 * table when it is escaped. */
struct key_ref key_of(uint32_t record)
{
    static _Thread_local uint8_t space[RECORDS][448];
    static const uint32_t bytes[RECORDS] = {1, 2, 3, 8, 448, 448};
    struct key_ref k = {space[record], bytes[record], &layout, 0};
    if (record == 4)
        memset(space[record], 'x', 448);
    space[record][0] = (uint8_t)(record < 3 ? 0 : record);
    return k;
}

uint32_t payload(const struct element *e, uint8_t *to)
{
    for (uint32_t i = 0; i < e->bytes; i++)
        to[i] = (uint8_t)(e->order * 31 + i);
    return e->bytes;
}

void append(const struct element *e)
{
    static _Thread_local uint8_t bytes[5000];
    struct key_ref key = key_of(e->record);
    struct series_room room;
    payload(e, bytes);
    ok(series_reserve(series, key.count, e->bytes, &room));
    series_append(series, &layout, e->field, &key, &room, e->at, e->order,
                  bytes, e->bytes);
    ck_assert(!room.append.group && !room.append.item);
}

void add(uint32_t record, uint32_t field, int64_t at)
{
    ck_assert_uint_lt(count, ELEMENTS_MAX);
    struct element *e = &all[count++];
    *e = (struct element){record, field, below(20) ? below(60) : below(5000),
                          at, next_order++ << 16 | below(3), false};
    append(e);
}

static uint64_t dropped[RECORDS];

void drop(uint32_t record)
{
    struct key_ref key = key_of(record);
    dropped[record] = next_order;
    ok(series_drop(series, &layout, &key, next_order << 16));
    for (uint32_t i = 0; i < count; i++)
        all[i].gone = all[i].gone || all[i].record == record;
    next_order++;
}

/* As a checkpoint: what is at or below the floor is in a flush that was
 * committed, and will not be replayed. */
static uint64_t floor_seq, floor_next;
bool settles;

struct ssd_txn *flush_begin(void)
{
    struct ssd_txn *txn;
    bool wrote;
    floor_next = next_order - 1;
    ok(ssd_begin(ssd, &txn));
    ok(series_flush(series, txn, &wrote));
    if (wrote)
        ok(disk_sync(disk));
    return txn;
}

void flush_end(struct ssd_txn *txn, bool commit)
{
    if (commit)
        ok(ssd_commit(&txn));
    else
        ssd_abort(&txn);
    if (!commit)
        disk_rollback(disk);
    series_flushed(series, !commit);
    if (commit && settles) {
        floor_seq = floor_next;
        series_settled(series, &floor_seq);
    }
    ok(disk_reclaim(disk));
    ok(archive_reclaim(archive));
}

void migrate(int64_t now)
{
    bool more = true;
    for (uint32_t steps = 0; more; steps++) {
        ok(series_migrate(series, now, true, &more, NULL));
        ck_assert_uint_lt(steps, 1000);
    }
    ok(disk_reclaim(disk));
    ok(archive_reclaim(archive));
}

struct series_stat stat_of(uint32_t field, int where)
{
    struct series_stat stat[3];
    ok(series_count(series, &layout, field, NULL, stat));
    return stat[where];
}

uint64_t elements(void)
{
    uint64_t n = 0;
    for (uint32_t f = 0; f < FIELDS; f++)
        for (int where = 0; where < 3; where++)
            n += stat_of(f, where).elements;
    return n;
}

static void bad(void *arg, const char *text)
{
    (void)arg;
    ck_abort_msg("%s", text);
}

static int64_t open_ms; /* the clock of an open */

uint32_t told; /* damages */

const char *scene_dir(void)
{
    return scratch_path;
}

static void tell_event(void *arg, int code, const char *text)
{
    (void)arg;
    ck_assert_int_eq(code, WARP_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(text, "damaged"));
    told++;
}

void open_all(void)
{
    char path[600];
    static const _Atomic bool never;
    ok(ssd_open(scratch_path, 64 << 20, false, NULL, NULL, &ssd));
    snprintf(path, sizeof path, "%s/disk", scratch_path);
    ok(os_mkdir(path));
    ok(disk_open(path, false, 0, NULL, NULL, &disk));
    snprintf(path, sizeof path, "%s/archive", scratch_path);
    ok(archive_open(path, store_id, false, NULL, NULL, &archive));
    struct series_config config = {
        .ssd = ssd, .disk = disk, .archive = archive, .budget = &budget,
        .layouts = layouts, .layout_count = 1, .shard_count = 1,
        .event = tell_event};
    ok(series_open(&config, &series));
    series_settled(series, &floor_seq);
    ok(series_recount(series, open_ms, &never));
    disk_recounted(disk);
    archive_recounted(archive);
}

void close_all(void)
{
    series_close(&series);
    ck_assert_ptr_null(series);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    archive_close(&archive);
    disk_close(&disk);
    ssd_close(&ssd);
}

void set_up(void)
{
    scratch();
    atomic_store(&budget.limit, UINT64_MAX);
    atomic_store(&budget.used, 0);
    count = 0;
    floor_seq = 0;
    settles = false;
    open_all();
}

void tear_down(void)
{
    ok(series_verify(series, bad, NULL));
    close_all();
    scratch_remove();
}

static int by_time(const void *a, const void *b)
{
    const struct element *x = *(struct element *const *)a;
    const struct element *y = *(struct element *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void check_range(uint32_t record, uint32_t field, int64_t from,
                        int64_t to, int64_t now)
{
    static struct element *want[ELEMENTS_MAX];
    static uint8_t bytes[5000];
    struct key_ref key = key_of(record);
    struct series_iter *it;
    const uint8_t *data;
    uint32_t wanted = 0, got;
    int64_t at;
    for (uint32_t i = 0; i < count; i++) {
        struct element *e = &all[i];
        if (e->record == record && e->field == field && !e->gone &&
            e->at >= from && e->at < to && (field != 1 || now - e->at < DAY))
            want[wanted++] = e;
    }
    qsort(want, wanted, sizeof *want, by_time);
    ok(series_range(series, &layout, field, &key, from, to, now, true,
                    &it));
    for (uint32_t i = 0; i < wanted; i++) {
        ok(series_next(it, &at, &data, &got));
        ck_assert_int_eq(at, want[i]->at);
        ck_assert_uint_eq(got, want[i]->bytes);
        payload(want[i], bytes);
        ck_assert(memcmp(bytes, data, got) == 0);
    }
    ck_assert_int_eq(series_next(it, &at, &data, &got), WARP_END);
    series_iter_close(&it);
    ck_assert_ptr_null(it);
}

void check_all(int64_t now)
{
    for (uint32_t r = 0; r < RECORDS; r++)
        for (uint32_t f = 0; f < FIELDS; f++)
            check_range(r, f, INT64_MIN, INT64_MAX, now);
}

/* What a crash leaves: the tiers, and the log above the floor. */
void crash(int64_t now)
{
    open_ms = now;
    close_all();
    open_all();
    for (uint32_t i = 0; i < count; i++)
        if (all[i].order >> 16 > floor_seq)
            append(&all[i]);
    for (uint32_t r = 0; r < RECORDS; r++)
        if (dropped[r] > floor_seq) {
            struct key_ref key = key_of(r);
            ok(series_drop(series, &layout, &key, dropped[r] << 16));
        }
}
