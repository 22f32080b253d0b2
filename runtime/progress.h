/* progress.h: long work tells how far it is. */
#ifndef WARP_PROGRESS_H
#define WARP_PROGRESS_H

#include <stdint.h>

/* A non-zero result of fn stops the work. fn may be NULL. */
struct progress {
    int (*fn)(void *arg, const char *what, uint64_t done, uint64_t total);
    void *arg;
};

#endif
