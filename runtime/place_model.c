/* place_model.c: features of a trait, the sum of weights, the lessons. */
#include "place_model.h"

#include <math.h>

/* The share of an error that a well-known weight takes, over all tables. */
static const float step_least = 0.05f;
enum { HORIZON_LEAST = 64 };

void place_model_init(struct place_model *m, uint64_t seed)
{
    *m = (struct place_model){.horizon = HORIZON_LEAST, .random = seed | 1};
    /* Until more is known: what was used longest ago waits longest. */
    for (unsigned b = 0; b < MODEL_BINS; b++)
        m->reuse[b] = 1 / (1 + exp2f((MODEL_BINS / 2.0f - (float)b) / 4));
    for (unsigned k = 0; k < MODEL_TABLES; k++)
        for (unsigned a = 0; a < MODEL_AGES; a++)
            for (unsigned c = 0; c < MODEL_COLUMNS; c++)
                m->weights[k][a][c] = (float)a / 2 / MODEL_TABLES;
}

void place_model_horizon(struct place_model *m, uint32_t objects)
{
    uint64_t horizon = (uint64_t)objects * MODEL_CAPACITIES + HORIZON_LEAST;
    m->horizon = horizon < UINT32_MAX / 2 ? (uint32_t)horizon : UINT32_MAX / 2;
}

static unsigned bin_of(float wait, float stay)
{
    float x = 2 * (log2f(stay + 1) - wait) + MODEL_BINS / 2.0f;
    return x < 0 ? 0 : x >= MODEL_BINS - 1 ? MODEL_BINS - 1 : (unsigned)x;
}

float place_model_reuse(const struct place_model *m, float wait, float stay)
{
    return m->reuse[bin_of(wait, stay)];
}

static void learn_reuse(struct place_model *m, const struct place_trait *trait,
                        uint32_t gap)
{
    unsigned bin = bin_of(place_model_wait(m, trait, 0), m->stay);
    uint8_t *n = &m->reuse_lessons[bin];
    *n = (uint8_t)(*n + (*n < UINT8_MAX));
    float used = (float)gap <= m->stay ? 1.0f : 0.0f;
    m->reuse[bin] += (used - m->reuse[bin]) / (float)(*n + 1);
}

/* Ages by half powers of two, gaps by powers. */
static unsigned age_row(uint32_t age)
{
    return place_log(age) / 4u;
}

static void columns(const struct place_trait *t, unsigned column[MODEL_TABLES])
{
    unsigned n = t->count;
    n = n < 4 ? n : n < 8 ? 4 : n < 16 ? 5 : n < 64 ? 6 : 7;
    column[0] = t->gap[0] / 8u;
    column[1] = t->gap[1] / 8u;
    column[2] = t->fast / 8u;
    column[3] = t->slow / 8u;
    column[4] = n + 8u * (t->gap[2] / 64u);
}

float place_model_wait(const struct place_model *m,
                       const struct place_trait *trait, uint32_t age)
{
    unsigned row = age_row(age), column[MODEL_TABLES];
    float wait = 0;
    columns(trait, column);
    for (unsigned k = 0; k < MODEL_TABLES; k++)
        wait += m->weights[k][row][column[k]];
    return wait;
}

/* From 0 to gap - 1, small ones as often as large ones: by their log. */
static uint32_t some_age(struct place_model *m, uint32_t gap)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    float u = (float)(m->random >> 40) * 0x1p-24f,
          age = exp2f(u * log2f((float)gap)) - 1;
    return age >= (float)gap ? gap - 1 : (uint32_t)age;
}

void place_model_train(struct place_model *m, const struct place_trait *trait,
                       uint32_t gap)
{
    if (gap == 0)
        return;
    if (m->stay > 0)
        learn_reuse(m, trait, gap);
    uint32_t end = gap < m->horizon ? gap : m->horizon,
             age = some_age(m, end), wait = gap - age;
    unsigned row = age_row(age), column[MODEL_TABLES];
    float error = log2f((float)(wait < m->horizon ? wait : m->horizon) + 1);
    columns(trait, column);
    for (unsigned k = 0; k < MODEL_TABLES; k++)
        error -= m->weights[k][row][column[k]];
    if (!isfinite(error)) {
        m->broken = true;
        return;
    }
    for (unsigned k = 0; k < MODEL_TABLES; k++) {
        uint8_t *n = &m->lessons[k][row][column[k]];
        *n = (uint8_t)(*n + (*n < UINT8_MAX));
        float step = 1 / (float)*n;
        if (step < step_least)
            step = step_least;
        m->weights[k][row][column[k]] += step * error / MODEL_TABLES;
    }
}
