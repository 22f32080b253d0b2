/* small DIR ROUNDS [SEED]: a store on a file system that is small. Several
 * threads write until there is no space; that error is the only one there may
 * be, and reads go on. Half of the rounds the process is killed there; then
 * all that was acknowledged must be in the store, deletes must make room and
 * writing must resume. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "crash.warp.h"

enum { WRITERS = 3, BLOB_MAX = 7000, SPACE = 1 << 20 };

/* Writer w puts records w * SPACE + 1, 2, …; the counter is the last one that
 * was acknowledged, refused how often there was no space. */
struct shared {
    _Atomic uint64_t acked[WRITERS], refused[WRITERS];
    _Atomic int strange; /* another error */
    char text[300];
};

struct writer {
    struct warp_db *db;
    struct shared *shared;
    unsigned index;
};

static uint32_t blob_bytes(uint64_t n)
{
    return (uint32_t)(n * 7919 % BLOB_MAX);
}

static void strange(struct shared *shared, struct warp_db *db, const char *what,
                    int rc)
{
    if (atomic_exchange(&shared->strange, 1) == 0)
        snprintf(shared->text, sizeof shared->text, "%s: %d, %s", what, rc,
                 warp_errmsg(db));
}

static void *write_until_full(void *argument)
{
    struct writer *w = argument;
    char blob[BLOB_MAX];
    uint64_t n = w->shared->acked[w->index] + 1;
    for (; w->shared->refused[w->index] < 20 && w->shared->strange == 0; n++) {
        struct crash_account a = {.id = w->index * SPACE + n, .stamp = n};
        memset(blob, crash_byte(n), sizeof blob);
        a.blob.data = blob;
        a.blob.len = blob_bytes(n);
        int rc = crash_account_put(w->db, &a,
                                   CRASH_ACCOUNT_STAMP | CRASH_ACCOUNT_BLOB);
        if (rc == WARP_OK) {
            atomic_store(&w->shared->acked[w->index], n);
        } else if (rc == WARP_ENOSPC) {
            n--; /* the same again */
            atomic_fetch_add(&w->shared->refused[w->index], 1);
        } else {
            strange(w->shared, w->db, "put", rc);
        }
    }
    return NULL;
}

static void *ask_for_checkpoints(void *argument)
{
    struct writer *w = argument;
    for (int i = 0; i < 40 && w->shared->strange == 0; i++) {
        struct timespec pause = {0, 25 * 1000000};
        nanosleep(&pause, NULL);
        int rc = warp_checkpoint(w->db);
        if (rc != WARP_OK && rc != WARP_ENOSPC)
            strange(w->shared, w->db, "checkpoint", rc);
    }
    return NULL;
}

/* In a child: fills the store, then closes it or waits to be killed. */
static void fill(const char *path, struct shared *shared, bool killed)
{
    struct writer writers[WRITERS + 1];
    pthread_t threads[WRITERS + 1];
    struct warp_db *db = NULL;
    int rc = warp_open(path, &crash_warp_schema, NULL, &db);
    if (rc != WARP_OK) {
        strange(shared, NULL, "open", rc);
        _exit(1);
    }
    for (unsigned i = 0; i <= WRITERS; i++) {
        writers[i] = (struct writer){db, shared, i};
        if (pthread_create(&threads[i], NULL,
                           i < WRITERS ? write_until_full : ask_for_checkpoints,
                           &writers[i]) != 0)
            _exit(2);
    }
    for (unsigned i = 0; i <= WRITERS; i++)
        pthread_join(threads[i], NULL);
    if (killed)
        raise(SIGKILL);
    /* A close that finds no room for its checkpoint says so; the log stays. */
    rc = warp_close(&db);
    if (rc != WARP_OK && rc != WARP_ENOSPC)
        strange(shared, NULL, "close", rc);
    _exit(0);
}

static int check_record(struct warp_db *db, uint64_t id, uint64_t n,
                        struct warp_arena *arena)
{
    struct crash_account a;
    int rc = crash_account_get(db, id, CRASH_ACCOUNT_STAMP | CRASH_ACCOUNT_BLOB,
                               &a, arena);
    bool good = rc == WARP_OK && a.stamp == n && a.blob.len == blob_bytes(n);
    for (uint32_t i = 0; good && i < a.blob.len; i++)
        good = a.blob.data[i] == crash_byte(n);
    warp_arena_reset(arena);
    if (!good)
        printf("  record %llu: %s\n", (unsigned long long)id,
               rc == WARP_OK ? "another value" : warp_errmsg(db));
    return good ? 0 : 1;
}

/* All is there; then nearly all is deleted, and there is room again. */
static int check(const char *path, struct shared *shared)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_db *db = NULL;
    int wrong = 0, rc = warp_open(path, &crash_warp_schema, NULL, &db);
    if (rc != WARP_OK) {
        printf("  open: %s\n", warp_errmsg(NULL));
        return 1;
    }
    for (unsigned w = 0; w < WRITERS; w++)
        for (uint64_t n = 1; n <= shared->acked[w] && wrong < 5; n++)
            wrong += check_record(db, w * SPACE + n, n, &arena);
    for (unsigned w = 0; w < WRITERS; w++) {
        for (uint64_t n = 1; n <= shared->acked[w] + 1 && wrong < 5; n++) {
            rc = crash_account_delete(db, w * SPACE + n);
            if (rc != WARP_OK &&
                !(rc == WARP_ENOTFOUND && n > shared->acked[w])) {
                printf("  delete: %s\n", warp_errmsg(db));
                wrong++;
            }
        }
        shared->acked[w] = 0;
        shared->refused[w] = 0;
    }
    rc = warp_checkpoint(db);
    struct crash_account again = {.id = 1, .stamp = 1};
    if (rc != WARP_OK ||
        crash_account_put(db, &again, CRASH_ACCOUNT_STAMP) != WARP_OK) {
        printf("  writing does not resume: %s\n", warp_errmsg(db));
        wrong++;
    }
    warp_arena_free(&arena);
    if (warp_close(&db) != WARP_OK) {
        printf("  close: %s\n", warp_errmsg(NULL));
        wrong++;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    char path[4200];
    if (argc < 3)
        return 2;
    int rounds = atoi(argv[2]), wrong = 0;
    uint64_t acked = 0;
    snprintf(path, sizeof path, "%s/store", argv[1]);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    for (int round = 0; round < rounds && wrong == 0; round++) {
        int status = 0;
        bool killed = round % 2 == 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            fill(path, shared, killed);
        if (pid < 0 || waitpid(pid, &status, 0) != pid ||
            WIFSIGNALED(status) != killed)
            wrong++;
        if (shared->strange != 0) {
            printf("  %s\n", shared->text);
            wrong++;
        }
        for (unsigned w = 0; w < WRITERS; w++) {
            acked += shared->acked[w];
            if (shared->refused[w] == 0) {
                printf("  the file system is not small\n");
                wrong++;
            }
        }
        wrong += check(path, shared);
    }
    printf("%d rounds on a full file system, %llu records acknowledged, %d "
           "wrong\n",
           rounds, (unsigned long long)acked, wrong);
    return wrong != 0;
}
