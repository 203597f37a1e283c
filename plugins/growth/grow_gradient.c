/* SPDX-License-Identifier: MIT
 * growth/gradient - activate the inactive weights with the largest gradient: the score is |g|.
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
        score[i] = fabsf(c->grad[i]);
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_GRAD,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .formula = FTK_FORMULA_ABS_GRAD,
    .score = score,
};

static const ftk_algo gradient = {
    .size = sizeof(gradient),
    .kind = FTK_KIND_GROW,
    .name = "gradient",
    .summary = "activate the inactive weights with the largest gradient",
    .reference = "Evci et al. 2020, arXiv:1911.11134",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.grow.gradient", "0.1.0", "MIT", &gradient);
