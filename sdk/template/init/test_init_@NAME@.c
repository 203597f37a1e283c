/* SPDX-License-Identifier: MIT
 * Known answers of the densities.
 */
#include "init_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void densities_of(uint64_t n0, uint64_t n1, double target, double ret[2])
{
    const ftk_layer a = { .size = sizeof(a), .n = n0 };
    const ftk_layer b = { .size = sizeof(b), .index = 1, .n = n1 };
    const ftk_layer *const layers[] = { &a, &b };
    const ftk_net net = { .size = sizeof(net), .n_layers = 2, .layers = layers };
    assert_int_equal(density(NULL, NULL, &net, NULL, target, ret), FTK_OK);
}

static void four_times_as_large_half_as_dense(void **state)
{
    double d[2];
    (void)state;
    densities_of(100, 400, 0.18, d);
    assert_true(fabs(d[0] - 0.3) < 1e-12);
    assert_true(fabs(d[1] - 0.15) < 1e-12);
}

static void a_full_layer_leaves_the_rest_to_the_other(void **state)
{
    double d[2];
    (void)state;
    densities_of(10, 1000, 0.5, d);
    assert_true(d[0] <= 1 && d[0] >= 1);
    assert_true(fabs(d[1] - 0.495) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_times_as_large_half_as_dense),
        cmocka_unit_test(a_full_layer_leaves_the_rest_to_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
