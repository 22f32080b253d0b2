/* group_commit.c: a model of the group commit (runtime/log_wait.c and
 * log_stream.c): who waits for the disk, who writes, who is woken.
 *
 * Mirrored are wait_for(), wait_for_cut(), sleep_on() and wake() of log_wait.c,
 * log_lead(), take_cut(), write_slot() and complete() of log_stream.c, for
 * clients that append to one ring, with two writes in flight. Not there: the
 * flusher, which would wake up by its clock and hide what is lost; the choice
 * of lead() to be patient.
 *
 * To hold: a commit is acknowledged when it and all before it are durable, and
 * everybody's is in the end. */
#include "explore.h"

#include <stdio.h>

enum { CLIENTS = 3, LIMIT = 2, WORDS = 4 };
enum mistake {
    NONE,
    LATE_LOOK,    /* the word is read behind what it tells of */
    NO_LEADER,    /* a write that ends wakes nobody for the next cut */
    EARLY,        /* acknowledged when it is in a block */
    ANY_ORDER,    /* a block is durable before those before it */
    SLEEP_ANYWAY, /* of a cut that is written, without a look at its word */
};

enum at {
    APPEND,
    LOOP,       /* the number of the next cut */
    LOOP_WORD,  /* its word */
    LOOP_LOOK,  /* durable? */
    LOOP_TAKEN, /* in a block? */
    LEAD,       /* the lock of gathering */
    LEAD_LIMIT,
    LEAD_EPOCH,
    LEAD_CUT,
    LEAD_TAKE,
    LEAD_NEXT,
    WRITE,
    COMPLETE,
    WAKE_NEXT, /* the word, then who sleeps on it */
    WAKE_NEXT_SLEEPERS,
    WAKE_CUT,
    WAKE_CUT_SLEEPERS,
    BUSY, /* it could not lead, or nothing was left to gather */
    BUSY_EPOCH,
    CUT, /* in a block: until that is durable */
    CUT_WORD,
    CUT_LOOK,
    CUT_REST,
    SLEEP,
    SLEEPING,
    WOKEN,
    ACKED
};

struct client {
    uint8_t at, position, next, seen, word;
    uint8_t block, end, stamp; /* that it writes */
    uint8_t cuts;              /* bits of words that it has to wake */
    bool busy, in_cut;
};

struct state {
    struct client clients[CLIENTS];
    uint8_t tail, gathered, head;
    uint8_t epoch, next_block, durable_block;
    uint8_t gathering, cut; /* the lock: 1 + who holds it */
    struct {
        uint8_t done, end, stamp;
    } slots[LIMIT];
    uint8_t words[WORDS], waiters[WORDS];
    bool on_disk[CLIENTS + 1]; /* blocks */
    uint8_t block_end[CLIENTS + 1];
};

static void begin(void *state)
{
    (void)state;
}

/* complete(): what is durable now, in order. */
static void complete(struct state *s, struct client *c)
{
    s->slots[c->block % LIMIT].done = 1;
    s->slots[c->block % LIMIT].end = c->end;
    s->slots[c->block % LIMIT].stamp = c->stamp;
    c->cuts = 0;
    if (model_mistake == ANY_ORDER && s->durable_block < c->block)
        s->durable_block = c->block;
    while (s->slots[s->durable_block % LIMIT].done) {
        s->slots[s->durable_block % LIMIT].done = 0;
        s->head = s->slots[s->durable_block % LIMIT].end;
        c->cuts |=
            (uint8_t)(1u << s->slots[s->durable_block % LIMIT].stamp % WORDS);
        s->durable_block++;
    }
}

static void wake_sleepers(struct state *s, uint32_t word, uint32_t most)
{
    if (s->waiters[word] == 0)
        return;
    for (uint32_t i = 0; i < CLIENTS && most > 0; i++)
        if (s->clients[i].at == SLEEPING && s->clients[i].word == word) {
            s->clients[i].at = WOKEN;
            most--;
        }
}

static bool gather(struct state *s, struct client *c, uint32_t me)
{
    switch (c->at) {
    case LEAD:
        if (s->gathering)
            return false;
        s->gathering = (uint8_t)(me + 1);
        c->at = LEAD_LIMIT;
        return true;
    case LEAD_LIMIT:
        c->busy = s->next_block - s->durable_block >= LIMIT;
        if (c->busy || s->tail == s->gathered) {
            s->gathering = 0;
            c->at = c->in_cut && !c->busy ? LOOP : BUSY;
        } else {
            c->at = LEAD_EPOCH;
        }
        return true;
    case LEAD_EPOCH:
        c->stamp = s->epoch++;
        c->at = LEAD_CUT;
        return true;
    case LEAD_CUT:
        s->cut = s->tail;
        c->at = LEAD_TAKE;
        return true;
    case LEAD_TAKE:
        s->gathered = s->cut;
        c->at = LEAD_NEXT;
        return true;
    default:
        c->block = s->next_block++;
        c->end = s->cut;
        s->block_end[c->block] = c->end;
        s->gathering = 0;
        c->at = WRITE;
        return true;
    }
}

