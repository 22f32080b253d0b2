/* secondary.h: secondary indexes: value -> keys of the records that hold it.
 *
 * An entry is a hint that is never missing and may be stale: whoever follows it
 * reads the record and compares. Entries made since the last checkpoint are in
 * memory, the rest in SSD_INDEX (product u16 BE, field u8, value (key.h form),
 * key -> empty). Entries are derived from commits, so the log does not carry
 * them: a replay makes them again, and making one twice is no change. */
#ifndef WARP_SECONDARY_H
#define WARP_SECONDARY_H

#include "heap.h"
#include "shard.h"
#include "ssd.h"

struct secondary;

int secondary_open(struct ssd *ssd, struct budget *budget,
                   struct secondary **secondary);
void secondary_close(struct secondary **secondary);

/* The value of a field as index bytes, from its wire form. Room: 512. */
int secondary_value(const struct layout *l, uint32_t field,
                    const uint8_t *wire, uint32_t wire_bytes, uint8_t *to,
                    uint32_t *bytes);

/* Record that `key` got (add) or lost a value. Under the shard's lock; takes a
 * lock of its own. Never fails for a removal. WARP_ELIMIT, WARP_ENOMEM. */
int secondary_change(struct secondary *secondary, const struct layout *l,
                     uint32_t field, const uint8_t *value,
                     uint32_t value_bytes, const uint8_t *key,
                     uint32_t key_bytes, bool add);

/* Candidates for one value, in key order: each key once. The caller reads each
 * record and drops those that do not hold the value any more. */
struct secondary_iter;
int secondary_find(struct secondary *secondary, const struct layout *l,
                   uint32_t field, const uint8_t *value, uint32_t value_bytes,
                   struct secondary_iter **iter);
/* 0, WARP_END or an error; the key is valid until the next call. */
int secondary_next(struct secondary_iter *iter, const uint8_t **key,
                   uint32_t *key_bytes);
void secondary_iter_close(struct secondary_iter **iter);

/* Checkpoint: takes the entries made so far and writes them to the transaction;
 * they stay findable. Every transaction that writes rows does so, after it has
 * copied them (a replay takes a row's version as proof that its entries are
 * there), and the log is durable past this moment before it commits. Then
 * keep = false after the commit drops them from memory, keep = true after a
 * failed one makes them pending again. */
int secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
void secondary_flushed(struct secondary *secondary, bool keep);
bool secondary_pending(struct secondary *secondary);

/* When a field gets its index late: the entry of a value (secondary_value) and
 * a key goes to the table. */
int secondary_store(struct ssd_txn *txn, const struct layout *l,
                    uint32_t field, const uint8_t *value,
                    uint32_t value_bytes, const uint8_t *key,
                    uint32_t key_bytes);

#endif
