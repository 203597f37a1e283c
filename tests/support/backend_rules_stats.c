/* SPDX-License-Identifier: MIT
 * backend_rules_stats.c - rules about what a backend counts, and which node it calls bad.
 */
#include "backend_rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BATCH = 6, CLASSES = 4 };

void rules_net(struct graph_case *g, bool random)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t two[2] = { 2, 2 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t at = graph_input(g, 2, 7, 8);
    at = graph_conv(g, at, 4, three, one, one, FTK_NODE_BIAS, 1);
    if (random) {
        at = graph_batchnorm(g, at, 0.1f, 1e-5f, 0);
    }
    at = graph_relu(g, at);
    at = graph_pool(g, FTK_NODE_MAXPOOL, at, two, two, none);
    at = graph_conv(g, at, 5, two, one, none, 0, 1);
    at = graph_relu(g, at);
    if (random) {
        at = graph_dropout(g, at, 0.25f);
    }
    at = graph_linear(g, at, 9, FTK_NODE_BIAS, 1);
    at = graph_relu(g, at);
    at = graph_linear(g, at, 4, FTK_NODE_BIAS, 0);
    graph_xent(g, at, 0.1f);
}

static ftk_prog *start(const struct bt_backend *backend, ftk_dev *dev, struct graph_case *g,
                       uint32_t flags)
{
    rules_net(g, true);
    ftk_prog *prog = graph_compile(backend, dev, g, BATCH, flags);
    graph_fill(backend, prog, g, 0.4, 8);
    return prog;
}

/* One step with a batch by `seed`. */
static void step(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                 const ftk_hyper *hyper, uint64_t seed)
{
    struct graph_batch *b = graph_batch_new(g, BATCH, seed);
    assert_int_equal(backend->ops->step(prog, b->list, hyper), FTK_OK);
    graph_batch_free(b);
}

static ftk_stats sync(const struct bt_backend *backend, ftk_prog *prog)
{
    ftk_stats stats = { .size = sizeof(stats) };
    ftk_stats *list[1] = { &stats };
    assert_int_equal(backend->ops->sync(prog, list), FTK_OK);
    return stats;
}

/* Loss (smoothing 0.1) and hits of one sample by the text of graph.h, in double. */
static double sample_loss(const float *z, int32_t label, uint64_t *correct)
{
    double sum = 0.0;
    double mean = 0.0;
    int32_t best = 0;
    for (int32_t k = 0; k < CLASSES; k++) {
        sum += exp((double)z[k]);
        best = z[k] > z[best] ? k : best;
    }
    for (int32_t k = 0; k < CLASSES; k++) {
        mean += (log(sum) - z[k]) / CLASSES;
    }
    *correct += best == label;
    return 0.9 * (log(sum) - z[label]) + 0.1 * mean;
}

/* A network that computes the same in training and evaluation: what predict() says before a
 * step is what the step counts.                                                          */
void rule_stats(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    rules_net(&g, false);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    graph_fill(backend, prog, &g, 0.5, 3);
    const ftk_hyper hyper = graph_hyper(0.5, 0.9, 0.0, 0);
    double loss = 0.0;
    uint64_t correct = 0;
    for (uint32_t i = 0; i < 2; i++) {
        float z[BATCH * CLASSES];
        struct graph_batch *b = graph_batch_new(&g, BATCH - i, 20 + i);
        assert_int_equal(backend->ops->predict(prog, b->list, z), FTK_OK);
        for (uint32_t s = 0; s < b->b.count; s++) {
            loss += sample_loss(z + (size_t)s * CLASSES, b->y[s], &correct);
        }
        assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
        graph_batch_free(b);
    }
    ftk_stats stats = sync(backend, prog);
    assert_int_equal(stats.samples, 2 * BATCH - 1);
    assert_int_equal(stats.correct, correct);
    assert_true(fabs(stats.loss_sum - loss) <= 1e-5 * loss);
    assert_int_equal(stats.bad_node, -1);
    stats = sync(backend, prog);
    assert_int_equal(stats.samples, 0);
    assert_int_equal(stats.correct, 0);
    assert_true(stats.loss_sum == 0.0);
    backend->ops->release(prog);
}

