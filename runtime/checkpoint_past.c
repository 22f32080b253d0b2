/* checkpoint_past.c: values that leave a tier: of a record whose row in the
 * directory has an earlier form, and of tiered fields. The order is the
 * checkpoint's: the new places are committed with the row, then the old ones
 * are free. */
#include "checkpoint_step.h"
#include "cold.h"
#include "error.h"

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
}

struct past_room {
    struct step *step;
    uint8_t *data;
    size_t bytes;
};

static void *past_room(void *arg, size_t bytes)
{
    struct past_room *room = arg;
    room->bytes = bytes;
    room->data = step_alloc(room->step, bytes);
    return room->data;
}

/* A value that lies where an earlier form of the row had it. */
static int copy_past_value(struct step *st, struct record_copy *c,
                           const struct record *r, uint32_t i)
{
    const struct layout *l = c->entry->layout;
    struct key_ref key = record_key_ref(l, r, 0);
    struct var *var = row_var(r, l->fields[i].slot);
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint64_t len = atomic_load_explicit(&var->len_cap, memory_order_relaxed);
    struct cold_copy cold = {i, (uint32_t)len, (l->tiered >> i & 1) != 0,
                             false, NULL};
    if (at > VAR_COLD) {
        cold.data = step_alloc(st, cold.bytes);
        if (!cold.data)
            return no_memory();
        memcpy(cold.data, (const void *)(uintptr_t)at, cold.bytes);
    } else {
        struct past_room room = {st, NULL, 0};
        struct disk_place place = {0};
        if (l->fields[i].place != UINT32_MAX)
            disk_place_decode(r->row + l->fields[i].place, &place);
        int rc = cold_fetch(st->db, l, &key, i, &place, past_room, &room);
        if (rc == WARP_ENOTFOUND)
            rc = error_set(WARP_ECORRUPT, "%s.%s: the tier has lost the value",
                           l->desc->name, l->desc->fields[i].name);
        if (rc != WARP_OK)
            return rc;
        c->fetched = true;
        cold.data = room.data;
        cold.bytes = (uint32_t)room.bytes;
    }
    c->cold[c->cold_count++] = cold;
    return WARP_OK;
}

/* Values that the ssd tier had and will not have any more. */
static int forget_ssd(struct step *st, const struct layout *l,
                      const struct record *r, uint64_t fields)
{
    int rc = WARP_OK;
    FOR_BITS(i, fields)
    {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t n = row_cold_key(key, l, (uint32_t)i, record_key(l, r),
                                  record_key_bytes(l, r));
        if (rc == WARP_OK)
            rc = step_forget_later(st, SSD_COLD, key, n);
    }
    return rc;
}

int step_copy_past(struct step *st, const struct layout *l,
                   const struct record *r, struct record_copy *c)
{
    uint64_t have = record_have(r), dirty = 0;
    int rc = WARP_OK;
    if (l->cold)
        dirty = row_load(r, l->cold_dirty);
    FOR_BITS(i, (l->was_ssd | l->was_disk) & l->cold & have & ~dirty)
        if (rc == WARP_OK)
            rc = copy_past_value(st, c, r, (uint32_t)i);
    FOR_BITS(i, l->was_disk)
    {
        disk_place_decode(r->row + l->fields[i].place, &c->was[i]);
        if (c->was[i].segment != 0)
            c->left |= UINT64_C(1) << i;
    }
    return rc == WARP_OK ? forget_ssd(st, l, r, l->was_ssd) : rc;
}


int step_copy_tiered(struct step *st, const struct layout *l,
                     const struct record *r, struct record_copy *c)
{
    uint64_t have = record_have(r) & l->tiered, leave = 0;
    uint64_t dirty = row_load(r, l->cold_dirty);
    uint64_t to_disk = row_load(r, l->to_disk) & have;
    int rc = WARP_OK;
    FOR_BITS(i, have)
    {
        uint64_t bit = UINT64_C(1) << i;
        struct disk_place place;
        disk_place_decode(r->row + l->fields[i].place, &place);
        if (place.segment == 0 && (to_disk & bit)) {
            leave |= bit;
            if (rc == WARP_OK && !(dirty & bit))
                rc = copy_past_value(st, c, r, (uint32_t)i);
        }
        /* A new value, on ssd again. */
        if (place.segment != 0 && (dirty & bit) && !(to_disk & bit)) {
            c->was[i] = place;
            c->left |= bit;
        }
    }
    return rc == WARP_OK ? forget_ssd(st, l, r, leave) : rc;
}
