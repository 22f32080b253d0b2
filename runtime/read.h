/* read.h: from a record in memory, and its tiers, to a C struct. No lock. */
#ifndef WARP_READ_H
#define WARP_READ_H

#include "clock.h"
#include "db.h"

/* Fills the asked fields of `out` (a record struct; zeroed first) and its have
 * bits, not the key. fields may hold call flags. WARP_ENOTFOUND: no text. */
int read_record(struct warp_db *db, const struct layout *l,
                const struct key_ref *key, uint64_t fields, void *out,
                struct warp_arena *arena);
/* The key's fields of `out` from its stored form; texts go to the arena. */
int read_key(const struct layout *l, const uint8_t *bytes, size_t count,
             void *out, struct warp_arena *arena);
/* As read_record, for the store's own work: that is no use of the record. */
int read_record_quiet(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key, uint64_t fields, void *out,
                      struct warp_arena *arena);
/* Why a field has a value or none. flags of a call: COLD when a read with them
 * leaves it out. */
enum warp_state read_state(struct warp_db *db, const struct layout *l,
                           const struct key_ref *key, uint32_t field,
                           uint64_t flags);
/* As read_record, for a caller that holds locks of shards: never takes one.
 * READ_AWAY: it takes some to bring the record into memory. */
enum { READ_AWAY = 2 };
int read_record_held(struct warp_db *db, const struct layout *l,
                     const struct key_ref *key, uint64_t fields, void *out,
                     struct warp_arena *arena);
int read_version(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, uint64_t *version);
/* Brings cold fields of a record into memory, where its policy keeps them.
 * quiet: it counts as no use. */
int read_warm(struct warp_db *db, const struct layout *l,
              const struct key_ref *key, uint64_t fields, bool quiet);
/* Of these fields, those whose deadline has passed. */
uint64_t read_expired(const struct layout *l, const struct record *r,
                      uint64_t fields, int64_t now);
/* WARP_EINVAL: this field's value needs an arena, and there is none. */
int read_needs_arena(const struct layout *l, uint32_t field);
/* A value of the row that stands there as in the struct, as a reader may. */
static inline void read_fixed(const struct field_layout *f, uint8_t *to,
                              const uint8_t *from)
{
    switch (f->form) { /* the usual sizes without a call */
    case SLOT_1: record_copy_out(to, from, 1); break;
    case SLOT_2: record_copy_out(to, from, 2); break;
    case SLOT_4: record_copy_out(to, from, 4); break;
    case SLOT_8: record_copy_out(to, from, 8); break;
    default: record_copy_out(to, from, f->bytes);
    }
}
/* Writes the defaults of these fields. */
void read_presets(const struct layout *l, uint64_t fields, void *out);
/* The store's clock where the product has a ttl anywhere, else 0. */
static inline int64_t read_now(const struct warp_db *db,
                               const struct layout *l)
{
    return l->ttl || l->deadline != UINT32_MAX ? clock_now(db->clock) : 0;
}

#endif
