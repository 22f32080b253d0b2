/* migrate_keep.c: counts of uses outlive a restart: a window of a day ends a
 * day after it began, however often the program is started in it.
 *
 * SSD_META "heat", u16 product's number in the store, u8 pass: u8 format = 1,
 * u8 codec, u16 0, u32 0, i64 length of the window, i64 its begin, i64 end of
 * the last pass; then the counts (compress.h), none for the archive. They are
 * written at a close and every few minutes: what a crash takes is counted too
 * low. Pass + 0x80: what is carried on from earlier windows; + 0x40: 256ths of
 * it. */
#include "migrate_part.h"

#include "compress.h"
#include "error.h"
#include "text.h"
#include "wire.h"

#include <stdlib.h>

enum { FORMAT = 1, HEAD_BYTES = 32, KEY_BYTES = 7 };
enum { CARRIED = 0x80, CARRIED_PARTS = 0x40 };

static struct ssd_slice key_of(uint8_t key[KEY_BYTES], const struct layout *l,
                               uint32_t pass)
{
    memcpy(key, "heat", 4);
    wire_put16(key + 4, l->id);
    key[6] = (uint8_t)pass;
    return (struct ssd_slice){key, KEY_BYTES};
}

/* ---- reading ---- */

struct recall_call {
    struct window *window;
    _Atomic uint8_t *counts; /* NULL: of the archive */
};

/* What cannot be read, or is of another window, is not taken. */
static int recall_one(void *arg, struct ssd_slice value)
{
    struct recall_call *c = arg;
    const uint8_t *b = value.data;
    if (value.bytes < HEAD_BYTES || b[0] != FORMAT ||
        (int64_t)wire_get64(b + 8) != c->window->ms)
        return WARP_OK;
    if (c->counts &&
        compress_undo(b[1], b + HEAD_BYTES, value.bytes - HEAD_BYTES,
                      (uint8_t *)(uintptr_t)c->counts, HEAT_SLOTS) != WARP_OK) {
        memset((uint8_t *)(uintptr_t)c->counts, 0, HEAT_SLOTS);
        return WARP_OK;
    }
    c->window->began_ms = (int64_t)wire_get64(b + 16);
    c->window->passed_ms = (int64_t)wire_get64(b + 24);
    return WARP_OK;
}

static int recall(struct warp_db *db, const struct layout *l, uint32_t pass,
                  struct window *window, _Atomic uint8_t *counts)
{
    uint8_t key[KEY_BYTES];
    struct recall_call call = {window, counts};
    int rc = ssd_get(db->ssd, SSD_META, key_of(key, l, pass), recall_one,
                     &call);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

int migrate_recall(struct warp_db *db, struct migrate *m)
{
    int rc = WARP_OK;
    for (uint32_t i = 0; i < m->count && rc == WARP_OK; i++)
        for (uint32_t pass = 0; pass < PASSES && rc == WARP_OK; pass++) {
            struct migrate_product *p = &m->products[i];
            struct window *w = &p->windows[pass];
            if (w->ms == 0)
                continue;
            if (w->carried)
                rc = recall(db, db->layouts[i], pass | CARRIED, w, w->carried);
            if (rc == WARP_OK && w->parts)
                rc = recall(db, db->layouts[i], pass | CARRIED_PARTS, w,
                            w->parts);
            if (rc == WARP_OK)
                rc = recall(db, db->layouts[i], pass, w,
                            pass == PASS_ARCHIVE
                                ? NULL
                                : atomic_load(&p->heat.counts[pass]));
        }
    return rc;
}

/* ---- writing ---- */

static int keep_one(struct ssd_txn *txn, struct compress *compress,
                    uint8_t *room, const struct layout *l,
                    const struct window *w, uint32_t pass,
                    const _Atomic uint8_t *counts)
{
    uint8_t key[KEY_BYTES];
    size_t stored = 0;
    memset(room, 0, HEAD_BYTES);
    room[0] = FORMAT;
    wire_put64(room + 8, (uint64_t)w->ms);
    wire_put64(room + 16, (uint64_t)w->began_ms);
    wire_put64(room + 24, (uint64_t)w->passed_ms);
    if (counts) {
        /* Other threads count on: a copy, so that both halves of the coder see
         * the same bytes. */
        uint8_t *copy = room + HEAD_BYTES + HEAT_SLOTS;
        for (uint32_t i = 0; i < HEAT_SLOTS; i++)
            copy[i] = atomic_load_explicit(&counts[i], memory_order_relaxed);
        room[1] = (uint8_t)compress_block(compress, WARP_COMPRESS_FAST, copy,
                                          HEAT_SLOTS, room + HEAD_BYTES,
                                          &stored);
    }
    struct ssd_slice value = {room, HEAD_BYTES + stored};
    return ssd_put(txn, SSD_META, key_of(key, l, pass), value);
}

int migrate_keep(struct warp_db *db, struct migrate *m)
{
    struct compress *compress = NULL;
    struct ssd_txn *txn = NULL;
    uint8_t *room = malloc(HEAD_BYTES + 2 * (size_t)HEAT_SLOTS);
    int rc = room ? compress_create(&compress)
                  : error_set(WARP_ENOMEM, "out of memory for counts of uses");
    if (rc == WARP_OK)
        rc = ssd_begin(db->ssd, &txn);
    for (uint32_t i = 0; i < m->count; i++)
        for (uint32_t pass = 0; pass < PASSES && rc == WARP_OK; pass++) {
            struct migrate_product *p = &m->products[i];
            const struct window *w = &p->windows[pass];
            if (w->ms != 0)
                rc = keep_one(txn, compress, room, db->layouts[i], w, pass,
                              pass == PASS_ARCHIVE
                                  ? NULL
                                  : atomic_load(&p->heat.counts[pass]));
            if (rc == WARP_OK && w->carried)
                rc = keep_one(txn, compress, room, db->layouts[i], w,
                              pass | CARRIED, w->carried);
            if (rc == WARP_OK && w->parts)
                rc = keep_one(txn, compress, room, db->layouts[i], w,
                              pass | CARRIED_PARTS, w->parts);
        }
    if (rc == WARP_OK)
        rc = ssd_commit(&txn);
    else if (txn)
        ssd_abort(&txn);
    if (compress)
        compress_destroy(&compress);
    free(room);
    return rc;
}
