/* SPDX-License-Identifier: MIT
 * Known answers of the shares.
 */
#include "allot_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void shares_go_with_room(void **state)
{
    const uint64_t lost[] = { 4, 4, 0 };
    const uint64_t room[] = { 100, 300, 0 };
    const ftk_net net = { .size = sizeof(net), .n_layers = 3 };
    uint64_t count[3];
    (void)state;
    assert_int_equal(allot(NULL, NULL, &net, NULL, lost, room, 8, count), FTK_OK);
    assert_int_equal(count[0], 2);
    assert_int_equal(count[1], 6);
    assert_int_equal(count[2], 0);
}

static void everything_is_filled_when_it_must_be(void **state)
{
    const uint64_t lost[] = { 9, 0, 0 };
    const uint64_t room[] = { 1, 3, 5 };
    const ftk_net net = { .size = sizeof(net), .n_layers = 3 };
    uint64_t count[3];
    (void)state;
    assert_int_equal(allot(NULL, NULL, &net, NULL, lost, room, 9, count), FTK_OK);
    for (int l = 0; l < 3; l++)
        assert_int_equal(count[l], room[l]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_go_with_room),
        cmocka_unit_test(everything_is_filled_when_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
