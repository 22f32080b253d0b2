/* archived STORE ARCHIVE HAS MORE: appends MORE elements of yesterday to a
 * series that has HAS of them; then all must be there, wherever they are, also
 * when the store was closed and opened again. The archive's directory may be
 * one that cannot be written. */
#include <stdio.h>
#include <stdlib.h>

#include "crash.warp.h"

enum { TRACK = 1 };

static int failed(const char *what, struct warp_db *db)
{
    printf("%s: %s\n", what, warp_errmsg(db));
    return 1;
}

static int64_t first_ms(struct warp_db *db)
{
    return (warp_now(db) / 86400000 - 2) * 86400000;
}

static int append(struct warp_db *db, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++)
        if (crash_track_steps_append(db, TRACK, first_ms(db) + (int64_t)n,
                                     n * 3) != WARP_OK)
            return failed("append", db);
    return 0;
}

static int all_are_there(struct warp_db *db, uint64_t count)
{
    struct warp_iter *iter = NULL;
    struct warp_arena arena = WARP_ARENA_INIT;
    uint64_t n = 0, value = 0;
    int64_t at_ms;
    int rc = crash_track_steps_range_with(db, TRACK, INT64_MIN, INT64_MAX,
                                          WARP_ARCHIVE, &iter);
    for (; rc == WARP_OK; n++)
        if ((rc = crash_track_steps_next(iter, &at_ms, &value, &arena)) !=
                WARP_OK ||
            value != n * 3)
            break;
    warp_iter_close(&iter);
    warp_arena_free(&arena);
    if (rc == WARP_END && n == count)
        return 0;
    printf("element %llu of %llu: %llu, %s\n", (unsigned long long)n,
           (unsigned long long)count, (unsigned long long)value,
           warp_errmsg(db));
    return 1;
}

int main(int argc, char **argv)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    if (argc != 5)
        return 2;
    uint64_t has = strtoull(argv[3], NULL, 10);
    uint64_t more = strtoull(argv[4], NULL, 10);
    options.archive_url = argv[2];
    for (int round = 0; round < 2; round++) {
        if (warp_open(argv[1], &crash_warp_schema, &options, &db) != WARP_OK)
            return failed("open", NULL);
        int wrong = round == 0 ? append(db, has, has + more) : 0;
        wrong += all_are_there(db, has + more);
        if (wrong == 0 && warp_checkpoint(db) != WARP_OK)
            wrong = failed("checkpoint", db);
        if (warp_close(&db) != WARP_OK)
            return failed("close", NULL);
        if (wrong)
            return 1;
    }
    return 0;
}
