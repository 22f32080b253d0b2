/* series_pack.c: see series_pack.h.
 *
 * BYTES: the times (integers), the orders if kept, then the columns in the
 * order of the type's parts. A column of numbers: varint count (not of times
 * and orders), then series_number.h. A column of bytes: see put_blob; of texts:
 * u8 way; LIST: lengths, bytes; NUMBERED: varint distinct, their lengths and
 * bytes, a column of numbers. */
#include "series_pack.h"

#include "compress.h"
#include "error.h"
#include "series_columns.h"
#include "series_number.h"
#include "wire.h"

#include <stdlib.h>

enum { LIST, NUMBERED };
enum { BLOB_WORTH = 48 };

struct series_pack {
    struct columns columns;
    struct compress *compress;
    struct series_item *items;
    int64_t *times, *orders, *scratch;
    uint32_t room, scratch_count; /* of items, times and orders; of scratch */
    uint32_t *table, *first; /* of the distinct texts */
    uint8_t *raw;
    size_t raw_room;
    struct text packed;
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a series");
}

int series_pack_create(struct series_pack **out)
{
    struct series_pack *p = calloc(1, sizeof *p);
    *out = p;
    if (!p)
        return no_memory();
    int rc = compress_create(&p->compress);
    if (rc != WARP_OK)
        series_pack_destroy(out);
    return rc;
}

void series_pack_destroy(struct series_pack **pack)
{
    struct series_pack *p = *pack;
    if (!p)
        return;
    *pack = NULL;
    columns_free(&p->columns);
    if (p->compress)
        compress_destroy(&p->compress);
    free(p->items);
    free(p->times);
    free(p->orders);
    free(p->scratch);
    free(p->table);
    free(p->first);
    free(p->raw);
    text_free(&p->packed);
    free(p);
}

static bool items_for(struct series_pack *p, uint32_t count)
{
    if (count <= p->room)
        return true;
    struct series_item *items = realloc(p->items, count * sizeof *items);
    p->items = items ? items : p->items;
    int64_t *times = realloc(p->times, count * sizeof *times);
    p->times = times ? times : p->times;
    int64_t *orders = realloc(p->orders, count * sizeof *orders);
    p->orders = orders ? orders : p->orders;
    if (!items || !times || !orders)
        return false;
    p->room = count;
    return true;
}

static bool scratch_for(struct series_pack *p, uint32_t count)
{
    if (count <= p->scratch_count)
        return true;
    int64_t *grown = realloc(p->scratch, count * sizeof *grown);
    if (!grown)
        return false;
    p->scratch = grown;
    p->scratch_count = count;
    return true;
}

/* ---- bytes ---- */

/* varint raw bytes; if there are any: u8 codec, varint stored, the bytes. */
static void put_blob(struct series_pack *p, int level, const uint8_t *bytes,
                     size_t count, struct text *to)
{
    size_t stored = 0;
    pack_put_varint(to, count);
    if (count == 0)
        return;
    text_clear(&p->packed);
    if (!text_room(&p->packed, count)) {
        to->failed = true;
        return;
    }
    int codec = COMPRESS_RAW;
    if (count >= BLOB_WORTH && level != WARP_COMPRESS_NONE)
        codec = compress_block(p->compress, level, bytes, count,
                               p->packed.data, &stored);
    text_u8(to, (uint8_t)codec);
    pack_put_varint(to, codec == COMPRESS_RAW ? count : stored);
    if (codec == COMPRESS_RAW)
        text_add(to, bytes, count);
    else
        text_add(to, p->packed.data, stored);
}

static bool get_blob(struct pack_reader *r, size_t most, uint8_t **bytes,
                     size_t *room, size_t *count)
{
    uint64_t n = pack_varint(r);
    *count = 0;
    if (r->failed || n > most)
        return false;
    if (n > *room) {
        uint8_t *grown = realloc(*bytes, n);
        if (!grown)
            return false;
        *bytes = grown;
        *room = n;
    }
    *count = n;
    if (n == 0)
        return true;
    if (r->at == r->end)
        return false;
    int codec = *r->at++;
    uint64_t stored = pack_varint(r);
    if (r->failed || stored > (uint64_t)(r->end - r->at))
        return false;
    const uint8_t *from = r->at;
    r->at += stored;
    if (codec == COMPRESS_RAW && stored != n)
        return false;
    return codec <= COMPRESS_LZ4 &&
           compress_undo(codec, from, stored, *bytes, n) == WARP_OK;
}

/* ---- texts ---- */

