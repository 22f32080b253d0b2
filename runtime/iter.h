/* iter.h: what the public struct warp_iter is. */
#ifndef WARP_ITER_H
#define WARP_ITER_H

#include "db.h"
#include "secondary.h"
#include "series.h"

enum iter_kind { ITER_SCAN = 1, ITER_BY, ITER_SERIES };

/* Keys of records that the directory may not hold yet, as of the start of the
 * scan, sorted in the scan's direction. */
struct iter_keys {
    uint8_t *bytes;      /* product and key, one after the other */
    size_t used, room;
    struct iter_key {
        size_t at;
        uint32_t count;
    } *list;
    uint32_t count, list_room;
};

struct warp_iter {
    struct warp_db *db;
    const struct layout *layout;
    enum iter_kind kind;
    uint64_t fields;
    /* scan: bounds with the product in front */
    uint8_t from[512], to[512];
    uint32_t from_bytes, to_bytes;
    bool reverse, cursor_ended, cursor_ahead, started;
    bool rows_answer; /* for the fields asked for: scan_row.h */
    bool from_row;    /* the key given last has its row in cursor_row */
    struct ssd_cursor *cursor;
    struct ssd_slice cursor_key, cursor_row;
    struct iter_keys keys;
    uint32_t next_key;
    struct ssd_slice key;  /* the key given last */
    uint8_t last[512];     /* the same, while keys in memory are merged */
    uint32_t last_bytes;
    /* by */
    struct secondary_iter *by;
    uint32_t field;
    uint8_t value[512];
    uint32_t value_bytes;
    struct warp_arena arena; /* for a value that is only compared */
    /* series */
    struct series_iter *series;
};

#endif
