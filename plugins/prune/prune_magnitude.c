/* SPDX-License-Identifier: MIT
 * prune/magnitude - drop the active weights closest to zero: the score is |w|.
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
        score[i] = fabsf(c->weight[i]);
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .formula = FTK_FORMULA_ABS_WEIGHT,
    .score = score,
};

static const ftk_algo magnitude = {
    .size = sizeof(magnitude),
    .kind = FTK_KIND_PRUNE,
    .name = "magnitude",
    .summary = "drop the active weights closest to zero",
    .reference = "Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.prune.magnitude", "0.1.0", "MIT", &magnitude);
