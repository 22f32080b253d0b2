/* The schema of the plan that Warp began with, as it was written there, and an
 * app that exercises each of its fields: writes them, opens the store again,
 * reads them back, and finds the ephemeral one lost.  seed STORE */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <warp/warp.h>

#include "seed.warp.h"

static int wrong;

static void expect(bool good, const char *what)
{
    printf("  %-58s %s\n", what, good ? "yes" : "NO");
    wrong += !good;
}

static bool is(struct warp_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static struct warp_db *open_store(const char *path)
{
    struct warp_db *db = NULL;
    if (warp_open(path, &seed_warp_schema, NULL, &db) != WARP_OK)
        fprintf(stderr, "seed: %s\n", warp_errmsg(NULL));
    return db;
}

static const int64_t first_ms = INT64_C(1700000000000);

static bool write_user(struct warp_db *db)
{
    struct warp_str friends[] = {warp_str("ada"), warp_str("grace"),
                                 warp_str("edsger")};
    struct warp_entry preferences[] = {
        {warp_str("language"), {.kind = WARP_STRING, .u.s = warp_str("en")}},
        {warp_str("volume"), {.kind = WARP_INT, .u.i = 11}},
    };
    struct warp_entry session[] = {
        {warp_str("page"), {.kind = WARP_STRING, .u.s = warp_str("/home")}},
    };
    struct high_performance_user user = {0};
    user.id = warp_str("alan");
    user.influence_score = 0.75;
    user.social_graph = (struct warp_list){friends, 3};
    user.archived_preferences = (struct warp_list){preferences, 2};
    user.session_data = (struct warp_list){session, 1};
    bool good = high_performance_user_put(db, &user,
                                          HIGH_PERFORMANCE_USER_ALL) == WARP_OK;
    for (int i = 0; i < 5; i++) {
        char event[32];
        snprintf(event, sizeof event, "event %d", i);
        good = good && high_performance_user_activity_history_append(
                           db, user.id, first_ms + i * 1000, warp_str(event)) ==
                           WARP_OK;
    }
    return good;
}

static void check_history(struct warp_db *db, struct warp_arena *arena)
{
    struct warp_iter *iter = NULL;
    struct warp_str event;
    int64_t at_ms;
    int found = 0;
    bool right = true;
    /* Half-open: the events 1, 2 and 3. */
    int rc = high_performance_user_activity_history_range(
        db, warp_str("alan"), first_ms + 1000, first_ms + 4000, &iter);
    while (rc == WARP_OK) {
        char wanted[32];
        rc = high_performance_user_activity_history_next(iter, &at_ms, &event,
                                                         arena);
        if (rc != WARP_OK)
            break;
        snprintf(wanted, sizeof wanted, "event %d", ++found);
        right = right && is(event, wanted) && at_ms == first_ms + found * 1000;
    }
    warp_iter_close(&iter);
    expect(rc == WARP_END && found == 3 && right,
           "activity_history: a range of the series, in order");
}

static bool has_preferences(struct warp_list map)
{
    const struct warp_entry *entry = map.data;
    return map.count == 2 && is(entry[0].key, "language") &&
           entry[0].value.kind == WARP_STRING && is(entry[0].value.u.s, "en") &&
           is(entry[1].key, "volume") && entry[1].value.kind == WARP_INT &&
           entry[1].value.u.i == 11;
}

static void check_user(struct warp_db *db, bool restarted)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct high_performance_user user;
    struct warp_str id = warp_str("alan");
    int rc = high_performance_user_get(db, id, HIGH_PERFORMANCE_USER_ALL, &user,
                                       &arena);
    expect(rc == WARP_OK && is(user.id, "alan"), "the record is there");
    if (rc == WARP_OK) {
        const struct warp_str *friends = user.social_graph.data;
        expect(user.influence_score == (restarted ? 1.0 : 0.75),
               "influence_score: gpu_memory, from its host column");
        expect(user.social_graph.count == 3 && is(friends[2], "edsger"),
               "social_graph: disk_compressed, a list");
        struct warp_summary graph;
        expect(high_performance_user_social_graph_summary(db, id, &graph) ==
                       WARP_OK &&
                   graph.count == 3 && graph.entropy_bits > 1.58 &&
                   graph.entropy_bits < 1.59,
               "social_graph: its count, and log2 3 bits of entropy");
        expect(has_preferences(user.archived_preferences),
               "archived_preferences: disk_only, a map");
        enum warp_state state = high_performance_user_state(
            db, id, HIGH_PERFORMANCE_USER_SESSION_DATA);
        bool there = (user.have & HIGH_PERFORMANCE_USER_SESSION_DATA) != 0;
        if (restarted)
            expect(!there && state == WARP_LOST,
                   "session_data: memory_only, LOST after a restart");
        else
            expect(there && state == WARP_PRESENT &&
                       user.session_data.count == 1,
                   "session_data: memory_only, there until the restart");
    }
    check_history(db, &arena);
    warp_arena_free(&arena);
}

static void check_add_and_ttl(struct warp_db *db)
{
    struct warp_str id = warp_str("alan");
    double now = 0;
    expect(high_performance_user_add_influence_score(db, id, 0.25, &now) ==
                   WARP_OK &&
               now == 1.0,
           "an atomic add");
    expect(high_performance_user_expire(db, id,
                                        HIGH_PERFORMANCE_USER_SESSION_DATA,
                                        warp_now(db) - 1) == WARP_OK &&
               high_performance_user_state(
                   db, id, HIGH_PERFORMANCE_USER_SESSION_DATA) == WARP_EXPIRED,
           "session_data: past its deadline it is EXPIRED");
    struct warp_entry entry = {warp_str("page"),
                               {.kind = WARP_BOOL, .u.b = true}};
    expect(high_performance_user_set_session_data(
               db, id, (struct warp_list){&entry, 1}) == WARP_OK,
           "and a write gives it a new life");
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "seed.store";
    struct warp_db *db = open_store(path);
    if (db == NULL)
        return 1;
    printf("written\n");
    expect(write_user(db), "every field is written");
    check_user(db, false);
    check_add_and_ttl(db);
    expect(warp_close(&db) == WARP_OK, "closed");

    db = open_store(path);
    if (db == NULL)
        return 1;
    printf("opened again\n");
    check_user(db, true);
    expect(warp_close(&db) == WARP_OK, "closed");
    return wrong != 0;
}
