/* layout.c: descriptors to row layouts.
 *
 * A row holds, in this order: the words that the product needs (its sizes, LOST
 * bits, deadlines, the mask of unwritten cold fields, the number of its column
 * row), then the fixed fields by falling alignment: nothing is padded. */
#include "layout.h"

#include "codec.h"
#include "error.h"

#include <stdlib.h>

enum { ROW_FIXED_MAX = 256 }; /* a larger fixed value lies outside the row */

static bool is_bare(const struct warp_type *type)
{
    return type->kind == WARP_T_STRING || type->kind == WARP_T_BYTES ||
           type->kind == WARP_T_OPAQUE;
}

static uint8_t form_of(const struct warp_type *type)
{
    if (type->wire_bytes == 0 || type->wire_bytes > ROW_FIXED_MAX)
        return SLOT_VAR;
    if (!type->plain)
        return SLOT_WIRE;
    switch (type->wire_bytes) {
    case 1:
        return SLOT_1;
    case 2:
        return SLOT_2;
    case 4:
        return SLOT_4;
    case 8:
        return SLOT_8;
    default:
        return SLOT_PLAIN;
    }
}

/* The class of a field, by its home. */
static void classify(struct layout *l, uint32_t i, uint8_t default_survives)
{
    const struct warp_field *f = &l->desc->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    uint8_t survives = f->survives ? f->survives : default_survives;
    /* A tier that is named is durable. */
    if (survives == WARP_SURVIVES_NOTHING && !f->survives &&
        ((f->home != WARP_HOME_MEMORY && f->home != WARP_HOME_MEMORY_ONLY &&
          f->home != WARP_HOME_COMPUTED) || f->copies))
        survives = WARP_SURVIVES_PROCESS_CRASH;
    if (f->flags & WARP_F_KEY) {
        l->keys |= bit;
        return;
    }
    if (f->flags & WARP_F_SERIES) {
        l->series |= bit;
        if (survives == WARP_SURVIVES_POWER_LOSS)
            l->power |= bit;
        return;
    }
    if (f->flags & WARP_F_DERIVED) {
        l->derived |= bit;
        return;
    }
    l->stored |= bit;
    if (f->home == WARP_HOME_MEMORY_ONLY || f->home == WARP_HOME_COMPUTED ||
        survives == WARP_SURVIVES_NOTHING)
        l->mortal_mem |= bit;
    else
        l->durable |= bit;
    if (survives == WARP_SURVIVES_POWER_LOSS)
        l->power |= bit;
    if ((l->durable & bit) && f->home == WARP_HOME_SSD)
        l->ssd |= bit;
    if ((l->durable & bit) &&
        (f->home == WARP_HOME_DISK || f->home == WARP_HOME_DISK_COMPRESSED ||
         f->home == WARP_HOME_DISK_ONLY))
        l->disk |= bit;
    if ((l->disk & bit) && f->home == WARP_HOME_DISK_ONLY)
        l->disk_only |= bit;
    if (f->ttl_ms > 0)
        l->ttl |= bit;
    if (f->flags & (WARP_F_INDEX | WARP_F_UNIQUE))
        l->indexed |= bit;
    if (f->flags & WARP_F_UNIQUE)
        l->unique |= bit;
    if (f->default_value)
        l->presets |= bit;
}

/* What is said about a field is done to every value worth it; where nothing is
 * said, values past the strategy's threshold are compressed on their tier. */
static void set_compression(const struct layout *l, uint32_t i,
                            struct field_layout *fl)
{
    enum { WORTH_BYTES = 64, THRESHOLD_BYTES = 1024 };
    const struct warp_field *f = &l->desc->fields[i];
    const struct warp_strategy *s = l->desc->strategy;
    fl->compression = f->compression;
    fl->compress_min = WORTH_BYTES;
    if (f->compression != WARP_COMPRESS_DEFAULT_POLICY)
        return;
    fl->compression = WARP_COMPRESS_DEFAULT;
    if (f->home != WARP_HOME_DISK_COMPRESSED)
        fl->compress_min = s && s->compression_threshold_bytes
                               ? (uint32_t)s->compression_threshold_bytes
                               : THRESHOLD_BYTES;
}

static uint32_t take(uint32_t *at, uint32_t bytes)
{
    uint32_t slot = *at;
    *at += bytes;
    return slot;
}

