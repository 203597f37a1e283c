/* SPDX-License-Identifier: MIT
 * test_prescan.c - what is done to the text of a configuration before libconfig reads it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/prescan.h"
#include "oom.h"
#include "scratch_dir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The text that libconfig would see. */
static void expect_text(const char *in, const char *want)
{
    struct ftk__prescan p;
    struct ftk_error err = { 0 };
    if (ftk__prescan_text(in, strlen(in), "t.cfg", &p, &err) != FTK_OK)
        fail_msg("%s", err.message);
    assert_string_equal(p.text.text, want);
    assert_string_equal(p.source.text, in);
    ftk__prescan_done(&p);
}

static void expect_error(const char *in, size_t n, const char *want)
{
    struct ftk__prescan p;
    struct ftk_error err = { 0 };
    ftk_status st = ftk__prescan_text(in, n, "t.cfg", &p, &err);
    ftk__prescan_done(&p);
    assert_int_equal(st, FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_CONFIG);
    assert_string_equal(err.message, want);
}

static void expect_text_error(const char *in, const char *want)
{
    expect_error(in, strlen(in), want);
}

static void integers_get_the_width_they_need(void **state)
{
    (void)state;
    expect_text("a = 3;", "a = 3;");
    expect_text("a=3000000000;", "a=3000000000L;");
    expect_text("a=-3000000000 ;", "a=-3000000000L ;");
    expect_text("a=3000000000L;", "a=3000000000L;");
    expect_text("a=7L;b=7LL;", "a=7;b=7;");
    expect_text("a=2147483647;b=2147483648;", "a=2147483647;b=2147483648L;");
    expect_text("a=-2147483648;b=-2147483649;", "a=-2147483648;b=-2147483649L;");
    expect_text("a=0x10;b=0xFFFFFFFFF;", "a=16;b=68719476735L;");
    expect_text("a=9223372036854775807;", "a=9223372036854775807L;");
    expect_text("a=-9223372036854775808;", "a=-9223372036854775808L;");
    expect_text("a=+5;", "a=5;");
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    expect_text_error("a = 9223372036854775808;", "t.cfg:1: 9223372036854775808 does not fit a "
                                                  "whole number (-2^63 to 2^63 - 1)");
    expect_text_error("\na = 0xFFFFFFFFFFFFFFFFF;", "t.cfg:2: 0xFFFFFFFFFFFFFFFFF does not fit a "
                                                    "whole number (-2^63 to 2^63 - 1)");
    expect_text_error("a = 1e400;", "t.cfg:1: 1e400 is not finite as a number (at most 1.797e308)");
    expect_text_error("a = -1e400;",
                      "t.cfg:1: -1e400 is not finite as a number (at most 1.797e308)");
    expect_text("a = 1e-400;", "a = 1e-400;");
}

static void what_only_looks_like_a_number_is_refused(void **state)
{
    (void)state;
    expect_text_error("a = 250ep;",
                      "t.cfg:1: 250ep is no number (a duration is a string: \"250ep\")");
    expect_text_error("a = 1.2.3;",
                      "t.cfg:1: 1.2.3 is no number (a duration is a string: \"1.2.3\")");
    expect_text_error("a = 0x;", "t.cfg:1: 0x is no number (a duration is a string: \"0x\")");
    expect_text_error("a = 1e;", "t.cfg:1: 1e is no number (a duration is a string: \"1e\")");
    expect_text_error("a = 1LLL;", "t.cfg:1: 1LLL is no number (a duration is a string: \"1LLL\")");
    expect_text_error("a = .;", "t.cfg:1: unexpected '.'");
    expect_text_error("a = -;", "t.cfg:1: unexpected '-'");
}

static void numbers_of_an_array_get_one_type(void **state)
{
    (void)state;
    expect_text("a = [0.5, 1];", "a = [0.5, 1.0];");
    expect_text("a = [1, 0.5, 2];", "a = [1.0, 0.5, 2.0];");
    expect_text("a = [1, 2];", "a = [1, 2];");
    expect_text("a = [1, 3000000000];", "a = [1L, 3000000000L];");
    expect_text("a = [1L, 2];", "a = [1, 2];");
    expect_text("a = [3000000000, 5.];", "a = [3000000000.0, 5.];");
    expect_text("a = (1, 0.5, [2, 1e3], 7);", "a = (1, 0.5, [2.0, 1e3], 7);");
    expect_text("a = [\n1, # 0.5\n2];", "a = [\n 1,  \n 2];");
}

