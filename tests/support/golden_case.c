/* SPDX-License-Identifier: MIT
 * golden_case.c - a backend against PyTorch's arrays.
 */
#include "golden_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/safetensors.h"

const char *const golden_names[] = {
    "add",
    "avgpool",
    "avgpool_global",
    "concat",
    "conv_point",
    "conv_rectangle",
    "conv_whole",
    "conv_wide_pad",
    "dropout",
    "linear",
    "maxpool",
    "maxpool_gaps",
    "norm_conv",
    "norm_linear",
    "pad_channels",
    "sgd_dense_momentum",
    "sgd_masked",
    "sgd_masked_nesterov",
    "sgd_momentum",
    "sgd_nesterov",
    "shared",
    "xent_smoothing",
    NULL,
};

/* The numbers of `run`. */
enum { RUN_LR, RUN_MOMENTUM, RUN_DECAY, RUN_NESTEROV, RUN_DENSE, RUN_KEY0, RUN_KEY1 };
enum { NODE_NUMBERS = 14, STEP_KEYS = 100 };

struct golden {
    const struct bt_backend *backend;
    const char *name;
    double tolerance;
    struct ftk__st_file file;
    struct graph_case g;
    const double *run;
    const int32_t *counts; /* [steps] */
    uint64_t steps;
    uint32_t max_batch;
};

/* An array that must be there; its elements in ret_n if not NULL. */
static const void *array(const struct golden *c, const char *name, enum ftk__dtype type,
                         uint64_t *ret_n)
{
    const struct ftk__st_array *a = ftk__st_find(&c->file, name);
    if (a == NULL || a->dtype != type) {
        fail_msg("%s: no array '%s' of the right type", c->name, name);
        return NULL;
    }
    if (ret_n != NULL) {
        *ret_n = ftk__st_count(a);
    }
    return a->data;
}

/* "<when>.<node>.<role>", e.g. start.3.weight; NULL if there is none. */
static const float *node_array(const struct golden *c, const char *when, uint32_t node,
                               const char *role, uint64_t *ret_n)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.%u.%s", when, node, role);
    if (ftk__st_find(&c->file, name) == NULL) {
        return NULL;
    }
    return array(c, name, FTK__F32, ret_n);
}

static void read_graph(struct golden *c)
{
    uint64_t numbers = 0;
    const int32_t *row = array(c, "nodes", FTK__I32, &numbers);
    const float *scalar = array(c, "scalars", FTK__F32, NULL);
    c->g.n_nodes = (uint32_t)(numbers / NODE_NUMBERS);
    assert_true(c->g.n_nodes <= GRAPH_MAX_NODES);
    for (uint32_t i = 0; i < c->g.n_nodes; i++) {
        uint32_t v[NODE_NUMBERS];
        for (uint32_t k = 0; k < NODE_NUMBERS; k++) {
            v[k] = (uint32_t)row[NODE_NUMBERS * i + k];
        }
        c->g.node[i] = (ftk_node){ .size = sizeof(ftk_node),
                                   .op = v[0],
                                   .in = { v[1], v[2] },
                                   .out_shape = { v[3], v[4], v[5] },
                                   .kernel = { v[6], v[7] },
                                   .stride = { v[8], v[9] },
                                   .pad = { v[10], v[11] },
                                   .flags = v[12],
                                   .scalar = { scalar[2 * i], scalar[2 * i + 1] },
                                   .sparse = v[13] };
        (void)snprintf(c->g.name[i], sizeof(c->g.name[i]), "node%u", i);
        c->g.node[i].name = c->g.name[i];
        c->g.list[i] = &c->g.node[i];
        c->g.n_sparse += v[13];
    }
}

static void open_case(struct golden *c)
{
    const char *folder = getenv("FTK_TEST_GOLDEN");
    assert_non_null(folder);
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/ops/%s.safetensors", folder, c->name);
    struct ftk_error error = { .status = FTK_OK };
    if (ftk__st_open(path, &c->file, &error) != FTK_OK) {
        fail_msg("%s: %s", path, error.message);
    }
    read_graph(c);
    c->run = array(c, "run", FTK__F64, NULL);
    c->counts = array(c, "counts", FTK__I32, &c->steps);
    for (uint64_t i = 0; i < c->steps; i++) {
        uint32_t count = (uint32_t)c->counts[i];
        c->max_batch = count > c->max_batch ? count : c->max_batch;
    }
}

