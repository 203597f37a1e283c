/* SPDX-License-Identifier: MIT
 * test_params_check.c - the mistakes that a parameter table can have.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/params.h"
#include <math.h>
#include <string.h>

struct good {
    double rate;
    int64_t bins, wide;
    int32_t on, mode;
    const char *note, *file;
    ftk_duration wait;
    ftk_f64s weights;
    ftk_durations marks;
};

static const char *const modes[] = { "paper", "rigl", "itop", NULL };
static const ftk_param good_params[] = {
    FTK_PARAM_F64(struct good, rate, 0.5, 0, 1, "fraction", "share of weights"),
    FTK_PARAM_I64(struct good, bins, 15, 1, 64, "", "number of bins"),
    FTK_PARAM_I64(struct good, wide, 0, -9007199254740992.0, 9007199254740992.0, "", "any number"),
    FTK_PARAM_BOOL(struct good, on, 1, "whether it is on"),
    FTK_PARAM_ENUM(struct good, mode, 1, modes, "how it is done"),
    FTK_PARAM_STR(struct good, note, "none", 0, "a remark"),
    FTK_PARAM_STR(struct good, file, "", FTK_PF_PATH, "a file"),
    FTK_PARAM_DURATION(struct good, wait, "12.5ep", 0, 1e6, "how long"),
    FTK_PARAM_F64S(struct good, weights, "0.25 1", 0, 1, "", "one for each"),
    FTK_PARAM_DURATIONS(struct good, marks, "0.5 0.75", 0, 1e6, "when"),
    FTK_PARAM_END,
};
static const struct ftk__param_table good_table = { good_params, sizeof(ftk_param),
                                                    sizeof(struct good) };

/* A table of one parameter, changed, is refused with `text`; NULL: accepted. */
static void expect_table(const ftk_param *p, uint32_t struct_size, const char *text)
{
    const ftk_param params[] = { *p, FTK_PARAM_END };
    const struct ftk__param_table t = { params, sizeof(ftk_param), struct_size };
    struct ftk_error err = { 0 };
    ftk_status st = ftk__params_check(&t, &err);
    if (text ? st == FTK_OK || !strstr(err.message, text) : st != FTK_OK)
        print_error("status %d, message '%s', wanted '%s'\n", (int)st, err.message,
                    text ? text : "none");
    if (!text) {
        assert_int_equal(st, FTK_OK);
        return;
    }
    assert_true(st < 0);
    assert_non_null(strstr(err.message, text));
}

static void test_check_words(void **state)
{
    (void)state;
    const ftk_param good = good_params[0];
    ftk_param p = good;
    expect_table(&p, 8, NULL);
    p.name = "Rate";
    expect_table(&p, 8, "parameter name 'Rate'");
    p = good;
    p.help = "";
    expect_table(&p, 8, "no help");
    p = good;
    p.unit = NULL;
    expect_table(&p, 8, "unit is NULL");
    p = good;
    p.type = 9;
    expect_table(&p, 8, "unknown type 9");
    p = good;
    p.flags = 1u << 5;
    expect_table(&p, 8, "unknown flags 0x20");
    p = good;
    p.flags = FTK_PF_PATH;
    expect_table(&p, 8, "a path, but not a string");
    p = good;
    p.reserved = 1;
    expect_table(&p, 8, "reserved is 1");
    p = good;
    p.choices = modes;
    expect_table(&p, 8, "has choices");
}

static void test_check_numbers(void **state)
{
    (void)state;
    const ftk_param good = good_params[0];
    ftk_param p = good;
    p.max = INFINITY;
    expect_table(&p, 8, "not finite");
    p = good;
    p.def = NAN;
    expect_table(&p, 8, "not finite");
    p = good;
    p.max = -1;
    expect_table(&p, 8, "minimum 0 is above maximum -1");
    p = good;
    p.def = 1.3;
    expect_table(&p, 8, "default 1.3 is outside 0 to 1");
    p.flags = FTK_PF_REQUIRED; /* then there is no default                       */
    expect_table(&p, 8, NULL);
    p = good;
    p.def = 0;
    p.flags = FTK_PF_OPEN_MIN;
    expect_table(&p, 8, "default 0 is outside");
    p = good_params[1];
    p.offset = 0;
    expect_table(&p, 8, NULL);
    p.def = 2.5;
    expect_table(&p, 8, "not all whole");
    p.def = 15;
    p.max = 1e16;
    expect_table(&p, 8, "beyond 2^53");
    p = good_params[3];
    p.offset = 0;
    p.def = 2;
    expect_table(&p, 8, "not 0 or 1");
    p = good_params[4];
    p.offset = 0;
    p.def = 3;
    expect_table(&p, 8, "none of 3 choices");
    static const char *const same[] = { "a", "b", "a", NULL };
    p.choices = same;
    expect_table(&p, 8, "choice 'a' twice");
    p.choices = NULL;
    expect_table(&p, 8, "has no choices");
}

static void test_check_texts(void **state)
{
    (void)state;
    ftk_param p = good_params[7]; /* a duration                                    */
    p.offset = 0;
    expect_table(&p, 16, NULL);
    static const char *const bad[] = { "12", "", "1ep 2ep", "1 ep", "long" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        p.def_str = bad[i];
        expect_table(&p, 16, "is no duration");
    }
    p.def_str = NULL;
    expect_table(&p, 16, "has no default");
    p.def_str = "-1ep";
    expect_table(&p, 16, "default -1 is outside");
    p = good_params[8]; /* numbers                                        */
    p.offset = 0;
    p.def_str = "";
    expect_table(&p, 16, NULL);
    p.def_str = "0.5 1ep";
    expect_table(&p, 16, "is no floats");
    p.def_str = "0.5 2";
    expect_table(&p, 16, "default 2 is outside");
    p = good_params[5];
    p.offset = 0;
    p.def_str = NULL;
    expect_table(&p, 8, "has no default");
}

static void test_check_places(void **state)
{
    (void)state;
    ftk_param p = good_params[0];
    p.offset = 4;
    expect_table(&p, 64, "offset 4 is no multiple of 8");
    p.offset = 8;
    expect_table(&p, 12, "ends at byte 16 of a struct of 12");
    p.offset = UINT32_MAX - 7;
    expect_table(&p, 64, "ends at byte 4294967296");
    ftk_param two[] = { good_params[0], good_params[1], FTK_PARAM_END };
    struct ftk__param_table t = { two, sizeof(ftk_param), sizeof(struct good) };
    struct ftk_error err;
    assert_int_equal(ftk__params_check(&t, &err), FTK_OK);
    two[1].offset = two[0].offset;
    assert_int_equal(ftk__params_check(&t, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "'rate' and 'bins' overlap"));
    two[1] = good_params[1];
    two[1].name = "rate";
    assert_int_equal(ftk__params_check(&t, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "declared twice"));
    t.stride += 8;
    assert_int_equal(ftk__params_check(&t, &err), FTK_EABI);
    assert_int_equal(ftk__params_check(&good_table, &err), FTK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_words),
        cmocka_unit_test(test_check_numbers),
        cmocka_unit_test(test_check_texts),
        cmocka_unit_test(test_check_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
