/* SPDX-License-Identifier: MIT
 * test_str.c - base/str.c and base/setting.c.
 */
#include "base/mem.h"
#include "base/setting.h"
#include "base/str.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

static void grows(void **state)
{
    (void)state;
    struct ftk__str s = { 0 };
    ftk__str_add(&s, "");
    assert_string_equal(s.text, "");
    for (unsigned i = 0; i < 1000; i++)
        ftk__str_addf(&s, "%u,", i);
    ftk__str_add_n(&s, "abc", 2);
    assert_false(s.failed);
    assert_int_equal(s.len, 3892);
    assert_int_equal(strlen(s.text), s.len);
    assert_true(ftk__str_starts(s.text, "0,1,2,"));
    assert_true(ftk__str_ends(s.text, "998,999,ab"));
    ftk__str_done(&s);
    assert_null(s.text);
}

static ftk_status build(void *arg)
{
    (void)arg;
    struct ftk__str s = { 0 };
    for (unsigned i = 0; i < 200; i++)
        ftk__str_addf(&s, "line %u\n", i);
    ftk_status st = s.failed ? FTK_ENOMEM : FTK_OK;
    ftk__str_done(&s);
    return st;
}

static void memory_failure_sticks(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(build, NULL, 1) >= 5);
    struct ftk__str s = { 0 };
    ftk__mem_fail_at(1);
    ftk__str_add(&s, "lost");
    ftk__mem_fail_at(0);
    ftk__str_add(&s, "lost too");
    assert_true(s.failed);
    assert_null(s.text);
}

static void format_cuts(void **state)
{
    (void)state;
    char buf[6];
    assert_true(ftk__format(buf, sizeof buf, "%d", 12345));
    assert_string_equal(buf, "12345");
    assert_false(ftk__format(buf, sizeof buf, "%d", 123456));
    assert_string_equal(buf, "12345");
    assert_false(ftk__format(buf, 0, "x"));
}

static void affixes(void **state)
{
    (void)state;
    assert_true(ftk__str_starts("abc", ""));
    assert_true(ftk__str_starts("abc", "abc"));
    assert_false(ftk__str_starts("ab", "abc"));
    assert_true(ftk__str_ends("abc", "bc"));
    assert_false(ftk__str_ends("bc", "abc"));
}

static void globs(void **state)
{
    (void)state;
    assert_true(ftk__glob_match("*", ""));
    assert_true(ftk__glob_match("block2.*.conv?", "block2.layer.0.conv1"));
    assert_false(ftk__glob_match("block2.*.conv?", "block2.layer.0.conv"));
    assert_true(ftk__glob_match("*a*b", "xxaxxaxxb"));
    assert_false(ftk__glob_match("*a*b", "xxaxxbx"));
    assert_true(ftk__glob_match("a**", "a"));
    assert_false(ftk__glob_match("", "a"));
    assert_false(ftk__glob_match("?", ""));
}

static void numbers(void **state)
{
    (void)state;
    double f = 0.0;
    assert_true(ftk__parse_f64("-1.5e3", &f));
    assert_true(f == -1500.0);
    assert_true(ftk__parse_f64("1e-320", &f));
    assert_true(f > 0.0);
    assert_true(ftk__parse_f64("inf", &f));
    assert_true(isinf(f));
    static const char *const bad[] = { "", " 1", "1 ", "1x", "1e999", "x", "-", "1,5" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ftk__parse_f64(bad[i], &f));

    int64_t i = 0;
    assert_true(ftk__parse_i64("-9223372036854775808", &i));
    assert_true(i == INT64_MIN);
    assert_false(ftk__parse_i64("9223372036854775808", &i));
    assert_false(ftk__parse_i64("1.0", &i));
    assert_false(ftk__parse_i64("", &i));
    assert_false(ftk__parse_i64(" 1", &i));
    assert_false(ftk__parse_i64("0x10", &i));

    uint64_t u = 0;
    assert_true(ftk__parse_u64("18446744073709551615", &u));
    assert_true(u == UINT64_MAX);
    assert_false(ftk__parse_u64("18446744073709551616", &u));
    assert_false(ftk__parse_u64("-1", &u));
    assert_false(ftk__parse_u64("+-1", &u));
    assert_false(ftk__parse_u64("", &u));
}

