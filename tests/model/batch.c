/* batch.c: a model of a batch over two shards, the cut that gathers them, and
 * what an open finds after the process or the machine has died.
 *
 * Mirrored are open_stamp(), close_stamp() and store_frame() of
 * runtime/log_ring.c, take_cut() and wait_for_batches() of log_stream.c,
 * log_parts() and commit_one() of commit.c, and what log_replay.c and
 * log_replay_ring.c take: whole cuts of the stream and then the rings, if they
 * hold all that the page of their tails promises (L6, L12), of a batch all
 * parts or none. The gatherer may stop to wait for an open batch at any moment,
 * as when that waits for room. A block is durable at once or later.
 *
 * Three commits: a batch (1) over both shards, a single one (2) of one of them,
 * and one (3) of the other that begins when (2) was acknowledged and waits for
 * the disk.
 *
 * To hold: after a kill all that was acknowledged is there, after a power loss
 * what waited for the disk; a batch whole or not at all; of each shard a first
 * part; and nothing whose cause, acknowledged before it began, is not (L7). */
#include "explore.h"

#include <stdio.h>
#include <string.h>

enum { SHARDS = 2, RECORDS = 3, CUTS = 4 };
enum { A, B };
enum { BATCHER, SINGLE, GATHERER, TAILS, PROCESSES };
enum mistake {
    NONE,
    HALF_BATCH, /* a replay takes the parts that it finds */
    NO_STAMP,   /* a cut takes the tails as it sees them */
    UNLOCKED,   /* a shard is free when its part is appended */
    EARLY_ACK,  /* durable when it is in a block */
    OLD_STAMP,  /* the stamp is read before the lock is taken */
    HALF_CUT,   /* blocks of a cut that is not whole are replayed */
};

enum batcher {
    LOCK_A,
    LOCK_B,
    STAMP,
    OPEN,
    STAMP_AGAIN,
    PUT_A_TURN,
    PUT_A_STAMP,
    PUT_A_TAIL,
    PUT_B_TURN,
    PUT_B_STAMP,
    PUT_B_TAIL,
    CLOSE,
    UNLOCK,
    BATCH_ACKED
};
enum single {
    LOCK_2,
    STAMP_2,
    TURN_2,
    POST_2,
    TAIL_2,
    UNLOCK_2,
    LOCK_3,
    STAMP_3,
    TURN_3,
    POST_3,
    TAIL_3,
    UNLOCK_3,
    WAIT_3,
    ALL_ACKED
};
enum gatherer {
    IDLE,
    EPOCH,
    WAIT,
    TAIL_OF,
    STAMP_OF,
    TAKE,
    AGAIN,
    BLOCK,
    REST
};

struct ring {
    uint8_t lock, tail, turn, stamp, cut, head;
    uint8_t records[RECORDS]; /* which commits, by position */
};

struct state {
    struct ring rings[SHARDS];
    uint8_t epoch, open[2];
    struct {
        uint8_t at, stamp;
    } batcher;
    struct {
        uint8_t at, stamp, first; /* the shard of (2) */
    } single;
    struct {
        uint8_t at, stamp, shard, seen, count;
        bool grew;
        uint8_t half; /* end of A in the first of two blocks of a cut */
    } gatherer;
    struct {
        uint8_t ends[SHARDS];
        bool durable;
    } cuts[CUTS];
    uint8_t page[SHARDS]; /* the tails on the disk, with the rings */
    bool acked[4];        /* by commit */
};

static void begin(void *state)
{
    (void)state;
}

static void append(struct ring *r, uint32_t commit)
{
    r->records[r->tail++] = (uint8_t)commit;
}

static bool lock(struct ring *r)
{
    if (r->lock)
        return false;
    r->lock = 1;
    return true;
}

/* store_frame(): where the stamp changes, then the stamp, then the tail. */
static void put(struct ring *r, uint32_t part, uint8_t stamp, uint32_t commit)
{
    if (part == 0 && r->stamp != stamp)
        r->turn = r->tail;
    else if (part == 1)
        r->stamp = stamp;
    else if (part == 2)
        append(r, commit);
}

