/* warp-sim: runs seeds, each in a process of its own; a seed that finds
 * something is run again, ever smaller. */
#include "history.h"
#include "schemas.h"
#include "sim.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "planted.h"

enum { SECONDS_MAX = 60, EXIT_CLEAN = 0, EXIT_FINDING = 1, EXIT_USAGE = 2 };

struct shared {
    struct history_count count, total;
    uint64_t histories;
};
static struct shared *shared;
static bool wants_digest, shrinks = true, every, goes_on;

static void usage(FILE *to)
{
    fputs(
        "  warp-sim --seeds A-B        histories with these seeds\n"
        "  warp-sim --seeds A-+N       N of them, from A on\n"
        "  --digest                    one line for each: what happened\n"
        "  --break BUG                 with a known bug, which must be found:\n"
        "                              ",
        to);
    for (int i = 1; i < PLANTED_COUNT; i++)
        fprintf(to, "%s ", planted_names[i]);
    fputs(
        "\n"
        "  --every                     small histories, with a death before\n"
        "                              each change of a file, and a fault at\n"
        "                              each call, alone and with a death then\n"
        "  --trace                     every event, on stderr\n"
        "  --no-shrink                 do not look for a shorter history\n"
        "  --go-on                     do not end with the first finding\n"
        "exit status: 0 nothing found, 1 a finding, 2 usage\n",
        to);
}

/* Runs a seed; quiet: what it says is thrown away. The wait status. */
static int run_seed(uint64_t seed, const struct history_cut *cut, bool quiet,
                    bool digest)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (quiet && !freopen("/dev/null", "w", stderr))
            _exit(3);
        alarm(SECONDS_MAX);
        history_run(seed, cut, digest);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("warp-sim");
        exit(EXIT_USAGE);
    }
    return status;
}

static bool finds(uint64_t seed, const struct history_cut *cut)
{
    return run_seed(seed, cut, true, false) != 0;
}

/* Leaves out ever smaller pieces while something is found. */
static void shrink(uint64_t seed, uint64_t operations)
{
    struct history_cut cut = {0}, smaller;
    uint64_t most = operations < SKIPS_MAX - 1 ? operations : SKIPS_MAX - 1;
    time_t end = time(NULL) + 20;
    smaller = cut;
    smaller.plain = smaller.alone = true;
    if (finds(seed, &smaller))
        cut = smaller;
    for (uint64_t piece = most / 2 + 1; piece >= 1; piece /= 2)
        for (uint64_t at = 1; at <= most && time(NULL) < end; at += piece) {
            smaller = cut;
            for (uint64_t i = at; i < at + piece && i <= most; i++)
                smaller.skip[i / 64] |= UINT64_C(1) << i % 64;
            if (memcmp(&smaller, &cut, sizeof cut) != 0 &&
                finds(seed, &smaller))
                cut = smaller;
        }
    uint64_t left = 0;
    for (uint64_t i = 1; i <= most; i++)
        left += !(cut.skip[i / 64] >> i % 64 & 1);
    fprintf(stderr, "shrunk to %llu operations%s:", (unsigned long long)left,
            cut.alone ? ", threads in turn" : "");
    for (uint64_t i = 1; i <= most; i++)
        if (!(cut.skip[i / 64] >> i % 64 & 1))
            fprintf(stderr, " %llu", (unsigned long long)i);
    fputc('\n', stderr);
    run_seed(seed, &cut, false, false);
}

static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;
    *first = *last = strtoull(text, &end, 10);
    if (end == text)
        return false;
    if (*end == '-' && end[1] == '+') {
        *last = *first + strtoull(end + 2, &end, 10) - 1;
    } else if (*end == '-') {
        *last = strtoull(end + 1, &end, 10);
    }
    return *end == 0 && *last >= *first;
}

static void count_it(void)
{
    struct history_count *t = &shared->total, *c = &shared->count;
    shared->histories++;
    t->operations += c->operations;
    t->lives += c->lives;
    t->crashes += c->crashes;
    t->power_losses += c->power_losses;
    t->events += c->events;
    t->moves += c->moves;
    t->versions += c->versions;
    for (int i = 0; i < FAULT_KINDS; i++)
        t->faults[i] += c->faults[i];
}

static void say_signal(int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "  finding: the process died of signal %d%s\n",
                WTERMSIG(status),
                WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
}

static bool run_small(uint64_t seed, const struct history_cut *cut)
{
    memset(&shared->count, 0, sizeof shared->count);
    int status = run_seed(seed, cut, false, false);
    count_it();
    if (status == 0)
        return true;
    say_signal(status);
    printf("seed=%llu --every: event %llu, %s %llu, fault %d after %llu%s\n",
           (unsigned long long)seed, (unsigned long long)cut->die_at,
           cut->die_power ? "power loss" : "kill",
           (unsigned long long)cut->salt, cut->fault,
           (unsigned long long)cut->fault_after,
           cut->die_faulted ? ", dies then" : "");
    return false;
}

