/* A program that has a store open and writes to it until its input ends. Says
 * "ready" when a tool may ask. */
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <warp/warp.h>

#include "tool.warp.h"

static struct warp_db *db;
static _Atomic int stop;

static void *write_on(void *arg)
{
    char code[32], text[400];
    memset(text, 'x', sizeof text);
    for (uint64_t i = 0; !stop; i++) {
        struct shop_order o = {0};
        snprintf(code, sizeof code, "k%llu", (unsigned long long)(i % 5000));
        o.code = warp_str(code);
        o.number = i;
        o.delta = (int64_t)i;
        o.scan = (struct warp_str){text, sizeof text};
        if (shop_order_put(db, &o,
                           SHOP_ORDER_NUMBER | SHOP_ORDER_DELTA |
                               SHOP_ORDER_SCAN) != WARP_OK) {
            fprintf(stderr, "%s\n", warp_errmsg(db));
            exit(1);
        }
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t writer;
    char line[64];
    struct warp_options o = WARP_OPTIONS_INIT;
    o.checkpoint_every_ms = 200;
    setlocale(LC_ALL, "");
    if (argc < 2 || warp_open(argv[1], &tool_warp_schema, &o, &db) != WARP_OK)
        return 2;
    pthread_create(&writer, NULL, write_on, NULL);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        ;
    stop = 1;
    pthread_join(writer, NULL);
    if (argc > 2 && (warp_backup(db, argv[2]) != WARP_OK ||
                     warp_backup(db, argv[1]) != WARP_EEXIST)) {
        fprintf(stderr, "%s\n", warp_errmsg(db));
        return 1;
    }
    return warp_close(&db) != WARP_OK;
}
