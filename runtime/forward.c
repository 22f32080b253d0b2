/* forward.c: see forward.h. */
#include "forward.h"

#include "error.h"
#include "planted.h"

struct forward forward_look(const struct warp_db *db,
                            const struct key_ref *key)
{
    struct shard *home = forward_home(db, key);
    for (uint32_t tries = 0;; tries++) {
        _Atomic uint64_t *slot;
        const struct record *r = shard_peek(home, key, &slot);
        if (!r)
            return (struct forward){home, 0};
        uint64_t word = record_read_begin(r), have = record_have(r);
        /* Any other state is for whoever reads the record. */
        if (!(word & 1) && !(have & R_AWAY))
            return (struct forward){home, 0};
        if (!(word & 1) && shard_matches(r, key) && record_read_ok(r, word) &&
            index_slot_holds(slot, r))
            return (struct forward){&db->shards[have & R_FIELDS], word};
        if (tries > 4)
            os_yield();
    }
}

bool forward_here(const struct shard *s, const struct layout *l,
                  const struct key_ref *key, const struct record *r)
{
    if (!l->roams)
        return true;
    uint64_t have = r ? record_have(r) : R_DELETED;
    if (!(have & R_DELETED))
        return true;
    return !(have & R_AWAY) && forward_look(s->db, key).shard == s;
}

struct shard *forward_lock(struct warp_db *db, const struct layout *l,
                           const struct key_ref *key)
{
    for (;;) {
        struct shard *s = forward_shard(db, l, key);
        os_lock(&s->lock);
        if (!l->roams || forward_look(db, key).shard == s)
            return s;
        os_unlock(&s->lock);
    }
}

int forward_find(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, struct shard **shard,
                 struct record **record)
{
    for (;;) {
        *shard = forward_lock(db, l, key);
        int rc = shard_find(*shard, l, key, record);
        /* The home did not know until the row was read. */
        if (rc != WARP_OK || !l->roams || !*record ||
            !(record_have(*record) & R_AWAY))
            return rc;
        os_unlock(&(*shard)->lock);
    }
}

/* ---- making them ---- */

int forward_install(struct shard *home, const struct layout *l,
                    const struct key_ref *key, uint32_t to,
                    struct record **out)
{
    _Atomic uint64_t *slot;
    struct record *r = shard_peek(home, key, &slot);
    if (r && !(record_have(r) & R_DELETED))
        return error_set(WARP_ECORRUPT,
                         "%s: shards %u and %u hold the same key: run warp "
                         "repair",
                         l->desc->name, home->number, to);
    if (!r)
        r = shard_create(home, l, key, 0, true);
    if (!r)
        return WARP_ELIMIT;
    if (!(record_have(r) & R_AWAY))
        atomic_fetch_add(&home->db->records_away, 1);
    atomic_store(&home->db->roamed, true);
    record_begin(r);
    record_set_have(r, (record_have(r) & ~R_FIELDS) | R_DELETED | R_AWAY | to);
    record_end(r, record_version(r));
    if (out)
        *out = r;
    return WARP_OK;
}

void forward_clear(struct shard *s, struct record *r)
{
    uint64_t before = record_have(r);
    record_begin(r);
    record_set_have(r, before & ~(R_AWAY | R_FIELDS));
    shard_counted(s, r, before);
    record_end(r, record_version(r));
}

struct told {
    const struct layout *layout;
    uint32_t home, shard;
};

static int tell_shard(void *arg, struct ssd_slice value)
{
    struct told *t = arg;
    t->shard = row_shard(value, t->home);
    return WARP_OK;
}

int forward_in_directory(struct warp_db *db, const struct layout *l,
                         const struct key_ref *key, uint32_t *shard)
{
    uint8_t bytes[ROW_KEY_BYTES_MAX];
    struct ssd_slice k = {bytes,
                          row_key(bytes, l->id, key->bytes, key->count)};
    struct told told = {.home = forward_home(db, key)->number};
    int rc = ssd_get(db->ssd, SSD_ROWS, k, tell_shard, &told);
    *shard = told.shard;
    if (rc == WARP_OK && told.shard >= db->shard_count)
        return error_set(WARP_ECORRUPT, "%s: a stored row names shard %u",
                         l->desc->name, told.shard);
    return rc;
}

/* ---- after a replay ---- */

struct rebuild {
    struct warp_db *db;
    struct shard *shard;
    bool ends; /* the second walk: forwards without an end */
    uint64_t away; /* those that it leaves */
    int rc;
};

static struct key_ref key_of(const struct layout *l, const struct record *r,
                             uint64_t hash)
{
    struct key_ref key = record_key_ref(l, r, hash);
    return key;
}

/* Of one whose record is not in memory. */
static int find_end(struct rebuild *b, const struct layout *l,
                    struct record *r, const struct key_ref *key)
{
    uint32_t to = b->shard->number;
    int rc = forward_in_directory(b->db, l, key, &to);
    if (rc == WARP_OK && to != b->shard->number)
        return forward_install(b->shard, l, key, to, NULL);
    if (rc == WARP_OK)
        return error_set(WARP_ECORRUPT,
                         "%s: a record left shard %u, and is in none: run "
                         "warp repair",
                         l->desc->name, to);
    if (rc == WARP_ENOTFOUND) /* it was deleted since */
        forward_clear(b->shard, r);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

static void rebuild_record(void *arg, void *record)
{
    struct rebuild *b = arg;
    struct record *r = record;
    const struct layout *l = b->db->layouts[record_product(r)];
    uint64_t have = record_have(r);
    if (!l->roams || b->rc != WARP_OK ||
        (b->ends ? !(have & R_AWAY) : (have & R_DELETED) != 0))
        return;
    struct key_ref key = key_of(l, r, shard_record_hash(b->shard, r));
    struct shard *home = forward_home(b->db, &key);
    if (!b->ends && home != b->shard)
        b->rc = forward_install(home, l, &key, b->shard->number, NULL);
    else if (b->ends && home == b->shard &&
             (have & R_FIELDS) == b->shard->number)
        b->rc = find_end(b, l, r, &key);
    b->away += b->ends && home == b->shard && (record_have(r) & R_AWAY);
}

int forward_rebuild(struct warp_db *db)
{
    bool any = false;
    struct rebuild b = {.db = db, .rc = WARP_OK};
    for (uint32_t i = 0; i < db->layout_count; i++)
        any = any || db->layouts[i]->roams;
    any = any && !PLANTED(lost_forward);
    for (int walk = 0; any && walk < 2; walk++)
        for (uint32_t i = 0; i < db->shard_count; i++) {
            b.ends = walk == 1;
            b.shard = &db->shards[i];
            for (uint32_t n = 0; b.rc == WARP_OK &&
                                 index_walk(&b.shard->index, n,
                                            rebuild_record, &b);
                 n++)
                ;
        }
    /* A replay makes and clears them as it goes, and does not count. */
    if (any)
        atomic_store(&db->records_away, b.away);
    return b.rc;
}