static void compare(const struct golden *c, const char *what, const float *a, const float *b,
                    uint64_t n)
{
    if (!array_close(a, b, n, c->tolerance)) {
        fail_msg("%s: %s is off by %.3g of its norm", c->name, what, sqrt(array_nmse(a, b, n)));
    }
}

/* Mask of a sparse node, NULL if it is dense. */
static const uint8_t *mask_of(const struct golden *c, uint32_t node)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "mask.%u", node);
    return c->g.node[node].sparse ? array(c, name, FTK__U8, NULL) : NULL;
}

/* A copy of v[0..n) without its inactive entries, to be freed. */
static float *compact(const uint8_t *mask, const float *v, uint64_t n, uint64_t *ret_n)
{
    float *few = calloc(n + 1, sizeof(*few));
    assert_non_null(few);
    *ret_n = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (mask == NULL || mask[i] != 0) {
            few[(*ret_n)++] = v[i];
        }
    }
    return few;
}

static const struct {
    uint32_t role;
    const char *name;
} roles[] = { { FTK_TENSOR_WEIGHT, "weight" },
              { FTK_TENSOR_BIAS, "bias" },
              { FTK_TENSOR_BN_MEAN, "mean" },
              { FTK_TENSOR_BN_VAR, "var" } };
enum { ROLES = sizeof(roles) / sizeof(roles[0]), ROLES_TRAINED = 2 };

static void put_mask(const struct golden *c, ftk_prog *prog, uint32_t node)
{
    uint64_t n = graph_weights(&c->g, node);
    const uint8_t *mask = mask_of(c, node);
    uint64_t *active = calloc(n, sizeof(*active));
    assert_non_null(active);
    uint64_t nnz = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (mask[i] != 0) {
            active[nnz++] = i;
        }
    }
    assert_int_equal(c->backend->ops->mask(prog, graph_layer(&c->g, node), active, nnz), FTK_OK);
    free(active);
}

/* A new program in the state before the first step. */
static ftk_prog *start(const struct golden *c, ftk_dev *dev)
{
    uint32_t flags = c->run[RUN_DENSE] != 0.0 ? FTK_BUILD_DENSE_MOMENTUM : 0;
    ftk_prog *prog = graph_compile(c->backend, dev, &c->g, c->max_batch, flags);
    for (uint32_t node = 0; node < c->g.n_nodes; node++) {
        if (c->g.node[node].sparse) {
            put_mask(c, prog, node);
        }
        for (uint32_t r = 0; r < ROLES; r++) {
            uint64_t n = 0;
            uint64_t few = 0;
            const float *v = node_array(c, "start", node, roles[r].name, &n);
            if (v != NULL) {
                float *put = compact(r == 0 ? mask_of(c, node) : NULL, v, n, &few);
                graph_put(c->backend, prog, node, roles[r].role, put, few);
                free(put);
            }
        }
    }
    return prog;
}

/* Samples of a step; step `steps` is past the end. */
static ftk_batch batch_of(const struct golden *c, uint64_t step)
{
    uint64_t first = 0;
    for (uint64_t i = 0; i < step; i++) {
        first += (uint64_t)c->counts[i];
    }
    const float *x = array(c, "x", FTK__F32, NULL);
    const int32_t *y = array(c, "y", FTK__I32, NULL);
    uint64_t key1 = (uint64_t)c->run[RUN_KEY1] + STEP_KEYS * step;
    return (ftk_batch){ .size = sizeof(ftk_batch),
                        .count = (uint32_t)c->counts[step],
                        .heads = 1,
                        .x = x + first * graph_floats(&c->g.node[0]),
                        .y = y + first,
                        .rng = { .key = { (uint64_t)c->run[RUN_KEY0], key1 } } };
}

static void check_evaluation(const struct golden *c, ftk_prog *prog, const char *logits,
                             bool gradient)
{
    const ftk_batch b = batch_of(c, 0);
    const ftk_batch *list[1] = { &b };
    uint64_t n = 0;
    const float *want = array(c, logits, FTK__F32, &n);
    float *got = calloc(n, sizeof(*got));
    assert_non_null(got);
    assert_int_equal(c->backend->ops->predict(prog, list, got), FTK_OK);
    compare(c, logits, got, want, n);
    free(got);
    if (gradient) {
        want = array(c, "grad_input", FTK__F32, &n);
        got = calloc(n, sizeof(*got));
        assert_non_null(got);
        assert_int_equal(c->backend->ops->grad_input(prog, list, got), FTK_OK);
        compare(c, "grad_input", got, want, n);
        free(got);
    }
}

