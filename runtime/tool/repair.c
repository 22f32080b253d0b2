/* repair.c: what can be read of a damaged store, into a new one. Rows are taken
 * one by one; behind a damaged page the walk goes on at the next key that can
 * be found. Then the log's commits are applied that the tiers do not hold. What
 * is lost is listed; the damaged store is not written to. */
#include "departed.h"
#include "record.h"

#include "../archive_where.h"
#include "../backup.h"
#include "../catalog.h"
#include "../checkpoint.h"
#include "../codec.h"
#include "../compress.h"
#include "../error.h"
#include "../evolve_past.h"
#include "../far.h"
#include "../header.h"
#include "../row_past.h"
#include "../schema_file.h"
#include "../schema_load.h"
#include "../series.h"
#include "../value_print.h"

#include <errno.h>
#include <stdlib.h>

enum { LOST_MAX = 10000, PATH_BYTES = 4200 };

struct repair {
    const char *from;
    struct header header;
    bool has_header;
    struct warp_schema *schema;
    struct layout **layouts;
    uint32_t layout_count;
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    struct series *series;
    struct evolve_past *past;
    struct budget budget;
    struct warp_db *out;
    struct tool_bar bar;
    struct os_lock lock; /* the log is applied by several threads */
    struct os_lock row_lock; /* one row at a time, with what reads it */
    struct departed departed;
    struct text lost;
    uint64_t lost_count, rows, commits;
};

static void tell(void *arg, const char *text)
{
    struct repair *r = arg;
    os_lock(&r->lock);
    if (r->lost_count++ < LOST_MAX) {
        if (r->lost.used)
            text_add(&r->lost, ",", 1);
        text_quote(&r->lost, text, strlen(text));
    }
    os_unlock(&r->lock);
}

static void tell_event(void *arg, int code, const char *text)
{
    if (code < 0)
        tell(arg, text);
}

static void tell_record(struct repair *r, const struct layout *l,
                        const uint8_t *key, uint32_t key_bytes, int field,
                        const char *what)
{
    struct text t = TEXT_INIT;
    text_say(&t, "%s ", l->desc->name);
    value_print_key(&t, l->desc, key, key_bytes);
    if (field >= 0)
        text_say(&t, " field %s", l->desc->fields[field].name);
    text_say(&t, ": %s", what);
    text_u8(&t, 0);
    tell(r, t.failed ? what : t.data);
    text_free(&t);
}

/* ---- one row ---- */

struct row {
    struct repair *r;
    const struct layout *l;
    const struct layout *form; /* of the stored row: l, or one before */
    const uint8_t *key;
    uint32_t key_bytes, field;
    uint8_t *record;
    uint64_t mask;
    struct warp_arena arena;
};

static int put_value(struct row *w, const uint8_t *data, uint32_t bytes)
{
    const struct warp_field *f = &w->l->desc->fields[w->field];
    uint8_t *to = w->record + f->offset;
    if (w->l->fields[w->field].bare) {
        char *copy = warp_arena_alloc(&w->arena, bytes + 1);
        struct warp_str s = {copy, bytes};
        if (!copy)
            return WARP_ENOMEM;
        memcpy(copy, data, bytes);
        memcpy(to, &s, sizeof s);
        return WARP_OK;
    }
    int rc = codec_decode(f->type, data, bytes, to, &w->arena);
    return rc == WARP_ECORRUPT ? error_set(rc, "it is no value of its type")
                               : rc;
}

static int take_value(struct row *w, const uint8_t *data, uint32_t bytes,
                      uint32_t raw)
{
    if (raw) {
        uint8_t *room = warp_arena_alloc(&w->arena, raw);
        if (!room)
            return WARP_ENOMEM;
        if (compress_undo(COMPRESS_LZ4, data, bytes, room, raw) != WARP_OK)
            return error_set(WARP_ECORRUPT, "it cannot be unpacked");
        data = room;
        bytes = raw;
    }
    struct convert convert = {0};
    struct op_value v = {data, bytes};
    int rc = w->form == w->l
                 ? WARP_OK
                 : row_past_convert(w->l, w->field, &convert, &v);
    if (rc == WARP_OK)
        rc = put_value(w, v.data, v.bytes);
    convert_free(&convert);
    return rc;
}

