/* SPDX-License-Identifier: MIT
 * init/erk - Erdos-Renyi-Kernel densities: a layer's density is proportional to the sum
 * of its dimensions over their product, and layers that would exceed 1 are dense.
 *
 * With D the dense layers, d the target, n entries and r = (sum of dimensions) / n,
 *     eps = (d * sum_all n - sum_D n) / sum_{not D} r n
 * and the density outside D is eps * r.  Where the largest eps * r exceeds 1, every layer
 * with that very r joins D and eps is solved anew.  A layer joins only if the budget that
 * is left exceeds it, so that eps stays positive and every target in [0, 1] has a solution.
 */
#include "init_scale.h"
#include <freetickets/plugin.h>

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    return init_scale(h, net, target, init_erk_ratio, init_none_held, ret_density);
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };

static const ftk_algo erk = {
    .size = sizeof(erk),
    .kind = FTK_KIND_INIT,
    .name = "erk",
    .summary = "densities by the sum of a layer's dimensions over their product",
    .reference = "Evci et al. 2020, arXiv:1911.11134",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.init.erk", "0.1.0", "MIT", &erk);