/* What the fields are to the built-in models. */
static void set_roles(struct layout *l)
{
    const struct warp_strategy *s = l->desc->strategy;
    memset(l->role, LAYOUT_NO_ROLE, sizeof l->role);
    for (uint32_t i = l->desc->field_count; i-- > 0;) {
        uint8_t role = l->desc->fields[i].physics;
        if (role != WARP_PHYSICS_NONE && role < sizeof l->role)
            l->role[role] = (uint8_t)i;
        if (role == WARP_PHYSICS_POSITION || role == WARP_PHYSICS_SHARD_HINT)
            l->places |= UINT64_C(1) << i;
        if (role == WARP_PHYSICS_SHARD_HINT)
            l->hint |= UINT64_C(1) << i;
    }
    l->linked =
        l->role[WARP_PHYSICS_ENTANGLEMENT_GROUP] != LAYOUT_NO_ROLE ||
        l->role[WARP_PHYSICS_ENTANGLEMENT_POTENTIAL] != LAYOUT_NO_ROLE ||
        (s && s->access_pattern_learning == 1);
    l->learns = l->linked && !(s && s->access_pattern_learning == 0);
    bool pulled = l->linked && l->role[WARP_PHYSICS_MASS] != LAYOUT_NO_ROLE;
    l->drawn = (l->places || pulled) && !l->series &&
               !(s && s->auto_migration == 0);
    l->roams = l->drawn;
}

/* Does a record say how long its key and its block are? */
static void set_head(struct layout *l)
{
    l->key_bytes = key_fixed_bytes(l->desc);
    l->sized = l->var || l->key_bytes == 0 ||
               l->desc->field_count > HEAD_FIELDS;
    l->head = l->sized ? HEAD_SIZED : (uint64_t)l->number << HEAD_FIELDS;
}

/* Words first, then falling alignment: 8 and more, 4, 2, 1. */
static void place_slots(struct layout *l)
{
    uint32_t at = 0;
    const uint32_t none = UINT32_MAX;
    if (l->sized)
        (void)take(&at, 8);
    l->lost = l->mortal_mem ? take(&at, 8) : none;
    l->deadline = l->desc->ttl_ms > 0 ? take(&at, 8) : none;
    l->cold_dirty = l->cold ? take(&at, 8) : none;
    l->to_disk = l->tiered ? take(&at, 8) : none;
    l->unchanged = l->tiered ? take(&at, 8) : none;
    l->origin = l->roams ? take(&at, 8) : none;
    l->column_row = l->columns ? take(&at, 8) : none;
    FOR_BITS(i, l->stored)
    {
        struct field_layout *f = &l->fields[i];
        f->deadline = (l->ttl >> i & 1) ? take(&at, 8) : none;
        f->place = (layout_placed(l) >> i & 1) ? take(&at, 16) : none;
        if (f->form == SLOT_VAR)
            f->slot = take(&at, 16);
    }
    for (uint32_t align = 8; align >= 1; align /= 2)
        FOR_BITS(i, l->stored)
        {
            struct field_layout *f = &l->fields[i];
            if (f->form == SLOT_VAR || f->form == SLOT_COLUMN ||
                f->slot != none)
                continue;
            uint32_t own = f->bytes % 8 == 0 || f->bytes > 8 ? 8
                           : f->bytes % 4 == 0               ? 4
                           : f->bytes % 2 == 0               ? 2
                                                             : 1;
            if (own == align)
                f->slot = take(&at, own == 8 ? (f->bytes + 7) & ~7u
                                             : f->bytes);
        }
    l->row_bytes = (at + 7) & ~7u;
}

/* auto_migration: false: fields that the engine may place stay in memory until
 * they are told to move. */
static void set_leaves(struct layout *l)
{
    const struct warp_strategy *s = l->desc->strategy;
    bool still = s && s->auto_migration == 0;
    l->leaves = l->cold & ~(still ? l->tiered : 0);
    l->leaves_whole = l->evictable;
    FOR_BITS(i, still ? l->durable : 0)
        if (l->desc->fields[i].home == WARP_HOME_AUTO ||
            l->desc->fields[i].home == WARP_HOME_HYBRID)
            l->leaves_whole = false;
    l->movable = l->leaves || l->leaves_whole;
    /* What may leave does so together. */
    uint8_t most = 0;
    FOR_BITS(i, l->leaves_whole ? l->durable : l->leaves)
        if (l->desc->fields[i].priority > most)
            most = l->desc->fields[i].priority;
    l->priority = most              ? most
                  : l->desc->priority ? l->desc->priority
                                      : WARP_PRIORITY_NORMAL;
    /* One hot field makes its record hot. */
    FOR_BITS(i, l->leaves_whole ? l->durable : l->leaves)
    {
        uint8_t prefer = l->desc->fields[i].prefer;
        uint8_t access = l->desc->fields[i].access ? l->desc->fields[i].access
                                                   : l->desc->access;
        if (access == WARP_ACCESS_HOT || (l->kept >> i & 1) ||
            prefer == WARP_TIER_MEMORY)
            l->prior = 1;
        else if (l->prior == 0 &&
                 (access == WARP_ACCESS_COLD ||
                  access == WARP_ACCESS_SEQUENTIAL ||
                  prefer >= WARP_TIER_SSD))
            l->prior = -1;
    }
}

void layout_unpin(struct layout *l)
{
    if (l->columns || !l->durable)
        return;
    l->evictable = true;
    set_leaves(l);
}

/* Of these a get has nothing to do but copy bytes; of those that it rewrites,
 * a put that finds a value. */
