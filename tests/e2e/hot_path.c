/* The price of a call on fields of fixed size at process_crash: no allocation,
 * and no system call for a commit or a get. Allocations are counted by our own
 * malloc, system calls by a parent that traces this thread (and no other: the
 * library's own threads may do as they like). Where tracing is not allowed
 * the test is skipped, after the allocations were counted. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <warp/warp.h>

#include "hot.warp.h"

enum {
    RECORDS = 1000,
    CALLS = 20000,
    /* A ring that is full or memory that grows may cost a few, no more. */
    SYSTEM_CALLS_MAX = CALLS / 100
};

static _Thread_local int counting;
static unsigned long allocations;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
void *malloc(size_t bytes)
{
    if (counting)
        allocations++;
    return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes)
{
    if (counting)
        allocations++;
    return __libc_calloc(count, bytes);
}
void *realloc(void *old, size_t bytes)
{
    if (counting)
        allocations++;
    return __libc_realloc(old, bytes);
}

static const uint64_t all = HOT_THING_COUNT | HOT_THING_PLACE | HOT_THING_GOLD |
                            HOT_THING_MOOD | HOT_THING_NAME;

static int do_put(struct warp_db *db, uint64_t i)
{
    struct hot_thing t = {.id = i % RECORDS, .count = i, .gold = 5, .mood = 1};
    return hot_thing_put(db, &t, all);
}

static int do_set(struct warp_db *db, uint64_t i)
{
    return hot_thing_set_place(db, i % RECORDS, (double)i);
}

static int do_add(struct warp_db *db, uint64_t i)
{
    int64_t now;
    return hot_thing_add_gold(db, i % RECORDS, 1, &now);
}

static int do_get(struct warp_db *db, uint64_t i)
{
    struct hot_thing t;
    int rc = hot_thing_get(db, i % RECORDS, HOT_THING_HOT, &t, NULL);
    return rc == WARP_OK && (t.have & all) != all ? WARP_ECORRUPT : rc;
}

static const struct {
    const char *name;
    int (*call)(struct warp_db *, uint64_t);
} calls[] = {
    {"put", do_put}, {"set", do_set}, {"add", do_add}, {"get", do_get}};
enum { KINDS = sizeof calls / sizeof calls[0] };

/* Stops before and after each kind of call, so that a tracer can tell them
 * apart; returns how many kinds allocate. */
static int run_calls(const char *path, int stops)
{
    struct warp_db *db = NULL;
    int wrong = 0;
    if (warp_open(path, &hot_warp_schema, NULL, &db) != WARP_OK) {
        printf("open: %s\n", warp_errmsg(NULL));
        return -1;
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        int rc = WARP_OK;
        for (uint64_t i = 0; i < RECORDS && rc == WARP_OK; i++)
            rc = kind == 0 ? do_put(db, i) : calls[kind].call(db, i);
        if (stops)
            raise(SIGSTOP);
        counting = 1;
        allocations = 0;
        for (uint64_t i = 0; i < CALLS && rc == WARP_OK; i++)
            rc = calls[kind].call(db, i);
        counting = 0;
        if (stops)
            raise(SIGSTOP);
        if (rc != WARP_OK)
            printf("%s: %s\n", calls[kind].name, warp_errmsg(db));
        else if (!stops)
            printf("%s: %lu allocations in %d calls\n", calls[kind].name,
                   allocations, CALLS);
        wrong += rc != WARP_OK || allocations != 0;
    }
    return warp_close(&db) != WARP_OK ? -1 : wrong;
}

/* Lets the child run to its next SIGSTOP; the system calls on the way, or -1
 * when it has ended. */
static long run_to_stop(pid_t pid, int *status)
{
    long stops = 0;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0 ||
            waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status))
            return -1;
        if (WSTOPSIG(*status) == SIGSTOP)
            return stops / 2; /* one stop on entry, one on return */
        stops += WSTOPSIG(*status) == (SIGTRAP | 0x80);
    }
}

static int count_system_calls(const char *path)
{
    int status = 0, wrong = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        _exit(run_calls(path, 1) == 0 ? 0 : 1);
    }
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    if (WIFEXITED(status)) {
        printf("a process may not be traced here: system calls not counted\n");
        return 77;
    }
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
               (void *)(uintptr_t)PTRACE_O_TRACESYSGOOD) != 0)
        return -1;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        long count = -1;
        if (run_to_stop(pid, &status) >= 0)
            count = run_to_stop(pid, &status);
        /* raise() itself is a few of them. */
        printf("%s: %ld system calls in %d calls\n", calls[kind].name, count,
               CALLS);
        wrong += count < 0 || count > SYSTEM_CALLS_MAX;
    }
    while (WIFSTOPPED(status) && run_to_stop(pid, &status) >= 0)
        ;
    return wrong != 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[4096], path[4200], command[4300];
    snprintf(dir, sizeof dir, "%s/warp-hot.XXXXXX", tmp ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL)
        return 2;
    snprintf(path, sizeof path, "%s/one", dir);
    int wrong = run_calls(path, 0) != 0;
    snprintf(path, sizeof path, "%s/two", dir);
    int traced = count_system_calls(path);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0)
        wrong = 1;
    return wrong ? 1 : traced;
}
