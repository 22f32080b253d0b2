/* compute_future.c: requests that a thread works on. It starts with the first
 * request; what is asked for the same field within a moment runs as one batch.
 * Each request completes once, also when the store closes. */
#include "compute.h"

#include "error.h"

#include <errno.h>
#include <stdlib.h>

enum { WAITING_MAX = 4096 };
#define LINGER_NS INT64_C(200000)
enum { PENDING, DONE };

struct warp_future {
    struct warp_future *next;
    struct compute_keys keys;
    _Atomic uint32_t state;  /* futex: PENDING or DONE */
    _Atomic uint32_t owners; /* the caller and the thread */
    int rc;
    struct warp_run_info info;
};

static void release(struct warp_future *f)
{
    if (atomic_fetch_sub(&f->owners, 1) != 1)
        return;
    compute_keys_free(&f->keys);
    free(f);
}

static void complete(struct warp_future *f, int rc,
                     const struct warp_run_info *info)
{
    f->rc = rc;
    f->info = *info;
    f->info.count = f->keys.count;
    atomic_store_explicit(&f->state, DONE, memory_order_release);
    os_futex_wake(&f->state, INT32_MAX);
    release(f);
}

/* ---- the thread ---- */

/* The oldest and all for the same field, out of the queue, as one list. */
static struct warp_future *take(struct compute *c, uint32_t *count)
{
    struct warp_future *first = c->first, **at = &c->first, *tail = NULL;
    *count = 0;
    c->last = NULL;
    while (*at) {
        struct warp_future *f = *at;
        if (f->keys.layout != first->keys.layout ||
            f->keys.field != first->keys.field ||
            (tail && *count + f->keys.count > COMPUTE_BATCH_ROWS)) {
            c->last = f;
            at = &f->next;
            continue;
        }
        *at = f->next;
        f->next = NULL;
        if (tail)
            tail->next = f;
        tail = f;
        *count += f->keys.count;
        c->waiting--;
    }
    return first;
}

/* All keys of a list; false: out of memory. */
static bool merge(const struct warp_future *list, uint32_t count,
                  struct compute_keys *out)
{
    size_t bytes = 0;
    for (const struct warp_future *f = list; f; f = f->next)
        bytes += f->keys.at[f->keys.count];
    *out = (struct compute_keys){.layout = list->keys.layout,
                                 .field = list->keys.field};
    out->bytes = malloc(bytes ? bytes : 1);
    out->at = calloc((size_t)count + 1, sizeof *out->at);
    if (!out->bytes || !out->at) {
        compute_keys_free(out);
        return false;
    }
    for (const struct warp_future *f = list; f; f = f->next) {
        uint32_t base = out->at[out->count];
        if (f->keys.count > 0)
            memcpy(out->bytes + base, f->keys.bytes, f->keys.at[f->keys.count]);
        for (uint32_t i = 1; i <= f->keys.count; i++)
            out->at[out->count + i] = base + f->keys.at[i];
        out->count += f->keys.count;
    }
    return true;
}

static void work(struct compute *c, struct warp_future *list, uint32_t count)
{
    struct compute_keys all = {.count = 0};
    struct warp_run_info info = {.ran_on = device_rows[DEVICE_CPU]->kind};
    bool merged = list->next && merge(list, count, &all);
    int rc = WARP_OK;
    if (merged)
        rc = compute_batch(c->db, &all, NULL, &info);
    while (list) {
        struct warp_future *f = list;
        list = f->next;
        if (!merged)
            rc = compute_batch(c->db, &f->keys, NULL, &info);
        complete(f, rc, &info);
    }
    compute_keys_free(&all);
}

static void *serve(void *arg)
{
    struct compute *c = arg;
    os_background(); /* the store's own work comes first */
    for (;;) {
        uint32_t seen = atomic_load(&c->word), count = 0;
        os_lock(&c->lock);
        bool stopping = c->stopping, any = c->first != NULL;
        os_unlock(&c->lock);
        if (!any && stopping)
            return NULL;
        if (!any) {
            os_futex_wait(&c->word, seen, -1);
            continue;
        }
        if (!stopping) /* others may ask for the same */
            os_futex_wait(&c->word, seen, LINGER_NS);
        os_lock(&c->lock);
        struct warp_future *list = take(c, &count);
        os_unlock(&c->lock);
        work(c, list, count);
    }
}

