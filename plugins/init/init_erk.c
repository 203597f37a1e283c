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
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

/* r n: the sum of the dimensions that the layer really has, 4 or 2. */
static double dimension_sum(const ftk_layer *l)
{
    double sum = (double)l->shape[0] + (double)l->shape[1];
    if (l->type == FTK_LAYER_CONV2D)
        sum += (double)l->shape[2] + (double)l->shape[3];
    return sum;
}

static double raw_ratio(const ftk_layer *l)
{
    return dimension_sum(l) / (double)l->n;
}

/* One solution of eps for the dense set held in density[] as ones. */
static double solve_eps(const ftk_net *net, double target, const double *density)
{
    double budget = 0; // weights left for the layers outside D
    double weight = 0; // sum of r n outside D
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double n = (double)net->layers[l]->n;
        if (density[l] > 0) {
            budget -= (1 - target) * n;
            continue;
        }
        budget += target * n;
        weight += dimension_sum(net->layers[l]);
    }
    return weight > 0 && budget > 0 ? budget / weight : 0;
}

/* Moves the layers with the largest r into D if they exceed 1; 0 when none does. */
static int extend_dense(const ftk_net *net, double eps, double *density)
{
    double top = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double r = raw_ratio(net->layers[l]);
        if (!(density[l] > 0) && r > top)
            top = r;
    }
    if (!(eps * top > 1))
        return 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (raw_ratio(net->layers[l]) >= top)
            density[l] = 1;
    }
    return 1;
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)self;
    (void)u;
    if (!(target >= 0 && target <= 1))
        return h->fail(h, FTK_ERANGE, "density %g is outside 0 to 1", target);
    // A target of 1 is answered by hand: its last layer may come out an ulp below 1.
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target < 1 ? 0 : 1;
    if (target >= 1)
        return FTK_OK;
    double eps = solve_eps(net, target, ret_density);
    while (extend_dense(net, eps, ret_density))
        eps = solve_eps(net, target, ret_density);
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (!(ret_density[l] > 0))
            ret_density[l] = eps * raw_ratio(net->layers[l]);
    }
    return FTK_OK;
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
