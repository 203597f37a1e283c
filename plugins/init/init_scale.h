/* SPDX-License-Identifier: MIT
 * init/init_scale.h - densities proportional to a ratio of each layer, cut at 1, that meet a target
 * exactly; some layers may be held at a density of their own.
 *
 * density = eps r with one eps for all free layers.  Where that exceeds 1 the layers with the largest
 * r become dense and eps is solved anew (Evci et al. 2020, arXiv:1911.11134, appendix).
 */
#ifndef INIT_SCALE_H
#define INIT_SCALE_H
#include <freetickets/sparse.h>

/* Positive; it need not know of the others. */
typedef double (*init_ratio_fn)(const ftk_layer *l);
/* The density at which a layer is held; 0: free. */
typedef double (*init_held_fn)(const ftk_layer *l);

/* eps for the layers whose density is 0 so far; negative where the others leave nothing. */
static inline double init_solve_eps(const ftk_net *net, double target, init_ratio_fn ratio,
                                    const double *density)
{
    double budget = 0; /* weights left for the free layers */
    double weight = 0; /* sum of r n over them             */
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double n = (double)net->layers[l]->n;
        if (density[l] > 0) {
            budget -= (density[l] - target) * n;
            continue;
        }
        budget += target * n;
        weight += ratio(net->layers[l]) * n;
    }
    if (weight > 0)
        return budget / weight;
    return budget < -0.5 ? -1 : 0; /* nothing is free: half a weight is rounding */
}

/* Makes the layers with the largest r dense if they exceed 1; 0 where none does. */
static inline int init_extend_dense(const ftk_net *net, double eps, init_ratio_fn ratio,
                                    double *density)
{
    double top = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        double r = ratio(net->layers[l]);
        if (!(density[l] > 0) && r > top)
            top = r;
    }
    if (!(eps * top > 1))
        return 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (!(density[l] > 0) && ratio(net->layers[l]) >= top)
            density[l] = 1;
    }
    return 1;
}

/* FTK_ERANGE with a reason for a target outside 0 to 1 or below what the held layers need. */
static inline ftk_status init_scale(const ftk_host *h, const ftk_net *net, double target,
                                    init_ratio_fn ratio, init_held_fn held, double *ret_density)
{
    if (!(target >= 0 && target <= 1))
        return h->fail(h, FTK_ERANGE, "density %g is outside 0 to 1", target);
    /* A target of 1 is answered by hand: its last layer may come out an ulp below 1. */
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target < 1 ? held(net->layers[l]) : 1;
    if (target >= 1)
        return FTK_OK;
    double eps = init_solve_eps(net, target, ratio, ret_density);
    while (eps > 0 && init_extend_dense(net, eps, ratio, ret_density))
        eps = init_solve_eps(net, target, ratio, ret_density);
    if (eps < 0)
        return h->fail(h, FTK_ERANGE, "density %g is below what the layers held dense need",
                       target);
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (!(ret_density[l] > 0))
            ret_density[l] = eps * ratio(net->layers[l]);
    }
    return FTK_OK;
}

static inline double init_none_held(const ftk_layer *l)
{
    (void)l;
    return 0;
}

/* Sum of a layer's dimensions over their product, the kernel's among them (ERK). */
static inline double init_erk_ratio(const ftk_layer *l)
{
    double sum = (double)l->shape[0] + (double)l->shape[1];
    if (l->type == FTK_LAYER_CONV2D)
        sum += (double)l->shape[2] + (double)l->shape[3];
    return sum / (double)l->n;
}
#endif
