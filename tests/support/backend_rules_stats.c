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

static ftk_stats sync(const struct bt_backend *backend, ftk_prog *prog)
{
    ftk_stats stats = { .size = sizeof(stats) };
    ftk_stats *list[1] = { &stats };
    assert_int_equal(backend->ops->sync(prog, list), FTK_OK);
    return stats;
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
