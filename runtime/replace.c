/* replace.c: see replace.h. Rings of uses, and the engines that learn from
 * them; capacities are in replace_room.c. */
#include "replace_part.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>

/* ---- open and close ---- */

static uint8_t domain_for(struct replace *p, const struct layout *l)
{
    const struct warp_strategy *s = l->desc->strategy;
    bool learning = !s || s->access_pattern_learning != 0;
    for (uint32_t i = 0; i < p->domain_count; i++) {
        const struct replace_domain *d = &p->domains[i];
        if (d->pools[0] == l->pools[0] && d->pools[1] == l->pools[1] &&
            d->priority == l->priority && d->learning == learning)
            return (uint8_t)i;
    }
    struct replace_domain *d = &p->domains[p->domain_count];
    *d = (struct replace_domain){.replace = p,
                                 .pools = {l->pools[0], l->pools[1]},
                                 .priority = l->priority,
                                 .learning = learning};
    place_map_init(&d->map);
    return (uint8_t)p->domain_count++;
}

/* The same domains once more for the other arm's keys. */
static int open_ab(struct replace *p)
{
    const char *names = p->db->options.placement_ab;
    p->db->options.placement_ab = NULL; /* the caller's text is not kept */
    int rc = names ? replace_ab_open(names, &p->ab) : WARP_OK;
    if (!p->ab)
        return rc;
    for (uint32_t i = 0; i < p->domain_count; i++) {
        struct replace_domain *d = &p->domains[p->domain_count + i];
        *d = p->domains[i];
        d->arm = 1;
    }
    p->domain_count *= 2;
    return rc;
}

int replace_open(struct warp_db *db)
{
    enum { DOMAINS_MOST = 255 };
    uint32_t movable = 0;
    for (uint32_t i = 0; i < db->layout_count; i++)
        movable += db->layouts[i]->movable;
    if (movable == 0)
        return WARP_OK;
    if (movable > DOMAINS_MOST)
        movable = DOMAINS_MOST;
    struct replace *p =
        calloc(1, sizeof *p + 2 * movable * sizeof p->domains[0]);
    if (p) {
        p->db = db;
        db->replace = p;
        p->queues = calloc(db->shard_count, sizeof *p->queues);
        p->counts = calloc(db->layout_count, sizeof *p->counts);
        p->rings = os_reserve(DB_STRIPES * sizeof *p->rings);
    }
    if (!p || !p->queues || !p->counts || !p->rings)
        return error_set(WARP_ENOMEM, "out of memory for what may leave it");
    atomic_store(&p->strays, 1);
    p->began_ms = os_boot_ms();
    for (uint32_t i = 0; i < db->layout_count; i++) {
        struct layout *l = db->layouts[i];
        /* Past the last one all that is left shares it. */
        if (l->movable)
            l->domain = p->domain_count < DOMAINS_MOST ? domain_for(p, l)
                                                       : DOMAINS_MOST - 1;
    }
    return open_ab(p);
}

void replace_close(struct warp_db *db)
{
    struct replace *p = db->replace;
    atomic_store(&db->replacing, false);
    db->replace = NULL;
    if (!p)
        return;
    for (uint32_t i = 0; i < p->domain_count; i++) {
        place_destroy(&p->domains[i].place);
        place_map_fini(&p->domains[i].map);
    }
    for (uint32_t i = 0; p->queues && i < db->shard_count; i++)
        free(p->queues[i].hashes);
    free(p->queues);
    free(p->counts);
    free(p->ab);
    if (p->rings)
        os_unreserve(p->rings, DB_STRIPES * sizeof *p->rings);
    free(p);
}

void replace_begin(struct warp_db *db)
{
    struct replace *p = db->replace;
    if (!p || replace_is_on(db))
        return;
    os_lock(&p->lock);
    uint64_t most = db->memory_max - db->memory_max / 8,
             rest = atomic_load(&db->budget.used);
    if (p->budget_bytes == 0)
        p->budget_bytes = most > rest + most / 8 ? most - rest : most / 8 + 1;
    atomic_store_explicit(&db->replacing, true, memory_order_release);
    os_unlock(&p->lock);
    if (db_dirty_records(db) == 0)
        return;
    atomic_store(&db->no_room, true);
    db_wake_keeper(db);
}

