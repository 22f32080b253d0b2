/* iter_series.c: range reads of series fields. */
#include "clock.h"
#include "codec.h"
#include "error.h"
#include "hash.h"
#include "iter_call.h"
#include "read.h"

int warp_gen_range(struct warp_db *db, const struct warp_product *desc,
                   const void *key, uint32_t field, int64_t from_ms,
                   int64_t to_ms, struct warp_iter **out)
{
    return warp_gen_range_with(db, desc, key, field, from_ms, to_ms, 0, out);
}

int warp_gen_range_with(struct warp_db *db, const struct warp_product *desc,
                        const void *key, uint32_t field, int64_t from_ms,
                        int64_t to_ms, uint64_t flags, struct warp_iter **out)
{
    struct warp_iter *it = NULL;
    uint8_t bytes[KEY_BYTES_MAX];
    const char *why = NULL;
    size_t count = 0;
    uint64_t version;
    int rc = iter_enter(db, desc, out, &it);
    if (rc != WARP_OK)
        return rc;
    const struct layout *l = it->layout;
    it->kind = ITER_SERIES;
    it->field = field;
    if (!key || field >= desc->field_count || !(l->series >> field & 1))
        rc = error_set(WARP_EINVAL, "%s: this field is no series, or the key "
                                    "is NULL", desc->name);
    if (rc == WARP_OK && (flags & ~WARP_ARCHIVE))
        rc = error_set(WARP_EINVAL, "%s: a range takes the flag WARP_ARCHIVE "
                                    "and no other", desc->name);
    if (rc == WARP_OK) {
        rc = key_encode(desc, key, bytes, &count, &why);
        if (rc != WARP_OK)
            error_set(rc, "%s: the key %s", desc->name,
                      why ? why : "is not valid");
    }
    struct key_ref ref = key_ref_of(db->seed, l, bytes, (uint32_t)count);
    /* A record that is not there, or has expired, has no elements. */
    if (rc == WARP_OK)
        rc = read_version(db, l, &ref, &version);
    if (rc == WARP_OK && from_ms < to_ms)
        rc = series_range(db->series, l, field, &ref, from_ms, to_ms,
                          clock_now(db->clock), (flags & WARP_ARCHIVE) != 0,
                          &it->series);
    if (rc == WARP_OK || rc == WARP_ENOTFOUND) {
        *out = it;
        return WARP_OK;
    }
    warp_iter_close(&it);
    return rc;
}

int warp_gen_range_next(struct warp_iter *it, const struct warp_product *desc,
                        uint32_t field, int64_t *at_ms, void *element,
                        struct warp_arena *arena)
{
    const uint8_t *wire;
    uint32_t bytes;
    int64_t at;
    int rc = iter_check(it, desc, ITER_SERIES);
    if (rc != WARP_OK)
        return rc;
    if (field != it->field || !element)
        return error_set(WARP_EINVAL, "%s: this iterator is of another "
                                      "series, or there is no place for the "
                                      "result", desc->name);
    if (!it->series)
        return WARP_END;
    rc = series_next(it->series, &at, &wire, &bytes);
    if (rc != WARP_OK)
        return rc;
    if (at_ms)
        *at_ms = at;
    /* Bytes of the iterator are gone at the next call: strings are copied. */
    const struct warp_type *type = desc->fields[field].type;
    if (type->kind == WARP_T_STRING || type->kind == WARP_T_BYTES ||
        type->kind == WARP_T_OPAQUE) {
        struct warp_str s = {NULL, bytes};
        char *copy = arena ? warp_arena_alloc(arena, bytes ? bytes : 1)
                           : NULL;
        if (!copy)
            return error_set(arena ? WARP_ENOMEM : WARP_EINVAL,
                             "%s.%s: an arena with memory is needed",
                             desc->name, desc->fields[field].name);
        memcpy(copy, wire, bytes);
        s.data = copy;
        memcpy(element, &s, sizeof s);
        return WARP_OK;
    }
    return codec_decode(type, wire, bytes, element, arena);
}
