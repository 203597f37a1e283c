/* SPDX-License-Identifier: MIT
 * test_ledger.c - train/ledger.c: FLOPs of steps, by operation and layer, and which kernels count
 * dense.
 */
#include "base/mem.h"
#include "oom.h"
#include "train/ledger.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* CMocka's own compares as float. */
#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

/* Two linear layers: 6 -> 4 -> 3. */
static const ftk_node input = {
    .size = sizeof(ftk_node), .op = FTK_NODE_INPUT, .out_shape = { 6, 1, 1 }, .name = "input"
};
static const ftk_node fc1 = { .size = sizeof(ftk_node),
                              .op = FTK_NODE_LINEAR,
                              .in = { 0 },
                              .out_shape = { 4, 1, 1 },
                              .sparse = 1,
                              .name = "fc1" };
static const ftk_node fc10 = { .size = sizeof(ftk_node),
                               .op = FTK_NODE_LINEAR,
                               .in = { 1 },
                               .out_shape = { 3, 1, 1 },
                               .sparse = 1,
                               .name = "fc10" };
static const ftk_node *nodes[] = { &input, &fc1, &fc10 };
static ftk_layer layers[2];
static uint32_t layer_node[] = { 1, 2 };
static struct ftk__model model = { .nodes = nodes,
                                   .n_nodes = 3,
                                   .layers = layers,
                                   .layer_node = layer_node,
                                   .n_layers = 2,
                                   .shape = { 6, 1, 1 },
                                   .classes = 3 };

static int setup(void **state)
{
    (void)state;
    for (int l = 0; l < 2; l++) {
        layers[l].size = sizeof(layers[l]);
        layers[l].name = nodes[layer_node[l]]->name;
        layers[l].n = l == 0 ? 24 : 12;
    }
    return 0;
}

static const double dense_image = 4 * (2 * 6 + 1) + 3 * (2 * 4 + 1); /* 79        */

static double image_at(double d1, double d2)
{
    return 4 * (2 * 6 * d1 + 1) + 3 * (2 * 4 * d2 + 1);
}

/* 1e-12 of it: what a handful of roundings may do. */
static void assert_same(double a, double b)
{
    assert_near(a, b, 1e-12 * fabs(b));
}

/* Layers and operations each add up to all. */
static void assert_sums(struct ftk__ledger *l)
{
    struct ftk__flops by_layer = { 0 };
    struct ftk__flops by_op = { 0 };
    ftk__ledger_settle(l);
    for (uint32_t k = 0; k < l->n_layers; k++) {
        by_layer.theory += l->layers[k].sum.theory;
        by_layer.executed += l->layers[k].sum.executed;
    }
    for (uint32_t i = 0; i < l->n_ops; i++) {
        by_op.theory += l->ops[i].sum.theory;
        by_op.executed += l->ops[i].sum.executed;
    }
    assert_same(by_layer.theory, l->sum.theory);
    assert_same(by_layer.executed, l->sum.executed);
    assert_same(by_op.theory, l->sum.theory);
    assert_same(by_op.executed, l->sum.executed);
}

static void dense_steps(void **state)
{
    (void)state;
    struct ftk__ledger l;
    assert_int_equal(ftk__ledger_init(&l, &model, 1, NULL), FTK_OK);
    assert_near(l.dense_image, dense_image, 0);
    ftk__ledger_step(&l, 10, false);
    ftk__ledger_step(&l, 7, true); /* dense already: the same                      */
    assert_near(l.sum.theory, 3 * 17 * dense_image, 1e-9);
    assert_near(l.sum.executed, l.sum.theory, 0);
    assert_near(ftk__ledger_dense_run(&l, 2.5, 100), 3 * 250 * dense_image, 1e-6);
    assert_sums(&l);
    ftk__ledger_done(&l);
}

/* A step costs 3 f_S, with a dense weight gradient 2 f_S + f_D; a layer on a dense kernel executes
 * all of its weights. */
