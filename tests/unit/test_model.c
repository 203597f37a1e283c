/* SPDX-License-Identifier: MIT
 * test_model.c - model/: the node lists of the families, names, shapes, initial values.
 */
#include "base/rng.h"
#include "builtin_case.h"
#include "model/model.h"
#include "oom.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct model_case {
    struct ftk__model_request q;
    _Alignas(16) unsigned char params[64];
};

static void lenet5_case(struct model_case *c)
{
    *c = (struct model_case){
        .q = {
            .model = builtin_named(ftk__model_builtins, "lenet5"),
            .shape = {1, 28, 28},
            .classes = 10,
            .label_smoothing = 0.25,
            .decay_bn = true,
            .decay_bias = true,
        },
    };
}

static void mlp_case(struct model_case *c, const double *widths, uint64_t n)
{
    lenet5_case(c);
    c->q.model = builtin_named(ftk__model_builtins, "mlp");
    assert_true(c->q.model->params_size <= sizeof c->params);
    builtin_set_f64s(c->q.model, c->params, "widths", widths, n);
    c->q.params = c->params;
}

static struct ftk__model *build(const struct ftk__model_request *q)
{
    struct ftk__model *m = NULL;
    struct ftk_error err;
    if (ftk__model_build(q, &m, &err) != FTK_OK)
        fail_msg("%s", err.message);
    return m;
}

/* Inputs before users, unique names, first INPUT, last XENT, one value a class. */
static void assert_well_formed(const struct ftk__model *m)
{
    assert_int_equal(m->nodes[0]->op, FTK_NODE_INPUT);
    assert_int_equal(m->nodes[0]->in[0], UINT32_MAX);
    const ftk_node *loss = m->nodes[m->n_nodes - 1];
    assert_int_equal(loss->op, FTK_NODE_XENT);
    assert_int_equal(loss->out_shape[0], m->classes);
    assert_int_equal(loss->out_shape[1] * loss->out_shape[2], 1);
    for (uint32_t i = 1; i < m->n_nodes; i++) {
        assert_int_equal(m->nodes[i]->size, sizeof(ftk_node));
        assert_true(m->nodes[i]->in[0] < i);
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(m->nodes[i]->name, m->nodes[j]->name);
    }
}

static const char *lenet5_nodes[] = {
    "input", "conv1",   "relu1", "pool1", "conv2", "relu2",
    "pool2", "flatten", "fc3",   "relu3", "fc4",   "loss",
};

static void lenet5_is_as_published(void **state)
{
    (void)state;
    struct model_case c;
    lenet5_case(&c);
    struct ftk__model *m = build(&c.q);
    assert_well_formed(m);
    assert_int_equal(m->n_nodes, sizeof lenet5_nodes / sizeof lenet5_nodes[0]);
    for (uint32_t i = 0; i < m->n_nodes; i++)
        assert_string_equal(m->nodes[i]->name, lenet5_nodes[i]);
    assert_int_equal(m->n_params, 431080);
    assert_int_equal(m->n_maskable, 431080 - 580);
    assert_int_equal(m->n_layers, 4);
    const uint32_t conv1[3] = { 20, 24, 24 };
    const uint32_t pool2[3] = { 50, 4, 4 };
    assert_memory_equal(m->nodes[1]->out_shape, conv1, sizeof conv1);
    assert_memory_equal(m->nodes[6]->out_shape, pool2, sizeof pool2);
    assert_true(m->nodes[11]->scalar[0] == 0.25f);
    const uint32_t conv2[4] = { 50, 20, 5, 5 };
    const uint32_t fc3[4] = { 500, 800, 1, 1 };
    assert_memory_equal(m->layers[1].shape, conv2, sizeof conv2);
    assert_memory_equal(m->layers[2].shape, fc3, sizeof fc3);
    assert_string_equal(m->layers[1].name, "conv2");
    assert_int_equal(m->layers[0].type, FTK_LAYER_CONV2D);
    assert_int_equal(m->layers[3].type, FTK_LAYER_LINEAR);
    assert_int_equal(m->layers[2].n, 400000);
    assert_int_equal(m->layers[2].nnz, 400000);
    assert_int_equal(m->layers[2].index, 2);
    assert_int_equal(m->layer_node[2], 8);
    assert_true(m->layers[2].density_target == 0.0);
    ftk__model_free(m);
}

