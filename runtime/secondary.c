/* secondary.c: a value and the keys that hold it: one group of pending.h. */
#include "secondary.h"

#include "codec.h"
#include "error.h"
#include "pending.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 3, VALUE_MAX = PENDING_NAME_MAX - HEAD_BYTES };

struct secondary {
    struct ssd *ssd;
    struct pending *pending;
};

struct secondary_iter {
    struct pending_iter *inner;
};

int secondary_open(struct ssd *ssd, struct budget *budget,
                   struct secondary **out)
{
    struct secondary *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_set(WARP_ENOMEM, "out of memory for the indexes");
    s->ssd = ssd;
    int rc = pending_open(budget, &s->pending);
    if (rc == WARP_OK)
        *out = s;
    else
        free(s);
    return rc;
}

void secondary_close(struct secondary **secondary)
{
    if (!*secondary)
        return;
    pending_close(&(*secondary)->pending);
    free(*secondary);
    *secondary = NULL;
}

int secondary_value(const struct layout *l, uint32_t field,
                    const uint8_t *wire, uint32_t wire_bytes, uint8_t *to,
                    uint32_t *bytes)
{
    const struct warp_type *type = l->desc->fields[field].type;
    union {
        uint8_t scalar[16];
        uint64_t align;
        struct warp_str text;
    } space;
    const void *value = &space;
    const char *why = NULL;
    size_t count = 0;
    int rc = WARP_OK;
    if (l->fields[field].bare) {
        space.text = (struct warp_str){(const char *)wire, wire_bytes};
    } else if (type->kind == WARP_T_FIXED_BYTES ||
               type->kind == WARP_T_UUID) {
        value = wire;
        rc = wire_bytes == type->size ? WARP_OK : WARP_ECORRUPT;
    } else {
        rc = type->size <= sizeof space.scalar
                 ? codec_decode(type, wire, wire_bytes, &space, NULL)
                 : WARP_EINVAL;
    }
    if (rc == WARP_OK)
        rc = key_encode_value(type, value, to, &count, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s.%s: the value %s", l->desc->name,
                         l->desc->fields[field].name,
                         why ? why : "cannot be indexed");
    *bytes = (uint32_t)count;
    return WARP_OK;
}

static struct pending_name name_of(const struct layout *l, uint32_t field,
                                   const uint8_t *value, uint32_t bytes,
                                   uint8_t *to)
{
    to[0] = (uint8_t)(l->id >> 8);
    to[1] = (uint8_t)l->id;
    to[2] = l->fields[field].id;
    memcpy(to + HEAD_BYTES, value, bytes);
    return pending_name(to, HEAD_BYTES + bytes);
}

int secondary_change(struct secondary *s, const struct layout *l,
                     uint32_t field, const uint8_t *value,
                     uint32_t value_bytes, const uint8_t *key,
                     uint32_t key_bytes, bool add)
{
    uint8_t space[PENDING_NAME_MAX];
    if (value_bytes > VALUE_MAX || key_bytes > PENDING_KEY_MAX)
        return error_set(WARP_ELIMIT, "an index entry is too long");
    struct pending_name name = name_of(l, field, value, value_bytes, space);
    int rc = pending_set(s->pending, &name, key, key_bytes, !add);
    /* A hint that stays too long is stale, and stale is allowed. */
    return add ? rc : WARP_OK;
}

int secondary_find(struct secondary *s, const struct layout *l,
                   uint32_t field, const uint8_t *value, uint32_t value_bytes,
                   struct secondary_iter **out)
{
    uint8_t space[PENDING_NAME_MAX];
    struct pending_source source = {s->pending, s->ssd, SSD_INDEX};
    struct pending_range all = {.from = space};
    *out = NULL;
    if (value_bytes > VALUE_MAX)
        return error_set(WARP_ELIMIT, "an index value is too long");
    struct pending_name name = name_of(l, field, value, value_bytes, space);
    struct secondary_iter *it = calloc(1, sizeof *it);
    if (!it)
        return error_set(WARP_ENOMEM, "out of memory for a scan");
    int rc = pending_iter_open(&source, &name, name.bytes, name.count, &all,
                               &it->inner);
    if (rc == WARP_OK)
        *out = it;
    else
        free(it);
    return rc;
}

int secondary_next(struct secondary_iter *it, const uint8_t **key,
                   uint32_t *key_bytes)
{
    struct pending_entry entry;
    int rc = pending_iter_next(it->inner, &entry);
    if (rc == WARP_OK) {
        *key = entry.key;
        *key_bytes = entry.key_bytes;
    }
    return rc;
}

void secondary_iter_close(struct secondary_iter **iter)
{
    if (!*iter)
        return;
    pending_iter_close(&(*iter)->inner);
    free(*iter);
    *iter = NULL;
}

int secondary_store(struct ssd_txn *txn, const struct layout *l,
                    uint32_t field, const uint8_t *value,
                    uint32_t value_bytes, const uint8_t *key,
                    uint32_t key_bytes)
{
    uint8_t space[PENDING_NAME_MAX], whole[SSD_KEY_BYTES_MAX];
    uint32_t bytes;
    if (value_bytes > VALUE_MAX || key_bytes > PENDING_KEY_MAX)
        return error_set(WARP_ELIMIT, "an index entry is too long");
    struct pending_name name = name_of(l, field, value, value_bytes, space);
    bool cut = pending_ssd_key(name.bytes, name.count, key, key_bytes, whole,
                               &bytes);
    struct ssd_slice k = {whole, bytes};
    struct ssd_slice v = {key, cut ? key_bytes : 0};
    return ssd_put(txn, SSD_INDEX, k, v);
}

/* ---- a checkpoint ---- */

static int flush_value(void *arg, struct pending_visit *group)
{
    struct ssd_txn *txn = arg;
    struct pending_entry e;
    uint8_t key[SSD_KEY_BYTES_MAX];
    int rc = WARP_OK;
    while (rc == WARP_OK && pending_visit_next(group, &e)) {
        uint32_t bytes;
        bool cut = pending_ssd_key(group->name, group->name_bytes, e.key,
                                   e.key_bytes, key, &bytes);
        struct ssd_slice k = {key, bytes};
        struct ssd_slice v = {e.key, cut ? e.key_bytes : 0};
        rc = e.gone ? ssd_del(txn, SSD_INDEX, k)
                    : ssd_put(txn, SSD_INDEX, k, v);
    }
    return rc;
}

int secondary_flush(struct secondary *s, struct ssd_txn *txn)
{
    pending_take(s->pending);
    return pending_walk(s->pending, flush_value, txn);
}

void secondary_flushed(struct secondary *s, bool keep)
{
    pending_settle(s->pending, keep);
}

bool secondary_pending(struct secondary *s)
{
    return pending_any(s->pending);
}
