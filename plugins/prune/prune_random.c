/* SPDX-License-Identifier: MIT
 * prune/random - drop active weights uniformly at random: the baseline of every pruning rule.
 *
 * The scores are for whoever cannot sample: the claim UNIFORM lets the core draw the k positions.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

/* The lowest scores go, and floats lie densest around 0, so that ties are rarest there. */
static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)self;
    (void)l;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = 0x1p-64f * (float)h->rng_u64(&u->rng);
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .props = FTK_PROP_RANDOM,
    .formula = FTK_FORMULA_UNIFORM,
    .score = score,
};

static const ftk_algo random_pruning = {
    .size = sizeof(random_pruning),
    .kind = FTK_KIND_PRUNE,
    .name = "random",
    .summary = "drop active weights uniformly at random",
    .reference = "Liu et al. 2022, arXiv:2202.02643",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.prune.random", "0.1.0", "MIT", &random_pruning);
