/* SPDX-License-Identifier: MIT
 * The list of operations for two members.
 */
#include "ensemble_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void the_list(void **state)
{
    static const uint32_t codes[] = { FTK_OP_INIT,  FTK_OP_TRAIN,  FTK_OP_REMEMBER,
                                      FTK_OP_REWIND, FTK_OP_TRAIN, FTK_OP_SAVE,
                                      FTK_OP_REWIND, FTK_OP_TRAIN, FTK_OP_SAVE };
    const ftk_run run = { .size = sizeof(run), .members = 2, .steps_per_epoch = 10, .epochs = 8 };
    struct params p = { { 0.5, FTK_UNIT_RUN, 0 }, { 30, FTK_UNIT_STEP, 0 } };
    ftk_op o;
    (void)state;
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(op(NULL, &p, &run, i, NULL, &o), FTK_OK);
        assert_int_equal(o.code, codes[i]);
        assert_int_equal(o.member, i < 3 ? 0 : (i - 3) / 3);
        if (o.code == FTK_OP_TRAIN)
            assert_true(o.epochs == (i == 1 ? 4.0 : 3.0));
    }
    assert_int_equal(op(NULL, &p, &run, 9, NULL, &o), FTK_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_list) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
