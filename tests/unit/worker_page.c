/* A worker whose page was damaged, as by a stray write of a driver: it says so
 * for that job, touches nothing outside of its slot, and goes on. And the
 * parent: what it reads back lies where it put it, whatever the page says. On
 * the stand-in driver. */
#include "kernel_jobs.h"

#include "device.h"
#include "os.h"
#include "os_worker.h"
#include "worker.h"

#include <unistd.h>

enum { SLOT = 1 << 20, BUILTIN, OWN, LANE = 0, GUARD = 0x5a };

static struct worker_page *page;
static size_t page_bytes;
static int page_fd, pid;
static struct kernel_job job;

static char *slot_of(uint32_t lane)
{
    return (char *)page + worker_slot_at() + (size_t)SLOT * lane;
}

static uint32_t number_of(const struct kernel *kernel)
{
    uint32_t n = 0;
    while (n < kernel_count && kernels[n] != kernel)
        n++;
    ck_assert_uint_lt(n, kernel_count);
    return n;
}

/* Until the word has the value. */
static bool comes(_Atomic uint32_t *word, uint32_t value)
{
    for (int n = 0; n < 2000; n++) {
        uint32_t seen = atomic_load(word);
        if (seen == value)
            return true;
        if (os_reap(pid, false)) {
            pid = 0;
            return false;
        }
        os_shared_wait(word, seen, 10000000);
    }
    return false;
}

static void start(void)
{
    void *base = NULL;
    const char *program = getenv("WARP_WORKER");
    const char *argv[] = {program, "cuda", NULL};
    ck_assert_ptr_nonnull(program);
    page_bytes = worker_slot_at() + (size_t)SLOT * DEVICE_LANES;
    page_fd = os_memfd("worker-page", page_bytes);
    ck_assert_int_ge(page_fd, 0);
    ck_assert_int_eq(os_map_shared(page_fd, page_bytes, &base), 0);
    page = base;
    page->slot_bytes = SLOT;
    page->parent = (uint32_t)getpid();
    ck_assert_int_eq(os_spawn(program, argv, page_fd, &pid), 0);
    ck_assert(comes(&page->opened, 1));
    ck_assert_msg(page->outcome == DEVICE_OK, "%s", page->why);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        memset(slot_of(i), GUARD, SLOT);
    job = thermo_job(50, 60, SHAPE_RANDOM, 1);
}

/* The worker ends when this process has: by itself, so that what it reached is
 * counted. */
static void stop(void)
{
    job_free(&job);
    os_unmap(page, page_bytes);
    os_close(page_fd);
}

/* The right request; how many bytes of the slot it has. */
static uint64_t fill(struct worker_lane *l)
{
    uint64_t at = 0;
    memset(&page->kernels[0], 0, sizeof page->kernels[0]);
    page->kernels[0].builtin = 1 + number_of(job.kernel);
    l->kernel = 0;
    l->p = job.p;
    l->drop = l->plan_args = l->fill_count = l->piece_count = 0;
    l->fresh_at = l->fresh_bytes = 0;
    for (uint32_t i = 0; i < job.kernel->arg_count; i++) {
        uint64_t bytes = kernel_arg_bytes(&job, i);
        l->at[i] = at;
        if (!job.kernel->args[i].out && bytes > 0)
            memcpy(slot_of(LANE) + at, job.arg[i], bytes);
        at += (bytes + 63) / 64 * 64;
    }
    return at;
}

static uint32_t ask(struct worker_lane *l)
{
    static uint32_t turn;
    l->turn = turn++;
    l->outcome = DEVICE_STICKY;
    l->why[0] = '\0';
    uint32_t command = atomic_fetch_add(&l->command, 1) + 1;
    os_shared_wake(&l->command);
    ck_assert_msg(comes(&l->answer, command), "no answer");
    return l->outcome;
}

static void must_be_right(struct worker_lane *l)
{
    (void)fill(l);
    ck_assert_msg(ask(l) == DEVICE_OK, "%s", l->why);
    for (uint32_t i = 0; i < job.kernel->arg_count; i++)
        if (job.kernel->args[i].out && kernel_arg_bytes(&job, i) > 0)
            memcpy(job.arg[i], slot_of(LANE) + l->at[i],
                   kernel_arg_bytes(&job, i));
    check_rows(&job, "after the damage");
}

