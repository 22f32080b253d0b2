/* Open addressing, powers of two, at most half full. */
#include "atom.h"

#include "arena.h"
#include "limit.h"

#include <string.h>

struct atom_table {
    struct arena *arena;
    struct atom **slots;
    uint32_t capacity, count;
};

static uint32_t hash_text(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash ^ hash >> 15;
}

struct atom_table *atom_table_create(struct arena *arena)
{
    struct atom_table *table = ARENA_NEW(arena, struct atom_table);
    table->arena = arena;
    table->capacity = 1024;
    table->slots = ARENA_ARRAY(arena, struct atom *, table->capacity);
    return table;
}

static void grow_table(struct atom_table *table)
{
    uint32_t capacity = table->capacity * 2;
    struct atom **slots = ARENA_ARRAY(table->arena, struct atom *, capacity);
    for (uint32_t i = 0; i < table->capacity; i++) {
        struct atom *atom = table->slots[i];
        if (atom == NULL)
            continue;
        uint32_t at = atom->hash & (capacity - 1);
        while (slots[at] != NULL)
            at = (at + 1) & (capacity - 1);
        slots[at] = atom;
    }
    table->slots = slots;
    table->capacity = capacity;
}

const struct atom *atom_intern(struct atom_table *table, const char *text,
                               size_t len)
{
    uint32_t hash = hash_text(text, len);
    uint32_t at = hash & (table->capacity - 1);
    for (struct atom *atom; (atom = table->slots[at]) != NULL;
         at = (at + 1) & (table->capacity - 1)) {
        if (atom->hash == hash && atom->len == len &&
            memcmp(atom->text, text, len) == 0)
            return atom;
    }
    if (table->count * 2 >= table->capacity) {
        grow_table(table);
        at = hash & (table->capacity - 1);
        while (table->slots[at] != NULL)
            at = (at + 1) & (table->capacity - 1);
    }
    struct atom *atom = ARENA_NEW(table->arena, struct atom);
    atom->text = arena_copy(table->arena, text, len);
    atom->len = (uint32_t)len;
    atom->hash = hash;
    table->slots[at] = atom;
    table->count++;
    return atom;
}

void atom_map_init(struct atom_map *map, struct arena *arena)
{
    memset(map, 0, sizeof *map);
    map->arena = arena;
}

void atom_map_clear(struct atom_map *map)
{
    if (map->count != 0)
        memset(map->keys, 0, map->capacity * sizeof *map->keys);
    map->count = 0;
}

void *atom_map_get(const struct atom_map *map, const struct atom *key)
{
    if (map->count == 0)
        return NULL;
    uint32_t at = key->hash & (map->capacity - 1);
    while (map->keys[at] != NULL) {
        if (map->keys[at] == key)
            return map->values[at];
        at = (at + 1) & (map->capacity - 1);
    }
    return NULL;
}

static void grow_map(struct atom_map *map)
{
    struct atom_map old = *map;
    map->capacity = old.capacity == 0 ? 16 : old.capacity * 2;
    map->keys = ARENA_ARRAY(map->arena, const struct atom *, map->capacity);
    map->values = ARENA_ARRAY(map->arena, void *, map->capacity);
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.keys[i] == NULL)
            continue;
        uint32_t at = old.keys[i]->hash & (map->capacity - 1);
        while (map->keys[at] != NULL)
            at = (at + 1) & (map->capacity - 1);
        map->keys[at] = old.keys[i];
        map->values[at] = old.values[i];
    }
}

void *atom_map_put(struct atom_map *map, const struct atom *key, void *value)
{
    if (map->count * 2 >= map->capacity)
        grow_map(map);
    uint32_t at = key->hash & (map->capacity - 1);
    while (map->keys[at] != NULL) {
        if (map->keys[at] == key)
            return map->values[at];
        at = (at + 1) & (map->capacity - 1);
    }
    map->keys[at] = key;
    map->values[at] = value;
    map->count++;
    return NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* The restricted Damerau-Levenshtein distance, three rows at a time. */
unsigned atom_distance(const char *a, const char *b, unsigned limit)
{
    size_t na = strlen(a), nb = strlen(b);
    if (na > LIMIT_NAME_BYTES || nb > LIMIT_NAME_BYTES ||
        (na > nb ? na - nb : nb - na) > limit)
        return limit + 1;
    unsigned rows[3][LIMIT_NAME_BYTES + 1];
    unsigned *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= nb; j++)
        old[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned least = now[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned cost = a[i - 1] != b[j - 1];
            now[j] = min3(old[j] + 1, now[j - 1] + 1, old[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && older[j - 2] + 1 < now[j])
                now[j] = older[j - 2] + 1;
            if (now[j] < least)
                least = now[j];
        }
        if (least > limit)
            return limit + 1;
        unsigned *spare = older;
        older = old;
        old = now;
        now = spare;
    }
    return old[nb] > limit ? limit + 1 : old[nb];
}

void atom_nearest_init(struct atom_nearest *nearest, const char *wanted)
{
    size_t len = strlen(wanted);
    nearest->wanted = wanted;
    nearest->best = NULL;
    /* A third of the letters may differ, one in a short name. */
    nearest->distance = (len < 4 ? 1 : (unsigned)(len + 2) / 3) + 1;
}

void atom_nearest_offer(struct atom_nearest *nearest, const char *candidate)
{
    if (nearest->distance == 0)
        return;
    unsigned distance =
        atom_distance(nearest->wanted, candidate, nearest->distance - 1);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}
