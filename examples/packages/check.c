/* The store against the source: every field of every record, then the same
 * records by scan, by index, by column and along the graph. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(struct warp_str a, struct warp_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static size_t complain(struct warp_str name, const char *what)
{
    static unsigned said;
    if (said++ < 20)
        printf("  WRONG: %.*s: %s\n", (int)name.len, name.data, what);
    return 1;
}

static bool same_edges(const struct deb_package *got,
                       const struct source_package *wanted)
{
    static struct deb_dependency edges[SOURCE_EDGES_MAX];
    const struct deb_dependency *have = got->depends.data;
    uint32_t count = source_edges(wanted, edges);
    if (got->depends.count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!same(have[i].package, edges[i].package) ||
            !same(have[i].constraint, edges[i].constraint) ||
            have[i].relation != edges[i].relation ||
            have[i].choice != edges[i].choice)
            return false;
    return true;
}

/* The series has the event of the load, with the size of the text. */
static bool has_loaded_event(struct warp_db *db,
                             const struct source_package *wanted,
                             struct warp_arena *arena)
{
    struct warp_iter *iter = NULL;
    struct deb_event event;
    int64_t at_ms;
    bool found = false;
    if (deb_package_history_range(db, wanted->name, 0, INT64_MAX, &iter) !=
        WARP_OK)
        return false;
    while (deb_package_history_next(iter, &at_ms, &event, arena) == WARP_OK)
        found = found || (event.step == DEB_STEP_LOADED && at_ms == event.at &&
                          event.bytes == wanted->text.len);
    warp_iter_close(&iter);
    return found;
}

static size_t check_one(struct warp_db *db, const struct source_package *wanted,
                        bool restarted, struct warp_arena *arena)
{
    struct deb_package got;
    size_t wrong = 0;
    int rc = deb_package_get(db, wanted->name, DEB_PACKAGE_ALL, &got, arena);
    if (rc != WARP_OK)
        return complain(wanted->name, warp_errmsg(db));
    if (!same(got.version, wanted->version))
        wrong += complain(wanted->name, "version");
    if (got.installed_kib != wanted->installed_kib)
        wrong += complain(wanted->name, "installed_kib");
    if (got.priority != wanted->priority)
        wrong += complain(wanted->name, "priority");
    if (!same(got.section, wanted->section))
        wrong += complain(wanted->name, "section");
    if (!same(got.description, wanted->text))
        wrong += complain(wanted->name, "description");
    if (!same_edges(&got, wanted))
        wrong += complain(wanted->name, "depends");
    if (!has_loaded_event(db, wanted, arena))
        wrong += complain(wanted->name, "history");
    if (((got.have & DEB_PACKAGE_SESSION) == 0) != restarted ||
        deb_package_state(db, wanted->name, DEB_PACKAGE_SESSION) !=
            (restarted ? WARP_LOST : WARP_PRESENT))
        wrong += complain(wanted->name, "session");
    return wrong;
}

size_t check_records(struct warp_db *db, const struct source *source,
                     size_t count, bool restarted)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        wrong += check_one(db, &source->packages[i], restarted, &arena);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
    return wrong;
}

static size_t check_scan(struct warp_db *db, const struct source *source)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *iter = NULL;
    struct deb_package got;
    size_t at = 0, wrong = 0;
    int rc = deb_package_scan(db, NULL, DEB_PACKAGE_HOT, &iter);
    while (rc == WARP_OK) {
        rc = deb_package_next(iter, &got, &arena);
        if (rc != WARP_OK)
            break;
        if (at >= source->count || !same(got.name, source->packages[at].name) ||
            !same(got.version, source->packages[at].version))
            wrong += complain(got.name, "scan");
        at++;
        warp_arena_reset(&arena);
    }
    warp_iter_close(&iter);
    warp_arena_free(&arena);
    if (rc != WARP_END || at != source->count)
        wrong += complain(warp_str("scan"), "another number of records");
    printf("  scan: %zu records in key order\n", at);
    return wrong;
}

