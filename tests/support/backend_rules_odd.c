/* SPDX-License-Identifier: MIT
 * backend_rules_odd.c - rules that only odd orders, sizes and values bring out.
 */
#include "backend_rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6, CLASSES = 4, DEPTH = 20 };

/* A listing in progress, a few at a time, against one that was made in one go. */
struct listing {
    uint32_t layer, which;
    uint64_t cap, cursor, n, at;
    uint64_t *index; /* [n], what has to come                               */
    float *value;    /* [n], its momentum                                   */
};

/* The next few; false at the end. */
static bool read_on(const struct bt_backend *backend, ftk_prog *prog, struct listing *l)
{
    ftk_cand c = { .size = sizeof(c) };
    bool active = l->which == FTK_ACTIVE;
    ftk_status st =
        active
            ? backend->ops->read_active(prog, l->layer, FTK_CH_MOMENTUM, l->cap, &l->cursor, &c)
            : backend->ops->read_inactive(prog, l->layer, FTK_CH_MOMENTUM, l->cap, &l->cursor, &c);
    assert_int_equal(st, FTK_OK);
    assert_true(c.count <= l->cap && c.count <= l->n - l->at);
    assert_null(c.weight);
    for (uint64_t i = 0; i < c.count; i++, l->at++) {
        assert_int_equal(c.index[i], l->index[l->at]);
        assert_true(c.momentum[i] == l->value[l->at]);
    }
    return c.count > 0;
}

/* Listings of several layers, each with its own small `cap`, take turns. */
void rule_reads_interleave(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    struct listing l[6];
    rules_net(&g, true);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, FTK_BUILD_DENSE_MOMENTUM);
    graph_fill(backend, prog, &g, 0.4, 5);
    for (uint32_t i = 0; i < 6; i++) {
        l[i] = (struct listing){ .layer = i % 3,
                                 .which = i < 3 ? FTK_ACTIVE : FTK_INACTIVE,
                                 .cap = 1 + i };
        l[i].index = graph_read(backend, prog, l[i].layer, l[i].which, FTK_CH_MOMENTUM, 100000,
                                &l[i].n, &l[i].value);
    }
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < 6; i++) {
            more = read_on(backend, prog, &l[i]) || more;
        }
    }
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(l[i].at, l[i].n);
        free(l[i].index);
        free(l[i].value);
    }
    backend->ops->release(prog);
}

/* A weight that is NaN reaches the prediction through max pooling and ReLU. */
void rule_nan_is_seen(const struct bt_backend *backend, ftk_dev *dev)
{
    const uint32_t two[2] = { 2, 2 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    const float bias[2] = { NAN, NAN };
    struct graph_case g;
    float z[BATCH * CLASSES];
    uint32_t conv = graph_conv(&g, graph_input(&g, 1, 5, 5), 2, two, one, none, FTK_NODE_BIAS, 1);
    uint32_t at = graph_relu(&g, graph_pool(&g, FTK_NODE_MAXPOOL, conv, two, two, none));
    graph_xent(&g, graph_linear(&g, at, CLASSES, 0, 0), 0.0f);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    graph_fill(backend, prog, &g, 1.0, 5);
    graph_put(backend, prog, conv, FTK_TENSOR_BIAS, bias, 2);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 1);
    assert_int_equal(backend->ops->predict(prog, b->list, z), FTK_OK);
    for (uint32_t i = 0; i < BATCH * CLASSES; i++) {
        assert_true(isnan(z[i]));
    }
    graph_batch_free(b);
    backend->ops->release(prog);
}

/* Of one sample batch norm's variance is 0 and its scale large: nothing but that sample, whose
 * values all are 0 then, may count, however deep the network is.                        */
void rule_small_batch_stays_finite(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    uint32_t at = graph_input(&g, 3, 1, 1);
    for (uint32_t i = 0; i < DEPTH; i++) {
        at = graph_batchnorm(&g, graph_linear(&g, at, 3, 0, 0), 0.1f, 1e-5f, 0);
    }
    graph_xent(&g, graph_linear(&g, at, CLASSES, 0, 0), 0.0f);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    graph_fill(backend, prog, &g, 1.0, 7);
    struct graph_batch *b = graph_batch_new(&g, 1, 3);
    const ftk_hyper hyper = graph_hyper(0.01, 0.9, 0.0, 0);
    assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
    ftk_stats stats = { .size = sizeof(stats) };
    ftk_stats *const list[1] = { &stats };
    assert_int_equal(backend->ops->sync(prog, list), FTK_OK);
    assert_int_equal(stats.bad_node, -1);
    uint64_t n = 0;
    float *all = graph_get_all(backend, prog, &n);
    for (uint64_t i = 0; i < n; i++) {
        assert_true(isfinite(all[i]));
    }
    free(all);
    graph_batch_free(b);
    backend->ops->release(prog);
}

/* The input's gradient is that of evaluation, whatever predict() was to do with dropout. */
void rule_grad_input_evaluates(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    float dx[2][BATCH * 2 * 7 * 8];
    rules_net(&g, true);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    graph_fill(backend, prog, &g, 0.9, 5);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 1);
    assert_int_equal(graph_floats(&g.node[0]), 2 * 7 * 8);
    for (uint32_t i = 0; i < 2; i++) {
        b->b.flags = i * FTK_BATCH_DROPOUT;
        assert_int_equal(backend->ops->grad_input(prog, b->list, dx[i]), FTK_OK);
    }
    assert_memory_equal(dx[0], dx[1], sizeof(dx[0]));
    graph_batch_free(b);
    backend->ops->release(prog);
}
