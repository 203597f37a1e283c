/* SPDX-License-Identifier: MIT
 * test_zoo_vgg.c - model/zoo_vgg.c against counts by hand and the published layouts.
 */
#include "zoo_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__model *vgg(const char *variant, double width)
{
    struct zoo_case c;
    zoo_init(&c, "vgg", 3, 32, 10);
    zoo_choice(&c, "variant", variant);
    zoo_f64(&c, "width", width);
    return zoo_build(&c);
}

static void counts_are_by_hand(void **state)
{
    (void)state;
    /* 3x3 convolutions 9,217,728 of 11, 9,402,048 of 13, 14,710,464 of 16, 20,018,880 of 19; batch
     * norm 2 x 2752, 2944, 4224, 5504; the last layer 5130.  d: biases 4224 more, two hidden layers
     * of 262656 + 1024; like: one; c: three 3x3 are 1x1, the first hidden layer reads 2048. */
    static const struct {
        const char *variant;
        uint64_t n;
    } known[] = {
        { "11", 9217728 + 2 * 2752 + 5130 },
        { "13", 9402048 + 2 * 2944 + 5130 },
        { "16", 14724042 },
        { "19", 20018880 + 2 * 5504 + 5130 },
        { "d", 14710464 + 3 * 4224 + 2 * (262656 + 1024) + 5130 },
        { "like", 14710464 + 3 * 4224 + 262656 + 1024 + 5130 },
        { "c", 14710464 - 8 * (256 * 256 + 2 * 512 * 512) + 3 * 4224 + 2 * (262656 + 1024) +
                   512 * 1536 + 5130 },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct ftk__model *m = vgg(known[i].variant, 1.0);
        assert_int_equal(m->n_params, known[i].n);
        ftk__model_free(m);
    }
}

static const char *const vgg_11[] = {
    "features.0",  "features.4",  "features.8",  "features.11",  "features.15",
    "features.18", "features.22", "features.25", "classifier.0", NULL,
};
static const char *const vgg_c[] = {
    "features.0",  "features.3",   "features.7",   "features.10",  "features.14", "features.17",
    "features.20", "features.24",  "features.27",  "features.30",  "features.34", "features.37",
    "features.40", "classifier.0", "classifier.3", "classifier.6", NULL,
};

static void layers_are_places_in_sequence(void **state)
{
    (void)state;
    struct ftk__model *m = vgg("11", 1.0);
    zoo_layers(m, vgg_11);
    assert_int_equal(m->nodes[zoo_node(m, "features.0")]->flags & FTK_NODE_BIAS, 0);
    assert_int_equal(zoo_role(m, "features.0"), FTK_ROLE_FIRST);
    assert_int_equal(zoo_role(m, "classifier.0"), FTK_ROLE_LAST);
    ftk__model_free(m);
    m = vgg("c", 1.0);
    zoo_layers(m, vgg_c);
    assert_int_equal(m->nodes[zoo_node(m, "features.0")]->flags & FTK_NODE_BIAS, FTK_NODE_BIAS);
    assert_int_equal(m->nodes[zoo_node(m, "classifier.1")]->op, FTK_NODE_RELU);
    assert_int_equal(m->nodes[zoo_node(m, "classifier.2")]->op, FTK_NODE_BATCHNORM);
    assert_int_equal(zoo_roles(m, FTK_ROLE_SHORTCUT), 0);
    ftk__model_free(m);
}

/* 1x1 windows padded by 1: 8 to 10, 5 to 7, 3 to 5. */
static void vgg_c_grows_its_maps(void **state)
{
    (void)state;
    struct ftk__model *m = vgg("c", 1.0);
    zoo_shape(m, "features.17", 256, 8, 8);
    zoo_shape(m, "features.20", 256, 10, 10);
    zoo_shape(m, "features.23", 256, 5, 5);
    zoo_shape(m, "features.30", 512, 7, 7);
    zoo_shape(m, "features.40", 512, 5, 5);
    zoo_shape(m, "features.43", 512, 2, 2);
    zoo_shape(m, "flatten", 2048, 1, 1);
    ftk__model_free(m);
    m = vgg("d", 1.0);
    zoo_shape(m, "features.20", 256, 8, 8);
    zoo_shape(m, "flatten", 512, 1, 1);
    ftk__model_free(m);
}

static void the_width_multiplies_all_but_the_last(void **state)
{
    (void)state;
    struct ftk__model *m = vgg("16", 0.25);
    zoo_shape(m, "features.0", 16, 32, 32);
    zoo_shape(m, "features.40", 128, 2, 2);
    assert_int_equal(m->n_params, (14710464 - 1728) / 16 + 432 + 2 * 4224 / 4 + 1290);
    ftk__model_free(m);
    m = vgg("like", 0.5);
    zoo_shape(m, "classifier.0", 256, 1, 1);
    ftk__model_free(m);
}

static void small_images_are_refused(void **state)
{
    (void)state;
    struct zoo_case c;
    zoo_init(&c, "vgg", 1, 28, 10);
    zoo_refused(&c, "node 'pool' of model 'vgg': a 2x2 window does not fit its 1x1 input; the "
                    "images are too small");
    zoo_choice(&c, "variant", "d");
    zoo_refused(&c, "node 'features.43' of model 'vgg': a 2x2 window does not fit its 1x1 input; "
                    "the images are too small");
    zoo_init(&c, "vgg", 3, 64, 10);
    struct ftk__model *m = zoo_build(&c);
    zoo_shape(m, "features.42", 512, 4, 4);
    zoo_shape(m, "pool", 512, 1, 1);
    ftk__model_free(m);
}

static void weights_start_as_published(void **state)
{
    (void)state;
    struct ftk__model *m = vgg("11", 1.0);
    zoo_normal(m, "features.4.weight", sqrt(2.0 / (9 * 64)));
    zoo_normal(m, "classifier.0.weight", 0.01);
    zoo_constant(m, "classifier.0.bias", 0.0f);
    zoo_constant(m, "features.1.weight", 1.0f);
    ftk__model_free(m);
    m = vgg("c", 1.0);
    zoo_uniform(m, "features.3.weight", 1.0 / sqrt(9.0 * 64));
    zoo_uniform(m, "features.3.bias", 1.0 / sqrt(9.0 * 64));
    zoo_uniform(m, "features.20.weight", 1.0 / 16);
    zoo_uniform(m, "classifier.0.weight", 1.0 / sqrt(2048.0));
    ftk__model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_by_hand),
        cmocka_unit_test(layers_are_places_in_sequence),
        cmocka_unit_test(vgg_c_grows_its_maps),
        cmocka_unit_test(the_width_multiplies_all_but_the_last),
        cmocka_unit_test(small_images_are_refused),
        cmocka_unit_test(weights_start_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
