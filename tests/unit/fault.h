/* fault.h: one call of those that the linker sends to fault.c fails, the n-th
 * from now on, whatever thread makes it. */
#ifndef WARP_TEST_FAULT_H
#define WARP_TEST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_MEMORY = 1, /* malloc and its kin */
    FAULT_SYSTEM = 2  /* os.h: files, rings, threads */
};

/* code: the errno value that a call of the system fails with. */
void fault_arm(enum fault_kind kind, uint64_t n, int code);
bool fault_disarm(void); /* was there an n-th call? */

#endif
