/* store_model_run.c: random operations on a store and on a model of it, side by
 * side, with checkpoints, reopening and kill -9 between and during them.
 *
 * A child runs the operations and says in shared memory how far it got; the
 * parent kills it, makes the same operations again on its own worlds, and the
 * next child compares the store with them. Of the operation that was under way,
 * all or nothing must have happened.
 *
 *   WARP_MODEL_SEED=N     replay (the seed is printed)
 *   WARP_MODEL_SECONDS=N  how long each test runs; 8
 *   WARP_MODEL_DIR=PATH   where the store lies
 *   WARP_MODEL_KEEP=1     leave the store of a failure behind
 *   WARP_MODEL_TRACE=1    each operation on stderr */
#include "db.h"
#include "keeper.h"
#include "scratch.h"
#include "store_model.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORLDS_MAX = 4 };

struct progress {
    _Atomic uint64_t started, done; /* numbers of operations */
    _Atomic int accepted;           /* CUT_... of the one that was cut off */
};

struct shared {
    _Atomic int checked;
    _Atomic int failed, moved;
    struct progress worlds[WORLDS_MAX];
};

struct scene {
    struct shared *shared;
    uint64_t seed, round;
    uint32_t count; /* of worlds */
    struct world *worlds[WORLDS_MAX]; /* the parent's */
    uint64_t next[WORLDS_MAX];        /* number of the next operation */
    uint64_t cut[WORLDS_MAX];         /* the one that was cut off, or 0 */
    bool moves;   /* records go to other shards and come back meanwhile */
    int64_t pass; /* time between the comparison and the first operation */
    const char *path;
};

static _Atomic int64_t clock_ms;
static _Atomic bool stop_helpers;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

static void tell(void *arg, int level, int code, const char *text)
{
    (void)arg;
    if (level <= WARP_LOG_WARNING)
        fprintf(stderr, "  the store says: %s (%d)\n", text, code);
}

static struct warp_db *open_store(const struct scene *s, uint64_t number)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    uint64_t rng = s->seed + number;
    o.shards = s->round == 0 ? 1 + (uint32_t)(s->seed % 5) : 0;
    o.ring_bytes = 65536;
    o.log_bytes_max = 4 << 20;
    o.checkpoint_every_ms = 5 + (uint32_t)(model_random(&rng) % 400);
    o.sweep_every_ms = 5 + (uint32_t)(model_random(&rng) % 100);
    o.clock_ms = read_clock;
    o.log = tell;
    int rc = warp_open(s->path, &sample_schema, &o, &db);
    if (rc != WARP_OK)
        fprintf(stderr, "open: %d: %s\n", rc, warp_errmsg(NULL));
    else if (s->moves && !db->layouts[0]->roams) {
        model_roam(db);
        if (warp_close(&db) == WARP_OK)
            db = open_store(s, number);
    }
    return db;
}

static bool say_op(const struct scene *s, const struct world *w,
                   const struct model_op *op, uint64_t number)
{
    atomic_store(&s->shared->failed, 1);
    fprintf(stderr, "  round %llu, operation %llu\n",
            (unsigned long long)s->round, (unsigned long long)number);
    model_say(w, op);
    return false;
}

/* ---- one world's operations ---- */

struct actor {
    struct scene *scene;
    struct world *world, *next; /* the child's own */
    struct model_op op;
    struct model_run run;
    uint32_t number;
    uint64_t at, end; /* numbers of operations */
    bool good;
    pthread_t thread;
};

static bool reopen(struct actor *a)
{
    int rc = warp_close(&a->run.db);
    if (rc != WARP_OK)
        fprintf(stderr, "close: %d: %s\n", rc, warp_errmsg(NULL));
    a->run.db = rc == WARP_OK ? open_store(a->scene, a->at) : NULL;
    return a->run.db && model_check(&a->run, a->next);
}

