/* SPDX-License-Identifier: MIT
 * test_graph_builder.c - model/graph_builder.c: shapes, flags, arrays of nodes that the present
 * families do not have, and lists of any length.
 */
#include "model/graph_builder.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__graph start_graph(struct ftk__model *m, struct ftk_error *err)
{
    *m = (struct ftk__model){ .name = "test" };
    struct ftk__graph g = { .model = m, .reterr = err };
    ftk_node input = { .op = FTK_NODE_INPUT,
                       .in = { FTK__NO_NODE, FTK__NO_NODE },
                       .out_shape = { 3, 8, 8 } };
    assert_int_equal(ftk__graph_add(&g, &input, "in"), 0);
    return g;
}

static void batchnorm_has_four_arrays_and_decay_flags(void **state)
{
    (void)state;
    struct ftk__model m;
    struct ftk_error err;
    struct ftk__graph g = start_graph(&m, &err);
    uint32_t bn = ftk__graph_unary(&g, FTK_NODE_BATCHNORM, 0, "block1.layer.0.bn1");
    uint32_t conv = ftk__graph_conv(&g, bn, 4, 3, 1, 1, 0, "conv");
    uint32_t fc = ftk__graph_linear(&g, conv, 2, FTK_NODE_BIAS, "fc");
    assert_int_equal(g.status, FTK_OK);
    assert_int_equal(m.nodes[bn]->flags, FTK_NODE_NO_DECAY | FTK_NODE_NO_DECAY_BIAS);
    assert_int_equal(m.nodes[conv]->flags, 0);
    assert_int_equal(m.nodes[fc]->flags, FTK_NODE_BIAS | FTK_NODE_NO_DECAY_BIAS);
    assert_int_equal(m.nodes[bn]->sparse, 0);
    char name[40];
    assert_true(ftk__model_tensor_name(&m, bn, FTK_TENSOR_BN_VAR, name, sizeof name));
    assert_string_equal(name, "block1.layer.0.bn1.running_var");
    assert_false(ftk__model_tensor_name(&m, conv, FTK_TENSOR_BIAS, name, sizeof name));
    const uint32_t roles[] = { FTK_TENSOR_WEIGHT, FTK_TENSOR_BIAS, FTK_TENSOR_BN_MEAN,
                               FTK_TENSOR_BN_VAR };
    const float expected[] = { 1.0f, 0.0f, 0.0f, 1.0f };
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t dims[4];
        float v[3] = { 9.0f, 9.0f, 9.0f };
        ftk_rng rng = { { 0 }, 0 };
        assert_int_equal(ftk__model_tensor_shape(&m, bn, roles[i], dims), 1);
        assert_int_equal(dims[0], 3);
        ftk__model_init_tensor(&m, bn, roles[i], &rng, v, 3);
        assert_true(v[0] == expected[i] && v[2] == expected[i]);
    }
    assert_int_equal(ftk__model_fan_in(&m, bn), 0);
    ftk__arena_done(&m.arena);
}

static uint32_t two_inputs(struct ftk__graph *g, uint32_t op, uint32_t a, uint32_t b,
                           const char *name)
{
    ftk_node n = { .op = op, .in = { a, b } };
    return ftk__graph_add(g, &n, name);
}

static void shapes_follow_from_inputs(void **state)
{
    (void)state;
    struct ftk__model m;
    struct ftk_error err;
    struct ftk__graph g = start_graph(&m, &err);
    uint32_t half = ftk__graph_conv(&g, 0, 5, 3, 2, 1, 0, "half");
    ftk_node pad = { .op = FTK_NODE_PAD_CHANNELS,
                     .in = { 0, FTK__NO_NODE },
                     .out_shape = { 5, 0, 0 },
                     .kernel = { 1, 1 },
                     .stride = { 2, 2 } };
    uint32_t padded = ftk__graph_add(&g, &pad, "padded");
    uint32_t sum = two_inputs(&g, FTK_NODE_ADD, half, padded, "sum");
    uint32_t side = two_inputs(&g, FTK_NODE_CONCAT, sum, half, "side");
    uint32_t mean = ftk__graph_pool(&g, FTK_NODE_AVGPOOL, side, 4, 4, "mean");
    assert_int_equal(g.status, FTK_OK);
    const uint32_t expected_side[3] = { 10, 4, 4 };
    const uint32_t expected_mean[3] = { 10, 1, 1 };
    assert_memory_equal(m.nodes[side]->out_shape, expected_side, sizeof expected_side);
    assert_memory_equal(m.nodes[mean]->out_shape, expected_mean, sizeof expected_mean);
    /* The first failure sticks and adds nothing. */
    uint32_t before = m.n_nodes;
    assert_int_equal(two_inputs(&g, FTK_NODE_ADD, half, mean, "wrong"), FTK__NO_NODE);
    assert_string_equal(err.message,
                        "node 'wrong': inputs 'half' (5x4x4) and 'mean' (10x1x1) do not match");
    assert_int_equal(ftk__graph_unary(&g, FTK_NODE_RELU, half, "after"), FTK__NO_NODE);
    assert_int_equal(g.status, FTK_EINVAL);
    assert_int_equal(m.n_nodes, before);
    ftk__arena_done(&m.arena);
}

static void long_lists_grow(void **state)
{
    (void)state;
    struct ftk__model m;
    struct ftk_error err;
    struct ftk__graph g = start_graph(&m, &err);
    for (uint32_t i = 1; i < 1000; i++)
        assert_int_equal(ftk__graph_unary(&g, FTK_NODE_RELU, i - 1, "relu"), i);
    for (uint32_t i = 1; i < 1000; i++)
        assert_int_equal(m.nodes[i]->in[0], i - 1);
    ftk__arena_done(&m.arena);
}

static ftk_status build_long_list(void *arg)
{
    struct ftk__model m = { .name = "test" };
    struct ftk__graph g = { .model = &m };
    ftk_node input = { .op = FTK_NODE_INPUT,
                       .in = { FTK__NO_NODE, FTK__NO_NODE },
                       .out_shape = { 3, 8, 8 } };
    uint32_t at = ftk__graph_add(&g, &input, "in");
    for (uint32_t i = 0; i < *(uint32_t *)arg; i++)
        at = ftk__graph_unary(&g, FTK_NODE_RELU, at, "relu");
    ftk__arena_done(&m.arena);
    return g.status;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    uint32_t n = 2000;
    assert_true(ftk_oom_sweep(build_long_list, &n, 1) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batchnorm_has_four_arrays_and_decay_flags),
        cmocka_unit_test(shapes_follow_from_inputs),
        cmocka_unit_test(long_lists_grow),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