static bool batch(struct state *s)
{
    struct ring *r = s->rings;
    uint8_t at = s->batcher.at, next = (uint8_t)(at + 1);
    switch (at) {
    case LOCK_A:
        if (!lock(&r[A]))
            return false;
        break;
    case LOCK_B:
        if (!lock(&r[B]))
            return false;
        break;
    case STAMP:
        s->batcher.stamp = s->epoch;
        break;
    case OPEN:
        s->open[s->batcher.stamp & 1]++;
        break;
    case STAMP_AGAIN:
        if (s->epoch != s->batcher.stamp) {
            s->open[s->batcher.stamp & 1]--;
            next = STAMP;
        }
        break;
    case PUT_A_TURN:
    case PUT_A_STAMP:
    case PUT_A_TAIL:
        put(&r[A], at - PUT_A_TURN, s->batcher.stamp, 1);
        if (at == PUT_A_TAIL && model_mistake == UNLOCKED)
            r[A].lock = 0;
        break;
    case PUT_B_TURN:
    case PUT_B_STAMP:
    case PUT_B_TAIL:
        put(&r[B], at - PUT_B_TURN, s->batcher.stamp, 1);
        break;
    case CLOSE:
        s->open[s->batcher.stamp & 1]--;
        break;
    case UNLOCK:
        if (model_mistake != UNLOCKED)
            r[A].lock = 0;
        r[B].lock = 0;
        s->acked[1] = true;
        break;
    default:
        return false;
    }
    s->batcher.at = next;
    return true;
}

static bool single(struct state *s, uint32_t choice)
{
    uint8_t at = s->single.at;
    bool second = at >= LOCK_3;
    if (at == 0)
        s->single.first = (uint8_t)choice;
    else if (choice > 0)
        return false;
    struct ring *r = &s->rings[s->single.first ^ second];
    uint32_t part = second ? at - LOCK_3 : at;
    if (at == ALL_ACKED)
        return false;
    if (at == WAIT_3) { /* log_wait(): until the cut is durable */
        bool found = false;
        uint8_t end = model_mistake == EARLY_ACK ? r->cut : r->head;
        for (uint32_t i = 0; i < end; i++)
            found = found || r->records[i] == 3;
        if (!found)
            return false;
        s->acked[3] = true;
        s->single.at++;
        return true;
    }
    if (model_mistake == OLD_STAMP && part < 2)
        part = 1 - part;
    switch (part) {
    case 0:
        if (!lock(r))
            return false;
        break;
    case 1:
        s->single.stamp = s->epoch;
        break;
    case 2:
    case 3:
    case 4:
        put(r, part - 2, s->single.stamp, second ? 3 : 2);
        break;
    default:
        r->lock = 0;
        if (!second)
            s->acked[2] = true;
        break;
    }
    s->single.at++;
    return true;
}

/* choice 1: it does not wait for a batch any longer. */
static bool gather(struct state *s, uint32_t choice)
{
    struct ring *r = &s->rings[s->gatherer.shard];
    uint8_t at = s->gatherer.at, next = (uint8_t)(at + 1);
    if (choice > 0 && at != WAIT)
        return false;
    switch (at) {
    case IDLE:
        if (s->gatherer.count == CUTS || (s->rings[A].tail == s->rings[A].cut &&
                                          s->rings[B].tail == s->rings[B].cut))
            return false;
        break;
    case EPOCH:
        s->gatherer.stamp = s->epoch++;
        s->gatherer.grew = false;
        s->gatherer.shard = 0;
        break;
    case WAIT:
        if (choice == 0 && s->open[s->gatherer.stamp & 1])
            return false;
        if (choice == 1 && !s->open[s->gatherer.stamp & 1])
            return false;
        break;
    case TAIL_OF:
        s->gatherer.seen = r->tail;
        break;
    case STAMP_OF:
        if (model_mistake != NO_STAMP &&
            (int8_t)(r->stamp - s->gatherer.stamp) > 0)
            s->gatherer.seen = r->turn;
        break;
    case TAKE:
        if (s->gatherer.seen > r->cut) {
            r->cut = s->gatherer.seen;
            s->gatherer.grew = true;
        }
        s->gatherer.shard = s->gatherer.shard == A ? B : A;
        next = s->gatherer.shard ? TAIL_OF : AGAIN;
        break;
    case AGAIN:
        next = s->gatherer.grew && model_mistake != NO_STAMP ? TAIL_OF : BLOCK;
        s->gatherer.grew = false;
        break;
    case BLOCK: /* of two blocks the first holds shard A alone */
        s->gatherer.half = s->rings[A].cut;
        break;
    default:
        for (uint32_t i = 0; i < SHARDS; i++)
            s->cuts[s->gatherer.count].ends[i] = s->rings[i].cut;
        s->cuts[s->gatherer.count++].durable = true;
        for (uint32_t i = 0; i < SHARDS; i++)
            s->rings[i].head = s->rings[i].cut;
        next = IDLE;
        break;
    }
    s->gatherer.at = next;
    return true;
}

