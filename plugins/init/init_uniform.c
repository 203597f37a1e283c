/* SPDX-License-Identifier: MIT
 * init/uniform - the same density in every layer, the first and the last included.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    if (!(target >= 0 && target <= 1))
        return h->fail(h, FTK_ERANGE, "density %g is outside 0 to 1", target);
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target;
    return FTK_OK;
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };

static const ftk_algo uniform = {
    .size = sizeof(uniform),
    .kind = FTK_KIND_INIT,
    .name = "uniform",
    .summary = "the same density in every layer",
    .reference = "Evci et al. 2020, arXiv:1911.11134",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.init.uniform", "0.1.0", "MIT", &uniform);
