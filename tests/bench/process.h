/* What this process takes; runs another program and tells what that took. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdint.h>

struct process_cost {
    int status;            /* of exit; 128 + the signal that ended it */
    uint64_t wall_ns;
    uint64_t memory_bytes; /* the most it had; 0 where that was not asked for
                              or the kernel does not let us look */
};

/** argv[0] is looked for in $PATH; what it prints goes to `log` (a path).
 *  memory: it is traced to its end, which costs a little time.
 *  0, or -1 when it cannot be run at all. */
int process_run(const char *const *argv, const char *log, int memory,
                struct process_cost *cost);

/** Of this process: bytes that went to devices so far, and what it has in
 *  memory now, a page that it maps twice counted once; 0 where the kernel does
 *  not say. */
uint64_t self_written_bytes(void);
uint64_t self_memory_bytes(void);

/** Is there a program of this name in $PATH? */
int process_is_there(const char *name);

#endif
