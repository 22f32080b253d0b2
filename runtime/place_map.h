/* place_map.h: hashes of keys -> the small numbers that the engine counts in.
 *
 * A number is given out again once its hash was removed. Of each there is an
 * entry beside the engine's 24 bytes; a slot of the table is a tag of the hash
 * and the number, at a load of two thirds at most. */
#ifndef WARP_PLACE_MAP_H
#define WARP_PLACE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct place;

struct place_entry {
    uint64_t hash;
    uint32_t moved : 27; /* when it last came into the tier or left it */
    uint32_t passes : 4; /* times that its owner kept it since its last use */
    uint32_t is_free : 1;
    uint16_t hits; /* since it moved, up to 65535 */
    uint16_t product;
};

struct place_map { /* private but for `entries` and the counts */
    struct place_entry *entries; /* by number */
    uint64_t *slots;
    uint32_t mask;
    uint32_t count; /* numbers that were ever given out */
    uint32_t room;
    uint32_t used;  /* of them those that have a hash */
    uint32_t free_head;
    uint32_t hand; /* the next number that may be forgotten */
};

/** An empty one takes no memory. */
void place_map_init(struct place_map *map);
void place_map_fini(struct place_map *map);
/** The number of a hash, or PLACE_NONE. */
uint32_t place_map_find(const struct place_map *map, uint64_t hash);
/** A number for a hash that has none. PLACE_NONE: no memory. */
uint32_t place_map_add(struct place_map *map, uint64_t hash);
void place_map_remove(struct place_map *map, uint32_t number);
/** The number of a hash, or a new one. Of the engine's objects that are not in
 *  its tier, about two for each that is are remembered: one more, and one that
 *  was not used for long is forgotten. PLACE_NONE: no memory. */
uint32_t place_map_number(struct place_map *map, struct place *place,
                          uint64_t hash, bool *is_new);
/** False: the number is not given out now. */
int place_map_has(const struct place_map *map, uint32_t number);
uint64_t place_map_bytes(const struct place_map *map);

#endif
