/* series_chunk.c: see series_chunk.h. */
#include "series_chunk.h"

#include "error.h"
#include "wire.h"

enum { FORMAT = 1 };

static void put_be64(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static uint64_t get_be64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap64(v);
}

void series_element_key(uint8_t *to, int64_t at_ms, uint64_t order)
{
    put_be64(to, (uint64_t)at_ms ^ UINT64_C(1) << 63);
    put_be64(to + 8, order);
}

void series_element_read(const uint8_t *key, int64_t *at_ms, uint64_t *order)
{
    *at_ms = (int64_t)(get_be64(key) ^ UINT64_C(1) << 63);
    *order = get_be64(key + 8);
}

void series_head(uint8_t *to, const struct layout *l, uint32_t field)
{
    to[0] = (uint8_t)(l->id >> 8);
    to[1] = (uint8_t)l->id;
    to[2] = l->fields[field].id;
}

/* The key's bytes in the table, behind product, field and stream. */
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

uint32_t series_record_key(const uint8_t *prefix, uint32_t bytes, uint8_t *key)
{
    const uint8_t *from = prefix + SERIES_PREFIX_BYTES;
    uint32_t left = bytes - SERIES_PREFIX_BYTES, n = 0;
    if (left > 4 && from[0] == 0 && from[1] == 1) {
        memcpy(key, from + 4, left - 4);
        return left - 4;
    }
    for (uint32_t i = 0; i + 2 < left; i++) {
        key[n++] = from[i];
        i += from[i] == 0;
    }
    return n;
}

uint32_t series_prefix(const uint8_t *name, uint32_t bytes,
                       enum series_stream stream, uint8_t *to)
{
    memcpy(to, name, SERIES_HEAD_BYTES);
    to[SERIES_HEAD_BYTES] = (uint8_t)stream;
    return SERIES_PREFIX_BYTES + escape(name + SERIES_HEAD_BYTES,
                                        bytes - SERIES_HEAD_BYTES,
                                        to + SERIES_PREFIX_BYTES);
}

static int damaged(const char *what)
{
    return error_set(WARP_ECORRUPT, "a series: %s; run `warp verify` or "
                                    "restore a backup", what);
}

static bool place_fits(struct chunk *c, const uint8_t *at, size_t bytes)
{
    switch (c->where) {
    case CHUNK_HERE:
        c->packed = at;
        return bytes == c->packed_bytes;
    case CHUNK_DISK:
        if (bytes != DISK_PLACE_BYTES)
            return false;
        disk_place_decode(at, &c->place);
        return c->place.bytes == c->packed_bytes;
    case CHUNK_ARCHIVE:
        if (bytes != ARCHIVE_PLACE_BYTES)
            return false;
        archive_place_decode(at, &c->archive);
        return c->archive.bytes == c->packed_bytes;
    default:
        return false;
    }
}

int chunk_decode(struct ssd_slice key, struct ssd_slice value, struct chunk *c)
{
    const uint8_t *k = key.data, *v = value.data;
    if (key.bytes < SERIES_PREFIX_BYTES + 2 + SERIES_ELEMENT_KEY ||
        key.bytes >= SSD_KEY_BYTES_MAX || value.bytes < CHUNK_HEADER_BYTES)
        return damaged("an entry is cut");
    memset(c, 0, sizeof *c);
    series_element_read(k + key.bytes - SERIES_ELEMENT_KEY, &c->first_at,
                        &c->first_order);
    c->where = v[1];
    c->flags = v[2];
    c->count = wire_get32(v + 4);
    c->last_at = (int64_t)wire_get64(v + 8);
    c->raw_bytes = wire_get32(v + 16);
    c->packed_bytes = wire_get32(v + 20);
    if (v[0] != FORMAT)
        return damaged("an entry has another format");
    if (c->count == 0 || c->count > SERIES_COUNT_MAX ||
        c->raw_bytes > CHUNK_RAW_MAX || c->last_at < c->first_at ||
        (c->flags & ~CHUNK_ORDERS) ||
        (k[SERIES_HEAD_BYTES] == STREAM_ARCHIVE) !=
            (c->where == CHUNK_ARCHIVE) ||
        !place_fits(c, v + CHUNK_HEADER_BYTES,
                    value.bytes - CHUNK_HEADER_BYTES))
        return damaged("an entry contradicts itself");
    return WARP_OK;
}

void chunk_encode(const struct chunk *c, struct text *to)
{
    uint8_t place[DISK_PLACE_BYTES > ARCHIVE_PLACE_BYTES
                      ? DISK_PLACE_BYTES
                      : ARCHIVE_PLACE_BYTES];
    text_u8(to, FORMAT);
    text_u8(to, c->where);
    text_u8(to, c->flags);
    text_u8(to, 0);
    text_u32(to, c->count);
    text_u64(to, (uint64_t)c->last_at);
    text_u32(to, c->raw_bytes);
    text_u32(to, c->packed_bytes);
    if (c->where == CHUNK_HERE) {
        text_add(to, c->packed, c->packed_bytes);
    } else if (c->where == CHUNK_DISK) {
        disk_place_encode(&c->place, place);
        text_add(to, place, DISK_PLACE_BYTES);
    } else {
        archive_place_encode(&c->archive, place);
        text_add(to, place, ARCHIVE_PLACE_BYTES);
    }
}
