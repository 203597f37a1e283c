/* SPDX-License-Identifier: MIT
 * test_plugins_init.c - densities of erk against the golden tables of WRN-28-10 and
 * ResNet-50, all initialisers against numbers worked out by hand, and what they promise
 * for any target.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include <freetickets/sparse.h>

enum { LAYER_MAX = 200 };

struct net {
    ftk_layer layer[LAYER_MAX];
    const ftk_layer *list[LAYER_MAX];
    double golden[LAYER_MAX];
    ftk_net net;
};

static void net_clear(struct net *n)
{
    n->net = (ftk_net){ .size = sizeof(ftk_net), .layers = n->list };
}

static void net_add(struct net *n, ftk_layer_type type, const uint32_t shape[4])
{
    uint32_t l = n->net.n_layers;
    assert_in_range(l, 0, LAYER_MAX - 1);
    n->layer[l] = (ftk_layer){ .size = sizeof(ftk_layer), .type = type, .index = l, .n = 1 };
    for (int d = 0; d < 4; d++) {
        n->layer[l].shape[d] = shape[d];
        n->layer[l].n *= shape[d];
    }
    n->list[l] = &n->layer[l];
    n->net.n_layers++;
}

/* An MLP 784-300-100-10. */
static void net_mlp(struct net *n)
{
    net_clear(n);
    net_add(n, FTK_LAYER_LINEAR, (const uint32_t[]){ 300, 784, 1, 1 });
    net_add(n, FTK_LAYER_LINEAR, (const uint32_t[]){ 100, 300, 1, 1 });
    net_add(n, FTK_LAYER_LINEAR, (const uint32_t[]){ 10, 100, 1, 1 });
}

static ftk_status ask(const char *file, const ftk_net *net, double target, double *ret)
{
    struct bt_host host;
    ftk_update u = { .size = sizeof(u) };
    bt_host_init(&host);
    const ftk_init_ops *ops = plugin_load(file, FTK_KIND_INIT)->ops;
    ftk_status st = ops->density(&host.table, NULL, net, &u, target, ret);
    if (st < 0)
        assert_string_not_equal(host.message, "");
    bt_host_done(&host);
    return st;
}

/* Whether the densities are in [0, 1] and amount to the target, to within a weight. */
static void assert_total(const ftk_net *net, double target, const double *density)
{
    double sum = 0;
    double total = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        assert_true(density[l] >= 0 && density[l] <= 1);
        sum += density[l] * (double)net->layers[l]->n;
        total += (double)net->layers[l]->n;
    }
    assert_true(fabs(sum - target * total) < 1e-12 * total + 1e-9);
    assert_true(fabs(sum - target * total) < 1);
}

/* Compares the rows gathered for one table and starts the next. */
static uint32_t finish_table(struct net *n, double sparsity)
{
    double density[LAYER_MAX];
    if (n->net.n_layers == 0)
        return 0;
    assert_int_equal(ask("init_erk", &n->net, 1 - sparsity, density), FTK_OK);
    assert_total(&n->net, 1 - sparsity, density);
    for (uint32_t l = 0; l < n->net.n_layers; l++) {
        if (fabs(density[l] - n->golden[l]) > 1e-6)
            fail_msg("layer %u at sparsity %g: %.9f, golden %.9f", l, sparsity, density[l],
                     n->golden[l]);
        // A dense layer is 1 exactly: the core tells it by that.
        if (n->golden[l] >= 1)
            assert_true(density[l] == 1);
    }
    net_clear(n);
    return 1;
}

