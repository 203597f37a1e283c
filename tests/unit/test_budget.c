/* SPDX-License-Identifier: MIT
 * test_budget.c - rounding, counts of layers, the pruning ramp.
 */
#include "sparse/budget.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void k_is_rounded_as_asked(void **state)
{
    (void)state;
    assert_int_equal(ftk__budget_k(0.5, 12, FTK__ROUND_CEIL), 6);
    assert_int_equal(ftk__budget_k(0.3, 12, FTK__ROUND_CEIL), 4);
    assert_int_equal(ftk__budget_k(0.3, 12, FTK__ROUND_FLOOR), 3);
    assert_int_equal(ftk__budget_k(0.3, 12, FTK__ROUND_NEAREST), 4);
    assert_int_equal(ftk__budget_k(0.25, 10, FTK__ROUND_NEAREST), 3);
    assert_int_equal(ftk__budget_k(0.2, 12, FTK__ROUND_NEAREST), 2);
    // 0.07 x 100 is 7.000000000000001 in double, and no epsilon hides that.
    assert_int_equal(ftk__budget_k(0.07, 100, FTK__ROUND_CEIL), 8);
    assert_int_equal(ftk__budget_k(0.07, 100, FTK__ROUND_FLOOR), 7);
}

static void k_stays_within_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(ftk__budget_k(0, 12, FTK__ROUND_CEIL), 0);
    assert_int_equal(ftk__budget_k(1, 12, FTK__ROUND_CEIL), 12);
    assert_int_equal(ftk__budget_k(1.5, 12, FTK__ROUND_CEIL), 12);
    assert_int_equal(ftk__budget_k(0.5, 0, FTK__ROUND_CEIL), 0);
    assert_int_equal(ftk__budget_k(1e-9, 1, FTK__ROUND_CEIL), 1);
    assert_int_equal(ftk__budget_k(-1, 12, FTK__ROUND_CEIL), 0);
    assert_int_equal(ftk__budget_k(NAN, 12, FTK__ROUND_CEIL), 0);
}

static void forbidden_regrowth_limits_k(void **state)
{
    (void)state;
    struct ftk__topology_options o = { .round = FTK__ROUND_CEIL };
    bool limited;
    assert_int_equal(ftk__budget_update(&o, 0.5, 70, 30, &limited), 35);
    assert_false(limited);
    o.regrow = FTK__REGROW_FORBIDDEN;
    assert_int_equal(ftk__budget_update(&o, 0.5, 70, 30, &limited), 30);
    assert_true(limited);
    assert_int_equal(ftk__budget_update(&o, 0.5, 60, 30, &limited), 30);
    assert_false(limited);
    assert_int_equal(ftk__budget_update(&o, 0.5, 60, 0, &limited), 0);
    assert_true(limited);
}

static void keep_rounds_to_nearest(void **state)
{
    (void)state;
    assert_int_equal(ftk__budget_keep(0.2, 61470), 12294);
    assert_int_equal(ftk__budget_keep(0.5, 5), 3);
    assert_int_equal(ftk__budget_keep(0, 5), 0);
    assert_int_equal(ftk__budget_keep(1, 5), 5);
}

static void counts_meet_the_sum(void **state)
{
    (void)state;
    // Each rounds to 0, together they make 2: the first two of equals get one.
    const double third[5] = { 0.4, 0.4, 0.4, 0.4, 0.4 };
    const uint64_t ones[5] = { 1, 1, 1, 1, 1 };
    uint64_t count[5];
    assert_int_equal(ftk__budget_counts(third, ones, 5, count, NULL), FTK_OK);
    const uint64_t two[5] = { 1, 1, 0, 0, 0 };
    assert_memory_equal(count, two, sizeof(two));
    // Each rounds up, together one too many: the one with the least claim gives it back.
    const double d[3] = { 0.56, 0.55, 0.57 };
    const uint64_t n[3] = { 10, 10, 10 };
    assert_int_equal(ftk__budget_counts(d, n, 3, count, NULL), FTK_OK);
    assert_int_equal(count[0], 6);
    assert_int_equal(count[1], 5);
    assert_int_equal(count[2], 6);
}

static void full_and_empty_layers_stay(void **state)
{
    (void)state;
    const double d[4] = { 1, 0, 0.45, 0.45 };
    const uint64_t n[4] = { 7, 9, 1, 1 };
    uint64_t count[4];
    assert_int_equal(ftk__budget_counts(d, n, 4, count, NULL), FTK_OK);
    assert_int_equal(count[0], 7);
    assert_int_equal(count[1], 0);
    assert_int_equal(count[2] + count[3], 1);
}

static void counts_meet_the_sum_for_many(void **state)
{
    (void)state;
    enum { LAYERS = 200 };
    double d[LAYERS];
    uint64_t n[LAYERS], count[LAYERS];
    double wanted = 0;
    uint64_t sum = 0;
    for (unsigned l = 0; l < LAYERS; l++) {
        d[l] = fmod(0.123456789 * (l + 1), 1.0);
        n[l] = 1 + l * l % 97;
        wanted += d[l] * (double)n[l];
    }
    assert_int_equal(ftk__budget_counts(d, n, LAYERS, count, NULL), FTK_OK);
    for (unsigned l = 0; l < LAYERS; l++) {
        assert_true(fabs((double)count[l] - d[l] * (double)n[l]) < 1.5);
        sum += count[l];
    }
    assert_true(fabs((double)sum - wanted) <= 0.5);
}

static void bad_densities_are_refused(void **state)
{
    (void)state;
    const double bad[3] = { -0.1, 1.1, NAN };
    const uint64_t n = 10;
    uint64_t count;
    for (unsigned i = 0; i < 3; i++) {
        struct ftk_error err;
        assert_int_equal(ftk__budget_counts(&bad[i], &n, 1, &count, &err), FTK_EINVAL);
        assert_non_null(strstr(err.message, "outside 0 to 1"));
    }
}

static void ramp_follows_the_cube(void **state)
{
    (void)state;
    assert_true(ftk__ramp_density(1, 0.2, 5, 10, 110) == 1);
    assert_true(ftk__ramp_density(1, 0.2, 10, 10, 110) == 1);
    assert_true(ftk__ramp_density(1, 0.2, 110, 10, 110) == 0.2);
    assert_true(ftk__ramp_density(1, 0.2, 999, 10, 110) == 0.2);
    assert_true(fabs(ftk__ramp_density(1, 0.2, 60, 10, 110) - (0.2 + 0.8 / 8)) < 1e-15);
    assert_true(ftk__ramp_density(1, 0.2, 10, 10, 10) == 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_is_rounded_as_asked),
        cmocka_unit_test(k_stays_within_what_there_is),
        cmocka_unit_test(forbidden_regrowth_limits_k),
        cmocka_unit_test(keep_rounds_to_nearest),
        cmocka_unit_test(counts_meet_the_sum),
        cmocka_unit_test(full_and_empty_layers_stay),
        cmocka_unit_test(counts_meet_the_sum_for_many),
        cmocka_unit_test(bad_densities_are_refused),
        cmocka_unit_test(ramp_follows_the_cube),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
