/* place_map.c: see place_map.h. Open addressing; a hole is closed by moving
 * later slots of the run back. */
#include "place_map.h"

#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "place_cache.h"

/* KNOWN_SPARE: numbers beyond three for each resident; FORGET_LOOKS: those that
 * are looked at for the one that is forgotten. */
enum {
    FIRST_SLOTS = 64, NUMBER_BITS = 28, KNOWN_SPARE = 4096, FORGET_LOOKS = 8
};
#define SLOT_EMPTY UINT64_MAX

static uint32_t home_of(const struct place_map *m, uint64_t hash)
{
    return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) & m->mask;
}

static uint64_t slot_of(uint64_t hash, uint32_t number)
{
    return hash >> NUMBER_BITS << NUMBER_BITS | number;
}

static uint32_t number_of(uint64_t slot)
{
    return (uint32_t)slot & PLACE_NONE;
}

void place_map_init(struct place_map *m)
{
    *m = (struct place_map){.free_head = PLACE_NONE};
}

void place_map_fini(struct place_map *m)
{
    free(m->entries);
    free(m->slots);
    place_map_init(m);
}

/* Where the hash is, or the empty slot where it would be. */
static uint32_t slot_find(const struct place_map *m, uint64_t hash)
{
    uint32_t at = home_of(m, hash);
    for (;; at = (at + 1) & m->mask) {
        uint64_t slot = m->slots[at];
        if (slot == SLOT_EMPTY ||
            (slot >> NUMBER_BITS == hash >> NUMBER_BITS &&
             m->entries[number_of(slot)].hash == hash))
            return at;
    }
}

uint32_t place_map_find(const struct place_map *m, uint64_t hash)
{
    uint64_t slot = m->slots ? m->slots[slot_find(m, hash)] : SLOT_EMPTY;
    return slot == SLOT_EMPTY ? PLACE_NONE : number_of(slot);
}

static bool grow_slots(struct place_map *m)
{
    uint64_t count = m->slots ? 2 * ((uint64_t)m->mask + 1) : FIRST_SLOTS;
    if (m->slots && 3 * ((uint64_t)m->used + 1) <= 2 * ((uint64_t)m->mask + 1))
        return true;
    uint64_t *slots = malloc(count * sizeof *slots), *old = m->slots;
    if (!slots)
        return false;
    memset(slots, 0xff, count * sizeof *slots);
    m->slots = slots;
    m->mask = (uint32_t)(count - 1);
    for (uint32_t n = 0; old && n < m->count; n++)
        if (place_map_has(m, n))
            slots[slot_find(m, m->entries[n].hash)] =
                slot_of(m->entries[n].hash, n);
    free(old);
    return true;
}

static bool grow_entries(struct place_map *m)
{
    /* An eighth more, as the engine's state grows. */
    uint32_t room = m->room + m->room / 8 + 256;
    if (m->free_head != PLACE_NONE || m->count < m->room)
        return true;
    if (m->count >= PLACE_NONE - 1)
        return false;
    struct place_entry *grown = realloc(m->entries, room * sizeof *grown);
    if (!grown)
        return false;
    m->entries = grown;
    m->room = room;
    return true;
}

uint32_t place_map_add(struct place_map *m, uint64_t hash)
{
    if (!grow_slots(m) || !grow_entries(m))
        return PLACE_NONE;
    uint32_t number = m->free_head;
    if (number == PLACE_NONE)
        number = m->count++;
    else
        m->free_head = (uint32_t)m->entries[number].hash;
    m->entries[number] = (struct place_entry){.hash = hash};
    m->slots[slot_find(m, hash)] = slot_of(hash, number);
    m->used++;
    return number;
}

void place_map_remove(struct place_map *m, uint32_t number)
{
    uint32_t hole = slot_find(m, m->entries[number].hash), at = hole;
    for (;;) {
        at = (at + 1) & m->mask;
        if (m->slots[at] == SLOT_EMPTY)
            break;
        uint32_t home = home_of(m, m->entries[number_of(m->slots[at])].hash);
        if (((at - home) & m->mask) >= ((at - hole) & m->mask)) {
            m->slots[hole] = m->slots[at];
            hole = at;
        }
    }
    m->slots[hole] = SLOT_EMPTY;
    m->entries[number] =
        (struct place_entry){.hash = m->free_head, .is_free = 1};
    m->free_head = number;
    m->used--;
}

/* Of some that are not in the tier the one that was not used for longest. */
static void forget_one(struct place_map *m, struct place *place)
{
    uint32_t oldest = PLACE_NONE, age = 0;
    for (uint32_t n = 0, looks = 0; n < m->count && looks < FORGET_LOOKS;
         n++) {
        m->hand = m->hand + 1 < m->count ? m->hand + 1 : 0;
        if (!place_map_has(m, m->hand) || place_holds(place, m->hand))
            continue;
        looks++;
        uint32_t its = place_age(place, m->hand);
        if (oldest == PLACE_NONE || its > age) {
            oldest = m->hand;
            age = its;
        }
    }
    if (oldest == PLACE_NONE)
        return;
    place_drop(place, oldest);
    place_map_remove(m, oldest);
}

uint32_t place_map_number(struct place_map *m, struct place *place,
                          uint64_t hash, bool *is_new)
{
    struct place_stat stat;
    uint32_t number = place_map_find(m, hash);
    *is_new = number == PLACE_NONE;
    if (!*is_new)
        return number;
    place_stat(place, &stat);
    if (m->used >= 3 * (uint64_t)stat.residents + KNOWN_SPARE)
        forget_one(m, place);
    return place_map_add(m, hash);
}

int place_map_has(const struct place_map *m, uint32_t number)
{
    return number < m->count && !m->entries[number].is_free;
}

uint64_t place_map_bytes(const struct place_map *m)
{
    return m->room * sizeof *m->entries +
           (m->slots ? ((uint64_t)m->mask + 1) * sizeof *m->slots : 0);
}
