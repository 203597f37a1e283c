/* SPDX-License-Identifier: MIT
 * Known answers of the score, called directly.
 */
#include "grow_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void new_weights_count_more(void **state)
{
    const float grad[] = { 0.5f, -2.0f, -2.0f };
    const uint8_t fired[] = { 1, 1, 0 };
    const ftk_cand c = { .size = sizeof(c), .count = 3, .grad = grad, .fired = fired };
    struct params p = { .bonus = 3 };
    float got[3];
    (void)state;
    assert_int_equal(score(NULL, &p, NULL, &c, NULL, got), FTK_OK);
    assert_true(got[0] == 0.5f);
    assert_true(got[1] == 2.0f);
    assert_true(got[2] == 6.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(new_weights_count_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
