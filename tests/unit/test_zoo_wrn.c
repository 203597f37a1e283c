/* SPDX-License-Identifier: MIT
 * test_zoo_wrn.c - model/zoo_wrn.c against the published network: counts, names, shapes, start.
 */
#include "zoo_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__model *wrn(int64_t depth, int64_t width, uint32_t side, uint32_t classes)
{
    struct zoo_case c;
    zoo_init(&c, "wrn", 3, side, classes);
    zoo_i64(&c, "depth", depth);
    zoo_i64(&c, "width", width);
    return zoo_build(&c);
}

static void counts_are_as_published(void **state)
{
    (void)state;
    struct ftk__model *m = wrn(28, 10, 32, 10);
    assert_int_equal(m->n_params, 36479194);
    assert_int_equal(m->n_maskable, 36461232);
    assert_int_equal(m->n_layers, 29);
    ftk__model_free(m);
    m = wrn(28, 10, 32, 100);
    assert_int_equal(m->n_params, 36536884);
    assert_int_equal(m->n_maskable, 36518832);
    ftk__model_free(m);
}

/* Width 1: the first group is as wide as the stem and needs no shortcut. */
static const char *const wrn_10_1[] = {
    "conv1",
    "block1.layer.0.conv1",
    "block1.layer.0.conv2",
    "block2.layer.0.conv1",
    "block2.layer.0.conv2",
    "block2.layer.0.convShortcut",
    "block3.layer.0.conv1",
    "block3.layer.0.conv2",
    "block3.layer.0.convShortcut",
    "fc",
    NULL,
};
static const char *const wrn_16_2[] = {
    "conv1",
    "block1.layer.0.conv1",
    "block1.layer.0.conv2",
    "block1.layer.0.convShortcut",
    "block1.layer.1.conv1",
    "block1.layer.1.conv2",
    "block2.layer.0.conv1",
    "block2.layer.0.conv2",
    "block2.layer.0.convShortcut",
    "block2.layer.1.conv1",
    "block2.layer.1.conv2",
    "block3.layer.0.conv1",
    "block3.layer.0.conv2",
    "block3.layer.0.convShortcut",
    "block3.layer.1.conv1",
    "block3.layer.1.conv2",
    "fc",
    NULL,
};

static void layers_are_named_in_order(void **state)
{
    (void)state;
    struct ftk__model *m = wrn(10, 1, 32, 10);
    zoo_layers(m, wrn_10_1);
    /* convolutions by group, batch norms, fc */
    assert_int_equal(m->n_params, 432 + 4608 + (4608 + 9216 + 512) + (18432 + 36864 + 2048) +
                                      2 * (16 + 16 + 16 + 32 + 32 + 64 + 64) + 650);
    ftk__model_free(m);
    m = wrn(16, 2, 32, 10);
    zoo_layers(m, wrn_16_2);
    assert_int_equal(zoo_role(m, "conv1"), FTK_ROLE_FIRST);
    assert_int_equal(zoo_role(m, "fc"), FTK_ROLE_LAST);
    assert_int_equal(zoo_role(m, "block2.layer.0.convShortcut"), FTK_ROLE_SHORTCUT);
    assert_int_equal(zoo_role(m, "block2.layer.0.conv1"), 0);
    assert_int_equal(zoo_roles(m, FTK_ROLE_SHORTCUT), 3);
    ftk__model_free(m);
}

