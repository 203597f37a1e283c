/* SPDX-License-Identifier: MIT
 * graph_state.c - batches, compiled programs and their arrays, for tests of backends.
 */
#include "graph_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(backend, call) check_status(backend, call, #call)

static void check_status(const struct bt_backend *backend, ftk_status st, const char *what)
{
    bt_host_call_done(backend->host);
    if (st != FTK_OK) {
        fail_msg("%s: status %d: %s", what, (int)st, backend->host->message);
    }
}

static void *new_array(uint64_t n, size_t bytes)
{
    void *p = calloc(n == 0 ? 1 : n, bytes);
    assert_non_null(p);
    return p;
}

struct graph_batch *graph_batch_new(const struct graph_case *g, uint32_t count, uint64_t seed)
{
    struct graph_batch *batch = new_array(1, sizeof(*batch));
    uint64_t floats = count * graph_floats(&g->node[0]);
    ftk_rng rng = { .key = { seed, 1 } };
    batch->x = new_array(floats, sizeof(float));
    batch->y = new_array(count, sizeof(int32_t));
    for (uint64_t i = 0; i < floats; i++) {
        batch->x[i] = (float)bt_rng_normal(&rng);
    }
    for (uint32_t i = 0; i < count; i++) {
        batch->y[i] = (int32_t)bt_rng_below(&rng, graph_classes(g));
    }
    batch->b = (ftk_batch){ .size = sizeof(ftk_batch),
                            .count = count,
                            .heads = 1,
                            .x = batch->x,
                            .y = batch->y,
                            .rng = { .key = { seed, 2 } } };
    batch->list[0] = &batch->b;
    return batch;
}

void graph_batch_free(struct graph_batch *batch)
{
    if (batch != NULL) {
        free(batch->x);
        free(batch->y);
        free(batch);
    }
}

ftk_prog *graph_compile(const struct bt_backend *backend, ftk_dev *dev, const struct graph_case *g,
                        uint32_t max_batch, uint32_t flags)
{
    const ftk_build build = { .size = sizeof(ftk_build),
                              .n_nodes = g->n_nodes,
                              .max_batch = max_batch,
                              .optimiser = FTK_OPT_SGD,
                              .channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM,
                              .members = 1,
                              .flags = flags,
                              .nodes = g->list };
    ftk_prog *prog = NULL;
    CHECK(backend, backend->ops->compile(dev, &build, &prog));
    return prog;
}

ftk_hyper graph_hyper(double lr, double momentum, double weight_decay, uint32_t flags)
{
    return (ftk_hyper){ .size = sizeof(ftk_hyper),
                        .flags = flags,
                        .step = 1,
                        .lr = lr,
                        .momentum = momentum,
                        .beta2 = 0.999,
                        .eps = 1e-8,
                        .weight_decay = weight_decay };
}

int32_t graph_tensor(const struct bt_backend *backend, ftk_prog *prog, uint32_t node, uint32_t role,
                     uint64_t *ret_n)
{
    ftk_tensor t = { .size = sizeof(t) };
    for (uint32_t i = 0; backend->ops->tensor(prog, i, &t) == FTK_OK; i++) {
        if (t.node == node && t.role == role) {
            *ret_n = t.n;
            return (int32_t)i;
        }
    }
    return GRAPH_NONE;
}

float *graph_get(const struct bt_backend *backend, ftk_prog *prog, uint32_t node, uint32_t role,
                 uint64_t *ret_n)
{
    int32_t i = graph_tensor(backend, prog, node, role, ret_n);
    assert_true(i != GRAPH_NONE);
    float *v = new_array(*ret_n, sizeof(float));
    CHECK(backend, backend->ops->get(prog, (uint32_t)i, 0, *ret_n, v));
    return v;
}

float *graph_get_all(const struct bt_backend *backend, ftk_prog *prog, uint64_t *ret_n)
{
    ftk_tensor t = { .size = sizeof(t) };
    uint64_t total = 0;
    for (uint32_t i = 0; backend->ops->tensor(prog, i, &t) == FTK_OK; i++) {
        total += t.n;
    }
    float *all = new_array(total, sizeof(float));
    uint64_t at = 0;
    for (uint32_t i = 0; backend->ops->tensor(prog, i, &t) == FTK_OK; i++) {
        CHECK(backend, backend->ops->get(prog, i, 0, t.n, all + at));
        at += t.n;
    }
    *ret_n = total;
    return all;
}

void graph_put(const struct bt_backend *backend, ftk_prog *prog, uint32_t node, uint32_t role,
               const float *v, uint64_t n)
{
    uint64_t have = 0;
    int32_t i = graph_tensor(backend, prog, node, role, &have);
    assert_true(i != GRAPH_NONE);
    assert_int_equal(have, n);
    CHECK(backend, backend->ops->put(prog, (uint32_t)i, 0, n, v));
}

/* Keeps each weight of a layer with probability `density`, and one at least. */
static void fill_mask(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                      uint32_t node, double density, ftk_rng *rng)
{
    uint64_t n = graph_weights(g, node);
    uint64_t *active = new_array(n, sizeof(uint64_t));
    uint64_t nnz = 0;
    uint64_t sure = bt_rng_below(rng, n);
    for (uint64_t i = 0; i < n; i++) {
        if (bt_rng_uniform(rng) < density || i == sure) {
            active[nnz++] = i;
        }
    }
    CHECK(backend, backend->ops->mask(prog, graph_layer(g, node), active, nnz));
    free(active);
}

