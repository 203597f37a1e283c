/* SPDX-License-Identifier: MIT
 * prune/taylor - drop the active weights whose removal changes the loss least, to first order: the
 * score is |w g|.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

/* In double, where the product of two floats neither overflows nor vanishes; as a float it may, which
 * makes ties of what is out of scale. */
static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = (float)fabs((double)c->weight[i] * (double)c->grad[i]);
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT | FTK_CH_GRAD,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .score = score,
};

static const ftk_algo taylor = {
    .size = sizeof(taylor),
    .kind = FTK_KIND_PRUNE,
    .name = "taylor",
    .summary = "drop the active weights with the smallest |weight x gradient|",
    .reference = "Molchanov et al. 2019, arXiv:1906.10771",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.prune.taylor", "0.1.0", "MIT", &taylor);
