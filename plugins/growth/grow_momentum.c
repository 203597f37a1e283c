/* SPDX-License-Identifier: MIT
 * growth/momentum - activate the inactive weights with the largest momentum: the score is |m|.
 *
 * Inactive weights have momentum only under topology.inactive_momentum = "accumulate", which costs a
 * dense weight gradient every step.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->momentum[i]);
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_MOMENTUM,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .formula = FTK_FORMULA_ABS_MOMENTUM,
    .score = score,
};

static const ftk_algo momentum_growth = {
    .size = sizeof(momentum_growth),
    .kind = FTK_KIND_GROW,
    .name = "momentum",
    .summary = "activate the inactive weights with the largest momentum",
    .reference = "Dettmers and Zettlemoyer 2019, arXiv:1907.04840",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.grow.momentum", "0.1.0", "MIT", &momentum_growth);
