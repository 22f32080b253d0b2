/* Interned names: equal text is the same pointer, so names are compared and
 * looked up by address. The atoms live as long as the arena of their table. */
#ifndef WARPC_ATOM_H
#define WARPC_ATOM_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct atom_table;

struct atom {
    const char *text; /* ends with a NUL byte */
    uint32_t len;
    uint32_t hash;
};

struct atom_table *atom_table_create(struct arena *arena);
const struct atom *atom_intern(struct atom_table *table, const char *text,
                               size_t len);

/* From atoms to anything, by address. */
struct atom_map {
    struct arena *arena;
    const struct atom **keys;
    void **values;
    uint32_t capacity, count;
};

void atom_map_init(struct atom_map *map, struct arena *arena);
/* Empty again, its memory kept. */
void atom_map_clear(struct atom_map *map);
void *atom_map_get(const struct atom_map *map, const struct atom *key);
/* Returns what stood there before and leaves it; NULL if the key is new. */
void *atom_map_put(struct atom_map *map, const struct atom *key, void *value);

/* The distance between two spellings, for "did you mean": the number of
 * letters inserted, removed, changed or swapped; at most limit + 1. */
unsigned atom_distance(const char *a, const char *b, unsigned limit);

/* Keeps the nearest of the candidates that are offered one after the other. */
struct atom_nearest {
    const char *wanted;
    const char *best;
    unsigned distance;
};

void atom_nearest_init(struct atom_nearest *nearest, const char *wanted);
void atom_nearest_offer(struct atom_nearest *nearest, const char *candidate);

#endif
