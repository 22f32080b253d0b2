/* evolve_past.c: see evolve_past.h. Which field was which is known by its
 * number in the store, whatever it is called now. */
#include "evolve_past.h"

#include "checkpoint.h"
#include "error.h"
#include "evolve_part.h"
#include "forward.h"
#include "row_past.h"
#include "schema_file.h"
#include "schema_load.h"

#include <stdlib.h>

/* Values that one step brings along, at most. */
#define STEP_BYTES (UINT64_C(8) << 20)

struct evolve_past {
    struct warp_schema *schema; /* before */
    struct descriptor *before, *now;
    struct layout **layouts;    /* before */
    uint32_t layout_count;
    struct row_past *products;  /* by layouts of now */
    uint32_t product_count;
    _Atomic bool pending;
    struct os_lock lock;        /* one mover at a time */
    uint32_t at;                /* the product where it goes on */
    uint8_t key[ROW_KEY_BYTES_MAX + 1];
    uint32_t key_bytes;         /* 0: from the product's first row */
    _Atomic uint64_t passed;    /* rows looked at, of this round */
    uint64_t found;             /* of the old form, in this round */
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for an earlier schema");
}

/* ---- the form before ---- */

static int load_before(struct evolve_past *p, const char *dir,
                       const struct catalog *c, uint8_t survives)
{
    struct descriptor_fault fault = {0, ""};
    int rc = schema_file_load(dir, c->version, &p->schema);
    if (rc != WARP_OK)
        return rc;
    rc = descriptor_decode(p->schema->descriptor, p->schema->descriptor_bytes,
                           &p->before, &fault);
    if (rc != DESCRIPTOR_OK)
        return error_set(schema_code(rc), "%s/%u.wsd: %s", dir, c->version,
                         fault.what);
    uint32_t n = p->schema->product_count;
    if (n != c->product_count)
        return error_set(WARP_ECORRUPT, "%s/%u.wsd has %u products, the store "
                                        "knows %u",
                         dir, c->version, n, c->product_count);
    p->layouts = calloc(n + 1u, sizeof *p->layouts);
    if (!p->layouts)
        return no_memory();
    for (uint32_t i = 0; i < n && rc == WARP_OK; i++) {
        if (c->products[i].field_count != p->schema->products[i]->field_count)
            return error_set(WARP_ECORRUPT, "%s/%u.wsd: %s has another number "
                                            "of fields in the store",
                             dir, c->version, p->schema->products[i]->name);
        rc = layout_make(p->schema->products[i], (uint16_t)i, survives,
                         &p->layouts[i]);
        if (rc != WARP_OK)
            return rc;
        p->layout_count = i + 1;
        catalog_number(c, p->layouts[i]);
    }
    return rc;
}

/* True when rows of the product have another form now. */
static bool compare(struct evolve_past *p, struct row_past *r,
                    struct layout *l)
{
    uint64_t was_ssd = 0, was_disk = 0;
    bool changed = false;
    r->before = &p->before->products[r->old->number];
    r->after = &p->now->products[l->number];
    for (uint32_t j = 0; j < l->desc->field_count; j++) {
        uint64_t bit = UINT64_C(1) << j;
        uint32_t i = layout_field_of_id(r->old, l->fields[j].id);
        r->from[j] = i == 56 ? -1 : (int8_t)i;
        if (i == 56)
            continue;
        uint32_t before = evolve_place_of(r->old, i);
        uint32_t after = evolve_place_of(l, j);
        if (before == 0 && after == 0)
            continue;
        if (before >= 1 && before <= 3 &&
            r->before->fields[i].type->fingerprint !=
                r->after->fields[j].type->fingerprint)
            r->converted |= bit;
        if (before == 2 && after != 2)
            was_ssd |= bit;
        if (before == 3 && after != 3)
            was_disk |= bit;
        changed = changed || i != j || before != after;
    }
    changed = changed || r->converted;
    if (changed)
        layout_was(l, was_ssd, was_disk);
    return changed;
}

