/* SPDX-License-Identifier: MIT
 * bad_common_density.c - uniform densities from an instance with scratch memory, and what breaks the
 * rules of every kind in it.
 */
#include "bad_life.h"
#include <freetickets/sparse.h>

/* Gives small layers more and large ones less where `astray` is not 0: the sum stays, and what happens
 * to a layer does not depend on its place. */
static void skew(const ftk_net *net, double astray, double target, double *density)
{
    double small = 0;
    double all = 0;
    for (uint32_t l = 0; l < net->n_layers; l++)
        all += (double)net->layers[l]->n;
    double mean = all / net->n_layers;
    for (uint32_t l = 0; l < net->n_layers; l++)
        small += (double)net->layers[l]->n <= mean ? (double)net->layers[l]->n : 0;
    if (small == all)
        return;
    double ratio = small / (all - small);
    double more = target * (1 - target) * astray / (1 + astray) / (2 + 2 * ratio);
    for (uint32_t l = 0; l < net->n_layers; l++)
        density[l] += (double)net->layers[l]->n <= mean ? more : -more * ratio;
}

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    struct life *s = self;
    double astray = life_astray(h, s);
    void *room;
#if defined(BAD_ABI_07)
    if (net->size != sizeof(*net))
        return h->fail(h, FTK_EABI, "a network of %u bytes", net->size);
#endif
#if defined(BAD_DET_06)
    astray += h->rng_uniform(&u->rng);
#elif defined(BAD_MEM_01)
    ret_density[net->n_layers] = 0;
#elif defined(BAD_MEM_02)
    s->memory[3] = ret_density[-1];
#elif defined(BAD_MEM_03)
    if (s->kept)
        s->memory[3] = ((const ftk_layer *)s->kept)->density_target;
    s->kept = net->layers[0];
#elif defined(BAD_STA_01)
    s->memory[0] = u->nth == 0 ? 1 : 2 * s->memory[0];
    astray += s->memory[0];
#else
    (void)u;
#endif
    if (!(target >= 0 && target <= 1)) {
#if defined(BAD_ERR_01)
        return FTK_ERANGE;
#else
        return h->fail(h, FTK_ERANGE, "density %g is outside 0 to 1", target);
#endif
    }
    ftk_status st = life_scratch(h, net->n_layers * sizeof(double), &room);
    if (st < 0)
        return st;
    double *d = room;
    for (uint32_t l = 0; l < net->n_layers; l++)
        d[l] = target * *s->unit;
    if (astray > 0)
        skew(net, astray, target, d);
    memcpy(ret_density, d, net->n_layers * sizeof(double));
    return FTK_OK;
}

static const ftk_init_ops ops = { .size = sizeof(ops), .density = density };
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_INIT,
    .name = "common_density",
    .summary = "the same density in every layer",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .ops = &ops,
    .create = life_create,
    .destroy = life_destroy,
};
FTK_PLUGIN("org.example.common_density", "1.0.0", "MIT", &common);