/* A small history, and each thing that can happen to it, one at a time. */
static bool run_every(uint64_t seed)
{
    enum { LOSSES = 3 };
    struct history_cut cut = {.small = true, .alone = true, .plain = true};
    SIM_STATE static uint8_t calls[SIM_NOTED_MAX];
    bool clean = run_small(seed, &cut);
    uint64_t events = shared->count.events, points = 0;
    if (events >= SIM_NOTED_MAX) {
        fprintf(stderr, "seed %llu is too long for --every\n",
                (unsigned long long)seed);
        return false;
    }
    memcpy(calls, sim_noted, events + 1);
    for (uint64_t at = 1; at <= events; at++)
        points += sim_changes((enum sim_call)calls[at], true);
    printf("seed=%llu: %llu events, %llu crash points\n",
           (unsigned long long)seed, (unsigned long long)events,
           (unsigned long long)points);
    fflush(stdout);
    for (uint64_t at = 1; at <= events && clean; at++)
        for (uint64_t salt = 0; salt <= LOSSES && clean; salt++) {
            if (!sim_changes((enum sim_call)calls[at], salt > 0))
                continue;
            cut.die_at = at;
            cut.die_power = salt > 0;
            cut.salt = salt;
            clean = run_small(seed, &cut);
        }
    cut.die_at = 0;
    for (int fault = 1; fault < FAULT_MISDIRECTED && clean; fault++)
        for (cut.fault_after = 0; clean; cut.fault_after++) {
            cut.fault = fault;
            cut.die_faulted = cut.die_power = false;
            clean = run_small(seed, &cut);
            if (shared->count.faults[fault] == 0)
                break; /* there is no such call any more */
            cut.die_faulted = fault == FAULT_WRITE_EIO ||
                              fault == FAULT_SYNC_EIO ||
                              fault == FAULT_NO_SPACE;
            for (int power = 0; cut.die_faulted && power < 2 && clean;
                 power++) {
                cut.die_power = power > 0;
                clean = run_small(seed, &cut);
            }
        }
    return clean;
}

static bool run_one(uint64_t seed)
{
    static const struct history_cut whole;
    memset(&shared->count, 0, sizeof shared->count);
    int status = run_seed(seed, &whole, false, wants_digest);
    count_it();
    if (status == 0)
        return true;
    say_signal(status);
    printf("seed=%llu", (unsigned long long)seed);
    if (planted_bug)
        printf(" --break %s", planted_names[planted_bug]);
    printf("\n");
    fflush(NULL);
    if (shrinks)
        shrink(seed, shared->count.operations);
    return false;
}

static void summary(uint64_t findings)
{
    static const char *const names[FAULT_KINDS] = {
        "none",     "unreadable", "unwritable",    "failed sync",
        "no space", "no memory",  "no descriptor", "misdirected"};
    const struct history_count *t = &shared->total;
    char found[40] = "nothing";
    if (findings)
        snprintf(found, sizeof found, "%llu", (unsigned long long)findings);
    printf("%llu histories, %s found: %llu operations, %llu lives, "
           "%llu deaths, %llu power losses, %llu events, %llu records moved, "
           "%llu versions compared",
           (unsigned long long)shared->histories, found,
           (unsigned long long)t->operations, (unsigned long long)t->lives,
           (unsigned long long)t->crashes, (unsigned long long)t->power_losses,
           (unsigned long long)t->events, (unsigned long long)t->moves,
           (unsigned long long)t->versions);
    for (int i = 1; i < FAULT_KINDS; i++)
        printf(", %llu %s", (unsigned long long)t->faults[i], names[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seeds", 1, NULL, 's'},
                                            {"digest", 0, NULL, 'd'},
                                            {"break", 1, NULL, 'b'},
                                            {"every", 0, NULL, 'e'},
                                            {"trace", 0, NULL, 't'},
                                            {"no-shrink", 0, NULL, 'n'},
                                            {"go-on", 0, NULL, 'g'},
                                            {"help", 0, NULL, 'h'},
                                            {0}};
    uint64_t first = 1, last = 100;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 's' && parse_seeds(optarg, &first, &last))
            continue;
        if (c == 'b') {
            for (int i = 1; i < PLANTED_COUNT; i++)
                if (strcmp(optarg, planted_names[i]) == 0)
                    planted_bug = (enum planted)i;
            if (planted_bug)
                continue;
        }
        if (c == 'd')
            wants_digest = true;
        else if (c == 'e')
            every = true;
        else if (c == 't')
            sim_traces = true;
        else if (c == 'n')
            shrinks = false;
        else if (c == 'g')
            goes_on = true;
        else {
            usage(c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
        }
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    history_count = &shared->count;
    schemas_make();
    if (every)
        sim_noted = mmap(NULL, SIM_NOTED_MAX, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sim_plan.ignore_sync = planted_bug == PLANTED_skip_sync;
    uint64_t findings = 0;
    for (uint64_t seed = first; seed <= last && (goes_on || !findings); seed++)
        findings += !(every ? run_every(seed) : run_one(seed));
    if (!wants_digest && (goes_on || !findings))
        summary(findings);
    return findings ? EXIT_FINDING : EXIT_CLEAN;
}
