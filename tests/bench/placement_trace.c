/* A trace in memory: CSV text -> requests of numbered objects. Keys become
 * numbers by a hash table; an object has the size of its last request. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement.h"

enum { LINE_MAX_BYTES = 256 };

struct builder {
    struct placement_trace *trace;
    size_t room;            /* requests */
    uint32_t object_room;
    uint32_t *slots;        /* hash table: number of an object + 1 */
    uint32_t mask;
};

static int grow(void *array, size_t each, size_t count)
{
    void *wider = realloc(*(void **)array, each * count);
    if (!wider)
        return -1;
    *(void **)array = wider;
    return 0;
}

static int rehash(struct builder *b, uint32_t slots)
{
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return -1;
    free(b->slots);
    b->slots = table;
    b->mask = slots - 1;
    for (uint32_t o = 0; o < b->trace->objects; o++) {
        uint32_t at = (uint32_t)random_mix(b->trace->key[o]) & b->mask;
        while (table[at])
            at = (at + 1) & b->mask;
        table[at] = o + 1;
    }
    return 0;
}

/* The number of a key, a new one if need be; -1: no memory. */
static int64_t number_of(struct builder *b, uint64_t key)
{
    struct placement_trace *t = b->trace;
    uint32_t at = (uint32_t)random_mix(key) & b->mask;
    for (; b->slots[at]; at = (at + 1) & b->mask)
        if (t->key[b->slots[at] - 1] == key)
            return b->slots[at] - 1;
    if (t->objects == b->object_room) {
        b->object_room = b->object_room ? 2 * b->object_room : 1024;
        if (grow(&t->key, sizeof *t->key, b->object_room) ||
            grow(&t->bytes, sizeof *t->bytes, b->object_room))
            return -1;
    }
    t->key[t->objects] = key;
    b->slots[at] = ++t->objects;
    if (t->objects > b->mask / 2 && rehash(b, 2 * (b->mask + 1)) != 0)
        return -1;
    return t->objects - 1;
}

static int add(struct builder *b, uint64_t key, uint32_t bytes, bool write)
{
    struct placement_trace *t = b->trace;
    if (t->count == b->room) {
        b->room = b->room ? 2 * b->room : 4096;
        if (grow(&t->object, sizeof *t->object, b->room) ||
            grow(&t->write, sizeof *t->write, b->room))
            return -1;
    }
    int64_t object = number_of(b, key);
    if (object < 0)
        return -1;
    t->object[t->count] = (uint32_t)object;
    t->write[t->count++] = write;
    t->bytes[object] = bytes;
    return 0;
}

/* Next uses, the footprint, whether all sizes are one. */
static int finish(struct builder *b)
{
    struct placement_trace *t = b->trace;
    uint32_t *upcoming = malloc((t->objects + 1u) * sizeof *upcoming);
    t->next = malloc((t->count + 1) * sizeof *t->next);
    if (!upcoming || !t->next) {
        free(upcoming);
        return -1;
    }
    memset(upcoming, 0xff, t->objects * sizeof *upcoming);
    for (size_t i = t->count; i-- > 0;) {
        t->next[i] = upcoming[t->object[i]];
        upcoming[t->object[i]] = (uint32_t)i;
    }
    free(upcoming);
    t->even = true;
    t->footprint = 0;
    for (uint32_t o = 0; o < t->objects; o++) {
        t->footprint += t->bytes[o];
        t->even &= t->bytes[o] == t->bytes[0];
    }
    return 0;
}

static int begin(struct builder *b, struct placement_trace *trace,
                 const char *path)
{
    const char *slash = strrchr(path, '/');
    *trace = (struct placement_trace){.name = strdup(slash ? slash + 1 : path)};
    *b = (struct builder){.trace = trace};
    return trace->name && rehash(b, 4096) == 0 ? 0 : -1;
}

/* The number up to `end`, at most `most`; -1 when there is none. */
static int number(const char **at, char end, uint64_t most, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (n > (most - digit) / 10)
            return -1;
        n = n * 10 + digit;
    }
    if (p == *at || *p != end)
        return -1;
    *at = p + 1;
    *out = n;
    return 0;
}

