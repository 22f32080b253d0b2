/* Loads package metadata into Warp, is killed by SIGKILL in the middle of it,
 * recovers, goes on, and verifies every record against the source. Then prints
 * where each field lives, bytes for each tier, compression and rates.
 *   packages SOURCE STORE     SOURCE is what `apt-cache dumpavail` prints
 * Ends with 0 when all is as it was written. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <warp/warp.h>

#include "check.h"
#include "packages.warp.h"
#include "source.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int fail(const char *what, const struct warp_db *db)
{
    fprintf(stderr, "packages: %s: %s\n", what, warp_errmsg(db));
    return -1;
}

static int open_store(const char *path, struct warp_db **db)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = CHECK_SHARDS;
    if (warp_open(path, &packages_warp_schema, &options, db) != WARP_OK)
        return fail(path, NULL);
    return 0;
}

static int load_one(struct warp_db *db, const struct source_package *p)
{
    static struct deb_dependency edges[SOURCE_EDGES_MAX];
    struct deb_package package = {0};
    struct deb_event event = {0};
    package.name = p->name;
    package.version = p->version;
    package.installed_kib = p->installed_kib;
    package.priority = p->priority;
    package.section = p->section;
    package.depends.data = edges;
    package.depends.count = source_edges(p, edges);
    package.description = p->text;
    package.session = (uint64_t)getpid();
    int rc = deb_package_put(db, &package, DEB_PACKAGE_ALL);
    if (rc != WARP_OK)
        return rc;
    event.at = warp_now(db);
    event.step = DEB_STEP_LOADED;
    event.bytes = p->text.len;
    return deb_package_history_append(db, p->name, event);
}

/* Loads packages[from .. to); *acked is always the number acknowledged. */
static int load(struct warp_db *db, const struct source *source, size_t from,
                size_t to, _Atomic size_t *acked)
{
    for (size_t i = from; i < to; i++) {
        if (load_one(db, &source->packages[i]) != WARP_OK)
            return fail("load", db);
        atomic_store(acked, i + 1);
        /* The mark of a load survives a power loss, and all before it. */
        if ((i + 1) % 1000 == 0 || i + 1 == source->count)
            if (deb_manifest_set_loaded(db, 1, i + 1) != WARP_OK)
                return fail("manifest", db);
    }
    return 0;
}

/* A child loads the first part of the source and dies by SIGKILL. */
static int load_and_die(const char *path, const struct source *source,
                        size_t part, _Atomic size_t *acked)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        struct warp_db *db = NULL;
        if (open_store(path, &db) == 0 && load(db, source, 0, part, acked) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGKILL) {
        fprintf(stderr, "packages: the first loader ended by itself\n");
        return -1;
    }
    return 0;
}

static int recover_and_finish(const char *path, const struct source *source,
                              _Atomic size_t *acked, size_t *wrong)
{
    struct warp_db *db = NULL;
    struct deb_manifest manifest;
    size_t before = *acked;
    double start = seconds();
    if (open_store(path, &db) != 0)
        return -1;
    printf("recovered in %.0f ms\n", (seconds() - start) * 1e3);
    *wrong += check_records(db, source, before, true);
    int rc = deb_manifest_get(db, 1, DEB_MANIFEST_ALL, &manifest, NULL);
    uint64_t mark = rc == WARP_OK ? manifest.loaded : 0;
    if (mark > before || mark + 1000 <= before)
        *wrong += 1;
    printf("  %zu acknowledged before the kill, all there: %s; the durable "
           "mark says %" PRIu64 "\n",
           before, *wrong == 0 ? "yes" : "NO", mark);

    start = seconds();
    rc = load(db, source, before, source->count, acked);
    double took = seconds() - start;
    if (rc == 0)
        printf("loaded the other %zu in %.2f s: %.0f records/s\n",
               source->count - before, took,
               (double)(source->count - before) / took);
    start = seconds();
    if (rc == 0 && warp_checkpoint(db) != WARP_OK)
        rc = fail("checkpoint", db);
    if (rc == 0)
        printf("checkpoint in %.2f s\n", seconds() - start);
    if (warp_close(&db) != WARP_OK)
        rc = fail("close", NULL);
    return rc;
}