void compute_close(struct warp_db *db)
{
    struct compute *c = db->compute;
    if (!c)
        return;
    os_lock(&c->lock);
    c->stopping = true;
    os_unlock(&c->lock);
    atomic_fetch_add(&c->word, 1);
    os_futex_wake(&c->word, 1);
    os_thread_join(&c->thread);
    dispatch_destroy(&c->dispatch);
    for (uint32_t i = 0; i < c->kernel_count; i++)
        free(c->kernels[i]);
    free(c->kernels);
    for (uint32_t i = 0; i < c->cache_count; i++)
        free(c->caches[i].slots);
    free(c->caches);
    free(c);
    db->compute = NULL;
}

/* ---- calls ---- */

/* Product, field and keys of a call. */
static int enter(struct warp_db *db, const struct warp_product *desc,
                 const void *keys, uint32_t field, const struct layout **l)
{
    int rc = compute_enter(db, desc, keys, l);
    if (rc != WARP_OK)
        return rc;
    if (field >= desc->field_count || !desc->fields[field].kernel)
        return error_set(WARP_EINVAL, "%s: the field has no kernel",
                         desc->name);
    return WARP_OK;
}

int warp_gen_kernel_compute(struct warp_db *db, const struct warp_product *desc,
                            const void *keys, size_t count, uint32_t field,
                            void *out, struct warp_run_info *info)
{
    const struct layout *l = NULL;
    struct compute_keys list;
    struct warp_run_info own;
    int rc = enter(db, desc, keys, field, &l);
    if (rc == WARP_OK && !out)
        rc = error_set(WARP_EINVAL, "%s: compute needs a place for results",
                       desc->name);
    if (rc == WARP_OK)
        rc = compute_keys_read(l, keys, count, field, &list);
    if (rc != WARP_OK)
        return rc;
    rc = compute_batch(db, &list, out, info ? info : &own);
    compute_keys_free(&list);
    return rc;
}

int warp_gen_kernel_request(struct warp_db *db, const struct warp_product *desc,
                            const void *keys, size_t count, uint32_t field,
                            struct warp_future **out)
{
    const struct layout *l = NULL;
    int rc = enter(db, desc, keys, field, &l);
    if (rc == WARP_OK && !out)
        rc = error_set(WARP_EINVAL, "%s: request needs a place for the future",
                       desc->name);
    if (rc != WARP_OK)
        return rc;
    *out = NULL;
    struct warp_future *f = calloc(1, sizeof *f);
    if (!f)
        return error_set(WARP_ENOMEM, "out of memory for a request");
    rc = compute_keys_read(l, keys, count, field, &f->keys);
    if (rc != WARP_OK) {
        free(f);
        return rc;
    }
    atomic_store(&f->owners, 2);
    struct compute *c = db->compute;
    os_lock(&c->lock);
    if (c->waiting == WAITING_MAX)
        rc = error_set(WARP_ELIMIT, "%d requests are waiting already",
                       WAITING_MAX);
    else if (!c->thread.running &&
             db_thread_start(db, &c->thread, serve, c, "warp-compute") != 0)
        rc = error_set(WARP_ENOMEM, "no thread for requests");
    if (rc == WARP_OK) {
        if (c->last)
            c->last->next = f;
        else
            c->first = f;
        c->last = f;
        c->waiting++;
    }
    os_unlock(&c->lock);
    if (rc != WARP_OK) {
        compute_keys_free(&f->keys);
        free(f);
        return rc;
    }
    atomic_fetch_add(&c->word, 1);
    os_futex_wake(&c->word, 1);
    *out = f;
    return WARP_OK;
}

int warp_future_wait(struct warp_future *f, int64_t timeout_ns)
{
    int64_t end = os_mono_ns() + timeout_ns;
    if (!f)
        return error_set(WARP_EINVAL, "a future is NULL");
    while (atomic_load_explicit(&f->state, memory_order_acquire) == PENDING) {
        int64_t left = timeout_ns < 0 ? -1 : end - os_mono_ns();
        if (timeout_ns >= 0 && left <= 0)
            return WARP_TIMEOUT;
        os_futex_wait(&f->state, PENDING, left);
    }
    return f->rc == WARP_OK ? WARP_OK
                            : error_set(f->rc, "the request failed: %s",
                                        warp_strerror(f->rc));
}

int warp_future_poll(struct warp_future *f)
{
    return warp_future_wait(f, 0);
}

int warp_future_info(struct warp_future *f, struct warp_run_info *info)
{
    int rc = info ? warp_future_poll(f)
                  : error_set(WARP_EINVAL, "no place for the info is given");
    if (rc == WARP_OK)
        *info = f->info;
    return rc;
}

void warp_future_cancel(struct warp_future **future)
{
    struct warp_future *f = future ? *future : NULL;
    if (!f)
        return;
    *future = NULL;
    release(f);
}