static void comments_and_strings_hide_what_they_hold(void **state)
{
    (void)state;
    expect_text("a=1;# 1e400 @include\nb=2;", "a=1; \n b=2;");
    expect_text("a=1;// 9999999999999999999\nb=2;", "a=1; \n b=2;");
    expect_text("a=/* 1e400\n\n*/1;", "a=\n\n 1;");
    expect_text("a=\"3000000000 # /* @include\";", "a=\"3000000000 # /* @include\";");
    expect_text("a=\"\\\"3000000000\";", "a=\"\\\"3000000000\";");
    expect_text("a=1;\r\nb=2;\r\n", "a=1;\n b=2;\n ");
    expect_text("a3000000000=1;b-3000000000=2;", "a3000000000=1;b-3000000000=2;");
}

static void what_never_ends_is_refused(void **state)
{
    (void)state;
    expect_text_error("\n\na = \"x;\nb = 1;", "t.cfg:3: a string is not closed on its line");
    expect_text_error("a = \"x\\", "t.cfg:1: a string is not closed on its line");
    expect_text_error("a = 1;\n/* b", "t.cfg:2: a comment is not closed");
    expect_text_error("a = 1;\n/*/", "t.cfg:2: a comment is not closed");
    expect_text_error("a = \"x\\x00y\";", "t.cfg:1: \\x00 cannot stand in a string");
}

static void binary_garbage_is_refused(void **state)
{
    (void)state;
    expect_error("a = 1;\nb\0= 2;", 14, "t.cfg:2: byte 0x00 at offset 8 is not text");
    expect_error("\x7f"
                 "ELF\x02\x01",
                 6, "t.cfg:1: byte 0x7f at offset 0 is not text");
    expect_text_error("a = \"\xff\";", "t.cfg:1: byte 0xff at offset 5 is not text");
    expect_text_error("a = \"\xc3\";", "t.cfg:1: byte 0xc3 at offset 5 is not text");
    expect_text_error("# \x1b[0m", "t.cfg:1: byte 0x1b at offset 2 is not text");
    expect_text_error("a = 1; \xc3\xa9 = 2;", "t.cfg:1: unexpected byte 0xc3");
    expect_text_error("a = 1 ? 2;", "t.cfg:1: unexpected '?'");
    expect_text("a = \"\xc3\xa9\"; # \xe2\x82\xac \xf0\x9f\x8e\xab", "a = \"\xc3\xa9\";  ");
}

/* n times `unit`, with head and tail. */
static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    size_t len = strlen(unit);
    char *s = malloc(strlen(head) + n * len + strlen(tail) + 1);
    assert_non_null(s);
    char *at = s + strlen(head);
    memcpy(s, head, strlen(head));
    for (size_t i = 0; i < n; i++, at += len)
        memcpy(at, unit, len);
    memcpy(at, tail, strlen(tail) + 1);
    return s;
}

static void expect_settings(const char *text, uint64_t want)
{
    struct ftk__prescan p;
    assert_int_equal(ftk__prescan_text(text, strlen(text), "t.cfg", &p, NULL), FTK_OK);
    assert_int_equal(p.settings, want);
    ftk__prescan_done(&p);
}

static void settings_are_counted_before_parsing(void **state)
{
    (void)state;
    expect_settings("", 0);
    expect_settings("a = 1; b : 2, c = { d = 3; e = []; };", 5);
    expect_settings("a = [1, 2, 3]; b = ( \"x\", { c = 1; }, [7], () );", 3 + 1 + 4 + 2 + 1);
    char *most = repeat("", "a=1;", 10000, "");
    expect_settings(most, 10000);
    free(most);
    char *more = repeat("", "a=1;", 10001, "");
    expect_text_error(more, "t.cfg:1: more than 10000 settings");
    free(more);
    char *list = repeat("a = [0", ",0", 10000, "];");
    expect_text_error(list, "t.cfg:1: more than 10000 settings");
    free(list);
}

static void depth_and_size_are_limited(void **state)
{
    (void)state;
    char *deep = repeat("a = ", "(", 65, "");
    expect_text_error(deep, "t.cfg:1: brackets more than 64 deep");
    free(deep);
    deep = repeat("a = ", "(", 64, "");
    expect_settings(deep, 64);
    free(deep);
    char *large = repeat("", " ", 256 * 1024 + 1, "");
    expect_text_error(large, "t.cfg: above 262144 bytes");
    free(large);
    char *number = repeat("a = ", "1", 401, ";");
    expect_text_error(number, "t.cfg:1: a number of 401 characters, at most 400");
    free(number);
}

/* Files. */

struct files {
    struct scratch_dir dir;
    struct ftk__arena names;
    struct ftk__prescan p;
    struct ftk_error err;
    char path[512];
};

static int make(void **state)
{
    struct files *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_dir_init(&f->dir);
    *state = f;
    return 0;
}

static int clean(void **state)
{
    struct files *f = *state;
    ftk__prescan_done(&f->p);
    ftk__arena_done(&f->names);
    scratch_dir_done(&f->dir);
    free(f);
    return 0;
}

