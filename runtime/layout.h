/* layout.h: a product as one open store sees it: where each field lies in a
 * record's row in memory, and which fields are durable, cold, mortal, …
 *
 * Made once at open from the generated descriptors; read-only afterwards. */
#ifndef WARP_LAYOUT_H
#define WARP_LAYOUT_H

#include <stdbool.h>

#include <warp/gen.h>

#include "wire.h"

struct pool;

enum { LAYOUT_NO_ROLE = 0xff };

/* What stands in the head of a record (record.h) beside its fields and flags,
 * as long as it is one: its product behind the bits of the fields, if these are
 * few and the layout says the rest; else that it is sized: the row begins with
 * a word that says. */
enum { HEAD_FIELDS = 40 };
#define HEAD_PRODUCT (UINT64_C(0xffff) << HEAD_FIELDS)
#define HEAD_SIZED   (UINT64_C(1) << 56)

enum slot_form {
    SLOT_NONE,  /* key, series, derived: nothing in the row */
    SLOT_1, SLOT_2, SLOT_4, SLOT_8, /* plain, that many bytes */
    SLOT_PLAIN, /* plain, any size: C bytes are row bytes */
    SLOT_WIRE,  /* fixed wire size, decoded on the way out */
    SLOT_COLUMN, /* not in the row: slot is the number of its column */
    SLOT_VAR    /* struct var: bytes elsewhere */
};

struct field_layout {
    uint32_t offset;   /* in the C record struct */
    uint32_t slot;     /* in the row */
    uint32_t bytes;    /* of a fixed value on the wire and in the row */
    uint32_t deadline; /* slot of its deadline; UINT32_MAX: none */
    uint32_t place;    /* slot of its disk place, if it may have one */
    uint8_t form;      /* enum slot_form */
    uint8_t id;        /* in the store, for ever (catalog.h) */
    uint8_t bare;      /* string, bytes, opaque: the wire form is the bytes */
    uint8_t utf8;
    uint32_t text_max; /* bare and not utf8: bytes that need no check; else 0 */
    uint8_t compression; /* enum warp_compression, on its tier */
    uint32_t compress_min; /* shorter values are stored as they are */
};

struct layout {
    const struct warp_product *desc;
    const struct warp_type *key_type; /* single key field's, else NULL */
    uint16_t number;       /* in this program's schema */
    uint16_t id;           /* in the store, for ever: its keys begin so */
    uint32_t row_bytes;
    uint32_t key_bytes;    /* of every key; 0: they differ */
    uint64_t head;         /* of its records */
    bool sized;
    uint32_t lost;         /* slot of the LOST bits; UINT32_MAX: none */
    uint32_t deadline;     /* slot of the record's deadline; or UINT32_MAX */
    uint32_t cold_dirty;   /* slot of the mask of unwritten cold fields */
    uint32_t to_disk;      /* slot of the mask of tiered fields to be moved */
    uint32_t unchanged;    /* of those that lie on disk already and move on */
    uint32_t origin;       /* slot of the version before a move; or none */
    uint32_t column_row;   /* slot of the row's number in the columns, + 1 */
    uint32_t column_bytes; /* of a row's values there, on the wire */
    uint64_t keys, series, derived;
    uint64_t writable;     /* bits a put may name: all but series, derived */
    uint64_t readable;     /* bits a get may name: stored, derived, keys */
    uint64_t stored;       /* bits with a slot */
    uint64_t durable;      /* logged and checkpointed */
    uint64_t mortal_mem;   /* memory only: LOST after a restart */
    uint64_t var;          /* SLOT_VAR */
    uint64_t ssd, disk, disk_only; /* cold by home */
    uint64_t tiered;       /* of ssd: the engine may move the value to disk */
    uint64_t prefer_disk;  /* of tiered: written there from the first on */
    uint64_t cold;         /* ssd | disk */
    uint64_t kept;         /* of cold: with a copy in memory, by the schema */
    uint64_t ttl;          /* fields with a deadline slot */
    uint64_t indexed, unique;
    uint64_t columns;
    uint64_t presets;      /* stored fields with a default: */
    uint64_t quick;        /* what read_quick.h may be asked for */
    uint64_t rewrites;     /* what commit_quick.h may write over */
    uint64_t power;        /* survive a power loss */
    uint8_t role[8];       /* by enum warp_physics: the field that has it, or
                              LAYOUT_NO_ROLE; of positions the first */
    bool linked;           /* its records have partners (partner.h) */
    bool learns;           /* linked, and uses together are counted */
    uint64_t places, hint; /* fields that tell a place: position, and hint */
    bool roams;            /* records may be in another shard than their key's
                              hash says: forward.h tells where */
    bool drawn;            /* and are moved by what they hold (gravity.h) */
    bool moved;            /* the store knows that some were moved */
    bool key_is_u64;       /* one field, a plain u64: encoded in place */
    uint32_t key_raw;      /* one field, bytes<N>: N; else 0 */
    bool evictable;        /* no field is pinned in memory by its policy */
    /* What the budget may take out of memory: not what auto_migration: false
     * leaves to warp migrate. Whole records, values of these fields, either. */
    bool leaves_whole, movable;
    uint64_t leaves;
    uint8_t domain;        /* of those that leave (replace.h) */
    int8_t prior;          /* access_pattern: 1 :hot, -1 :cold, :sequential */
    uint8_t priority;      /* enum warp_priority, effective */
    struct pool *pools[2]; /* its own, the shared one; NULL: none */
    struct heat *heat;     /* uses are counted; NULL: nobody asks */
    struct pool *gpu_pool; /* of its columns on devices; NULL: none */
    uint64_t instance_max; /* bytes of one record in memory; 0: no limit */
    /* While rows of an earlier form may stand in the directory: */
    const struct row_past *past; /* how they are read (row_past.h), or NULL */
    uint64_t was_ssd, was_disk;  /* fields whose values moved away from there */
    uint16_t stamp;              /* of the form of rows that are written */
    struct field_layout fields[56];
};

