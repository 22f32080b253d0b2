/* row_past.h: rows that an earlier schema wrote, read as records of this one.
 *
 * A change of schema that loses nothing leaves the rows as they are. A row says
 * by its stamp which form it has; one of the form before gives a record whose
 * values may still lie where that form had them (R_PAST). The next checkpoint
 * that copies the record writes row and values anew. There are two forms at
 * most: a further change first finishes this one (evolve.h). */
#ifndef WARP_ROW_PAST_H
#define WARP_ROW_PAST_H

#include "convert.h"
#include "row.h"

/* How a product's rows were. Owned by evolve_past.c. */
struct row_past {
    uint16_t stamp;       /* of rows in the form of now */
    struct layout *old;   /* with the store's numbers */
    const struct descriptor_product *before, *after;
    int8_t from[56];      /* of a field now: the field then, or -1 */
    uint64_t converted;   /* fields now whose type is another, all inline */
    struct ssd *ssd;
    struct disk *disk;
    struct archive *const *archive; /* opened later than this */
};

static inline bool row_is_past(const struct layout *l, struct ssd_slice value)
{
    const uint8_t *at = value.data;
    return l->past && value.bytes >= ROW_HEADER_BYTES &&
           (uint16_t)(at[2] | at[3] << 8) != l->past->stamp;
}
/* The layout by which a row is parsed: the one then, or `l`. */
static inline const struct layout *row_form(const struct layout *l,
                                            struct ssd_slice value)
{
    return row_is_past(l, value) ? l->past->old : l;
}
/* The field now that a field of a row's form has become, or 56. */
uint32_t row_past_field(const struct layout *l, const struct layout *form,
                        uint32_t field);
/* Unpacked wire bytes of a field then as those of now; WARP_ECORRUPT. They may
 * lie in `convert`. */
int row_past_convert(const struct layout *l, uint32_t field,
                     struct convert *convert, struct op_value *value);
/* row_load_record() of such a row. */
int row_past_load(struct shard *shard, const struct layout *l,
                  const struct key_ref *key, struct ssd_slice value,
                  struct record **record);

#endif