static int attach(struct evolve_past *p, struct ssd *ssd, struct disk *disk,
                  struct archive *const *archive,
                  const struct warp_schema *schema,
                  struct layout *const *layouts, uint32_t count)
{
    struct descriptor_fault fault = {0, ""};
    int rc = descriptor_decode(schema->descriptor, schema->descriptor_bytes,
                               &p->now, &fault);
    if (rc == DESCRIPTOR_ENOMEM)
        return no_memory();
    if (rc != DESCRIPTOR_OK || p->now->product_count != count)
        return error_set(WARP_EABI, "schema %s and its descriptor differ: run "
                                    "warpc again", schema->name);
    p->products = calloc(count + 1u, sizeof *p->products);
    if (!p->products)
        return no_memory();
    p->product_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct row_past *r = &p->products[i];
        r->old = catalog_find(p->layouts, p->layout_count, layouts[i]->id);
        if (!r->old)
            continue;
        r->stamp = layouts[i]->stamp;
        r->ssd = ssd;
        r->disk = disk;
        r->archive = archive;
        if (compare(p, r, layouts[i]))
            layouts[i]->past = r;
    }
    return WARP_OK;
}

int evolve_past_open(struct ssd *ssd, struct disk *disk,
                     struct archive *const *archive,
                     const char *schema_dir, uint8_t survives,
                     const struct warp_schema *schema,
                     struct layout *const *layouts, uint32_t count,
                     struct evolve_past **out)
{
    struct catalog before, now = {0};
    struct evolve_past *p = NULL;
    *out = NULL;
    int rc = catalog_read(ssd, CATALOG_BEFORE, &before);
    if (rc == WARP_OK)
        rc = catalog_read(ssd, CATALOG_NOW, &now);
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++)
        layouts[i]->stamp = (uint16_t)now.version;
    if (rc != WARP_OK || before.version == 0)
        goto out;
    p = calloc(1, sizeof *p);
    rc = p ? load_before(p, schema_dir, &before, survives) : no_memory();
    if (rc == WARP_OK)
        rc = attach(p, ssd, disk, archive, schema, layouts, count);
    if (rc != WARP_OK)
        evolve_past_close(&p);
    else
        atomic_store(&p->pending, true);
    *out = p;
out:
    catalog_free(&before);
    catalog_free(&now);
    return rc;
}

void evolve_past_close(struct evolve_past **past)
{
    struct evolve_past *p = *past;
    *past = NULL;
    if (!p)
        return;
    for (uint32_t i = 0; i < p->layout_count; i++)
        layout_free(&p->layouts[i]);
    free(p->layouts);
    free(p->products);
    descriptor_destroy(&p->before);
    descriptor_destroy(&p->now);
    if (p->schema)
        schema_free(&p->schema);
    free(p);
}

/* ---- moving ---- */

bool evolve_pending(const struct warp_db *db)
{
    return db->past && atomic_load(&db->past->pending);
}

/* Bytes of values that its checkpoint reads and writes. */
static uint64_t moving_bytes(const struct layout *l, const struct record *r)
{
    uint64_t bytes = record_alloc_bytes(l, r);
    FOR_BITS(i, l->var & (l->was_ssd | l->was_disk) & record_have(r))
        bytes += (uint32_t)atomic_load_explicit(
            &row_var(r, l->fields[i].slot)->len_cap, memory_order_relaxed);
    return bytes;
}

static int mark_row(struct warp_db *db, const struct layout *l,
                    struct ssd_slice k, uint64_t *bytes, bool *old)
{
    struct key_ref key = key_ref_of(db->seed, l, (const uint8_t *)k.data + 2,
                                    (uint32_t)k.bytes - 2);
    struct record *r;
    struct shard *s;
    *old = false;
    int rc = forward_find(db, l, &key, &s, &r);
    /* The cursor may show a row that has been rewritten since. */
    if (rc == WARP_OK && r && (record_have(r) & R_PAST)) {
        *old = true;
        *bytes += moving_bytes(l, r);
        record_begin(r);
        shard_dirty(s, r, key.hash);
        record_end(r, record_version(r));
    }
    os_unlock(&s->lock);
    return rc;
}

