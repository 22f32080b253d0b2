/* The kill -9 test: writers that count what was acknowledged in memory shared
 * with the checker, which survives them. Each writer owns its records and its
 * counter; an operation is the next number, and its whole effect follows from
 * that number, so that the checker knows what must be there. */
#ifndef CRASH_CRASH_H
#define CRASH_CRASH_H

#include <stdatomic.h>
#include <stdint.h>
#include <warp/warp.h>

enum {
    ACCOUNTS = 64, /* 0 .. 63: money moves between them */
    MONEY = 1000,  /* in each, at first */
    MOVER = 1000,  /* 1000 + t: what mover t has done */
    MOVERS = 2,
    PUTTER = 2000,   /* one record, all kinds of fields */
    APPENDER = 2001, /* one record with a series */
    SLOT = 3000,     /* 3000 + k: put and deleted by turns */
    SLOTS = 97,
    OWNERS = 7
};

struct crash_acks {
    _Atomic uint64_t moved[MOVERS], put, appended, slotted;
    _Atomic int open; /* by the writer of this round */
};

/** Opens the store and writes until it is killed; returns only on an error. */
int crash_write(const char *path, struct crash_acks *acks, uint64_t seed);

/** The accounts with their money, made once. 0, or -1. */
int crash_make(const char *path);

/** Opens the store, compares it with the counters, moves these on to what was
 *  found, and closes it. The number of things that are wrong, each printed. */
int crash_check(const char *path, struct crash_acks *acks);

/* What operation n of the putter writes. */
static inline uint32_t crash_blob_bytes(uint64_t n)
{
    return (uint32_t)(1 + n * 7919 % 6000);
}
static inline char crash_byte(uint64_t n)
{
    return (char)('a' + n % 26);
}
/* Operation n on its slot: a put or, every third time, a delete. */
static inline int crash_deletes(uint64_t n)
{
    return n / SLOTS % 3 == 2;
}

#endif