static bool step(struct actor *a)
{
    struct progress *p = &a->scene->shared->worlds[a->number];
    model_make(a->world, a->at, a->scene->count == 1, &a->op);
    int predicted = model_predict(a->world, &a->op, a->next);
    if (getenv("WARP_MODEL_TRACE")) {
        fprintf(stderr, "%llu (%d)", (unsigned long long)a->at, predicted);
        model_say(a->world, &a->op);
    }
    atomic_store(&p->started, a->at);
    bool good = true;
    uint64_t rng = a->scene->seed + a->at;
    int moved = a->scene->moves ? model_move_some(a->run.db, &rng) : 0;
    atomic_fetch_add(&a->scene->shared->moved, moved > 0 ? moved : 0);
    if (moved < 0) {
        fprintf(stderr, "a move gave %d: %s\n", moved,
                warp_errmsg(a->run.db));
        return say_op(a->scene, a->world, &a->op, a->at);
    }
    if (a->op.kind == M_TICK)
        atomic_store(&clock_ms, a->next->now);
    else if (a->op.kind == M_SWEEP)
        (void)sweep_run(a->run.db, true);
    else if (a->op.kind == M_EVICT)
        model_evict_all(a->run.db);
    else if (a->op.kind == M_REOPEN)
        good = reopen(a);
    else
        good = model_execute(&a->run, a->world, a->next, &a->op, predicted);
    if (!good)
        return say_op(a->scene, a->world, &a->op, a->at);
    struct world *w = a->world;
    a->world = a->next;
    a->next = w;
    atomic_store(&p->done, a->at);
    return true;
}

static void *act(void *arg)
{
    struct actor *a = arg;
    a->good = true;
    for (; a->at < a->end && a->good; a->at++)
        a->good = step(a);
    return NULL;
}

/* ---- helpers of the test with several worlds ---- */

static void *checkpoints(void *arg)
{
    struct actor *a = arg;
    uint64_t rng = a->scene->seed;
    while (a->good && !atomic_load(&stop_helpers)) {
        int rc = warp_checkpoint(a->run.db);
        if (rc != WARP_OK)
            a->good = false;
        usleep((useconds_t)(model_random(&rng) % 5000));
        model_evict_all(a->run.db);
        sweep_run(a->run.db, true);
    }
    return NULL;
}

/* The keys of all worlds, each once and in order, whatever is written. */
static void *scans(void *arg)
{
    struct actor *a = arg;
    while (a->good && !atomic_load(&stop_helpers)) {
        struct sample_thing t;
        struct warp_iter *it = NULL;
        uint64_t last = 0;
        bool first = true;
        int rc = warp_gen_scan(a->run.db, &sample_thing_product, NULL,
                               sample_thing_product.all, &it);
        while (rc == WARP_OK && a->good &&
               (rc = warp_gen_next(it, &sample_thing_product, &t,
                                   &a->run.arena)) == WARP_OK) {
            if (!first && t.id <= last)
                a->good = false;
            first = false;
            last = t.id;
        }
        if (rc != WARP_END || !a->good) {
            fprintf(stderr, "whole scan: %d after %llx: %s\n", rc,
                    (unsigned long long)last, warp_errmsg(a->run.db));
            a->good = false;
        }
        warp_iter_close(&it);
        warp_arena_reset(&a->run.arena);
    }
    return NULL;
}

/* ---- the child ---- */

/* Of the operation that was cut off: nothing is there, all is there, or the
 * store looks alike in both cases (a deadline moved): then it is done again, so
 * that it is known. */
enum { CUT_NOTHING, CUT_ALL, CUT_AGAIN };

static bool looks_like(struct actor *a, const struct world *w)
{
    struct world *after = malloc(sizeof *after);
    memcpy(after, w, sizeof *after);
    model_restart(after);
    a->run.quiet = true;
    bool same = model_check(&a->run, after);
    a->run.quiet = false;
    free(after);
    return same;
}

static int what_was_cut(struct actor *a)
{
    /* The clock may have been read already, and it never goes back. */
    if (a->op.kind == M_TICK)
        return CUT_ALL;
    if (!looks_like(a, a->world))
        return CUT_ALL;
    bool writes = a->op.kind == M_WRITE || a->op.kind == M_BATCH;
    return writes && looks_like(a, a->next) ? CUT_AGAIN : CUT_NOTHING;
}

