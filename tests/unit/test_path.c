/* SPDX-License-Identifier: MIT
 * test_path.c - base/path.c.
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Compares and frees. */
static void assert_path(char *path, const char *expect)
{
    assert_non_null(path);
    assert_string_equal(path, expect);
    ftk__free(path);
}

static void joins(void **state)
{
    (void)state;
    assert_path(ftk__path_join("a", "b"), "a/b");
    assert_path(ftk__path_join("a/", "b"), "a/b");
    assert_path(ftk__path_join("/", "b"), "/b");
    assert_path(ftk__path_join("", "b"), "b");
    assert_path(ftk__path_join("a", "/b"), "/b");
}

static void splits(void **state)
{
    (void)state;
    assert_path(ftk__path_dir("a/b.cfg"), "a");
    assert_path(ftk__path_dir("b.cfg"), ".");
    assert_path(ftk__path_dir("/b.cfg"), "/");
    assert_path(ftk__path_dir("a//b"), "a");
    assert_path(ftk__path_dir("/a/b/c"), "/a/b");
    assert_string_equal(ftk__path_base("a/b.cfg"), "b.cfg");
    assert_string_equal(ftk__path_base("b.cfg"), "b.cfg");
}

static void seen_from_a_config(void **state)
{
    (void)state;
    setenv("HOME", "/home/me", 1);
    assert_path(ftk__path_relative_to("a/b.cfg", "x.so"), "a/x.so");
    assert_path(ftk__path_relative_to("a/b.cfg", "../x.so"), "a/../x.so");
    assert_path(ftk__path_relative_to("b.cfg", "x.so"), "x.so");
    assert_path(ftk__path_relative_to("/b.cfg", "x.so"), "/x.so");
    assert_path(ftk__path_relative_to("a/b.cfg", "/x.so"), "/x.so");
    assert_path(ftk__path_relative_to("a/b.cfg", "~/x.so"), "/home/me/x.so");
    assert_path(ftk__path_relative_to("a/b.cfg", "~x.so"), "a/~x.so");
}

static void real_names(void **state)
{
    (void)state;
    assert_path(ftk__path_real("/usr/../usr/."), "/usr");
    assert_null(ftk__path_real("/no/such/place"));
}

static void data_place(void **state)
{
    (void)state;
    setenv("HOME", "/home/me", 1);
    unsetenv("FREETICKETS_DATA");
    unsetenv("XDG_DATA_HOME");
    assert_path(ftk__path_data(), "/home/me/.local/share/freetickets");
    setenv("XDG_DATA_HOME", "not/absolute", 1);
    assert_path(ftk__path_data(), "/home/me/.local/share/freetickets");
    setenv("XDG_DATA_HOME", "/xdg", 1);
    assert_path(ftk__path_data(), "/xdg/freetickets");
    setenv("FREETICKETS_DATA", "", 1);
    assert_path(ftk__path_data(), "/xdg/freetickets");
    setenv("FREETICKETS_DATA", "here", 1);
    assert_path(ftk__path_data(), "here");
    unsetenv("HOME");
    unsetenv("FREETICKETS_DATA");
    unsetenv("XDG_DATA_HOME");
    char *path = ftk__path_data(); /* of the user data base */
    assert_non_null(path);
    assert_int_equal(path[0], '/');
    ftk__free(path);
}

/* Makes <dir of this program>/<name> and returns its real name, to be freed. */
static char *make_beside(const char *name)
{
    char *exe = ftk__path_real("/proc/self/exe");
    char *bin = ftk__path_dir(exe);
    char *path = ftk__path_join(bin, name);
    assert_int_equal(ftk__mkdirs(path, NULL), FTK_OK);
    char *real = ftk__path_real(path);
    ftk__free(path);
    ftk__free(bin);
    ftk__free(exe);
    return real;
}

static void plugins_place(void **state)
{
    (void)state;
    char *built = make_beside("../plugins");
    char *path = ftk__path_plugins();
    assert_non_null(path);
    assert_string_equal(path, built);
    ftk__free(path);
    ftk__free(built);
}

static ftk_status find_all(void *arg)
{
    (void)arg;
    char *relative = ftk__path_relative_to("a/b.cfg", "x.so");
    char *data = ftk__path_data();
    ftk_status st = relative && data ? FTK_OK : FTK_ENOMEM;
    ftk__free(relative);
    ftk__free(data);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(find_all, NULL, 1) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins),
        cmocka_unit_test(splits),
        cmocka_unit_test(seen_from_a_config),
        cmocka_unit_test(real_names),
        cmocka_unit_test(data_place),
        cmocka_unit_test(plugins_place),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
