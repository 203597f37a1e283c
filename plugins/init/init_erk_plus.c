/* SPDX-License-Identifier: MIT
 * init/erk_plus - ERK with the last linear layer dense; the others make up for it, so that the total is met.
 */
#include "init_scale.h"
#include <freetickets/plugin.h>

static double held(const ftk_layer *l)
{
    return l->type == FTK_LAYER_LINEAR && (l->role & FTK_ROLE_LAST) ? 1 : 0;
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    return init_scale(h, net, target, init_erk_ratio, held, ret_density);
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };

static const ftk_algo erk_plus = {
    .size = sizeof(erk_plus),
    .kind = FTK_KIND_INIT,
    .name = "erk_plus",
    .summary = "ERK with the last linear layer dense",
    .reference = "Liu et al. 2022, arXiv:2202.02643",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.init.erk_plus", "0.1.0", "MIT", &erk_plus);
