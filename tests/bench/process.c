/* process.c: see process.h.
 *
 * The greatest resident set of a child as wait4 gives it includes what this
 * process had at the fork, which is more than warpc needs. So the child is
 * traced and its own high-water mark is read when it is about to end. */
#include "process.h"

#include "now.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *const *argv, const char *log, int traced)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 ||
        dup2(fd, 2) < 0)
        _exit(127);
    if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(126);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* The number behind a word at the beginning of a line; 0: there is none. */
static uint64_t number_in(const char *path, const char *word)
{
    char line[256];
    uint64_t number = 0;
    size_t bytes = strlen(word);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, word, bytes) == 0) {
            number = strtoull(line + bytes, NULL, 10);
            break;
        }
    if (file)
        fclose(file);
    return number;
}

uint64_t self_written_bytes(void)
{
    return number_in("/proc/self/io", "write_bytes:");
}

uint64_t self_memory_bytes(void)
{
    return number_in("/proc/self/smaps_rollup", "Pss:") * 1024;
}

static uint64_t high_water(pid_t child)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    return number_in(path, "VmHWM:") * 1024;
}

/* From the stop at exec to the stop before the end; all else goes on. */
static int follow(pid_t child, struct process_cost *cost)
{
    int status, told = 0;
    while (waitpid(child, &status, 0) == child) {
        if (!WIFSTOPPED(status))
            return status;
        int signal_number = WSTOPSIG(status);
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
            cost->memory_bytes = high_water(child);
        else if (!told && signal_number == SIGTRAP)
            ptrace(PTRACE_SETOPTIONS, child, NULL,
                   (void *)(intptr_t)PTRACE_O_TRACEEXIT);
        told = 1;
        /* A SIGTRAP is ours; any other is the child's own. */
        if (signal_number == SIGTRAP)
            signal_number = 0;
        ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)signal_number);
    }
    return -1;
}

int process_run(const char *const *argv, const char *log, int memory,
                struct process_cost *cost)
{
    int status = 0;
    memset(cost, 0, sizeof *cost);
    fflush(NULL);
    uint64_t before = now_ns();
    pid_t child = fork();
    if (child == 0)
        become(argv, log, memory);
    if (child < 0)
        return -1;
    if (memory) {
        status = follow(child, cost);
    } else {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    cost->wall_ns = now_ns() - before;
    cost->status = WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
    if (memory && cost->status == 126) /* tracing is not allowed here */
        return process_run(argv, log, 0, cost);
    return cost->status == 127 ? -1 : 0;
}

int process_is_there(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];
    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    while (path && *path) {
        size_t bytes = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)bytes, path, name);
        if (access(file, X_OK) == 0)
            return 1;
        path += bytes + (path[bytes] == ':');
    }
    return 0;
}
