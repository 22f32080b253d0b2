/* log_wait.c: group commit: who waits for what, and who is woken.
 *
 * A commit is acknowledged when the cut that holds it is durable, so waiters
 * sleep on the word of that cut's number: one write to the disk wakes those
 * that it made durable and nobody else. A commit that no cut holds yet is in
 * the next one, whose number is `epoch`: it was appended before. A write that
 * ends leaves room for another, so it wakes one of those who wait for the next
 * cut, and that one takes it. Words are shared by every LOG_CUTS_MAX-th cut,
 * and a wake for nothing is only a look in vain. */
#include "log_inner.h"

#include "error.h"

static struct log_cut *cut_of(struct log *log, uint32_t stamp)
{
    return &log->cuts[stamp % LOG_CUTS_MAX];
}

static void wake(struct log_cut *cut, int count)
{
    atomic_fetch_add(&cut->word, 1);
    if (atomic_load(&cut->waiters) > 0)
        os_futex_wake(&cut->word, count);
}

void log_wake_cut(struct log *log, uint32_t stamp)
{
    wake(cut_of(log, stamp), INT32_MAX);
}

void log_wake_leader(struct log *log)
{
    wake(cut_of(log, atomic_load(&log->epoch)), 1);
}

void log_wake_all(struct log *log)
{
    for (uint32_t i = 0; i < LOG_CUTS_MAX; i++)
        wake(&log->cuts[i], INT32_MAX);
}

static void sleep_on(struct log_cut *cut, uint32_t seen)
{
    atomic_fetch_add(&cut->waiters, 1);
    os_futex_wait(&cut->word, seen, -1);
    atomic_fetch_sub(&cut->waiters, 1);
}

static bool is_durable(struct log_ring *r, uint64_t position)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) >= position;
}

static bool is_taken(struct log_ring *r, uint64_t position)
{
    return atomic_load_explicit(&r->gathered, memory_order_acquire) >=
           position;
}

/* No segment is ready: in a moment there may be one. */
static int wait_for_segment(struct log *log, uint32_t seen)
{
    if (atomic_load(&log->no_space))
        return error_set(WARP_ENOSPC,
                         "no room for the log in %s; the commit is not on "
                         "stable storage yet",
                         log->dir);
    atomic_fetch_add(&log->waiters, 1);
    os_futex_wait(&log->done_count, seen, 10000000);
    atomic_fetch_sub(&log->waiters, 1);
    return WARP_OK;
}

/* The position is in a block: until the end of its cut is durable. */
static int wait_for_cut(struct log *log, struct log_ring *r, uint64_t position)
{
    /* The last cut that was taken, or one before it, holds the position. */
    struct log_cut *cut = cut_of(log, atomic_load(&log->epoch) - 1);
    uint32_t seen = atomic_load(&cut->word);
    if (is_durable(r, position) || atomic_load(&log->health) != WARP_OK)
        return WARP_OK;
    /* Of a cut that fills several blocks the rest may be left to write. */
    if (atomic_load(&log->durable_block) == atomic_load(&log->next_block)) {
        int rc = log_lead(log, 0);
        return rc == 1 || rc == WARP_EBUSY ? WARP_OK : rc;
    }
    sleep_on(cut, seen);
    return WARP_OK;
}

/* How many wait now, and lately did: at most so many come back at once. */
static uint32_t note_peak(struct log *log)
{
    uint32_t now = atomic_load_explicit(&log->waiting, memory_order_relaxed);
    uint32_t peak = atomic_load_explicit(&log->wait_peak, memory_order_relaxed);
    uint32_t next = peak - (peak + 7) / 8;
    next = now > next ? now : next;
    if (next != peak)
        atomic_store_explicit(&log->wait_peak, next, memory_order_relaxed);
    return next;
}

/* Few clients gain from writes side by side. Of many those that the last write
 * has woken are on their way with their next commits, and each that comes in
 * time saves a write, which takes more processor time than several wakes: one
 * write at a time, and its leader lets them run first, as long as a fraction
 * of a write lasts. Who has set a number of writes in flight gets that. */
static int lead(struct log *log)
{
    enum { FEW = 4, PATIENCE_NS = 40000 };
    uint32_t peak = note_peak(log);
    if (peak <= FEW || log->options.writes_in_flight > 0)
        return log_lead(log, 0);
    if (atomic_exchange(&log->leading, true))
        return WARP_EBUSY;
    if (atomic_load(&log->next_block) != atomic_load(&log->durable_block)) {
        atomic_store(&log->leading, false);
        return WARP_EBUSY;
    }
    int64_t until = os_mono_ns() + PATIENCE_NS;
    while (atomic_load_explicit(&log->uncut, memory_order_relaxed) <
               peak - peak / 4 &&
           os_mono_ns() < until)
        os_yield();
    return log_lead(log, 0); /* others may lead as soon as it has gathered */
}

static int wait_for(struct log *log, struct log_ring *r, uint64_t position)
{
    for (;;) {
        uint32_t next = atomic_load(&log->epoch);
        struct log_cut *cut = cut_of(log, next);
        uint32_t seen = atomic_load(&cut->word);
        uint32_t any = atomic_load(&log->done_count);
        if (is_durable(r, position))
            return WARP_OK;
        int rc = atomic_load(&log->health);
        if (rc != WARP_OK)
            return error_set(rc, "the log has failed; close the store and "
                                 "open it again");
        if (!is_taken(r, position))
            rc = lead(log);
        if (rc == 1)
            continue;
        /* log_lead has waited for a gather under way: what it took shows. */
        if (rc == WARP_OK || rc == WARP_EBUSY) {
            if (is_taken(r, position))
                rc = wait_for_cut(log, r, position);
            else if (rc == WARP_EBUSY && atomic_load(&log->epoch) == next)
                sleep_on(cut, seen);
            rc = rc == WARP_EBUSY ? WARP_OK : rc;
        }
        if (rc == WARP_TIMEOUT)
            rc = wait_for_segment(log, any);
        if (rc < 0)
            return rc;
    }
}

int log_wait(struct log *log, uint32_t shard, uint64_t position)
{
    struct log_ring *r = &log->rings[shard];
    if (is_durable(r, position))
        return WARP_OK;
    atomic_fetch_add_explicit(&log->waiting, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&log->uncut, 1, memory_order_relaxed);
    int rc = wait_for(log, r, position);
    atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed);
    if (rc != WARP_OK)
        log_wake_all(log); /* nobody is left who would lead for them */
    return rc;
}

int log_sync(struct log *log)
{
    uint64_t tails[LOG_SHARDS_MAX];
    for (uint32_t s = 0; s < log->shards; s++)
        tails[s] =
            atomic_load_explicit(&log->rings[s].tail, memory_order_acquire);
    for (uint32_t s = 0; s < log->shards; s++) {
        int rc = log_wait(log, s, tails[s]);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}