/* After a first step without momentum and decay the velocity is the gradient; of inactive
 * weights only a kept gradient tells.                                                  */
static void check_gradients(const struct golden *c, ftk_dev *dev)
{
    ftk_prog *prog = start(c, dev);
    const ftk_batch b = batch_of(c, 0);
    const ftk_batch *list[1] = { &b };
    const ftk_hyper hyper = graph_hyper(0.0, 0.0, 0.0, FTK_STEP_KEEP_GRAD);
    assert_int_equal(c->backend->ops->step(prog, list, &hyper), FTK_OK);
    for (uint32_t node = 0; node < c->g.n_nodes; node++) {
        for (uint32_t r = 0; r < ROLES_TRAINED; r++) {
            uint64_t n = 0;
            uint64_t have = 0;
            const float *want = node_array(c, "grad", node, roles[r].name, &n);
            if (want == NULL) {
                continue;
            }
            bool sparse = r == 0 && c->g.node[node].sparse != 0;
            float *got = sparse ? graph_gradient(c->backend, prog, &c->g, graph_layer(&c->g, node))
                                : graph_get(c->backend, prog, node,
                                            FTK_TENSOR_MOMENT1 | roles[r].role, &have);
            assert_true(sparse || have == n);
            char what[64];
            (void)snprintf(what, sizeof(what), "grad.%u.%s", node, roles[r].name);
            compare(c, what, got, want, n);
            free(got);
        }
    }
    c->backend->ops->release(prog);
}

static void check_array(const struct golden *c, ftk_prog *prog, const char *when, uint32_t node,
                        uint32_t r)
{
    uint64_t n = 0;
    uint64_t few = 0;
    uint64_t have = 0;
    const float *dense = node_array(c, when, node, roles[r].name, &n);
    if (dense == NULL) {
        return;
    }
    bool velocity = strcmp(when, "velocity") == 0;
    bool all = r != 0 || (velocity && c->run[RUN_DENSE] != 0.0);
    float *want = compact(all ? NULL : mask_of(c, node), dense, n, &few);
    uint32_t role = roles[r].role | (velocity ? (uint32_t)FTK_TENSOR_MOMENT1 : 0u);
    float *got = graph_get(c->backend, prog, node, role, &have);
    assert_int_equal(have, few);
    char what[64];
    (void)snprintf(what, sizeof(what), "%s.%u.%s", when, node, roles[r].name);
    compare(c, what, got, want, few);
    free(want);
    free(got);
}

static void train(const struct golden *c, ftk_prog *prog)
{
    const double *loss = array(c, "loss", FTK__F64, NULL);
    ftk_hyper hyper = graph_hyper(c->run[RUN_LR], c->run[RUN_MOMENTUM], c->run[RUN_DECAY],
                                  c->run[RUN_NESTEROV] != 0.0 ? FTK_STEP_NESTEROV : 0u);
    for (uint64_t step = 0; step < c->steps; step++) {
        const ftk_batch b = batch_of(c, step);
        const ftk_batch *list[1] = { &b };
        ftk_stats stats = { .size = sizeof(stats) };
        ftk_stats *sync[1] = { &stats };
        hyper.step = step + 1;
        assert_int_equal(c->backend->ops->step(prog, list, &hyper), FTK_OK);
        assert_int_equal(c->backend->ops->sync(prog, sync), FTK_OK);
        assert_int_equal(stats.samples, b.count);
        assert_int_equal(stats.bad_node, -1);
        if (!(fabs(stats.loss_sum - loss[step]) <= c->tolerance * fabs(loss[step]))) {
            fail_msg("%s: loss %.9g of step %u, not %.9g", c->name, stats.loss_sum, (unsigned)step,
                     loss[step]);
        }
    }
}

void golden_check(const struct bt_backend *backend, ftk_dev *dev, const char *name,
                  double tolerance)
{
    struct golden c = { .backend = backend, .name = name, .tolerance = tolerance };
    open_case(&c);
    check_gradients(&c, dev);
    ftk_prog *prog = start(&c, dev);
    check_evaluation(&c, prog, "logits", true);
    train(&c, prog);
    for (uint32_t node = 0; node < c.g.n_nodes; node++) {
        for (uint32_t r = 0; r < ROLES; r++) {
            check_array(&c, prog, "end", node, r);
            check_array(&c, prog, "velocity", node, r);
        }
    }
    check_evaluation(&c, prog, "end_logits", false);
    backend->ops->release(prog);
    ftk__st_close(&c.file);
}
