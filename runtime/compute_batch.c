/* compute_batch.c: a derived field of many records at once: inputs are gathered
 * from the records into arrays, a job runs where it is soonest done, results go
 * to the caller and to the cache. */
#include "compute.h"

#include "codec.h"
#include "error.h"
#include "hash.h"
#include "read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int no_memory(const struct warp_product *desc)
{
    return error_set(WARP_ENOMEM, "%s: out of memory for a batch", desc->name);
}

int compute_enter(struct warp_db *db, const struct warp_product *desc,
                  const void *argument, const struct layout **l)
{
    if (!db || !argument)
        return error_set(WARP_EINVAL, "%s: NULL where a value is needed",
                         desc ? desc->name : "?");
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    *l = db_layout(db, desc);
    if (!*l)
        return error_set(WARP_EINVAL,
                         "%s is not a product of this store's "
                         "schema",
                         desc ? desc->name : "NULL");
    return WARP_OK;
}

/* ---- keys ---- */

void compute_keys_free(struct compute_keys *keys)
{
    free(keys->bytes);
    free(keys->at);
    memset(keys, 0, sizeof *keys);
}

int compute_keys_read(const struct layout *l, const void *keys, size_t count,
                      uint32_t field, struct compute_keys *out)
{
    size_t used = 0, room = 0;
    memset(out, 0, sizeof *out);
    if (count > UINT32_MAX / 2)
        return error_set(WARP_ELIMIT, "%s: too many keys", l->desc->name);
    out->layout = l;
    out->field = field;
    out->count = (uint32_t)count;
    out->at = calloc(count + 1, sizeof *out->at);
    int rc = out->at ? WARP_OK : no_memory(l->desc);
    for (size_t i = 0; i < count && rc == WARP_OK; i++) {
        const char *why = NULL;
        size_t bytes = 0;
        if (room - used < KEY_BYTES_MAX) {
            room = room * 2 + KEY_BYTES_MAX;
            uint8_t *grown =
                room > UINT32_MAX ? NULL : realloc(out->bytes, room);
            if (!grown) {
                rc = no_memory(l->desc);
                break;
            }
            out->bytes = grown;
        }
        rc = key_encode(l->desc, (const char *)keys + i * l->desc->key_bytes,
                        out->bytes + used, &bytes, &why);
        if (rc != WARP_OK)
            error_set(rc, "%s: the key %s", l->desc->name,
                      why ? why : "is not valid");
        used += bytes;
        out->at[i + 1] = (uint32_t)used;
    }
    if (rc != WARP_OK)
        compute_keys_free(out);
    return rc;
}

struct key_ref compute_key(const struct warp_db *db,
                           const struct compute_keys *keys, uint32_t i)
{
    const struct layout *l = keys->layout;
    const uint8_t *bytes = keys->bytes + keys->at[i];
    uint32_t count = keys->at[i + 1] - keys->at[i];
    return key_ref_of(db->seed, l, bytes, count);
}

/* ---- the kernel as a job ---- */

static void run_kernel(const struct kernel_job *job)
{
    const struct compute_kernel *k = job->kernel->owner;
    struct warp_kernel_args args = {job->p.rows, job->p.cols, job->p.items,
                                    job->arg};
    k->from->run(&args);
}

static uint8_t extent_of(uint8_t side)
{
    static const uint8_t extents[] = {[WARP_SIDE_ROW] = KERNEL_ROW,
                                      [WARP_SIDE_COL] = KERNEL_COL,
                                      [WARP_SIDE_ITEM] = KERNEL_ITEM,
                                      [WARP_SIDE_OFFSETS] = KERNEL_OFFSETS,
                                      [WARP_SIDE_RESULT] = KERNEL_VALUE};
    return extents[side];
}