static bool settle(struct actor *a)
{
    struct scene *s = a->scene;
    struct progress *p = &s->shared->worlds[a->number];
    uint64_t cut = s->cut[a->number];
    int what = CUT_NOTHING;
    if (cut) {
        model_make(a->world, cut, s->count == 1, &a->op);
        model_predict(a->world, &a->op, a->next);
        what = what_was_cut(a);
        if (what == CUT_ALL)
            memcpy(a->world, a->next, sizeof *a->world);
        else if (what == CUT_AGAIN)
            model_doubt(a->world, a->next);
    }
    atomic_store(&p->accepted, what);
    atomic_store(&clock_ms, a->world->now);
    model_restart(a->world);
    bool good = model_check(&a->run, a->world);
    if (good && what == CUT_AGAIN) {
        int predicted = model_predict(a->world, &a->op, a->next);
        good = model_execute(&a->run, a->world, a->next, &a->op, predicted);
        memcpy(a->world, a->next, sizeof *a->world);
    }
    if (good)
        return true;
    fprintf(stderr, "  after the end of round %llu\n",
            (unsigned long long)s->round);
    if (cut)
        return say_op(s, a->world, &a->op, cut);
    atomic_store(&s->shared->failed, 1);
    return false;
}

static void run_child(struct scene *s, uint64_t steps)
{
    struct actor actors[WORLDS_MAX + 2] = {{0}};
    bool good = true;
    atomic_store(&clock_ms, s->worlds[0]->now);
    struct warp_db *db = open_store(s, s->round * 1000);
    if (!db)
        _exit(1);
    for (uint32_t i = 0; i < s->count + 2; i++) {
        struct actor *a = &actors[i];
        a->scene = s;
        a->number = i;
        a->run.db = db;
        a->run.moves = s->moves;
        a->good = true;
        if (i >= s->count)
            continue;
        a->world = s->worlds[i];
        a->next = malloc(sizeof *a->next);
        a->at = s->next[i];
        a->end = a->at + steps;
        good = good && settle(a);
    }
    if (!good)
        _exit(1);
    for (uint32_t i = 0; i < s->count; i++)
        actors[i].world->now += s->pass;
    /* The parent lets the time pass, too, once it has seen this. */
    atomic_store(&s->shared->checked, 1);
    atomic_store(&clock_ms, actors[0].world->now);
    if (s->count == 1) {
        act(&actors[0]);
        good = actors[0].good;
        db = actors[0].run.db;
    } else {
        uint32_t n = s->count;
        for (uint32_t i = 0; i < n; i++)
            pthread_create(&actors[i].thread, NULL, act, &actors[i]);
        pthread_create(&actors[n].thread, NULL, checkpoints, &actors[n]);
        pthread_create(&actors[n + 1].thread, NULL, scans, &actors[n + 1]);
        for (uint32_t i = 0; i < n + 2; i++) {
            if (i == n)
                atomic_store(&stop_helpers, true);
            pthread_join(actors[i].thread, NULL);
            good = good && actors[i].good;
        }
    }
    for (uint32_t i = 0; i < s->count + 2; i++) {
        warp_arena_free(&actors[i].run.arena);
        free(actors[i].next);
    }
    if (good && warp_close(&db) != WARP_OK) {
        fprintf(stderr, "close: %s\n", warp_errmsg(NULL));
        good = false;
    }
    exit(good ? 0 : 1);
}

/* ---- the parent ---- */

