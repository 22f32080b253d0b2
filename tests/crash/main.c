/* crash ROUNDS [SEED]: in each round a child writes with all its threads and is
 * killed by SIGKILL after a random time (sometimes while it still recovers);
 * then the store is checked. Prints its seed. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"

enum {
    HANG_SECONDS = 60, /* a round takes less than one */
    WORK = 70          /* operations of a round that is not cut off early */
};

static volatile sig_atomic_t at_round;
static const char *volatile doing = "make";

/* A round that hangs says where, and stops with a core. */
static void hang(int number)
{
    char text[80];
    (void)number;
    int n = snprintf(text, sizeof text, "round %d hangs: %s\n", (int)at_round,
                     doing);
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(4);
    abort();
}

static uint64_t acknowledged(const struct crash_acks *acks)
{
    uint64_t sum = acks->put + acks->appended + acks->slotted;
    for (unsigned t = 0; t < MOVERS; t++)
        sum += acks->moved[t];
    return sum;
}

static uint64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

/* Until the writer has opened the store and done what is worth a kill. How long
 * the opening took. */
static uint64_t await_work(const struct crash_acks *acks, uint64_t before)
{
    enum { MOST_US = HANG_SECONDS / 2 * 1000000 };
    uint64_t from = now_us(), opening = 0;
    while (opening == 0 || (acknowledged(acks) < before + WORK &&
                            now_us() - from < MOST_US)) {
        usleep(500);
        if (opening == 0 && (acks->open || now_us() - from > MOST_US))
            opening = now_us() - from;
    }
    return opening;
}

/* Mostly a good while of work, sometimes before the open is done, which takes
 * as long as the machine makes it. 0 when the child was killed as planned. */
static int run_round(const char *path, struct crash_acks *acks, uint64_t seed,
                     unsigned *dice)
{
    static uint64_t opening_us = 20000; /* the last one */
    bool early = rand_r(dice) % 5 == 0;
    uint64_t before = acknowledged(acks);
    useconds_t part = (useconds_t)rand_r(dice) % 1000;
    int status = 0;
    acks->open = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0)
        _exit(crash_write(path, acks, seed) == 0 ? 0 : 3);
    if (early) {
        usleep((useconds_t)(opening_us * part / 1000));
    } else {
        opening_us = await_work(acks, before);
        usleep(part * 200);
    }
    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
        printf("  the writer ended by itself\n");
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char dir[4096], path[4200], command[4300];
    int rounds = argc > 1 ? atoi(argv[1]) : 25, wrong = 0, round = 0;
    uint64_t seed =
        argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    snprintf(dir, sizeof dir, "%s/warp-crash.XXXXXX", tmp ? tmp : "/tmp");
    if (rounds < 1 || mkdtemp(dir) == NULL)
        return 2;
    snprintf(path, sizeof path, "%s/store", dir);
    struct crash_acks *acks = mmap(NULL, sizeof *acks, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (acks == MAP_FAILED)
        return 2;
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    signal(SIGALRM, hang);
    alarm(HANG_SECONDS);
    wrong = crash_make(path) != 0;
    unsigned dice = (unsigned)seed;
    for (; round < rounds && wrong == 0; round++) {
        alarm(HANG_SECONDS);
        at_round = round;
        doing = "write";
        wrong += run_round(path, acks, seed + (uint64_t)round, &dice) != 0;
        doing = "check";
        wrong += crash_check(path, acks);
    }
    uint64_t sum = acknowledged(acks);
    printf("%d rounds of kill -9, %llu operations acknowledged, %d wrong\n",
           round, (unsigned long long)sum, wrong);
    if (wrong == 0 && sum < (uint64_t)rounds * 40) {
        printf("too little was at stake\n");
        wrong++;
    }
    if (wrong != 0) {
        printf("the store is left in %s\n", path);
        return 1;
    }
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0;
}
