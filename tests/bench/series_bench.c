/* series_bench.c: what elements of series take, and what moving them costs:
 * series-bench [FILE.csv].
 *
 * First the bytes of an element in a chunk of columns against LZ4 over rows of
 * the same elements (blocks of 64 KiB), and the time to pack and unpack one: of
 * a sensor (a made-up one that walks like a real one), and of the accesses in a
 * CSV file with the columns time_s, key_u64, size, op. Then the time of an
 * append to a store, while elements stay where they are and while they move
 * through all tiers (the clock is the program's: a second of it is an hour). */
#include "compress.h"
#include "histogram.h"
#include "os.h"
#include "random.h"
#include "series_item.warp.h"
#include "series_pack.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4096, BLOCK_BYTES = 64 << 10, SOURCES = 200 };

static void die(const char *what)
{
    fprintf(stderr, "series-bench: %s: %s\n", what, warp_errmsg(NULL));
    exit(1);
}

/* ---- bytes ---- */

struct rows {
    struct series_item *items;
    uint8_t *bytes; /* all elements, each row_bytes long */
    uint32_t row_bytes;
    size_t count, room;
};

static void add_row(struct rows *r, int64_t at, const uint8_t *row)
{
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 1 << 16;
        r->items = realloc(r->items, r->room * sizeof *r->items);
        r->bytes = realloc(r->bytes, r->room * r->row_bytes);
        if (!r->items || !r->bytes)
            die("memory");
    }
    memcpy(r->bytes + r->count * r->row_bytes, row, r->row_bytes);
    r->items[r->count] =
        (struct series_item){at, r->count << 16, NULL, r->row_bytes};
    r->count++;
}

static double lz4_bytes(const struct rows *r)
{
    struct compress *c = NULL;
    static uint8_t to[BLOCK_BYTES + 1024];
    size_t all = r->count * r->row_bytes, sum = 0, stored = 0;
    if (compress_create(&c) != WARP_OK)
        die("memory");
    for (size_t at = 0; at < all; at += BLOCK_BYTES) {
        size_t n = all - at < BLOCK_BYTES ? all - at : BLOCK_BYTES;
        compress_block(c, WARP_COMPRESS_DEFAULT, r->bytes + at, n, to,
                       &stored);
        sum += stored;
    }
    compress_destroy(&c);
    return (double)sum / (double)r->count;
}

static void measure_bytes(const char *name, const struct warp_type *type,
                          struct rows *r)
{
    struct series_pack *pack = NULL;
    struct text packed = TEXT_INIT;
    struct series_item *out;
    size_t sum = 0;
    int64_t pack_ns = 0, unpack_ns = 0;
    if (series_pack_create(&pack) != WARP_OK)
        die("memory");
    for (size_t i = 0; i < r->count; i++)
        r->items[i].data = r->bytes + i * r->row_bytes;
    for (size_t at = 0; at < r->count; at += CHUNK) {
        uint32_t n = (uint32_t)(r->count - at < CHUNK ? r->count - at : CHUNK);
        text_clear(&packed);
        int64_t t0 = os_mono_ns();
        if (series_pack_items(pack, type, r->items + at, n, false,
                              WARP_COMPRESS_DEFAULT, &packed) != WARP_OK)
            die("packing");
        int64_t t1 = os_mono_ns();
        if (series_unpack_items(pack, type, (uint8_t *)packed.data,
                                packed.used, n, false, 0, n * r->row_bytes,
                                &out) != WARP_OK ||
            memcmp(out[n - 1].data, r->items[at + n - 1].data, r->row_bytes))
            die("unpacking");
        pack_ns += t1 - t0;
        unpack_ns += os_mono_ns() - t1;
        sum += packed.used;
    }
    double mine = (double)sum / (double)r->count, lz4 = lz4_bytes(r);
    printf("%-12s %8zu elements of %2u bytes: columns %5.2f, LZ4 over rows "
           "%5.2f bytes (%.0f %%); pack %.0f ns, unpack %.0f ns each\n",
           name, r->count, r->row_bytes, mine, lz4, 100 * mine / lz4,
           (double)pack_ns / (double)r->count,
           (double)unpack_ns / (double)r->count);
    series_pack_destroy(&pack);
    text_free(&packed);
}

/* ---- a sensor ---- */

static struct sb_point next_point(struct random *r, double *walk, int64_t at)
{
    *walk += ((double)random_below(r, 41) - 20) / 100;
    struct sb_point p = {
        .at = at,
        .celsius = floor((20 + *walk) * 100 + 0.5) / 100,
        .humidity = (float)(floor((45 + *walk * 2) * 10) / 10),
        .state = random_below(r, 500) == 0};
    return p;
}

