/* forward.h: in which shard a record is.
 *
 * That of its key's hash, its home, unless it was moved (relocate.h): then the
 * home holds a forward, a record with R_DELETED and R_AWAY whose field bits are
 * the number of the shard. A key that nobody moved costs nothing: who finds its
 * record never asks for a forward.
 *
 * F1 a forward changes under the locks of its home and of the shard that it
 *    names, or named: under the lock of a shard nothing comes to it or leaves.
 * F2 a key that is away has its forward in memory, or is not in memory anywhere
 *    and its row in the directory tells the shard.
 * F3 forwards are not logged: after a replay they are made of the records that
 *    it left in other shards, and later of rows, when those are read.
 * F4 a record that is gone leaves its forward until the store is opened again:
 *    the key is written where it points to, and comes home by a move alone. So
 *    a shard's log always tells whether a key is there at its end. */
#ifndef WARP_FORWARD_H
#define WARP_FORWARD_H

#include "db.h"
#include "hash.h"
#include "row.h"

struct forward {
    struct shard *shard;
    uint64_t word; /* of the forward as it was read; 0: there is none */
};

/* In place of a commit's code: the record is in another shard by now. */
enum { FORWARD_ELSEWHERE = 1 << 20 };

static inline struct shard *forward_home(const struct warp_db *db,
                                         const struct key_ref *key)
{
    return &db->shards[hash_shard(key->hash, db->shard_count)];
}
/* The first look of a read: at home, where all are but those that were moved;
 * what it finds there tells where else. */
static inline struct forward forward_guess(const struct warp_db *db,
                                           const struct key_ref *key)
{
    return (struct forward){forward_home(db, key), 0};
}
/* Without a lock: of a key of a product that roams. */
struct forward forward_look(const struct warp_db *db,
                            const struct key_ref *key);
static inline struct forward forward_of(const struct warp_db *db,
                                        const struct layout *l,
                                        const struct key_ref *key)
{
    const _Atomic bool *roamed = &((struct warp_db *)(uintptr_t)db)->roamed;
    return l->roams && atomic_load_explicit(roamed, memory_order_acquire)
               ? forward_look(db, key)
               : forward_guess(db, key);
}
static inline struct shard *forward_shard(const struct warp_db *db,
                                          const struct layout *l,
                                          const struct key_ref *key)
{
    return forward_of(db, l, key).shard;
}
/* After a miss there: was it the right place all the time? */
static inline bool forward_holds(const struct warp_db *db,
                                 const struct layout *l,
                                 const struct key_ref *key,
                                 const struct forward *was)
{
    if (!l->roams)
        return true;
    struct forward now = forward_look(db, key);
    return now.shard == was->shard && now.word == was->word;
}

/* Under the lock of `shard`, where the key's record, or none, was found: is it
 * the place to change the record, or to make it? */
bool forward_here(const struct shard *shard, const struct layout *l,
                  const struct key_ref *key, const struct record *record);
/* Locks the shard where the record is. */
struct shard *forward_lock(struct warp_db *db, const struct layout *l,
                           const struct key_ref *key);
/* The same and shard_find. *shard is locked, whatever is returned. */
int forward_find(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, struct shard **shard,
                 struct record **record);

/* Under the home's lock: the key is in shard `to`. *forward may be NULL. */
int forward_install(struct shard *home, const struct layout *l,
                    const struct key_ref *key, uint32_t to,
                    struct record **forward);
/* Under the lock: no forward any more, a record that does not exist. */
void forward_clear(struct shard *shard, struct record *record);
/* WARP_ENOTFOUND, or the shard that the key's row in the directory names. */
int forward_in_directory(struct warp_db *db, const struct layout *l,
                         const struct key_ref *key, uint32_t *shard);

/* After the log's replay: F3. */
int forward_rebuild(struct warp_db *db);

#endif
