/* SPDX-License-Identifier: MIT
 * tests/conform/good - where weights go: all to one layer; and at the start: densities that refuse
 * low targets, densities by the size of gradients, masks drawn at random.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

/* ---- allot ------------------------------------------------------------------------------------ */

/* The roomiest first, until nothing is left. */
static ftk_status all_to_one(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                             const uint64_t *lost, const uint64_t *room, uint64_t total,
                             uint64_t *ret_count)
{
    uint64_t left = total;
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_count[l] = 0;
    for (uint32_t turn = 0; turn < net->n_layers && left > 0; turn++) {
        uint32_t best = 0;
        for (uint32_t l = 1; l < net->n_layers; l++)
            if (room[l] - ret_count[l] > room[best] - ret_count[best])
                best = l;
        uint64_t free = room[best] - ret_count[best];
        uint64_t more = left < free ? left : free;
        ret_count[best] += more;
        left -= more;
    }
    if (left > 0)
        return h->fail(h, FTK_ERANGE, "no layer has room for %llu weights",
                       (unsigned long long)left);
    return FTK_OK;
}

/* ---- init ------------------------------------------------------------------------------------- */

/* The first and the last layer are dense, whatever that costs. */
static ftk_status ends_dense(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                             double target, double *ret_density)
{
    double all = 0;
    double ends = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        int end = (net->layers[l]->role & (FTK_ROLE_FIRST | FTK_ROLE_LAST)) != 0;
        all += (double)net->layers[l]->n;
        ends += end ? (double)net->layers[l]->n : 0;
        ret_density[l] = end;
    }
    double left = target * all - ends;
    if (left < 0)
        return h->fail(h, FTK_ERANGE, "density %g; the first and the last layer need %g", target,
                       ends / all);
    for (uint32_t l = 0; l < net->n_layers; l++)
        if (ret_density[l] < 1)
            ret_density[l] = fmin(1, left / (all - ends));
    return FTK_OK;
}

static ftk_status mean_gradient(const ftk_net *net, uint32_t layer, double *ret)
{
    uint64_t cursor = 0;
    double sum = 0;
    ftk_cand c = { .size = sizeof(c) };
    do {
        ftk_status st = net->read(net, layer, FTK_ACTIVE, FTK_CH_GRAD, 1 << 16, &cursor, &c);
        if (st < 0)
            return st;
        for (uint64_t i = 0; i < c.count; i++)
            sum += fabs((double)c.grad[i]);
    } while (c.count > 0);
    *ret = sum / (double)net->layers[layer]->n;
    return FTK_OK;
}

/* Between the target itself and what the gradients ask for, so that none leaves 0 to 1. */
static ftk_status by_gradients(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                               double target, double *ret_density)
{
    double all = 0;
    double weighed = 0;
    double most = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        ftk_status st = mean_gradient(net, l, &ret_density[l]);
        if (st < 0)
            return st;
        if (!isfinite(ret_density[l]))
            return h->fail(h, FTK_ERANGE, "layer %u: the gradients are not finite", l);
        most = fmax(most, ret_density[l]);
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        ret_density[l] = most > 0 ? ret_density[l] / most : 1;
        all += (double)net->layers[l]->n;
        weighed += ret_density[l] * (double)net->layers[l]->n;
    }
    double mean = weighed / all;
    double depth = target * (1 - target) / 2;
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = fmin(1, fmax(0, target + depth * (ret_density[l] - mean)));
    return FTK_OK;
}

/* Floyd's sample of each layer; the entries of a dense layer are their positions. */
static ftk_status at_random(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                            const ftk_edit *edit)
{
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st >= 0; l++) {
        uint64_t n = net->layers[l]->n;
        uint64_t k = edit->budget[l];
        if (k > n)
            return h->fail(h, FTK_ERANGE, "layer %u has %llu weights", l, (unsigned long long)n);
        unsigned char *taken = h->scratch(h, n);
        if (!taken)
            return h->fail(h, FTK_ENOMEM, "no memory for %llu marks", (unsigned long long)n);
        for (uint64_t j = n - k; j < n && st >= 0; j++) {
            uint64_t at = h->rng_below(&u->rng, j + 1);
            at = taken[at] ? j : at;
            taken[at] = 1;
            st = edit->take(edit, l, &at, 1);
        }
    }
    return st;
}

static const ftk_allot_ops allot_ops = { .size = sizeof(allot_ops), .allot = all_to_one };
static const ftk_init_ops ends_ops = { .size = sizeof(ends_ops), .density = ends_dense };
static const ftk_init_ops gradient_ops = { .size = sizeof(gradient_ops),
                                           .channels = FTK_CH_GRAD,
                                           .density = by_gradients };
static const ftk_init_ops random_ops = { .size = sizeof(random_ops), .select = at_random };

#define ALGO(id, of_kind, with)                                                                    \
    static const ftk_algo id = { .size = sizeof(id),                                               \
                                 .kind = of_kind,                                                  \
                                 .name = #id,                                                      \
                                 .summary = "shares for the zoo",                                  \
                                 .reference = "none",                                              \
                                 .flags = FTK_ALGO_REENTRANT,                                      \
                                 .ops = &with }
ALGO(winner, FTK_KIND_ALLOT, allot_ops);
ALGO(dense_ends, FTK_KIND_INIT, ends_ops);
ALGO(by_grads, FTK_KIND_INIT, gradient_ops);
ALGO(random_masks, FTK_KIND_INIT, random_ops);

FTK_PLUGIN("freetickets.zoo.shares_odd", "0.1.0", "MIT", &winner, &dense_ends, &by_grads,
           &random_masks);
