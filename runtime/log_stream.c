/* log_stream.c: rings into blocks, blocks to disk, group commit, the flusher.
 *
 * Who needs something durable writes it himself: log_lead() takes what is in
 * the rings under gather_lock and writes it outside, so that several writes are
 * in flight. Waiters sleep until their cut is durable (log_wait.c).
 *
 * Why a cut is consistent. An appender reads `epoch` when it holds all its
 * shard locks and stamps its records with it; a gather adds one to `epoch`, so
 * that new commits are stamped e + 1, and takes what is stamped up to e. Let A
 * be acknowledged before B began, and B be taken. A's read of `epoch` happened
 * before B's, so A's stamp is at most B's, at most e. A's tail was published
 * before B's: a reader that saw B's tail sees A's when it looks afterwards. The
 * gather reads all tails again until a whole pass finds nothing more to take;
 * that pass began after B was seen, so A is taken. Stamps never fall within a
 * shard, because they are read under its lock, so what is taken of a shard is
 * all before its `turn`, the first record stamped e + 1. Only the gather moves
 * `epoch`, so there is no stamp above e + 1 while it runs. */
#include "log_inner.h"

#include "error.h"
#include "planted.h"

#include <errno.h>

enum {
    SPINS_FOR_BATCH = 2000,
    SHORT_BYTES = 256 << 10, /* of a block: see write_ahead */
    BLOCK_ROOM = LOG_FRAME_MAX + BLOCK_HEADER_BYTES,
    BLOCK_PLANTED = 20 << 10
};
#define MARK_NS INT64_C(5000000000)

/* ---- gather ---- */

/* True when all batches that the cut could hold are whole (L7). */
static bool wait_for_batches(struct log *log, uint32_t stamp)
{
    _Atomic uint32_t *open = &log->batches_open[stamp & 1];
    for (int i = 0; i < SPINS_FOR_BATCH; i++) {
        if (atomic_load(open) == 0)
            return true;
        if (atomic_load(&log->batches_starved) > 0)
            return false;
        if (i % 16 == 15)
            os_yield();
    }
    return false;
}

static bool take_cut(struct log *log)
{
    bool any = false, grew = false;
    int64_t now = os_mono_ns();
    for (uint32_t s = 0; s < log->shards && !any; s++)
        any =
            atomic_load_explicit(&log->rings[s].tail, memory_order_acquire) !=
            atomic_load_explicit(&log->rings[s].gathered, memory_order_relaxed);
    if (!any) {
        if (atomic_load(&log->durable_block) == atomic_load(&log->next_block))
            atomic_store(&log->durable_ns, now);
        return false;
    }
    uint32_t stamp = atomic_fetch_add(&log->epoch, 1);
    os_point(OS_POINT_TURN);
    log->cut_stamp = stamp;
    log->cut_whole = wait_for_batches(log, stamp);
    if (!log->cut_whole)
        log->straddle = true;
    else if (log->straddle && atomic_load(&log->batches_open[0]) == 0 &&
             atomic_load(&log->batches_open[1]) == 0)
        log->straddle = false;
    do {
        grew = false;
        for (uint32_t s = 0; s < log->shards; s++) {
            struct log_ring *r = &log->rings[s];
            uint64_t cut = atomic_load_explicit(&r->tail, memory_order_acquire);
            uint32_t last =
                atomic_load_explicit(&r->stamp, memory_order_acquire);
            os_point(OS_POINT_TURN);
            if ((int32_t)(last - stamp) > 0)
                cut = atomic_load_explicit(&r->turn, memory_order_relaxed);
            if (cut > r->cut) {
                r->cut = cut;
                grew = any = true;
            }
        }
    } while (grew);
    log->cut_ns = now;
    log->cut_shard = 0;
    log->cut_split = false;
    log->cut_pending = true;
    return true;
}

/* Copies whole records of one shard; false when the block is full. The ring is
 * mapped twice, for records that go over its end: nothing else is read in the
 * second mapping, whose pages would be touched, and counted, a second time. */
