/* explore.c: see explore.h. States lie one behind the other, found by a hash
 * table of their numbers; each knows from which one it came. */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES_MAX = 6000000 };

uint32_t model_mistake;

struct way {
    uint32_t from;
    uint8_t process, choice;
};

struct search {
    const struct model *model;
    uint8_t *states;
    struct way *ways;
    uint32_t *table, mask;
    uint32_t count;
};

static void *grown(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);
    if (!p) {
        perror("model");
        exit(2);
    }
    return p;
}

static uint8_t *state_at(const struct search *s, uint32_t n)
{
    return s->states + (size_t)n * s->model->state_bytes;
}

static uint64_t hash_of(const uint8_t *bytes, size_t count)
{
    uint64_t h = count;
    for (size_t i = 0; i < count; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static void rehash(struct search *s)
{
    uint32_t slots = s->mask ? (s->mask + 1) * 2 : 1 << 12;
    s->table = grown(s->table, slots * sizeof *s->table);
    memset(s->table, 0, slots * sizeof *s->table);
    s->mask = slots - 1;
    s->states = grown(s->states, (size_t)slots * s->model->state_bytes);
    s->ways = grown(s->ways, slots * sizeof *s->ways);
    for (uint32_t n = 0; n < s->count; n++) {
        uint32_t at = (uint32_t)hash_of(state_at(s, n), s->model->state_bytes);
        while (s->table[at & s->mask])
            at++;
        s->table[at & s->mask] = n + 1;
    }
}

/* False: it was there. */
static bool add(struct search *s, const uint8_t *state, struct way way)
{
    size_t bytes = s->model->state_bytes;
    uint32_t at = (uint32_t)hash_of(state, bytes);
    if (s->count * UINT64_C(2) >= s->mask)
        rehash(s);
    for (; s->table[at & s->mask]; at++)
        if (memcmp(state_at(s, s->table[at & s->mask] - 1), state, bytes) == 0)
            return false;
    s->table[at & s->mask] = s->count + 1;
    memcpy(state_at(s, s->count), state, bytes);
    s->ways[s->count++] = way;
    return true;
}

static void say_way(const struct search *s, uint32_t n)
{
    if (n == 0)
        return;
    say_way(s, s->ways[n].from);
    fprintf(stderr, "    ");
    s->model->say(state_at(s, n), s->ways[n].process, s->ways[n].choice);
}

/* What is wrong with a state, once all its steps were tried. */
static const char *judge(const struct search *s, uint32_t n, bool moves)
{
    const char *what = s->model->check(state_at(s, n));
    for (uint32_t p = 0; !what && !moves && p < s->model->processes; p++)
        if (!s->model->ended(state_at(s, n), p))
            what = "nobody can go on, and somebody has not ended";
    return what;
}

/* NULL: all states are sound. */
static const char *explore(const struct model *model, uint32_t *count)
{
    struct search s = {.model = model};
    uint8_t *now = grown(NULL, model->state_bytes);
    const char *what = NULL;
    rehash(&s);
    memset(now, 0, model->state_bytes);
    model->begin(now);
    add(&s, now, (struct way){0, 0, 0});
    for (uint32_t n = 0; n < s.count && !what; n++) {
        bool moves = false;
        for (uint32_t p = 0; p < model->processes; p++)
            for (uint32_t c = 0; c < model->choices; c++) {
                memcpy(now, state_at(&s, n), model->state_bytes);
                if (!model->step(now, p, c))
                    continue;
                moves = true;
                add(&s, now, (struct way){n, (uint8_t)p, (uint8_t)c});
            }
        what = judge(&s, n, moves);
        if (what && model_mistake == 0) {
            fprintf(stderr, "%s: %s, on this way:\n", model->name, what);
            say_way(&s, n);
        }
        if (s.count > STATES_MAX)
            what = "there are too many states";
    }
    *count = s.count;
    free(now);
    free(s.states);
    free(s.ways);
    free(s.table);
    return what;
}

int explore_main(const struct model *model)
{
    uint32_t count;
    int status = 0;
    const char *what = explore(model, &count);
    printf("%s: %u states, %s\n", model->name, count,
           what ? what : "all sound");
    if (what)
        status = 1;
    for (model_mistake = 1;
         model_mistake <= MISTAKES_MAX && model->mistakes[model_mistake - 1];
         model_mistake++) {
        what = explore(model, &count);
        printf("  %s: %s (%u states)\n", model->mistakes[model_mistake - 1],
               what ? what : "is NOT found", count);
        if (!what)
            status = 1;
    }
    return status;
}