/* Of one product, from p->key on: *more when there was enough for one step. */
static int mark_rows(struct warp_db *db, const struct layout *l,
                     uint32_t rows, uint32_t *marked, bool *more)
{
    struct evolve_past *p = db->past;
    uint8_t after[2];
    uint64_t bytes = 0;
    struct ssd_cursor *cursor = NULL;
    if (p->key_bytes == 0)
        p->key_bytes = row_key(p->key, l->id, NULL, 0);
    row_key(after, l->id + 1u, NULL, 0);
    struct ssd_slice from = {p->key, p->key_bytes}, to = {after, 2}, key, value;
    if (l->id == UINT16_MAX)
        to.bytes = 0;
    *more = false;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, from, to, false, &cursor);
    while (rc == WARP_OK && !*more &&
           (rc = ssd_next(cursor, &key, &value)) == WARP_OK) {
        bool old = row_is_past(l, value);
        atomic_fetch_add(&p->passed, 1);
        if (key.bytes < 2 || key.bytes > ROW_KEY_BYTES_MAX)
            rc = error_set(WARP_ECORRUPT, "the directory holds a key of %zu "
                                          "bytes", key.bytes);
        else if (old)
            rc = mark_row(db, l, key, &bytes, &old);
        if (rc != WARP_OK || !old)
            continue;
        p->found++;
        ++*marked;
        *more = *marked >= rows || bytes >= STEP_BYTES;
        if (*more) { /* the next step begins behind it */
            memcpy(p->key, key.data, key.bytes);
            p->key[key.bytes] = 0;
            p->key_bytes = (uint32_t)key.bytes + 1;
        }
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* What a checkpoint that came to no end has left of values that moved away. */
static int drop_rest(struct ssd_txn *txn, const struct layout *l)
{
    int rc = WARP_OK;
    FOR_BITS(i, l->was_ssd)
    {
        uint8_t first[ROW_KEY_BYTES_MAX + 1], after[ROW_KEY_BYTES_MAX + 1];
        struct ssd_slice from = {first, row_cold_key(first, l, (uint32_t)i,
                                                     NULL, 0)};
        struct ssd_slice to = {after, row_cold_key(after, l, (uint32_t)i,
                                                   NULL, 0)};
        after[2]++; /* numbers of fields end below 255 */
        if (rc == WARP_OK)
            rc = ssd_del_range(txn, SSD_COLD, from, to);
    }
    return rc;
}

static int say_done(struct warp_db *db)
{
    struct ssd_txn *txn = NULL;
    int rc = ssd_begin(db->ssd, &txn);
    for (uint32_t i = 0; i < db->layout_count && rc == WARP_OK; i++)
        rc = drop_rest(txn, db->layouts[i]);
    if (rc == WARP_OK)
        rc = catalog_drop_before(txn);
    if (rc == WARP_OK)
        rc = ssd_commit(&txn);
    else if (txn)
        ssd_abort(&txn);
    if (rc == WARP_OK)
        atomic_store(&db->past->pending, false);
    return rc;
}

int evolve_move(struct warp_db *db, uint32_t rows, uint32_t *marked)
{
    struct evolve_past *p = db->past;
    int rc = WARP_OK;
    *marked = 0;
    if (!evolve_pending(db))
        return rc;
    db_wait_loaded(db);
    os_lock(&p->lock);
    /* Another thread may have come to the end meanwhile: what stands there as
     * the form before belongs to the next change. */
    bool more = !evolve_pending(db);
    while (rc == WARP_OK && !more && p->at < db->layout_count) {
        const struct layout *l = db->layouts[p->at];
        if (l->past)
            rc = mark_rows(db, l, rows, marked, &more);
        if (rc == WARP_OK && !more) {
            p->at++;
            p->key_bytes = 0;
        }
    }
    /* No room for more records: a checkpoint lets some go. */
    if (rc == WARP_ELIMIT && *marked > 0)
        rc = WARP_OK;
    if (rc == WARP_OK && p->at == db->layout_count) {
        if (p->found == 0)
            rc = say_done(db);
        p->at = p->key_bytes = 0;
        atomic_store(&p->passed, 0);
        p->found = 0;
    }
    os_unlock(&p->lock);
    return rc;
}

int evolve_finish(struct warp_db *db, const struct progress *progress,
                  uint64_t *moved)
{
    enum { ROWS = 4096 };
    int rc = WARP_OK;
    *moved = 0;
    while (rc == WARP_OK && evolve_pending(db)) {
        uint32_t marked;
        rc = evolve_move(db, ROWS, &marked);
        if (rc == WARP_OK)
            rc = checkpoint_run(db);
        *moved += marked;
        uint64_t total = 0;
        if (rc == WARP_OK)
            rc = ssd_count(db->ssd, SSD_ROWS, &total);
        uint64_t passed = atomic_load(&db->past->passed);
        if (rc == WARP_OK && progress && progress->fn &&
            progress->fn(progress->arg, "migrate",
                         passed < total ? passed : total, total) != 0)
            rc = error_set(WARP_TIMEOUT, "stopped; what was moved stays so, "
                                         "the rest goes on in the background");
    }
    return rc;
}
