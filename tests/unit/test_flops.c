/* SPDX-License-Identifier: MIT
 * test_flops.c - model/flops.c against counts by hand.
 */
#include "builtin_case.h"
#include "model/flops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ftk__model *lenet5(const char *const *dense, uint64_t n_dense)
{
    const struct ftk__model_request q = {
        .model = builtin_named(ftk__model_builtins, "lenet5"),
        .shape = { 1, 28, 28 },
        .classes = 10,
        .dense = dense,
        .n_dense = n_dense,
    };
    struct ftk__model *m = NULL;
    assert_int_equal(ftk__model_build(&q, &m, NULL), FTK_OK);
    return m;
}

/* Output elements and v of lenet5's layers on 28x28. */
static const double elements[] = { 20 * 24 * 24, 50 * 8 * 8, 500, 10 };
static const double fan_in[] = { 25, 500, 800, 500 };

static void dense_lenet5(void **state)
{
    (void)state;
    struct ftk__model *m = lenet5(NULL, 0);
    /* 11520 x 51 + 3200 x 1001 + 500 x 1601 + 10 x 1001 */
    assert_true(ftk__flops_forward(m, NULL) == 587520.0 + 3203200.0 + 800500.0 + 10010.0);
    for (uint32_t l = 0; l < 4; l++)
        assert_true(ftk__flops_node(m, m->layer_node[l], 1.0) ==
                    elements[l] * (2.0 * fan_in[l] + 1.0));
    assert_true(ftk__flops_node(m, 2, 1.0) == 0.0); /* ReLU */
    ftk__model_free(m);
}

static void sparse_lenet5(void **state)
{
    (void)state;
    struct ftk__model *m = lenet5(NULL, 0);
    const double density[] = { 1.0, 0.5, 0.25, 0.0 };
    double expected = 0.0;
    for (uint32_t l = 0; l < 4; l++)
        expected += elements[l] * (2.0 * fan_in[l] * density[l] + 1.0);
    double sparse = ftk__flops_forward(m, density);
    assert_true(sparse == expected);
    ftk__model_free(m);
}

static void layers_left_dense_count_in_full(void **state)
{
    (void)state;
    const char *const names[] = { "conv1", "fc3" };
    struct ftk__model *m = lenet5(names, 2);
    const double density[] = { 0.1, 0.2 }; /* conv2, fc4 */
    double expected =
        587520.0 + 3200.0 * (1000.0 * 0.1 + 1.0) + 800500.0 + 10.0 * (1000.0 * 0.2 + 1.0);
    assert_true(ftk__flops_forward(m, density) == expected);
    ftk__model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_lenet5),
        cmocka_unit_test(sparse_lenet5),
        cmocka_unit_test(layers_left_dense_count_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
