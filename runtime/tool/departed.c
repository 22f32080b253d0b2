/* departed.c: see departed.h. */
#include "departed.h"

#include "../error.h"
#include "../hash.h"

#include <stdlib.h>

static uint64_t hash_of(const struct op *op)
{
    return hash_key(0, op->layout->id, op->body + op->key_at, op->key_bytes);
}

int departed_add(struct departed *d, const struct op *op, uint32_t shard,
                 uint64_t seq)
{
    if (d->count == d->room) {
        size_t room = d->room ? d->room * 2 : 256;
        void *grown = realloc(d->list, room * sizeof *d->list);
        if (!grown)
            return error_set(WARP_ENOMEM, "out of memory for keys that moved");
        d->list = grown;
        d->room = room;
    }
    d->list[d->count++] = (struct departed_key){hash_of(op), seq, shard};
    return WARP_OK;
}

static int compare(const void *a, const void *b)
{
    const struct departed_key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

void departed_sort(struct departed *d)
{
    if (d->count > 1)
        qsort(d->list, d->count, sizeof *d->list, compare);
}

bool departed_has(const struct departed *d, const struct op *op,
                  uint32_t shard, uint64_t seq)
{
    struct departed_key want = {hash_of(op), seq, shard};
    size_t from = 0, to = d->count;
    while (from < to) { /* the first that is not less */
        size_t at = from + (to - from) / 2;
        if (compare(&d->list[at], &want) < 0)
            from = at + 1;
        else
            to = at;
    }
    return from < d->count && d->list[from].key == want.key &&
           d->list[from].shard == shard;
}

void departed_free(struct departed *d)
{
    free(d->list);
    *d = (struct departed){0};
}
