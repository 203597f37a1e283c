/* SPDX-License-Identifier: MIT
 * Known answers on three samples.
 */
#include "metric_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void two_of_three(void **state)
{
    const double prob[] = { 0.5, 0.3, 0.2, 0.5, 0.3, 0.2, 0.1, 0.1, 0.8 };
    const int32_t label[] = { 1, 2, 2 };
    const ftk_pred p = {
        .size = sizeof(p), .members = 1, .classes = 3, .count = 3, .ensemble = prob, .label = label
    };
    struct params q = { .k = 2 };
    struct sums s = { 0 };
    double value;
    (void)state;
    assert_int_equal(add(NULL, &q, &s, &p), FTK_OK);
    assert_int_equal(finish(NULL, &q, &s, &value), FTK_OK);
    assert_true(value > 0.6666 && value < 0.6667);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_of_three) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
