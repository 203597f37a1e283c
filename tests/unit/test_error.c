/* SPDX-License-Identifier: MIT
 * test_error.c - base/error.c and base/status.c.
 */
#include "base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fail_records(void **state)
{
    (void)state;
    struct ftk_error err = { .n_context = 3, .exit_code = 99 };
    assert_int_equal(ftk__fail(&err, FTK_EINVAL, "density %g is above %d", 1.5, 1), FTK_EINVAL);
    assert_string_equal(err.message, "density 1.5 is above 1");
    assert_int_equal(err.status, FTK_EINVAL);
    assert_int_equal(err.n_context, 0);
    assert_int_equal(err.exit_code, 0);
    assert_int_equal(ftk__fail(NULL, FTK_EIO, "nobody listens"), FTK_EIO);
    ftk__error_context(NULL, "nor here");
}

static void message_may_be_its_own_argument(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    ftk__fail(&err, FTK_EIO, "inner");
    ftk__fail(&err, FTK_EIO, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void message_is_one_bounded_line(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    ftk__fail(&err, FTK_EINVAL, "a\nb\x1b[2J");
    assert_string_equal(err.message, "a b?[2J");
    char text[2 * FTK__ERROR_TEXT];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    ftk__fail(&err, FTK_EINVAL, "%s", text);
    assert_int_equal(strlen(err.message), FTK__ERROR_TEXT - 1);
    assert_string_equal(err.message + FTK__ERROR_TEXT - 4, "...");
}

static void context_keeps_the_outermost(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    ftk__fail(&err, FTK_EINVAL, "x");
    for (int i = 0; i < 12; i++)
        ftk__error_context(&err, "level %d", i);
    assert_int_equal(err.n_context, FTK__ERROR_CONTEXTS);
    assert_string_equal(err.context[0], "level 0");
    assert_string_equal(err.context[6], "level 6");
    assert_string_equal(err.context[7], "level 11");
}

static void exit_codes_follow_from_status(void **state)
{
    (void)state;
    static const struct {
        ftk_status st;
        int code;
    } expect[] = {
        { FTK_OK, 0 },         { FTK_EINVAL, 78 },      { FTK_ENOTSUP, 78 }, { FTK_EABI, 78 },
        { FTK_EEXIST, 78 },    { FTK_ENOENT, 69 },      { FTK_ENODEV, 69 },  { FTK_EIO, 74 },
        { FTK_ENUMERIC, 76 },  { FTK_ENOMEM, 70 },      { FTK_ERANGE, 70 },  { FTK_ESTATE, 70 },
        { FTK_EINTERNAL, 70 }, { (ftk_status)-99, 70 },
    };
    for (size_t i = 0; i < sizeof expect / sizeof *expect; i++) {
        struct ftk_error err = { .status = expect[i].st };
        assert_int_equal(ftk__error_exit_code(&err), expect[i].code);
    }
    struct ftk_error err = { 0 };
    ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_DATA, "label 10 of 10 classes");
    assert_int_equal(ftk__error_exit_code(&err), 65);
}

static void names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(ftk__status_name(FTK_EINVAL), "EINVAL");
    assert_string_equal(ftk__status_text(FTK_ENODEV), "no usable device");
    assert_string_equal(ftk__status_name((ftk_status)-99), "unknown status");
    assert_string_equal(ftk__status_text((ftk_status)-99), "unknown status");
}

static void print_indents_context(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    ftk__fail(&err, FTK_EINVAL, "what");
    ftk__error_context(&err, "in here");
    ftk__error_context(&err, "from there");
    char text[256] = { 0 };
    FILE *to = fmemopen(text, sizeof text, "w");
    assert_non_null(to);
    ftk__error_print(to, &err);
    fclose(to);
    assert_string_equal(text, "error: what\n  in here\n  from there\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_records),
        cmocka_unit_test(message_may_be_its_own_argument),
        cmocka_unit_test(message_is_one_bounded_line),
        cmocka_unit_test(context_keeps_the_outermost),
        cmocka_unit_test(exit_codes_follow_from_status),
        cmocka_unit_test(names_and_texts),
        cmocka_unit_test(print_indents_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