void replace_fix(struct warp_db *db, const struct replace_fixed *fixed)
{
    struct replace *p = db->replace;
    os_lock(&p->lock);
    p->fixed = *fixed;
    if (fixed->capacity_bytes)
        p->budget_bytes = fixed->capacity_bytes;
    os_unlock(&p->lock);
}

/* ---- notes ---- */

/* Looks at the engines' end only when it seems to be full. */
static bool has_room(struct replace_ring *r, uint32_t head)
{
    if (head - atomic_load_explicit(&r->tail_seen, memory_order_relaxed) <
        REPLACE_RING)
        return true;
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    atomic_store_explicit(&r->tail_seen, tail, memory_order_relaxed);
    return head - tail < REPLACE_RING;
}

/* A kind of four bits says too where something came from. */
static uint8_t pack_kind(const struct replace_use *use)
{
    return use->kind == REPLACE_TAKES && use->from > 0
               ? (uint8_t)(REPLACE_LEFT + use->from)
               : use->kind;
}

static void unpack_kind(struct replace_use *use)
{
    use->from = use->kind > REPLACE_LEFT ? use->kind - REPLACE_LEFT : 0;
    use->kind = use->from > 0 ? REPLACE_TAKES : use->kind;
}

void replace_note(struct warp_db *db, const struct layout *l,
                  struct replace_use use)
{
    struct replace *p = db->replace;
    uint32_t stripe = (uint32_t)(db_stripe(db) - db->stripes);
    struct replace_ring *r = &p->rings[stripe];
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (!has_room(r, head)) {
        if (use.kind != REPLACE_HIT)
            replace_drain(db);
        if (!has_room(r, head)) {
            atomic_fetch_add_explicit(&p->lost, 1, memory_order_relaxed);
            if (use.kind != REPLACE_HIT)
                replace_stray(db);
            return;
        }
    }
    if (head == 0)
        atomic_fetch_or_explicit(&p->ringing, UINT64_C(1) << stripe,
                                 memory_order_relaxed);
    atomic_store_explicit(&r->uses[head % REPLACE_RING].hash, use.hash,
                          memory_order_relaxed);
    atomic_store_explicit(&r->uses[head % REPLACE_RING].word,
                          use.bytes | (uint64_t)pack_kind(&use) << 32 |
                              (uint64_t)l->number << 36 |
                              (uint64_t)use.took << 52,
                          memory_order_relaxed);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

bool replace_is_behind(struct warp_db *db)
{
    const struct replace *p = db->replace;
    struct replace_ring *r = &p->rings[db_stripe(db) - db->stripes];
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed),
             tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    return p->fixed.capacity_bytes != 0 || head - tail > REPLACE_RING / 2;
}

/* ---- learning, under the lock ---- */

static void enqueue(struct replace *p, struct replace_queue *q, uint64_t hash)
{
    if (q->count == q->room) {
        uint32_t room = q->room ? q->room * 2 : 64;
        uint64_t *grown = room > REPLACE_LEAVING_MOST
                              ? NULL
                              : realloc(q->hashes, room * sizeof *grown);
        if (!grown) {
            replace_stray(p->db); /* a walk will find it */
            return;
        }
        q->hashes = grown;
        q->room = room;
    }
    q->hashes[q->count++] = hash;
    atomic_fetch_add_explicit(&p->leaving, 1, memory_order_relaxed);
}

/* The engine has let go of one: its record's shard hears of it. */
static void let_go(void *owner, uint32_t number)
{
    struct replace_domain *d = owner;
    struct replace *p = d->replace;
    struct place_entry *e = &d->map.entries[number];
    e->moved = p->now_ds & REPLACE_AGES;
    e->hits = 0;
    if (p->ab)
        replace_ab_decision(d, e);
    enqueue(p, &p->queues[hash_shard(e->hash, p->db->shard_count)], e->hash);
}

static struct place *place_of(struct replace_domain *d)
{
    const struct replace *p = d->replace;
    uint64_t capacity = p->budget_bytes;
    for (int i = 0; i < 2 && !p->fixed.capacity_bytes; i++)
        if (d->pools[i] && d->pools[i]->limit < capacity)
            capacity = d->pools[i]->limit;
    if (!d->place) {
        uint32_t sample = p->fixed.sample ? p->fixed.sample
                                          : place_sample(capacity);
        const struct replace_arm *arm = p->ab ? &p->ab->arms[d->arm] : NULL;
        bool lru = arm ? arm->lru : p->fixed.lru,
             learning = d->learning && sample > 0 && !lru;
        struct place_options o = {.capacity_bytes =
                                      arm ? capacity / 2 + 1 : capacity,
                                  .seed = p->fixed.seed,
                                  .learning = learning &&
                                              (!arm || arm->learning),
                                  .lru = lru,
                                  .sample = sample,
                                  .now_ns = p->fixed.capacity_bytes
                                                ? NULL
                                                : os_mono_ns,
                                  .evicted = let_go,
                                  .owner = d};
        d->place = place_create(&o);
    }
    return d->place;
}

