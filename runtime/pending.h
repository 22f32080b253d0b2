/* pending.h: entries made since the last checkpoint, until the ssd tier has
 * them: groups by name, and in each group items in the order of their keys.
 *
 * secondary.c: the group is a value, the items are the keys of the records that
 * hold it. series.c: the group is a record, the items are its elements by time.
 * There are two generations: pending, where entries are made, and flushing,
 * which a checkpoint took and which does not change until it is settled. Both
 * are read as one; what is pending wins. */
#ifndef WARP_PENDING_H
#define WARP_PENDING_H

#include "heap.h"
#include "ssd.h"

enum {
    PENDING_NAME_MAX = 515, /* product u16 BE, field u8, a value or a key */
    PENDING_KEY_MAX = 448
};

struct pending;

/* A group. The bytes are the caller's. */
struct pending_name {
    const uint8_t *bytes;
    uint32_t count;
    uint64_t hash;
};
struct pending_name pending_name(const uint8_t *bytes, uint32_t count);

int pending_open(struct budget *budget, struct pending **pending);
void pending_close(struct pending **pending);
/* Anything that no checkpoint has taken? */
bool pending_any(struct pending *pending);

/* The entry is there, or is gone: whatever was said last counts. A group and an
 * entry come from shared blocks. WARP_ELIMIT, WARP_ENOMEM. */
int pending_set(struct pending *pending, const struct pending_name *name,
                const uint8_t *key, uint32_t key_bytes, bool gone);

/* Memory for one pending_add or pending_floor, set aside before the moment that
 * they must not fail. force: over the budget if need be. */
struct pending_room {
    void *group, *item;
};
int pending_reserve(struct pending *pending, uint32_t name_bytes,
                    uint32_t item_bytes, bool force,
                    struct pending_room *room);
void pending_unreserve(struct pending *pending, struct pending_room *room);

/* Adds an item with a value; one with the same key stays as it is. Uses what it
 * needs of the room and gives the rest back. */
void pending_add(struct pending *pending, const struct pending_name *name,
                 struct pending_room *room, const uint8_t *key,
                 uint32_t key_bytes, const uint8_t *value,
                 uint32_t value_bytes);
/* Items whose rank is below the floor are gone, here and in the ssd tier: the
 * rank is the last 8 bytes of the key, big-endian. */
void pending_floor(struct pending *pending, const struct pending_name *name,
                   struct pending_room *room, uint64_t floor);
bool pending_below(const uint8_t *key, uint32_t key_bytes, uint64_t floor);

/* ---- reading ---- */

/* Copies of items, in order. */
struct pending_entry {
    uint32_t key_bytes, value_bytes;
    bool gone;
    const uint8_t *key, *value;
};
struct pending_batch {
    uint8_t *data;
    uint32_t *offsets;
    size_t used, room;
    uint32_t count, count_room;
    uint64_t floor; /* of the group */
    bool more;      /* the range holds more items than were read */
};
struct pending_range {
    const uint8_t *from, *to; /* to with 0 bytes: the end of the group */
    uint32_t from_bytes, to_bytes;
    bool behind;              /* from itself is not in it */
};
int pending_batch_push(struct pending_batch *batch, const uint8_t *key,
                       uint32_t key_bytes, const uint8_t *value,
                       uint32_t value_bytes, bool gone);
struct pending_entry pending_batch_at(const struct pending_batch *batch,
                                      uint32_t number);
void pending_batch_fini(struct pending_batch *batch);
bool pending_batch_full(const struct pending_batch *batch, uint32_t count_max);
int pending_compare(const uint8_t *a, uint32_t a_bytes, const uint8_t *b,
                    uint32_t b_bytes);
/* The first items of a range, at most count_max; UINT32_MAX: all of it. */
int pending_read(struct pending *pending, const struct pending_name *name,
                 const struct pending_range *range, uint32_t count_max,
                 struct pending_batch *batch);

/* ---- a checkpoint: one at a time ---- */

/* What is pending becomes flushing. */
void pending_take(struct pending *pending);
struct pending_visit {
    const uint8_t *name;
    uint32_t name_bytes;
    uint64_t floor; /* 0: none */
    const void *at; /* for pending_visit_next */
};
typedef int pending_visit_fn(void *arg, struct pending_visit *group);
/* The flushing groups by name; a non-zero result ends the walk. */
int pending_walk(struct pending *pending, pending_visit_fn *fn, void *arg);
/* The next item of a group that is visited, lowest key first. */
bool pending_visit_next(struct pending_visit *group,
                        struct pending_entry *entry);
/* keep: the flushing entries are pending again, under newer ones; else they
 * are dropped. */
void pending_settle(struct pending *pending, bool keep);

/* ---- a group in memory and in the ssd tier, as one ----
 * In the ssd tier an item has the key prefix + item key. Where that is too long
 * the item's key is cut and followed by a hash, and the value holds it whole;
 * such a key has SSD_KEY_BYTES_MAX bytes, and one with a value of its own must
 * stay shorter. */
struct pending_source {
    struct pending *pending;
    struct ssd *ssd;
    enum ssd_table table;
};
struct pending_iter;

/* to has room for SSD_KEY_BYTES_MAX; returns whether the key was cut. */
bool pending_ssd_key(const uint8_t *prefix, uint32_t prefix_bytes,
                     const uint8_t *key, uint32_t key_bytes, uint8_t *to,
                     uint32_t *bytes);
/* Items of [from, to) in order. What is there all the time comes exactly once,
 * whatever checkpoints do meanwhile. All arguments are copied. */
int pending_iter_open(const struct pending_source *source,
                      const struct pending_name *name, const uint8_t *prefix,
                      uint32_t prefix_bytes, const struct pending_range *range,
                      struct pending_iter **iter);
/* 0, WARP_END or an error; valid until the next call. */
int pending_iter_next(struct pending_iter *iter, struct pending_entry *entry);
void pending_iter_close(struct pending_iter **iter);

#endif
