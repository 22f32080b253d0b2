/* store ROUNDS [SEED]: damaged stores. Makes two stores, one closed and one
 * killed, and in each round damages one file of a copy (a bit, some bytes, a
 * page of zeroes, a cut) and lets a child open it and read every record in
 * every way. It may be refused, a read may fail with a code; a value may not
 * be wrong and nothing may crash or hang. Of the closed store nothing may be
 * missing without an error either; of the killed one only what a damaged log
 * held. Prints its seed and the damage; the same seed does the same again. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <warp/warp.h>

#include "crash.warp.h"
#include "random.h"

enum {
    RECORDS = 300,
    FILES_MAX = 256,
    SECONDS_MAX = 60,
    EXIT_WRONG = 9,
    EXIT_MISSING = 10,
    EXIT_REFUSED = 11,
    EXIT_ERRORS = 12
};

static struct random dice;
static char root[256];

static uint32_t blob_bytes(uint64_t id)
{
    return (uint32_t)(id * 37 % 5000);
}

static int open_store(const char *path, struct warp_db **db)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = 4;
    options.ring_bytes = 64 << 10;
    return warp_open(path, &crash_warp_schema, &options, db);
}

static int put_one(struct warp_db *db, uint64_t id)
{
    static char blob[8192];
    char owner[16], note[64];
    struct crash_account a = {.id = id, .balance = (int64_t)id * 3};
    snprintf(owner, sizeof owner, "o%llu", (unsigned long long)(id % 5));
    snprintf(note, sizeof note, "the note of %llu", (unsigned long long)id);
    memset(blob, (int)('a' + id % 26), sizeof blob);
    a.stamp = id * 7;
    a.owner = warp_str(owner);
    a.note = warp_str(note);
    a.blob.data = blob;
    a.blob.len = blob_bytes(id);
    int rc = crash_account_put(db, &a,
                               CRASH_ACCOUNT_BALANCE | CRASH_ACCOUNT_STAMP |
                                   CRASH_ACCOUNT_OWNER | CRASH_ACCOUNT_NOTE |
                                   CRASH_ACCOUNT_BLOB);
    for (int64_t i = 1; i <= 3 && rc == WARP_OK; i++)
        rc = crash_account_trail_append(db, id, i, id + (uint64_t)i);
    return rc;
}

/* Half of it goes through a checkpoint, the rest stays in the log of a store
 * that is killed. */
static int make(const char *path, bool closed)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct warp_db *db = NULL;
        int rc = open_store(path, &db);
        for (uint64_t id = 1; id <= RECORDS && rc == WARP_OK; id++) {
            rc = put_one(db, id);
            if (id == RECORDS / 2 && rc == WARP_OK)
                rc = warp_checkpoint(db);
        }
        if (rc == WARP_OK && !closed)
            raise(SIGKILL);
        if (rc != WARP_OK)
            fprintf(stderr, "store: %s\n", warp_errmsg(db));
        _exit(rc == WARP_OK && warp_close(&db) == WARP_OK ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return closed ? status : !(WIFSIGNALED(status));
}

