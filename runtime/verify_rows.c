/* verify_rows.c: each row of the directory is parsed, each of its values is
 * decoded, and each that lies on a tier must be there and be this row's. */
#include "verify.h"

#include "catalog.h"
#include "codec.h"
#include "compress.h"
#include "error.h"
#include "far.h"
#include "row_past.h"
#include "series.h"
#include "utf8.h"
#include "value_print.h"

#include <stdlib.h>

struct rows {
    struct verify *v;
    const struct verify_tiers *tiers;
    const struct layout *l; /* of the row at hand */
    const uint8_t *key;     /* without the product */
    uint32_t key_bytes;
    uint32_t field;
    uint8_t *room; /* a value is unpacked here */
    size_t room_bytes;
};

static void tell(struct rows *r, const char *field, const char *what)
{
    struct text t = TEXT_INIT;
    text_say(&t, "%s ", r->l ? r->l->desc->name : "a row");
    if (r->l)
        value_print_key(&t, r->l->desc, r->key, r->key_bytes);
    if (field)
        text_say(&t, " field %s", field);
    text_say(&t, ": %s", what);
    text_u8(&t, 0);
    verify_tell(r->v, t.failed ? what : t.data);
    text_free(&t);
}

static void tell_field(struct rows *r, const char *what)
{
    tell(r, r->l->desc->fields[r->field].name, what);
}

/* Wire bytes of the field at hand; raw_bytes: packed ones. */
static int check_value(struct rows *r, const uint8_t *data, uint32_t bytes,
                       uint32_t raw_bytes)
{
    const struct field_layout *f = &r->l->fields[r->field];
    r->v->values++;
    if (raw_bytes) {
        if (raw_bytes > r->room_bytes) {
            uint8_t *grown = realloc(r->room, raw_bytes);
            if (!grown)
                return error_set(WARP_ENOMEM, "out of memory for a value");
            r->room = grown;
            r->room_bytes = raw_bytes;
        }
        if (compress_undo(COMPRESS_LZ4, data, bytes, r->room, raw_bytes) !=
            WARP_OK) {
            tell_field(r, "the value cannot be unpacked");
            return WARP_OK;
        }
        data = r->room;
        bytes = raw_bytes;
    }
    if (f->bare) {
        if (f->utf8 && utf8_valid_bytes(data, bytes) != bytes)
            tell_field(r, "the text is not valid UTF-8");
    } else if (codec_check(r->l->desc->fields[r->field].type, data, bytes) !=
               WARP_OK) {
        tell_field(r, "the value is not one of its type");
    }
    return WARP_OK;
}

static int check_cold(void *arg, struct ssd_slice value)
{
    struct rows *r = arg;
    struct op_value v;
    uint32_t raw;
    if (row_unpack_cold(value, &v, &raw) != WARP_OK) {
        tell_field(r, error_text());
        return WARP_OK;
    }
    return check_value(r, v.data, v.bytes, raw);
}

struct room_call {
    void *data;
    size_t bytes;
};

static void *take_room(void *arg, size_t bytes)
{
    struct room_call *c = arg;
    c->data = malloc(bytes ? bytes : 1);
    c->bytes = bytes;
    return c->data;
}

static int check_disk(struct rows *r, const uint8_t *at, const uint8_t *owner,
                      uint32_t owner_bytes)
{
    struct disk_place place;
    struct room_call room = {NULL, 0};
    disk_place_decode(at, &place);
    int rc = far_check(r->tiers->disk, r->tiers->archive, place, owner,
                       owner_bytes);
    if (rc == WARP_OK)
        rc = far_read(r->tiers->disk, r->tiers->archive, place, take_room,
                      &room);
    if (rc == WARP_OK)
        rc = check_value(r, room.data, (uint32_t)room.bytes, 0);
    else if (rc != WARP_ENOMEM) {
        tell_field(r, error_text());
        rc = WARP_OK;
    }
    free(room.data);
    return rc;
}

static int check_field(struct rows *r, const struct op_value *v,
                       uint32_t raw_bytes)
{
    uint64_t bit = UINT64_C(1) << r->field;
    uint8_t key[ROW_KEY_BYTES_MAX + 1];
    if (!(r->l->cold & bit))
        return check_value(r, v->data, v->bytes, raw_bytes);
    uint32_t bytes =
        row_cold_key(key, r->l, r->field, r->key, r->key_bytes);
    const uint8_t *place = row_place(r->l, r->field, v);
    if (place)
        return check_disk(r, place, key, bytes);
    struct ssd_slice k = {key, bytes};
    int rc = ssd_get(r->tiers->ssd, SSD_COLD, k, check_cold, r);
    if (rc == WARP_ENOTFOUND)
        tell_field(r, "the ssd tier does not have the value");
    else if (rc == WARP_ECORRUPT)
        tell_field(r, error_text());
    return rc == WARP_ENOMEM ? rc : WARP_OK;
}

static int check_row(struct rows *r, struct ssd_slice key,
                     struct ssd_slice value)
{
    struct row_view view;
    const uint8_t *k = key.data;
    int rc = WARP_OK;
    r->l = NULL;
    if (key.bytes >= 2 && key.bytes <= ROW_KEY_BYTES_MAX)
        r->l = catalog_find(r->tiers->layouts, r->tiers->layout_count,
                            (uint32_t)(k[0] << 8 | k[1]));
    if (!r->l) {
        tell(r, NULL, "its key names no product of the schema");
        return rc;
    }
    r->key = k + 2;
    r->key_bytes = (uint32_t)key.bytes - 2;
    r->v->rows++;
    r->l = row_form(r->l, value);
    if (row_parse(r->l, value, &view) != WARP_OK) {
        tell(r, NULL, error_text());
        return rc;
    }
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & r->l->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(r->l, (uint32_t)i, &at, &v, &raw);
        r->field = (uint32_t)i;
        rc = check_field(r, &v, raw);
        if (rc != WARP_OK)
            return rc;
    }
    return rc;
}

static int walk(struct rows *r, enum ssd_table table,
                int (*check)(struct rows *, struct ssd_slice, struct ssd_slice))
{
    struct ssd_cursor *c = NULL;
    struct ssd_slice none = {NULL, 0}, key, value;
    uint64_t done = 0, total;
    int rc = ssd_count(r->tiers->ssd, table, &total);
    if (rc == WARP_OK)
        rc = ssd_cursor_open(r->tiers->ssd, table, none, none, false, &c);
    while (rc == WARP_OK && !r->v->stopped) {
        rc = ssd_next(c, &key, &value);
        if (rc == WARP_OK)
            rc = check(r, key, value);
        if (done++ % 256 == 0)
            verify_step(r->v, "rows", done, total);
    }
    if (c)
        ssd_cursor_close(&c);
    if (rc == WARP_ECORRUPT) {
        verify_tell(r->v, error_text());
        return WARP_OK;
    }
    return rc == WARP_END ? WARP_OK : rc;
}

int verify_rows(struct verify *v, const struct verify_tiers *tiers)
{
    struct rows r = {.v = v, .tiers = tiers};
    int rc = walk(&r, SSD_ROWS, check_row);
    if (rc == WARP_OK && tiers->series && !v->stopped) {
        verify_step(v, "series", 0, 0);
        rc = series_verify(tiers->series, verify_tell, v);
        rc = rc == WARP_ECORRUPT ? WARP_OK : rc;
    }
    free(r.room);
    return rc;
}