static int take_cold(void *arg, struct ssd_slice value)
{
    struct op_value v;
    uint32_t raw;
    int rc = row_unpack_cold(value, &v, &raw);
    return rc == WARP_OK ? take_value(arg, v.data, v.bytes, raw) : rc;
}

static void *take_room(void *arg, size_t bytes)
{
    struct warp_str *s = arg;
    s->data = malloc(bytes ? bytes : 1);
    s->len = (uint32_t)bytes;
    return (void *)(uintptr_t)s->data;
}

/* `at`: the field in the row's form. */
static int take_field(struct row *w, uint32_t at, const struct op_value *v,
                      uint32_t raw)
{
    uint64_t bit = UINT64_C(1) << at;
    uint8_t key[ROW_KEY_BYTES_MAX + 1];
    if (!(w->form->cold & bit))
        return take_value(w, v->data, v->bytes, raw);
    uint32_t bytes = row_cold_key(key, w->form, at, w->key, w->key_bytes);
    const uint8_t *on_disk = row_place(w->form, at, v);
    if (on_disk) {
        struct disk_place place;
        struct warp_str s = {NULL, 0};
        disk_place_decode(on_disk, &place);
        int rc = far_check(w->r->disk, w->r->archive, place, key, bytes);
        if (rc == WARP_OK)
            rc = far_read(w->r->disk, w->r->archive, place, take_room, &s);
        if (rc == WARP_OK)
            rc = take_value(w, (const uint8_t *)s.data, s.len, 0);
        free((void *)(uintptr_t)s.data);
        return rc;
    }
    struct ssd_slice k = {key, bytes};
    int rc = ssd_get(w->r->ssd, SSD_COLD, k, take_cold, w);
    return rc == WARP_ENOTFOUND ? error_set(rc, "the ssd tier does not have it")
                                : rc;
}

/* The key's C form, from the key fields of a record. */
static void *c_key(struct row *w)
{
    const struct warp_product *p = w->l->desc;
    uint8_t *key = warp_arena_alloc(&w->arena, p->key_bytes + 1);
    if (key && key_decode(p, w->key, w->key_bytes, key, NULL, &w->arena) != 0)
        return NULL;
    return key;
}

static int set_deadlines(struct row *w, const struct row_view *view)
{
    const uint8_t *at = view->deadlines;
    const void *key = c_key(w);
    int rc = WARP_OK;
    FOR_BITS(i, view->dead)
    {
        int64_t deadline;
        memcpy(&deadline, at, sizeof deadline);
        at += 8;
        uint32_t j = i == 56 ? 56
                             : row_past_field(w->l, w->form, (uint32_t)i);
        uint64_t bit = j == 56 ? 0 : UINT64_C(1) << j;
        if (rc == WARP_OK && key && (i == 56 || (w->mask & bit)))
            rc = warp_gen_expire(w->r->out, w->l->desc, key, bit, deadline);
    }
    return rc;
}

static int take_series(struct row *w)
{
    const struct warp_product *p = w->l->desc;
    struct key_ref ref = {w->key, w->key_bytes, w->l->number, 0,
                          w->l->row_bytes};
    const void *key = c_key(w);
    int rc = WARP_OK;
    if (!w->r->series)
        return WARP_OK; /* told once */
    FOR_BITS(i, w->l->series)
    {
        const struct warp_field *f = &p->fields[i];
        struct series_iter *it = NULL;
        const uint8_t *wire;
        uint32_t bytes;
        int64_t at;
        void *element = warp_arena_alloc(&w->arena, f->type->size + 1);
        int got = series_range(w->r->series, w->l, (uint32_t)i, &ref, INT64_MIN,
                               INT64_MAX, 0, true, &it);
        while (got == WARP_OK && rc == WARP_OK && key && element) {
            got = series_next(it, &at, &wire, &bytes);
            if (got != WARP_OK)
                break;
            if (w->l->fields[i].bare || f->type->kind == WARP_T_STRING ||
                f->type->kind == WARP_T_BYTES ||
                f->type->kind == WARP_T_OPAQUE) {
                struct warp_str s = {(const char *)wire, bytes};
                memcpy(element, &s, sizeof s);
            } else {
                got = codec_decode(f->type, wire, bytes, element, &w->arena);
            }
            if (got == WARP_OK)
                rc = warp_gen_append(w->r->out, p, key, (uint32_t)i, at,
                                     element);
        }
        if (it)
            series_iter_close(&it);
        if (got < 0)
            tell_record(w->r, w->l, w->key, w->key_bytes, (int)i, error_text());
    }
    return rc;
}