static double took_ns(const struct replace_use *use)
{
    return (double)use->took *
           (double)replace_unit_ns(use->kind, use->from);
}

static void follow(double *mean, double ns)
{
    *mean += *mean == 0 ? ns : (ns - *mean) / 256;
}

void replace_count_use(struct replace_count *c, const struct replace_use *use,
                       bool held)
{
    double ns = took_ns(use);
    c->hits += held;
    c->misses += !held && use->kind == REPLACE_TAKES;
    if (use->took == 0)
        return;
    if (use->kind != REPLACE_HIT)
        follow(&c->miss_ns, ns);
    else if (held)
        follow(&c->hit_ns, ns);
    if (use->kind == REPLACE_TAKES)
        follow(&c->from_ns[use->from], ns);
}

/* What a hit of this one saves, to what one of its domain does: as times are
 * measured, only their ratio is the same from one run to the next. */
static uint32_t saves(struct replace *p, struct replace_domain *d,
                      const struct layout *l, const struct replace_use *use)
{
    enum { USUAL = 1 << 16 };
    const double *ns = p->fixed.from_ns[REPLACE_SSD] > 0
                           ? p->fixed.from_ns
                           : p->counts[l->number].from_ns;
    double usual = p->fixed.from_ns[REPLACE_SSD] > 0
                       ? p->fixed.from_ns[REPLACE_SSD]
                       : d->miss_ns,
           ratio = usual > 0 && ns[use->from] > 0 ? ns[use->from] / usual : 1;
    if (use->kind != REPLACE_TAKES)
        return 0;
    return ratio * USUAL < 1             ? 1
           : ratio < UINT32_MAX / USUAL ? (uint32_t)(ratio * USUAL)
                                         : UINT32_MAX;
}

static void learn_one(struct replace *p, const struct layout *l,
                      const struct replace_use *use)
{
    struct replace_domain *d = replace_domain_of(p, l, use->hash);
    if (!place_of(d))
        return;
    bool is_new = false;
    uint32_t number = use->kind <= REPLACE_WRITES
                          ? place_map_number(&d->map, d->place, use->hash,
                                             &is_new)
                          : place_map_find(&d->map, use->hash);
    if (number == PLACE_NONE) {
        if (use->kind <= REPLACE_WRITES)
            replace_stray(p->db);
        return;
    }
    if (use->kind == REPLACE_GONE) {
        place_drop(d->place, number);
        place_map_remove(&d->map, number);
        return;
    }
    struct place_entry *e = &d->map.entries[number];
    if (use->kind == REPLACE_LEFT) {
        place_leave(d->place, number);
        e->moved = p->now_ds & REPLACE_AGES;
        e->hits = 0;
        return;
    }
    bool held = place_holds(d->place, number);
    if (p->ab)
        replace_ab_use(d, use, e, held);
    replace_count_use(&p->counts[l->number], use, held);
    if (use->kind == REPLACE_TAKES && use->took != 0)
        follow(&d->miss_ns, took_ns(use));
    struct place_request request = {number, use->bytes, use->hash,
                                    use->kind == REPLACE_WRITES,
                                    saves(p, d, l, use)};
    if (use->kind == REPLACE_HIT && held)
        request.bytes = 0;
    if (place_access(d->place, &request) < 0) {
        replace_stray(p->db);
        return;
    }
    /* The engine keeps it outside, where it is not. */
    if (!place_holds(d->place, number))
        let_go(d, number);
    if (is_new && l->prior != 0)
        place_prior(d->place, number, l->prior);
    e->product = l->number;
    e->passes = 0;
    e->hits = (uint16_t)(e->hits + (e->hits < UINT16_MAX));
    if (!held) {
        e->moved = p->now_ds & REPLACE_AGES;
        e->hits = 0;
    }
}