static void first_and_last_layers_have_roles(void **state)
{
    (void)state;
    struct model_case c;
    lenet5_case(&c);
    struct ftk__model *m = build(&c.q);
    assert_int_equal(m->layers[0].role, FTK_ROLE_FIRST);
    assert_int_equal(m->layers[1].role, 0);
    assert_int_equal(m->layers[3].role, FTK_ROLE_LAST);
    ftk__model_free(m);
    mlp_case(&c, NULL, 0);
    m = build(&c.q);
    assert_int_equal(m->n_layers, 1);
    assert_int_equal(m->layers[0].role, FTK_ROLE_FIRST | FTK_ROLE_LAST);
    assert_int_equal(m->n_params, 7850);
    ftk__model_free(m);
}

static void mlp_is_lenet_300_100(void **state)
{
    (void)state;
    const double widths[] = { 300, 100 };
    struct model_case c;
    mlp_case(&c, widths, 2);
    struct ftk__model *m = build(&c.q);
    assert_well_formed(m);
    assert_int_equal(m->n_params, 266610);
    assert_int_equal(m->n_maskable, 266200);
    assert_int_equal(m->n_layers, 3);
    assert_string_equal(m->layers[0].name, "fc1");
    assert_string_equal(m->layers[2].name, "fc3");
    assert_int_equal(m->layers[0].shape[0], 300);
    assert_int_equal(m->layers[0].shape[1], 784);
    /* no ReLU after the last */
    assert_int_equal(m->nodes[m->n_nodes - 2]->op, FTK_NODE_LINEAR);
    assert_int_equal(m->nodes[m->n_nodes - 3]->op, FTK_NODE_RELU);
    ftk__model_free(m);
}

static void mlp_checks_widths(void **state)
{
    (void)state;
    const double widths[] = { 300, 10.5 };
    struct model_case c;
    struct ftk_error err;
    mlp_case(&c, widths, 2);
    assert_int_equal(c.q.model->check(c.params, &err), FTK_EINVAL);
    assert_string_equal(err.message, "widths[1] is 10.5, not a whole number");
    double many[65];
    for (uint32_t i = 0; i < 65; i++)
        many[i] = 8;
    mlp_case(&c, many, 65);
    assert_int_equal(c.q.model->check(c.params, &err), FTK_EINVAL);
    assert_string_equal(err.message, "widths has 65 entries, at most 64 are allowed");
    mlp_case(&c, many, 64);
    assert_int_equal(c.q.model->check(c.params, &err), FTK_OK);
}

static void small_images_are_refused(void **state)
{
    (void)state;
    struct model_case c;
    struct ftk__model *m = NULL;
    struct ftk_error err;
    lenet5_case(&c);
    c.q.shape[1] = 16; /* the least that fits: 16 -> 12 -> 6 -> 2 -> 1 */
    c.q.shape[2] = 16;
    ftk__model_free(build(&c.q));
    c.q.shape[2] = 11;
    assert_int_equal(ftk__model_build(&c.q, &m, &err), FTK_EINVAL);
    assert_string_equal(err.message,
                        "node 'conv2' of model 'lenet5': a 5x5 window does not fit its 6x3 input; "
                        "the images are too small");
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_CONFIG);
    c.q.shape[2] = 4;
    assert_int_equal(ftk__model_build(&c.q, &m, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "node 'conv1'"));
    c.q.shape[1] = 60000;
    c.q.shape[2] = 60000;
    assert_int_equal(ftk__model_build(&c.q, &m, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "output of 1x60000x60000"));
    assert_null(m);
}

static void globs_leave_layers_dense(void **state)
{
    (void)state;
    const char *dense[] = { "conv*", "fc4" };
    struct model_case c;
    lenet5_case(&c);
    c.q.dense = dense;
    c.q.n_dense = 2;
    struct ftk__model *m = build(&c.q);
    assert_int_equal(m->n_layers, 1);
    assert_string_equal(m->layers[0].name, "fc3");
    assert_int_equal(m->layers[0].role, 0); /* still the third of four */
    assert_int_equal(m->n_maskable, 400000);
    assert_int_equal(m->n_params, 431080);
    for (uint32_t i = 0; i < m->n_nodes; i++)
        assert_int_equal(m->nodes[i]->sparse, i == m->layer_node[0]);
    ftk__model_free(m);
    struct ftk_error err;
    dense[1] = "relu1"; /* has no weight */
    assert_int_equal(ftk__model_build(&c.q, &m, &err), FTK_EINVAL);
    assert_string_equal(err.message, "sparsity.dense: \"relu1\" matches no layer of model 'lenet5' "
                                     "(conv1, conv2, fc3, fc4)");
}