/* Makes the operations of the dead child again. */
static void catch_up(struct scene *s, struct world *room)
{
    struct model_op op;
    if (!atomic_load(&s->shared->checked))
        return; /* it did not even get to the end of its comparison */
    for (uint32_t i = 0; i < s->count; i++) {
        struct progress *p = &s->shared->worlds[i];
        struct world *w = s->worlds[i];
        int what = s->cut[i] ? atomic_load(&p->accepted) : CUT_NOTHING;
        if (what != CUT_NOTHING)
            model_make(w, s->cut[i], s->count == 1, &op);
        if (what == CUT_AGAIN) {
            model_predict(w, &op, room);
            model_doubt(w, room);
            model_restart(w);
        }
        if (what != CUT_NOTHING) {
            model_predict(w, &op, room);
            memcpy(w, room, sizeof *w);
        }
        if (what != CUT_AGAIN)
            model_restart(w);
        w->now += s->pass;
        uint64_t done = atomic_load(&p->done);
        uint64_t started = atomic_load(&p->started);
        for (uint64_t n = s->next[i]; n <= done; n++) {
            model_make(w, n, s->count == 1, &op);
            model_predict(w, &op, room);
            memcpy(w, room, sizeof *w);
        }
        s->cut[i] = started > done ? started : 0;
        if (started >= s->next[i])
            s->next[i] = started + 1;
    }
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static int run_round(struct scene *s, uint64_t *rng)
{
    uint64_t steps = 50 + model_random(rng) % 2000;
    bool killed = model_random(rng) % 3 != 0;
    useconds_t wait = (useconds_t)(model_random(rng) % 400000);
    int status = 0;
    s->pass = s->count > 1 ? (int64_t)(model_random(rng) % 3000) : 0;
    atomic_store(&s->shared->checked, 0);
    for (uint32_t i = 0; i < s->count; i++) {
        atomic_store(&s->shared->worlds[i].done, s->next[i] - 1);
        atomic_store(&s->shared->worlds[i].started, s->next[i] - 1);
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_child(s, steps);
    ck_assert_int_gt(pid, 0);
    if (killed) {
        while (!atomic_load(&s->shared->checked) &&
               waitpid(pid, &status, WNOHANG) == 0)
            usleep(1000);
        /* Now and then during the open, too. */
        if (wait % 7 != 0)
            usleep(wait);
        kill(pid, SIGKILL);
    }
    if (waitpid(pid, &status, 0) < 0 && !killed)
        return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return 1;
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
        fprintf(stderr, "the child died of signal %d\n", WTERMSIG(status));
        return 1;
    }
    return atomic_load(&s->shared->failed);
}

static void run_scene(uint32_t count, bool moves)
{
    struct scene s = {.count = count, .moves = moves};
    struct world *room = malloc(sizeof *room);
    s.seed = number_from("WARP_MODEL_SEED",
                         (uint64_t)time(NULL) * 1000 + (uint64_t)getpid());
    double end = seconds() + (double)number_from("WARP_MODEL_SECONDS", 8);
    uint64_t rng = s.seed, total = 0;
    char path[512];
    const char *dir = getenv("WARP_MODEL_DIR");
    snprintf(path, sizeof path, "%s/store", dir ? dir : scratch());
    s.path = path;
    s.shared = mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(s.shared, MAP_FAILED);
    for (uint32_t i = 0; i < count; i++) {
        s.worlds[i] = malloc(sizeof *s.worlds[i]);
        model_init(s.worlds[i], s.seed, count == 1 ? 0 : i + 1);
        s.next[i] = 1;
    }
    printf("WARP_MODEL_SEED=%llu, %u worlds%s\n", (unsigned long long)s.seed,
           count, moves ? ", records move" : "");
    int failed = 0;
    while (!failed && seconds() < end) {
        failed = run_round(&s, &rng);
        catch_up(&s, room);
        s.round++;
    }
    for (uint32_t i = 0; i < count; i++) {
        total += s.next[i] - 1;
        free(s.worlds[i]);
    }
    printf("%llu operations, %d moves in %llu rounds\n",
           (unsigned long long)total, atomic_load(&s.shared->moved),
           (unsigned long long)s.round);
    ck_assert(failed || !moves || s.shared->moved > 0);
    free(room);
    munmap(s.shared, sizeof *s.shared);
    ck_assert_msg(!failed, "replay: WARP_MODEL_SEED=%llu",
                  (unsigned long long)s.seed);
    if (!dir)
        scratch_remove();
}

START_TEST(one_world)
{
    run_scene(1, false);
}
END_TEST

START_TEST(one_world_that_moves)
{
    run_scene(1, true);
}
END_TEST

START_TEST(four_worlds_that_move)
{
    run_scene(4, true);
}
END_TEST

START_TEST(four_worlds)
{
    run_scene(4, false);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_model");
    TCase *one = tcase_create("one world"), *four = tcase_create("threads");
    tcase_add_test(one, one_world);
    tcase_add_test(one, one_world_that_moves);
    tcase_add_test(four, four_worlds);
    tcase_add_test(four, four_worlds_that_move);
    tcase_set_timeout(one, 0);
    tcase_set_timeout(four, 0);
    suite_add_tcase(suite, one);
    suite_add_tcase(suite, four);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