static void put(struct files *f, const char *name, const char *text)
{
    scratch_dir_put(&f->dir, name, text, strlen(text));
}

static ftk_status scan(struct files *f, const char *name)
{
    ftk__prescan_done(&f->p);
    f->err = (struct ftk_error){ 0 };
    scratch_dir_file(&f->dir, name, f->path, sizeof f->path);
    return ftk__prescan_file(f->path, &f->names, &f->p, &f->err);
}

/* The message, without the folder before each name. */
static void expect_message(struct files *f, const char *text, const char *want)
{
    char short_text[FTK__ERROR_TEXT];
    size_t prefix = strlen(f->dir.path) + 1;
    char *to = short_text;
    while (*text) {
        if (strncmp(text, f->dir.path, prefix - 1) == 0 && text[prefix - 1] == '/')
            text += prefix;
        else
            *to++ = *text++;
    }
    *to = 0;
    assert_string_equal(short_text, want);
}

static void expect_place(const struct files *f, uint64_t line, const char *file, unsigned at)
{
    assert_true(line <= f->p.n_lines);
    const char *have = f->p.place[line - 1].file;
    assert_true(strlen(have) > strlen(file));
    assert_string_equal(have + strlen(have) - strlen(file), file);
    assert_int_equal(f->p.place[line - 1].line, at);
}

static void includes_are_relative_to_their_file(void **state)
{
    struct files *f = *state;
    char sub[512];
    assert_int_equal(mkdir(scratch_dir_file(&f->dir, "sub", sub, sizeof sub), 0700), 0);
    put(f, "top.cfg", "a = 1;\n  @include \"sub/one.cfg\"  # and on\nz = 26;\n");
    put(f, "sub/one.cfg", "b = 2;\n@include \"two.cfg\"\ne = 5;");
    put(f, "sub/two.cfg", "c = 3;\nd = 4;\n");
    assert_int_equal(scan(f, "top.cfg"), FTK_OK);
    assert_string_equal(f->p.source.text,
                        "a = 1;\n  b = 2;\nc = 3;\nd = 4;\n\n\ne = 5;\n  # and on\n"
                        "z = 26;\n");
    expect_place(f, 1, "/top.cfg", 1);
    expect_place(f, 2, "/sub/one.cfg", 1);
    expect_place(f, 3, "/sub/two.cfg", 1);
    expect_place(f, 4, "/sub/two.cfg", 2);
    expect_place(f, 7, "/sub/one.cfg", 3);
    expect_place(f, 8, "/top.cfg", 2);
    expect_place(f, 9, "/top.cfg", 3);
}

static void mistakes_name_the_included_file(void **state)
{
    struct files *f = *state;
    put(f, "top.cfg", "a = 1;\n@include \"one.cfg\"\n");
    put(f, "one.cfg", "\nb = 1e400;\n");
    assert_int_equal(scan(f, "top.cfg"), FTK_EINVAL);
    expect_message(f, f->err.message,
                   "one.cfg:2: 1e400 is not finite as a number (at most 1.797e308)");
    expect_message(f, f->err.context[0], "included from top.cfg:2");

    put(f, "one.cfg", "@include \"none.cfg\"\n");
    assert_int_equal(scan(f, "top.cfg"), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_NO_DATA);
    expect_message(f, f->err.message, "cannot read none.cfg: No such file or directory");
    expect_message(f, f->err.context[0], "included from one.cfg:1");
    expect_message(f, f->err.context[1], "included from top.cfg:2");
}

static void cyclic_includes_are_refused(void **state)
{
    struct files *f = *state;
    put(f, "a.cfg", "x = 1;\n@include \"b.cfg\"\n");
    put(f, "b.cfg", "@include \"./a.cfg\"\n");
    assert_int_equal(scan(f, "a.cfg"), FTK_EINVAL);
    expect_message(f, f->err.message,
                   "b.cfg:1: @include \"./a.cfg\" is cyclic: a.cfg is being read already");
    put(f, "a.cfg", "@include \"a.cfg\"\n");
    assert_int_equal(scan(f, "a.cfg"), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_CONFIG);
    /* Twice, one after the other, is no cycle. */
    put(f, "a.cfg", "@include \"b.cfg\"\n@include \"b.cfg\"\n");
    put(f, "b.cfg", "\n");
    assert_int_equal(scan(f, "a.cfg"), FTK_OK);
}

static void includes_go_eight_deep(void **state)
{
    struct files *f = *state;
    for (int i = 0; i < 8; i++) {
        char name[16];
        char text[64];
        snprintf(name, sizeof name, "%d.cfg", i);
        snprintf(text, sizeof text, "@include \"%d.cfg\"\n", i + 1);
        put(f, name, text);
    }
    put(f, "8.cfg", "a = 1;\n");
    assert_int_equal(scan(f, "0.cfg"), FTK_OK);
    put(f, "8.cfg", "@include \"9.cfg\"\n");
    put(f, "9.cfg", "a = 1;\n");
    assert_int_equal(scan(f, "0.cfg"), FTK_EINVAL);
    expect_message(f, f->err.message, "8.cfg:1: @include \"9.cfg\" is more than 8 deep");
}

