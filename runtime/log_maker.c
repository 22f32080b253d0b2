/* log_maker.c: the thread that keeps written segments ready.
 *
 * When the disk is full it asks once for the reserve, whose segment only urgent
 * commits may use, and then tries again at every flush tick. */
#include "log_inner.h"

#include <warp/warp.h>

enum { ROOM_LEAST = 3 << 19 }; /* bytes to keep ready in a small log */
#define CALIBRATE_AGAIN_NS INT64_C(1000000000)

void log_maker_kick(struct log *log)
{
    atomic_fetch_add(&log->maker_kick, 1);
    os_futex_wake(&log->maker_kick, 1);
}

static bool wants_more(struct log *log)
{
    uint64_t least = atomic_load(&log->live_bytes) / 2;
    if (least < ROOM_LEAST)
        least = ROOM_LEAST;
    if (least > 2 * (uint64_t)LOG_SEGMENT_MAX)
        least = 2 * (uint64_t)LOG_SEGMENT_MAX;
    /* On a disk that gets full the tiers need the room more. */
    uint64_t disk;
    if (os_free_bytes(log->dir, &disk) == 0 && least > disk / 16)
        least = disk / 16 > ROOM_LEAST ? disk / 16 : ROOM_LEAST;
    os_lock(&log->room_lock);
    bool wants = log->ready_count < LOG_READY_MAX &&
                 (log->ready_count == 0 ||
                  log_room(log) < least + log->urgent_room + log->pledged);
    os_unlock(&log->room_lock);
    return wants;
}

static int make_one(struct log *log)
{
    int rc = log_segment_make(log, false);
    if (rc == WARP_OK)
        atomic_store(&log->no_space, false);
    if (rc != WARP_ENOSPC || atomic_load(&log->no_space))
        return rc;
    atomic_store(&log->no_space, true);
    if (log->options.need_space && log->options.need_space(log->options.arg))
        rc = log_segment_make(log, true);
    log_wake_all(log); /* they fail now, or the reserve lets them go on */
    log_bump(log);
    return rc;
}

/* Makes what is wanted; true: something was made, or failed with *rc. */
static bool work(struct log *log, int *rc)
{
    *rc = WARP_OK;
    if (!wants_more(log)) {
        atomic_store(&log->starved, false);
        return false;
    }
    *rc = make_one(log);
    return *rc == WARP_OK;
}

void *log_maker(void *arg)
{
    struct log *log = arg;
    int64_t period = (int64_t)log->options.sync_every_ms * 1000000, again = 0;
    bool calibrated = false;
    int rc;
    while (!atomic_load(&log->stopping) && work(log, &rc))
        ;
    /* A page's first store would cost its appender microseconds. */
    for (uint32_t s = 0; s < log->shards && !atomic_load(&log->stopping); s++)
        os_populate(log->rings[s].base, log->ring_bytes);
    while (!atomic_load(&log->stopping)) {
        uint32_t seen = atomic_load(&log->maker_kick);
        int64_t now;
        if (work(log, &rc))
            continue;
        if (rc == WARP_OK && !calibrated && (now = os_mono_ns()) >= again) {
            calibrated = log_calibrate(log);
            again = now + CALIBRATE_AGAIN_NS;
            continue;
        }
        os_futex_wait(&log->maker_kick, seen,
                      rc != WARP_OK ? period
                      : calibrated  ? -1
                                    : CALIBRATE_AGAIN_NS);
    }
    return NULL;
}