void replace_learn(struct replace *p)
{
    uint64_t ringing = atomic_load_explicit(&p->ringing, memory_order_relaxed);
    FOR_BITS(i, ringing)
    {
        struct replace_ring *r = &p->rings[i];
        uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed),
                 head = atomic_load_explicit(&r->head, memory_order_acquire);
        /* Two threads of one stripe: one of them has put it back. */
        if (head - tail > REPLACE_RING)
            tail = head;
        for (; tail != head; tail++) {
            uint64_t word = atomic_load_explicit(
                &r->uses[tail % REPLACE_RING].word, memory_order_relaxed);
            struct replace_use use = {
                atomic_load_explicit(&r->uses[tail % REPLACE_RING].hash,
                                     memory_order_relaxed),
                (uint32_t)word, (uint8_t)(word >> 32 & 15),
                0, (uint16_t)(word >> 52)};
            unpack_kind(&use);
            learn_one(p, p->db->layouts[word >> 36 & UINT16_MAX], &use);
        }
        atomic_store_explicit(&r->tail, tail, memory_order_release);
    }
}

void replace_drain(struct warp_db *db)
{
    struct replace *p = db->replace;
    os_lock(&p->lock);
    replace_learn(p);
    os_unlock(&p->lock);
}

/* ---- what leaves ---- */

bool replace_has_leaving(const struct warp_db *db)
{
    return atomic_load_explicit(&db->replace->leaving, memory_order_relaxed) >
           0;
}

uint32_t replace_leaving(struct warp_db *db, uint32_t shard, uint64_t *hashes,
                         uint32_t most)
{
    struct replace *p = db->replace;
    uint32_t n = 0;
    os_lock(&p->lock);
    struct replace_queue *q = &p->queues[shard];
    while (n < most && q->count > 0)
        hashes[n++] = q->hashes[--q->count];
    atomic_fetch_sub_explicit(&p->leaving, n, memory_order_relaxed);
    os_unlock(&p->lock);
    return n;
}

void replace_leaves_from(struct warp_db *db, uint64_t hash, uint32_t shard)
{
    struct replace *p = db->replace;
    os_lock(&p->lock);
    enqueue(p, &p->queues[shard], hash);
    os_unlock(&p->lock);
}

bool replace_keeps(struct warp_db *db, const struct layout *l, uint64_t hash,
                   uint32_t passes)
{
    struct replace *p = db->replace;
    bool kept = false;
    os_lock(&p->lock);
    struct replace_domain *d = replace_domain_of(p, l, hash);
    uint32_t number = d->place ? place_map_find(&d->map, hash) : PLACE_NONE;
    if (number != PLACE_NONE && !place_holds(d->place, number)) {
        struct place_entry *e = &d->map.entries[number];
        kept = e->passes + 1u < passes && place_take_back(d->place, number);
        e->passes = (e->passes + kept) & 15;
    }
    os_unlock(&p->lock);
    return kept;
}

static enum replace_state state_of(const struct replace_domain *d,
                                   uint64_t hash)
{
    uint32_t number = d->place ? place_map_find(&d->map, hash) : PLACE_NONE;
    return number == PLACE_NONE              ? REPLACE_UNKNOWN
           : place_holds(d->place, number) ? REPLACE_HELD
                                             : REPLACE_LET_GO;
}

enum replace_state replace_state(struct warp_db *db, const struct layout *l,
                                 uint64_t hash)
{
    struct replace *p = db->replace;
    os_lock(&p->lock);
    enum replace_state state = state_of(replace_domain_of(p, l, hash), hash);
    os_unlock(&p->lock);
    return state;
}

enum replace_state replace_clean(struct warp_db *db, const struct layout *l,
                                 uint64_t hash)
{
    struct replace *p = db->replace;
    os_lock(&p->lock);
    /* That it was written is noted before. */
    replace_learn(p);
    struct replace_domain *d = replace_domain_of(p, l, hash);
    uint32_t number = d->place ? place_map_find(&d->map, hash) : PLACE_NONE;
    if (number != PLACE_NONE)
        (void)place_unpin(d->place, number);
    enum replace_state state = state_of(d, hash);
    os_unlock(&p->lock);
    return state;
}

uint32_t replace_strays(const struct warp_db *db)
{
    return atomic_load_explicit(&db->replace->strays, memory_order_relaxed);
}

void replace_stray(struct warp_db *db)
{
    atomic_fetch_add_explicit(&db->replace->strays, 1, memory_order_relaxed);
}
