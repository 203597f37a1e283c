/* SPDX-License-Identifier: MIT
 * backend_rules_step.c - rules about what a step does and keeps.
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

enum { BATCH = 6, CLASSES = 4 };

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

static void assert_unchanged(const struct bt_backend *backend, ftk_prog *prog, const float *before,
                             uint64_t n)
{
    uint64_t m = 0;
    float *after = graph_get_all(backend, prog, &m);
    assert_int_equal(m, n);
    assert_memory_equal(after, before, n * sizeof(float));
    free(after);
}

void rule_no_update(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.01, 0);
    step(backend, prog, &g, &hyper, 1);
    (void)sync(backend, prog);
    uint64_t n = 0;
    float *before = graph_get_all(backend, prog, &n);
    hyper.flags = FTK_STEP_NO_UPDATE;
    step(backend, prog, &g, &hyper, 2);
    assert_unchanged(backend, prog, before, n);
    hyper.flags = FTK_STEP_NO_UPDATE | FTK_STEP_KEEP_GRAD;
    step(backend, prog, &g, &hyper, 2);
    assert_unchanged(backend, prog, before, n);
    ftk_stats stats = sync(backend, prog);
    assert_int_equal(stats.samples, 0);
    assert_int_equal(stats.correct, 0);
    assert_true(stats.loss_sum == 0.0);
    free(before);
    backend->ops->release(prog);
}

/* Drops the first active weight of a layer and adds its first inactive one. */
static void swap_one(const struct bt_backend *backend, ftk_prog *prog, uint32_t layer)
{
    uint64_t n = 0;
    uint64_t *on = graph_read(backend, prog, layer, FTK_ACTIVE, 0, 16, &n, NULL);
    uint64_t *off = graph_read(backend, prog, layer, FTK_INACTIVE, 0, 16, &n, NULL);
    const ftk_change change = {
        .size = sizeof(change), .drop = on, .add = off, .n_drop = 1, .n_add = 1
    };
    assert_int_equal(backend->ops->edit(prog, layer, &change), FTK_OK);
    free(on);
    free(off);
}

static void assert_gradients(const struct bt_backend *backend, ftk_prog *prog,
                             const struct graph_case *g, float *const *want)
{
    for (uint32_t layer = 0; layer < g->n_sparse; layer++) {
        uint64_t n = graph_weights(g, graph_layer_node(g, layer));
        float *got = graph_gradient(backend, prog, g, layer);
        assert_memory_equal(got, want[layer], n * sizeof(float));
        free(got);
    }
}

static void assert_no_gradient(const struct bt_backend *backend, ftk_prog *prog)
{
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    assert_int_equal(backend->ops->read_active(prog, 0, FTK_CH_GRAD, 10, &cursor, &c), FTK_ESTATE);
    assert_int_equal(backend->ops->read_inactive(prog, 0, FTK_CH_GRAD, 10, &cursor, &c),
                     FTK_ESTATE);
}

/* The gradient is that of the weights before the update, without decay: the same as without an
 * update; it outlives predict() and edit(), not the next step.                           */
void rule_keep_grad(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    float *want[3];
    assert_int_equal(g.n_sparse, 3);
    assert_no_gradient(backend, prog);
    ftk_hyper hyper = graph_hyper(0.3, 0.9, 0.1, FTK_STEP_NO_UPDATE | FTK_STEP_KEEP_GRAD);
    step(backend, prog, &g, &hyper, 4);
    for (uint32_t layer = 0; layer < 3; layer++) {
        want[layer] = graph_gradient(backend, prog, &g, layer);
    }
    hyper.flags = FTK_STEP_KEEP_GRAD;
    step(backend, prog, &g, &hyper, 4);
    assert_gradients(backend, prog, &g, want);
    float z[BATCH * CLASSES];
    struct graph_batch *b = graph_batch_new(&g, BATCH, 5);
    assert_int_equal(backend->ops->predict(prog, b->list, z), FTK_OK);
    graph_batch_free(b);
    assert_gradients(backend, prog, &g, want);
    swap_one(backend, prog, 2);
    assert_gradients(backend, prog, &g, want);
    swap_one(backend, prog, 0);
    assert_gradients(backend, prog, &g, want);
    hyper.flags = 0;
    step(backend, prog, &g, &hyper, 4);
    assert_no_gradient(backend, prog);
    for (uint32_t layer = 0; layer < 3; layer++) {
        free(want[layer]);
    }
    backend->ops->release(prog);
}

/* Only running mean and variance move, as they do in a full step from the same state. */
void rule_stats_only(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *full = start(backend, dev, &g, 0);
    ftk_prog *prog = start(backend, dev, &g, 0);
    ftk_hyper hyper = graph_hyper(0.3, 0.9, 0.1, 0);
    step(backend, full, &g, &hyper, 6);
    uint64_t moved = 0;
    ftk_prog *fresh = start(backend, dev, &g, 0);
    hyper.flags = FTK_STEP_STATS_ONLY;
    step(backend, prog, &g, &hyper, 6);
    ftk_tensor t = { .size = sizeof(t) };
    for (uint32_t i = 0; backend->ops->tensor(prog, i, &t) == FTK_OK; i++) {
        bool running = t.role == FTK_TENSOR_BN_MEAN || t.role == FTK_TENSOR_BN_VAR;
        uint64_t n = 0;
        float *got = graph_get(backend, prog, t.node, t.role, &n);
        float *want = graph_get(backend, running ? full : fresh, t.node, t.role, &n);
        float *old = graph_get(backend, fresh, t.node, t.role, &n);
        assert_memory_equal(got, want, n * sizeof(float));
        moved += memcmp(got, old, n * sizeof(float)) != 0;
        free(got);
        free(want);
        free(old);
    }
    assert_int_equal(moved, 2);
    ftk_stats stats = sync(backend, prog);
    assert_int_equal(stats.samples, 0);
    assert_true(stats.loss_sum == 0.0);
    backend->ops->release(full);
    backend->ops->release(fresh);
    backend->ops->release(prog);
}

