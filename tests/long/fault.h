/* fault.h: calls of the real system that fail for a while, in all threads. The
 * linker puts fault.c in front of os.c; LMDB's own calls do not fail here (in
 * tests/sim they do). */
#ifndef LONG_FAULT_H
#define LONG_FAULT_H

#include <stdint.h>

enum fault {
    FAULT_NONE,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_SPACE,
    FAULTS
};

/* From here on each such call fails once in so many. */
void fault_set(enum fault fault, uint32_t one_in);
uint64_t fault_count(void); /* of calls that have failed */
const char *fault_name(enum fault fault);

#endif
