/* record.h: records as the owner of a store sends them, and as people see
 * them. */
#ifndef WARP_TOOL_RECORD_H
#define WARP_TOOL_RECORD_H

#include "json.h"
#include "tool.h"

struct record_reply {
    const uint8_t *key;
    uint32_t key_bytes;
    uint64_t version, have, lost, expired;
    void *record; /* in C form, key included; in the arena */
};
struct record_bytes {
    const uint8_t *at, *end;
};
/* The next record of a reply. WARP_ECORRUPT: these are not its bytes. */
int record_next(struct record_bytes *from, const struct warp_product *product,
                struct warp_arena *arena, struct record_reply *out);

/* The elements of the series that the mask names are asked for, too. */
struct record_asker {
    struct source *source;
    const struct warp_product *product;
    uint32_t number;
    uint64_t mask;
    struct text request, reply; /* of the elements */
};
/* {"key":…,"field":…}: fields that have a value. */
int record_json(struct record_asker *asker, const struct record_reply *r,
                struct text *to);
/* One series of a record: [{"at":…,"value":…}]; with by: the elements. */
int record_series(struct record_asker *asker, const struct record_reply *r,
                  uint32_t field, struct text *to);

/* A key as people write it: the text of one key field, or JSON. Bytes as key.c
 * makes them. A text for people in `why`. */
int tool_key(const struct warp_product *product, const char *text, uint8_t *to,
             size_t *bytes, struct warp_arena *arena, char *why,
             size_t why_bytes);
/* A scalar without quotes, from a word of the command line or a CSV cell. */
struct json record_cell(const struct warp_type *type, const char *text,
                        size_t bytes);

#endif
