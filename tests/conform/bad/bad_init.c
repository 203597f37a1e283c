/* SPDX-License-Identifier: MIT
 * tests/conform/bad - densities, right as they stand; each define moves them one line away.
 *
 * The first layer stays dense, all others share one density; a target below what the first layer
 * needs is refused.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static int is_dense(const ftk_net *net, uint32_t l)
{
#if defined BAD_INI_03
    return l == 0; /* by its place, not by its role */
#else
    return (net->layers[l]->role & FTK_ROLE_FIRST) != 0;
#endif
}

/* Entries of all layers that are dense, and of those that are not. */
static void count(const ftk_net *net, double *ret_dense, double *ret_sparse)
{
    *ret_dense = 0;
    *ret_sparse = 0;
    for (uint32_t l = 0; l < net->n_layers; l++)
        *(is_dense(net, l) ? ret_dense : ret_sparse) += (double)net->layers[l]->n;
}

static ftk_status refuse(const ftk_host *h, const ftk_net *net, double target)
{
#if defined BAD_INI_01 && defined BAD_VARIANT_ONE
    if (target >= 1)
        return h->fail(h, FTK_ERANGE, "density 1 is not sparse");
#endif
#if defined BAD_INI_01 && defined BAD_VARIANT_STATUS
    if (target < 0.02)
        return h->fail(h, FTK_EINVAL, "density %g is too low", target);
#endif
#if defined BAD_INI_01 && defined BAD_VARIANT_GAP
    if (target > 0.04 && target < 0.06)
        return h->fail(h, FTK_ERANGE, "density %g is not one of ours", target);
#endif
#if defined BAD_INI_01 && defined BAD_VARIANT_TENTH
    if (target < 0.15)
        return h->fail(h, FTK_ERANGE, "density %g is too low", target);
#endif
#if defined BAD_INI_02 && defined BAD_VARIANT_LAYERS
    if (net->n_layers > 64)
        return h->fail(h, FTK_ENOTSUP, "more than 64 layers");
#endif
#if defined BAD_SCO_08
    if (target > 0.41 && target < 0.42)
        return FTK_ERANGE;
#endif
    return FTK_OK;
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    double dense, sparse;
    ftk_status st = refuse(h, net, target);
    if (st < 0)
        return st;
    count(net, &dense, &sparse);
    double left = target * (dense + sparse) - dense;
#if defined BAD_INI_01 && defined BAD_VARIANT_SUM
    left = target * sparse; /* the first layer is not paid for */
#endif
    double rest = sparse > 0 ? left / sparse : 0;
    double first = 1;
#if defined BAD_INI_02 && defined BAD_VARIANT_ZERO
    rest = target * left / (target * sparse);
#endif
#if defined BAD_INI_01 && defined BAD_VARIANT_RANGE
    first = 1.0001; /* a fraction of a weight more than there are */
#endif
#if defined BAD_INI_04
    if (target > 0.5) { /* another law from here on, under which the first is as all others */
        rest = target;
        first = target;
    }
#endif
    if (rest < 0 || (sparse <= 0 && left < 0))
        return h->fail(h, FTK_ERANGE, "density %g is less than the first layer needs", target);
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = is_dense(net, l) ? first : rest > 1 ? 1 : rest;
    return FTK_OK;
}

static const ftk_init_ops ops = {
    .size = sizeof(ops),
#if defined BAD_SCO_04
    .channels = FTK_CH_GRAD, /* a whole backward pass for nothing */
#endif
    .density = density,
};

static const ftk_algo densities = {
    .size = sizeof(densities),
    .kind = FTK_KIND_INIT,
#if defined BAD_INI_05
    .name = "erk",
#else
    .name = "densities",
#endif
    .summary = "densities for the zoo of the conformance kit",
    .reference = "none",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.zoo.densities", "0.1.0", "MIT", &densities);
