/* SPDX-License-Identifier: MIT
 * Known answers of the rule on one layer of 8 weights.
 */
#include "grow_@NAME@.c"
#include "level2_mock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint8_t active[] = { 1, 0, 0, 1, 0, 0, 1, 0 };
static const float grad[] = { 9, 0.1f, -3.0f, 9, 0.2f, 2.0f, 9, -0.3f };

static void two_largest_and_a_drawn_one(void **state)
{
    struct mock m;
    struct params p = { .random_share = 0.4 };
    (void)state;
    mock_open(&m, 1, 8, active);
    m.grad = grad;
    m.budget = 3;
    m.which = FTK_INACTIVE;
    assert_int_equal(select_entries(&m.host, &p, &m.net, &m.update, &m.edit), FTK_OK);
    assert_int_equal(m.n_taken, 3);
    assert_int_equal(m.taken[0], 2); /* |-3| */
    assert_int_equal(m.taken[1], 5); /* 2 */
    assert_int_equal(m.taken[2], 7); /* drawn: the last of 1, 4, 7 */
    mock_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_largest_and_a_drawn_one) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