static uint64_t hash_text(const uint8_t *s, uint64_t bytes)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ bytes;
    for (uint64_t i = 0; i < bytes; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* Numbers into scratch, and the distinct texts' indexes into first. 0: they are
 * too many to be worth it. */
static uint32_t number_texts(struct series_pack *p, const struct column *c)
{
    uint32_t n = c->count, slots = 16, distinct = 0, most = n / 4 + 1;
    while (slots < most * 2)
        slots *= 2;
    uint32_t *table = realloc(p->table, slots * sizeof *table);
    p->table = table ? table : p->table;
    uint32_t *first = realloc(p->first, (most + 1) * 2 * sizeof *first);
    p->first = first ? first : p->first;
    if (n < 8 || !table || !first || !scratch_for(p, n))
        return 0;
    memset(table, 0, slots * sizeof *table);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bytes = (uint32_t)c->v[i];
        uint32_t slot =
            (uint32_t)hash_text(c->bytes + at, bytes) & (slots - 1);
        for (; table[slot] != 0; slot = (slot + 1) & (slots - 1)) {
            uint32_t *f = &first[2 * (table[slot] - 1)];
            if (c->v[f[0]] == (int64_t)bytes &&
                memcmp(c->bytes + f[1], c->bytes + at, bytes) == 0)
                break;
        }
        if (table[slot] == 0) {
            if (distinct == most)
                return 0;
            first[2 * distinct] = i;
            first[2 * distinct + 1] = at;
            table[slot] = ++distinct;
        }
        p->scratch[i] = table[slot] - 1;
        at += bytes;
    }
    return distinct;
}

static void put_texts(struct series_pack *p, int level, const struct column *c,
                      struct text *to)
{
    /* Of texts that are all empty there is no byte to point to. */
    uint32_t distinct = c->byte_count > 0 ? number_texts(p, c) : 0;
    if (distinct == 0) {
        text_u8(to, LIST);
        pack_integers(to, c->v, c->count, NULL);
        put_blob(p, level, c->bytes, c->byte_count, to);
        return;
    }
    int64_t *lengths = malloc(distinct * sizeof *lengths);
    struct text all = TEXT_INIT;
    for (uint32_t i = 0; i < distinct && lengths; i++) {
        lengths[i] = c->v[p->first[2 * i]];
        text_add(&all, c->bytes + p->first[2 * i + 1], (size_t)lengths[i]);
    }
    text_u8(to, NUMBERED);
    pack_put_varint(to, distinct);
    if (lengths)
        pack_integers(to, lengths, distinct, NULL);
    put_blob(p, level, (const uint8_t *)all.data, all.used, to);
    pack_integers(to, p->scratch, c->count, NULL);
    to->failed = to->failed || all.failed || !lengths;
    text_free(&all);
    free(lengths);
}

/* Lengths that are none, or exceed what there is, would be followed. */
static bool lengths_fit(const int64_t *v, uint32_t count, uint64_t bytes)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (v[i] < 0 || (uint64_t)v[i] > bytes)
            return false;
        sum += (uint64_t)v[i];
        if (sum > bytes)
            return false;
    }
    return sum == bytes;
}

static bool expand_texts(struct column *c, const int64_t *lengths,
                         const uint8_t *bytes, uint32_t distinct, size_t most)
{
    uint32_t *start = calloc(distinct + 1, sizeof *start);
    uint64_t sum = 0;
    bool good = start != NULL;
    for (uint32_t i = 0; i < distinct && good; i++)
        start[i + 1] = start[i] + (uint32_t)lengths[i];
    for (uint32_t i = 0; i < c->count && good; i++) {
        good = c->v[i] >= 0 && c->v[i] < (int64_t)distinct;
        sum += good ? (uint64_t)lengths[c->v[i]] : 0;
        good = good && sum <= most;
    }
    good = good && column_bytes(c, sum);
    for (uint32_t i = 0, at = 0; i < c->count && good; i++) {
        uint32_t k = (uint32_t)c->v[i], n = (uint32_t)lengths[k];
        if (n > 0)
            memcpy(c->bytes + at, bytes + start[k], n);
        at += n;
        c->v[i] = n;
    }
    c->byte_count = (uint32_t)sum;
    free(start);
    return good;
}

static bool get_numbered(struct pack_reader *r, struct column *c, size_t most)
{
    uint64_t distinct = pack_varint(r);
    int64_t *lengths = NULL;
    uint8_t *bytes = NULL;
    size_t room = 0, count = 0;
    bool good = !r->failed && distinct > 0 && distinct <= c->count;
    if (good)
        lengths = malloc(distinct * sizeof *lengths);
    good = good && lengths &&
           unpack_integers(r, lengths, (uint32_t)distinct, NULL) &&
           get_blob(r, most, &bytes, &room, &count) &&
           lengths_fit(lengths, (uint32_t)distinct, count) &&
           unpack_integers(r, c->v, c->count, NULL) &&
           expand_texts(c, lengths, bytes, (uint32_t)distinct, most);
    free(lengths);
    free(bytes);
    return good;
}

static bool get_texts(struct pack_reader *r, struct column *c, size_t most)
{
    if (r->at == r->end)
        return false;
    int way = *r->at++;
    if (way == NUMBERED)
        return get_numbered(r, c, most);
    size_t room = c->byte_room, count = 0;
    bool good = way == LIST && unpack_integers(r, c->v, c->count, NULL) &&
                get_blob(r, most, &c->bytes, &room, &count);
    c->byte_room = (uint32_t)room;
    c->byte_count = (uint32_t)count;
    return good && lengths_fit(c->v, c->count, count);
}

/* ---- columns ---- */