static void utf8(void **state)
{
    (void)state;
    assert_true(ftk__utf8_valid("plain, \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x8e\xab"));
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc3",
        "\xc3(",
        "\xe0\x80\x80",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xf0\x80\x80\x80",
        "\xff",
        "\xe2\x82",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ftk__utf8_valid(bad[i]));
}

static void nearest(void **state)
{
    (void)state;
    static const char *const names[] = { "gradient", "random", "momentum", "none" };
    assert_string_equal(ftk__str_nearest("gradiant", names, 4), "gradient");
    assert_string_equal(ftk__str_nearest("rnadom", names, 4), "random");
    assert_string_equal(ftk__str_nearest("non", names, 4), "none");
    assert_string_equal(ftk__str_nearest("mometnums", names, 4), "momentum");
    assert_null(ftk__str_nearest("xy", names, 4));
    assert_null(ftk__str_nearest("", names, 4));
    assert_null(ftk__str_nearest("gradient", names, 0));
    static const char *const far[] = { "abcdefghijkl" };
    assert_non_null(ftk__str_nearest("abcdefghi", far, 1));
    assert_null(ftk__str_nearest("abcdefgh", far, 1));
}

static void settings_are_found(void **state)
{
    (void)state;
    struct ftk__setting use = { .type = FTK__SET_STRING, .name = "use", .s = "taylor" };
    struct ftk__setting *const in_prune[] = { &use };
    struct ftk__setting prune = {
        .type = FTK__SET_GROUP,
        .name = "prune",
        .child = in_prune,
        .n = 1,
    };
    struct ftk__setting *const in_root[] = { &use, &prune };
    struct ftk__setting root = { .type = FTK__SET_GROUP, .child = in_root, .n = 2 };
    assert_ptr_equal(ftk__setting_get(&root, "prune"), &prune);
    assert_null(ftk__setting_get(&root, "prun"));
    assert_null(ftk__setting_get(&use, "x"));
    assert_ptr_equal(ftk__setting_find(&root, "prune.use"), &use);
    assert_null(ftk__setting_find(&root, "prune.use.x"));
    assert_null(ftk__setting_find(&root, "prune."));
    assert_null(ftk__setting_find(&root, "grow.use"));
    assert_string_equal(ftk__setting_type_name(FTK__SET_STRING), "a string");
}

static ftk_status gather(void *arg)
{
    (void)arg;
    const struct ftk__setting at = { .file = "a.cfg", .line = 7 };
    struct ftk__issues is = { 0 };
    for (unsigned i = 0; i < 20; i++)
        ftk__issues_add(&is, &at, "topology.rate", "at most 1", i % 2 ? "rate" : NULL, "rate is %u",
                        i);
    ftk__issues_add(&is, NULL, "seed", NULL, NULL, "missing");
    ftk_status st = is.failed ? FTK_ENOMEM : FTK_OK;
    if (!is.failed) {
        assert_int_equal(is.n, 21);
        assert_string_equal(is.v[19].message, "rate is 19");
        assert_string_equal(is.v[19].nearest, "rate");
        assert_null(is.v[18].nearest);
        assert_int_equal(is.v[18].line, 7);
        assert_null(is.v[20].file);
    }
    ftk__issues_done(&is);
    assert_int_equal(is.n, 0);
    return st;
}

static void issues_are_gathered(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(gather, NULL, 1) > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(memory_failure_sticks),
        cmocka_unit_test(format_cuts),
        cmocka_unit_test(affixes),
        cmocka_unit_test(globs),
        cmocka_unit_test(numbers),
        cmocka_unit_test(utf8),
        cmocka_unit_test(nearest),
        cmocka_unit_test(settings_are_found),
        cmocka_unit_test(issues_are_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
