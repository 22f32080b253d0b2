/* The shortest whole program: opens a store, writes a player, reads him back.
 * Run it twice: gold, place and portrait are there again, the mood is lost. */
#include <inttypes.h>
#include <stdio.h>
#include <warp/warp.h>

#include "hello.warp.h"

int main(int argc, char **argv)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_db *db = NULL;
    struct hello_player p;
    const char *path = argc > 1 ? argv[1] : "hello.store";

    if (warp_open(path, &hello_warp_schema, NULL, &db) != WARP_OK) {
        fprintf(stderr, "hello: %s\n", warp_errmsg(NULL));
        return 1;
    }
    int rc = hello_player_get(db, 7, HELLO_PLAYER_ALL, &p, &arena);
    if (rc == WARP_OK)
        printf("found: gold %" PRId64 ", at %g %g, %u bytes of portrait, "
               "mood %s\n",
               p.gold, (double)p.x, (double)p.y, (unsigned)p.portrait.len,
               p.have & HELLO_PLAYER_MOOD ? "kept" : "lost");
    else if (rc == WARP_ENOTFOUND)
        printf("a new player\n");

    if (rc == WARP_OK || rc == WARP_ENOTFOUND) {
        p = (struct hello_player){.id = 7, .x = 1, .y = 2, .mood = 3};
        p.portrait = warp_str("a face, a face, a face, a face");
        rc = hello_player_put(db, &p,
                              HELLO_PLAYER_X | HELLO_PLAYER_Y |
                                  HELLO_PLAYER_MOOD | HELLO_PLAYER_PORTRAIT);
    }
    if (rc == WARP_OK) /* atomic, and on the disk when it returns */
        rc = hello_player_add_gold(db, 7, 100, NULL);
    if (rc != WARP_OK)
        fprintf(stderr, "hello: %s\n", warp_errmsg(db));
    warp_arena_free(&arena);
    return warp_close(&db) != WARP_OK || rc != WARP_OK;
}
