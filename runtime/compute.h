/* compute.h: kernels of a schema over a store: in a get (compute.c), over many
 * records in batches (compute_batch.c), asked for and waited for
 * (compute_future.c), with the last results kept (compute_cache.c) and columns
 * that stay on the device (compute_mirror.c). */
#ifndef WARP_COMPUTE_H
#define WARP_COMPUTE_H

#include "derive.h"
#include "dispatch.h"

#include "db.h"
#include <warp/gen.h>

enum {
    COMPUTE_BATCH_ROWS = 65536,
    COMPUTE_PART_ROWS = 16384 /* of it, on a device */
};

/* A schema's kernel as the dispatcher sees it. */
struct compute_kernel {
    const struct warp_kernel *from;
    struct kernel kernel;
    struct kernel_arg args[KERNEL_ARGS_MAX];
};

/* The last results of one field, by the hash of the key. */
struct compute_cache {
    const struct layout *layout;
    uint32_t field, slot_bytes;
    uint8_t *slots;
};

struct compute {
    struct warp_db *db;
    struct os_lock lock; /* of all below; held for no work */
    struct dispatch *dispatch;
    struct compute_kernel **kernels; /* of the schema: as many as are used */
    uint32_t kernel_count, kernel_room;
    struct compute_cache *caches;
    uint32_t cache_count, cache_room;
    /* requests, oldest first */
    struct warp_future *first, *last;
    uint32_t waiting;
    _Atomic uint32_t word; /* futex: bumped with each request */
    struct os_thread thread;
    bool stopping;
};

/* When a store opens: nothing is started yet. When it closes: what was asked
 * for is finished first. */
int compute_open(struct warp_db *db);
void compute_close(struct warp_db *db);

/* ---- compute_batch.c ---- */

/* Handle, argument and product of a call. */
int compute_enter(struct warp_db *db, const struct warp_product *desc,
                  const void *argument, const struct layout **l);

/* Keys in the order of their results, encoded one behind the other. */
struct compute_keys {
    const struct layout *layout;
    uint32_t field;
    uint8_t *bytes;
    uint32_t *at; /* count + 1 places in bytes */
    uint32_t count;
};
void compute_keys_free(struct compute_keys *keys);
/* From their C form. WARP_EINVAL, WARP_ENOMEM. */
int compute_keys_read(const struct layout *l, const void *keys, size_t count,
                      uint32_t field, struct compute_keys *out);
struct key_ref compute_key(const struct warp_db *db,
                           const struct compute_keys *keys, uint32_t i);
/* Computes all and keeps the results in the cache. out: their C form, may be
 * NULL; keys without a value get NaN or 0 and are counted. */
int compute_batch(struct warp_db *db, const struct compute_keys *keys,
                  void *out, struct warp_run_info *info);

/* ---- compute_check.c ---- */

/* NULL: the row's results are right; else what is wrong. */
const char *compute_invalid(const struct kernel_job *job, uint32_t row);

/* ---- compute_mirror.c ---- */

/* What a batch reads of columns. */
struct compute_mirror {
    struct warp_db *db;
    struct mirror *mirror;
    enum device_kind kind; /* that will have the batch, presumably */
    struct mirror_rows rows;
    uint32_t fields[KERNEL_ARGS_MAX]; /* of rows.args */
    size_t fresh_room;
};
/* Does the kernel read columns of fields that are at home on a device? */
bool compute_mirrors(const struct compute_kernel *k, const struct layout *l);
/* The field whose column an argument is; less than 0: none. */
int compute_mirrored(const struct compute_kernel *k, const struct layout *l,
                     uint32_t arg);
/* The keys' numbers in the order of rows, for the caller to free. NULL: out of
 * memory. */
uint32_t *compute_order(struct warp_db *db, const struct compute_keys *keys);
/* After the batch was gathered: what it reads of columns is read again, rows
 * and what the device lacks of them in the same moments. false: out of memory;
 * the job is right all the same. */
bool compute_mirror_read(struct compute_mirror *m,
                         const struct compute_kernel *k,
                         const struct compute_keys *keys,
                         const uint32_t *row_key, struct kernel_job *job);
void compute_mirror_free(struct compute_mirror *m);

/* ---- compute_cache.c ---- */

/* A null version: nothing is kept. Of a list: its struct warp_summary. */
void compute_keep(struct warp_db *db, const struct compute_keys *keys,
                  uint64_t hash, uint64_t version, const void *value);
/* false: there is none. */
bool compute_kept(struct warp_db *db, const struct layout *l, uint32_t field,
                  uint64_t hash, uint64_t *version, void *value);

#endif
