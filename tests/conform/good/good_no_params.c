/* SPDX-License-Identifier: MIT
 * tests/conform/good - a rule without parameters, check(), create() or destroy().
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h, (void)self, (void)l, (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->weight[i] * c->weight[i];
    return FTK_OK;
}

static const ftk_prune_ops ops = { .size = sizeof(ops), .channels = FTK_CH_WEIGHT, .score = score };
static const ftk_algo bare = { .size = sizeof(bare),
                               .kind = FTK_KIND_PRUNE,
                               .name = "bare",
                               .summary = "square of the weight",
                               .reference = "",
                               .ops = &ops };
FTK_PLUGIN("org.freetickets.zoo.bare", "1.0.0", "MIT", &bare);