static float fill_value(const struct graph_case *g, const ftk_tensor *t, ftk_rng *rng)
{
    const ftk_node *n = &g->node[t->node];
    double normal = bt_rng_normal(rng);
    switch (t->role) {
    case FTK_TENSOR_WEIGHT:
        if (n->op == FTK_NODE_BATCHNORM) {
            return (float)(1.0 + 0.2 * normal);
        }
        return (float)(normal / sqrt((double)t->n / n->out_shape[0]));
    case FTK_TENSOR_BN_VAR:
        return (float)exp(0.3 * normal);
    default:
        return (float)(0.1 * normal);
    }
}

void graph_fill(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                double density, uint64_t seed)
{
    ftk_rng rng = { .key = { seed, 3 } };
    for (uint32_t node = 0; node < g->n_nodes; node++) {
        if (g->node[node].sparse) {
            fill_mask(backend, prog, g, node, density, &rng);
        }
    }
    ftk_tensor t = { .size = sizeof(t) };
    for (uint32_t i = 0; backend->ops->tensor(prog, i, &t) == FTK_OK; i++) {
        /* Keyed by node and role: the order in which a backend lists its arrays is free. */
        ftk_rng own = { .key = { seed, UINT64_C(1000) * t.node + 100 + t.role } };
        float *v = new_array(t.n, sizeof(float));
        for (uint64_t j = 0; j < t.n; j++) {
            v[j] = fill_value(g, &t, &own);
        }
        CHECK(backend, backend->ops->put(prog, i, 0, t.n, v));
        free(v);
    }
}

void graph_copy(const struct bt_backend *from, ftk_prog *src, const struct bt_backend *to,
                ftk_prog *dst, const struct graph_case *g)
{
    for (uint32_t layer = 0; layer < g->n_sparse; layer++) {
        uint64_t nnz = 0;
        uint64_t *active = graph_read(from, src, layer, FTK_ACTIVE, 0, 1000, &nnz, NULL);
        CHECK(to, to->ops->mask(dst, layer, active, nnz));
        free(active);
    }
    ftk_tensor t = { .size = sizeof(t) };
    for (uint32_t i = 0; from->ops->tensor(src, i, &t) == FTK_OK; i++) {
        float *v = new_array(t.n, sizeof(float));
        CHECK(from, from->ops->get(src, i, 0, t.n, v));
        graph_put(to, dst, t.node, t.role, v, t.n);
        free(v);
    }
}

static const float *channel_of(const ftk_cand *c, uint32_t channel)
{
    switch (channel) {
    case FTK_CH_WEIGHT:
        return c->weight;
    case FTK_CH_GRAD:
        return c->grad;
    case FTK_CH_MOMENTUM:
        return c->momentum;
    default:
        return NULL;
    }
}

uint64_t *graph_read(const struct bt_backend *backend, ftk_prog *prog, uint32_t layer,
                     uint32_t which, uint32_t channel, uint64_t cap, uint64_t *ret_n,
                     float **ret_value)
{
    uint64_t n = 0;
    uint64_t *index = NULL;
    float *value = NULL;
    uint64_t cursor = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        CHECK(backend, which == FTK_ACTIVE
                           ? backend->ops->read_active(prog, layer, channel, cap, &cursor, &c)
                           : backend->ops->read_inactive(prog, layer, channel, cap, &cursor, &c));
        assert_true(c.count <= cap);
        index = realloc(index, (n + c.count + 1) * sizeof(*index));
        value = realloc(value, (n + c.count + 1) * sizeof(*value));
        assert_non_null(index);
        assert_non_null(value);
        if (c.count == 0) {
            break;
        }
        memcpy(index + n, c.index, c.count * sizeof(*index));
        if (channel != 0) {
            memcpy(value + n, channel_of(&c, channel), c.count * sizeof(*value));
        }
        n += c.count;
    }
    *ret_n = n;
    if (ret_value != NULL) {
        *ret_value = value;
    } else {
        free(value);
    }
    return index;
}

float *graph_gradient(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                      uint32_t layer)
{
    uint64_t n = graph_weights(g, graph_layer_node(g, layer));
    float *dense = new_array(n, sizeof(float));
    uint64_t seen = 0;
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        uint64_t count = 0;
        float *value = NULL;
        uint64_t *index =
            graph_read(backend, prog, layer, which, FTK_CH_GRAD, 1000, &count, &value);
        for (uint64_t i = 0; i < count; i++) {
            assert_true(index[i] < n);
            dense[index[i]] = value[i];
        }
        seen += count;
        free(index);
        free(value);
    }
    assert_int_equal(seen, n);
    return dense;
}

double array_nmse(const float *a, const float *b, uint64_t n)
{
    double error = 0.0;
    double power = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i];
        error += d * d;
        power += (double)b[i] * b[i];
    }
    return error == 0.0 ? 0.0 : error / power;
}

bool array_close(const float *a, const float *b, uint64_t n, double tolerance)
{
    double worst = 0.0;
    double largest = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) {
            return false;
        }
        worst = fmax(worst, fabs((double)a[i] - b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    return worst <= tolerance * largest && sqrt(array_nmse(a, b, n)) <= tolerance;
}