static void sparse_steps(void **state)
{
    (void)state;
    struct ftk__ledger l;
    const double density[] = { 0.25, 0.5 };
    const bool on_dense[] = { false, true };
    const double theory = image_at(0.25, 0.5);
    const double executed = image_at(0.25, 1);
    assert_int_equal(ftk__ledger_init(&l, &model, 1, NULL), FTK_OK);
    ftk__ledger_densities(&l, density, on_dense);
    ftk__ledger_step(&l, 2, false);
    assert_near(l.sum.theory, 2 * 3 * theory, 1e-9);
    assert_near(l.sum.executed, 2 * 3 * executed, 1e-9);
    ftk__ledger_step(&l, 1, true);
    assert_near(l.sum.theory, 6 * theory + 2 * theory + dense_image, 1e-9);
    assert_near(l.sum.executed, 6 * executed + 2 * executed + dense_image, 1e-9);
    ftk__ledger_densities(&l, density, NULL);
    assert_near(l.image.executed, theory, 1e-12);
    assert_sums(&l);
    ftk__ledger_done(&l);
}

/* Each step is the operation's and the layers' that were in force when it was made. */
static void by_operation_and_layer(void **state)
{
    (void)state;
    struct ftk__ledger l;
    const double sparse[] = { 0.25, 0.5 };
    const double cut[] = { 0.125, 0.25 };
    assert_int_equal(ftk__ledger_init(&l, &model, 4, NULL), FTK_OK);
    ftk__ledger_step(&l, 3, true);
    ftk__ledger_note(&l, FTK__LEDGER_FRESH_GRADIENT);
    ftk__ledger_densities(&l, sparse, NULL);
    ftk__ledger_operation(&l, 1);
    ftk__ledger_step(&l, 4, false);
    ftk__ledger_step(&l, 4, true);
    ftk__ledger_note(&l, FTK__LEDGER_CUT);
    ftk__ledger_densities(&l, cut, NULL);
    ftk__ledger_note(&l, FTK__LEDGER_SKIPPED);
    ftk__ledger_step(&l, 5, false);
    ftk__ledger_operation(&l, 3);
    ftk__ledger_step(&l, 2, false);
    assert_sums(&l);
    assert_near(l.ops[0].sum.theory, 3 * 3 * dense_image, 1e-9);
    double f = image_at(0.25, 0.5);
    double f_cut = image_at(0.125, 0.25);
    assert_near(l.ops[1].sum.theory, 4 * 5 * f + 4 * dense_image + 5 * 3 * f_cut, 1e-9);
    assert_near(l.ops[2].sum.theory, 0, 0);
    assert_near(l.ops[3].sum.theory, 2 * 3 * f_cut, 1e-9);
    assert_string_equal(l.layers[0].name, "fc1");
    assert_near(l.layers[0].sum.theory,
                9 * 52.0 + 4 * 5 * 4 * (12 * 0.25 + 1) + 4 * 52 + 7 * 3 * 4 * (12 * 0.125 + 1),
                1e-9);
    assert_int_equal(l.ops[0].count[FTK__LEDGER_FRESH_GRADIENT], 1);
    assert_int_equal(l.ops[1].count[FTK__LEDGER_STEP], 3);
    assert_int_equal(l.ops[1].count[FTK__LEDGER_DENSE_GRADIENT], 1);
    assert_int_equal(l.ops[1].count[FTK__LEDGER_CUT], 1);
    assert_int_equal(l.ops[1].count[FTK__LEDGER_SKIPPED], 1);
    assert_int_equal(ftk__ledger_count(&l, FTK__LEDGER_STEP), 5);
    assert_int_equal(ftk__ledger_count(&l, FTK__LEDGER_DENSE_GRADIENT), 2);
    ftk__ledger_done(&l);
}