/* Of a store that is only read: all that a tier has may leave memory. */
void layout_unpin(struct layout *layout);
/* Numbers in the store are those of the schema; catalog.h may say otherwise.
 * 0, WARP_EINVAL (the text names product and field) or WARP_ENOMEM. */
int layout_make(const struct warp_product *desc, uint16_t number,
                uint8_t default_survives, struct layout **layout);
/* The usual keys (codec.h) without a call: their bytes; 0: not one of these. */
static inline uint32_t layout_usual_key(const struct layout *l,
                                        const void *key, uint8_t *to)
{
    if (l->key_is_u64) {
        uint64_t number;
        memcpy(&number, key, sizeof number);
        wire_put64(to, __builtin_bswap64(number));
        return sizeof number;
    }
    if (l->key_raw == 16)
        memcpy(to, key, 16);
    else if (l->key_raw)
        memcpy(to, key, l->key_raw);
    return l->key_raw;
}
/* The same back, into a record; false: not one of these. */
static inline bool layout_put_usual_key(const struct layout *l,
                                        const uint8_t *key, uint32_t bytes,
                                        void *record)
{
    uint8_t *to =
        (uint8_t *)record + l->desc->fields[l->desc->key_fields[0]].offset;
    if (l->key_is_u64 && bytes == sizeof(uint64_t)) {
        uint64_t number = __builtin_bswap64(wire_get64(key));
        memcpy(to, &number, sizeof number);
        return true;
    }
    if (!l->key_raw || bytes != l->key_raw)
        return false;
    memcpy(to, key, bytes);
    return true;
}
/* Fields with a slot for a place on disk. */
static inline uint64_t layout_placed(const struct layout *l)
{
    return l->disk | l->was_disk | l->tiered;
}
/* Fields whose values may still lie where an earlier form had them: a place on
 * disk gets a slot in the row. Before the first record. */
void layout_was(struct layout *layout, uint64_t was_ssd, uint64_t was_disk);
/* Records of it were moved, whatever the schema says now. Before the first
 * record. */
void layout_moved(struct layout *layout);
/* The field with a number in the store, or 56. */
uint32_t layout_field_of_id(const struct layout *layout, uint32_t id);
void layout_free(struct layout **layout);

/* The numbers of the set bits of a mask, lowest first. */
#define FOR_BITS(i, mask)                                                     \
    for (uint64_t mask_##i = (mask), i = 0;                                   \
         mask_##i && (i = (uint64_t)__builtin_ctzll(mask_##i), 1);            \
         mask_##i &= mask_##i - 1)

#endif
