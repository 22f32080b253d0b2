/* read.c: gets. A reader copies what it needs of the row, checks that the
 * record did not change meanwhile, and decodes from its own copy; values on a
 * tier are fetched after that, and the record is checked once more. */
#include "read.h"

#include "apply.h"
#include "codec.h"
#include "cold.h"
#include "derive.h"
#include "error.h"
#include "evict.h"
#include "forward.h"
#include "heat.h"
#include "read_quick.h"
#include "replace.h"

enum {
    TRIES_WITHOUT_LOCK = 64,
    TIMED_OF = 1024, /* one get of so many is timed */
    WIRE_BYTES = 56 * 256 /* SLOT_WIRE values of one record, at most */
};

/* What one try found. */
struct reading {
    struct warp_db *db;
    const struct layout *l;
    const struct key_ref *key;
    const struct column_set *columns; /* or NULL */
    struct warp_arena *arena;
    uint8_t *out;
    int64_t now;
    bool no_locks;     /* the caller holds some: only spin */
    bool quiet;        /* the store's own work: it is no use */
    uint64_t have;     /* filled */
    uint64_t cold;     /* on a tier only */
    uint64_t archived; /* of them those in the archive, and that may be told */
    uint64_t decode;   /* copied, still in wire form */
    uint64_t preset;   /* never written: the default is their value */
    uint32_t bytes;    /* of memory, about, if it may leave that */
    bool brought;      /* the record was not in memory */
    int64_t began_ns;  /* where uses are noted, of some gets; else 0 */
    const uint8_t *wire[56];
    uint32_t wire_bytes[56];
    struct disk_place places[56];
    uint32_t scratch_used;
    uint8_t scratch[WIRE_BYTES];
};

uint64_t read_expired(const struct layout *l, const struct record *r,
                      uint64_t fields, int64_t now)
{
    uint64_t gone = 0;
    FOR_BITS(i, fields & l->ttl)
    {
        int64_t deadline = (int64_t)row_load(r, l->fields[i].deadline);
        if (deadline != 0 && now >= deadline)
            gone |= UINT64_C(1) << i;
    }
    return gone;
}

int read_needs_arena(const struct layout *l, uint32_t i)
{
    return error_set(WARP_EINVAL, "%s.%s: an arena is needed for this field",
                     l->desc->name, l->desc->fields[i].name);
}

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for the result of a get");
}

int read_key(const struct layout *l, const uint8_t *bytes, size_t count,
             void *out, struct warp_arena *arena)
{
    int rc = key_decode(l->desc, bytes, count, NULL, out, arena);
    if (rc == WARP_ENOMEM)
        return no_memory();
    if (rc == WARP_EINVAL)
        return error_set(rc, "%s: an arena is needed for the key",
                         l->desc->name);
    return rc == WARP_OK ? rc
                         : error_set(rc, "%s: a key is damaged", l->desc->name);
}

/* Copies a value outside the row. 1: the record changed, try again. */
static int copy_var(struct reading *g, const struct record *r, uint64_t word,
                    uint32_t i)
{
    const struct field_layout *f = &g->l->fields[i];
    struct var *var = row_var(r, f->slot);
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint32_t bytes = (uint32_t)atomic_load_explicit(&var->len_cap,
                                                    memory_order_relaxed);
    if (f->place != UINT32_MAX) {
        uint8_t place[DISK_PLACE_BYTES];
        record_copy_out(place, r->row + f->place, sizeof place);
        disk_place_decode(place, &g->places[i]);
    } else {
        g->places[i] = (struct disk_place){0};
    }
    if (at == VAR_COLD) {
        uint64_t bit = UINT64_C(1) << i;
        g->cold |= bit;
        if ((g->l->tiered & bit) && disk_place_archived(&g->places[i]))
            g->archived |= bit;
        return 0;
    }
    /* The address is followed only if it belongs to this version. */
    if (!record_read_ok(r, word) || at == VAR_NONE)
        return 1;
    if (!g->arena)
        return read_needs_arena(g->l, i);
    uint8_t *copy = warp_arena_alloc(g->arena, bytes ? bytes : 1);
    if (!copy)
        return no_memory();
    record_copy_out(copy, (const void *)(uintptr_t)at, bytes);
    g->bytes += bytes;
    g->wire[i] = copy;
    g->wire_bytes[i] = bytes;
    g->decode |= UINT64_C(1) << i;
    return 0;
}

