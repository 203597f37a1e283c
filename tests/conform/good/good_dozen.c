/* SPDX-License-Identifier: MIT
 * tests/conform/good - twelve algorithms in a file, one name in two kinds.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

struct power {
    double exponent;
};
static const ftk_param table[] = {
    FTK_PARAM_F64(struct power, exponent, 1, 0.5, 4, "", "of the magnitude"), FTK_PARAM_END
};

static ftk_status score_weight(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                               ftk_update *u, float *score)
{
    const struct power *p = self;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = powf(fabsf(c->weight[i]), (float)p->exponent);
    return FTK_OK;
}

static ftk_status score_grad(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                             ftk_update *u, float *score)
{
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->grad[i]);
    return FTK_OK;
}

static const ftk_prune_ops by_weight = { .size = sizeof(by_weight),
                                         .channels = FTK_CH_WEIGHT,
                                         .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SIGN_FREE,
                                         .score = score_weight };
static const ftk_grow_ops by_grad = { .size = sizeof(by_grad),
                                      .channels = FTK_CH_GRAD,
                                      .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE |
                                               FTK_PROP_SIGN_FREE,
                                      .formula = FTK_FORMULA_ABS_GRAD,
                                      .score = score_grad };

#define PRUNES(id)                                                                                 \
    static const ftk_algo prune_##id = { .size = sizeof(prune_##id),                               \
                                         .kind = FTK_KIND_PRUNE,                                   \
                                         .name = #id,                                              \
                                         .summary = "one of a dozen",                              \
                                         .reference = "none",                                      \
                                         FTK_PARAMS(struct power, table),                          \
                                         .ops = &by_weight }
#define GROWS(id)                                                                                  \
    static const ftk_algo grow_##id = { .size = sizeof(grow_##id),                                 \
                                        .kind = FTK_KIND_GROW,                                     \
                                        .name = #id,                                               \
                                        .summary = "one of a dozen",                               \
                                        .reference = "none",                                       \
                                        .ops = &by_grad }
PRUNES(twin);
PRUNES(p1);
PRUNES(p2);
PRUNES(p3);
PRUNES(p4);
PRUNES(p5);
GROWS(twin);
GROWS(g1);
GROWS(g2);
GROWS(g3);
GROWS(g4);
GROWS(g5);

FTK_PLUGIN("freetickets.zoo.dozen", "0.1.0", "MIT", &prune_twin, &prune_p1, &prune_p2, &prune_p3,
           &prune_p4, &prune_p5, &grow_twin, &grow_g1, &grow_g2, &grow_g3, &grow_g4, &grow_g5);