/* Rows: classes,sparsity,layer,shape,numel,density; a table ends where the first two change. */
static uint32_t compare_tables(const char *file)
{
    static struct net n;
    char *text = golden_read(file);
    char *rest = text;
    char *line = strsep(&rest, "\n");
    uint32_t tables = 0;
    long classes = -1;
    double sparsity = -1;
    net_clear(&n);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *field[6];
        uint32_t shape[4] = { 1, 1, 1, 1 };
        for (int f = 0; f < 6; f++)
            field[f] = strsep(&line, ",");
        assert_non_null(field[5]);
        if (strtol(field[0], NULL, 10) != classes || strtod(field[1], NULL) != sparsity)
            tables += finish_table(&n, sparsity);
        classes = strtol(field[0], NULL, 10);
        sparsity = strtod(field[1], NULL);
        int dims = sscanf(field[3], "%ux%ux%ux%u", &shape[0], &shape[1], &shape[2], &shape[3]);
        n.golden[n.net.n_layers] = strtod(field[5], NULL);
        net_add(&n, dims == 4 ? FTK_LAYER_CONV2D : FTK_LAYER_LINEAR, shape);
        assert_true(n.layer[n.net.n_layers - 1].n == strtoull(field[4], NULL, 10));
    }
    tables += finish_table(&n, sparsity);
    free(text);
    return tables;
}

static void test_erk_golden(void **state)
{
    (void)state;
    assert_int_equal(compare_tables("erk_wrn28_10.csv"), 14);
    assert_int_equal(compare_tables("erk_resnet50.csv"), 3);
}

static const double targets[] = { 0, 1e-9, 0.001, 0.05, 0.2, 0.5, 0.9, 0.999, 1 };

/* 1 and 200 layers, a layer of one weight, layers that saturate. */
static void test_any_target(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    static const char *const files[] = { "init_er", "init_erk", "init_erk_plus", "init_uniform",
                                         "init_uniform_plus" };
    net_clear(&n);
    net_add(&n, FTK_LAYER_LINEAR, (const uint32_t[]){ 1, 1, 1, 1 });
    for (uint32_t round = 0; round < 2; round++) {
        for (size_t t = 0; t < sizeof(targets) / sizeof(targets[0]); t++) {
            for (int f = 0; f < 5; f++) {
                assert_int_equal(ask(files[f], &n.net, targets[t], density), FTK_OK);
                assert_total(&n.net, targets[t], density);
            }
        }
        for (uint32_t l = 1; l < LAYER_MAX && round == 0; l++)
            net_add(&n, l % 3 ? FTK_LAYER_CONV2D : FTK_LAYER_LINEAR,
                    (const uint32_t[]){ 1 + l % 17, 1 + l * 7 % 90, l % 3 ? 1 + l % 4 : 1, 1 });
    }
}

static void test_uniform(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_clear(&n);
    net_add(&n, FTK_LAYER_CONV2D, (const uint32_t[]){ 20, 1, 5, 5 });
    net_add(&n, FTK_LAYER_LINEAR, (const uint32_t[]){ 10, 500, 1, 1 });
    assert_int_equal(ask("init_uniform", &n.net, 0.2, density), FTK_OK);
    assert_true(density[0] == 0.2 && density[1] == 0.2);
}

/* Two layers by hand: sums 10 + 1 + 5 + 5 = 21 over 250 and 10 + 500 = 510 over 5000, as
 * the dimensions of a kernel count for a convolution only.                        */
static void test_erk_by_hand(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_clear(&n);
    net_add(&n, FTK_LAYER_CONV2D, (const uint32_t[]){ 10, 1, 5, 5 });
    net_add(&n, FTK_LAYER_LINEAR, (const uint32_t[]){ 10, 500, 1, 1 });
    assert_int_equal(ask("init_erk", &n.net, 0.2, density), FTK_OK);
    double eps = 0.2 * 5250 / (21 + 510);
    assert_true(fabs(density[0] - eps * 21 / 250) < 1e-15);
    assert_true(fabs(density[1] - eps * 510 / 5000) < 1e-15);
}

/* ---- er: Mocanu et al. 2018: p = eps (n_in + n_out) / (n_in n_out) ------------------------ */

/* The same two layers: sums 10 + 1 = 11 over 10 and 510 over 5000, for the kernel is left out.  At
 * a tenth eps is 525 / (250 x 1.1 + 510); at a fifth the convolution would exceed 1, so it is
 * dense and the other gets the 1050 - 250 = 800 that are left, of 5000. */