/* Under the lock. NULL: out of memory. */
static struct compute_kernel *kernel_of(struct compute *c,
                                        const struct warp_kernel *from)
{
    for (uint32_t i = 0; i < c->kernel_count; i++)
        if (c->kernels[i]->from == from)
            return c->kernels[i];
    if (c->kernel_count == c->kernel_room) {
        uint32_t room = c->kernel_room * 2 + 16;
        struct compute_kernel **grown =
            realloc(c->kernels, room * sizeof(struct compute_kernel *));
        if (!grown)
            return NULL;
        c->kernels = grown;
        c->kernel_room = room;
    }
    struct compute_kernel *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->from = from;
    for (uint32_t i = 0; i < from->arg_count; i++)
        k->args[i] =
            (struct kernel_arg){.name = "",
                                .extent = extent_of(from->args[i].side),
                                .bytes = from->args[i].bytes,
                                .out = from->args[i].side == WARP_SIDE_RESULT,
                                .real = from->args[i].real};
    k->kernel = (struct kernel){.name = from->name,
                                .args = k->args,
                                .arg_count = from->arg_count,
                                .run = run_kernel,
                                .invalid = compute_invalid,
                                .step = kernel_step_rows,
                                .cl = from->cl,
                                .cu = from->cu,
                                .entry = from->entry,
                                .owner = k};
    c->kernels[c->kernel_count++] = k;
    return k;
}

/* ---- gathering ---- */

struct batch {
    struct warp_db *db;
    const struct compute_keys *keys;
    const struct warp_kernel *k;
    struct kernel_job job;
    uint32_t *row_key; /* the key of each row */
    uint64_t *version; /* of each row's record */
    uint32_t item_room;
    void *record;
    struct warp_arena arena;
    bool under_way; /* from begin_part() to end_part() */
    struct compute_mirror mirror;
    struct dispatch_ticket ticket;
};

/* What all parts of a call share. */
struct call {
    struct warp_db *db;
    const struct compute_keys *keys;
    struct compute_kernel *k;
    const uint32_t *order; /* of the keys; NULL: as they are */
    struct derive_columns columns;
    void *out;
    struct warp_run_info *info;
};

static void batch_free(struct batch *b)
{
    for (uint32_t i = 0; b->k && i < b->k->arg_count; i++)
        if (b->k->args[i].side != WARP_SIDE_COL)
            free(b->job.arg[i]);
    compute_mirror_free(&b->mirror);
    free(b->row_key);
    free(b->version);
    free(b->record);
    warp_arena_free(&b->arena);
}

static int batch_init(struct batch *b, const struct derive_columns *columns,
                      uint32_t rows)
{
    const struct warp_product *desc = b->keys->layout->desc;
    b->row_key = calloc(rows, sizeof *b->row_key);
    b->version = calloc(rows, sizeof *b->version);
    b->record = calloc(1, desc->record_bytes);
    if (!b->row_key || !b->version || !b->record)
        return no_memory(desc);
    b->job.p.k = b->k->result_count;
    b->job.p.reduce = b->k->result_count > 1 ? KERNEL_TOP_K : KERNEL_SUM;
    b->job.p.cols = columns->count;
    for (uint32_t i = 0; i < b->k->arg_count; i++) {
        const struct warp_kernel_arg *a = &b->k->args[i];
        size_t count = a->side == WARP_SIDE_RESULT
                           ? (size_t)rows * b->k->result_count
                           : (size_t)rows + 1;
        if (a->side == WARP_SIDE_COL) {
            b->job.arg[i] = columns->arg[i];
        } else if (a->side != WARP_SIDE_ITEM) {
            b->job.arg[i] = calloc(count, a->bytes);
            if (!b->job.arg[i])
                return no_memory(desc);
        }
    }
    return WARP_OK;
}

static int room_for_items(struct batch *b, uint64_t wanted)
{
    const struct warp_product *desc = b->keys->layout->desc;
    if (wanted > UINT32_MAX / 2)
        return error_set(WARP_ELIMIT, "%s: too many elements in one batch",
                         b->k->name);
    if (wanted < b->item_room)
        return WARP_OK;
    uint32_t room = (uint32_t)wanted * 2 + 256;
    for (uint32_t i = 0; i < b->k->arg_count; i++) {
        if (b->k->args[i].side != WARP_SIDE_ITEM)
            continue;
        void *grown =
            realloc(b->job.arg[i], (size_t)room * b->k->args[i].bytes);
        if (!grown)
            return no_memory(desc);
        b->job.arg[i] = grown;
    }
    b->item_room = room;
    return WARP_OK;
}

