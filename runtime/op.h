/* op.h: one change of one record, as bytes: what the log carries and what is
 * applied to memory, at commit and at replay alike.
 *
 * BYTES (little-endian):
 *   u8 kind, u8 flags, u16 product, u16 key bytes, u16 field; key;
 *   update: [u64 set] [u64 mark] [u64 dead] as the flags say; a deadline (i64)
 *     for each bit of dead, lowest first, bit 56 = the record's; then for each
 *     bit of set the value: fixed ones as they are, others u32 length + bytes
 *   append: [u64 dead] and the record's deadline as the flags say; i64 at,
 *     u32 length, the element's wire bytes
 *   delete: nothing
 *   arrive: u32 length, a row (row.h): the whole record comes from the shard
 *     that logs a depart of its key in the same batch; an update may follow,
 *     with what the row does not hold
 *   depart: nothing
 * mark names memory-only fields that this commit wrote: they exist, and are
 * LOST after a restart. Their values stand behind the logged bytes, in memory
 * alone: u64 mask, values as above. */
#ifndef WARP_OP_H
#define WARP_OP_H

#include "layout.h"
#include "wire.h"

enum op_kind {
    OP_UPDATE = 1,
    OP_DELETE = 2,
    OP_APPEND = 3,
    OP_ARRIVE = 4,
    OP_DEPART = 5
};
enum op_flags {
    OP_FLOOR = 1, /* what the record held before is gone (it had expired) */
    OP_SET = 2,
    OP_MARK = 4,
    OP_DEAD = 8,
    OP_CARRIED = 16 /* relocate_carry.h */
};
#define OP_RECORD_DEADLINE (UINT64_C(1) << 56)
enum { OP_HEADER_BYTES = 8, OP_BODY_BYTES_MAX = 128 << 20 };

/* A change on its way: made by the caller's thread, applied by the shard. */
struct op {
    const struct layout *layout;
    uint8_t *body;         /* logged bytes, then the memory-only part */
    uint32_t logged_bytes, bytes;
    uint32_t room;
    bool owned;            /* body is malloc'ed */
    uint8_t kind, flags;
    uint16_t key_bytes;
    uint32_t key_at;       /* offsets into body */
    uint32_t dead_at;      /* of the deadlines */
    uint32_t values_at;
    uint32_t memory_at;    /* of the memory-only values; 0: none */
    uint64_t set, mark, dead, memory; /* masks */
    uint64_t hash;
    uint32_t shard;
    uint32_t field;        /* append, add */
    int64_t now;           /* the store's clock, where a ttl needs it */
    bool must_exist;       /* touch, expire, delete */
    bool armed;            /* its deadlines are `now` and a ttl */
    bool is_add;
    bool expect;           /* not a change: check the version */
    bool refused;          /* the log had no room for it */
    bool homing;           /* the record must be in its key's shard */
    uint64_t expected_version;
    union { int64_t i; double f; } delta;
    uint8_t *away;         /* unique.h: a key that must come into memory */
    uint32_t away_bytes;
};

/* `space` is used while it suffices, then malloc. */
void op_init(struct op *op, const struct layout *layout, enum op_kind kind,
             uint8_t *space, uint32_t space_bytes);
void op_fini(struct op *op);
int op_grow(struct op *op, size_t more); /* WARP_ENOMEM, WARP_ELIMIT */
static inline int op_room(struct op *op, size_t more)
{
    return more <= op->room - op->bytes ? WARP_OK : op_grow(op, more);
}

/* After op_init: the key, from its C form or from a record. */
int op_key(struct op *op, const void *key, const void *record);
/* An update of the fields of a record struct; now is read only if a deadline
 * is needed. */
int op_put(struct op *op, const void *record, uint64_t fields, int64_t now);
int op_set(struct op *op, uint32_t field, const void *value, int64_t now);
/* Deadlines alone: fields with a ttl; bit 56 for the record. */
int op_deadlines(struct op *op, uint64_t fields, int64_t deadline);
/* Instead: as a write at op->now would set them. May be called again. */
void op_arm(struct op *op);
int op_append(struct op *op, uint32_t field, int64_t at, const void *element);
/* After op_key: the row of a record that moves, at body + values_at. */
int op_arrive(struct op *op, const uint8_t *row, uint32_t bytes);
/* The deadline that an op gives to a field (56: to the record). */
int64_t op_deadline_of(const struct op *op, uint32_t field);
/* An add has room for the result; under the shard's lock it is filled in. */
int op_add(struct op *op, uint32_t field, const void *delta, int64_t now);
/* value: the old number, replaced by the sum. WARP_ERANGE. */
int op_add_to(const struct op *op, uint8_t *value);
uint8_t *op_value_of(struct op *op, uint32_t field);

/* From logged bytes: checks every length. The op borrows the bytes. *used gets
 * how many this one took. */
int op_decode(const struct layout *const *layouts, uint32_t layout_count,
              const uint8_t *bytes, size_t count, struct op *op, size_t *used);

/* One value of a list of values, in the order of a mask. */
struct op_value {
    const uint8_t *data;
    uint32_t bytes;
};
static inline const uint8_t *op_next_value(const struct layout *l,
                                           uint32_t field, const uint8_t *at,
                                           struct op_value *value)
{
    const struct field_layout *f = &l->fields[field];
    if (f->form != SLOT_VAR) {
        value->data = at;
        value->bytes = f->bytes;
        return at + f->bytes;
    }
    value->bytes = wire_get32(at);
    value->data = at + 4;
    return at + 4 + value->bytes;
}

#endif