static void test_er_by_hand(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_clear(&n);
    net_add(&n, FTK_LAYER_CONV2D, (const uint32_t[]){ 10, 1, 5, 5 });
    net_add(&n, FTK_LAYER_LINEAR, (const uint32_t[]){ 10, 500, 1, 1 });
    assert_int_equal(ask("init_er", &n.net, 0.1, density), FTK_OK);
    assert_true(fabs(density[0] - 1.1 * 525 / 785) < 1e-15);
    assert_true(fabs(density[1] - 0.102 * 525 / 785) < 1e-15);
    assert_int_equal(ask("init_er", &n.net, 0.2, density), FTK_OK);
    assert_true(density[0] == 1);
    assert_true(fabs(density[1] - 0.16) < 1e-15);
}

/* ---- erk_plus: Liu et al. 2022, arXiv:2202.02643: ERK, but the last linear layer is dense ---- */

/* 432 + 4608 + 1280 = 6320 weights, the sums of dimensions are 25, 54 and 138. */
static void net_convs(struct net *n, ftk_layer_type last)
{
    net_clear(n);
    net_add(n, FTK_LAYER_CONV2D, (const uint32_t[]){ 16, 3, 3, 3 });
    net_add(n, FTK_LAYER_CONV2D, (const uint32_t[]){ 32, 16, 3, 3 });
    net_add(n, last, (const uint32_t[]){ 10, 128, 1, 1 });
    n->layer[0].role = FTK_ROLE_FIRST;
    n->layer[2].role = FTK_ROLE_LAST;
}

/* At 0.3 the others share 1896 - 1280 = 616 by 25 to 54; at 0.8 they share 3776, where the first
 * is full with its 432. */
static void test_erk_plus_by_hand(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_convs(&n, FTK_LAYER_LINEAR);
    assert_int_equal(ask("init_erk_plus", &n.net, 0.3, density), FTK_OK);
    assert_true(fabs(density[0] - 616.0 * 25 / 79 / 432) < 1e-15);
    assert_true(fabs(density[1] - 616.0 * 54 / 79 / 4608) < 1e-15);
    assert_true(density[2] == 1);
    assert_int_equal(ask("init_erk_plus", &n.net, 0.8, density), FTK_OK);
    assert_true(density[0] == 1 && density[2] == 1);
    assert_true(fabs(density[1] - 3344.0 / 4608) < 1e-15);
}

/* 1280 of 6320 are the least; there the others are empty.  A last convolution is held at nothing,
 * and three layers share by 25, 54 and 10 + 128 + 1 + 1. */
static void test_erk_plus_edges(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_convs(&n, FTK_LAYER_LINEAR);
    assert_int_equal(ask("init_erk_plus", &n.net, 1279.0 / 6320, density), FTK_ERANGE);
    assert_int_equal(ask("init_erk_plus", &n.net, 1280.0 / 6320, density), FTK_OK);
    assert_true(density[0] < 1e-12 && density[1] < 1e-12 && density[2] == 1);
    net_convs(&n, FTK_LAYER_CONV2D);
    assert_int_equal(ask("init_erk_plus", &n.net, 0.3, density), FTK_OK);
    assert_true(fabs(density[2] - 1896.0 * 140 / 219 / 1280) < 1e-15);
}

/* ---- uniform_plus: Gale et al. 2019, arXiv:1902.09574 ---------------------------------------- */

/* The first convolution is dense, the last linear layer at 0.2 or more.  At 0.5 the two others
 * share 3160 - 432 = 2728 evenly; at 0.15 the last keeps 256 of its 1280, and 948 - 432 - 256 =
 * 260 are left for the 4608. */