static int copy_field(struct reading *g, const struct record *r,
                      uint64_t word, uint32_t i)
{
    const struct field_layout *f = &g->l->fields[i];
    uint8_t *to = g->out + f->offset;
    const uint8_t *from = r->row + f->slot;
    if (f->form == SLOT_COLUMN) {
        g->have |= UINT64_C(1) << i;
        return !column_read(g->columns, r, i, to);
    }
    if (f->form == SLOT_VAR)
        return copy_var(g, r, word, i);
    if (f->form == SLOT_WIRE) {
        record_copy_out(g->scratch + g->scratch_used, from, f->bytes);
        g->wire[i] = g->scratch + g->scratch_used;
        g->wire_bytes[i] = f->bytes;
        g->scratch_used += (f->bytes + 7) & ~7u;
        g->decode |= UINT64_C(1) << i;
        return 0;
    }
    read_fixed(f, to, from);
    g->have |= UINT64_C(1) << i;
    return 0;
}

/* A default is the value of what was never written, not of what expired or was
 * lost. */
static uint64_t preset_of(const struct layout *l, const struct record *r,
                          uint64_t have, int64_t now)
{
    uint64_t preset = l->presets & ~have;
    if (preset && l->lost != UINT32_MAX)
        preset &= ~row_load(r, l->lost);
    if (preset & l->ttl)
        preset &= ~read_expired(l, r, preset, now);
    return preset;
}

/* 0, 1 (changed meanwhile) or an error. */
static int try_copy(struct reading *g, const struct record *r, uint64_t word,
                    uint64_t fields)
{
    const struct layout *l = g->l;
    uint64_t have = record_have(r);
    g->have = g->cold = g->archived = g->decode = 0;
    g->scratch_used = 0;
    g->bytes = 0;
    if (l->leaves_whole)
        g->bytes = record_alloc_bytes(l, r);
    if (have & R_DELETED)
        return record_read_ok(r, word) && !(have & R_AWAY) ? WARP_ENOTFOUND
                                                           : 1;
    if (l->deadline != UINT32_MAX) {
        int64_t deadline = (int64_t)row_load(r, l->deadline);
        if (deadline != 0 && g->now >= deadline)
            return record_read_ok(r, word) ? WARP_ENOTFOUND : 1;
    }
    g->preset = preset_of(l, r, have, g->now) & fields;
    uint64_t present = have & fields & l->stored;
    if (present & l->ttl)
        present &= ~read_expired(l, r, present, g->now);
    FOR_BITS(i, present)
    {
        int rc = copy_field(g, r, word, (uint32_t)i);
        if (rc != 0)
            return rc;
    }
    return record_read_ok(r, word) ? 0 : 1;
}

struct fetch_room {
    struct warp_arena *arena;
    void *data;
    size_t bytes;
};

static void *fetch_alloc(void *arg, size_t bytes)
{
    struct fetch_room *room = arg;
    room->bytes = bytes;
    room->data = warp_arena_alloc(room->arena, bytes ? bytes : 1);
    return room->data;
}

/* A value that was read from its tier stays in memory, unless its policy or the
 * budget forbids it: an attempt that gives way to everybody else; but the
 * store's own work, which reads for that alone, waits for the lock. */
static void keep(const struct reading *g, struct shard *s, struct record *r,
                 uint64_t word, uint32_t i)
{
    struct warp_db *db = g->db;
    const struct layout *l = g->l;
    const void *data = g->wire[i];
    uint32_t bytes = g->wire_bytes[i];
    uint64_t used = db_memory_used(db), limit = db->memory_max;
    uint32_t cap = (uint32_t)heap_block_bytes(bytes);
    if (((l->disk_only | ~l->leaves) >> i & 1) ||
        used + cap > limit - limit / 32)
        return;
    if (g->quiet)
        os_lock(&s->lock);
    else if (!os_trylock(&s->lock))
        return;
    _Atomic uint64_t *slot;
    struct var *var = row_var(r, l->fields[i].slot);
    /* It may have left memory since: only the index says that it is one. */
    if (shard_peek(s, g->key, &slot) == r && record_read_begin(r) == word &&
        atomic_load_explicit(&var->at, memory_order_relaxed) == VAR_COLD) {
        void *block = l->instance_max == 0 ||
                              record_alloc_bytes(l, r) + cap <= l->instance_max
                          ? shard_take(s, l, cap)
                          : NULL;
        if (block) {
            record_begin(r);
            record_copy_in(block, data, bytes);
            atomic_store_explicit(&var->at, (uint64_t)(uintptr_t)block,
                                  memory_order_relaxed);
            atomic_store_explicit(&var->len_cap,
                                  bytes | (uint64_t)cap << 32,
                                  memory_order_relaxed);
            record_end(r, record_version(r));
        }
    }
    os_unlock(&s->lock);
}

