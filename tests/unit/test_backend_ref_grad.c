/* SPDX-License-Identifier: MIT
 * test_backend_ref_grad.c - the oracle's gradients by central differences.
 *
 * For every array of a network, and for its input, in 16 random directions d:
 * L(w + d) - L(w - d) must be 2 g d to 1 % in the norm over the directions.  L is a double, but
 * from float activations, so d is not tiny, and the random networks have no kinks.  Relu and max
 * pool get a network of their own, whose sums are far enough from their kinks.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph_case.h"

enum { DIRECTIONS = 16, BATCH = 5 };
static const double reach = 1e-3; /* norm of d */
static const double noise = 6e-7; /* rounding, where a gradient is 0: a bias before batch norm */

struct fixture {
    struct bt_host host;
    struct bt_backend backend;
    ftk_dev *dev;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    bt_host_init(&f->host);
    if (!bt_backend_load(&f->host, "ref", &f->backend)) {
        free(f);
        return -1;
    }
    f->dev = bt_backend_open(&f->backend, 1, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->backend.ops->close(f->dev);
    bt_host_done(&f->host);
    int left = f->host.live == 0 ? 0 : -1;
    free(f);
    return left;
}

/* Mean loss of a batch in training mode: a step that moves nothing that matters. */
static double train_loss(const struct fixture *f, ftk_prog *prog, const struct graph_batch *b)
{
    const ftk_hyper hyper = graph_hyper(0.0, 0.0, 0.0, 0);
    ftk_stats stats = { .size = sizeof(stats) };
    ftk_stats *list[1] = { &stats };
    assert_int_equal(f->backend.ops->step(prog, b->list, &hyper), FTK_OK);
    assert_int_equal(f->backend.ops->sync(prog, list), FTK_OK);
    return stats.loss_sum / b->b.count;
}

/* Mean loss in evaluation mode, from the logits by the text of graph.h. */
static double evaluation_loss(const struct fixture *f, ftk_prog *prog, const struct graph_case *g,
                              const struct graph_batch *b)
{
    uint32_t classes = graph_classes(g);
    double smoothing = g->node[g->n_nodes - 1].scalar[0];
    float *logit = calloc((size_t)classes * b->b.count, sizeof(*logit));
    assert_non_null(logit);
    assert_int_equal(f->backend.ops->predict(prog, b->list, logit), FTK_OK);
    double loss = 0.0;
    for (uint32_t s = 0; s < b->b.count; s++) {
        const float *z = logit + (size_t)s * classes;
        double sum = 0.0;
        double mean = 0.0;
        for (uint32_t k = 0; k < classes; k++) {
            sum += exp((double)z[k]);
            mean += z[k] / (double)classes;
        }
        loss += log(sum) - (1.0 - smoothing) * z[b->y[s]] - smoothing * mean;
    }
    free(logit);
    return loss / b->b.count;
}

/* A direction of random signs and sizes whose norm is `reach`. */
static void draw_direction(ftk_rng *rng, double *d, uint64_t n)
{
    double norm = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        d[i] = bt_rng_normal(rng);
        norm += d[i] * d[i];
    }
    for (uint64_t i = 0; i < n; i++) {
        d[i] *= reach / sqrt(norm);
    }
}

/* Sums of squares over directions: of the differences' errors, and of what they should be. */
struct tally {
    double error, size;
};

/* to[i] = from[i] + sign d[i]; adds sign g to[i] up, so that rounding plays no part. */
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

static void tally_add(struct tally *t, double found, double wanted)
{
    t->error += (found - wanted) * (found - wanted);
    t->size += wanted * wanted;
}

/* One array of the network. */
static struct tally check_tensor(const struct fixture *f, ftk_prog *prog,
                                 const struct graph_batch *b, uint32_t node, uint32_t role)
{
    struct tally t = { 0.0, 0.0 };
    uint64_t n = 0;
    ftk_rng rng = { .key = { node, role } };
    (void)train_loss(f, prog, b); /* its velocity is now its gradient */
    float *g = graph_get(&f->backend, prog, node, FTK_TENSOR_MOMENT1 | role, &n);
    float *from = graph_get(&f->backend, prog, node, role, &n);
    float *to = calloc(n, sizeof(*to));
    double *d = calloc(n, sizeof(*d));
    assert_true(to != NULL && d != NULL);
    for (uint32_t k = 0; k < DIRECTIONS; k++) {
        draw_direction(&rng, d, n);
        double wanted = shift(from, d, 1.0, g, to, n);
        graph_put(&f->backend, prog, node, role, to, n);
        double found = train_loss(f, prog, b);
        wanted += shift(from, d, -1.0, g, to, n);
        graph_put(&f->backend, prog, node, role, to, n);
        found -= train_loss(f, prog, b);
        tally_add(&t, found, wanted);
    }
    graph_put(&f->backend, prog, node, role, from, n);
    free(g);
    free(from);
    free(to);
    free(d);
    return t;
}