static size_t check_index(struct warp_db *db, const struct source *source)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    size_t wrong = 0;
    printf("  index:");
    for (int p = DEB_PRIORITY_UNKNOWN; p <= DEB_PRIORITY_EXTRA; p++) {
        struct warp_iter *iter = NULL;
        struct deb_package got;
        size_t found = 0, wanted = 0;
        int rc = deb_package_by_priority(db, (enum deb_priority)p,
                                         DEB_PACKAGE_PRIORITY, &iter);
        while (rc == WARP_OK) {
            rc = deb_package_next(iter, &got, &arena);
            if (rc == WARP_OK && (int)got.priority != p)
                wrong += complain(got.name, "index");
            found += rc == WARP_OK;
            warp_arena_reset(&arena);
        }
        warp_iter_close(&iter);
        for (size_t i = 0; i < source->count; i++)
            wanted += (int)source->packages[i].priority == p;
        if (rc != WARP_END || found != wanted)
            wrong += complain(warp_str("priority"), "index");
        printf(" %zu", found);
    }
    printf(" records by priority\n");
    warp_arena_free(&arena);
    return wrong;
}

static size_t check_column(struct warp_db *db, const struct source *source)
{
    uint64_t sum = 0, wanted = 0;
    size_t wrong = 0;
    for (uint32_t shard = 0; shard < CHECK_SHARDS; shard++) {
        struct warp_column column;
        if (deb_package_installed_kib_column(db, shard, &column) != WARP_OK)
            return complain(warp_str("installed_kib"), warp_errmsg(db));
        for (size_t i = 0; i < column.count; i++)
            if (column.have[i / 64] >> (i % 64) & 1)
                sum += *(const uint64_t *)((const char *)column.data +
                                           i * column.stride_bytes);
        warp_column_release(&column);
    }
    for (size_t i = 0; i < source->count; i++)
        wanted += source->packages[i].installed_kib;
    if (sum != wanted)
        wrong += complain(warp_str("installed_kib"), "column");
    printf("  column: %.1f GiB installed in all\n", (double)sum / (1 << 20));
    return wrong;
}

size_t check_views(struct warp_db *db, const struct source *source)
{
    return check_scan(db, source) + check_index(db, source) +
           check_column(db, source);
}

/* The walk keeps packages by their place in the source. */
struct walk {
    const struct source *source;
    unsigned char *seen;
    size_t *queue, count;
};

static void reach(struct walk *walk, struct warp_str name)
{
    const struct source_package *p = source_find(walk->source, name);
    size_t at = p != NULL ? (size_t)(p - walk->source->packages) : 0;
    if (p == NULL || walk->seen[at])
        return;
    walk->seen[at] = 1;
    walk->queue[walk->count++] = at;
}

static void follow(struct walk *walk, const struct deb_dependency *edges,
                   uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (edges[i].relation != DEB_RELATION_RECOMMENDS)
            reach(walk, edges[i].package);
}

/* Walks from the package at `start`; db NULL walks the source. */
static int walk_from(struct walk *walk, size_t start, struct warp_db *db)
{
    static struct deb_dependency edges[SOURCE_EDGES_MAX];
    struct warp_arena arena = WARP_ARENA_INIT;
    int rc = WARP_OK;
    walk->count = 0;
    memset(walk->seen, 0, walk->source->count);
    reach(walk, walk->source->packages[start].name);
    for (size_t i = 0; i < walk->count && rc == WARP_OK; i++) {
        const struct source_package *p =
            &walk->source->packages[walk->queue[i]];
        struct deb_package got;
        if (db == NULL) {
            follow(walk, edges, source_edges(p, edges));
            continue;
        }
        rc = deb_package_get(db, p->name, DEB_PACKAGE_DEPENDS, &got, &arena);
        if (rc == WARP_OK)
            follow(walk, got.depends.data, got.depends.count);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
    return rc;
}

size_t check_graph(struct warp_db *db, const struct source *source)
{
    static struct deb_dependency edges[SOURCE_EDGES_MAX];
    struct walk walk = {.source = source};
    size_t start = 0, wrong = 0;
    uint32_t most = 0;
    walk.seen = calloc(source->count, 1);
    walk.queue = calloc(source->count, sizeof *walk.queue);
    if (walk.seen == NULL || walk.queue == NULL) {
        wrong = complain(warp_str("graph"), "out of memory");
        goto out;
    }
    for (size_t i = 0; i < source->count; i++) {
        uint32_t count = source_edges(&source->packages[i], edges);
        if (count > most) {
            most = count;
            start = i;
        }
    }
    struct warp_str name = source->packages[start].name;
    if (walk_from(&walk, start, db) != WARP_OK)
        wrong += complain(name, warp_errmsg(db));
    size_t in_store = walk.count;
    if (walk_from(&walk, start, NULL) != WARP_OK || walk.count != in_store)
        wrong += complain(name, "graph");
    printf("  graph: %.*s needs %zu packages, directly or not\n", (int)name.len,
           name.data, in_store - 1);
out:
    free(walk.seen);
    free(walk.queue);
    return wrong;
}