static bool take_shard(struct log *log, struct log_ring *r, uint8_t *to,
                       size_t *used, size_t most)
{
    uint64_t from = atomic_load_explicit(&r->gathered, memory_order_relaxed);
    uint64_t mask = log->ring_bytes - 1;
    size_t bytes = 0, room = most - *used;
    uint64_t all = r->cut - from;
    while (bytes < all) {
        const uint8_t *at = r->base + ((from + bytes) & mask);
        size_t next = log_align(get32(at + REC_BYTES), 8);
        if (bytes + next > room)
            break;
        r->gathered_seq = get64(at + REC_SEQ);
        bytes += next;
    }
    size_t first = (size_t)(log->ring_bytes - (from & mask));
    first = first < bytes ? first : bytes;
    memcpy(to + *used, r->base + (from & mask), first);
    memcpy(to + *used + first, r->base, bytes - first);
    *used += bytes;
    atomic_store_explicit(&r->gathered, from + bytes, memory_order_release);
    return bytes == all;
}

static void places_now(struct log *log, uint64_t *position, uint64_t *seq)
{
    for (uint32_t s = 0; s < log->shards; s++) {
        position[s] =
            atomic_load_explicit(&log->rings[s].gathered, memory_order_relaxed);
        seq[s] = log->rings[s].gathered_seq;
    }
}

static int cannot_write(struct log *log, uint64_t segment, int rc)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(log, path, segment);
    rc = error_os(rc, "cannot write the log", path);
    return log_fail(log, rc == WARP_ENOSPC ? WARP_EIO : rc, error_text());
}

/* Zeros ahead of a short block in a segment that is blank: one change of the
 * file's metadata for many blocks. gather_lock held: what is in flight lies
 * before write_at, and what comes is not written yet. The slot is free. */
static int write_ahead(struct log *log, struct log_slot *slot, size_t want)
{
    uint64_t at = log->fresh ? 0 : atomic_load(&log->write_at);
    uint64_t end = log->fresh ? LOG_HEADER_BYTES + want : at + want;
    if (!log->blank || end <= log->written_to)
        return WARP_OK;
    log->written_to = log_align(end, LOG_PAGE);
    if (want > SHORT_BYTES)
        return WARP_OK;
    size_t bytes = LOG_BLOCK_BYTES;
    if (bytes > log->current_bytes - at)
        bytes = (size_t)(log->current_bytes - at);
    memset(slot->buffer, 0, bytes);
    int rc = log_write(log, &log->syncs, log->fd, slot->buffer, bytes, at);
    log->written_to = at + bytes;
    return rc < 0 ? cannot_write(log, log->current_number, rc) : WARP_OK;
}

/* Puts the headers around a payload; the slot is then ready to be written. */
static void seal(struct log *log, struct log_slot *slot, size_t payload,
                 uint32_t flags, uint64_t skip)
{
    uint8_t *block = slot->buffer + LOG_HEADER_BYTES;
    size_t bytes = log_align(BLOCK_HEADER_BYTES + payload, LOG_PAGE);
    int64_t clock = log->options.clock_ms
                        ? log->options.clock_ms(log->options.arg)
                        : os_wall_ms();
    if (clock > atomic_load_explicit(&log->clock_mark, memory_order_relaxed))
        atomic_store_explicit(&log->clock_mark, clock, memory_order_relaxed);
    memset(block + BLOCK_HEADER_BYTES + payload, 0,
           bytes - BLOCK_HEADER_BYTES - payload);
    put32(block + BLOCK_MAGIC, LOG_BLOCK_MAGIC);
    put64(block + BLOCK_SEGMENT, log->current_number);
    put64(block + BLOCK_NUMBER, slot->number);
    put32(block + BLOCK_PAYLOAD, (uint32_t)payload);
    put32(block + BLOCK_FLAGS, flags);
    put64(block + BLOCK_CLOCK, (uint64_t)clock);
    put64(block + BLOCK_SKIP, skip);
    put64(block + BLOCK_DURABLE, atomic_load(&log->durable_block));
    put64(block + BLOCK_SALT, log->salt);
    put32(block + BLOCK_CRC, log_block_crc(block));
    slot->from = block;
    slot->offset = atomic_load(&log->write_at);
    slot->bytes = bytes;
    slot->fd = log->fd;
    slot->close_fd = log->old_fd; /* all writes to it end before this one */
    log->old_fd = -1;
    slot->cut = flags & BLOCK_CUT;
    if (log->fresh) {
        /* The header lies in front of the first block: one write for both. */
        slot->from = slot->buffer;
        slot->offset = 0;
        slot->bytes += LOG_HEADER_BYTES;
        log->fresh = false;
    }
    atomic_store(&log->write_at, slot->offset + slot->bytes);
    atomic_store(&log->unused_bytes,
                 log->current_bytes - slot->offset - slot->bytes);
}

