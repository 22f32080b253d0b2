/* space.c: `warp-bench space`: records of text are written, some of them again,
 * then the engine compacts. What it takes on the disk for a record, and how
 * many bytes went to the device for each that a caller wrote. */
#include "space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "folder.h"
#include "kv_workload.h"
#include "option.h"
#include "process.h"
#include "random.h"

static const char help[] =
    "  warp-bench space\n"
    "  warp-bench space --records 200000 --value 1000 --updates 200000\n"
    "\n"
    "Writes records of a 16-byte key and text-like values to Warp (a field\n"
    "that is disk_compressed) and to RocksDB (LZ4), overwrites some at\n"
    "random, and lets each of them compact. Values are words of a vocabulary\n"
    "of 4,096, the frequent ones frequent.\n"
    "\n"
    "  --records N   200000\n"
    "  --value N     bytes in a value; 1000\n"
    "  --updates N   writes of records that are there already; 200000\n"
    "  --warp PATH   the tool that compacts; beside this program, else from\n"
    "                $PATH\n"
    "  --json FILE   write the results there as JSON too\n"
    "  --dir DIR     where stores are made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 done, 1 an engine failed or a value is not as written, 2\n"
    "usage, 3 a file could not be written\n";

enum { WORDS = 4096, WORD_BYTES = 12, PATH_BYTES = 4608 };

struct plan {
    uint64_t records, value, updates;
    const char *warp, *json, *dir;
};

struct figures {
    double written_bytes; /* by the caller */
    double device_bytes;  /* to devices, until the store was compact */
    double before_bytes, after_bytes; /* all that is on the disk */
    double log_bytes;                 /* of it afterwards: logs */
};

/* ---- text ---- */

static char words[WORDS][WORD_BYTES];

static void make_words(void)
{
    struct random r = random_seeded(7);
    for (int i = 0; i < WORDS; i++) {
        unsigned bytes = 2 + (unsigned)random_below(&r, WORD_BYTES - 3);
        for (unsigned k = 0; k < bytes; k++)
            words[i][k] = (char)('a' + random_below(&r, 26));
        words[i][bytes] = 0;
    }
}

/* The n-th text of a record. A word's rank is u^3: few make most of it. */
static void make_text(char *to, size_t bytes, uint64_t record, uint64_t n)
{
    struct random r = random_seeded(random_mix(record) + n);
    size_t used = 0;
    while (used < bytes) {
        uint64_t u = random_next(&r) >> 44; /* 20 bits */
        const char *word = words[(u * u >> 20) * u >> 28 & (WORDS - 1)];
        size_t size = strlen(word);
        if (size > bytes - used)
            size = bytes - used;
        memcpy(to + used, word, size);
        used += size;
        if (used < bytes)
            to[used++] = ' ';
    }
}

/* ---- one engine ---- */

/* How often each record was written is in `times`. */
static int write_all(const struct plan *plan, const struct engine *engine,
                     void *session, char *text, uint32_t *times)
{
    struct random r = random_seeded(11);
    unsigned char key[KV_KEY_BYTES];
    int rc = 0;
    for (uint64_t i = 0; i < plan->records + plan->updates && rc == 0; i++) {
        uint64_t record =
            i < plan->records ? i : random_below(&r, plan->records);
        kv_key(record, key);
        make_text(text, plan->value, record, times[record]++);
        rc = engine->put(session, key, text, plan->value);
    }
    return rc;
}

static int check_some(const struct plan *plan, const struct engine *engine,
                      void *session, char *text, uint32_t *times)
{
    unsigned char key[KV_KEY_BYTES];
    uint64_t step = plan->records / 10000 + 1;
    for (uint64_t i = 0; i < plan->records; i += step) {
        const void *value = NULL;
        size_t bytes = 0;
        kv_key(i, key);
        make_text(text, plan->value, i, times[i] - 1);
        if (engine->get(session, key, &value, &bytes) != 0 ||
            bytes != plan->value || memcmp(value, text, bytes) != 0) {
            fprintf(stderr, "warp-bench: %s: record %llu is not as it was\n",
                    engine->name, (unsigned long long)i);
            return -1;
        }
    }
    return 0;
}

/* Warp's log, its rings and what it keeps for a full disk: recycled, and
 * bounded by options, whatever the store holds. */
static double log_bytes_of(const char *dir)
{
    static const char *const names[] = {"log", "ring", "reserve"};
    char path[PATH_BYTES];
    struct stat stat_of;
    double bytes = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (stat(path, &stat_of) == 0)
            bytes += S_ISDIR(stat_of.st_mode)
                         ? folder_bytes(path)
                         : 512.0 * (double)stat_of.st_blocks;
    }
    return bytes;
}

/* Lets `work` use a session. */
static int with_session(const struct plan *plan, const struct engine *engine,
                        void *db, char *text, uint32_t *times,
                        int (*work)(const struct plan *, const struct engine *,
                                    void *, char *, uint32_t *))
{
    void *session = NULL;
    int rc = engine->session_open(db, 0, &session);
    if (rc != 0)
        return rc;
    rc = work(plan, engine, session, text, times);
    engine->session_close(session);
    return rc;
}

