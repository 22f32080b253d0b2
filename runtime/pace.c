/* pace.c: see pace.h. What is left of the log up to its limit, over the time
 * that the checkpoint still needs by what it has done, is the rate at which the
 * log may grow from here; some thousand records of the checkpoint set it anew.
 * What a record takes is a mean that forgets: the first ones touch memory that
 * the others find, and would hold the writers up for all of them. A writer
 * looks once in some KiB of its own, and sleeps while the log is longer than
 * the rate allows. */
#include "pace.h"

enum {
    RECORD_NS = 3000,      /* of a record, before a checkpoint was seen, */
    BYTE_NS = 5,           /* and of each byte of it */
    RECORDS_TIMED = 10000, /* fewer say nothing about that, */
    BYTES_TIMED = 64 << 20, /* unless they are large */
    MEMORY_PART = 16,      /* of the records: what the mean looks back to */
    CHUNK_MIN = 256,       /* bytes of a thread between two looks */
    CHUNK_MAX = 16 << 10,
    CHUNK_PART = 1 << 13, /* of what the log grows in a second */
    SLEEP_NS = 1000000,
    SLEEPS_MAX = 1000 /* of a long batch */
};

void pace_begin(struct warp_db *db, uint64_t records, uint64_t bytes)
{
    struct pace *p = &db->pace;
    p->records = records;
    p->bytes = bytes;
    p->run_ns = p->step_ns = os_mono_ns();
    p->done = 0;
    p->each_ns = (double)p->record_ns;
    /* Before one was timed nobody knows; soon the first step tells. Without a
     * guess a fast writer reaches the limit before. */
    if (p->each_ns == 0 && records > 0)
        p->each_ns = (double)(RECORD_NS + BYTE_NS * (bytes / records));
    pace_step(db, 0);
}

static void learn(struct pace *p, uint64_t done, int64_t now)
{
    if (done <= p->done)
        return;
    double count = (double)(done - p->done);
    double each = (double)(now - p->step_ns) / count;
    double part = count / (count + (double)(p->records / MEMORY_PART));
    p->each_ns += part * (each - p->each_ns);
    p->done = done;
    p->step_ns = now;
}

void pace_step(struct warp_db *db, uint64_t done)
{
    struct pace *p = &db->pace;
    uint64_t limit = db->options.log_bytes_max, log = log_bytes(db->log);
    uint64_t most = limit - limit / 16; /* keeper_watch_log stops them there */
    int64_t now = os_mono_ns();
    learn(p, done, now);
    uint64_t left_ms =
        (uint64_t)((double)(p->records - done) * p->each_ns / 1e6) + 1;
    uint64_t room = most > log + limit / 32 ? most - log : limit / 32;
    uint64_t rate = room * 1000 / left_ms;
    if (rate == 0)
        rate = 1;
    atomic_store(&p->from_ns, now);
    atomic_store(&p->from_bytes, log);
    atomic_store(&p->bytes_per_s, rate);
    atomic_store(&p->on, true);
}

void pace_end(struct warp_db *db, bool good)
{
    struct pace *p = &db->pace;
    atomic_store(&p->on, false);
    if (good && (p->records >= RECORDS_TIMED || p->bytes >= BYTES_TIMED))
        p->record_ns = (uint64_t)(os_mono_ns() - p->run_ns) / p->records;
}

uint64_t pace_takes_ms(const struct warp_db *db)
{
    uint64_t records = db_dirty_records(db), each = db->pace.record_ns;
    /* The log has the bytes of each of them, once or more. */
    uint64_t ns = each > 0 ? records * each
                           : records * RECORD_NS + BYTE_NS * log_bytes(db->log);
    return ns / 1000000;
}

/* How long until the log may be as long as it is; 0: it may. */
static uint64_t too_early_ns(struct warp_db *db)
{
    struct pace *p = &db->pace;
    uint64_t rate = atomic_load(&p->bytes_per_s);
    uint64_t from = atomic_load(&p->from_bytes), log = log_bytes(db->log);
    uint64_t grown = log > from ? log - from : 0;
    int64_t since = os_mono_ns() - atomic_load(&p->from_ns);
    uint64_t due = (uint64_t)((double)grown * 1e9 / (double)rate);
    return (int64_t)due > since ? due - (uint64_t)since : 0;
}

void pace_wait(struct warp_db *db, uint64_t bytes)
{
    static _Thread_local uint64_t appended;
    struct pace *p = &db->pace;
    uint64_t chunk = atomic_load(&p->bytes_per_s) / CHUNK_PART;
    chunk = chunk < CHUNK_MIN ? CHUNK_MIN : chunk > CHUNK_MAX ? CHUNK_MAX
                                                              : chunk;
    appended += bytes;
    if (appended < chunk)
        return;
    uint64_t sleeps = PACE_SLEEP_MS * (appended / chunk);
    sleeps = sleeps < SLEEPS_MAX ? sleeps : SLEEPS_MAX;
    appended = 0;
    for (uint64_t i = 0; i < sleeps && atomic_load(&p->on); i++) {
        uint32_t seen = atomic_load(&db->room_word);
        uint64_t ns = too_early_ns(db);
        if (ns == 0)
            return;
        os_futex_wait(&db->room_word, seen,
                      ns < SLEEP_NS ? (int64_t)ns : SLEEP_NS);
    }
}
