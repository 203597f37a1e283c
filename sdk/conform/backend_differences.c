/* SPDX-License-Identifier: MIT
 * conform/backend_differences.c - an oracle's gradients by central differences.
 *
 * For every array of a network, in 16 random directions d: L(w + d) - L(w - d) must be 2 g d to 1 %
 * in the norm over the directions.  L is a double, but from float activations, so d is not tiny, and
 * the networks have no kinks: average pools for max pools, dropouts for relus.
 */
#include "base/rng.h"
#include "conform/rules_bkd.h"
#include <math.h>

enum { DIRECTIONS = 16, COUNT = 5, NETWORKS = 3 };
static const double reach = 1e-3; /* norm of d */
static const double noise = 6e-7; /* rounding, where a gradient is 0: a bias before batch norm */

/* Mean loss of a batch in training mode: a step that moves nothing that matters. */
static double train_loss(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_batch *b)
{
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    FTK__MUST(bk, step, p, b->list, &hy);
    return ftk__bk_sync(bk, p).loss_sum / b->b.count;
}

/* A direction of random signs and sizes whose norm is `reach`. */
static void draw_direction(ftk_rng *rng, double *d, uint64_t n)
{
    double norm = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        d[i] = ftk__rng_normal(rng);
        norm += d[i] * d[i];
    }
    for (uint64_t i = 0; i < n; i++)
        d[i] *= reach / sqrt(norm);
}

/* to[i] = from[i] + sign d[i]; returns the sum of sign g[i] (to[i] - from[i]), so that rounding
 * plays no part. */
static double shift(const float *from, const double *d, double sign, const float *g, float *to,
                    uint64_t n)
{
    double sum = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        to[i] = (float)(from[i] + sign * d[i]);
        sum += sign * g[i] * ((double)to[i] - from[i]);
    }
    return sum;
}

/* One array of the network. */
static void check_array(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                        const struct ftk__bk_batch *b, uint32_t node, uint32_t role)
{
    double error = 0.0;
    double size = 0.0;
    uint64_t n = 0;
    ftk_rng rng = { .key = { node, role } };
    (void)train_loss(bk, p, b); /* its velocity is now its gradient */
    const float *grad = ftk__bk_get(bk, p, g, node, FTK_TENSOR_MOMENT1 | role, &n);
    const float *from = ftk__bk_get(bk, p, g, node, role, &n);
    float *to = ftk__kit_alloc(bk->c, n, sizeof(*to));
    double *d = ftk__kit_alloc(bk->c, n, sizeof(*d));
    for (uint32_t k = 0; k < DIRECTIONS; k++) {
        draw_direction(&rng, d, n);
        double wanted = shift(from, d, 1.0, grad, to, n);
        ftk__bk_put(bk, p, g, node, role, to, n);
        double found = train_loss(bk, p, b);
        wanted += shift(from, d, -1.0, grad, to, n);
        ftk__bk_put(bk, p, g, node, role, to, n);
        found -= train_loss(bk, p, b);
        error += (found - wanted) * (found - wanted);
        size += wanted * wanted;
    }
    ftk__bk_put(bk, p, g, node, role, from, n);
    ftk__kit_expect(bk->c, sqrt(error) <= 0.01 * sqrt(size) + noise,
                    "%s: central differences are off by %.3g of %.3g over %d directions",
                    ftk__bk_array_name(bk->c, g, node, role), sqrt(error), sqrt(size), DIRECTIONS);
}

static void check_network(struct ftk__bk *bk, const struct ftk__bk_graph *g, uint64_t seed)
{
    ftk_prog *p = ftk__bk_compile(bk, g, COUNT, 0);
    const struct ftk__bk_batch *b = ftk__bk_batch(bk->c, g, COUNT, seed);
    ftk__bk_fill(bk, p, g, 0.6, seed);
    for (uint32_t node = 0; node < g->n_nodes; node++) {
        for (uint32_t role = FTK_TENSOR_WEIGHT; role <= FTK_TENSOR_BIAS; role++) {
            uint64_t n = 0;
            if (ftk__bk_find(bk, p, node, role, 0, &n) >= 0)
                check_array(bk, p, g, b, node, role);
        }
    }
    bk->ops->release(p);
}

void ftk__bkd_differences(struct ftk__bk *bk)
{
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        struct ftk__bk_graph *g = ftk__kit_alloc(bk->c, 1, sizeof(*g));
        ftk__bk_random(g, seed);
        ftk__bk_soften(g);
        ftk__kit_note(bk->c, "random network %u", (unsigned)seed);
        check_network(bk, g, seed);
    }
    ftk__kit_note(bk->c, "%s", "");
}