/* What the new store refuses ends the repair; what the old one has lost is
 * told. */
static int take_row(struct repair *r, struct ssd_slice key,
                    struct ssd_slice value)
{
    const uint8_t *k = key.data;
    struct row_view view;
    struct row w = {.r = r, .arena = WARP_ARENA_INIT};
    if (key.bytes >= 2)
        w.l = catalog_find(r->layouts, r->layout_count,
                           (uint32_t)(k[0] << 8 | k[1]));
    if (!w.l) {
        tell(r, "a row of an unknown product");
        return WARP_OK;
    }
    w.key = k + 2;
    w.key_bytes = (uint32_t)key.bytes - 2;
    w.form = row_form(w.l, value);
    if (row_parse(w.form, value, &view) != WARP_OK) {
        tell_record(r, w.l, w.key, w.key_bytes, -1, error_text());
        return WARP_OK;
    }
    w.record = warp_arena_alloc(&w.arena, w.l->desc->record_bytes);
    int rc = w.record ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK) {
        memset(w.record, 0, w.l->desc->record_bytes);
        rc =
            key_decode(w.l->desc, w.key, w.key_bytes, NULL, w.record, &w.arena);
    }
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & w.form->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(w.form, (uint32_t)i, &at, &v, &raw);
        w.field = row_past_field(w.l, w.form, (uint32_t)i);
        if (rc != WARP_OK || w.field == 56)
            continue;
        if (take_field(&w, (uint32_t)i, &v, raw) == WARP_OK)
            w.mask |= UINT64_C(1) << w.field;
        else
            tell_record(r, w.l, w.key, w.key_bytes, (int)w.field,
                        error_text());
    }
    w.mask |= w.l->keys;
    if (rc == WARP_OK)
        rc = warp_gen_put(r->out, w.l->desc, w.record, w.mask);
    if (rc == WARP_OK)
        rc = set_deadlines(&w, &view);
    if (rc == WARP_OK && w.l->series)
        rc = take_series(&w);
    r->rows += rc == WARP_OK;
    warp_arena_free(&w.arena);
    return rc;
}

/* ---- all rows ---- */

/* The cursor fails at a damaged page: the next place to try is the key's prefix
 * of fewer and fewer bytes, one higher. */
static bool skip(uint8_t *key, size_t *bytes)
{
    while (*bytes > 0) {
        --*bytes;
        if (key[*bytes] != 0xff) {
            key[(*bytes)++]++;
            return true;
        }
    }
    return false;
}

static int take_rows(struct repair *r)
{
    uint8_t at[SSD_KEY_BYTES_MAX + 1] = {0};
    size_t bytes = 0;
    uint64_t done = 0, total;
    (void)ssd_count(r->ssd, SSD_ROWS, &total); /* of the progress */
    bool failed = false;
    for (;;) {
        struct ssd_cursor *c = NULL;
        struct ssd_slice from = {at, bytes}, none = {NULL, 0}, key, value;
        int rc = ssd_cursor_open(r->ssd, SSD_ROWS, from, none, false, &c);
        while (rc == WARP_OK) {
            rc = ssd_next(c, &key, &value);
            if (rc != WARP_OK)
                break;
            failed = false;
            memcpy(at, key.data, key.bytes);
            bytes = key.bytes;
            at[bytes++] = 0; /* behind it */
            int put = take_row(r, key, value);
            if (put != WARP_OK) {
                ssd_cursor_close(&c);
                return put;
            }
            if (tool_progress(&r->bar, "repair", done++, total))
                rc = error_set(WARP_EIO, "stopped");
        }
        if (c)
            ssd_cursor_close(&c);
        if (rc == WARP_END)
            return WARP_OK;
        if (rc != WARP_ECORRUPT)
            return rc;
        if (!failed)
            tell(r, error_text());
        /* The first try behind the last good key has failed as well. */
        if (failed || bytes == 0) {
            if (!skip(at, &bytes))
                return WARP_OK;
        } else {
            bytes--;
            if (!skip(at, &bytes))
                return WARP_OK;
        }
        failed = true;
    }
}

