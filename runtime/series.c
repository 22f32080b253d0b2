/* series.c: a series field of a record: one group of pending.h, whose items are
 * elements by time and order.
 *
 * KEY in SSD_SERIES: product u16 BE, field u8, the record's key escaped and
 * ended (00 -> 00 ff; end 00 00), then 16 bytes: at with its sign bit flipped,
 * order, both u64 BE. A record's key that escaping makes too long stands
 * instead as 00 01, u16 BE length, its bytes. What is past the retention leaves
 * the table in series_expire.c. */
#include "series_part.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

static void put_be64(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

void series_element_key(uint8_t *to, int64_t at_ms, uint64_t order)
{
    put_be64(to, (uint64_t)at_ms ^ UINT64_C(1) << 63);
    put_be64(to + 8, order);
}

int64_t series_element_at(const uint8_t *key)
{
    uint64_t v;
    memcpy(&v, key, sizeof v);
    return (int64_t)(__builtin_bswap64(v) ^ UINT64_C(1) << 63);
}

void series_head(uint8_t *to, const struct layout *l, uint32_t field)
{
    to[0] = (uint8_t)(l->id >> 8);
    to[1] = (uint8_t)l->id;
    to[2] = l->fields[field].id;
}

/* The key's bytes in the table, behind product and field. */
static uint32_t escape(const uint8_t *key, uint32_t bytes, uint8_t *to)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < bytes && n + 4 <= SERIES_ESCAPED_MAX; i++) {
        to[n++] = key[i];
        if (key[i] == 0)
            to[n++] = 0xff;
        if (i + 1 == bytes) {
            to[n++] = 0;
            to[n++] = 0;
            return n;
        }
    }
    memcpy(to, bytes ? "\0\1" : "\0\0", 2);
    if (bytes == 0)
        return 2;
    to[2] = (uint8_t)(bytes >> 8);
    to[3] = (uint8_t)bytes;
    memcpy(to + 4, key, bytes);
    return 4 + bytes;
}

uint32_t series_prefix(const uint8_t *name, uint32_t bytes, uint8_t *to)
{
    memcpy(to, name, SERIES_HEAD_BYTES);
    return SERIES_HEAD_BYTES + escape(name + SERIES_HEAD_BYTES,
                                      bytes - SERIES_HEAD_BYTES,
                                      to + SERIES_HEAD_BYTES);
}

static struct pending_name name_of(const struct layout *l, uint32_t field,
                                   const struct key_ref *key, uint8_t *to)
{
    series_head(to, l, field);
    memcpy(to + SERIES_HEAD_BYTES, key->bytes, key->count);
    return pending_name(to, SERIES_HEAD_BYTES + key->count);
}

int series_open(struct ssd *ssd, struct budget *budget, struct series **out)
{
    struct series *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_set(WARP_ENOMEM, "out of memory for the series");
    s->ssd = ssd;
    int rc = pending_open(budget, &s->pending);
    if (rc == WARP_OK)
        *out = s;
    else
        free(s);
    return rc;
}

void series_close(struct series **series)
{
    if (!*series)
        return;
    pending_close(&(*series)->pending);
    free((*series)->ages);
    free(*series);
    *series = NULL;
}

/* ---- changes, under the shard's lock ---- */

int series_reserve(struct series *s, uint32_t key_bytes,
                   uint32_t element_bytes, struct series_room *room)
{
    return pending_reserve(s->pending, SERIES_HEAD_BYTES + key_bytes,
                           SERIES_ELEMENT_KEY + element_bytes, false,
                           &room->append);
}

void series_unreserve(struct series *s, struct series_room *room)
{
    pending_unreserve(s->pending, &room->append);
}

void series_append(struct series *s, const struct layout *l, uint32_t field,
                   const struct key_ref *key, struct series_room *room,
                   int64_t at_ms, uint64_t order, const uint8_t *element,
                   uint32_t bytes)
{
    uint8_t space[PENDING_NAME_MAX], item[SERIES_ELEMENT_KEY];
    struct pending_name name = name_of(l, field, key, space);
    series_element_key(item, at_ms, order);
    pending_add(s->pending, &name, &room->append, item, sizeof item, element,
                bytes);
}

int series_drop(struct series *s, const struct layout *l,
                const struct key_ref *key, uint64_t order)
{
    uint8_t space[PENDING_NAME_MAX];
    int result = WARP_OK;
    FOR_BITS(i, l->series)
    {
        struct pending_name name = name_of(l, (uint32_t)i, key, space);
        struct pending_room room = {NULL, NULL};
        int rc = pending_reserve(s->pending, name.count, 0, true, &room);
        if (rc == WARP_OK)
            pending_floor(s->pending, &name, &room, order);
        else
            result = rc;
    }
    return result;
}

/* ---- reading ---- */

bool series_age_end(const struct layout *l, uint32_t field, int64_t *age_ms)
{
    const struct warp_field *f = &l->desc->fields[field];
    if (!(f->flags & WARP_F_THEN_DELETE) || f->retention_count == 0)
        return false;
    *age_ms = f->retention[f->retention_count - 1].age_ms;
    return *age_ms != INT64_MAX;
}

/* The earliest time that is not past its age at `now`. */
int64_t series_first_alive(int64_t now_ms, int64_t age_ms)
{
    int64_t at;
    if (__builtin_sub_overflow(now_ms, age_ms, &at))
        return INT64_MIN;
    return at == INT64_MAX ? at : at + 1;
}

struct series_iter {
    struct pending_iter *inner; /* NULL: nothing is in the range */
};