/* The shortcut convolution reads the activated input, an equal-width block adds the raw one. */
static void blocks_are_wired_as_published(void **state)
{
    (void)state;
    struct ftk__model *m = wrn(16, 2, 32, 10);
    uint32_t relu = zoo_node(m, "block2.layer.0.relu1");
    const ftk_node *first = m->nodes[zoo_node(m, "block2.layer.0.convShortcut")];
    assert_int_equal(first->in[0], relu);
    assert_int_equal(first->stride[0], 2);
    assert_int_equal(first->kernel[0], 1);
    assert_int_equal(first->pad[0], 0);
    assert_int_equal(m->nodes[zoo_node(m, "block2.layer.0.conv1")]->in[0], relu);
    const ftk_node *sum = m->nodes[zoo_node(m, "block2.layer.1.add")];
    assert_int_equal(sum->in[0], zoo_node(m, "block2.layer.1.conv2"));
    assert_int_equal(sum->in[1], zoo_node(m, "block2.layer.0.add"));
    const ftk_node *norm = m->nodes[zoo_node(m, "bn1")];
    assert_int_equal(norm->in[0], zoo_node(m, "block3.layer.1.add"));
    assert_true(norm->scalar[0] == 0.1f);
    assert_true(norm->scalar[1] == 1e-5f);
    zoo_shape(m, "block1.layer.1.add", 32, 32, 32);
    zoo_shape(m, "block2.layer.0.add", 64, 16, 16);
    zoo_shape(m, "block3.layer.1.add", 128, 8, 8);
    zoo_shape(m, "pool", 128, 1, 1);
    ftk__model_free(m);
}

static void any_image_from_8x8_fits(void **state)
{
    (void)state;
    struct zoo_case c;
    struct ftk__model *m = wrn(10, 1, 8, 5);
    zoo_shape(m, "relu", 64, 2, 2);
    zoo_shape(m, "pool", 64, 1, 1);
    ftk__model_free(m);
    zoo_init(&c, "wrn", 1, 9, 7);
    zoo_i64(&c, "depth", 10);
    zoo_i64(&c, "width", 1);
    c.q.shape[2] = 21;
    m = zoo_build(&c);
    zoo_shape(m, "relu", 64, 3, 6);
    zoo_shape(m, "pool", 64, 1, 1);
    ftk__model_free(m);
    c.q.shape[1] = 60000;
    c.q.shape[2] = 60000;
    zoo_refused(&c, "node 'input' of model 'wrn': an output of 1x60000x60000 is not within 1 to "
                    "2147483647 values");
}

static void dropout_lies_between_the_convolutions(void **state)
{
    (void)state;
    struct zoo_case c;
    zoo_init(&c, "wrn", 3, 8, 10);
    zoo_i64(&c, "depth", 10);
    zoo_i64(&c, "width", 1);
    zoo_f64(&c, "dropout", 0.25);
    struct ftk__model *m = zoo_build(&c);
    uint32_t drop = zoo_node(m, "block3.layer.0.dropout");
    assert_true(m->nodes[drop]->scalar[0] == 0.25f);
    assert_int_equal(m->nodes[drop]->in[0], zoo_node(m, "block3.layer.0.relu2"));
    assert_int_equal(m->nodes[zoo_node(m, "block3.layer.0.conv2")]->in[0], drop);
    ftk__model_free(m);
}

static void weights_start_by_fan_out(void **state)
{
    (void)state;
    struct ftk__model *m = wrn(16, 2, 32, 100);
    zoo_normal(m, "conv1.weight", sqrt(2.0 / (9 * 16)));
    zoo_normal(m, "block3.layer.0.conv1.weight", sqrt(2.0 / (9 * 128)));
    zoo_normal(m, "block3.layer.0.convShortcut.weight", sqrt(2.0 / 128));
    zoo_uniform(m, "fc.weight", 1.0 / sqrt(128.0));
    zoo_constant(m, "fc.bias", 0.0f);
    zoo_constant(m, "bn1.weight", 1.0f);
    zoo_constant(m, "bn1.bias", 0.0f);
    zoo_constant(m, "bn1.running_var", 1.0f);
    ftk__model_free(m);
}

static void depths_are_6n_plus_4(void **state)
{
    (void)state;
    struct zoo_case c;
    zoo_init(&c, "wrn", 3, 32, 10);
    zoo_i64(&c, "depth", 20);
    zoo_bad_params(&c, "depth 20 is not 6 n + 4 (10, 16, 22, 28, ...)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_as_published),
        cmocka_unit_test(layers_are_named_in_order),
        cmocka_unit_test(blocks_are_wired_as_published),
        cmocka_unit_test(any_image_from_8x8_fits),
        cmocka_unit_test(dropout_lies_between_the_convolutions),
        cmocka_unit_test(weights_start_by_fan_out),
        cmocka_unit_test(depths_are_6n_plus_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