/* WARP_ENOTFOUND: this record has no value. */
static int gather(struct batch *b, uint32_t key)
{
    const struct layout *l = b->keys->layout;
    const struct warp_field *f = &l->desc->fields[b->keys->field];
    struct key_ref ref = compute_key(b->db, b->keys, key);
    uint32_t row = b->job.p.rows;
    uint64_t have;
    int rc = read_version(b->db, l, &ref, &b->version[row]);
    warp_arena_reset(&b->arena);
    memset(b->record, 0, l->desc->record_bytes);
    if (rc == WARP_OK)
        rc = read_record(b->db, l, &ref, f->inputs, b->record, &b->arena);
    if (rc != WARP_OK)
        return rc;
    memcpy(&have, (char *)b->record + l->desc->have_offset, sizeof have);
    if (f->inputs & ~(have | l->keys))
        return WARP_ENOTFOUND;
    if (f->inputs & l->keys)
        rc = read_key(l, ref.bytes, ref.count, b->record, &b->arena);
    if (rc != WARP_OK)
        return rc;
    uint32_t items = derive_item_count(b->k, l->desc, b->record);
    rc = b->k->segments ? room_for_items(b, (uint64_t)b->job.p.items + items)
                        : WARP_OK;
    if (rc != WARP_OK)
        return rc;
    if (b->k->take)
        b->k->take(b->record, b->job.arg, row);
    derive_items(b->k, l->desc, b->record, b->job.arg, b->job.p.items);
    b->job.p.items += items;
    if (b->k->segments)
        ((uint32_t *)b->job.arg[b->k->arg_count - 2])[row + 1] = b->job.p.items;
    b->row_key[row] = key;
    b->job.p.rows++;
    return WARP_OK;
}

/* ---- results ---- */

static void blank(const struct warp_kernel *k, const struct warp_type *type,
                  void *to)
{
    const struct warp_kernel_arg *result = &k->args[k->arg_count - 1];
    memset(to, 0, type->size);
    for (uint32_t i = 0; i < k->result_count && result->real; i++)
        if (result->bytes == 8)
            ((double *)to)[i] = (double)NAN;
        else
            ((float *)to)[i] = NAN;
}

/* bool is a byte in both forms; an array is a struct that wraps it. */
static void scatter(struct batch *b, void *out)
{
    const struct layout *l = b->keys->layout;
    size_t size = l->desc->fields[b->keys->field].type->size;
    const char *results = b->job.arg[b->k->arg_count - 1];
    for (uint32_t row = 0; row < b->job.p.rows; row++) {
        const char *value = results + row * size;
        struct key_ref ref = compute_key(b->db, b->keys, b->row_key[row]);
        if (out)
            memcpy((char *)out + b->row_key[row] * size, value, size);
        compute_keep(b->db, b->keys, ref.hash, b->version[row], value);
    }
}

static void tell(const struct dispatch_info *from, struct warp_run_info *to)
{
    to->ran_on = device_rows[from->ran_on]->kind;
    snprintf(to->why, sizeof to->why, "%s", from->why);
    to->batch = from->rows > to->batch ? from->rows : to->batch;
    to->validated += from->checked;
    to->took_us += from->ns / 1000;
}

/* On a device that holds columns, with what it lacks of them. */
static int begin_job(struct batch *b, struct compute_kernel *k, bool mirrors)
{
    struct dispatch *d = b->db->compute->dispatch;
    enum dispatch_on on = (enum dispatch_on)b->k->on;
    b->mirror = (struct compute_mirror){.db = b->db,
                                        .mirror = dispatch_mirror(d),
                                        .kind = dispatch_first(d, &b->job, on)};
    mirrors = mirrors && b->mirror.kind != DEVICE_CPU &&
              compute_mirror_read(&b->mirror, k, b->keys, b->row_key, &b->job);
    return dispatch_begin(d, &b->job, mirrors ? &b->mirror.rows : NULL, on,
                          &b->ticket);
}

