/* SPDX-License-Identifier: MIT
 * growth/random - activate inactive weights uniformly at random.
 *
 * The scores are for whoever cannot sample: the claim UNIFORM lets the core draw
 * the k positions without scoring any.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

/* The highest scores win, and floats lie densest around 0: minus a uniform number in
 * [0, 1) makes a tie, which would favour low indices, rarer than the number itself. */
static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)self;
    (void)l;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = -0x1p-64f * (float)h->rng_u64(&u->rng);
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .props = FTK_PROP_RANDOM,
    .formula = FTK_FORMULA_UNIFORM,
    .score = score,
};

static const ftk_algo random_growth = {
    .size = sizeof(random_growth),
    .kind = FTK_KIND_GROW,
    .name = "random",
    .summary = "activate inactive weights uniformly at random",
    .reference = "Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.grow.random", "0.1.0", "MIT", &random_growth);
