/* migrate_rows.c: a walk over a product's rows in the directory: values that
 * were used too seldom are marked for the disk, those that rested there long
 * enough are made dirty for the archive. The checkpoint behind the step moves
 * them. */
#include "migrate_part.h"

#include "clock.h"
#include "error.h"
#include "far.h"
#include "forward.h"
#include "rehome.h"
#include "row_past.h"

#include <stdlib.h>

/* Values that one step brings along, at most. */
#define STEP_BYTES (UINT64_C(8) << 20)

struct visit {
    struct warp_db *db;
    struct migrate *m;
    const struct layout *l;
    struct key_ref key;
    uint64_t bytes;
    uint32_t marked;
};

typedef int visit_fn(struct visit *v, struct ssd_slice row);

/* ---- warm to cold ---- */

/* Has the row a value that is not on disk yet? */
static bool may_go(const struct layout *form, const struct row_view *view)
{
    const uint8_t *at = view->values;
    FOR_BITS(i, view->have & form->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(form, (uint32_t)i, &at, &v, &raw);
        if ((form->tiered >> i & 1) && !row_place(form, (uint32_t)i, &v))
            return true;
    }
    return false;
}

static int send_to_disk(struct visit *v, struct ssd_slice row)
{
    const struct layout *l = v->l;
    struct record *r;
    uint64_t go = 0;
    struct row_view view;
    const struct layout *form = row_form(l, row);
    if (row_parse(form, row, &view) != WARP_OK)
        return WARP_OK;
    struct migrate_roles roles = migrate_row_roles(l, row, &view);
    if (migrate_used(v->m, v->key.hash, &roles) || !may_go(form, &view))
        return WARP_OK;
    struct shard *s;
    int rc = forward_find(v->db, l, &v->key, &s, &r);
    if (rc == WARP_OK && r && !(record_have(r) & (R_DELETED | R_DIRTY))) {
        FOR_BITS(i, l->tiered & record_have(r))
        {
            struct disk_place place;
            disk_place_decode(r->row + l->fields[i].place, &place);
            if (place.segment != 0)
                continue;
            go |= UINT64_C(1) << i;
            v->bytes += (uint32_t)atomic_load_explicit(
                &row_var(r, l->fields[i].slot)->len_cap,
                memory_order_relaxed);
        }
        if (go) {
            record_begin(r);
            row_store(r, l->to_disk, row_load(r, l->to_disk) | go);
            shard_dirty(s, r, shard_record_hash(s, r));
            record_end(r, record_version(r));
            v->marked++;
        }
    }
    os_unlock(&s->lock);
    return rc;
}

/* ---- cold to the archive ---- */

struct room {
    uint8_t *data;
    size_t bytes;
};

static void *take_room(void *arg, size_t bytes)
{
    struct room *room = arg;
    room->bytes = bytes;
    room->data = malloc(bytes ? bytes : 1);
    return room->data;
}

static int archive_value(struct visit *v, uint32_t field,
                         struct disk_place place)
{
    uint8_t owner[ROW_KEY_BYTES_MAX + 1];
    struct room room = {NULL, 0};
    uint32_t bytes =
        row_cold_key(owner, v->l, field, v->key.bytes, v->key.count);
    int rc = far_read(v->db->disk, v->db->archive, place, take_room, &room);
    if (rc == WARP_OK)
        rc = rehome_value(v->db, owner, bytes, place, room.data, room.bytes,
                          &v->marked);
    v->bytes += room.bytes;
    free(room.data);
    if (rc == WARP_ENOTFOUND) /* it was written since */
        return WARP_OK;
    if (rc != WARP_ECORRUPT)
        return rc;
    /* A damaged value stays where it is; the others go on. */
    db_log(v->db, WARP_LOG_ERROR, rc, error_text());
    return WARP_OK;
}

