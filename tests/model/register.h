/* register.h: is a recorded history of one register linearizable? Each call
 * then has a moment between its begin and its end at which it happened, all at
 * once.
 *
 * The moments are sought in the order in which calls end (Wing and Gong, with
 * what was visited remembered): what may be true at a time is a set of pairs of
 * a value and of those calls under way that have happened. Keys are registers
 * of their own, so a history over many is one history each. */
#ifndef MODEL_REGISTER_H
#define MODEL_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTER_THREADS = 16 };
enum register_kind {
    REGISTER_GET,
    REGISTER_SET,
    REGISTER_CAS,        /* it had `value`, it has `to` */
    REGISTER_CAS_REFUSED /* it had another value */
};

struct register_call {
    int64_t begin, end;
    uint64_t value, to;
    uint8_t kind, thread; /* a thread makes one call at a time */
};

/* calls: of one register, in any order; 0: the value in the beginning. False:
 * *bad is a call that has no moment. */
bool register_check(const struct register_call *calls, size_t count,
                    uint64_t first, const struct register_call **bad);

#endif