static struct tally check_input(const struct fixture *f, ftk_prog *prog, const struct graph_case *g,
                                struct graph_batch *b)
{
    struct tally t = { 0.0, 0.0 };
    uint64_t n = b->b.count * graph_floats(&g->node[0]);
    ftk_rng rng = { .key = { 1, 2 } };
    float *from = calloc(n, sizeof(*from));
    float *dx = calloc(n, sizeof(*dx));
    double *d = calloc(n, sizeof(*d));
    assert_true(from != NULL && dx != NULL && d != NULL);
    memcpy(from, b->x, n * sizeof(*from));
    assert_int_equal(f->backend.ops->grad_input(prog, b->list, dx), FTK_OK);
    for (uint32_t k = 0; k < DIRECTIONS; k++) {
        draw_direction(&rng, d, n);
        double wanted = shift(from, d, 1.0, dx, b->x, n);
        double found = evaluation_loss(f, prog, g, b);
        wanted += shift(from, d, -1.0, dx, b->x, n);
        found -= evaluation_loss(f, prog, g, b);
        tally_add(&t, found, wanted);
    }
    memcpy(b->x, from, n * sizeof(*from));
    free(from);
    free(dx);
    free(d);
    return t;
}

static void require(struct tally t, uint64_t seed, const char *what, uint32_t role)
{
    if (!(sqrt(t.error) <= 0.01 * sqrt(t.size) + noise)) {
        fail_msg("network %u, %s, role %u: off by %.3g of %.3g", (unsigned)seed, what, role,
                 sqrt(t.error), sqrt(t.size));
    }
}

static void check_network(const struct fixture *f, const struct graph_case *g, uint64_t seed)
{
    ftk_prog *prog = graph_compile(&f->backend, f->dev, g, BATCH, 0);
    struct graph_batch *b = graph_batch_new(g, BATCH, seed);
    graph_fill(&f->backend, prog, g, 0.6, seed);
    for (uint32_t node = 0; node < g->n_nodes; node++) {
        for (uint32_t role = FTK_TENSOR_WEIGHT; role <= FTK_TENSOR_BIAS; role++) {
            uint64_t n = 0;
            if (graph_tensor(&f->backend, prog, node, role, &n) != GRAPH_NONE) {
                require(check_tensor(f, prog, b, node, role), seed, g->name[node], role);
            }
        }
    }
    require(check_input(f, prog, g, b), seed, "input", 0);
    graph_batch_free(b);
    f->backend.ops->release(prog);
}

/* Max pools become average pools, relus dropouts: shapes stay, kinks go. */
static void soften(struct graph_case *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (g->node[i].op == FTK_NODE_MAXPOOL) {
            g->node[i].op = FTK_NODE_AVGPOOL;
        } else if (g->node[i].op == FTK_NODE_RELU) {
            g->node[i].op = FTK_NODE_DROPOUT;
            g->node[i].scalar[0] = 0.3f;
        }
    }
}

static void test_random_networks(void **state)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct graph_case g;
        graph_random(&g, seed);
        soften(&g);
        check_network(*state, &g, seed);
    }
}

static void test_kinks(void **state)
{
    const uint32_t kernel[2] = { 3, 2 };
    const uint32_t stride[2] = { 2, 1 };
    const uint32_t pad[2] = { 1, 0 };
    const uint32_t none[2] = { 0, 0 };
    struct graph_case g;
    uint32_t at = graph_input(&g, 2, 5, 4);
    at = graph_pool(&g, FTK_NODE_MAXPOOL, at, kernel, stride, pad);
    at = graph_relu(&g, graph_conv(&g, at, 3, kernel, stride, none, FTK_NODE_BIAS, 1));
    at = graph_add(&g, at, graph_relu(&g, at));
    graph_xent(&g, graph_linear(&g, at, 4, FTK_NODE_BIAS, 0), 0.1f);
    check_network(*state, &g, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_networks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kinks, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("backend_ref_grad", tests, NULL, NULL);
}
