/* scan_row.c: see scan_row.h. */
#include "scan_row.h"

#include "arena.h"
#include "codec.h"
#include "compress.h"
#include "error.h"
#include "read.h"
#include "row_past.h"

#include <string.h>

bool scan_row_may(const struct layout *l, uint64_t fields)
{
    return !(fields & (l->mortal_mem | l->cold | l->ttl | l->derived)) &&
           l->deadline == UINT32_MAX;
}

/* The value of a field outside the row, unpacked, in the arena. */
static int copy_var(const struct layout *l, uint32_t i, struct op_value *v,
                    uint32_t raw, struct warp_arena *arena)
{
    uint32_t bytes = raw ? raw : v->bytes;
    if (!arena)
        return read_needs_arena(l, i);
    uint8_t *copy = warp_arena_alloc(arena, bytes ? bytes : 1);
    if (!copy)
        return error_set(WARP_ENOMEM, "out of memory for the result of a scan");
    if (raw == 0)
        memcpy(copy, v->data, bytes);
    else if (compress_undo(COMPRESS_LZ4, v->data, v->bytes, copy, raw) !=
             WARP_OK)
        return error_set(WARP_ECORRUPT, "%s: a stored row holds a value that "
                                        "cannot be unpacked", l->desc->name);
    *v = (struct op_value){copy, bytes};
    return WARP_OK;
}

static int read_value(const struct layout *l, uint32_t i, struct op_value *v,
                      uint32_t raw, uint8_t *to, struct warp_arena *arena)
{
    const struct field_layout *f = &l->fields[i];
    if (f->form == SLOT_VAR) {
        int rc = copy_var(l, i, v, raw, arena);
        if (rc != WARP_OK)
            return rc;
        if (f->bare) {
            struct warp_str s = {(const char *)v->data, v->bytes};
            memcpy(to, &s, sizeof s);
            return WARP_OK;
        }
    } else if (f->form != SLOT_WIRE && f->form != SLOT_COLUMN) {
        memcpy(to, v->data, f->bytes);
        return WARP_OK;
    }
    return codec_decode(l->desc->fields[i].type, v->data, v->bytes, to, arena);
}

int scan_row(const struct layout *l, struct ssd_slice row, uint64_t fields,
             void *out, struct warp_arena *arena)
{
    struct row_view view;
    if (row_is_past(l, row))
        return 1;
    int rc = row_open(l, row, &view);
    if (rc != WARP_OK)
        return rc;
    if (view.dead)
        return 1;
    const uint8_t *at = view.values;
    uint64_t wanted = view.have & fields & l->durable;
    uint64_t have = wanted;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value v;
        uint32_t raw;
        rc = row_step(l, &view, (uint32_t)i, &at, &v, &raw);
        if (rc != WARP_OK)
            break;
        if (!(wanted >> i & 1))
            continue;
        rc = read_value(l, (uint32_t)i, &v, raw,
                        (uint8_t *)out + l->fields[i].offset, arena);
        wanted &= ~(UINT64_C(1) << i);
        if (rc != WARP_OK || !wanted)
            break;
    }
    uint64_t preset = l->presets & fields & ~view.have;
    if (rc == WARP_OK)
        read_presets(l, preset, out);
    have |= preset;
    memcpy((uint8_t *)out + l->desc->have_offset, &have, sizeof have);
    return rc;
}
