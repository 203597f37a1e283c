/* SPDX-License-Identifier: MIT
 * test_ledger.c - train/ledger.c: FLOPs of steps, and which kernels count dense.
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

static void dense_steps(void **state)
{
    (void)state;
    struct ftk__ledger l;
    ftk__ledger_init(&l, &model);
    assert_near(l.dense_image, dense_image, 0);
    ftk__ledger_step(&l, 10, false);
    ftk__ledger_step(&l, 7, true); /* dense already: the same                      */
    assert_near(l.theory, 3 * 17 * dense_image, 1e-9);
    assert_near(l.executed, l.theory, 0);
    assert_near(ftk__ledger_dense_run(&l, 2.5, 100), 3 * 250 * dense_image, 1e-6);
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
    ftk__ledger_init(&l, &model);
    assert_int_equal(ftk__ledger_densities(&l, density, on_dense, NULL), FTK_OK);
    ftk__ledger_step(&l, 2, false);
    assert_near(l.theory, 2 * 3 * theory, 1e-9);
    assert_near(l.executed, 2 * 3 * executed, 1e-9);
    ftk__ledger_step(&l, 1, true);
    assert_near(l.theory, 6 * theory + 2 * theory + dense_image, 1e-9);
    assert_near(l.executed, 6 * executed + 2 * executed + dense_image, 1e-9);
    assert_int_equal(ftk__ledger_densities(&l, density, NULL, NULL), FTK_OK);
    assert_near(l.executed_image, theory, 1e-12);
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
    struct ftk__engine e = { .entry = &entry, .ops = &ops, .host = ftk__host_new() };
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

static ftk_status set(void *arg)
{
    struct ftk__ledger l;
    const double density[] = { 0.25, 0.5 };
    (void)arg;
    ftk__ledger_init(&l, &model);
    return ftk__ledger_densities(&l, density, NULL, NULL);
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(ftk_oom_sweep(set, NULL, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_steps),
        cmocka_unit_test(sparse_steps),
        cmocka_unit_test(kernels_by_layer),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
