/* learner.c: see learner.h. */
#include "learner.h"

#include "error.h"
#include "evict.h"
#include "replace.h"

#include <stdlib.h>

enum {
    NAP_NS = 50000,     /* while there is something to do */
    NAPS_MAX = 2000,    /* without any, before it sleeps */
    SLEEP_NS = 1000000000
};

struct learner {
    _Atomic uint32_t word; /* of what was brought in */
    _Atomic bool asleep, stopping;
    struct os_thread thread;
};

static void *learn(void *arg)
{
    struct warp_db *db = arg;
    struct learner *me = db->learner;
    uint32_t done = 0, naps = 0;
    while (!atomic_load(&me->stopping)) {
        uint32_t seen = atomic_load(&me->word);
        if (seen != done) {
            evict_learned(db);
            naps = 0;
        }
        done = seen;
        bool sleeps = naps++ >= NAPS_MAX;
        if (sleeps)
            atomic_store(&me->asleep, true);
        os_futex_wait(&me->word, seen, sleeps ? SLEEP_NS : NAP_NS);
        if (sleeps)
            atomic_store(&me->asleep, false);
    }
    return NULL;
}

bool learner_takes(struct warp_db *db)
{
    struct learner *l = db->learner;
    if (!l || atomic_load(&l->stopping) || replace_is_behind(db))
        return false;
    atomic_fetch_add(&l->word, 1);
    if (atomic_load(&l->asleep))
        os_futex_wake(&l->word, 1);
    return true;
}

int learner_start(struct warp_db *db)
{
    if (!db->replace || db->read_only || os_cpu_count() < 2)
        return WARP_OK;
    struct learner *l = calloc(1, sizeof *l);
    db->learner = l;
    if (l && db_thread_start(db, &l->thread, learn, db, "warp-learner") == 0)
        return WARP_OK;
    free(l);
    db->learner = NULL;
    return error_set(WARP_ENOMEM, "cannot start a thread");
}

void learner_stop(struct warp_db *db)
{
    struct learner *l = db->learner;
    if (!l)
        return;
    atomic_store(&l->stopping, true);
    atomic_fetch_add(&l->word, 1);
    os_futex_wake(&l->word, 1);
    os_thread_join(&l->thread);
}

void learner_free(struct warp_db *db)
{
    free(db->learner);
    db->learner = NULL;
}
