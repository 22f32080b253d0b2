/* A store whose owner dies: deadlines, elements, deletes and batches, on the
 * tiers, in the log alone, or in both. tool_repair STORE log|tiers|both|many */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/warp.h>

#include "repair.warp.h"

static struct warp_db *db;

#define DO(call)                                                               \
    do {                                                                       \
        if ((call) != WARP_OK) {                                               \
            fprintf(stderr, "line %d: %s\n", __LINE__, warp_errmsg(db));       \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static void tokens(uint64_t from)
{
    int64_t now = warp_now(db);
    for (uint64_t id = from; id < from + 4; id++) {
        struct r_token t = {.id = id, .secret = warp_str("s3cret"), .keep = 5};
        DO(r_token_put(db, &t, R_TOKEN_SECRET | R_TOKEN_KEEP));
    }
    DO(r_token_expire(db, from + 1, R_TOKEN_SECRET, now + 50));
    DO(r_token_expire(db, from + 2, R_TOKEN_SECRET, now + 7200000));
    DO(r_token_expire(db, from + 3, R_TOKEN_SECRET, now - 1));
    for (uint64_t id = from; id < from + 3; id++) {
        struct r_session s = {.id = id, .v = 9};
        struct r_ev e = {.at = now, .w = (int64_t)id};
        DO(r_session_put(db, &s, R_SESSION_V));
        DO(r_session_seen_append(db, id, e));
    }
    DO(r_session_expire(db, from + 1, 0, now + 50));
    DO(r_session_expire(db, from + 2, 0, now + 7200000));
}

static void paths(uint64_t from)
{
    struct warp_batch *b;
    int64_t now = warp_now(db);
    for (uint64_t id = from; id < from + 3; id++) {
        struct r_path p = {.id = id, .v = 3};
        DO(r_path_put(db, &p, R_PATH_V));
        for (int i = 0; i < 5; i++) {
            struct r_ev e = {.at = now - i / 2, .w = i};
            DO(r_path_ev_append(db, id, e));
        }
    }
    DO(r_path_delete(db, from + 1)); /* gone, with its elements */
    DO(r_path_delete(db, from + 2)); /* and made anew */
    struct r_ev e = {.at = now, .w = 77};
    DO(r_path_ev_append(db, from + 2, e));
    for (int i = 0; i < 10; i++)
        DO(r_count_add_n(db, from, 7, NULL));
    DO(r_count_set_there(db, from, 4));
    DO(r_count_set_big(db, from, warp_str("bigbig")));
    DO(r_count_set_n(db, from + 1, 1));
    DO(r_count_delete(db, from + 1));
    DO(warp_batch_begin(db, &b));
    DO(r_count_set_n_in(b, from + 2, 1));
    DO(r_count_add_n_in(b, from + 2, 5));
    DO(r_count_set_n_in(b, from + 3, 1));
    DO(r_count_delete_in(b, from + 3));
    DO(warp_batch_commit(&b));
}

int main(int argc, char **argv)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.sync_every_ms = 600000; /* the rings alone have it */
    if (argc < 3 ||
        warp_open(argv[1], &repair_warp_schema, &options, &db) != WARP_OK)
        return 2;
    tokens(1);
    paths(1);
    if (strcmp(argv[2], "log") != 0)
        DO(warp_checkpoint(db));
    if (strcmp(argv[2], "both") == 0) {
        tokens(3); /* some of them again */
        paths(3);
        tokens(11);
        paths(11);
    }
    if (strcmp(argv[2], "many") == 0) {
        for (uint64_t id = 100; id < 60100; id++)
            DO(r_count_set_n(db, id, (int64_t)id));
        DO(warp_checkpoint(db));
    }
    kill(getpid(), SIGKILL);
    return 1;
}
