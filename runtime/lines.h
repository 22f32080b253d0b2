/* lines.h: asks for the lines of what is about to be read or written.
 *
 * A macro: GCC takes a function that does no more for one without an effect,
 * and leaves out its calls. */
#ifndef WARP_LINES_H
#define WARP_LINES_H

#include <stdint.h>

/* The three lines from an address on: a usual record. write: 1 or 0. */
#define PREFETCH_LINES(address, write)                                        \
    do {                                                                      \
        uintptr_t line_ = (uintptr_t)(address);                               \
        __builtin_prefetch((const void *)line_, write);                       \
        __builtin_prefetch((const void *)(line_ + 64), write);                \
        __builtin_prefetch((const void *)(line_ + 128), write);               \
    } while (0)

#endif
