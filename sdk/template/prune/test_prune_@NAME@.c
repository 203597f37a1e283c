/* SPDX-License-Identifier: MIT
 * Known answers of the score, called directly.
 */
#include "prune_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void old_weights_score_by_size(void **state)
{
    const float weight[] = { 0.5f, -2.0f, 0.0f };
    const uint32_t age[] = { 3, 1, 0 };
    const ftk_cand c = { .size = sizeof(c), .count = 3, .weight = weight, .age = age };
    struct params p = { .protect = 1 };
    float got[3];
    (void)state;
    assert_int_equal(score(NULL, &p, NULL, &c, NULL, got), FTK_OK);
    assert_true(got[0] == 0.5f);
    assert_true(got[1] == 2.0f);
    assert_true(isinf(got[2]) && got[2] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(old_weights_score_by_size) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