static void sensor(void)
{
    static const struct warp_member members[] = {
        {"at", &warp_type_timestamp, 0, UINT32_MAX, 0},
        {"celsius", &warp_type_f64, 8, UINT32_MAX, 0},
        {"humidity", &warp_type_f32, 16, UINT32_MAX, 0},
        {"state", &warp_type_u8, 20, UINT32_MAX, 0}};
    static const struct warp_type type = {.name = "Point",
                                          .kind = WARP_T_STRUCT,
                                          .size = sizeof(struct sb_point),
                                          .wire_bytes = 21,
                                          .count = 4,
                                          .members = members};
    struct rows rows = {.row_bytes = 21};
    struct random r = random_seeded(1);
    double walk = 0;
    for (int64_t i = 0; i < 500000; i++) {
        /* Every ten seconds, some milliseconds late. */
        struct sb_point p =
            next_point(&r, &walk, 1700000000000 + i * 10000 +
                                      (int64_t)random_below(&r, 8));
        uint8_t row[21];
        memcpy(row, &p.at, 8);
        memcpy(row + 8, &p.celsius, 8);
        memcpy(row + 16, &p.humidity, 4);
        row[20] = p.state;
        add_row(&rows, p.at, row);
    }
    measure_bytes("sensor", &type, &rows);
    free(rows.items);
    free(rows.bytes);
}

/* ---- accesses from a file ---- */

static void accesses(const char *path)
{
    static const struct warp_member members[] = {
        {"at", &warp_type_timestamp, 0, UINT32_MAX, 0},
        {"key", &warp_type_u64, 8, UINT32_MAX, 0},
        {"size", &warp_type_u32, 16, UINT32_MAX, 0},
        {"write", &warp_type_bool, 20, UINT32_MAX, 0}};
    static const struct warp_type type = {.name = "Access",
                                          .kind = WARP_T_STRUCT,
                                          .size = 24,
                                          .wire_bytes = 21,
                                          .count = 4,
                                          .members = members};
    struct rows rows = {.row_bytes = 21};
    char line[200];
    FILE *f = fopen(path, "r");
    int64_t last = INT64_MIN;
    if (!f) {
        perror(path);
        exit(3);
    }
    while (fgets(line, sizeof line, f)) {
        double time;
        uint64_t key;
        uint32_t size;
        char op;
        uint8_t row[21];
        if (sscanf(line, "%lf,%" SCNu64 ",%" SCNu32 ",%c", &time, &key, &size,
                   &op) != 4)
            continue;
        int64_t at = (int64_t)(time * 1000);
        last = at > last ? at : last;
        memcpy(row, &last, 8);
        memcpy(row + 8, &key, 8);
        memcpy(row + 16, &size, 4);
        row[20] = op == 'w';
        add_row(&rows, last, row);
    }
    fclose(f);
    if (rows.count > 0)
        measure_bytes("accesses", &type, &rows);
    free(rows.items);
    free(rows.bytes);
}

/* ---- appends ---- */

static _Atomic int64_t clock_ms;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

static void appends(const char *dir, bool busy, double seconds)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_stat stat = WARP_STAT_INIT;
    struct histogram *h = calloc(1, sizeof *h);
    struct warp_db *db = NULL;
    struct random r = random_seeded(2);
    char path[600];
    double walk = 0;
    uint64_t n = 0;
    snprintf(path, sizeof path, "%s/%s", dir, busy ? "busy" : "calm");
    o.clock_ms = read_clock;
    o.checkpoint_every_ms = 500;
    o.sweep_every_ms = 100;
    atomic_store(&clock_ms, 1700000000000);
    if (!h || warp_open(path, &series_item_warp_schema, &o, &db) != WARP_OK)
        die("open");
    int64_t start = os_mono_ns(), now = start;
    for (; now - start < (int64_t)(seconds * 1e9); n++) {
        atomic_store(&clock_ms, 1700000000000 + (now - start) * 36 / 10000);
        struct sb_point p =
            next_point(&r, &walk, atomic_load(&clock_ms));
        uint32_t id = (uint32_t)random_below(&r, SOURCES);
        int64_t t0 = os_mono_ns();
        int rc = busy ? sb_source_busy_append(db, id, p)
                      : sb_source_calm_append(db, id, p);
        now = os_mono_ns();
        if (rc != WARP_OK)
            die("append");
        histogram_record(h, (uint64_t)(now - t0));
    }
    if (warp_checkpoint(db) != WARP_OK || warp_stat(db, &stat) != WARP_OK)
        die("stat");
    printf("appends, %s: %.2f M/s, p50 %.2f us, p99 %.2f us, p99.9 %.1f us; "
           "directory %.1f MB, disk %.1f MB, archive %.1f MB\n",
           busy ? "elements move" : "all stay   ",
           (double)n / seconds / 1e6,
           histogram_quantile(h, 0.5) / 1e3,
           histogram_quantile(h, 0.99) / 1e3,
           histogram_quantile(h, 0.999) / 1e3,
           (double)stat.ssd_bytes / 1e6, (double)stat.disk_bytes / 1e6,
           (double)stat.archive_bytes / 1e6);
    if (warp_close(&db) != WARP_OK)
        die("close");
    free(h);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/series-bench-XXXXXX", command[100];
    sensor();
    if (argc > 1)
        accesses(argv[1]);
    if (!mkdtemp(dir))
        die("mkdtemp");
    appends(dir, false, 8);
    appends(dir, true, 8);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0;
}