/* One line; NULL or what is wrong with it. */
static const char *take(struct builder *b, const char *line, size_t number_at)
{
    if (number_at == 1)
        return strcmp(line, "time_s,key_u64,size,op") == 0
                   ? NULL
                   : "the first line must be time_s,key_u64,size,op";
    const char *p = strchr(line, ',');
    uint64_t key, bytes;
    if (!p || strspn(line, "0123456789.") != (size_t)(p - line) || p == line)
        return "time_s: not a number";
    p++;
    if (number(&p, ',', UINT64_MAX, &key) != 0)
        return "key_u64: not a number below 2^64";
    if (number(&p, ',', UINT32_MAX, &bytes) != 0 || bytes == 0)
        return "size: not a number from 1 to 2^32 - 1";
    if ((*p != 'r' && *p != 'w') || p[1] != '\0')
        return "op: neither r nor w";
    return add(b, key, (uint32_t)bytes, *p == 'w') == 0 ? NULL : "no memory";
}

static int lines(struct builder *b, struct placement_input *input, char *error,
                 size_t bytes)
{
    static const size_t chunk = 1 << 16;
    char *text = malloc(chunk), line[LINE_MAX_BYTES];
    size_t used = 0, count = 0;
    long got = text ? 0 : -1;
    if (!text)
        snprintf(error, bytes, "no memory");
    while (got >= 0) {
        got = placement_input_read(input, text, chunk, error, bytes);
        /* A last line may lack its newline. */
        if (got == 0 && used > 0) {
            text[0] = '\n';
            got = 1;
        }
        if (got <= 0)
            break;
        for (long i = 0; i < got && got > 0; i++) {
            const char *wrong = NULL;
            if (text[i] != '\n' && used + 1 < sizeof line) {
                line[used++] = text[i];
                continue;
            }
            if (text[i] != '\n')
                wrong = "longer than 255 bytes";
            if (used > 0 && line[used - 1] == '\r')
                used--;
            line[used] = '\0';
            used = 0;
            count++;
            wrong = wrong ? wrong : take(b, line, count);
            if (wrong) {
                snprintf(error, bytes, "line %zu: %s", count, wrong);
                got = -1;
            }
        }
    }
    free(text);
    return got < 0 ? -1 : 0;
}

int placement_trace_read(struct placement_trace *trace, const char *path,
                         char *error, size_t bytes)
{
    struct builder b;
    *trace = (struct placement_trace){0};
    struct placement_input *input = placement_input_open(path, error, bytes);
    if (!input)
        return -1;
    int rc = begin(&b, trace, path);
    if (rc != 0)
        snprintf(error, bytes, "no memory");
    if (rc == 0)
        rc = lines(&b, input, error, bytes);
    if (rc == 0 && trace->count == 0) {
        snprintf(error, bytes, "has no requests");
        rc = -1;
    } else if (rc == 0 && (trace->count >= UINT32_MAX || finish(&b) != 0)) {
        snprintf(error, bytes, "no memory for so many requests");
        rc = -1;
    }
    free(b.slots);
    placement_input_close(input);
    if (rc != 0)
        placement_trace_fini(trace);
    return rc;
}

int placement_trace_make(struct placement_trace *trace, const char *name,
                         const uint64_t *keys, const uint32_t *sizes,
                         size_t count)
{
    struct builder b;
    int rc = begin(&b, trace, name);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add(&b, keys[i], sizes ? sizes[i] : 1, false);
    if (rc == 0)
        rc = finish(&b);
    free(b.slots);
    if (rc != 0)
        placement_trace_fini(trace);
    return rc;
}

void placement_trace_even(struct placement_trace *trace)
{
    for (uint32_t o = 0; o < trace->objects; o++)
        trace->bytes[o] = 1;
    trace->footprint = trace->objects;
    trace->even = true;
}

void placement_trace_vary(struct placement_trace *trace)
{
    trace->footprint = 0;
    trace->even = false;
    for (uint32_t o = 0; o < trace->objects; o++) {
        uint64_t hash = trace->key[o] * UINT64_C(0x9e3779b97f4a7c15);
        hash = (hash ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
        trace->bytes[o] =
            (uint32_t)(64 * exp2((double)(hash >> 40) * 10 / (1 << 24)));
        trace->footprint += trace->bytes[o];
    }
}

void placement_trace_fini(struct placement_trace *trace)
{
    free(trace->name);
    free(trace->object);
    free(trace->next);
    free(trace->write);
    free(trace->key);
    free(trace->bytes);
    *trace = (struct placement_trace){0};
}
