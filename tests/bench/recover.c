/* recover.c: `warp-bench recover`: a child fills a store and is killed with
 * signal 9; this process opens what it left, times the open and the first get,
 * and reads every record that was acknowledged. Beside it the memory that a
 * record takes in the child beyond its own bytes. */
#include "recover.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <warp/warp.h>

#include "folder.h"
#include "now.h"
#include "option.h"
#include "overhead.warp.h"
#include "process.h"
#include "random.h"

enum { ROW_BYTES = 64, KEY_BYTES = 8 }; /* of a Row */

static const char help[] =
    "  warp-bench recover\n"
    "  warp-bench recover --records 5000000\n"
    "\n"
    "A child process writes records of one hot row (64 bytes of values and a\n"
    "key of 8) and is killed with signal 9. Then: how long the open takes,\n"
    "the first get, when all rows are in memory, how many records a second\n"
    "were replayed, whether every one is there; and what memory a record\n"
    "took beyond its 72 bytes. The log was written past the kernel's page\n"
    "cache; it is read into it first, so that the disk is not measured.\n"
    "\n"
    "  --records N   1000000\n"
    "  --updates N   more writes of the same records, so that the log is\n"
    "                longer than the store; 0\n"
    "  --partial     those writes change one field of eight\n"
    "  --checkpoint  one before the updates and before the memory is looked\n"
    "                at: the list of what it must write is empty then, and\n"
    "                the updates alone are replayed, over rows on the disk\n"
    "  --cold        it is not: the open reads the log from the disk\n"
    "  --json FILE   write the results there as JSON too\n"
    "  --dir DIR     where the store is made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 done, 1 a record is missing or a call failed, 2 usage, 3\n"
    "a file could not be written\n";

struct plan {
    uint64_t records, updates;
    bool checkpoint, cold, partial;
    const char *json, *dir;
};

struct figures {
    double open_ms, first_get_ms, loaded_ms, ready_ms, memory_bytes, log_bytes;
};

static struct bench_row row_of(uint64_t id, uint64_t stamp)
{
    struct bench_row r = {.id = id, .a = stamp, .b = random_mix(id)};
    r.c = random_mix(stamp);
    r.h = id;
    return r;
}

/* Never returns: says so when all is acknowledged, and waits for its end. */
static void fill(const struct plan *plan, const char *dir, int out)
{
    struct warp_db *db = NULL;
    struct warp_stat stat = WARP_STAT_INIT;
    uint64_t told[2] = {0};
    uint64_t fields = plan->partial ? BENCH_ROW_A : BENCH_ROW_ALL;
    int rc = warp_open(dir, &overhead_warp_schema, NULL, &db);
    uint64_t before = self_memory_bytes();
    for (uint64_t i = 0; i < plan->records && rc == WARP_OK; i++) {
        struct bench_row r = row_of(i, 0);
        rc = bench_row_put(db, &r, BENCH_ROW_ALL);
    }
    if (rc == WARP_OK && plan->checkpoint)
        rc = warp_checkpoint(db);
    told[0] = self_memory_bytes() - before;
    for (uint64_t i = 0; i < plan->updates && rc == WARP_OK; i++) {
        struct bench_row r = row_of(random_mix(i) % plan->records, i + 1);
        rc = bench_row_put(db, &r, fields);
    }
    if (rc == WARP_OK)
        rc = warp_stat(db, &stat);
    told[1] = stat.log_bytes;
    if (rc != WARP_OK)
        fprintf(stderr, "warp-bench: recover: %s\n", warp_errmsg(db));
    else if (write(out, told, sizeof told) == (ssize_t)sizeof told)
        pause();
    _exit(1);
}

static int run_child(const struct plan *plan, const char *dir,
                     struct figures *figures)
{
    int ends[2], status = 0;
    uint64_t told[2] = {0};
    if (pipe(ends) != 0)
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        fill(plan, dir, ends[1]);
    }
    close(ends[1]);
    bool good = child > 0 && read(ends[0], told, sizeof told) ==
                                 (ssize_t)sizeof told;
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    close(ends[0]);
    figures->memory_bytes = (double)told[0] / (double)plan->records;
    figures->log_bytes = (double)told[1];
    return good ? 0 : -1;
}

static int check_all(struct warp_db *db, const struct plan *plan)
{
    for (uint64_t i = 0; i < plan->records; i++) {
        struct bench_row r;
        int rc = bench_row_get(db, i, BENCH_ROW_ALL, &r, NULL);
        if (rc != WARP_OK || r.h != i || r.b != random_mix(i)) {
            fprintf(stderr, "warp-bench: record %llu is not as it was\n",
                    (unsigned long long)i);
            return -1;
        }
    }
    return 0;
}

