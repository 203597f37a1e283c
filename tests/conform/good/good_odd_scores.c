/* SPDX-License-Identifier: MIT
 * tests/conform/good - scores that look wrong and are not: by position alone, by position with ties
 * broken at random, infinite ones.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

/* A chequered pattern; equal weights get other scores, so ELEMENTWISE is not claimed. */
static ftk_status score_position(const ftk_host *h, void *self, const ftk_layer *l,
                                 const ftk_cand *c, ftk_update *u, float *score)
{
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = (float)(c->index[i] % 7) + (float)(u->nth % 2);
    return FTK_OK;
}

/* Rough magnitudes; among equal ones chance decides. */
static ftk_status score_rough(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                              ftk_update *u, float *score)
{
    for (uint64_t i = 0; i < c->count; i++) {
        float rough = fminf(floorf(4 * fabsf(c->weight[i])), 1000);
        score[i] = rough + 0.5f * (float)h->rng_uniform(&u->rng);
    }
    return FTK_OK;
}

/* Young entries are never dropped before others, old ones always. */
static ftk_status score_age(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                            ftk_update *u, float *score)
{
    for (uint64_t i = 0; i < c->count; i++) {
        score[i] = c->age[i] < 3 ? INFINITY : -INFINITY;
        if (c->age[i] >= 3 && c->age[i] < 6)
            score[i] = fabsf(c->weight[i]);
    }
    return FTK_OK;
}

/* Dead ones first. */
static ftk_status score_fired(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                              ftk_update *u, float *score)
{
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->fired[i] ? -INFINITY : INFINITY;
    return FTK_OK;
}

static const ftk_prune_ops by_position = { .size = sizeof(by_position), .score = score_position };
static const ftk_prune_ops rough = { .size = sizeof(rough),
                                     .channels = FTK_CH_WEIGHT,
                                     .props = FTK_PROP_RANDOM | FTK_PROP_SIGN_FREE,
                                     .score = score_rough };
static const ftk_prune_ops by_age = { .size = sizeof(by_age),
                                      .channels = FTK_CH_WEIGHT | FTK_CH_AGE,
                                      .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SIGN_FREE |
                                               FTK_PROP_SCALE_FREE,
                                      .score = score_age };
static const ftk_grow_ops unfired = { .size = sizeof(unfired),
                                      .channels = FTK_CH_FIRED,
                                      .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE |
                                               FTK_PROP_SIGN_FREE,
                                      .score = score_fired };

#define ALGO(id, of_kind, with)                                                                    \
    static const ftk_algo id = { .size = sizeof(id),                                               \
                                 .kind = of_kind,                                                  \
                                 .name = #id,                                                      \
                                 .summary = "odd scores for the zoo",                              \
                                 .reference = "none",                                              \
                                 .ops = &with }
ALGO(position, FTK_KIND_PRUNE, by_position);
ALGO(rough_ties, FTK_KIND_PRUNE, rough);
ALGO(age, FTK_KIND_PRUNE, by_age);
ALGO(dead_first, FTK_KIND_GROW, unfired);

FTK_PLUGIN("freetickets.zoo.odd_scores", "0.1.0", "MIT", &position, &rough_ties, &age, &dead_first);