/* ---- the log ---- */

static int apply_update(struct repair *r, struct op *op, struct row *w)
{
    FOR_BITS(i, op->set & w->l->durable)
    {
        const uint8_t *at = op_value_of(op, (uint32_t)i);
        uint32_t bytes = w->l->fields[i].form == SLOT_VAR
                             ? (uint32_t)at[-4] | (uint32_t)at[-3] << 8 |
                                   (uint32_t)at[-2] << 16 |
                                   (uint32_t)at[-1] << 24
                             : w->l->fields[i].bytes;
        w->field = (uint32_t)i;
        if (take_value(w, at, bytes, 0) == WARP_OK)
            w->mask |= UINT64_C(1) << i;
        else
            tell_record(r, w->l, w->key, w->key_bytes, (int)i, error_text());
    }
    return warp_gen_put(r->out, w->l->desc, w->record, w->mask | w->l->keys);
}

static int apply(struct repair *r, struct op *op)
{
    struct row w = {.r = r, .l = op->layout, .form = op->layout,
                    .arena = WARP_ARENA_INIT};
    w.key = op->body + op->key_at;
    w.key_bytes = op->key_bytes;
    w.record = warp_arena_alloc(&w.arena, w.l->desc->record_bytes);
    const void *key = c_key(&w);
    int rc = w.record && key ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK) {
        memset(w.record, 0, w.l->desc->record_bytes);
        rc =
            key_decode(w.l->desc, w.key, w.key_bytes, NULL, w.record, &w.arena);
    }
    if (rc == WARP_OK && (op->kind == OP_DELETE || op->kind == OP_ARRIVE ||
                          (op->flags & OP_FLOOR))) {
        rc = warp_gen_delete(r->out, w.l->desc, key);
        rc = rc == WARP_ENOTFOUND ? WARP_OK : rc;
    }
    if (rc == WARP_OK && op->kind == OP_UPDATE)
        rc = apply_update(r, op, &w);
    if (rc == WARP_OK && op->kind == OP_ARRIVE) {
        uint8_t bytes[ROW_KEY_BYTES_MAX];
        struct ssd_slice k = {bytes,
                              row_key(bytes, w.l->id, w.key, w.key_bytes)};
        struct ssd_slice row = {op->body + op->values_at,
                                op->bytes - op->values_at};
        os_lock(&r->row_lock);
        rc = take_row(r, k, row);
        os_unlock(&r->row_lock);
    }
    if (rc == WARP_OK && op->kind == OP_APPEND)
        tell_record(r, w.l, w.key, w.key_bytes, (int)op->field,
                    "an element that only the log held");
    warp_arena_free(&w.arena);
    return rc;
}

static int take_commit(void *arg, uint32_t shard, uint64_t seq,
                       const uint8_t *body, size_t bytes)
{
    struct repair *r = arg;
    int rc = WARP_OK;
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        rc = op_decode((const struct layout *const *)r->layouts,
                       r->layout_count, body, bytes, &op, &used);
        if (rc != WARP_OK) {
            tell(r, "a commit of the log cannot be read");
            return WARP_OK;
        }
        if (op.kind != OP_DEPART &&
            !departed_has(&r->departed, &op, shard, seq))
            rc = apply(r, &op);
        body += used;
        bytes -= used;
    }
    os_lock(&r->lock);
    r->commits++;
    os_unlock(&r->lock);
    return rc;
}

/* Shards are read side by side: of a key that went from one to another only
 * what the last one logged counts. */
static int note_departed(void *arg, uint32_t shard, uint64_t seq,
                         const uint8_t *body, size_t bytes)
{
    struct repair *r = arg;
    int rc = WARP_OK;
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        if (op_decode((const struct layout *const *)r->layouts,
                      r->layout_count, body, bytes, &op, &used) != WARP_OK)
            return WARP_OK; /* it is told when it is to be applied */
        os_lock(&r->lock);
        if (op.kind == OP_DEPART)
            rc = departed_add(&r->departed, &op, shard, seq);
        os_unlock(&r->lock);
        body += used;
        bytes -= used;
    }
    return rc;
}