/* Some row of a schema's kernel, in the second place of the table. */
static struct worker_kernel *own(struct worker_lane *l)
{
    struct worker_kernel *k = &page->kernels[1];
    memset(k, 0, sizeof *k);
    strcpy(k->name, "own");
    strcpy(k->entry, "own");
    l->kernel = 1;
    return k;
}

static const char *damage(int n, struct worker_lane *l)
{
    static const char row[] = "row", array[] = "array", plan[] = "plan";
    struct worker_kernel *k;
    switch (n) {
    case 0: l->kernel = WORKER_KERNELS_MAX; return row;
    case 1: l->kernel = UINT32_MAX; return row;
    case 2: page->kernels[0].builtin = kernel_count + 1; return row;
    case 3: page->kernels[0].builtin = UINT32_MAX; return row;
    case 4: own(l)->arg_count = KERNEL_ARGS_MAX + 1; return row;
    case 5: k = own(l), memset(k->name, 'x', sizeof k->name); return row;
    case 6: k = own(l), memset(k->entry, 'x', sizeof k->entry); return row;
    case 7:
        k = own(l);
        k->arg_count = 1;
        k->args[0].extent = KERNEL_CHUNK + 1;
        return row;
    case 8: own(l)->cl = WORKER_TEXT_BYTES; return row;
    case 9: own(l)->cu = UINT64_MAX; return row;
    case 10:
        own(l)->cu = WORKER_TEXT_BYTES - 4;
        memset((char *)page + worker_slot_at() - 4, 'x', 4);
        return row;
    case 11: l->at[0] = SLOT; return array;
    case 12: l->at[0] = UINT64_MAX - 7; return array;
    case 13: l->at[job.kernel->arg_count - 1] = SLOT - 1; return array;
    case 14: l->p.rows = UINT32_MAX; return array;
    case 15: l->p.rows = SLOT; return array;
    case 16:
        /* 2^31 rows of 2^31 columns of 4 bytes are 0 bytes of 2^64. */
        page->kernels[0].builtin = 1 + number_of(&kernel_gravity);
        l->p.rows = l->p.cols = UINT32_C(1) << 31;
        return array;
    case 17: l->fill_count = DEVICE_FILLS_MAX + 1; return plan;
    case 18: l->piece_count = UINT32_MAX; return plan;
    case 19: l->fresh_bytes = SLOT + 1; return plan;
    case 20: l->fresh_at = UINT64_MAX, l->fresh_bytes = 8; return plan;
    case 21:
        l->fill_count = 1;
        l->fills[0] = (struct device_fill){.held = UINT32_MAX};
        return plan;
    case 22:
        l->fill_count = 1, l->fresh_bytes = 64;
        l->fills[0] = (struct device_fill){.room = 64, .from = 60, .bytes = 8};
        return plan;
    case 23:
        l->fill_count = 1, l->fresh_bytes = 64;
        l->fills[0] = (struct device_fill){.room = 8, .to = UINT64_MAX,
                                           .bytes = 8};
        return plan;
    case 24:
        l->piece_count = 1;
        l->pieces[0] = (struct device_piece){.arg = KERNEL_ARGS_MAX,
                                             .held = DEVICE_FROM_HOST};
        return plan;
    case 25:
        l->piece_count = 1;
        l->pieces[0] = (struct device_piece){.arg = 0, .to = UINT64_MAX - 7,
                                             .held = DEVICE_FROM_HOST,
                                             .bytes = 16};
        return plan;
    }
    return NULL;
}

START_TEST(a_damaged_page_is_refused)
{
    struct worker_lane *l;
    const char *wrong;
    start();
    l = &page->lanes[LANE];
    must_be_right(l);
    for (int n = 0;; n++) {
        uint64_t used = fill(l);
        wrong = damage(n, l);
        if (!wrong)
            break;
        ck_assert_msg(ask(l) == DEVICE_KERNEL, "damage %d: outcome %u, %s", n,
                      l->outcome, l->why);
        ck_assert_msg(strstr(l->why, wrong), "damage %d: %s", n, l->why);
        for (uint64_t i = used; i < (uint64_t)SLOT * DEVICE_LANES; i++)
            if (slot_of(0)[i] != GUARD)
                ck_abort_msg("damage %d: byte %llu has changed", n,
                             (unsigned long long)i);
        must_be_right(l);
    }
    stop();
}
END_TEST