static void directives_are_checked(void **state)
{
    struct files *f = *state;
    put(f, "a.cfg", "x = 1; @include \"b.cfg\"\n");
    assert_int_equal(scan(f, "a.cfg"), FTK_EINVAL);
    expect_message(f, f->err.message,
                   "a.cfg:1: unexpected '@' (a line may start with @include \"FILE\")");
    const char *bad[] = { "@include b.cfg\n", "@include\n\"b.cfg\"\n", "@include \"\"\n",
                          "@include\"b.cfg\"\n", "@include" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(f, "a.cfg", bad[i]);
        assert_int_equal(scan(f, "a.cfg"), FTK_EINVAL);
        expect_message(f, f->err.message, "a.cfg:1: @include wants a file name in quotes");
    }
    put(f, "a.cfg", "@includes \"b.cfg\"\n");
    assert_int_equal(scan(f, "a.cfg"), FTK_EINVAL);
    expect_text_error("@include \"b.cfg\"\n", "t.cfg:1: unexpected '@'");
}

static void large_files_are_refused_unread(void **state)
{
    struct files *f = *state;
    char *half = repeat("", "# ........\n", 12000, "");
    put(f, "half.cfg", half);
    free(half);
    put(f, "top.cfg", "@include \"half.cfg\"\n");
    assert_int_equal(scan(f, "top.cfg"), FTK_OK);
    put(f, "top.cfg", "@include \"half.cfg\"\n@include \"half.cfg\"\n");
    assert_int_equal(scan(f, "top.cfg"), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_CONFIG);
    expect_message(f, f->err.message,
                   "half.cfg: a configuration above 262144 bytes, includes "
                   "counted, is refused");
    /* A file of 100 MB that takes no room. */
    put(f, "large.cfg", "");
    scratch_dir_file(&f->dir, "large.cfg", f->path, sizeof f->path);
    assert_int_equal(truncate(f->path, 100 * 1000 * 1000), 0);
    assert_int_equal(scan(f, "large.cfg"), FTK_EINVAL);
    expect_message(f, f->err.message,
                   "large.cfg: a configuration above 262144 bytes, includes "
                   "counted, is refused");
}

static void files_that_are_none_are_refused(void **state)
{
    struct files *f = *state;
    assert_int_equal(scan(f, "none.cfg"), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_NO_DATA);
    assert_int_equal(scan(f, "."), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_CONFIG);
    put(f, "bom.cfg",
        "\xef\xbb\xbf"
        "a = 1;\n");
    assert_int_equal(scan(f, "bom.cfg"), FTK_OK);
    assert_string_equal(f->p.text.text, "a = 1;\n ");
}

static ftk_status scan_and_drop(void *arg)
{
    struct ftk__arena names = { 0 };
    struct ftk__prescan p;
    ftk_status st = ftk__prescan_file(arg, &names, &p, NULL);
    ftk__prescan_done(&p);
    ftk__arena_done(&names);
    return st;
}

static void memory_may_run_out(void **state)
{
    struct files *f = *state;
    put(f, "top.cfg", "a = 1;\n@include \"one.cfg\"\nc = [0.5, 1];\n");
    put(f, "one.cfg", "b = 3000000000;\n");
    scratch_dir_file(&f->dir, "top.cfg", f->path, sizeof f->path);
    assert_true(ftk_oom_sweep(scan_and_drop, f->path, 1) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_get_the_width_they_need),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(what_only_looks_like_a_number_is_refused),
        cmocka_unit_test(numbers_of_an_array_get_one_type),
        cmocka_unit_test(comments_and_strings_hide_what_they_hold),
        cmocka_unit_test(what_never_ends_is_refused),
        cmocka_unit_test(binary_garbage_is_refused),
        cmocka_unit_test(settings_are_counted_before_parsing),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test_setup_teardown(includes_are_relative_to_their_file, make, clean),
        cmocka_unit_test_setup_teardown(mistakes_name_the_included_file, make, clean),
        cmocka_unit_test_setup_teardown(cyclic_includes_are_refused, make, clean),
        cmocka_unit_test_setup_teardown(includes_go_eight_deep, make, clean),
        cmocka_unit_test_setup_teardown(directives_are_checked, make, clean),
        cmocka_unit_test_setup_teardown(large_files_are_refused_unread, make, clean),
        cmocka_unit_test_setup_teardown(files_that_are_none_are_refused, make, clean),
        cmocka_unit_test_setup_teardown(memory_may_run_out, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