/* gather_lock held. Goes on to the next segment when this one cannot take a
 * frame; the header is put into the slot. */
static int find_room(struct log *log, struct log_slot *slot, size_t want,
                     size_t *most)
{
    uint64_t left = log->current_bytes - atomic_load(&log->write_at);
    size_t bytes = want;
    if (want > BLOCK_ROOM)
        want = BLOCK_ROOM;
    if (left < log_align(want, LOG_PAGE)) {
        int rc = log_segment_next(log);
        if (rc != WARP_OK)
            return rc;
        left = log->current_bytes - atomic_load(&log->write_at);
    }
    int rc = write_ahead(log, slot, bytes);
    if (rc != WARP_OK)
        return rc;
    if (log->fresh) {
        uint64_t position[LOG_SHARDS_MAX], seq[LOG_SHARDS_MAX];
        places_now(log, position, seq);
        /* A cut may move the table as soon as the lock is free. */
        os_lock(&log->room_lock);
        log->segments[log->segment_count - 1].first = slot->number;
        struct log_segment segment = log->segments[log->segment_count - 1];
        os_unlock(&log->room_lock);
        log_header_encode(log, slot->buffer, &segment,
                          atomic_load(&log->durable_block), position, seq);
    }
    uint64_t longest = PLANTED_SIZE(LOG_BLOCK_BYTES, BLOCK_PLANTED);
    *most = (left < longest ? left : longest) - BLOCK_HEADER_BYTES;
    return WARP_OK;
}

/* As few as are written at a time: their pages are touched one after the other,
 * and what was used last is in the processor's caches. */
static void take_buffer(struct log *log, struct log_slot *slot)
{
    os_lock(&log->done_lock);
    if (!slot->buffer) {
        slot->buffer = log->buffers[--log->buffer_count];
        log->buffers[log->buffer_count] = NULL;
    }
    os_unlock(&log->done_lock);
}

/* gather_lock held: the next block of the pending cut, or of a new one. */
static int gather(struct log *log, struct log_slot *slot, uint32_t flags)
{
    uint64_t before = 0, after = 0;
    size_t used = 0, most;
    if (!log->cut_pending && !take_cut(log) && flags == 0)
        return WARP_OK;
    for (uint32_t s = 0; s < log->shards; s++)
        before +=
            log->rings[s].cut -
            atomic_load_explicit(&log->rings[s].gathered, memory_order_relaxed);
    take_buffer(log, slot);
    int rc = find_room(log, slot, before + BLOCK_HEADER_BYTES, &most);
    if (rc != WARP_OK)
        return rc;
    uint8_t *payload = slot->buffer + LOG_HEADER_BYTES + BLOCK_HEADER_BYTES;
    while (log->cut_shard < log->shards &&
           take_shard(log, &log->rings[log->cut_shard], payload, &used, most))
        log->cut_shard++;
    if (log->cut_shard == log->shards) {
        flags |= BLOCK_CUT;
        log->cut_pending = false;
        for (uint32_t s = 0; s < log->shards; s++)
            slot->ends[s] = log->rings[s].cut;
        slot->cut_ns = log->cut_ns;
        slot->cut_stamp = log->cut_stamp;
        slot->cut_split = log->cut_split;
        if (log->cut_whole && !log->straddle)
            log->whole_end = slot->number + 1;
    } else {
        log->cut_split = true;
        log_kick(log); /* somebody goes on with it */
    }
    after = used;
    seal(log, slot, used, flags, 0);
    os_lock(&log->room_lock);
    log->pledged -= after;
    os_unlock(&log->room_lock);
    return 1;
}

