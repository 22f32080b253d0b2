/* pending_part.h: what pending.c and pending_read.c share. */
#ifndef WARP_PENDING_PART_H
#define WARP_PENDING_PART_H

#include "os.h"
#include "pending.h"

enum { PARTS = 64 }; /* chosen by the hash's six highest bits */

struct block {
    struct block *next;
    size_t bytes; /* with this head */
};

struct item {
    struct item *left, *right; /* higher priorities are nearer the root */
    struct item *next;         /* the next higher key */
    uint32_t priority, value_bytes;
    uint16_t key_bytes;
    bool gone;
    uint8_t bytes[]; /* key, value */
};

struct group {
    struct group *next; /* in its bucket */
    uint64_t hash, floor;
    struct item *root, *first;
    uint16_t bytes;
    uint8_t name[];
};

struct generation {
    struct group **buckets; /* NULL: one, the next word */
    struct group *only;
    uint32_t mask, count; /* of buckets, of groups */
    struct block *blocks;
    uint8_t *at, *end; /* free in the shared block */
    size_t block_bytes; /* of the next one */
};

struct part {
    _Alignas(64) struct os_lock lock;
    uint32_t random;
    struct generation pending, flushing;
};

struct pending {
    struct budget *budget;
    struct part parts[PARTS];
};

/* Returns the part of a hash, locked. */
struct part *part_enter(struct pending *p, uint64_t hash);
/* All below: under the part's lock. */
struct group *part_find(const struct generation *g,
                        const struct pending_name *name);
void part_link(struct pending *p, struct generation *g, struct group *group);
/* NULL: not there; *before gets the highest item below the key. */
struct item *part_search(const struct group *group, const uint8_t *key,
                         uint32_t key_bytes, struct item **before);
void part_insert(struct group *group, struct item *item, struct item *before);
void part_prune(struct group *group);
/* Frees all of a generation. */
void part_drop(struct pending *p, struct generation *g);

#endif
