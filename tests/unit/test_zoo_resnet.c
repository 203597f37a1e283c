/* SPDX-License-Identifier: MIT
 * test_zoo_resnet.c - model/zoo_resnet.c against torchvision's networks.
 */
#include "zoo_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__model *resnet(int64_t depth, const char *stem, double width, uint32_t side,
                                 uint32_t classes)
{
    struct zoo_case c;
    zoo_init(&c, "resnet", 3, side, classes);
    zoo_i64(&c, "depth", depth);
    zoo_choice(&c, "stem", stem);
    zoo_f64(&c, "width", width);
    return zoo_build(&c);
}

static void counts_are_as_published(void **state)
{
    (void)state;
    static const struct {
        int64_t depth;
        uint64_t n;
        uint32_t layers, shortcuts;
    } known[] = {
        { 18, 11689512, 21, 3 },
        { 34, 21797672, 37, 3 },
        { 50, 25557032, 54, 4 },
    };
    for (size_t i = 0; i < 3; i++) {
        struct ftk__model *m = resnet(known[i].depth, "imagenet", 1.0, 224, 1000);
        assert_int_equal(m->n_params, known[i].n);
        assert_int_equal(m->n_layers, known[i].layers);
        assert_int_equal(zoo_roles(m, FTK_ROLE_SHORTCUT), known[i].shortcuts);
        ftk__model_free(m);
    }
}

static const char *const resnet_18[] = {
    "conv1",
    "layer1.0.conv1",
    "layer1.0.conv2",
    "layer1.1.conv1",
    "layer1.1.conv2",
    "layer2.0.conv1",
    "layer2.0.conv2",
    "layer2.0.downsample.0",
    "layer2.1.conv1",
    "layer2.1.conv2",
    "layer3.0.conv1",
    "layer3.0.conv2",
    "layer3.0.downsample.0",
    "layer3.1.conv1",
    "layer3.1.conv2",
    "layer4.0.conv1",
    "layer4.0.conv2",
    "layer4.0.downsample.0",
    "layer4.1.conv1",
    "layer4.1.conv2",
    "fc",
    NULL,
};

static void layers_are_named_in_order(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(18, "imagenet", 1.0, 224, 1000);
    zoo_layers(m, resnet_18);
    assert_int_equal(zoo_role(m, "conv1"), FTK_ROLE_FIRST);
    assert_int_equal(zoo_role(m, "fc"), FTK_ROLE_LAST);
    assert_int_equal(zoo_role(m, "layer2.0.downsample.0"), FTK_ROLE_SHORTCUT);
    ftk__model_free(m);
    m = resnet(50, "imagenet", 1.0, 224, 1000);
    assert_string_equal(m->layers[3].name, "layer1.0.conv3");
    assert_string_equal(m->layers[4].name, "layer1.0.downsample.0");
    assert_string_equal(m->layers[5].name, "layer1.1.conv1");
    ftk__model_free(m);
}

static void the_3x3_has_the_stride(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(50, "imagenet", 1.0, 224, 1000);
    zoo_shape(m, "conv1", 64, 112, 112);
    zoo_shape(m, "maxpool", 64, 56, 56);
    zoo_shape(m, "layer2.0.conv1", 128, 56, 56);
    zoo_shape(m, "layer2.0.conv2", 128, 28, 28);
    zoo_shape(m, "layer2.0.downsample.0", 512, 28, 28);
    zoo_shape(m, "layer4.2.relu", 2048, 7, 7);
    zoo_shape(m, "avgpool", 2048, 1, 1);
    const ftk_node *sum = m->nodes[zoo_node(m, "layer2.0.add")];
    assert_int_equal(sum->in[0], zoo_node(m, "layer2.0.bn3"));
    assert_int_equal(sum->in[1], zoo_node(m, "layer2.0.downsample.1"));
    ftk__model_free(m);
}

static void small_images_and_widths(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(18, "small", 1.0, 32, 10);
    assert_int_equal(m->n_params, 11173962); /* known of ResNet-18 for CIFAR */
    zoo_shape(m, "conv1", 64, 32, 32);
    zoo_shape(m, "layer4.1.relu", 512, 4, 4);
    ftk__model_free(m);
    m = resnet(50, "small", 0.25, 32, 10);
    zoo_shape(m, "conv1", 16, 32, 32);
    zoo_shape(m, "layer1.0.conv3", 64, 32, 32);
    zoo_shape(m, "layer4.2.relu", 512, 4, 4);
    ftk__model_free(m);
    m = resnet(18, "imagenet", 1.0, 8, 10); /* 4, 2, 2, 1, 1, 1: torchvision takes it too */
    zoo_shape(m, "maxpool", 64, 2, 2);
    ftk__model_free(m);
    struct zoo_case c;
    zoo_init(&c, "resnet", 3, 16384, 10);
    zoo_refused(&c, "node 'conv1' of model 'resnet': an output of 64x8192x8192 is not within 1 to "
                    "2147483647 values");
}

static void weights_start_by_fan_out(void **state)
{
    (void)state;
    struct ftk__model *m = resnet(18, "imagenet", 1.0, 224, 1000);
    zoo_normal(m, "conv1.weight", sqrt(2.0 / (49 * 64)));
    zoo_normal(m, "layer2.0.conv1.weight", sqrt(2.0 / (9 * 128)));
    zoo_normal(m, "layer2.0.downsample.0.weight", sqrt(2.0 / 128));
    zoo_uniform(m, "fc.weight", 1.0 / sqrt(512.0));
    zoo_uniform(m, "fc.bias", 1.0 / sqrt(512.0));
    zoo_constant(m, "layer4.1.bn2.weight", 1.0f); /* no zero-gamma */
    ftk__model_free(m);
}

static void depths_are_three(void **state)
{
    (void)state;
    struct zoo_case c;
    zoo_init(&c, "resnet", 3, 224, 1000);
    zoo_i64(&c, "depth", 20);
    zoo_bad_params(&c, "depth 20 is none of 18, 34, 50");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_as_published),  cmocka_unit_test(layers_are_named_in_order),
        cmocka_unit_test(the_3x3_has_the_stride),   cmocka_unit_test(small_images_and_widths),
        cmocka_unit_test(weights_start_by_fan_out), cmocka_unit_test(depths_are_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
