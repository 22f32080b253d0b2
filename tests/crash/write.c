/* The process that is killed: movers of money (batches that survive a power
 * loss), a putter of every kind of field, an appender, a thread that puts and
 * deletes, and one that asks for checkpoints all the time. A writer counts an
 * operation after the call has returned, never before. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "crash.warp.h"

struct writer {
    struct warp_db *db;
    struct crash_acks *acks;
    unsigned index;
    unsigned seed;
};

static void stop(struct writer *w, const char *what)
{
    fprintf(stderr, "crash: %s: %s\n", what, warp_errmsg(w->db));
    _exit(3);
}

static void *move_money(void *argument)
{
    struct writer *w = argument;
    _Atomic uint64_t *acked = &w->acks->moved[w->index];
    const uint64_t me = MOVER + w->index;
    for (uint64_t n = *acked + 1;; n++) {
        struct warp_batch *batch = NULL;
        char note[160];
        uint64_t from = (uint64_t)rand_r(&w->seed) % ACCOUNTS;
        uint64_t to =
            (from + 1 + (uint64_t)rand_r(&w->seed) % (ACCOUNTS - 1)) % ACCOUNTS;
        snprintf(note, sizeof note, "%0140llu", (unsigned long long)n);
        if (warp_batch_begin(w->db, &batch) != WARP_OK)
            stop(w, "begin");
        if (crash_account_add_balance_in(batch, from, -3) != WARP_OK ||
            crash_account_add_balance_in(batch, to, 3) != WARP_OK ||
            crash_account_add_balance_in(batch, me, 1) != WARP_OK ||
            crash_account_set_stamp_in(batch, me, n) != WARP_OK ||
            crash_account_set_note_in(batch, me, warp_str(note)) != WARP_OK ||
            warp_batch_commit(&batch) != WARP_OK)
            stop(w, "move");
        atomic_store(acked, n);
    }
    return NULL;
}

static void *put_fields(void *argument)
{
    struct writer *w = argument;
    static char blob[8192];
    for (uint64_t n = w->acks->put + 1;; n++) {
        struct crash_account a = {0};
        char owner[16], note[64];
        snprintf(owner, sizeof owner, "owner%u", (unsigned)(n % OWNERS));
        snprintf(note, sizeof note, "note %llu", (unsigned long long)n);
        memset(blob, crash_byte(n), crash_blob_bytes(n));
        a.id = PUTTER;
        a.stamp = n;
        a.owner = warp_str(owner);
        a.note = warp_str(note);
        a.blob.data = blob;
        a.blob.len = crash_blob_bytes(n);
        a.mood = 1;
        if (crash_account_put(w->db, &a,
                              CRASH_ACCOUNT_STAMP | CRASH_ACCOUNT_OWNER |
                                  CRASH_ACCOUNT_NOTE | CRASH_ACCOUNT_BLOB |
                                  CRASH_ACCOUNT_MOOD) != WARP_OK)
            stop(w, "put");
        atomic_store(&w->acks->put, n);
    }
    return NULL;
}

static void *append(void *argument)
{
    struct writer *w = argument;
    for (uint64_t n = w->acks->appended + 1;; n++) {
        if (crash_account_trail_append(w->db, APPENDER, (int64_t)n, n * 3) !=
            WARP_OK)
            stop(w, "append");
        atomic_store(&w->acks->appended, n);
    }
    return NULL;
}

static void *put_and_delete(void *argument)
{
    struct writer *w = argument;
    for (uint64_t n = w->acks->slotted + 1;; n++) {
        uint64_t id = SLOT + n % SLOTS;
        int rc = crash_deletes(n) ? crash_account_delete(w->db, id)
                                  : crash_account_set_stamp(w->db, id, n);
        /* A delete that a kill cut off may be done already. */
        if (rc != WARP_OK && !(crash_deletes(n) && rc == WARP_ENOTFOUND))
            stop(w, "slot");
        atomic_store(&w->acks->slotted, n);
    }
    return NULL;
}

static void *checkpoint(void *argument)
{
    struct writer *w = argument;
    for (;;) {
        struct timespec pause = {0, rand_r(&w->seed) % 30 * 1000000};
        nanosleep(&pause, NULL);
        int rc = rand_r(&w->seed) % 4 == 0 ? warp_sync(w->db)
                                           : warp_checkpoint(w->db);
        if (rc != WARP_OK)
            stop(w, "checkpoint");
    }
    return NULL;
}

int crash_write(const char *path, struct crash_acks *acks, uint64_t seed)
{
    static void *(*const work[])(void *) = {move_money, put_fields, append,
                                            put_and_delete, checkpoint};
    enum { KINDS = sizeof work / sizeof work[0] };
    static struct writer writers[KINDS + MOVERS - 1];
    struct warp_db *db = NULL;
    pthread_t threads[KINDS + MOVERS - 1];
    unsigned count = 0;
    if (warp_open(path, &crash_warp_schema, NULL, &db) != WARP_OK) {
        fprintf(stderr, "crash: open: %s\n", warp_errmsg(NULL));
        return -1;
    }
    atomic_store(&acks->open, 1);
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < (kind == 0 ? MOVERS : 1); i++) {
            struct writer *w = &writers[count];
            *w = (struct writer){db, acks, i, (unsigned)(seed + count)};
            if (pthread_create(&threads[count++], NULL, work[kind], w) != 0)
                return -1;
        }
    pause();
    return -1;
}

int crash_make(const char *path)
{
    struct warp_db *db = NULL;
    int rc = warp_open(path, &crash_warp_schema, NULL, &db);
    for (uint64_t id = 0; id < ACCOUNTS && rc == WARP_OK; id++)
        rc = crash_account_set_balance(db, id, MONEY);
    for (uint64_t t = 0; t < MOVERS && rc == WARP_OK; t++) {
        struct crash_account a = {.id = MOVER + t, .note = warp_str("0")};
        rc = crash_account_put(db, &a,
                               CRASH_ACCOUNT_BALANCE | CRASH_ACCOUNT_STAMP |
                                   CRASH_ACCOUNT_NOTE);
    }
    if (rc != WARP_OK)
        fprintf(stderr, "crash: %s\n", warp_errmsg(db));
    return warp_close(&db) != WARP_OK || rc != WARP_OK ? -1 : 0;
}