/* Keys [from, from + count) of the call's order. */
static int begin_part(struct call *c, struct batch *b, uint32_t from,
                      uint32_t count)
{
    const struct compute_keys *keys = c->keys;
    const struct warp_field *f = &keys->layout->desc->fields[keys->field];
    *b = (struct batch){.db = c->db,
                        .keys = keys,
                        .k = c->k->from,
                        .job = {.kernel = &c->k->kernel},
                        .arena = WARP_ARENA_INIT};
    int rc = batch_init(b, &c->columns, count);
    for (uint32_t i = from; i < from + count && rc == WARP_OK; i++) {
        uint32_t key = c->order ? c->order[i] : i;
        rc = gather(b, key);
        if (rc != WARP_ENOTFOUND)
            continue;
        rc = WARP_OK;
        c->info->missing++;
        if (c->out)
            blank(b->k, f->type, (char *)c->out + (size_t)key * f->type->size);
    }
    if (rc == WARP_OK)
        rc = begin_job(b, c->k, c->order != NULL);
    if (rc != WARP_OK)
        batch_free(b);
    b->under_way = rc == WARP_OK;
    return rc;
}

static int end_part(struct call *c, struct batch *b)
{
    struct dispatch_info ran;
    if (!b->under_way)
        return WARP_OK;
    int rc = dispatch_end(c->db->compute->dispatch, &b->ticket, &ran);
    if (rc == WARP_OK) {
        tell(&ran, c->info);
        scatter(b, c->out);
    }
    b->under_way = false;
    batch_free(b);
    return rc;
}

/* A device works on one part while the next one is gathered and sent. */
static int run_parts(struct call *c, uint32_t most)
{
    struct batch parts[2] = {{.under_way = false}, {.under_way = false}};
    uint32_t count = c->keys->count, number = 0;
    int rc = WARP_OK;
    for (uint32_t from = 0; from < count && rc == WARP_OK; number++) {
        struct batch *last = &parts[(number + 1) % 2];
        uint32_t n = count - from < most ? count - from : most;
        if (last->under_way && !last->ticket.under_way)
            rc = end_part(c, last);
        if (rc == WARP_OK)
            rc = begin_part(c, &parts[number % 2], from, n);
        if (rc == WARP_OK)
            rc = end_part(c, last);
        from += n;
    }
    for (uint32_t i = 0; i < 2; i++, number++) { /* the older one first */
        int end = end_part(c, &parts[number % 2]);
        rc = rc == WARP_OK ? end : rc;
    }
    return rc;
}

static struct dispatch *dispatch_of(struct compute *c)
{
    if (!c->dispatch)
        c->dispatch = dispatch_create(&(struct dispatch_options){
            .mirror_bytes = c->db->memory_max,
            .in_process = c->db->options.compute_in_process});
    return c->dispatch;
}

/* What a strategy says; otherwise as many as fill a device, in parts that leave
 * something to do meanwhile. */
static uint32_t rows_of_part(const struct compute_keys *keys, bool on_device)
{
    const struct warp_strategy *s = keys->layout->desc->strategy;
    uint64_t most = s && s->gpu_batch_count ? s->gpu_batch_count
                    : on_device             ? COMPUTE_PART_ROWS
                                            : COMPUTE_BATCH_ROWS;
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

int compute_batch(struct warp_db *db, const struct compute_keys *keys,
                  void *out, struct warp_run_info *info)
{
    struct compute *c = db->compute;
    const struct warp_field *f = &keys->layout->desc->fields[keys->field];
    struct call call = {.db = db, .keys = keys, .out = out, .info = info};
    memset(info, 0, sizeof *info);
    info->count = keys->count;
    info->ran_on = device_rows[DEVICE_CPU]->kind;
    os_lock(&c->lock);
    call.k = dispatch_of(c) ? kernel_of(c, f->kernel) : NULL;
    os_unlock(&c->lock);
    if (!call.k)
        return error_set(WARP_ENOMEM, "%s: out of memory for its kernel",
                         f->kernel->name);
    struct kernel_job job = {.kernel = &call.k->kernel, .p.rows = keys->count};
    bool on_device =
        dispatch_first(c->dispatch, &job, (enum dispatch_on)f->kernel->on) !=
        DEVICE_CPU;
    uint32_t *order = NULL;
    if (on_device && compute_mirrors(call.k, keys->layout))
        order = compute_order(db, keys);
    call.order = order;
    int rc = WARP_OK;
    if (f->kernel->pairs && keys->count > 0)
        rc = db->columns(db, f->kernel, false, &call.columns);
    if (rc == WARP_OK)
        rc = run_parts(&call, rows_of_part(keys, on_device));
    derive_columns_free(&call.columns);
    free(order);
    return rc;
}
