/* SPDX-License-Identifier: MIT
 * prune @NAME@ - drop the smallest weights, but leave those alone that became active lately.
 *
 * A level-1 rule: it scores every active weight, and the core drops the lowest, exactly as many as
 * the update asks for.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

struct params {
    int64_t protect;
};
static const ftk_param params[] = {
    FTK_PARAM_I64(struct params, protect, 1, 0, 1000, "",
                  "updates during which a weight that was grown is safe"),
    FTK_PARAM_END,
};

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    const struct params *p = self; /* there is no create(): self is the parameters */
    (void)h;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->age[i] < (uint64_t)p->protect ? INFINITY : fabsf(c->weight[i]);
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT | FTK_CH_AGE,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .score = score,
};
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_PRUNE,
    .name = "@NAME@",
    .summary = "drop the smallest weights, but not those that were grown lately",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.prune.@NAME@", "0.1.0", "MIT", &rule);
