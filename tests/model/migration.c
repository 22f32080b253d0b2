/* migration.c: a model of how a value moves to another tier, which is a step of
 * a checkpoint (runtime/checkpoint_step.c), while it is read and written.
 *
 * Mirrored are step_copy(), step_commit(), settle() with settle_places(),
 * settle_marks() and settle_values() of checkpoint_step.c; disk_reclaim() and
 * the references of disk_segment_get() and disk_segment_put() in disk.c;
 * read_stored() and fetch_cold() of read.c; apply_change() of commit.c. One
 * record with one value moves twice, each place is a segment of its own.
 *
 * To hold: a read gives a version that is not older than what was acknowledged
 * when it began, from a file that is open; after a kill the last logged version
 * is there, after a power loss one that the log had durably, and nothing in the
 * directory is newer than the durable log (C3).
 */
#include "explore.h"

#include <stdio.h>

enum { PLACES = 3, GARBAGE = 0 };
enum { MOVER, WRITER, READER, PROCESSES };
enum mistake {
    NONE,
    COMMIT_FIRST,  /* the directory names a place before it is synced */
    FREE_FIRST,    /* the old place is free before the commit */
    NO_VERSION,    /* the mark of a write goes with what was copied before */
    NO_LOOK_AGAIN, /* a reader trusts what it has read */
    NO_REFERENCE,  /* a segment goes while somebody reads it */
    LOG_LATER,     /* the directory commits before the log is durable */
};

enum mover {
    COPY,
    COPY_DONE,
    PUT,
    SYNC_LOG,
    SYNC_DISK,
    COMMIT,
    SETTLE,
    SETTLE_DONE,
    RECLAIM,
    RECLAIM_FILE,
    MOVED
};
enum writer { WRITE, APPEND, CHANGE, WRITE_DONE, WRITTEN };
enum reader { READ, READ_AT, GET, FETCH, LOOK, GIVE, HAVE_READ };

struct state {
    uint8_t lock;    /* of the shard: 1 + who */
    uint8_t word;    /* of the record, odd while it changes */
    uint8_t version; /* of the record */
    uint8_t memory;  /* the value in memory; 0: it is cold */
    bool dirty;      /* the tiers do not have it */
    uint8_t place;
    struct {
        uint8_t content, synced;
        bool live, listed, there; /* in the table; as a file */
        uint8_t references;
    } segments[PLACES];
    struct {
        uint8_t place, version;
    } directory;
    uint8_t logged, log_durable, acknowledged;
    struct {
        uint8_t at, copied, version, old, rounds;
    } mover;
    struct {
        uint8_t at;
    } writer;
    struct {
        uint8_t at, word, place, value, least, reads;
        bool held, closed; /* it read a file that was closed */
    } reader;
};

static void begin(void *state)
{
    struct state *s = state;
    s->version = s->logged = s->log_durable = s->acknowledged = 1;
    s->directory.version = 1;
    s->segments[0].content = s->segments[0].synced = 1;
    s->segments[0].live = s->segments[0].listed = s->segments[0].there = true;
}

static bool take(struct state *s, uint32_t who)
{
    if (s->lock)
        return false;
    s->lock = (uint8_t)(who + 1);
    return true;
}

static void go(struct state *s, uint32_t n)
{
    if (!s->segments[n].listed && s->segments[n].references == 0) {
        s->segments[n].there = false;
        s->segments[n].content = s->segments[n].synced = GARBAGE;
    }
}

/* ---- the checkpoint ---- */

static void settle(struct state *s)
{
    s->segments[s->mover.old].live = false;
    s->place = s->mover.rounds;
    if (s->version == s->mover.version || model_mistake == NO_VERSION)
        s->dirty = false;
    if (!s->dirty)
        s->memory = 0;
}

static bool move(struct state *s)
{
    uint32_t to = s->mover.rounds, old = s->mover.old;
    uint8_t next = (uint8_t)(s->mover.at + 1);
    switch (s->mover.at) {
    case COPY:
        if (!take(s, MOVER))
            return false;
        s->mover.rounds++;
        s->mover.version = s->version;
        s->mover.old = s->place;
        s->mover.copied = s->memory ? s->memory : s->segments[s->place].content;
        break;
    case COPY_DONE:
        s->lock = 0;
        next = model_mistake == FREE_FIRST ? RECLAIM : PUT;
        break;
    case PUT:
        s->segments[to].content = s->mover.copied;
        s->segments[to].live = s->segments[to].listed = true;
        s->segments[to].there = true;
        if (model_mistake == LOG_LATER)
            next = SYNC_DISK;
        break;
    case SYNC_LOG:
        s->log_durable = s->logged;
        next = model_mistake == COMMIT_FIRST ? COMMIT
               : model_mistake == LOG_LATER  ? SETTLE
                                             : SYNC_DISK;
        break;
    case SYNC_DISK:
        s->segments[to].synced = s->segments[to].content;
        next = model_mistake == COMMIT_FIRST ? SETTLE : COMMIT;
        break;
    case COMMIT:
        s->directory.place = (uint8_t)to;
        s->directory.version = s->mover.version;
        next = model_mistake == COMMIT_FIRST ? SYNC_DISK
               : model_mistake == LOG_LATER  ? SYNC_LOG
                                             : SETTLE;
        break;
    case SETTLE:
        if (!take(s, MOVER))
            return false;
        s->word++;
        settle(s);
        break;
    case SETTLE_DONE:
        s->word++;
        s->lock = 0;
        break;
    case RECLAIM:
        /* First out of the table: who finds it there finds its file. */
        if (model_mistake != FREE_FIRST && s->segments[old].live)
            return false;
        s->segments[old].listed = false;
        break;
    case RECLAIM_FILE:
        if (model_mistake == NO_REFERENCE)
            s->segments[old].references = 0;
        go(s, old);
        next = s->mover.rounds + 1 < PLACES ? COPY : MOVED;
        if (model_mistake == FREE_FIRST)
            next = s->directory.place == to ? MOVED : PUT;
        break;
    default:
        return false;
    }
    s->mover.at = next;
    return true;
}

