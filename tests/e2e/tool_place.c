/* A program that has a store open whose records are more than its memory, and
 * has used some often and most once. Says "ready", ends with its input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <warp/warp.h>

#include "place.warp.h"

enum { RECORDS = 20000, HOT = 500, BYTES = 1000, ROUNDS = 36 };

static int get(struct warp_db *db, uint64_t id, struct warp_arena *arena)
{
    struct shelf_book b;
    warp_arena_reset(arena);
    return shelf_book_get(db, id, SHELF_BOOK_TEXT, &b, arena);
}

int main(int argc, char **argv)
{
    static char text[BYTES];
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_db *db = NULL;
    char line[64];
    o.shards = 4;
    o.ring_bytes = 65536;
    o.memory_max_bytes = 32 << 20;
    if (argc < 2 || warp_open(argv[1], &place_warp_schema, &o, &db) != WARP_OK)
        return 2;
    memset(text, 'b', sizeof text);
    for (uint64_t id = 0; id < RECORDS; id++) {
        struct shelf_book b = {.id = id, .text = {text, BYTES}};
        struct shelf_note n = {.id = id, .n = id};
        if (shelf_book_put(db, &b, SHELF_BOOK_TEXT) != WARP_OK ||
            shelf_note_put(db, &n, SHELF_NOTE_N) != WARP_OK) {
            fprintf(stderr, "%s\n", warp_errmsg(db));
            return 1;
        }
    }
    if (warp_checkpoint(db) != WARP_OK)
        return 1;
    for (uint64_t i = 0; i < (uint64_t)ROUNDS * HOT; i++)
        if (get(db, i % HOT, &arena) != WARP_OK ||
            get(db, HOT + i % (RECORDS - HOT), &arena) != WARP_OK) {
            fprintf(stderr, "%s\n", warp_errmsg(db));
            return 1;
        }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        ;
    warp_arena_free(&arena);
    return warp_close(&db) != WARP_OK;
}
