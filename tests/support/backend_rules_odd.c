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
