/* SPDX-License-Identifier: MIT
 * grow @NAME@ - activate the weights with the largest gradients, above all those that never were active.
 *
 * A level-1 rule: it scores every inactive weight, and the core activates the highest, exactly as many
 * as the update asks for.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

struct params {
    double bonus;
};
static const ftk_param params[] = {
    FTK_PARAM_F64(struct params, bonus, 2.0, 1, 100, "",
                  "how much more a weight counts that never was active"),
    FTK_PARAM_END,
};

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    const struct params *p = self; /* there is no create(): self is the parameters */
    const float bonus = (float)p->bonus;
    (void)h;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = (c->fired[i] ? 1.0f : bonus) * fabsf(c->grad[i]);
    return FTK_OK;
}

static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_GRAD | FTK_CH_FIRED,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .score = score,
};
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_GROW,
    .name = "@NAME@",
    .summary = "activate the largest gradients, above all where no weight ever was",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.grow.@NAME@", "0.1.0", "MIT", &rule);