/* Inactive velocities are mu v + g of the gradients that can be read; weights stay 0. */
void rule_dense_momentum(const struct bt_backend *backend, ftk_dev *dev)
{
    const double mu = 0.8;
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, FTK_BUILD_DENSE_MOMENTUM);
    const ftk_hyper hyper = graph_hyper(0.1, mu, 0.1, FTK_STEP_KEEP_GRAD);
    step(backend, prog, &g, &hyper, 1);
    for (uint32_t layer = 0; layer < g.n_sparse; layer++) {
        float *before = NULL;
        float *after = NULL;
        float *grad = NULL;
        float *weight = NULL;
        uint64_t n = 0;
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_MOMENTUM, 9, &n, &before));
        step(backend, prog, &g, &hyper, 2 + layer);
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_MOMENTUM, 9, &n, &after));
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_GRAD, 9, &n, &grad));
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_WEIGHT, 9, &n, &weight));
        assert_true(n > 0);
        for (uint64_t i = 0; i < n; i++) {
            before[i] = (float)(mu * before[i] + grad[i]);
            assert_true(weight[i] == 0.0f);
        }
        assert_true(array_close(after, before, n, 1e-6));
        free(before);
        free(after);
        free(grad);
        free(weight);
        /* All of them are a tensor too. */
        uint32_t node = graph_layer_node(&g, layer);
        assert_true(graph_tensor(backend, prog, node, FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT, &n) !=
                    GRAPH_NONE);
        assert_int_equal(n, graph_weights(&g, node));
    }
    backend->ops->release(prog);
}

/* predict() with dropout keeps just the elements that graph.h says; without, all. */
void rule_dropout_pattern(const struct bt_backend *backend, ftk_dev *dev)
{
    enum { FLOATS = 60 };
    struct graph_case g;
    uint32_t at = graph_input(&g, 3, 4, 5);
    uint32_t drop = graph_dropout(&g, graph_relu(&g, at), 0.375f);
    graph_xent(&g, graph_flatten(&g, drop), 0.0f);
    ftk_prog *prog = graph_compile(backend, dev, &g, BATCH, 0);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 12);
    b->b.rng.counter = 5;
    float z[BATCH * FLOATS];
    assert_int_equal(backend->ops->predict(prog, b->list, z), FTK_OK);
    for (uint32_t i = 0; i < BATCH * FLOATS; i++) {
        assert_true(z[i] == fmaxf(b->x[i], 0.0f));
    }
    b->b.flags = FTK_BATCH_DROPOUT;
    assert_int_equal(backend->ops->predict(prog, b->list, z), FTK_OK);
    ftk_rng rng = b->b.rng;
    rng.key[1] += drop;
    for (uint32_t i = 0; i < BATCH * FLOATS; i++) {
        float want = bt_rng_uniform(&rng) >= 0.375 ? fmaxf(b->x[i], 0.0f) / 0.625f : 0.0f;
        assert_true(fabsf(z[i] - want) <= 1e-6f * want);
    }
    graph_batch_free(b);
    backend->ops->release(prog);
}

void rule_grad_input_changes_nothing(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    const ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.01, FTK_STEP_KEEP_GRAD);
    step(backend, prog, &g, &hyper, 1);
    float *want[3];
    for (uint32_t layer = 0; layer < 3; layer++) {
        want[layer] = graph_gradient(backend, prog, &g, layer);
    }
    (void)sync(backend, prog);
    uint64_t n = 0;
    float *before = graph_get_all(backend, prog, &n);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 2);
    float *dx = calloc(BATCH * graph_floats(&g.node[0]), sizeof(*dx));
    assert_non_null(dx);
    assert_int_equal(backend->ops->grad_input(prog, b->list, dx), FTK_OK);
    free(dx);
    graph_batch_free(b);
    assert_unchanged(backend, prog, before, n);
    assert_gradients(backend, prog, &g, want);
    assert_int_equal(sync(backend, prog).samples, 0);
    for (uint32_t layer = 0; layer < 3; layer++) {
        free(want[layer]);
    }
    free(before);
    backend->ops->release(prog);
}

/* Two programs of one device know nothing of each other. */
void rule_two_programs(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *alone = start(backend, dev, &g, 0);
    ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.01, 0);
    step(backend, alone, &g, &hyper, 1);
    step(backend, alone, &g, &hyper, 2);
    ftk_prog *a = start(backend, dev, &g, 0);
    ftk_prog *b = start(backend, dev, &g, 0);
    step(backend, a, &g, &hyper, 1);
    step(backend, b, &g, &hyper, 9);
    step(backend, a, &g, &hyper, 2);
    backend->ops->release(b);
    uint64_t n = 0;
    float *want = graph_get_all(backend, alone, &n);
    assert_unchanged(backend, a, want, n);
    free(want);
    backend->ops->release(a);
    backend->ops->release(alone);
}