static bool is(struct warp_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static bool right(const struct crash_account *a)
{
    char owner[16], note[64];
    snprintf(owner, sizeof owner, "o%llu", (unsigned long long)(a->id % 5));
    snprintf(note, sizeof note, "the note of %llu", (unsigned long long)a->id);
    if (a->id == 0 || a->id > RECORDS)
        return false;
    if ((a->have & CRASH_ACCOUNT_BALANCE) && a->balance != (int64_t)a->id * 3)
        return false;
    if ((a->have & CRASH_ACCOUNT_STAMP) && a->stamp != a->id * 7)
        return false;
    if ((a->have & CRASH_ACCOUNT_OWNER) && !is(a->owner, owner))
        return false;
    if ((a->have & CRASH_ACCOUNT_NOTE) && !is(a->note, note))
        return false;
    if ((a->have & CRASH_ACCOUNT_BLOB) && a->blob.len != blob_bytes(a->id))
        return false;
    for (uint32_t i = 0; (a->have & CRASH_ACCOUNT_BLOB) && i < a->blob.len; i++)
        if (a->blob.data[i] != (char)('a' + a->id % 26))
            return false;
    return true;
}

struct reading {
    struct warp_db *db;
    struct warp_arena arena;
    unsigned wrong, missing, errors;
};

static const uint64_t durable = CRASH_ACCOUNT_BALANCE | CRASH_ACCOUNT_STAMP |
                                CRASH_ACCOUNT_OWNER | CRASH_ACCOUNT_NOTE |
                                CRASH_ACCOUNT_BLOB;

static void read_series(struct reading *r, uint64_t id)
{
    struct warp_iter *iter = NULL;
    int64_t at_ms = 0, wanted = 1;
    uint64_t value = 0;
    int rc = crash_account_trail_range(r->db, id, 0, 100, &iter);
    while (rc == WARP_OK) {
        rc = crash_account_trail_next(iter, &at_ms, &value, &r->arena);
        if (rc == WARP_OK &&
            (at_ms != wanted || value != id + (uint64_t)wanted))
            r->wrong += wanted > 3 || value != id + (uint64_t)at_ms;
        wanted += rc == WARP_OK;
    }
    warp_iter_close(&iter);
    r->errors += rc < 0;
    r->missing += rc == WARP_END && wanted != 4;
}

static void read_all(struct reading *r)
{
    struct crash_account a;
    struct warp_iter *iter = NULL;
    unsigned scanned = 0;
    for (uint64_t id = 1; id <= RECORDS; id++) {
        int rc = crash_account_get(r->db, id, CRASH_ACCOUNT_ALL, &a, &r->arena);
        if (rc == WARP_OK) {
            r->wrong += !right(&a) || a.id != id;
            r->missing += (a.have & durable) != durable;
        } else if (rc == WARP_ENOTFOUND)
            r->missing++;
        else
            r->errors++;
        read_series(r, id);
        warp_arena_reset(&r->arena);
    }
    int rc = crash_account_scan(r->db, NULL, CRASH_ACCOUNT_ALL, &iter);
    while (rc == WARP_OK) {
        rc = crash_account_next(iter, &a, &r->arena);
        if (rc == WARP_OK)
            r->wrong += !right(&a);
        scanned += rc == WARP_OK;
        warp_arena_reset(&r->arena);
    }
    warp_iter_close(&iter);
    r->errors += rc < 0;
    r->missing += rc == WARP_END && scanned != RECORDS;
}

static int read_in_child(const char *path)
{
    struct reading r = {.arena = WARP_ARENA_INIT};
    alarm(SECONDS_MAX);
    int rc = open_store(path, &r.db);
    if (rc != WARP_OK)
        _exit(warp_errmsg(NULL)[0] != 0 ? EXIT_REFUSED : EXIT_WRONG);
    read_all(&r);
    warp_arena_free(&r.arena);
    /* Closing may fail: it writes to what is damaged. */
    rc = warp_close(&r.db);
    if (r.wrong > 0)
        _exit(EXIT_WRONG);
    if (r.errors > 0)
        _exit(EXIT_ERRORS);
    _exit(r.missing > 0 ? EXIT_MISSING : 0);
}

struct damage {
    char file[300];
    const char *what;
    long long at;
};

static unsigned list_files(const char *path, const char *under,
                           char names[][300], unsigned count)
{
    char at[700];
    snprintf(at, sizeof at, "%s/%s", path, under);
    DIR *dir = opendir(at);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat st;
        char name[300];
        if (e->d_name[0] == '.' || count == FILES_MAX ||
            snprintf(name, sizeof name, "%s%s%.200s", under,
                     under[0] != 0 ? "/" : "", e->d_name) >= (int)sizeof name)
            continue;
        snprintf(at, sizeof at, "%s/%s", path, name);
        if (lstat(at, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            count = list_files(path, name, names, count);
        else if (S_ISREG(st.st_mode) && st.st_size > 0)
            memcpy(names[count++], name, sizeof name);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static int do_damage(const char *path, struct damage *d)
{
    static char names[FILES_MAX][300];
    unsigned char bytes[4096] = {0};
    char at[700];
    struct stat st;
    unsigned count = list_files(path, "", names, 0);
    if (count == 0)
        return -1;
    memcpy(d->file, names[random_below(&dice, count)], sizeof d->file);
    snprintf(at, sizeof at, "%s/%s", path, d->file);
    int fd = open(at, O_RDWR);
    if (fd < 0 || fstat(fd, &st) != 0)
        return -1;
    /* Where there is data: a sparse file is longer than it is large. */
    uint64_t used = (uint64_t)st.st_blocks * 512;
    if (used > (uint64_t)st.st_size)
        used = (uint64_t)st.st_size;
    off_t place = (off_t)random_below(&dice, used > 0 ? used : 1);
    size_t size = 1;
    int rc = 0;
    switch (random_below(&dice, 4)) {
    case 0:
        d->what = "a bit";
        if (pread(fd, bytes, 1, place) != 1)
            rc = -1;
        bytes[0] ^= (unsigned char)(1U << random_below(&dice, 8));
        break;
    case 1:
        d->what = "some bytes";
        size = 1 + random_below(&dice, 64);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)random_next(&dice);
        break;
    case 2:
        d->what = "a page of zeroes";
        place &= ~(off_t)4095;
        size = sizeof bytes;
        break;
    default:
        d->what = "a cut";
        rc = ftruncate(fd, place);
        size = 0;
    }
    d->at = place;
    if (size > (uint64_t)(st.st_size - place))
        size = (size_t)(st.st_size - place);
    if (rc == 0 && size > 0 && pwrite(fd, bytes, size, place) != (ssize_t)size)
        rc = -1;
    return close(fd) != 0 ? -1 : rc;
}

static int run(const char *format, const char *a, const char *b)
{
    char command[1500];
    snprintf(command, sizeof command, format, a, b);
    return system(command);
}

static unsigned refused, unreadable, right_all; /* how the rounds ended */

static int one_round(bool closed, int round)
{
    char base[300], copy[300];
    struct damage d = {.what = ""};
    int status = 0;
    snprintf(base, sizeof base, "%s/%s", root, closed ? "closed" : "killed");
    snprintf(copy, sizeof copy, "%s/copy", root);
    if (run("rm -rf '%s'%s", copy, "") != 0 ||
        run("cp -a '%s' '%s'", base, copy) != 0)
        return -1;
    /* The first round of each store is without damage. */
    if (round >= 2 && do_damage(copy, &d) != 0)
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        read_in_child(copy);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    bool log_file =
        strstr(d.file, "log") != NULL || strstr(d.file, "ring") != NULL;
    refused += code == EXIT_REFUSED;
    unreadable += code == EXIT_ERRORS;
    right_all += code == 0;
    if (code == 0 || (code == EXIT_MISSING && !closed && log_file) ||
        (round >= 2 && (code == EXIT_REFUSED || code == EXIT_ERRORS)))
        return 0;
    printf("round %d, the %s store, %s at %lld of %s: ", round,
           closed ? "closed" : "killed", d.what, d.at, d.file);
    if (code < 0)
        printf("signal %d\n", WTERMSIG(status));
    else
        printf("%s\n", code == EXIT_WRONG     ? "a wrong value"
                       : code == EXIT_MISSING ? "missing without an error"
                       : code == EXIT_REFUSED ? "refused"
                                              : "failed");
    return 1;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 40, failed = 0;
    uint64_t seed =
        argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    char path[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%.200s/warp-fuzz.XXXXXX", tmp ? tmp : "/tmp");
    if (mkdtemp(root) == NULL)
        return 2;
    printf("seed %llu\n", (unsigned long long)seed);
    dice = random_seeded(seed);
    snprintf(path, sizeof path, "%s/closed", root);
    failed = make(path, true);
    snprintf(path, sizeof path, "%s/killed", root);
    failed = failed != 0 || make(path, false) != 0;
    if (failed)
        printf("the stores cannot be made\n");
    for (int round = 0; round < rounds && failed < 5; round++) {
        int rc = one_round(round % 2 == 0, round);
        failed += rc != 0;
    }
    printf("%d stores: %u as if nothing had been, %u with errors of reads, "
           "%u refused; %d failures\n",
           rounds, right_all, unreadable, refused, failed);
    run("rm -rf '%s'%s", root, "");
    return failed != 0;
}
