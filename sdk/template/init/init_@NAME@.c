/* SPDX-License-Identifier: MIT
 * init @NAME@ - smaller layers keep more: the density of a layer goes with 1 / sqrt(its weights).
 *
 * A level-1 rule: it gives each layer a density, and the core draws the masks.  The densities times
 * the layers' sizes must sum to the target, so what is cut at 1 goes to the other layers.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

/* One scale for all layers that are not full; false where another layer became full. */
static int settle(const ftk_net *net, double wanted, double *density)
{
    double free_weights = wanted;
    double share = 0;
    int settled = 1;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double n = (double)net->layers[l]->n;
        if (density[l] >= 1)
            free_weights -= n;
        else
            share += sqrt(n); /* n x 1 / sqrt(n) */
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (density[l] >= 1)
            continue;
        density[l] = free_weights / share / sqrt((double)net->layers[l]->n);
        if (density[l] >= 1) {
            density[l] = 1;
            settled = 0;
        }
    }
    return settled;
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    double all = 0;
    (void)self;
    (void)u;
    if (!(target >= 0 && target <= 1))
        return h->fail(h, FTK_ERANGE, "density %g is outside 0 to 1", target);
    for (uint32_t l = 0; l < net->n_layers; l++) {
        all += (double)net->layers[l]->n;
        ret_density[l] = target >= 1 ? 1 : 0;
    }
    while (target < 1 && !settle(net, target * all, ret_density))
        continue; /* each turn fills one layer more */
    return FTK_OK;
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_INIT,
    .name = "@NAME@",
    .summary = "densities that go with 1 / sqrt(weights of the layer)",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};
FTK_PLUGIN("org.example.init.@NAME@", "0.1.0", "MIT", &rule);
