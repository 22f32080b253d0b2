/* series_columns.h: the wire form of values (codec.h) taken apart into one
 * column for each scalar of their type, and put together again. */
#ifndef WARP_SERIES_COLUMNS_H
#define WARP_SERIES_COLUMNS_H

#include <warp/gen.h>

enum column_kind {
    COLUMN_INTEGER, /* also bool, enum, counts, tags, presence */
    COLUMN_F32,     /* the bits, one in each word */
    COLUMN_F64,
    COLUMN_TEXT,    /* v: lengths; bytes: all of them */
    COLUMN_FIXED    /* bytes alone */
};
struct column {
    uint8_t kind;
    int64_t *v;
    uint8_t *bytes;
    uint32_t count, room, byte_count, byte_room;
    uint32_t at, byte_at; /* of joining */
};
bool column_numbers(struct column *column, uint64_t count);
bool column_bytes(struct column *column, uint64_t count);

/* A part of the type: its parts follow it. */
struct column_node {
    const struct warp_type *type; /* NULL: all bytes as one text */
    uint32_t column;              /* the first of it */
    uint32_t next;                /* the node behind its last part */
};
struct columns {
    const struct warp_type *type; /* that the plan is of */
    struct column_node *nodes;
    struct column *list;
    uint32_t node_count, node_room, count, list_room;
    bool too_many;
};

/* Empties the columns and makes them those of the type. WARP_ENOMEM. */
int columns_plan(struct columns *columns, const struct warp_type *type);
void columns_free(struct columns *columns);
/* One value more. WARP_ECORRUPT, WARP_ENOMEM. */
int columns_split(struct columns *columns, const uint8_t *from, size_t bytes);
/* The next value; NULL: the columns do not hold one, or it does not fit. */
uint8_t *columns_join(struct columns *columns, uint8_t *to,
                      const uint8_t *end);
bool columns_all_used(const struct columns *columns);

#endif