/* Values on a tier. 1: the record changed meanwhile. */
static int fetch_cold(struct reading *g, struct shard *s, uint64_t fields,
                      struct record *r, uint64_t *word, _Atomic uint64_t *slot,
                      bool locked)
{
    FOR_BITS(i, fields)
    {
        if (!g->arena)
            return read_needs_arena(g->l, (uint32_t)i);
        struct fetch_room room = {g->arena, NULL, 0};
        int rc = cold_fetch(g->db, g->l, g->key, (uint32_t)i, &g->places[i],
                            fetch_alloc, &room);
        bool same = record_read_ok(r, *word) && index_slot_holds(slot, r);
        if (!same)
            return 1;
        if (rc == WARP_ENOTFOUND)
            return error_set(WARP_ECORRUPT,
                             "%s.%s: the tier has lost the value",
                             g->l->desc->name, g->l->desc->fields[i].name);
        if (rc != WARP_OK)
            return rc;
        g->wire[i] = room.data;
        g->wire_bytes[i] = (uint32_t)room.bytes;
        g->decode |= UINT64_C(1) << i;
    }
    /* All of them belong to one version; only now may the record change. */
    if (!locked && !g->no_locks)
        FOR_BITS(i, fields)
        {
            keep(g, s, r, *word, (uint32_t)i);
            *word = record_read_begin(r);
        }
    return 0;
}

void read_presets(const struct layout *l, uint64_t fields, void *out)
{
    FOR_BITS(i, fields)
    {
        const struct warp_field *f = &l->desc->fields[i];
        memcpy((uint8_t *)out + f->offset, f->default_value, f->type->size);
    }
}

static int decode_all(struct reading *g)
{
    read_presets(g->l, g->preset, g->out);
    g->have |= g->preset;
    FOR_BITS(i, g->decode)
    {
        const struct field_layout *f = &g->l->fields[i];
        if (f->bare) {
            struct warp_str s = {(const char *)g->wire[i], g->wire_bytes[i]};
            memcpy(g->out + f->offset, &s, sizeof s);
        } else {
            int rc = codec_decode(g->l->desc->fields[i].type, g->wire[i],
                                  g->wire_bytes[i], g->out + f->offset,
                                  g->arena);
            if (rc != WARP_OK)
                return rc;
        }
        g->have |= UINT64_C(1) << i;
    }
    return WARP_OK;
}

static void begin_cold(struct reading *g)
{
    if (g->began_ns == 0 && g->l->movable && replace_is_on(g->db))
        g->began_ns = os_mono_ns();
}

/* The slowest of the tiers where these were; the record itself was on ssd. */
static enum replace_from from_of(const struct reading *g, uint64_t fetched)
{
    enum replace_from from = REPLACE_SSD;
    if (fetched & g->archived)
        return REPLACE_ARCHIVE;
    FOR_BITS(i, fetched)
        if (g->places[i].segment != 0)
            from = REPLACE_DISK;
    return from;
}

static void note_use(const struct reading *g, bool brought, uint64_t fetched)
{
    if (brought && !g->no_locks) {
        evict_brought(g->db, g->l, g->key, g->began_ns, from_of(g, fetched));
        return;
    }
    struct replace_use use = {.hash = g->key->hash,
                              .bytes = g->bytes ? g->bytes : 1,
                              .kind = REPLACE_HIT};
    if (g->began_ns && !brought)
        use.took = replace_took(os_mono_ns() - g->began_ns, REPLACE_HIT,
                                REPLACE_SSD);
    replace_note(g->db, g->l, use);
}

