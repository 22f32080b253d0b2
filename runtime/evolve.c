/* evolve.c: what differs between two schemas, what that would lose, and the
 * step from one to the other; the order is in evolve.h. Rows: evolve_rows.c.
 * Classes of changes are those of grammar/descriptor_compare.c. */
#include "checkpoint.h"
#include "error.h"
#include "evolve_part.h"
#include "evolve_past.h"
#include "schema_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int evolve_no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a change of schema");
}

int evolve_write_schema(struct warp_db *db, const struct warp_schema *schema,
                        uint32_t version)
{
    char path[DB_PATH_BYTES], temporary[DB_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/%u.wsd", db->paths.schema, version);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = os_open(temporary, OS_WRITE | OS_CREATE | OS_TRUNC);
    if (fd < 0)
        return error_os(fd, "cannot make", temporary);
    int rc = os_pwrite(fd, schema->descriptor, schema->descriptor_bytes, 0);
    if (rc == 0)
        rc = os_fdatasync(fd);
    os_close(fd);
    if (rc == 0)
        rc = os_rename(temporary, path);
    if (rc == 0)
        rc = os_sync_dir(db->paths.schema);
    return rc == 0 ? WARP_OK : error_os(rc, "cannot write", path);
}

void evolve_forget(struct warp_db *db)
{
    char path[DB_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%u.wsd", db->paths.schema,
             db->schema_version + 1);
    if (os_exists(path) == 1)
        (void)os_unlink(path); /* else the next change writes over it */
}

int evolve_begin(struct warp_db *db, const char *path, const uint8_t *bytes,
                 size_t count)
{
    struct descriptor_fault fault = {0, ""};
    const char *why = "";
    struct evolve *e = calloc(1, sizeof *e);
    if (!e)
        return evolve_no_memory();
    db->evolve = e;
    e->program = db->schema;
    int rc = schema_load(bytes, count, &e->old_schema, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s: %s", path, why);
    rc = descriptor_decode(bytes, count, &e->old, &fault);
    if (rc == DESCRIPTOR_OK)
        rc = descriptor_decode(db->schema->descriptor,
                               db->schema->descriptor_bytes, &e->new, &fault);
    if (rc != DESCRIPTOR_OK)
        return error_set(schema_code(rc), "%s: %s", path, fault.what);
    if (e->new->product_count != db->schema->product_count)
        return error_set(WARP_EABI, "schema %s and its descriptor differ: run "
                                    "warpc again", db->schema->name);
    db->schema = e->old_schema;
    return WARP_OK;
}

void evolve_end(struct evolve **evolve)
{
    struct evolve *e = *evolve;
    *evolve = NULL;
    if (!e)
        return;
    for (uint32_t i = 0; i < e->plan_count; i++)
        if (e->plans[i].new)
            layout_free(&e->plans[i].new);
    free(e->plans);
    for (uint32_t i = 0; i < e->loss_count; i++)
        free(e->losses[i].text);
    free(e->losses);
    catalog_free(&e->next);
    descriptor_destroy(&e->old);
    descriptor_destroy(&e->new);
    schema_free(&e->old_schema);
    free(e);
}

/* ---- what would be lost ---- */

static bool named(const char *const *names, const char *product,
                  const char *field)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s%s", product, field ? "." : "",
             field ? field : "");
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void note_change(void *arg, const struct descriptor_change *c)
{
    struct evolve *e = arg;
    if (c->class != DESCRIPTOR_DATA_LOSS)
        return;
    for (uint32_t i = 0; i < e->loss_count; i++)
        if (e->losses[i].old_product == c->old_product &&
            e->losses[i].old_field == c->old_field)
            return;
    struct evolve_loss *grown =
        realloc(e->losses, (e->loss_count + 1) * sizeof *grown);
    if (!grown) {
        e->failed = WARP_ENOMEM;
        return;
    }
    e->losses = grown;
    char text[512];
    snprintf(text, sizeof text, "%s%s%s", c->text, c->help ? "; " : "",
             c->help ? c->help : "");
    struct evolve_loss *l = &grown[e->loss_count++];
    *l = (struct evolve_loss){.text = strdup(text),
                              .product = c->product,
                              .field = c->field,
                              .old_product = c->old_product,
                              .old_field = c->old_field};
    if (c->new_field >= 0 && c->new_product >= 0)
        l->new_field = e->new->products[c->new_product]
                           .fields[c->new_field].name;
    if (!l->text)
        e->failed = WARP_ENOMEM;
}

static const char *field_of(const struct evolve *e,
                            const struct evolve_loss *l)
{
    return l->old_field < 0 ? NULL
                            : e->old->products[l->old_product]
                                  .fields[l->old_field].name;
}

static int find_losses(struct warp_db *db, struct evolve *e)
{
    const char *const *names = db->options.allow_data_loss;
    descriptor_compare(e->old, e->new, note_change, e);
    if (e->failed)
        return evolve_no_memory();
    for (uint32_t i = 0; i < e->loss_count; i++) {
        struct evolve_loss *l = &e->losses[i];
        l->product = e->old->products[l->old_product].name;
        l->field = field_of(e, l);
        l->allowed = named(names, l->product, l->field) ||
                     (l->new_field && named(names, l->product, l->new_field));
    }
    return WARP_OK;
}

bool evolve_may_drop(const struct evolve *e, uint32_t product, uint32_t field)
{
    for (uint32_t i = 0; i < e->loss_count; i++)
        if (e->losses[i].old_product == (int32_t)product &&
            (e->losses[i].old_field == (int32_t)field ||
             e->losses[i].old_field < 0))
            return e->losses[i].allowed;
    return false;
}

static bool product_lost(const struct evolve *e, uint32_t product)
{
    for (uint32_t i = 0; i < e->loss_count; i++)
        if (e->losses[i].old_product == (int32_t)product &&
            e->losses[i].old_field < 0)
            return e->losses[i].allowed;
    return false;
}

/* E2. The whole list, as far as there is room for it. */
static int refuse(struct warp_db *db, const struct evolve *e)
{
    char text[800];
    size_t used = 0;
    uint32_t left = 0;
    for (uint32_t i = 0; i < e->loss_count; i++) {
        const struct evolve_loss *l = &e->losses[i];
        char one[700];
        if (l->allowed)
            continue;
        int n = snprintf(one, sizeof one,
                         "%s%s%s%s: %s (%" PRIu64 " record%s hold%s it)",
                         used ? "; " : "", l->product, l->field ? "." : "",
                         l->field ? l->field : "", l->text, l->count,
                         l->count == 1 ? "" : "s", l->count == 1 ? "s" : "");
        if (n > 0 && used + (size_t)n + 1 < sizeof text && left == 0) {
            memcpy(text + used, one, (size_t)n + 1);
            used += (size_t)n;
        } else {
            left++;
        }
    }
    if (used == 0 && left == 0)
        return WARP_OK;
    char more[32] = "";
    if (left > 0)
        snprintf(more, sizeof more, "; and %u more", left);
    return error_set(WARP_ESCHEMA,
                     "data would be lost: %.*s%s. Allow it by name in "
                     "options.allow_data_loss, or open with the schema in "
                     "%.100s/%" PRIu32 ".wsd",
                     (int)used, text, more, db->paths.schema,
                     db->schema_version);
}

/* ---- numbers ---- */

static int32_t find_product(const struct descriptor *in, const char *name)
{
    for (uint32_t i = 0; i < in->product_count; i++)
        if (strcmp(in->products[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

static int number_product(struct warp_db *db, struct evolve *e, uint32_t to)
{
    const struct descriptor_product *after = &e->new->products[to], *before;
    struct catalog_product *p = &e->next.products[to];
    const struct catalog_product *old = NULL;
    int32_t at = find_product(e->old, after->name);
    if (at >= 0 && !e->plans[at].after)
        at = -1; /* its records go: another product of that name */
    before = at < 0 ? NULL : &e->old->products[at];
    if (before) {
        old = &db->catalog.products[at];
        p->id = old->id;
        p->next_field = old->next_field;
    } else {
        if (e->next.next_product >= CATALOG_PRODUCT_MAX)
            return error_set(WARP_ELIMIT, "this store has had %d products: "
                                          "export it to a new one",
                             CATALOG_PRODUCT_MAX);
        p->id = (uint16_t)e->next.next_product++;
    }
    p->field_count = (uint8_t)after->field_count;
    for (uint32_t i = 0; i < after->field_count; i++) {
        int32_t from = before ? descriptor_match_field(before, after, i) : -1;
        if (from >= 0) {
            p->fields[i] = old->fields[from];
            continue;
        }
        if (p->next_field >= CATALOG_FIELD_MAX)
            return error_set(WARP_ELIMIT,
                             "%s has had %d fields in this store: export it "
                             "to a new one",
                             after->name, CATALOG_FIELD_MAX);
        p->fields[i] = p->next_field++;
    }
    return WARP_OK;
}

static int number_all(struct warp_db *db, struct evolve *e)
{
    uint32_t n = e->new->product_count;
    int rc = WARP_OK;
    e->next.version = db->catalog.version + 1;
    e->next.next_product = db->catalog.next_product;
    e->next.product_count = n;
    e->next.products = calloc(n + 1u, sizeof *e->next.products);
    if (!e->next.products)
        return evolve_no_memory();
    for (uint32_t i = 0; i < n && rc == WARP_OK; i++)
        rc = number_product(db, e, i);
    return rc;
}

/* ---- plans ---- */

static bool in(uint64_t mask, uint32_t bit)
{
    return mask >> bit & 1;
}

uint32_t evolve_place_of(const struct layout *l, uint32_t i)
{
    if (in(l->series, i))
        return 5;
    if (in(l->mortal_mem, i))
        return 4;
    if (!in(l->durable, i))
        return 0;
    if (in(l->tiered, i))
        return 6;
    return in(l->disk, i) ? 3 : in(l->ssd, i) ? 2 : 1;
}

/* The row holds the value, or knows where it is. */
static bool in_row(uint32_t place)
{
    return (place >= 1 && place <= 3) || place == 6;
}

static void plan_field(struct evolve_product *p, uint32_t j)
{
    const struct layout *old = p->old, *new = p->new;
    uint64_t bit = UINT64_C(1) << j;
    int32_t from = p->from[j];
    if (from < 0)
        return; /* no record has it yet */
    uint32_t i = (uint32_t)from;
    uint64_t old_bit = UINT64_C(1) << i;
    bool converted = p->before->fields[i].type->fingerprint !=
                     p->after->fields[j].type->fingerprint;
    uint32_t before = evolve_place_of(old, i);
    uint32_t after = evolve_place_of(new, j);
    bool carried = (in_row(before) && in_row(after)) ||
                   (before == 5 && after == 5);
    if (converted && carried)
        p->new_converted |= bit;
    if (in(new->indexed, j) && carried && (!in(old->indexed, i) || converted))
        p->new_built |= bit;
    if (in(new->unique, j) && carried && !in(old->unique, i))
        p->new_built |= bit; /* to find two of the same */
    if (in(old->indexed, i) && (!in(new->indexed, j) || converted))
        p->old_index_gone |= old_bit;
    if (before == 5 && after != 5)
        p->old_series_gone |= old_bit;
    if ((before == 2 || before == 6) && after != 2 && after != 6)
        p->old_cold_gone |= old_bit;
    int64_t ttl = p->before->fields[i].ttl_ms, now = p->after->fields[j].ttl_ms;
    if ((before != 0 || after != 0) &&
        (i != j || before != after ||
         (converted && before != 4 && before != 5) ||
         (now != 0 && (ttl == 0 || now < ttl)) || (now == 0 && ttl != 0)))
        p->rewrite = true;
}

static int plan_product(struct warp_db *db, struct evolve *e, uint32_t at,
                        int32_t to)
{
    struct evolve_product *p = &e->plans[at];
    uint64_t kept = 0;
    p->before = &e->old->products[at];
    p->old = db->layouts[at];
    if (to < 0 || product_lost(e, at)) {
        /* A ttl that is allowed to be shorter loses only what is too old. */
        bool gone = to < 0;
        if (!gone) {
            const struct descriptor_product *n = &e->new->products[to];
            bool same = p->before->key_count == n->key_count;
            for (uint32_t i = 0; same && i < n->key_count; i++) {
                int32_t m = descriptor_match_field(p->before, n,
                                                   n->key_fields[i]);
                same = m == p->before->key_fields[i] &&
                       p->before->fields[m].type->fingerprint ==
                           n->fields[n->key_fields[i]].type->fingerprint;
            }
            gone = !same;
        }
        if (gone)
            return WARP_OK;
    }
    p->after = &e->new->products[to];
    int rc = layout_make(e->program->products[to], (uint16_t)to,
                         (uint8_t)db->options.survives, &p->new);
    if (rc != WARP_OK)
        return rc;
    if (p->new->desc->field_count != p->after->field_count)
        return error_set(WARP_EABI, "%s and its descriptor differ: run warpc "
                                    "again", p->after->name);
    for (uint32_t j = 0; j < p->after->field_count; j++) {
        p->from[j] = descriptor_match_field(p->before, p->after, j);
        if (p->from[j] >= 0)
            kept |= UINT64_C(1) << p->from[j];
        plan_field(p, j);
    }
    for (uint32_t i = 0; i < p->before->field_count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if ((kept & bit) || evolve_place_of(p->old, i) == 0)
            continue;
        p->rewrite = true;
        p->old_index_gone |= p->old->indexed & bit;
        p->old_series_gone |= p->old->series & bit;
        p->old_cold_gone |= p->old->ssd & bit;
    }
    int64_t ttl = p->before->ttl_ms, now = p->after->ttl_ms;
    p->shorter = now != 0 && (ttl == 0 || now < ttl);
    p->rewrite = p->rewrite || p->shorter || (now == 0 && ttl != 0);
    return WARP_OK;
}

/* May a value stay where it is until its record is rewritten? */
static bool can_wait(const struct evolve *e, const struct evolve_product *p,
                     uint32_t j)
{
    uint32_t i = (uint32_t)p->from[j];
    uint32_t before = evolve_place_of(p->old, i);
    uint32_t after = evolve_place_of(p->new, j);
    bool stored = before >= 1 && before <= 3 && after >= 1 && after <= 3;
    if (p->before->fields[i].ttl_ms != p->after->fields[j].ttl_ms)
        return false;
    if (!(p->new_converted >> j & 1))
        return stored || before == after;
    if (before != 1 || after != 1) /* it would be converted at every read */
        return false;
    for (uint32_t n = 0; n < e->loss_count; n++)
        if (e->losses[n].old_product == (int32_t)(p - e->plans) &&
            e->losses[n].old_field == (int32_t)i)
            return false;
    return true;
}

/* Nothing is built from the rows, nothing goes, no deadline begins now. */
static bool is_lazy(const struct evolve *e, const struct evolve_product *p)
{
    uint64_t kept = 0;
    if (!p->after || p->new_built || p->before->ttl_ms != p->after->ttl_ms)
        return false;
    for (uint32_t j = 0; j < p->after->field_count; j++) {
        if (p->from[j] < 0)
            continue;
        kept |= UINT64_C(1) << p->from[j];
        if (!can_wait(e, p, j))
            return false;
    }
    for (uint32_t i = 0; i < p->before->field_count; i++)
        if (!(kept >> i & 1) && evolve_place_of(p->old, i) != 0)
            return false;
    return true;
}

static void plan_lazy(struct evolve *e)
{
    bool any = false, all = true;
    for (uint32_t i = 0; i < e->plan_count; i++) {
        struct evolve_product *p = &e->plans[i];
        p->lazy = p->after && p->rewrite && is_lazy(e, p);
        any = any || p->lazy;
        all = all && (p->lazy || !p->after || !p->rewrite);
    }
    e->lazy = any && all;
}

static int plan_all(struct warp_db *db, struct evolve *e)
{
    uint32_t n = e->old->product_count;
    int rc = WARP_OK;
    e->plans = calloc(n + 1u, sizeof *e->plans);
    if (!e->plans)
        return evolve_no_memory();
    e->plan_count = n;
    for (uint32_t i = 0; i < n && rc == WARP_OK; i++)
        rc = plan_product(db, e, i,
                          find_product(e->new, e->old->products[i].name));
    if (rc == WARP_OK)
        plan_lazy(e);
    return rc;
}

/* Layouts know the numbers only now. */
static void number_plans(struct evolve *e)
{
    for (uint32_t i = 0; i < e->plan_count; i++)
        if (e->plans[i].new)
            catalog_number(&e->next, e->plans[i].new);
}

/* ---- the step ---- */

static int change(struct warp_db *db, struct evolve *e)
{
    struct ssd_txn *txn = NULL;
    int rc = ssd_count(db->ssd, SSD_ROWS, &e->total);
    if (rc == WARP_OK) /* E3 */
        rc = evolve_write_schema(db, e->program, e->next.version);
    if (rc == WARP_OK)
        rc = ssd_begin(db->ssd, &txn);
    for (uint32_t i = 0; i < e->plan_count && rc == WARP_OK; i++)
        rc = evolve_product(db, e, i, txn);
    if (rc == WARP_OK)
        rc = catalog_write(txn, CATALOG_NOW, &e->next);
    if (rc == WARP_OK && e->lazy)
        rc = catalog_write(txn, CATALOG_BEFORE, &db->catalog);
    if (rc == WARP_OK)
        rc = disk_sync(db->disk);
    if (rc == WARP_OK)
        return ssd_commit(&txn); /* E4 */
    if (txn)
        ssd_abort(&txn);
    disk_rollback(db->disk);
    evolve_forget(db);
    return rc;
}

int evolve_run(struct warp_db *db)
{
    struct evolve *e = db->evolve;
    const struct progress progress = {db->options.progress,
                                      db->options.progress_arg};
    uint64_t moved;
    int rc = checkpoint_run(db); /* E1; waits for the loader */
    if (rc == WARP_OK)
        rc = evolve_finish(db, &progress, &moved); /* two forms at most */
    if (rc == WARP_OK)
        rc = find_losses(db, e);
    if (rc == WARP_OK)
        rc = evolve_count(db, e);
    if (rc == WARP_OK)
        rc = refuse(db, e);
    if (rc == WARP_OK)
        rc = plan_all(db, e);
    if (rc == WARP_OK)
        rc = number_all(db, e);
    if (rc == WARP_OK) {
        number_plans(e);
        rc = change(db, e);
    }
    int stopped = rc == WARP_OK ? log_stop(db->log) : WARP_OK;
    if (rc != WARP_OK) {
        char text[1024]; /* why it was refused is what the caller hears */
        snprintf(text, sizeof text, "%s", error_text());
        if (log_stop(db->log) != WARP_OK)
            return error_set(rc, "%s", text);
    }
    return rc == WARP_OK ? stopped : rc;
}