/* How many of a thousand records have each field in memory. */
static void print_places(struct warp_db *db, const struct source *source)
{
    static const struct {
        const char *name, *policy;
        uint64_t bit;
    } fields[] = {
        {"version", "memory, critical", DEB_PACKAGE_VERSION},
        {"installed_kib", "memory, column", DEB_PACKAGE_INSTALLED_KIB},
        {"priority", "memory, indexed", DEB_PACKAGE_PRIORITY},
        {"section", "ssd", DEB_PACKAGE_SECTION},
        {"depends", "ssd", DEB_PACKAGE_DEPENDS},
        {"description", "disk_compressed, maximum", DEB_PACKAGE_DESCRIPTION},
        {"session", "memory_only, ttl 1h", DEB_PACKAGE_SESSION},
    };
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    struct warp_arena arena = WARP_ARENA_INIT;
    size_t resident[FIELDS] = {0}, lost[FIELDS] = {0};
    size_t sample = source->count < 1000 ? source->count : 1000;
    size_t step = source->count / sample;
    for (size_t i = 0; i < sample; i++) {
        struct deb_package got;
        struct warp_str name = source->packages[i * step].name;
        if (deb_package_get(db, name, DEB_PACKAGE_ALL | WARP_RESIDENT, &got,
                            &arena) != WARP_OK)
            continue;
        for (unsigned f = 0; f < FIELDS; f++) {
            resident[f] += (got.have & fields[f].bit) != 0;
            lost[f] += deb_package_state(db, name, fields[f].bit) == WARP_LOST;
        }
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
    printf("where each field lives, in %zu records after a restart\n", sample);
    printf("  %-14s %-28s %9s %9s %9s\n", "field", "policy", "in memory",
           "on disk", "lost");
    for (unsigned f = 0; f < FIELDS; f++)
        printf("  %-14s %-28s %9zu %9zu %9zu\n", fields[f].name,
               fields[f].policy, resident[f], sample - resident[f] - lost[f],
               lost[f]);
    printf("  %-14s %-28s %9s\n", "history", "temporal_tiering by age",
           "a series: its own calls");
}

static int print_tiers(struct warp_db *db, const struct source *source)
{
    struct warp_stat stat = WARP_STAT_INIT;
    uint64_t text_bytes = 0;
    if (warp_stat(db, &stat) != WARP_OK)
        return fail("stat", db);
    for (size_t i = 0; i < source->count; i++)
        text_bytes += source->packages[i].text.len;
    printf("bytes for each tier\n");
    printf("  memory  %12" PRIu64 "  (limit %" PRIu64 ")\n", stat.memory_bytes,
           stat.memory_max_bytes);
    printf("  log     %12" PRIu64 "\n", stat.log_bytes);
    printf("  ssd     %12" PRIu64 "\n", stat.ssd_bytes);
    printf("  disk    %12" PRIu64 "  (holds %" PRIu64 " of values)\n",
           stat.disk_bytes, stat.disk_live_bytes);
    printf("  archive %12" PRIu64 "\n", stat.archive_bytes);
    if (stat.disk_bytes > 0)
        printf("  descriptions: %" PRIu64 " bytes of text, compressed %.2f : "
               "1\n",
               text_bytes, (double)text_bytes / (double)stat.disk_bytes);
    return 0;
}

static int read_back(const char *path, const struct source *source,
                     size_t *wrong)
{
    struct warp_db *db = NULL;
    double start = seconds();
    if (open_store(path, &db) != 0)
        return -1;
    printf("opened again in %.0f ms\n", (seconds() - start) * 1e3);
    print_places(db, source);
    start = seconds();
    *wrong += check_records(db, source, source->count, true);
    double took = seconds() - start;
    printf("verified every field of %zu records in %.2f s: %.0f records/s\n",
           source->count, took, (double)source->count / took);
    *wrong += check_views(db, source);
    *wrong += check_graph(db, source);
    int rc = print_tiers(db, source);
    if (warp_close(&db) != WARP_OK)
        rc = fail("close", NULL);
    return rc;
}

int main(int argc, char **argv)
{
    struct source source;
    size_t wrong = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: packages SOURCE STORE\n");
        return 2;
    }
    if (source_read(argv[1], &source) != 0)
        return 3;
    printf("%zu packages in %s, %.1f MB", source.count, argv[1],
           (double)source.bytes / 1e6);
    printf(source.repeated > 0 ? " (%zu further versions left out)\n" : "\n",
           source.repeated);

    /* Shared with the child, so that its last word outlives it. */
    _Atomic size_t *acked = mmap(NULL, sizeof *acked, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc = acked == MAP_FAILED ? -1 : 0;
    double start = seconds();
    if (rc == 0)
        rc = load_and_die(argv[2], &source, source.count / 2 + 1, acked);
    if (rc == 0)
        printf("loaded %zu in %.2f s, then killed by SIGKILL\n", *acked,
               seconds() - start);
    if (rc == 0)
        rc = recover_and_finish(argv[2], &source, acked, &wrong);
    if (rc == 0)
        rc = read_back(argv[2], &source, &wrong);
    source_free(&source);
    if (rc == 0)
        printf("%s\n", wrong == 0 ? "everything is as it was written"
                                  : "SOMETHING IS WRONG");
    return rc != 0 || wrong != 0;
}