static int read_log(struct repair *r, log_replay_fn *fn,
                    void (*event)(void *arg, int code, const char *text))
{
    char dir[PATH_BYTES], ring[PATH_BYTES];
    uint64_t floors[256] = {0}, resident;
    int64_t mark;
    struct log *log = NULL;
    snprintf(dir, sizeof dir, "%.4000s/log", r->from);
    header_dir(&r->header, HEADER_RING, r->from, ring, sizeof ring);
    if ((!r->ssd || checkpoint_read(r->ssd, r->header.shards, floors, &mark,
                                    &resident) != WARP_OK) &&
        event)
        tell(r, "the checkpoint's entry: the log is applied from its start");
    struct log_options o = {
        .dir = dir,
        .ring_dir = ring,
        .shards = r->header.shards,
        .ring_bytes = r->header.ring_bytes,
        .read_only = true,
        .floor_seq = floors,
        .event = event,
        .arg = r,
    };
    memcpy(o.store_id, r->header.store_id, sizeof o.store_id);
    int rc = log_open(&o, &log);
    if (rc == WARP_OK)
        rc = log_replay(log, fn, r, NULL, NULL);
    if (log)
        log_close(&log);
    return rc;
}

static int take_log(struct repair *r)
{
    int rc = read_log(r, note_departed, NULL);
    departed_sort(&r->departed);
    if (rc != WARP_ENOMEM)
        rc = read_log(r, take_commit, tell_event);
    departed_free(&r->departed);
    if (rc == WARP_ECORRUPT || rc == WARP_EINVAL || rc == WARP_EVERSION) {
        tell(r, error_text());
        rc = WARP_OK;
    }
    return rc;
}

/* ---- the whole ---- */

static int open_schema(struct repair *r)
{
    char dir[PATH_BYTES];
    uint32_t newest = 0;
    snprintf(dir, sizeof dir, "%.4000s/schema", r->from);
    int rc = schema_file_newest(dir, &newest);
    for (uint32_t n = newest; rc == WARP_OK && n > 0 && !r->schema; n--)
        if (schema_file_load(dir, n, &r->schema) != WARP_OK)
            tell(r, error_text());
    if (rc == WARP_OK && !r->schema)
        rc = error_set(WARP_ECORRUPT,
                       "%s: no descriptor can be read: make "
                       "one with `warpc gen --descriptor`",
                       dir);
    if (rc != WARP_OK)
        return rc;
    r->layouts = calloc(r->schema->product_count, sizeof *r->layouts);
    for (uint32_t i = 0; r->layouts && i < r->schema->product_count; i++) {
        rc = layout_make(r->schema->products[i], (uint16_t)i,
                         header_survives(&r->header), &r->layouts[i]);
        if (rc != WARP_OK)
            return rc;
        r->layout_count = i + 1;
    }
    return r->layouts ? WARP_OK : WARP_ENOMEM;
}

static int open_series(struct repair *r)
{
    char path[ARCHIVE_WHERE_BYTES];
    int rc = archive_where(r->ssd, r->from, NULL, r->header.store_id, false,
                           path);
    if (rc == WARP_OK)
        rc = archive_open(path, r->header.store_id, true, tell_event, r,
                          &r->archive);
    struct series_config config = {.ssd = r->ssd,
                                   .disk = r->disk,
                                   .archive = r->archive,
                                   .budget = &r->budget,
                                   .layouts = r->layouts,
                                   .layout_count = r->layout_count};
    return rc == WARP_OK ? series_open(&config, &r->series) : rc;
}