static void test_uniform_plus_by_hand(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_convs(&n, FTK_LAYER_LINEAR);
    assert_int_equal(ask("init_uniform_plus", &n.net, 0.5, density), FTK_OK);
    assert_true(density[0] == 1);
    assert_true(fabs(density[1] - 2728.0 / 5888) < 1e-15);
    assert_true(fabs(density[2] - 2728.0 / 5888) < 1e-15);
    assert_int_equal(ask("init_uniform_plus", &n.net, 0.15, density), FTK_OK);
    assert_true(density[0] == 1 && density[2] == 0.2);
    assert_true(fabs(density[1] - 260.0 / 4608) < 1e-15);
    assert_int_equal(ask("init_uniform_plus", &n.net, 687.0 / 6320, density), FTK_ERANGE);
    assert_int_equal(ask("init_uniform_plus", &n.net, 689.0 / 6320, density), FTK_OK);
    assert_true(fabs(density[1] - 1.0 / 4608) < 1e-12);
}

/* An MLP has no convolution: its first layer gets as much as the second, (26620 - 200) / 265200. */
static void test_uniform_plus_mlp(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_mlp(&n);
    n.layer[0].role = FTK_ROLE_FIRST;
    n.layer[2].role = FTK_ROLE_LAST;
    assert_int_equal(ask("init_uniform_plus", &n.net, 0.1, density), FTK_OK);
    assert_true(fabs(density[0] - 26420.0 / 265200) < 1e-15);
    assert_true(density[1] == density[0] && density[2] == 0.2);
}

/* An MLP 784-300-100-10, solved by the published code: 3 and 2 rounds. */
static void test_erk_mlp(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_mlp(&n);
    assert_int_equal(ask("init_erk", &n.net, 0.5, density), FTK_OK);
    assert_true(fabs(density[0] - 0.43409863945578236) < 1e-12);
    assert_true(density[1] == 1 && density[2] == 1);
    assert_int_equal(ask("init_erk", &n.net, 0.1, density), FTK_OK);
    assert_true(fabs(density[0] - 0.0795677705044282) < 1e-12);
    assert_true(fabs(density[1] - 0.23018867924528305) < 1e-12);
    assert_true(density[2] == 1);
}

/* Same densities, layer for layer, when the layers come in reverse. */
static void test_order(void **state)
{
    (void)state;
    static struct net n;
    static struct net r;
    double forward[LAYER_MAX];
    double reverse[LAYER_MAX];
    net_clear(&n);
    net_clear(&r);
    for (uint32_t l = 0; l < 40; l++)
        net_add(&n, FTK_LAYER_CONV2D, (const uint32_t[]){ 3 + l, 5 + l * l % 31, 1 + l % 3, 3 });
    for (uint32_t l = 40; l-- > 0;)
        net_add(&r, FTK_LAYER_CONV2D, n.layer[l].shape);
    assert_int_equal(ask("init_erk", &n.net, 0.3, forward), FTK_OK);
    assert_int_equal(ask("init_erk", &r.net, 0.3, reverse), FTK_OK);
    for (uint32_t l = 0; l < 40; l++)
        assert_true(fabs(forward[l] - reverse[39 - l]) < 1e-12);
}

static void test_bad_target(void **state)
{
    (void)state;
    static struct net n;
    double density[LAYER_MAX];
    net_clear(&n);
    net_add(&n, FTK_LAYER_LINEAR, (const uint32_t[]){ 10, 50, 1, 1 });
    assert_int_equal(ask("init_erk", &n.net, 1.3, density), FTK_ERANGE);
    assert_int_equal(ask("init_erk", &n.net, NAN, density), FTK_ERANGE);
    assert_int_equal(ask("init_uniform", &n.net, -0.1, density), FTK_ERANGE);
    assert_int_equal(ask("init_er", &n.net, 1.01, density), FTK_ERANGE);
    assert_int_equal(ask("init_erk_plus", &n.net, -0.01, density), FTK_ERANGE);
    assert_int_equal(ask("init_uniform_plus", &n.net, NAN, density), FTK_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erk_golden),
        cmocka_unit_test(test_any_target),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_erk_by_hand),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_bad_target),
        cmocka_unit_test(test_erk_mlp),
        cmocka_unit_test(test_er_by_hand),
        cmocka_unit_test(test_erk_plus_by_hand),
        cmocka_unit_test(test_erk_plus_edges),
        cmocka_unit_test(test_uniform_plus_by_hand),
        cmocka_unit_test(test_uniform_plus_mlp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