/* ---- write and complete ---- */

/* Heads move only when all earlier blocks are durable, too (L5), and only to
 * the end of a cut, so that the rings still hold what a power loss may take
 * from a cut that is not complete (L6). */
static void complete(struct log *log, struct log_slot *slot)
{
    uint32_t cuts[2 * LOG_SLOTS_MAX], count = 0;
    bool moved = false;
    os_lock(&log->done_lock);
    log->buffers[log->buffer_count++] = slot->buffer;
    slot->buffer = NULL;
    slot->done = true;
    uint64_t number = atomic_load(&log->durable_block);
    if (PLANTED(reorder_log)) {
        slot->done = slot->number >= number;
        number = slot->done ? slot->number : number;
    }
    for (;;) {
        struct log_slot *next = &log->slots[number % log->slot_count];
        if (!next->done)
            break;
        next->done = false;
        os_close(next->close_fd);
        next->close_fd = -1;
        if (next->cut) {
            for (uint32_t s = 0; s < log->shards; s++)
                atomic_store_explicit(&log->rings[s].head, next->ends[s],
                                      memory_order_release);
            atomic_store(&log->durable_ns, next->cut_ns);
            cuts[count++] = next->cut_stamp;
            /* Who looked between two of its blocks took it for the next. */
            if (next->cut_split)
                cuts[count++] = next->cut_stamp + 1;
        }
        atomic_store(&log->durable_block, ++number);
        moved = true;
    }
    os_unlock(&log->done_lock);
    if (!moved)
        return;
    os_point(OS_POINT_DONE);
    log_wake_leader(log);
    for (uint32_t i = 0; i < count; i++)
        log_wake_cut(log, cuts[i]);
    log_bump(log);
}

static int write_slot(struct log *log, struct log_slot *slot)
{
    int rc = log_write(log, &log->syncs, slot->fd, slot->from, slot->bytes,
                       slot->offset);
    atomic_fetch_add_explicit(&log->sync_count, 1, memory_order_relaxed);
    if (rc < 0)
        return cannot_write(
            log, get64(slot->buffer + LOG_HEADER_BYTES + BLOCK_SEGMENT), rc);
    complete(log, slot);
    return 1;
}

int log_lead(struct log *log, uint32_t flags)
{
    os_lock(&log->gather_lock);
    int rc = atomic_load(&log->health);
    uint64_t number = atomic_load(&log->next_block);
    if (rc == WARP_OK && number - atomic_load(&log->durable_block) >=
                             atomic_load(&log->in_flight_limit))
        rc = WARP_EBUSY;
    if (rc != WARP_OK) {
        os_unlock(&log->gather_lock);
        atomic_store(&log->leading, false);
        return rc;
    }
    struct log_slot *slot = &log->slots[number % log->slot_count];
    slot->number = number;
    rc = gather(log, slot, flags);
    if (rc == 1) {
        atomic_store_explicit(&log->uncut, 0, memory_order_relaxed);
        atomic_store(&log->next_block, number + 1);
    }
    os_unlock(&log->gather_lock);
    atomic_store(&log->leading, false);
    return rc == 1 ? write_slot(log, slot) : rc;
}

