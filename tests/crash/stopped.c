/* stopped SECONDS ROUNDS [SEED]: a process whose threads write is stopped for
 * some seconds (SIGSTOP, as a debugger or a frozen machine does), in which
 * nobody else may open its store and everybody is told so at once; then it goes
 * on, every writer of it, and is killed; then the store is checked. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "crash.warp.h"

enum { GO_ON_SECONDS = 60, COUNTERS = MOVERS + 3 };

static void wait_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void read_counters(const struct crash_acks *acks, uint64_t *to)
{
    for (unsigned t = 0; t < MOVERS; t++)
        to[t] = acks->moved[t];
    to[MOVERS] = acks->put;
    to[MOVERS + 1] = acks->appended;
    to[MOVERS + 2] = acks->slotted;
}

/* All writers have acknowledged something since. */
static bool all_go_on(const struct crash_acks *acks, const uint64_t *before)
{
    uint64_t now[COUNTERS];
    for (int i = 0; i < GO_ON_SECONDS * 100; i++) {
        bool all = true;
        read_counters(acks, now);
        for (unsigned n = 0; n < COUNTERS; n++)
            all &= now[n] > before[n];
        if (all)
            return true;
        wait_ms(10);
    }
    printf("  a writer does not go on\n");
    return false;
}

/* The owner is stopped, not gone: it keeps its store. */
static int others_are_told(const char *path, pid_t owner)
{
    struct warp_db *db = NULL;
    char pid[24];
    time_t began = time(NULL);
    int rc = warp_open(path, &crash_warp_schema, NULL, &db);
    snprintf(pid, sizeof pid, "%d", (int)owner);
    if (rc != WARP_EBUSY || strstr(warp_errmsg(NULL), pid) == NULL) {
        printf("  open beside it: %d, %s\n", rc, warp_errmsg(NULL));
        return 1;
    }
    if (time(NULL) - began > 10) {
        printf("  the answer took %d s\n", (int)(time(NULL) - began));
        return 1;
    }
    return 0;
}

static int run_round(const char *path, struct crash_acks *acks, uint64_t seed,
                     long seconds)
{
    uint64_t before[COUNTERS], after[COUNTERS];
    int status = 0, wrong = 0;
    fflush(NULL);
    read_counters(acks, before);
    pid_t pid = fork();
    if (pid == 0)
        _exit(crash_write(path, acks, seed) == 0 ? 0 : 3);
    if (pid < 0 || !all_go_on(acks, before))
        return 1;
    wait_ms((long)(seed * 7919 % 150));
    kill(pid, SIGSTOP);
    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) {
        printf("  the writer ended by itself\n");
        return 1;
    }
    read_counters(acks, before);
    wrong += others_are_told(path, pid);
    wait_ms(seconds * 1000);
    read_counters(acks, after);
    if (memcmp(before, after, sizeof before) != 0) {
        printf("  it is not stopped\n");
        wrong++;
    }
    kill(pid, SIGCONT);
    wrong += !all_go_on(acks, before);
    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
        printf("  the writer ended by itself\n");
        wrong++;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char dir[4096], path[4200], command[4300];
    if (argc < 3)
        return 2;
    long seconds = atol(argv[1]);
    int rounds = atoi(argv[2]), wrong = 0;
    uint64_t seed =
        argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
    snprintf(dir, sizeof dir, "%s/warp-stop.XXXXXX", tmp ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL)
        return 2;
    snprintf(path, sizeof path, "%s/store", dir);
    struct crash_acks *acks = mmap(NULL, sizeof *acks, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (acks == MAP_FAILED)
        return 2;
    printf("seed %llu\n", (unsigned long long)seed);
    wrong = crash_make(path) != 0;
    for (int round = 0; round < rounds && wrong == 0; round++) {
        wrong += run_round(path, acks, seed + (uint64_t)round, seconds);
        wrong += crash_check(path, acks);
    }
    printf("%d rounds, stopped for %ld s each, %d wrong\n", rounds, seconds,
           wrong);
    if (wrong != 0) {
        printf("the store is left in %s\n", path);
        return 1;
    }
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0;
}