/* Into the page cache. */
static int warm(const char *dir)
{
    char path[FOLDER_PATH_BYTES + 300];
    static char part[1 << 20];
    snprintf(path, sizeof path, "%s/log", dir);
    DIR *log = opendir(path);
    int bad = log ? 0 : -1;
    for (struct dirent *e; log && (e = readdir(log)) != NULL;) {
        snprintf(path, sizeof path, "%s/log/%s", dir, e->d_name);
        FILE *file = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fread(part, 1, sizeof part, file) > 0)
            ;
        if (file && fclose(file) != 0)
            bad = -1;
    }
    if (log)
        closedir(log);
    return bad;
}

/* Rows that the log did not touch come into memory in the background. */
static int await_load(struct warp_db *db)
{
    const struct timespec ms = {0, 1000000};
    struct warp_stat stat = WARP_STAT_INIT;
    int rc = warp_stat(db, &stat);
    while (rc == WARP_OK && stat.loading) {
        nanosleep(&ms, NULL);
        rc = warp_stat(db, &stat);
    }
    return rc;
}

static int recover(const struct plan *plan, const char *dir,
                   struct figures *figures)
{
    struct warp_db *db = NULL;
    if (!plan->cold && warm(dir) != 0) {
        fprintf(stderr, "warp-bench: recover: cannot read the log\n");
        return -1;
    }
    struct bench_row r;
    uint64_t start = now_ns();
    int rc = warp_open(dir, &overhead_warp_schema, NULL, &db);
    figures->open_ms = (double)(now_ns() - start) * 1e-6;
    if (rc == WARP_OK)
        rc = bench_row_get(db, plan->records / 2, BENCH_ROW_ALL, &r, NULL);
    figures->first_get_ms = (double)(now_ns() - start) * 1e-6;
    if (rc == WARP_OK)
        rc = await_load(db);
    figures->loaded_ms = (double)(now_ns() - start) * 1e-6;
    if (rc != WARP_OK) {
        fprintf(stderr, "warp-bench: recover: %s\n", warp_errmsg(db));
        warp_close(&db);
        return -1;
    }
    int bad = check_all(db, plan);
    figures->ready_ms = (double)(now_ns() - start) * 1e-6;
    return warp_close(&db) == WARP_OK ? bad : -1;
}

static int report(const struct plan *plan, const struct figures *f)
{
    double writes =
        (double)(plan->updates + (plan->checkpoint ? 0 : plan->records));
    double rate = writes / f->open_ms * 1e3;
    printf("%llu records, %.0f writes to replay, a log of %.1f MB, kill -9\n"
           "  open               %10.1f ms\n"
           "  first get          %10.1f ms\n"
           "  all in memory      %10.1f ms\n"
           "  all read and right %10.1f ms\n"
           "  replayed           %10.2f M writes/s\n"
           "  memory             %10.1f bytes a record beyond its %d\n",
           (unsigned long long)plan->records, writes, f->log_bytes / 1e6,
           f->open_ms, f->first_get_ms, f->loaded_ms, f->ready_ms, rate / 1e6,
           f->memory_bytes - (ROW_BYTES + KEY_BYTES), ROW_BYTES + KEY_BYTES);
    FILE *file = plan->json ? fopen(plan->json, "w") : NULL;
    if (!plan->json)
        return 0;
    if (file)
        fprintf(file,
                "{\"records\":%llu,\"writes\":%.0f,\"log_bytes\":%.0f,"
                "\"open_ms\":%.2f,\"first_get_ms\":%.2f,"
                "\"loaded_ms\":%.2f,\"ready_ms\":%.2f,"
                "\"writes_per_s\":%.0f,\"memory_bytes_per_record\":%.1f}\n",
                (unsigned long long)plan->records, writes, f->log_bytes,
                f->open_ms, f->first_get_ms, f->loaded_ms, f->ready_ms, rate,
                f->memory_bytes);
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->json);
        return 3;
    }
    return 0;
}

int recover_main(int argc, char **argv)
{
    struct plan plan = {.records = 1000000};
    struct figures figures = {0};
    char dir[FOLDER_PATH_BYTES];
    int status;
    const struct option table[] = {
        {"--records", OPTION_NUMBER, 1, 1e9, &plan.records},
        {"--updates", OPTION_NUMBER, 0, 1e9, &plan.updates},
        {"--checkpoint", OPTION_FLAG, 0, 0, &plan.checkpoint},
        {"--cold", OPTION_FLAG, 0, 0, &plan.cold},
        {"--partial", OPTION_FLAG, 0, 0, &plan.partial},
        {"--json", OPTION_TEXT, 0, 0, &plan.json},
        {"--dir", OPTION_TEXT, 0, 0, &plan.dir},
        {0},
    };
    if (option_read(argc, argv, table, help, &status) != 0)
        return status;
    if (folder_make(plan.dir, dir) != 0)
        return 3;
    status = run_child(&plan, dir, &figures) == 0 &&
                     recover(&plan, dir, &figures) == 0
                 ? report(&plan, &figures)
                 : 1;
    folder_remove(dir);
    return status;
}
