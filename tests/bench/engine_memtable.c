/* The limit to measure against: a bare hash table in memory that copies the
 * same bytes under a lock for each of 256 parts, with no log and no disk. It
 * loses everything with its process, whatever durability is asked for. */
#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

enum { PARTS = 256 };

struct part {
    _Alignas(64) pthread_spinlock_t lock;
    uint64_t slot_mask;
    unsigned char *slots; /* each: used?, key, value at a fixed stride */
};

struct memtable {
    size_t stride, value_bytes;
    struct part parts[PARTS];
};

struct memtable_session {
    struct memtable *table;
    unsigned char value[];
};

static int memtable_close(void *db)
{
    struct memtable *table = db;
    for (unsigned i = 0; i < PARTS; i++) {
        pthread_spin_destroy(&table->parts[i].lock);
        free(table->parts[i].slots);
    }
    free(table);
    return 0;
}

static int memtable_open(const struct engine_setup *setup, void **db)
{
    struct memtable *table = aligned_alloc(64, sizeof *table);
    if (table == NULL)
        return -1;
    memset(table, 0, sizeof *table);
    table->value_bytes = setup->value_bytes;
    table->stride = (8 + KV_KEY_BYTES + setup->value_bytes + 7) & ~(size_t)7;
    /* Parts differ in size a little: room for half as much again, half full. */
    uint64_t slots = 64;
    while (slots < setup->records / PARTS * 3)
        slots *= 2;
    for (unsigned i = 0; i < PARTS; i++) {
        table->parts[i].slot_mask = slots - 1;
        size_t bytes = (slots * table->stride + 4095) & ~(size_t)4095;
        table->parts[i].slots = aligned_alloc(4096, bytes);
        pthread_spin_init(&table->parts[i].lock, PTHREAD_PROCESS_PRIVATE);
        if (table->parts[i].slots == NULL) {
            memtable_close(table);
            return -1;
        }
        /* Touched here: a put then pays for no page fault. */
        memset(table->parts[i].slots, 0, bytes);
    }
    *db = table;
    return 0;
}

static int memtable_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct memtable *table = db;
    struct memtable_session *s = malloc(sizeof *s + table->value_bytes);
    if (s == NULL)
        return -1;
    s->table = table;
    *session = s;
    return 0;
}

static void memtable_session_close(void *session)
{
    free(session);
}

/* The slot of this key or the free one where it belongs; NULL when full. */
static unsigned char *find(const struct memtable *table,
                           const struct part *part, uint64_t hash,
                           const void *key)
{
    for (uint64_t i = 0; i <= part->slot_mask; i++) {
        uint64_t at = (hash + i) & part->slot_mask;
        unsigned char *slot = part->slots + at * table->stride;
        if (slot[0] == 0 || memcmp(slot + 8, key, KV_KEY_BYTES) == 0)
            return slot;
    }
    return NULL;
}

static uint64_t hash_of(const void *key)
{
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    return random_mix(words[0] ^ words[1]);
}

static int memtable_put(void *session, const void *key, const void *value,
                        size_t value_bytes)
{
    struct memtable *table = ((struct memtable_session *)session)->table;
    uint64_t hash = hash_of(key);
    struct part *part = &table->parts[hash % PARTS];
    pthread_spin_lock(&part->lock);
    unsigned char *slot = find(table, part, hash / PARTS, key);
    if (slot != NULL && value_bytes == table->value_bytes) {
        slot[0] = 1;
        memcpy(slot + 8, key, KV_KEY_BYTES);
        memcpy(slot + 8 + KV_KEY_BYTES, value, value_bytes);
    }
    pthread_spin_unlock(&part->lock);
    return slot != NULL && value_bytes == table->value_bytes ? 0 : -1;
}

static int memtable_get(void *session, const void *key, const void **value,
                        size_t *value_bytes)
{
    struct memtable_session *s = session;
    uint64_t hash = hash_of(key);
    struct part *part = &s->table->parts[hash % PARTS];
    pthread_spin_lock(&part->lock);
    const unsigned char *slot = find(s->table, part, hash / PARTS, key);
    bool found = slot != NULL && slot[0] != 0;
    if (found)
        memcpy(s->value, slot + 8 + KV_KEY_BYTES, s->table->value_bytes);
    pthread_spin_unlock(&part->lock);
    *value = s->value;
    *value_bytes = s->table->value_bytes;
    return found ? 0 : -1;
}

const struct engine engine_memtable = {
    .name = "memtable",
    .about = "bare hash table in memory, keeps nothing",
    .reads = true,
    .keeps = false,
    .open = memtable_open,
    .close = memtable_close,
    .session_open = memtable_session_open,
    .session_close = memtable_session_close,
    .put = memtable_put,
    .get = memtable_get,
};
