/* SPDX-License-Identifier: MIT
 * Known answers of the rule on one layer of 2 units with 4 weights each.
 */
#include "prune_@NAME@.c"
#include "level2_mock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint8_t active[] = { 1, 1, 1, 0, 1, 1, 0, 0 };
static const float weight[] = { 0.1f, -0.3f, 0.2f, 0, 8, -2, 0, 0 };

/* Means of the units are 0.2 and 5, that of the layer is 2.12. */
static void take(double relative, uint64_t budget, struct mock *ret)
{
    struct params p = { .relative = relative };
    mock_open(ret, 2, 4, active);
    ret->weight = weight;
    ret->budget = budget;
    ret->which = FTK_ACTIVE;
    assert_int_equal(select_entries(&ret->host, &p, &ret->net, &ret->update, &ret->edit), FTK_OK);
    assert_int_equal(ret->n_taken, budget);
    mock_close(ret);
}

static void small_beside_its_unit(void **state)
{
    struct mock m;
    (void)state;
    take(1, 2, &m);
    assert_int_equal(m.taken[0], 0); /* 0.1 / 0.2 */
    assert_int_equal(m.taken[1], 5); /* 2 / 5, where 0.2 / 0.2 stays */
}

static void small_in_the_layer(void **state)
{
    struct mock m;
    (void)state;
    take(0, 2, &m);
    assert_int_equal(m.taken[0], 0);
    assert_int_equal(m.taken[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_beside_its_unit),
        cmocka_unit_test(small_in_the_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
