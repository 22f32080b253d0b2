/* ssd_redo.c: steps of a write transaction in one growing buffer.
 *
 * Each is {kind, table, bytes of a, bytes of b, a, b}, in memory only. */
#include "ssd_redo.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

struct head {
    uint32_t kind, table, a_bytes, b_bytes;
};
static const size_t first_bytes = 64u << 10;
static const size_t kept_bytes = 1u << 20; /* between two transactions */

int ssd_redo_add(struct ssd_redo *redo, const struct ssd_step *step)
{
    struct head head = {step->kind, step->table, (uint32_t)step->a.bytes,
                        (uint32_t)step->b.bytes};
    size_t bytes = sizeof head + step->a.bytes + step->b.bytes;
    if (redo->capacity - redo->used < bytes) {
        size_t capacity = redo->capacity ? redo->capacity : first_bytes;
        while (capacity - redo->used < bytes)
            capacity *= 2;
        uint8_t *grown = realloc(redo->bytes, capacity);
        if (!grown)
            return error_set(WARP_ENOMEM,
                             "no memory for a transaction of %zu bytes",
                             redo->used + bytes);
        redo->bytes = grown;
        redo->capacity = capacity;
    }
    uint8_t *to = redo->bytes + redo->used;
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    if (head.a_bytes)
        memcpy(to, step->a.data, head.a_bytes);
    if (head.b_bytes)
        memcpy(to + head.a_bytes, step->b.data, head.b_bytes);
    redo->used += bytes;
    return 0;
}

bool ssd_redo_next(const struct ssd_redo *redo, size_t *at,
                   struct ssd_step *step)
{
    struct head head;
    if (*at >= redo->used)
        return false;
    const uint8_t *from = redo->bytes + *at;
    memcpy(&head, from, sizeof head);
    from += sizeof head;
    step->kind = (enum ssd_step_kind)head.kind;
    step->table = (enum ssd_table)head.table;
    step->a = (struct ssd_slice){from, head.a_bytes};
    step->b = (struct ssd_slice){from + head.a_bytes, head.b_bytes};
    *at += sizeof head + head.a_bytes + head.b_bytes;
    return true;
}

void ssd_redo_clear(struct ssd_redo *redo)
{
    redo->used = 0;
    if (redo->capacity > kept_bytes)
        ssd_redo_free(redo);
}

void ssd_redo_free(struct ssd_redo *redo)
{
    free(redo->bytes);
    *redo = (struct ssd_redo){NULL, 0, 0};
}