int series_range(struct series *s, const struct layout *l, uint32_t field,
                 const struct key_ref *key, int64_t from_ms, int64_t to_ms,
                 int64_t now_ms, struct series_iter **out)
{
    uint8_t space[PENDING_NAME_MAX], prefix[SSD_KEY_BYTES_MAX];
    uint8_t from[SERIES_ELEMENT_KEY], to[SERIES_ELEMENT_KEY];
    struct pending_source source = {s->pending, s->ssd, SSD_SERIES};
    struct pending_range range = {from, to, sizeof from, sizeof to, false};
    int64_t age;
    *out = NULL;
    struct series_iter *it = calloc(1, sizeof *it);
    if (!it)
        return error_set(WARP_ENOMEM, "out of memory for a scan");
    if (series_age_end(l, field, &age) &&
        series_first_alive(now_ms, age) > from_ms)
        from_ms = series_first_alive(now_ms, age);
    int rc = WARP_OK;
    if (from_ms < to_ms) {
        struct pending_name name = name_of(l, field, key, space);
        uint32_t bytes = series_prefix(name.bytes, name.count, prefix);
        series_element_key(from, from_ms, 0);
        series_element_key(to, to_ms, 0);
        rc = pending_iter_open(&source, &name, prefix, bytes, &range,
                               &it->inner);
    }
    if (rc == WARP_OK)
        *out = it;
    else
        free(it);
    return rc;
}

int series_next(struct series_iter *it, int64_t *at_ms,
                const uint8_t **element, uint32_t *bytes)
{
    struct pending_entry entry;
    if (!it->inner)
        return WARP_END;
    int rc = pending_iter_next(it->inner, &entry);
    if (rc != WARP_OK)
        return rc;
    if (entry.key_bytes != SERIES_ELEMENT_KEY)
        return error_set(WARP_ECORRUPT, "an element of a series has a key of "
                                        "another length");
    *at_ms = series_element_at(entry.key);
    *element = entry.value;
    *bytes = entry.value_bytes;
    return WARP_OK;
}

void series_iter_close(struct series_iter **iter)
{
    if (!*iter)
        return;
    pending_iter_close(&(*iter)->inner);
    free(*iter);
    *iter = NULL;
}

/* ---- a checkpoint ---- */

struct flushing {
    struct series *series;
    struct ssd_txn *txn;
};

/* Elements of a dropped record leave the table, in as few ranges as there are
 * runs of them. */
static int drop_below(const struct flushing *f, const uint8_t *prefix,
                      uint32_t prefix_bytes, uint64_t floor)
{
    uint8_t first[SSD_KEY_BYTES_MAX], end[SSD_KEY_BYTES_MAX];
    uint32_t first_bytes = 0;
    struct ssd_slice from = {prefix, prefix_bytes}, to = {end, 0}, k, v;
    struct ssd_cursor *cursor;
    memcpy(end, prefix, prefix_bytes);
    memset(end + prefix_bytes, 0xff, SERIES_ELEMENT_KEY + 1);
    to.bytes = prefix_bytes + SERIES_ELEMENT_KEY + 1;
    int rc = ssd_cursor_open(f->series->ssd, SSD_SERIES, from, to, false,
                             &cursor);
    if (rc != WARP_OK)
        return rc;
    while ((rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        struct ssd_slice run = {first, first_bytes};
        bool below = pending_below(k.data, (uint32_t)k.bytes, floor);
        if (below && first_bytes == 0) {
            memcpy(first, k.data, k.bytes);
            first_bytes = (uint32_t)k.bytes;
        } else if (!below && first_bytes != 0) {
            rc = ssd_del_range(f->txn, SSD_SERIES, run, k);
            if (rc != WARP_OK)
                break;
            first_bytes = 0;
        }
    }
    if (rc == WARP_END) {
        struct ssd_slice run = {first, first_bytes};
        rc = first_bytes == 0 ? WARP_OK
                              : ssd_del_range(f->txn, SSD_SERIES, run, to);
    }
    ssd_cursor_close(&cursor);
    return rc;
}

static int flush_floor(void *arg, struct pending_visit *group)
{
    uint8_t prefix[SSD_KEY_BYTES_MAX];
    if (group->floor == 0)
        return WARP_OK;
    uint32_t bytes = series_prefix(group->name, group->name_bytes, prefix);
    return drop_below(arg, prefix, bytes, group->floor);
}

static int flush_elements(void *arg, struct pending_visit *group)
{
    struct flushing *f = arg;
    uint8_t key[SSD_KEY_BYTES_MAX];
    uint32_t prefix_bytes = series_prefix(group->name, group->name_bytes, key);
    struct pending_entry e;
    bool first = true;
    int rc = WARP_OK;
    while (rc == WARP_OK && pending_visit_next(group, &e)) {
        struct ssd_slice k = {key, prefix_bytes + e.key_bytes};
        struct ssd_slice v = {e.value, e.value_bytes};
        memcpy(key + prefix_bytes, e.key, e.key_bytes);
        if (first)
            rc = series_note_age(f->series, group->name,
                                 series_element_at(e.key));
        first = false;
        if (rc == WARP_OK)
            rc = ssd_put(f->txn, SSD_SERIES, k, v);
    }
    return rc;
}

/* Floors come first: an element above one may lie inside a range that goes. */
int series_flush(struct series *s, struct ssd_txn *txn)
{
    struct flushing f = {s, txn};
    series_new_ages(s);
    pending_take(s->pending);
    int rc = pending_walk(s->pending, flush_floor, &f);
    return rc == WARP_OK ? pending_walk(s->pending, flush_elements, &f) : rc;
}

void series_flushed(struct series *s, bool keep)
{
    pending_settle(s->pending, keep);
    if (keep)
        series_forget_ages(s);
}

bool series_pending(struct series *s)
{
    return pending_any(s->pending);
}