/* ---- a write ---- */

static bool write(struct state *s)
{
    switch (s->writer.at) {
    case WRITE:
        if (!take(s, WRITER))
            return false;
        break;
    case APPEND:
        s->logged = (uint8_t)(s->version + 1);
        s->word++;
        break;
    case CHANGE:
        s->version = s->memory = s->logged;
        s->dirty = true;
        break;
    case WRITE_DONE:
        s->word++;
        s->lock = 0;
        s->acknowledged = s->version;
        break;
    default:
        return false;
    }
    s->writer.at++;
    return true;
}

/* ---- a read ---- */

static void put_back(struct state *s)
{
    if (s->reader.held && s->segments[s->reader.place].references > 0) {
        s->segments[s->reader.place].references--;
        go(s, s->reader.place);
    }
    s->reader.held = false;
}

static bool read_on(struct state *s)
{
    bool found;
    switch (s->reader.at) {
    case READ:
        s->reader.least = s->acknowledged;
        s->reader.at = READ_AT;
        return true;
    case READ_AT:
        s->reader.word = s->word;
        s->reader.value = s->memory;
        s->reader.place = s->place;
        s->reader.at = s->word & 1 ? READ_AT : s->memory ? LOOK : GET;
        return !(s->word & 1);
    case GET:
        found = s->segments[s->reader.place].listed;
        if (found)
            s->segments[s->reader.place].references++;
        s->reader.held = found;
        s->reader.value = GARBAGE;
        s->reader.at = found ? FETCH : LOOK;
        return true;
    case FETCH:
        s->reader.value = s->segments[s->reader.place].content;
        s->reader.closed = !s->segments[s->reader.place].there;
        s->reader.at = LOOK;
        return true;
    case LOOK:
        found = s->word == s->reader.word || model_mistake == NO_LOOK_AGAIN;
        put_back(s);
        s->reader.at = found ? GIVE : READ_AT;
        return true;
    case GIVE:
        s->reader.at = s->reader.reads++ ? HAVE_READ : READ;
        return true;
    default:
        return false;
    }
}

static bool step(void *state, uint32_t p, uint32_t choice)
{
    if (choice > 0)
        return false;
    return p == MOVER    ? move(state)
           : p == WRITER ? write(state)
                         : read_on(state);
}

/* What a store would hold that is opened now. */
static const char *recovered(const struct state *s, bool power)
{
    uint8_t place = s->directory.place, log = s->logged;
    uint8_t value = s->segments[place].content;
    if (power) {
        value = s->segments[place].synced;
        log = s->log_durable;
        if (s->directory.version > log)
            return "power loss: the directory is newer than the log";
    }
    if (!s->segments[place].there)
        value = GARBAGE;
    if (value != s->directory.version)
        return power ? "power loss: the directory names no value"
                     : "kill: the directory names no value";
    if (log > value)
        value = log;
    if (!power && value < s->acknowledged)
        return "kill: what was acknowledged is gone";
    return NULL;
}

static const char *check(const void *state)
{
    const struct state *s = state;
    if (s->reader.closed)
        return "a reader reads a file that is closed";
    if (s->reader.at == GIVE && s->reader.value == GARBAGE)
        return "a read gives what is no value";
    if (s->reader.at == GIVE && s->reader.value < s->reader.least)
        return "a read gives a value that was replaced before it began";
    const char *what = recovered(s, false);
    return what ? what : recovered(s, true);
}

static bool ended(const void *state, uint32_t p)
{
    const struct state *s = state;
    return p == MOVER    ? s->mover.at == MOVED
           : p == WRITER ? s->writer.at == WRITTEN
                         : s->reader.at == HAVE_READ;
}

static void say(const void *state, uint32_t p, uint32_t choice)
{
    static const char *const names[] = {"mover", "writer", "reader"};
    const struct state *s = state;
    (void)choice;
    fprintf(stderr,
            "%s; version %d, memory %d, place %d, directory %d at %d, log %d, "
            "durable %d\n",
            names[p], s->version, s->memory, s->place, s->directory.version,
            s->directory.place, s->logged, s->log_durable);
}

int main(void)
{
    static const struct model model = {
        .name = "migration",
        .state_bytes = sizeof(struct state),
        .processes = PROCESSES,
        .choices = 1,
        .mistakes = {"the directory commits before the disk is synced",
                     "the old place is free before the commit",
                     "no look at the version", "no second look of a reader",
                     "no references of readers",
                     "the log is durable after the directory"},
        .begin = begin,
        .step = step,
        .check = check,
        .ended = ended,
        .say = say,
    };
    return explore_main(&model);
}