/* As many roundings as the topology has changes: a million steps between two are one product. */
static void long_runs_keep_their_sums(void **state)
{
    (void)state;
    struct ftk__ledger l;
    const double third[] = { 1 / 3.0, 2 / 3.0 };
    assert_int_equal(ftk__ledger_init(&l, &model, 2, NULL), FTK_OK);
    ftk__ledger_densities(&l, third, NULL);
    for (uint32_t t = 0; t < 1000000; t++) {
        if (t == 400000)
            ftk__ledger_operation(&l, 1);
        if (t % 1000 == 999)
            ftk__ledger_densities(&l, third, NULL);
        ftk__ledger_step(&l, 127, t % 1000 == 999);
    }
    double f = image_at(1 / 3.0, 2 / 3.0);
    assert_same(l.sum.theory, 127e6 * 3 * f + 127e3 * (dense_image - f));
    assert_sums(&l);
    ftk__ledger_done(&l);
}

/* A layer that no mask covers costs its dense FLOPs at every density. */
static void layers_that_are_not_maskable(void **state)
{
    (void)state;
    struct ftk__ledger l;
    struct ftk__model half = model;
    uint32_t only_second[] = { 2 };
    const double density[] = { 0.25 };
    const bool on_dense[] = { true };
    half.layer_node = only_second;
    half.n_layers = 1;
    assert_int_equal(ftk__ledger_init(&l, &half, 1, NULL), FTK_OK);
    assert_int_equal(l.n_layers, 2);
    ftk__ledger_densities(&l, density, on_dense);
    ftk__ledger_step(&l, 10, false);
    assert_sums(&l);
    assert_string_equal(l.layers[0].name, "fc1");
    assert_int_equal(l.layers[0].layer, 1); /* none of them                          */
    assert_near(l.layers[0].sum.theory, 10 * 3 * 52, 0);
    assert_near(l.layers[1].sum.theory, 10 * 3 * 3 * (8 * 0.25 + 1), 1e-9);
    assert_near(l.layers[1].sum.executed, 10 * 3 * 27, 0);
    ftk__ledger_done(&l);
}

static const char *kernels_text;
static const char *kernels(ftk_prog *p)
{
    (void)p;
    return kernels_text;
}

static void kernels_by_layer(void **state)
{
    (void)state;
    const ftk_backend_ops ops = { .size = sizeof(ops), .kernels = kernels };
    const ftk_algo algo = {
        .size = sizeof(algo), .kind = FTK_KIND_BACKEND, .name = "own", .ops = &ops
    };
    const struct ftk__entry entry = { .algo = &algo };
    char prog; /* kernels() does not look into it */
    struct ftk__engine e = {
        .entry = &entry, .ops = &ops, .host = ftk__host_new(), .prog = (ftk_prog *)&prog
    };
    bool dense[2];
    assert_non_null(e.host);
    kernels_text = "own avx2\nfc1 sparse 4x8\nfc10 dense onednn";
    assert_int_equal(ftk__ledger_kernels(&e, &model, dense, NULL), FTK_OK);
    assert_true(dense[0] && dense[1]); /* it does not compute sparsely at all      */
    e.device.caps = FTK_CAP_SPARSE_COMPUTE;
    assert_int_equal(ftk__ledger_kernels(&e, &model, dense, NULL), FTK_OK);
    assert_true(!dense[0] && dense[1]);
    kernels_text = "own avx2\nfc10 sparse\nfc1 dense";
    assert_int_equal(ftk__ledger_kernels(&e, &model, dense, NULL), FTK_OK);
    assert_true(dense[0] && !dense[1]);
    kernels_text = NULL;
    assert_int_equal(ftk__ledger_kernels(&e, &model, dense, NULL), FTK_OK);
    assert_true(!dense[0] && !dense[1]);
    ftk__host_free(e.host);
}

static ftk_status init(void *arg)
{
    struct ftk__ledger l;
    (void)arg;
    ftk_status st = ftk__ledger_init(&l, &model, 3, NULL);
    if (st >= 0)
        ftk__ledger_done(&l);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(ftk_oom_sweep(init, NULL, 1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_steps),
        cmocka_unit_test(sparse_steps),
        cmocka_unit_test(by_operation_and_layer),
        cmocka_unit_test(long_runs_keep_their_sums),
        cmocka_unit_test(layers_that_are_not_maskable),
        cmocka_unit_test(kernels_by_layer),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