/* One get of stored fields; out->have is not touched. */
static int read_stored(struct reading *g, uint64_t fields, uint64_t flags)
{
    for (uint32_t tries = 0;; tries++) {
        _Atomic uint64_t *slot;
        bool cold;
        struct forward at = tries == 0
                                ? forward_guess(g->db, g->key)
                                : forward_of(g->db, g->l, g->key);
        struct shard *s = at.shard;
        g->columns = s->columns[g->l->number];
        struct record *r = shard_seek(s, g->l, g->key, &slot, &cold);
        if (!r) {
            if (!cold && forward_holds(g->db, g->l, g->key, &at))
                return WARP_ENOTFOUND;
            if (!cold)
                continue;
            if (g->no_locks)
                return READ_AWAY;
            begin_cold(g);
            g->brought = true;
            int rc = shard_fault(s, g->l, g->key);
            if (rc == WARP_ENOTFOUND &&
                !forward_holds(g->db, g->l, g->key, &at))
                continue;
            if (rc != WARP_OK)
                return rc;
            db_count(&db_stripe(g->db)->faults);
            continue;
        }
        /* A record under constant change: read it in a pause of its writers. */
        bool locked = tries >= TRIES_WITHOUT_LOCK && !g->no_locks;
        if (locked)
            os_lock(&s->lock);
        uint64_t word = record_read_begin(r);
        int rc = 1;
        if (!(word & 1) && index_slot_holds(slot, r) &&
            shard_matches(r, g->key))
            rc = try_copy(g, r, word, fields);
        if (rc == 0 && !index_slot_holds(slot, r))
            rc = 1;
        uint64_t fetch = flags & WARP_RESIDENT  ? 0
                         : flags & WARP_ARCHIVE ? g->cold
                                                : g->cold & ~g->archived;
        if (rc == 0 && fetch)
            begin_cold(g);
        if (rc == 0 && fetch)
            rc = fetch_cold(g, s, fetch, r, &word, slot, locked);
        if (locked)
            os_unlock(&s->lock);
        if (rc == 0) {
            bool brought = g->brought || fetch != 0;
            if (g->l->movable && (brought || !g->quiet) &&
                replace_is_on(g->db) &&
                (g->l->leaves_whole || (fields & g->l->leaves)) &&
                (fetch != 0 || g->cold == 0))
                note_use(g, brought, fetch);
            if (g->l->heat && !g->quiet)
                heat_touch(g->l->heat, g->key->hash);
            return decode_all(g);
        }
        if (rc != 1)
            return rc;
        if (tries > 4)
            os_yield();
    }
}

static int read_as(struct warp_db *db, const struct layout *l,
                   const struct key_ref *key, uint64_t fields, void *out,
                   struct warp_arena *arena, bool no_locks, bool quiet)
{
    struct reading g;
    struct warp_arena own = WARP_ARENA_INIT; /* of what is only an input */
    g.no_locks = no_locks;
    g.quiet = quiet;
    uint64_t asked = fields & R_FIELDS, inputs = 0;
    if (asked & l->derived)
        inputs = derive_inputs(l, asked & l->derived);
    uint64_t wanted = asked | inputs;
    g.db = db;
    g.l = l;
    g.key = key;
    g.arena = arena || (asked & l->var) ? arena : inputs ? &own : NULL;
    g.out = out;
    g.now = read_now(db, l);
    g.brought = false;
    g.began_ns = 0;
    struct stripe *stripe = db_stripe(db);
    if (!quiet)
        db_count(&stripe->gets);
    if (!quiet && l->movable && replace_is_on(db) &&
        atomic_load_explicit(&stripe->gets, memory_order_relaxed) %
                TIMED_OF == 0)
        g.began_ns = os_mono_ns();
    int rc = read_stored(&g, wanted, fields);
    uint64_t have = g.have;
    if (rc == WARP_OK && (inputs & l->keys))
        rc = read_key(l, key->bytes, key->count, out, g.arena);
    if (rc == WARP_OK && inputs)
        rc = derive_fields(db, l, out, wanted, &have, no_locks);
    /* They may point to what is given back below; the caller sets the key. */
    FOR_BITS(i, (inputs & ~asked) | (inputs & l->keys ? l->keys : 0))
        memset(g.out + l->fields[i].offset, 0, l->desc->fields[i].type->size);
    have &= asked;
    if (rc == WARP_OK)
        memcpy(g.out + l->desc->have_offset, &have, sizeof have);
    if (g.arena == &own)
        warp_arena_free(&own);
    return rc;
}

int read_record(struct warp_db *db, const struct layout *l,
                const struct key_ref *key, uint64_t fields, void *out,
                struct warp_arena *arena)
{
    if (read_quick(db, l, key, fields, out, arena))
        return WARP_OK;
    return read_as(db, l, key, fields, out, arena, false, false);
}

int read_record_quiet(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key, uint64_t fields, void *out,
                      struct warp_arena *arena)
{
    return read_as(db, l, key, fields, out, arena, false, true);
}

int read_record_held(struct warp_db *db, const struct layout *l,
                     const struct key_ref *key, uint64_t fields, void *out,
                     struct warp_arena *arena)
{
    return read_as(db, l, key, fields, out, arena, true, false);
}

/* ---- without values ---- */

struct glance {
    uint64_t have, marks, version, expired, cold, archived;
    bool exists;
};