static int open_tiers(struct repair *r)
{
    char dir[PATH_BYTES];
    header_dir(&r->header, HEADER_DISK, r->from, dir, sizeof dir);
    int rc = disk_open(dir, true, 0, tell_event, r, &r->disk);
    if (rc != WARP_OK)
        return rc;
    atomic_store(&r->budget.limit, os_memory_limit() / 4);
    header_dir(&r->header, HEADER_SSD, r->from, dir, sizeof dir);
    rc = ssd_open(dir, 0, true, tell_event, r, &r->ssd);
    if (rc == WARP_OK)
        rc = catalog_number_all(r->ssd, r->layouts, r->layout_count);
    if (rc == WARP_OK) {
        snprintf(dir, sizeof dir, "%.4000s/schema", r->from);
        rc = evolve_past_open(r->ssd, r->disk, &r->archive, dir,
                              header_survives(&r->header), r->schema,
                              r->layouts, r->layout_count, &r->past);
    }
    if (rc == WARP_OK) {
        rc = open_series(r);
        if (rc != WARP_ECORRUPT)
            return rc;
        tell(r, error_text());
        tell(r, "all elements of series, and what is in the archive");
        return WARP_OK;
    }
    if (rc != WARP_ECORRUPT && rc != WARP_ENOSTORE)
        return rc;
    tell(r, error_text());
    tell(r, "all rows that the log does not hold: the directory of all keys "
            "cannot be opened");
    return WARP_OK;
}

static int run(struct repair *r, const char *to)
{
    char path[PATH_BYTES];
    struct warp_options o = WARP_OPTIONS_INIT;
    snprintf(path, sizeof path, "%.4000s/store", r->from);
    r->has_header = header_read(path, &r->header) == WARP_OK;
    if (!r->has_header)
        tell(r, error_text());
    int rc = open_schema(r);
    if (rc == WARP_OK)
        rc = open_tiers(r);
    if (rc != WARP_OK)
        return rc;
    o.shards = r->has_header ? r->header.shards : 0;
    rc = warp_open(to, r->schema, &o, &r->out);
    if (rc == WARP_OK && r->ssd)
        rc = take_rows(r);
    if (rc == WARP_OK && r->has_header)
        rc = take_log(r);
    else if (rc == WARP_OK)
        tell(r, "what only the log held: the header names its form");
    if (r->out) {
        int closed = warp_close(&r->out);
        rc = rc == WARP_OK ? closed : rc;
    }
    return rc;
}

static void destroy(struct repair *r)
{
    if (r->series)
        series_close(&r->series);
    if (r->archive)
        archive_close(&r->archive);
    evolve_past_close(&r->past);
    if (r->ssd)
        ssd_close(&r->ssd);
    if (r->disk)
        disk_close(&r->disk);
    for (uint32_t i = 0; i < r->layout_count; i++)
        layout_free(&r->layouts[i]);
    free(r->layouts);
    if (r->schema)
        schema_free(&r->schema);
    text_free(&r->lost);
    tool_bar_end(&r->bar);
}

int tool_repair(struct tool *tool)
{
    struct repair r = {.from = tool->args[0]};
    struct text t = TEXT_INIT;
    char lock[PATH_BYTES];
    int fd = -1, pid = 0;
    int rc = backup_dir_used(tool->args[1]);
    if (rc > 0)
        rc = error_set(WARP_EEXIST, "%s is not empty: name a new directory",
                       tool->args[1]);
    snprintf(lock, sizeof lock, "%.4000s/lock", tool->args[0]);
    if (rc == WARP_OK)
        rc = os_owner_lock(lock, false, &fd, &pid);
    if (rc == -EAGAIN && pid)
        rc = error_set(WARP_EBUSY, "process %d has this store open", pid);
    else if (rc == -ENOENT)
        rc = WARP_OK;
    if (rc == WARP_OK)
        rc = run(&r, tool->args[1]);
    text_put(&t, "{\"lost\":[");
    text_add(&t, r.lost.data, r.lost.used);
    text_put(&t, "]");
    text_number(&t, "lost_count", r.lost_count);
    text_number(&t, "rows", r.rows);
    text_number(&t, "commits", r.commits);
    text_put(&t, "}");
    int status = rc == WARP_OK ? tool_print_json(tool, &t)
                               : tool_fail(tool, rc, error_text());
    if (status == TOOL_CLEAN && r.lost_count > 0)
        status = TOOL_FINDINGS;
    text_free(&t);
    destroy(&r);
    os_owner_unlock(fd, lock);
    return status;
}