static bool write_and_wake(struct state *s, struct client *c)
{
    uint32_t word;
    switch (c->at) {
    case WRITE:
        s->on_disk[c->block] = true;
        c->at = COMPLETE;
        return true;
    case COMPLETE: {
        uint8_t before = s->durable_block;
        complete(s, c);
        c->at = s->durable_block == before ? LOOP : WAKE_NEXT;
        return true;
    }
    case WAKE_NEXT:
        c->word = s->epoch % WORDS;
        s->words[c->word]++;
        c->at = WAKE_NEXT_SLEEPERS;
        if (model_mistake == NO_LEADER)
            c->at = WAKE_CUT;
        return true;
    case WAKE_NEXT_SLEEPERS:
        wake_sleepers(s, c->word, 1);
        c->at = WAKE_CUT;
        return true;
    case WAKE_CUT:
        if (!c->cuts) {
            c->at = LOOP;
            return true;
        }
        word = (uint32_t)__builtin_ctz(c->cuts);
        s->words[word]++;
        c->at = WAKE_CUT_SLEEPERS;
        return true;
    default:
        word = (uint32_t)__builtin_ctz(c->cuts);
        c->cuts &= (uint8_t) ~(1u << word);
        wake_sleepers(s, word, CLIENTS);
        c->at = WAKE_CUT;
        return true;
    }
}

static bool wait_for(struct state *s, struct client *c)
{
    switch (c->at) {
    case LOOP:
        c->in_cut = false;
        c->next = s->epoch;
        c->at = model_mistake == LATE_LOOK ? LOOP_LOOK : LOOP_WORD;
        return true;
    case LOOP_WORD:
        c->word = c->next % WORDS;
        c->seen = s->words[c->word];
        c->at = model_mistake == LATE_LOOK ? SLEEP : LOOP_LOOK;
        return true;
    case LOOP_LOOK:
        c->at = s->head >= c->position ? ACKED : LOOP_TAKEN;
        return true;
    case LOOP_TAKEN:
        c->busy = false;
        c->at = s->gathered < c->position ? LEAD
                : model_mistake == EARLY  ? ACKED
                                          : CUT;
        return true;
    case BUSY:
        c->at = s->gathered >= c->position ? CUT : c->busy ? BUSY_EPOCH : LOOP;
        return true;
    case BUSY_EPOCH:
        c->at = s->epoch != c->next          ? LOOP
                : model_mistake == LATE_LOOK ? LOOP_WORD
                                             : SLEEP;
        return true;
    case CUT:
        c->word = (uint8_t)(s->epoch - 1) % WORDS;
        c->at = model_mistake == SLEEP_ANYWAY ? CUT_LOOK : CUT_WORD;
        return true;
    case CUT_WORD:
        c->seen = s->words[c->word];
        c->at = model_mistake == SLEEP_ANYWAY ? SLEEP : CUT_LOOK;
        return true;
    case CUT_LOOK:
        c->at = s->head >= c->position ? LOOP : CUT_REST;
        return true;
    case CUT_REST:
        /* A second way into log_lead(), with nothing of its own to take. */
        if (s->durable_block == s->next_block) {
            c->in_cut = true;
            c->at = LEAD;
        } else {
            c->at = model_mistake == SLEEP_ANYWAY ? CUT_WORD : SLEEP;
        }
        return true;
    default:
        return false;
    }
}

static bool step(void *state, uint32_t p, uint32_t choice)
{
    struct state *s = state;
    struct client *c = &s->clients[p];
    if (choice > 0 || c->at == ACKED || c->at == SLEEPING)
        return false;
    if (c->at == APPEND) {
        c->position = ++s->tail;
        c->at = LOOP;
        return true;
    }
    if (c->at >= LEAD && c->at <= LEAD_NEXT)
        return gather(s, c, p);
    if (c->at >= WRITE && c->at <= WAKE_CUT_SLEEPERS)
        return write_and_wake(s, c);
    if (c->at == SLEEP) {
        /* sleep_on(): counted first; the kernel compares the word. */
        s->waiters[c->word]++;
        c->at = s->words[c->word] == c->seen ? SLEEPING : WOKEN;
        return true;
    }
    if (c->at == WOKEN) {
        s->waiters[c->word]--;
        c->at = LOOP;
        return true;
    }
    return wait_for(s, c);
}

static const char *check(const void *state)
{
    const struct state *s = state;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        const struct client *c = &s->clients[i];
        if (c->at != ACKED)
            continue;
        /* A power loss now: the blocks up to the first that lacks. */
        uint8_t end = 0;
        for (uint32_t b = 0; b < s->next_block && s->on_disk[b]; b++)
            end = s->block_end[b];
        if (end < c->position)
            return "a commit is acknowledged and not durable";
    }
    return NULL;
}

static bool ended(const void *state, uint32_t p)
{
    return ((const struct state *)state)->clients[p].at == ACKED;
}

static void say(const void *state, uint32_t p, uint32_t choice)
{
    const struct state *s = state;
    (void)choice;
    fprintf(stderr,
            "client %u is at %d; tail %d, gathered %d, head %d, epoch %d, "
            "blocks %d to %d\n",
            p, s->clients[p].at, s->tail, s->gathered, s->head, s->epoch,
            s->durable_block, s->next_block);
}

int main(void)
{
    static const struct model model = {
        .name = "group commit",
        .state_bytes = sizeof(struct state),
        .processes = CLIENTS,
        .choices = 1,
        .mistakes = {"the word is read late", "no leader is woken",
                     "acknowledged early", "blocks in any order",
                     "a sleep without a look"},
        .begin = begin,
        .step = step,
        .check = check,
        .ended = ended,
        .say = say,
    };
    return explore_main(&model);
}