static int measure(const struct plan *plan, const struct engine *engine,
                   const char *dir, struct figures *f)
{
    struct engine_setup setup = {.dir = dir,
                                 .records = plan->records,
                                 .value_bytes = plan->value,
                                 .threads = 1,
                                 .text = true,
                                 .tool = plan->warp};
    char *text = malloc(plan->value + 1);
    uint32_t *times = calloc(plan->records, sizeof *times);
    uint64_t before = self_written_bytes();
    void *db = NULL;
    int rc = text && times ? engine->open(&setup, &db) : -1;
    if (rc == 0)
        rc = with_session(plan, engine, db, text, times, write_all);
    if (rc == 0) {
        f->before_bytes = folder_bytes(dir);
        rc = engine->compact(db);
    }
    if (rc == 0)
        rc = with_session(plan, engine, db, text, times, check_some);
    f->device_bytes = (double)(self_written_bytes() - before);
    if (db && engine->close(db) != 0)
        rc = -1;
    f->after_bytes = folder_bytes(dir);
    f->log_bytes = log_bytes_of(dir);
    f->written_bytes = (double)(plan->records + plan->updates) *
                       (double)(KV_KEY_BYTES + plan->value);
    free(text);
    free(times);
    return rc;
}

/* ---- report ---- */

static void print_row(const struct plan *plan, const char *name,
                      const struct figures *f, FILE *json, bool first)
{
    double records = (double)plan->records;
    printf("  %-10s %12.1f %12.1f %12.1f %12.2f\n", name,
           (f->after_bytes - f->log_bytes) / records, f->log_bytes / records,
           f->before_bytes / records, f->device_bytes / f->written_bytes);
    if (json)
        fprintf(json,
                "%s{\"name\":\"%s\",\"bytes_per_record\":%.1f,"
                "\"log_bytes_per_record\":%.1f,"
                "\"bytes_per_record_before\":%.1f,"
                "\"write_amplification\":%.3f}",
                first ? "" : ",\n", name,
                (f->after_bytes - f->log_bytes) / records,
                f->log_bytes / records, f->before_bytes / records,
                f->device_bytes / f->written_bytes);
}

static int run_all(const struct plan *plan, FILE *json)
{
    int status = 0;
    bool first = true;
    printf("%llu records of %llu bytes of text, %llu updates\n"
           "             bytes a record: after compaction        bytes to "
           "devices\n"
           "  engine             data         logs  all, before  a byte "
           "written\n",
           (unsigned long long)plan->records, (unsigned long long)plan->value,
           (unsigned long long)plan->updates);
    for (size_t i = 0; i < engine_count && status == 0; i++) {
        struct figures f = {0};
        char dir[FOLDER_PATH_BYTES];
        if (!engine_table[i]->compact)
            continue;
        if (folder_make(plan->dir, dir) != 0)
            return 3;
        status = measure(plan, engine_table[i], dir, &f) == 0 ? 0 : 1;
        folder_remove(dir);
        if (status != 0) {
            fprintf(stderr, "warp-bench: %s fails\n", engine_table[i]->name);
            break;
        }
        print_row(plan, engine_table[i]->name, &f, json, first);
        fflush(stdout);
        first = false;
    }
    return status;
}

/* `warp` beside this program, or from $PATH. */
static const char *find_warp(char path[PATH_BYTES])
{
    ssize_t bytes = readlink("/proc/self/exe", path, PATH_BYTES - 8);
    if (bytes > 0) {
        path[bytes] = 0;
        char *slash = strrchr(path, '/');
        if (slash) {
            strcpy(slash + 1, "warp");
            if (access(path, X_OK) == 0)
                return path;
        }
    }
    return "warp";
}

int space_main(int argc, char **argv)
{
    struct plan plan = {.records = 200000, .value = 1000, .updates = 200000};
    char beside[PATH_BYTES];
    int status;
    const struct option table[] = {
        {"--records", OPTION_NUMBER, 1, 1e9, &plan.records},
        {"--value", OPTION_NUMBER, 1, 1e6, &plan.value},
        {"--updates", OPTION_NUMBER, 0, 1e9, &plan.updates},
        {"--warp", OPTION_TEXT, 0, 0, &plan.warp},
        {"--json", OPTION_TEXT, 0, 0, &plan.json},
        {"--dir", OPTION_TEXT, 0, 0, &plan.dir},
        {0},
    };
    if (option_read(argc, argv, table, help, &status) != 0)
        return status;
    if (!plan.warp)
        plan.warp = find_warp(beside);
    if (access(plan.warp, X_OK) != 0 && !process_is_there(plan.warp)) {
        fputs("warp-bench: warp is not found; --warp names it\n", stderr);
        return 2;
    }
    make_words();
    FILE *json = plan.json ? fopen(plan.json, "w") : NULL;
    if (json)
        fputs("{\"rows\":[", json);
    status = run_all(&plan, json);
    if (json)
        fputs("]}\n", json);
    if (plan.json && (!json || fclose(json) != 0)) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan.json);
        return 3;
    }
    return status;
}