/* Of equal values the first is the largest: in a window, and among the classes. */
void rule_first_wins(const struct bt_backend *backend, ftk_dev *dev)
{
    const uint32_t two[2] = { 2, 2 };
    const uint32_t none[2] = { 0, 0 };
    struct graph_case g;
    uint32_t at = graph_pool(&g, FTK_NODE_MAXPOOL, graph_input(&g, 1, 4, 4), two, two, none);
    graph_xent(&g, graph_flatten(&g, at), 0.0f);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 1);
    float dx[BATCH * 16];
    for (uint32_t i = 0; i < BATCH * 16; i++) {
        b->x[i] = 1.0f;
    }
    assert_int_equal(backend->ops->grad_input(prog, b->list, dx), FTK_OK);
    for (uint32_t i = 0; i < BATCH * 16; i++) {
        bool first = i / 4 % 2 == 0 && i % 2 == 0;
        assert_true((dx[i] != 0.0f) == first);
    }
    const ftk_hyper hyper = graph_hyper(0.1, 0.0, 0.0, 0);
    for (uint32_t i = 0; i < BATCH; i++) {
        b->y[i] = i < 2 ? 0 : (int32_t)(i % 3 + 1);
    }
    assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
    assert_int_equal(sync(backend, prog).correct, 2);
    b->x[0] = 0.5f;       /* the window of class 0 still has its ones */
    b->x[32 + 15] = 3.0f; /* class 3 of the third sample, whose label is 3 */
    assert_int_equal(b->y[2], 3);
    assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
    assert_int_equal(sync(backend, prog).correct, 3);
    graph_batch_free(b);
    backend->ops->release(prog);
}

/* The node with the broken weight is named, with the first step that saw it. */
void rule_bad_node(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    rules_net(&g, true);
    for (uint32_t node = 0; node < g.n_nodes; node++) {
        if (graph_weights(&g, node) == 0) {
            continue;
        }
        for (uint32_t infinite = 0; infinite < 2; infinite++) {
            ftk_prog *prog = start(backend, dev, &g, 0);
            uint64_t n = 0;
            float *w = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &n);
            w[n / 2] = infinite ? INFINITY : NAN;
            ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.0, 0);
            step(backend, prog, &g, &hyper, 1);
            graph_put(backend, prog, node, FTK_TENSOR_WEIGHT, w, n);
            free(w);
            hyper.step = 7;
            step(backend, prog, &g, &hyper, 2);
            hyper.step = 8;
            step(backend, prog, &g, &hyper, 3);
            ftk_stats stats = sync(backend, prog);
            assert_int_equal(stats.bad_node, node);
            assert_int_equal(stats.bad_step, 7);
            backend->ops->release(prog);
        }
    }
}

/* All outputs are finite, but a weight's gradient is beyond FLT_MAX: its node is named. */
void rule_bad_gradient(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    uint32_t first = graph_linear(&g, graph_input(&g, 1, 1, 1), 1, 0, 0);
    uint32_t second = graph_linear(&g, first, 2, 0, 0);
    graph_xent(&g, second, 0.0f);
    ftk_prog *prog = graph_compile(backend, dev, &g, 1, 0);
    struct graph_batch *b = graph_batch_new(&g, 1, 1);
    const float small = 1e-20f;
    const float large[2] = { 1e25f, -1e25f };
    b->x[0] = 1e20f;
    b->y[0] = 1;
    graph_put(backend, prog, first, FTK_TENSOR_WEIGHT, &small, 1);
    graph_put(backend, prog, second, FTK_TENSOR_WEIGHT, large, 2);
    ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.0, 0);
    hyper.step = 3;
    assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
    ftk_stats stats = sync(backend, prog);
    assert_int_equal(stats.bad_node, first);
    assert_int_equal(stats.bad_step, 3);
    graph_batch_free(b);
    backend->ops->release(prog);
}
