/* SPDX-License-Identifier: MIT
 * init/er - Erdos-Renyi: the density goes with (n_in + n_out) / (n_in n_out).
 *
 * SET's rule for linear layers; a convolution counts by its channels, its kernel is left out.
 */
#include "init_scale.h"
#include <freetickets/plugin.h>

static double ratio(const ftk_layer *l)
{
    double out = (double)l->shape[0];
    double in = (double)l->shape[1];
    return (in + out) / (in * out);
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    return init_scale(h, net, target, ratio, init_none_held, ret_density);
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };

static const ftk_algo er = {
    .size = sizeof(er),
    .kind = FTK_KIND_INIT,
    .name = "er",
    .summary = "densities by (n_in + n_out) / (n_in n_out), kernels left out",
    .reference = "Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.init.er", "0.1.0", "MIT", &er);