static void set_quick(struct layout *l)
{
    l->rewrites = l->deadline == UINT32_MAX && l->instance_max == 0
                      ? l->durable & ~(l->columns | l->indexed | l->unique |
                                       l->cold | l->ttl | l->power)
                      : 0;
    l->quick = l->keys;
    FOR_BITS(i, l->stored & ~l->columns)
    {
        const struct field_layout *f = &l->fields[i];
        if (f->form == SLOT_VAR ? f->bare : f->form != SLOT_WIRE)
            l->quick |= UINT64_C(1) << i;
    }
}

int layout_make(const struct warp_product *desc, uint16_t number,
                uint8_t default_survives, struct layout **out)
{
    if (desc->field_count == 0 || desc->field_count > 56 ||
        desc->key_count == 0)
        return error_set(WARP_EINVAL,
                         "product %s: %u fields and %u key fields; 1 to 56 "
                         "fields and a key are needed",
                         desc->name, desc->field_count, desc->key_count);
    struct layout *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(WARP_ENOMEM, "out of memory for product %s",
                         desc->name);
    l->desc = desc;
    l->number = l->id = number;
    if (desc->key_count == 1)
        l->key_type = desc->fields[desc->key_fields[0]].type;
    l->key_is_u64 = l->key_type && l->key_type->kind == WARP_T_U64;
    if (l->key_type && l->key_type->kind == WARP_T_FIXED_BYTES &&
        l->key_type->size <= KEY_BYTES_MAX)
        l->key_raw = l->key_type->size;
    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct warp_field *f = &desc->fields[i];
        classify(l, i, default_survives);
        uint64_t bit = UINT64_C(1) << i;
        struct field_layout *fl = &l->fields[i];
        fl->offset = f->offset;
        fl->id = (uint8_t)i;
        fl->slot = fl->deadline = fl->place = UINT32_MAX;
        if (!(l->stored & bit))
            continue;
        fl->bytes = f->type->wire_bytes;
        fl->form = (l->ssd | l->disk) & bit ? SLOT_VAR : form_of(f->type);
        if (fl->form == SLOT_VAR && (l->durable & bit) &&
            (f->home == WARP_HOME_AUTO || f->home == WARP_HOME_HYBRID)) {
            l->ssd |= bit;
            l->tiered |= bit;
            if (f->prefer == WARP_TIER_DISK || f->prefer == WARP_TIER_ARCHIVE)
                l->prefer_disk |= bit;
        }
        fl->bare = is_bare(f->type);
        fl->utf8 = f->type->kind == WARP_T_STRING;
        if (fl->bare && !fl->utf8)
            fl->text_max = f->type->kind == WARP_T_BYTES && f->type->count
                               ? f->type->count
                               : CODEC_VALUE_BYTES_MAX;
        set_compression(l, (uint32_t)i, fl);
        /* A log or a directory knows no columns: values that are framed by a
         * length there stay outside the row. */
        if ((f->flags & WARP_F_COLUMN) && fl->form != SLOT_VAR) {
            fl->form = SLOT_COLUMN;
            fl->slot = (uint32_t)__builtin_popcountll(l->columns);
            l->columns |= bit;
            l->column_bytes += fl->bytes;
        }
        if (fl->form == SLOT_VAR)
            l->var |= bit;
    }
    l->cold = l->ssd | l->disk;
    FOR_BITS(i, l->cold & ~l->disk_only)
        if (desc->fields[i].copies >> WARP_HOME_MEMORY & 1)
            l->kept |= UINT64_C(1) << i;
    l->writable = l->stored | l->keys;
    l->readable = l->stored | l->derived | l->keys;
    l->evictable = l->durable != 0;
    FOR_BITS(i, l->durable)
        if (desc->fields[i].home == WARP_HOME_MEMORY ||
            desc->fields[i].home == WARP_HOME_GPU)
            l->evictable = false;
    /* A column holds all records of its shard. */
    for (uint32_t i = 0; i < desc->field_count; i++)
        if (desc->fields[i].flags & WARP_F_COLUMN)
            l->evictable = false;
    set_leaves(l);
    if (desc->strategy)
        l->instance_max = desc->strategy->max_memory_per_instance_bytes;
    set_roles(l);
    set_head(l);
    place_slots(l);
    set_quick(l);
    *out = l;
    return WARP_OK;
}

static void place_again(struct layout *l)
{
    FOR_BITS(i, l->stored & ~l->columns)
        l->fields[i].slot = UINT32_MAX;
    place_slots(l);
}

void layout_was(struct layout *l, uint64_t was_ssd, uint64_t was_disk)
{
    l->was_ssd = was_ssd;
    l->was_disk = was_disk;
    place_again(l);
}

void layout_moved(struct layout *l)
{
    l->roams = l->moved = true;
    place_again(l);
}

uint32_t layout_field_of_id(const struct layout *l, uint32_t id)
{
    for (uint32_t i = 0; i < l->desc->field_count; i++)
        if (l->fields[i].id == id)
            return i;
    return 56;
}

void layout_free(struct layout **layout)
{
    free(*layout);
    *layout = NULL;
}
