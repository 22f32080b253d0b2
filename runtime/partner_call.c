/* partner_call.c: a get that tells the partners of its record. */
#include "coaccess.h"
#include "error.h"
#include "hash.h"
#include "partner.h"
#include "prefetch.h"

#include <warp/gen.h>

static int fill(const struct warp_product *desc, const struct partner_set *set,
                struct warp_partners *out, struct warp_arena *arena)
{
    size_t count = set->count;
    char *keys = warp_arena_alloc(arena, count * desc->key_bytes + 1);
    struct warp_bond *bonds =
        warp_arena_alloc(arena, count * sizeof *bonds + 1);
    int rc = keys && bonds ? WARP_OK
                           : error_set(WARP_ENOMEM, "out of memory for the "
                                                    "partners of a record");
    for (size_t i = 0; i < count && rc == WARP_OK; i++) {
        const struct partner *p = &set->list[i];
        memset(keys + i * desc->key_bytes, 0, desc->key_bytes);
        rc = key_decode(desc, p->key, p->key_bytes,
                        keys + i * desc->key_bytes, NULL, arena);
        bonds[i] = p->bond;
    }
    if (rc == WARP_OK)
        *out = (struct warp_partners){keys, bonds, count};
    return rc;
}

int warp_quantum_get(struct warp_db *db, const struct warp_product *desc,
                     const void *key, uint64_t fields, void *out,
                     struct warp_partners *partners, struct warp_arena *arena)
{
    uint8_t bytes[KEY_BYTES_MAX];
    size_t count = 0;
    const char *why = NULL;
    struct partner_set set;
    if (!partners || !arena)
        return error_set(WARP_EINVAL, "%s: partners need a place and an arena",
                         desc ? desc->name : "?");
    *partners = (struct warp_partners){NULL, NULL, 0};
    int rc = warp_gen_get(db, desc, key, fields, out, arena);
    if (rc != WARP_OK)
        return rc;
    const struct layout *l = db_layout(db, desc);
    if (!l->linked)
        return error_set(WARP_EINVAL,
                         "%s: its records have no partners: give a field the "
                         "role :quantum_entanglement_group", desc->name);
    rc = key_encode(desc, key, bytes, &count, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s: the key %s", desc->name, why);
    struct key_ref ref = key_ref_of(db->seed, l, bytes, (uint32_t)count);
    if (db->coaccess)
        coaccess_settle(db->coaccess);
    rc = partner_find(db, l, &ref, NULL, NULL, PARTNER_COMPARED, &set);
    if (rc == WARP_ENOTFOUND) /* it went meanwhile */
        return WARP_OK;
    if (rc == WARP_OK)
        rc = fill(desc, &set, partners, arena);
    for (uint32_t i = 0; rc == WARP_OK && db->prefetch && i < set.count; i++) {
        struct key_ref k = partner_key(l, &set.list[i]);
        if (prefetch_lacks(db, l, &k))
            prefetch_ask(db, l, &k, false, true);
    }
    return rc;
}
