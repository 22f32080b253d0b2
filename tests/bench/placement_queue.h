/* Queues of objects for the peers: an object is in one queue at a time. */
#ifndef BENCH_PLACEMENT_QUEUE_H
#define BENCH_PLACEMENT_QUEUE_H

#include <stdint.h>
#include <stdlib.h>

enum { QUEUE_NONE = UINT32_MAX };

struct queue_links {
    uint32_t *prev, *next;
    uint8_t *where; /* number of the queue + 1; 0: in none */
    const uint32_t *bytes;
};

struct queue {
    uint32_t head, tail; /* head: the newest */
    uint64_t bytes;
    uint8_t number;
};

static inline int queue_links_init(struct queue_links *l, uint32_t objects,
                                   const uint32_t *bytes)
{
    l->prev = malloc((objects + 1u) * sizeof *l->prev);
    l->next = malloc((objects + 1u) * sizeof *l->next);
    l->where = calloc(objects + 1u, 1);
    l->bytes = bytes;
    return l->prev && l->next && l->where ? 0 : -1;
}

static inline void queue_links_fini(struct queue_links *l)
{
    free(l->prev);
    free(l->next);
    free(l->where);
}

static inline struct queue queue_empty(uint8_t number)
{
    return (struct queue){QUEUE_NONE, QUEUE_NONE, 0, number};
}

static inline void queue_push(struct queue_links *l, struct queue *q,
                              uint32_t object)
{
    l->prev[object] = QUEUE_NONE;
    l->next[object] = q->head;
    if (q->head != QUEUE_NONE)
        l->prev[q->head] = object;
    else
        q->tail = object;
    q->head = object;
    q->bytes += l->bytes[object];
    l->where[object] = (uint8_t)(q->number + 1);
}

static inline void queue_remove(struct queue_links *l, struct queue *q,
                                uint32_t object)
{
    uint32_t prev = l->prev[object], next = l->next[object];
    if (prev != QUEUE_NONE)
        l->next[prev] = next;
    else
        q->head = next;
    if (next != QUEUE_NONE)
        l->prev[next] = prev;
    else
        q->tail = prev;
    q->bytes -= l->bytes[object];
    l->where[object] = 0;
}

#endif