static int glance(struct warp_db *db, const struct layout *l,
                  const struct key_ref *key, struct glance *out)
{
    int64_t now = read_now(db, l);
    for (uint32_t tries = 0;; tries++) {
        _Atomic uint64_t *slot;
        bool cold;
        struct forward at = tries == 0 ? forward_guess(db, key)
                                       : forward_of(db, l, key);
        struct shard *s = at.shard;
        struct record *r = shard_seek(s, l, key, &slot, &cold);
        if (!r) {
            if (!forward_holds(db, l, key, &at))
                continue;
            if (!cold) {
                memset(out, 0, sizeof *out);
                return WARP_OK;
            }
            int rc = shard_fault(s, l, key);
            if (rc == WARP_OK && replace_is_on(db))
                replace_stray(db);
            if (rc == WARP_ENOTFOUND &&
                !forward_holds(db, l, key, &at))
                continue;
            if (rc == WARP_ENOTFOUND) {
                memset(out, 0, sizeof *out);
                return WARP_OK;
            }
            if (rc != WARP_OK)
                return rc;
            continue;
        }
        uint64_t word = record_read_begin(r);
        out->have = record_have(r);
        bool is_away = (out->have & R_AWAY) != 0;
        out->marks = l->lost == UINT32_MAX ? 0 : row_load(r, l->lost);
        out->version = apply_version(s, l, r, key->hash);
        out->expired = read_expired(l, r, l->ttl, now);
        out->cold = out->archived = 0;
        FOR_BITS(i, l->cold & out->have)
            if (atomic_load_explicit(&row_var(r, l->fields[i].slot)->at,
                                     memory_order_relaxed) == VAR_COLD)
                out->cold |= UINT64_C(1) << i;
        FOR_BITS(i, l->tiered & out->cold)
        {
            uint8_t bytes[DISK_PLACE_BYTES];
            struct disk_place place;
            record_copy_out(bytes, r->row + l->fields[i].place, sizeof bytes);
            disk_place_decode(bytes, &place);
            if (disk_place_archived(&place))
                out->archived |= UINT64_C(1) << i;
        }
        out->have |= preset_of(l, r, out->have, now);
        out->exists = shard_exists(l, r, now);
        if (!(word & 1) && shard_matches(r, key) && !is_away &&
            record_read_ok(r, word) && index_slot_holds(slot, r))
            return WARP_OK;
        if (tries > 4)
            os_yield(); /* its writer may wait for a lock */
    }
}

enum warp_state read_state(struct warp_db *db, const struct layout *l,
                           const struct key_ref *key, uint32_t field,
                           uint64_t flags)
{
    struct glance g;
    uint64_t bit = UINT64_C(1) << field;
    if (glance(db, l, key, &g) != WARP_OK)
        return WARP_STATE_ERROR;
    if (!g.exists)
        return WARP_ABSENT;
    uint64_t unread = flags & WARP_RESIDENT  ? g.cold
                      : flags & WARP_ARCHIVE ? 0
                                             : g.archived;
    if (l->keys & bit)
        return WARP_PRESENT;
    if (g.expired & bit)
        return WARP_EXPIRED;
    if (l->derived & bit) {
        const struct warp_field *f = &l->desc->fields[field];
        uint64_t inputs = derive_inputs(l, bit) & ~l->derived;
        if (inputs & unread)
            return WARP_COLD;
        return (f->derive || f->kernel) &&
                       !(inputs & ~((g.have & ~g.expired) | l->keys))
                   ? WARP_PRESENT
                   : WARP_ABSENT;
    }
    if (g.have & bit)
        return unread & bit ? WARP_COLD : WARP_PRESENT;
    return g.marks & bit ? WARP_LOST : WARP_ABSENT;
}

int read_version(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, uint64_t *version)
{
    struct glance g;
    int rc = glance(db, l, key, &g);
    if (rc != WARP_OK)
        return rc;
    if (!g.exists)
        return WARP_ENOTFOUND;
    *version = g.version;
    return WARP_OK;
}

int read_warm(struct warp_db *db, const struct layout *l,
              const struct key_ref *key, uint64_t fields, bool quiet)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct reading g;
    g.db = db;
    g.l = l;
    g.key = key;
    g.arena = &arena;
    g.now = read_now(db, l);
    g.no_locks = false;
    g.quiet = quiet;
    g.brought = false;
    g.began_ns = 0;
    g.out = warp_arena_alloc(&arena, l->desc->record_bytes);
    int rc = g.out ? read_stored(&g, fields & R_FIELDS, fields)
                   : no_memory();
    warp_arena_free(&arena);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}
