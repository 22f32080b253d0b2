/* cold.c: reading one field from the ssd or the disk tier. */
#include "cold.h"

#include "error.h"
#include "far.h"
#include "row.h"

struct copy_call {
    disk_alloc_fn *alloc;
    void *arg;
};

static int copy_value(void *arg, struct ssd_slice value)
{
    struct copy_call *c = arg;
    return row_copy_cold(value, c->alloc, c->arg);
}

int cold_fetch(struct warp_db *db, const struct layout *l,
               const struct key_ref *key, uint32_t field,
               const struct disk_place *place, disk_alloc_fn *alloc,
               void *arg)
{
    db_count(&db_stripe(db)->cold_reads);
    /* Where it is, and not where it should be: it may have to move yet. */
    if (place->segment != 0)
        return far_read(db->disk, db->archive, *place, alloc, arg);
    if ((l->disk & ~l->was_ssd) >> field & 1)
        return WARP_ENOTFOUND;
    uint8_t bytes[ROW_KEY_BYTES_MAX + 1];
    struct ssd_slice k = {
        bytes, row_cold_key(bytes, l, field, key->bytes, key->count)};
    struct copy_call call = {alloc, arg};
    return ssd_get(db->ssd, SSD_COLD, k, copy_value, &call);
}

struct number_call {
    uint8_t *to;
    uint32_t room;
};

static void *number_room(void *arg, size_t bytes)
{
    struct number_call *c = arg;
    return bytes == c->room ? c->to : NULL;
}

int cold_number(struct shard *s, const struct layout *l,
                const struct record *r, uint32_t field, uint8_t *to,
                uint32_t room)
{
    struct key_ref key = record_key_ref(l, r, 0);
    struct disk_place place = {0};
    struct number_call call = {to, room};
    if (l->fields[field].place != UINT32_MAX)
        disk_place_decode(r->row + l->fields[field].place, &place);
    int rc = cold_fetch(s->db, l, &key, field, &place, number_room, &call);
    if (rc == WARP_ENOTFOUND)
        return error_set(WARP_ECORRUPT, "%s.%s: the tier has lost the value",
                         l->desc->name, l->desc->fields[field].name);
    return rc;
}