/* Less memory than its page says: it ends. */
START_TEST(a_page_that_is_too_short)
{
    void *base = NULL;
    const char *argv[] = {getenv("WARP_WORKER"), "cuda", NULL};
    for (int n = 0; n < 2; n++) {
        size_t bytes = n ? worker_slot_at() + SLOT : worker_slot_at() - 1;
        int fd = os_memfd("worker-page", bytes);
        ck_assert_int_eq(os_map_shared(fd, bytes, &base), 0);
        ((struct worker_page *)base)->slot_bytes = SLOT;
        ck_assert_int_eq(os_spawn(argv[0], argv, fd, &pid), 0);
        ck_assert(os_reap(pid, true));
        ck_assert_uint_eq(((struct worker_page *)base)->opened, 0);
        os_unmap(base, bytes);
        os_close(fd);
    }
}
END_TEST

/* ---- the parent's side ---- */

static struct worker_page *page_of_parent(void)
{
    char line[512];
    void *at = NULL;
    FILE *f = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (strstr(line, "memfd:warp-worker"))
            ck_assert_int_eq(sscanf(line, "%p-", &at), 1);
    fclose(f);
    ck_assert_ptr_nonnull(at);
    return at;
}

/* All but the words that say when somebody is ready, and what was found. */
static void scribble(struct worker_page *p, struct worker_lane *l)
{
    p->slot_bytes = UINT64_MAX / 3;
    memset(p->kernels, 0xff, sizeof p->kernels);
    memset((char *)p + worker_text_at(), 'x', 4096);
    memset(l->at, 0xee, sizeof l->at);
    memset(&l->p, 0xff, sizeof l->p);
    memset(l->fills, 0xff, sizeof l->fills);
    memset(l->pieces, 0xff, sizeof l->pieces);
    memset(l->why, 'y', sizeof l->why);
    l->fill_count = l->piece_count = l->drop = l->plan_args = UINT32_MAX;
    l->fresh_at = l->fresh_bytes = UINT64_MAX;
    l->turn = l->kernel = UINT32_MAX;
}

/* It is scribbled on while a job is done, or before one begins. */
START_TEST(a_parent_does_not_believe_its_page)
{
    char why[DEVICE_TEXT_BYTES] = "";
    const struct device_plan none = {0};
    uint32_t life;
    int64_t took;
    struct worker *w = worker_create(getenv("WARP_WORKER"), DEVICE_CUDA, SLOT,
                                     0);
    ck_assert_ptr_nonnull(w);
    job = thermo_job(50, 60, SHAPE_RANDOM, 1);
    struct worker_page *p = page_of_parent();
    for (int round = 0; round < 6; round++) {
        ck_assert_msg(worker_run(w, &job, INT64_C(20000000000), why) ==
                          DEVICE_OK, "round %d: %s", round, why);
        check_rows(&job, "before");
        ck_assert_int_eq(worker_ready(w, &life, why), DEVICE_OK);
        if (round % 2 == 1)
            scribble(p, &p->lanes[0]);
        ck_assert_int_eq(worker_begin(w, 0, life, &job, &none, why),
                         DEVICE_OK);
        if (round % 2 == 0)
            scribble(p, &p->lanes[0]);
        /* What comes of it is the worker's; nothing else is touched. */
        enum device_outcome outcome =
            worker_finish(w, 0, life, &job, INT64_C(400000000), &took, why);
        ck_assert_uint_le(outcome, DEVICE_ABSENT);
        /* Whoever doubts a worker ends it; the next one knows all it needs. */
        if (worker_pid(w)) {
            os_kill(worker_pid(w));
            while (worker_ready(w, &life, why) == DEVICE_OK &&
                   worker_run(w, &job, INT64_C(20000000000), why) != DEVICE_OK)
                ;
        }
    }
    job_free(&job);
    worker_destroy(&w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_damaged_page_is_refused,
                                  a_page_that_is_too_short,
                                  a_parent_does_not_believe_its_page};
    return RUN_SUITE("worker_page", tests);
}