/* In this window or the one before. */
static bool is_in_use(const struct visit *v, const struct migrate_roles *roles)
{
    const struct migrate_product *p = &v->m->products[v->m->product];
    uint32_t least = p->heat.least[HEAT_COLD], slot = heat_slot(v->key.hash);
    _Atomic uint8_t *now = atomic_load(&p->heat.counts[HEAT_COLD]);
    _Atomic uint8_t *past = p->windows[PASS_COLD].past;
    if (!now || !past)
        return false;
    uint32_t uses = atomic_load_explicit(&now[slot], memory_order_relaxed);
    uint32_t before = atomic_load_explicit(&past[slot], memory_order_relaxed);
    return (uses > before ? uses : before) + roles->temperature >= least;
}

static int send_to_archive(struct visit *v, struct ssd_slice row)
{
    const struct layout *l = v->l;
    uint32_t now = far_minutes(clock_now(v->db->clock));
    uint32_t age = atomic_load(&l->heat->archive_min);
    struct row_view view;
    /* A row of an earlier form comes when it has been written anew. */
    if (row_is_past(l, row) || age == 0 ||
        row_parse(l, row, &view) != WARP_OK)
        return WARP_OK;
    struct migrate_roles roles = migrate_row_roles(l, row, &view);
    if (is_in_use(v, &roles))
        return WARP_OK;
    const uint8_t *at = view.values;
    int rc = WARP_OK;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value value;
        struct disk_place place = {0};
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &value, &raw);
        const uint8_t *bytes = row_place(l, (uint32_t)i, &value);
        if (rc != WARP_OK || !bytes || !(l->tiered >> i & 1))
            continue;
        disk_place_decode(bytes, &place);
        if (place.segment != 0 && !disk_place_archived(&place) &&
            now >= place.since && now - place.since >= age)
            rc = archive_value(v, (uint32_t)i, place);
    }
    return rc;
}

/* ---- the walk ---- */

static int check_key(struct visit *v, struct ssd_slice key)
{
    const struct layout *l = v->l;
    if (key.bytes < 2 || key.bytes > ROW_KEY_BYTES_MAX)
        return error_set(WARP_ECORRUPT, "the directory holds a key of %zu "
                                        "bytes", key.bytes);
    v->key = key_ref_of(v->db->seed, l, (const uint8_t *)key.data + 2,
                        (uint32_t)key.bytes - 2);
    return WARP_OK;
}

int migrate_rows(struct warp_db *db, struct migrate *m, uint32_t rows,
                 uint32_t *marked, bool *more)
{
    enum { LOOKED_MAX = 32 }; /* times the rows */
    const struct layout *l = db->layouts[m->product];
    visit_fn *visit = m->pass == PASS_COLD ? send_to_disk : send_to_archive;
    struct visit v = {.db = db, .m = m, .l = l};
    uint8_t after[2];
    uint64_t looked = 0;
    struct ssd_cursor *cursor = NULL;
    if (m->key_bytes == 0)
        m->key_bytes = row_key(m->key, l->id, NULL, 0);
    row_key(after, l->id + 1u, NULL, 0);
    struct ssd_slice from = {m->key, m->key_bytes}, to = {after, 2}, key, value;
    if (l->id == UINT16_MAX)
        to.bytes = 0;
    *more = false;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, from, to, false, &cursor);
    while (rc == WARP_OK && !*more &&
           (rc = ssd_next(cursor, &key, &value)) == WARP_OK) {
        rc = check_key(&v, key);
        if (rc == WARP_OK)
            rc = visit(&v, value);
        *more = v.marked >= rows || v.bytes >= STEP_BYTES ||
                ++looked >= (uint64_t)rows * LOOKED_MAX;
        if (*more && rc == WARP_OK) { /* the next step begins behind it */
            memcpy(m->key, key.data, key.bytes);
            m->key[key.bytes] = 0;
            m->key_bytes = (uint32_t)key.bytes + 1;
        }
    }
    ssd_cursor_close(&cursor);
    *marked = v.marked;
    /* No room for more records: a checkpoint lets some go, then it goes on. */
    if (rc == WARP_ELIMIT && v.marked > 0) {
        *more = true;
        return WARP_OK;
    }
    return rc == WARP_END ? WARP_OK : rc;
}
