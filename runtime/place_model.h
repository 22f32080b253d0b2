/* place_model.h: how long until an object is used again, learned online.
 *
 * log2 of the wait, in requests, is a sum of five weights, one of each table;
 * a table is by the object's age and one thing more that its trait says. Every
 * time between two uses is one lesson: at an age by chance in it, the rest of
 * it was the wait. What is not used again is a lesson too, once the horizon has
 * passed. Weights step by 1 / lessons at first, then by a fixed share, so old
 * lessons fade. */
#ifndef WARP_PLACE_MODEL_H
#define WARP_PLACE_MODEL_H

#include "place_cache.h"

enum {
    MODEL_TABLES = 5, MODEL_AGES = 64, MODEL_COLUMNS = 32, MODEL_BINS = 64,
    MODEL_CAPACITIES = 32 /* the horizon, in objects of the tier */
};

struct place_model {
    float weights[MODEL_TABLES][MODEL_AGES][MODEL_COLUMNS];
    uint8_t lessons[MODEL_TABLES][MODEL_AGES][MODEL_COLUMNS]; /* up to 255 */
    /* Share of the objects that were used again in `stay` requests, by how much
     * longer or shorter than that their wait was said to be. */
    float reuse[MODEL_BINS];
    uint8_t reuse_lessons[MODEL_BINS];
    float stay; /* 0: nobody asks */
    uint32_t horizon; /* requests; longer waits are all the same */
    uint64_t random;
    bool broken; /* a weight is not a number: nothing it says is of use */
};

void place_model_init(struct place_model *model, uint64_t seed);
/** Waits are told apart up to some times the requests in which a tier of so
 *  many objects is filled anew. */
void place_model_horizon(struct place_model *model, uint32_t objects);
/** log2 of the requests until the next use of an object of this age. */
float place_model_wait(const struct place_model *model,
                       const struct place_trait *trait, uint32_t age);
/** How probable a use is in `stay` requests, log2 of the wait being so. */
float place_model_reuse(const struct place_model *model, float wait,
                        float stay);
/** An object with this trait was used again after `gap` requests, or has not
 *  been for as many and the horizon is past. */
void place_model_train(struct place_model *model,
                       const struct place_trait *trait, uint32_t gap);
#endif