int log_write_alone(struct log *log, const uint8_t *payload, size_t bytes,
                    uint32_t flags, uint64_t skip)
{
    size_t most;
    uint64_t number = atomic_load(&log->next_block);
    struct log_slot *slot = &log->slots[number % log->slot_count];
    slot->number = number;
    take_buffer(log, slot);
    int rc = find_room(log, slot, bytes + BLOCK_HEADER_BYTES, &most);
    if (rc != WARP_OK)
        return rc;
    if (bytes > 0)
        memcpy(slot->buffer + LOG_HEADER_BYTES + BLOCK_HEADER_BYTES, payload,
               bytes);
    seal(log, slot, bytes, flags, skip);
    slot->cut = false; /* the heads are set by the caller */
    atomic_store(&log->next_block, number + 1);
    rc = write_slot(log, slot);
    return rc < 0 ? rc : WARP_OK;
}

/* ---- marks ---- */

int log_mark(struct log *log, uint64_t *mark)
{
    int64_t until = os_mono_ns() + MARK_NS;
    uint64_t from = UINT64_MAX;
    for (;;) {
        int rc = log_sync(log);
        if (rc != WARP_OK)
            return rc;
        if (os_mono_ns() > until)
            return error_set(WARP_EBUSY, "a batch was begun in the log and is "
                                         "not finished; no cut can be made");
        os_lock(&log->gather_lock);
        bool whole = !log->cut_pending && log->cut_whole && !log->straddle;
        *mark = atomic_load(&log->next_block);
        if (from == UINT64_MAX)
            from = *mark; /* what was appended before the call is before it */
        /* Under load one cut follows the other, each of many blocks: where one
         * ended is as good as where none is under way. */
        if (!whole && log->whole_end >= from) {
            *mark = log->whole_end;
            whole = true;
        }
        if (!whole && !log->cut_pending &&
            atomic_load(&log->batches_open[0]) == 0 &&
            atomic_load(&log->batches_open[1]) == 0) {
            /* All are finished: the next cut holds what is left of them. */
            bool left = false;
            for (uint32_t s = 0; s < log->shards; s++)
                left |= atomic_load_explicit(&log->rings[s].tail,
                                             memory_order_acquire) !=
                        atomic_load_explicit(&log->rings[s].gathered,
                                             memory_order_relaxed);
            if (!left) {
                log->straddle = false;
                log->cut_whole = whole = true;
            }
        }
        os_unlock(&log->gather_lock);
        if (whole)
            return WARP_OK;
        os_yield();
    }
}

/* ---- the flusher ---- */

static void sleep_until_done(struct log *log, uint32_t seen, int64_t timeout_ns)
{
    atomic_fetch_add(&log->waiters, 1);
    os_futex_wait(&log->done_count, seen, timeout_ns);
    atomic_fetch_sub(&log->waiters, 1);
}

int log_drain(struct log *log)
{
    uint64_t tails[LOG_SHARDS_MAX];
    for (uint32_t s = 0; s < log->shards; s++)
        tails[s] =
            atomic_load_explicit(&log->rings[s].tail, memory_order_acquire);
    for (uint32_t s = 0; s < log->shards;) {
        uint32_t seen = atomic_load(&log->done_count);
        if (atomic_load_explicit(&log->rings[s].gathered,
                                 memory_order_acquire) >= tails[s]) {
            s++;
            continue;
        }
        int rc = log_lead(log, 0);
        if (rc == WARP_EBUSY || rc == WARP_TIMEOUT)
            sleep_until_done(log, seen, 10000000);
        else if (rc < 0)
            return rc;
        if (rc == WARP_TIMEOUT)
            return rc;
    }
    return WARP_OK;
}

void *log_flusher(void *arg)
{
    struct log *log = arg;
    int64_t period = (int64_t)log->options.sync_every_ms * 1000000;
    while (!atomic_load(&log->stopping) &&
           atomic_load(&log->health) == WARP_OK) {
        uint32_t seen = atomic_load(&log->kick);
        log_drain(log);
        if (atomic_load(&log->stopping))
            break;
        if (log->options.flushed)
            log->options.flushed(log->options.arg);
        atomic_store(&log->flusher_sleeps, true);
        os_futex_wait(&log->kick, seen, period);
        atomic_store(&log->flusher_sleeps, false);
    }
    return NULL;
}
