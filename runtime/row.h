/* row.h: a record's entry in the ssd directory (table SSD_ROWS), and back.
 *
 * VALUE (little-endian):
 *   u8 format = 2, u8 memory-only writes since this version (0 in older ones),
 *   u16 schema version, u32 0; u64 version;
 *   u64 have (durable fields, series); u64 marks (memory-only fields written);
 *   u64 dead, then a deadline for each of its bits (bit 56: the record's);
 *   for each durable bit of have: fixed values as they are; outside the row
 *   u32 length + bytes; ssd fields u32 length (value in SSD_COLD); disk
 *   fields a place; tiered fields u32 length (value in SSD_COLD), or bit 31
 *   and a place behind it. A length of a value in the row with bit 31 set:
 *   u32 raw length and LZ4 bytes follow, the length is of the LZ4 bytes alone.
 *   Format 3, of products of which records were moved (relocate.h): for u32 0
 *   the number of the shard that the version is of; behind `dead` u64 origin,
 *   what callers call its version if it was not written since it moved, or 0.
 * KEY: u16 product (big-endian), then the key's order-preserving bytes. */
#ifndef WARP_ROW_H
#define WARP_ROW_H

#include "disk.h"
#include "shard.h"
#include "ssd.h"

enum {
    ROW_FORMAT = 2,
    ROW_FORMAT_MOVED = 3,
    ROW_HEADER_BYTES = 40,
    ROW_ORIGIN_BYTES = 8,
    ROW_KEY_BYTES_MAX = 2 + 448
};

uint32_t row_key(uint8_t *to, uint32_t product, const uint8_t *key,
                 uint32_t bytes);
/* SSD_COLD: product, field (u8), key; both by their numbers in the store. */
uint32_t row_cold_key(uint8_t *to, const struct layout *l, uint32_t field,
                      const uint8_t *key, uint32_t bytes);

/* The parts of a stored row. row_open checks what stands before the values,
 * row_parse the values too: then row_next may be used. */
struct row_view {
    uint64_t version, have, marks, dead;
    bool moved;       /* format 3: */
    uint32_t shard;
    uint64_t origin;
    uint8_t writes;
    const uint8_t *deadlines, *values, *end;
};
int row_open(const struct layout *l, struct ssd_slice value,
             struct row_view *view);
int row_parse(const struct layout *l, struct ssd_slice value,
              struct row_view *view);
/* The shard that the record was in; `home`, where it was not moved. */
uint32_t row_shard(struct ssd_slice value, uint32_t home);
/* Of an encoded row of format 3. */
void row_set_origin(uint8_t *row, uint64_t origin);
/* The stored value of one field of `have`: *at moves on. *raw_bytes: of a
 * compressed value what it has unpacked, else 0. */
void row_next(const struct layout *l, uint32_t field, const uint8_t **at,
              struct op_value *value, uint32_t *raw_bytes);
/* The same of a row that row_open took, checked. */
int row_step(const struct layout *l, const struct row_view *view,
             uint32_t field, const uint8_t **at, struct op_value *value,
             uint32_t *raw_bytes);

/* Of a cold field's stored value: its place on disk, or NULL: it is in
 * SSD_COLD; and the bytes of the value that is there. */
const uint8_t *row_place(const struct layout *l, uint32_t field,
                         const struct op_value *value);
uint32_t row_cold_bytes(const struct layout *l, uint32_t field,
                        const struct op_value *value);

/* Without locks: an encoded row with the values compressed that their policy
 * wants so. `to` has room for `bytes`; returns what is used. */
struct compress;
uint32_t row_pack(struct compress *compress, const struct layout *l,
                  const uint8_t *row, uint32_t bytes, uint8_t *to);
/* Under the lock: is there a value that row_pack would try? */
bool row_worth_packing(const struct layout *l, const struct record *r);
/* A value of SSD_COLD: u8 codec; compressed: u32 raw length; bytes. `to` has
 * room for bytes + 5. */
uint32_t row_pack_cold(struct compress *compress, const struct layout *l,
                       uint32_t field, const uint8_t *value, uint32_t bytes,
                       uint8_t *to);
int row_unpack_cold(struct ssd_slice stored, struct op_value *value,
                    uint32_t *raw_bytes);
/* The value as it was, to where `alloc` says. */
int row_copy_cold(struct ssd_slice stored, disk_alloc_fn *alloc, void *arg);

/* Under the lock, of a tiered field: does the next checkpoint leave its value
 * on disk? */
bool row_goes_to_disk(const struct layout *l, const struct record *r,
                      uint32_t field);
/* Under the lock: bytes that row_encode writes for this record. */
size_t row_bytes_max(const struct layout *l, const struct record *r);

size_t row_encode(const struct shard *shard, const struct layout *l,
                  const struct record *r, uint8_t *to);
/* Under the lock: what a parsed row holds into an empty record that is being
 * written; its flags and version are left to the caller. After an error some of
 * it is there. */
int row_fill(struct shard *shard, const struct layout *l, struct record *r,
             const struct row_view *view);
/* Under the lock: a record from a stored row, put in the index. Values of cold
 * fields stay on their tiers. Of a row in an earlier form values are read from
 * tiers where they must be in memory now: `value` lies in no ssd_read_fn. */
int row_load_record(struct shard *shard, const struct layout *l,
                    const struct key_ref *key, struct ssd_slice value,
                    struct record **record);

#endif
