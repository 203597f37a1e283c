/* SPDX-License-Identifier: MIT
 * growth/random_unfired - activate weights that never were active, at random; others only when those
 * run out.
 *
 * In-time over-parameterisation is a matter of how many weights were ever active (R_s); this rule
 * raises it as fast as the number of updates allows.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

/* Unfired ones lie above all others: in [-1, 0], the others in [-3, -2]. */
static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)self;
    (void)l;
    for (uint64_t i = 0; i < c->count; i++) {
        float drawn = -0x1p-64f * (float)h->rng_u64(&u->rng); /* ties are rarest near 0 */
        score[i] = c->fired[i] ? drawn - 2 : drawn;
    }
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_FIRED,
    .props = FTK_PROP_RANDOM,
    .score = score,
};

static const ftk_algo random_unfired = {
    .size = sizeof(random_unfired),
    .kind = FTK_KIND_GROW,
    .name = "random_unfired",
    .summary = "activate weights that never were active, at random",
    .reference = "Liu et al. 2021, arXiv:2102.02887",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.grow.random_unfired", "0.1.0", "MIT", &random_unfired);
