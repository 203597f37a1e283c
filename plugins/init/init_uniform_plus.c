/* SPDX-License-Identifier: MIT
 * init/uniform_plus - the same density in every layer, but the first convolution is dense and the last linear
 * layer keeps at least a fifth of its weights; the total is met.
 */
#include "init_scale.h"
#include <freetickets/plugin.h>

enum { LEAST_PERCENT = 20 };

static double ratio(const ftk_layer *l)
{
    (void)l;
    return 1;
}

static double first_held(const ftk_layer *l)
{
    return l->type == FTK_LAYER_CONV2D && (l->role & FTK_ROLE_FIRST) ? 1 : 0;
}

static int is_last(const ftk_layer *l)
{
    return l->type == FTK_LAYER_LINEAR && (l->role & FTK_ROLE_LAST);
}

static double both_held(const ftk_layer *l)
{
    return is_last(l) ? LEAST_PERCENT / 100.0 : first_held(l);
}

/* The last layer is held only where it would get less. */
static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    ftk_status st = init_scale(h, net, target, ratio, first_held, ret_density);
    if (st != FTK_OK)
        return st;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (is_last(net->layers[l]) && ret_density[l] < LEAST_PERCENT / 100.0)
            return init_scale(h, net, target, ratio, both_held, ret_density);
    }
    return FTK_OK;
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };

static const ftk_algo uniform_plus = {
    .size = sizeof(uniform_plus),
    .kind = FTK_KIND_INIT,
    .name = "uniform_plus",
    .summary = "uniform, but the first convolution dense and the last linear layer at 0.2 or more",
    .reference = "Gale et al. 2019, arXiv:1902.09574",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.init.uniform_plus", "0.1.0", "MIT", &uniform_plus);
