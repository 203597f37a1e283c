/* SPDX-License-Identifier: MIT
 * test_zoo_resnet_cifar.c - model/zoo_resnet_cifar.c against the public models.
 */
#include "zoo_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__model *resnet(int64_t depth, const char *shortcut, uint32_t side)
{
    struct zoo_case c;
    zoo_init(&c, "resnet_cifar", 3, side, 10);
    zoo_i64(&c, "depth", depth);
    zoo_choice(&c, "shortcut", shortcut);
    return zoo_build(&c);
}

static void counts_are_as_published(void **state)
{
    (void)state;
    static const struct {
        int64_t depth;
        const char *shortcut;
        uint64_t n;
    } known[] = {
        { 20, "A", 269722 }, { 32, "A", 464154 },   { 44, "A", 658586 },
        { 56, "A", 853018 }, { 110, "A", 1727962 }, { 20, "B", 272474 },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct ftk__model *m = resnet(known[i].depth, known[i].shortcut, 32);
        assert_int_equal(m->n_params, known[i].n);
        ftk__model_free(m);
    }
}

static const char *const resnet_20[] = {
    "conv1",          "layer1.0.conv1", "layer1.0.conv2",
    "layer1.1.conv1", "layer1.1.conv2", "layer1.2.conv1",
    "layer1.2.conv2", "layer2.0.conv1", "layer2.0.conv2",
    "layer2.1.conv1", "layer2.1.conv2", "layer2.2.conv1",
    "layer2.2.conv2", "layer3.0.conv1", "layer3.0.conv2",
    "layer3.1.conv1", "layer3.1.conv2", "layer3.2.conv1",
    "layer3.2.conv2", "linear",         NULL,
};

static void layers_are_named_in_order(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(20, "A", 32);
    zoo_layers(m, resnet_20);
    assert_int_equal(m->n_maskable, 269722 - 10 - 2 * (7 * 16 + 6 * 32 + 6 * 64));
    assert_int_equal(zoo_role(m, "conv1"), FTK_ROLE_FIRST);
    assert_int_equal(zoo_role(m, "linear"), FTK_ROLE_LAST);
    assert_int_equal(zoo_roles(m, FTK_ROLE_SHORTCUT), 0);
    ftk__model_free(m);
    m = resnet(20, "B", 32);
    assert_int_equal(m->n_layers, 22);
    assert_int_equal(zoo_role(m, "layer2.0.shortcut.0"), FTK_ROLE_SHORTCUT);
    assert_int_equal(zoo_role(m, "layer3.0.shortcut.0"), FTK_ROLE_SHORTCUT);
    assert_int_equal(zoo_roles(m, FTK_ROLE_SHORTCUT), 2);
    ftk__model_free(m);
}

static void shortcut_a_has_no_weights(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(20, "A", 32);
    const ftk_node *pad = m->nodes[zoo_node(m, "layer2.0.shortcut")];
    assert_int_equal(pad->op, FTK_NODE_PAD_CHANNELS);
    assert_int_equal(pad->in[0], zoo_node(m, "layer1.2.relu2"));
    zoo_shape(m, "layer2.0.shortcut", 32, 16, 16);
    const ftk_node *sum = m->nodes[zoo_node(m, "layer2.0.add")];
    assert_int_equal(sum->in[0], zoo_node(m, "layer2.0.bn2"));
    assert_int_equal(sum->in[1], zoo_node(m, "layer2.0.shortcut"));
    /* after the sum comes the ReLU: post-activation */
    assert_int_equal(m->nodes[zoo_node(m, "layer2.0.relu2")]->in[0], zoo_node(m, "layer2.0.add"));
    zoo_shape(m, "layer3.2.relu2", 64, 8, 8);
    zoo_shape(m, "pool", 64, 1, 1);
    ftk__model_free(m);
}

static void odd_sizes_fit(void **state)
{
    (void)state;
    static const char *const kinds[] = { "A", "B" };
    for (size_t i = 0; i < 2; i++) {
        struct ftk__model *m = resnet(20, kinds[i], 9);
        zoo_shape(m, "layer2.0.add", 32, 5, 5);
        zoo_shape(m, "layer3.0.add", 64, 3, 3);
        ftk__model_free(m);
    }
    struct zoo_case c;
    zoo_init(&c, "resnet_cifar", 3, 20000, 10);
    zoo_refused(&c, "node 'conv1' of model 'resnet_cifar': an output of 16x20000x20000 is not "
                    "within 1 to 2147483647 values");
}

static void weights_start_by_fan_in(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(20, "B", 32);
    zoo_normal(m, "conv1.weight", sqrt(2.0 / 27));
    zoo_normal(m, "layer3.0.conv1.weight", sqrt(2.0 / (9 * 32)));
    zoo_normal(m, "layer3.0.shortcut.0.weight", sqrt(2.0 / 32));
    zoo_normal(m, "linear.weight", sqrt(2.0 / 64));
    zoo_uniform(m, "linear.bias", 1.0 / 8);
    zoo_constant(m, "layer3.0.shortcut.1.weight", 1.0f);
    ftk__model_free(m);
}

static void depths_are_6n_plus_2(void **state)
{
    (void)state;
    struct zoo_case c;
    zoo_init(&c, "resnet_cifar", 3, 32, 10);
    zoo_i64(&c, "depth", 28);
    zoo_bad_params(&c, "depth 28 is not 6 n + 2 (20, 32, 44, 56, 110, ...)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_as_published),   cmocka_unit_test(layers_are_named_in_order),
        cmocka_unit_test(shortcut_a_has_no_weights), cmocka_unit_test(odd_sizes_fit),
        cmocka_unit_test(weights_start_by_fan_in),   cmocka_unit_test(depths_are_6n_plus_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