static void put_column(struct series_pack *p, int level,
                       const struct column *c, uint32_t items, struct text *to)
{
    if (c->kind == COLUMN_FIXED) {
        put_blob(p, level, c->bytes, c->byte_count, to);
        return;
    }
    pack_put_varint(to, c->count);
    if (c->count == 0)
        return;
    if (c->kind == COLUMN_TEXT)
        put_texts(p, level, c, to);
    else if (c->kind == COLUMN_INTEGER)
        pack_integers(to, c->v, c->count, c->count == items ? p->times : NULL);
    else if (scratch_for(p, c->count))
        pack_floats(to, (const uint64_t *)c->v, c->count,
                    c->kind == COLUMN_F64 ? 8 : 4, p->scratch);
    else
        to->failed = true;
}

static bool get_column(struct series_pack *p, struct pack_reader *r,
                       struct column *c, uint32_t items, size_t most)
{
    if (c->kind == COLUMN_FIXED) {
        size_t room = c->byte_room, count = 0;
        bool good = get_blob(r, most, &c->bytes, &room, &count);
        c->byte_room = (uint32_t)room;
        c->byte_count = (uint32_t)count;
        return good;
    }
    uint64_t count = pack_varint(r);
    /* A number comes from a byte of an element, or is one for each element. */
    if (r->failed || count > most + items || !column_numbers(c, count))
        return false;
    c->count = (uint32_t)count;
    if (count == 0)
        return true;
    if (c->kind == COLUMN_TEXT)
        return get_texts(r, c, most);
    if (c->kind == COLUMN_INTEGER)
        return unpack_integers(r, c->v, c->count,
                               count == items ? p->times : NULL);
    return scratch_for(p, c->count) &&
           unpack_floats(r, (uint64_t *)c->v, c->count,
                         c->kind == COLUMN_F64 ? 8 : 4, p->scratch);
}

int series_pack_items(struct series_pack *p, const struct warp_type *type,
                      const struct series_item *items, uint32_t count,
                      bool orders, int level, struct text *to)
{
    if (columns_plan(&p->columns, type) != WARP_OK || !items_for(p, count))
        return no_memory();
    for (uint32_t i = 0; i < count; i++) {
        p->times[i] = items[i].at;
        p->orders[i] = (int64_t)items[i].order;
        int rc = columns_split(&p->columns, items[i].data, items[i].bytes);
        if (rc == WARP_ECORRUPT)
            return error_set(rc, "an element of a series is none of its type");
        if (rc != WARP_OK)
            return no_memory();
    }
    pack_integers(to, p->times, count, NULL);
    if (orders)
        pack_integers(to, p->orders, count, NULL);
    for (uint32_t i = 0; i < p->columns.count; i++)
        put_column(p, level, &p->columns.list[i], count, to);
    return to->failed ? no_memory() : WARP_OK;
}

/* Elements of one time are numbered as they stand, those of the first from its
 * own number on. */
static void number_equals(int64_t *orders, const int64_t *times,
                          uint32_t count, uint64_t first)
{
    for (uint32_t i = 0; i < count; i++)
        orders[i] = i == 0 ? (int64_t)first
                    : times[i] == times[i - 1] ? orders[i - 1] + 1
                                               : 0;
}

int series_unpack_items(struct series_pack *p, const struct warp_type *type,
                        const uint8_t *from, size_t bytes, uint32_t count,
                        bool orders, uint64_t first_order,
                        uint32_t raw_bytes, struct series_item **items)
{
    struct pack_reader r = {from, from + bytes, false};
    if (count > SERIES_COUNT_MAX)
        return WARP_ECORRUPT;
    if (columns_plan(&p->columns, type) != WARP_OK || !items_for(p, count))
        return no_memory();
    if (raw_bytes >= p->raw_room) {
        uint8_t *grown = realloc(p->raw, raw_bytes + 1u);
        if (!grown)
            return no_memory();
        p->raw = grown;
        p->raw_room = raw_bytes + 1u;
    }
    if (!unpack_integers(&r, p->times, count, NULL) ||
        (orders && !unpack_integers(&r, p->orders, count, NULL)))
        return WARP_ECORRUPT;
    if (!orders)
        number_equals(p->orders, p->times, count, first_order);
    for (uint32_t i = 0; i < p->columns.count; i++)
        if (!get_column(p, &r, &p->columns.list[i], count, raw_bytes))
            return WARP_ECORRUPT;
    if (r.failed || r.at != r.end)
        return WARP_ECORRUPT;
    uint8_t *to = p->raw, *end = p->raw + raw_bytes;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *start = to;
        if (i > 0 && p->times[i] < p->times[i - 1])
            return WARP_ECORRUPT;
        to = columns_join(&p->columns, to, end);
        if (!to)
            return WARP_ECORRUPT;
        p->items[i] = (struct series_item){p->times[i],
                                           (uint64_t)p->orders[i], start,
                                           (uint32_t)(to - start)};
    }
    *items = p->items;
    return to == end && columns_all_used(&p->columns) ? WARP_OK
                                                      : WARP_ECORRUPT;
}