static void state_dict_names_and_shapes(void **state)
{
    (void)state;
    struct model_case c;
    lenet5_case(&c);
    struct ftk__model *m = build(&c.q);
    char name[32];
    uint64_t dims[4];
    assert_true(ftk__model_tensor_name(m, 4, FTK_TENSOR_WEIGHT, name, sizeof name));
    assert_string_equal(name, "conv2.weight");
    assert_true(ftk__model_tensor_name(m, 10, FTK_TENSOR_BIAS, name, sizeof name));
    assert_string_equal(name, "fc4.bias");
    assert_false(ftk__model_tensor_name(m, 4, FTK_TENSOR_BN_MEAN, name, sizeof name));
    assert_false(ftk__model_tensor_name(m, 2, FTK_TENSOR_WEIGHT, name, sizeof name));
    assert_false(
        ftk__model_tensor_name(m, 4, FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT, name, sizeof name));
    assert_false(ftk__model_tensor_name(m, 4, FTK_TENSOR_WEIGHT, name, 12)); /* cut */
    assert_int_equal(ftk__model_tensor_shape(m, 4, FTK_TENSOR_WEIGHT, dims), 4);
    const uint64_t conv2[4] = { 50, 20, 5, 5 };
    assert_memory_equal(dims, conv2, sizeof dims);
    assert_int_equal(ftk__model_tensor_shape(m, 8, FTK_TENSOR_WEIGHT, dims), 2);
    assert_int_equal(dims[1], 800);
    assert_int_equal(ftk__model_tensor_shape(m, 8, FTK_TENSOR_BIAS, dims), 1);
    assert_int_equal(dims[0], 500);
    assert_int_equal(ftk__model_tensor_shape(m, 3, FTK_TENSOR_WEIGHT, dims), 0);
    assert_int_equal(ftk__model_fan_in(m, 4), 500);
    assert_int_equal(ftk__model_fan_in(m, 8), 800);
    assert_int_equal(ftk__model_fan_in(m, 3), 0);
    ftk__model_free(m);
}

static void initial_values_are_uniform(void **state)
{
    (void)state;
    struct model_case c;
    lenet5_case(&c);
    struct ftk__model *m = build(&c.q);
    enum { N = 400000 };
    float *w = malloc(N * sizeof *w);
    ftk_rng rng = ftk__rng_stream(1, FTK__FOR_WEIGHTS, 0, 8, 0);
    ftk__model_init_tensor(m, 8, FTK_TENSOR_WEIGHT, &rng, w, N);
    double bound = 1.0 / sqrt(800.0);
    double sum = 0.0;
    double squares = 0.0;
    float most = 0.0f;
    for (uint32_t i = 0; i < N; i++) {
        sum += w[i];
        squares += (double)w[i] * w[i];
        most = fmaxf(most, fabsf(w[i]));
    }
    assert_true(most <= (float)bound);
    assert_true(most > 0.9999 * bound);
    /* 5 standard deviations of the mean of N uniform numbers */
    assert_true(fabs(sum / N) < 5.0 * bound / sqrt(3.0 * N));
    assert_true(fabs(squares / N / (bound * bound / 3.0) - 1.0) < 0.01);
    ftk_rng again = ftk__rng_stream(1, FTK__FOR_WEIGHTS, 0, 8, 0);
    float first;
    ftk__model_init_tensor(m, 8, FTK_TENSOR_WEIGHT, &again, &first, 1);
    assert_true(first == w[0]);
    ftk__model_init_tensor(m, 8, FTK_TENSOR_BIAS, &again, w, 500);
    for (uint32_t i = 0; i < 500; i++)
        assert_true(fabsf(w[i]) <= (float)bound);
    free(w);
    ftk__model_free(m);
}

static ftk_status build_and_free(void *arg)
{
    const struct ftk__model_request *q = arg;
    struct ftk__model *m = NULL;
    ftk_status st = ftk__model_build(q, &m, NULL);
    ftk__model_free(m);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    struct model_case c;
    lenet5_case(&c);
    assert_int_equal(ftk_oom_sweep(build_and_free, &c.q, 1), 2); /* the model, its arena */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet5_is_as_published),
        cmocka_unit_test(first_and_last_layers_have_roles),
        cmocka_unit_test(mlp_is_lenet_300_100),
        cmocka_unit_test(mlp_checks_widths),
        cmocka_unit_test(small_images_are_refused),
        cmocka_unit_test(globs_leave_layers_dense),
        cmocka_unit_test(state_dict_names_and_shapes),
        cmocka_unit_test(initial_values_are_uniform),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