/* The page of the tails and the rings reach the disk by themselves. */
static bool write_back(struct state *s)
{
    if (s->page[A] == s->rings[A].tail && s->page[B] == s->rings[B].tail)
        return false;
    s->page[A] = s->rings[A].tail;
    s->page[B] = s->rings[B].tail;
    return true;
}

static bool step(void *state, uint32_t p, uint32_t choice)
{
    struct state *s = state;
    if (p == GATHERER)
        return gather(s, choice);
    if (p == SINGLE)
        return single(s, choice);
    if (choice > 0)
        return false;
    return p == BATCHER ? batch(s) : write_back(s);
}

/* ---- an open ---- */

/* Which commits are there when the records up to these ends are. */
static void replay(const struct state *s, const uint8_t *ends, bool *found)
{
    uint32_t parts = 0;
    memset(found, 0, 4 * sizeof *found);
    for (uint32_t i = 0; i < SHARDS; i++)
        for (uint32_t n = 0; n < ends[i]; n++) {
            parts += s->rings[i].records[n] == 1;
            found[s->rings[i].records[n]] = true;
        }
    found[1] = parts == SHARDS || (model_mistake == HALF_BATCH && parts > 0);
    /* Half of it is there. */
    found[0] = found[1] && parts < SHARDS;
}

static const char *judge(const struct state *s, const uint8_t *ends, bool power)
{
    bool found[4];
    replay(s, ends, found);
    if (found[0])
        return "half of a batch is there";
    if (found[3] && !found[2])
        return "a commit is there, and not what was acknowledged before it";
    if (s->acked[3] && !found[3])
        return "a commit that waited for the disk is gone";
    if (!power && ((s->acked[1] && !found[1]) || (s->acked[2] && !found[2])))
        return "after a kill, what was acknowledged is gone";
    /* Behind a batch that is not whole nothing of its shards counts. */
    for (uint32_t i = 0; i < SHARDS && !found[1]; i++)
        for (uint32_t n = 0; n + 1 < ends[i]; n++)
            if (s->rings[i].records[n] == 1)
                return "a commit stands behind a batch that is not whole";
    return NULL;
}

static const char *check(const void *state)
{
    const struct state *s = state;
    uint8_t ends[SHARDS] = {s->rings[A].tail, s->rings[B].tail};
    const char *what = judge(s, ends, false);
    memset(ends, 0, sizeof ends);
    if (s->gatherer.count > 0)
        memcpy(ends, s->cuts[s->gatherer.count - 1].ends, sizeof ends);
    if (!what)
        what = judge(s, ends, true); /* the rings count for nothing */
    if (!what && model_mistake == HALF_CUT && s->gatherer.at == REST) {
        ends[A] = s->gatherer.half;
        what = judge(s, ends, true);
    }
    for (uint32_t i = 0; i < SHARDS; i++)
        if (s->page[i] > ends[i])
            ends[i] = s->page[i];
    return what ? what : judge(s, ends, true); /* they hold all of the page */
}

static bool ended(const void *state, uint32_t p)
{
    const struct state *s = state;
    return p == BATCHER  ? s->batcher.at == BATCH_ACKED
           : p == SINGLE ? s->single.at == ALL_ACKED
                         : true;
}

static void say(const void *state, uint32_t p, uint32_t choice)
{
    static const char *const names[] = {"batch", "single", "gatherer", "tails"};
    const struct state *s = state;
    fprintf(stderr,
            "%s %u; at %d %d %d; A: tail %d stamp %d cut %d; B: tail %d stamp "
            "%d cut %d; epoch %d\n",
            names[p], choice, s->batcher.at, s->single.at, s->gatherer.at,
            s->rings[A].tail, s->rings[A].stamp, s->rings[A].cut,
            s->rings[B].tail, s->rings[B].stamp, s->rings[B].cut, s->epoch);
}

int main(void)
{
    static const struct model model = {
        .name = "batch",
        .state_bytes = sizeof(struct state),
        .processes = PROCESSES,
        .choices = 2,
        .mistakes = {"a replay takes half a batch", "cuts without stamps",
                     "a shard is free before the batch is whole",
                     "acknowledged in a block",
                     "the stamp is of before the "
                     "lock",
                     "half a cut is replayed"},
        .begin = begin,
        .step = step,
        .check = check,
        .ended = ended,
        .say = say,
    };
    return explore_main(&model);
}
