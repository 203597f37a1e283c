/* SPDX-License-Identifier: MIT
 * test_run_compare.c - cli/run_compare.c: two run folders, and what differs between them.
 */
#include "base/io.h"
#include "base/mem.h"
#include "cli/run_compare.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch_dir scratch;
    char a[300], b[300];
    struct ftk__str out;
    struct ftk__run_comparison sum;
};

static void put(struct fixture *f, const char *run, const char *name, const char *text)
{
    char path[400];
    ftk__format(path, sizeof(path), "%s/%s", run, name);
    scratch_dir_put(&f->scratch, path, text, strlen(text));
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    scratch_dir_init(&f.scratch);
    for (int i = 0; i < 2; i++) {
        char dir[400];
        const char *run = i ? "b" : "a";
        ftk__format(dir, sizeof(dir), "%s/%s/members", f.scratch.path, run);
        assert_int_equal(ftk__mkdirs(dir, NULL), FTK_OK);
        ftk__format(dir, sizeof(dir), "%s/%s/preds/test", f.scratch.path, run);
        assert_int_equal(ftk__mkdirs(dir, NULL), FTK_OK);
        put(&f, run, "metrics.csv", "op,member\n");
        put(&f, run, "run.json", i ? "another host" : "a host");
        put(&f, run, "members/member-0.safetensors", "weights");
        put(&f, run, "preds/test/member-0.npy", "logits");
    }
    ftk__format(f.a, sizeof(f.a), "%s/a", f.scratch.path);
    ftk__format(f.b, sizeof(f.b), "%s/b", f.scratch.path);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ftk__str_done(&f->out);
    scratch_dir_done(&f->scratch);
    return 0;
}

static void compare(struct fixture *f, uint64_t files, uint64_t differences)
{
    ftk__str_done(&f->out);
    assert_int_equal(ftk__runs_compare(f->a, f->b, &f->sum, &f->out, NULL), FTK_OK);
    assert_int_equal(f->sum.files, files);
    assert_int_equal(f->sum.differences, differences);
}

static void the_same(void **state)
{
    struct fixture *f = *state;
    compare(f, 3, 0);
    assert_int_equal(f->sum.bytes, 10 + 7 + 6);
    assert_null(f->out.text);
}

static void a_byte(void **state)
{
    struct fixture *f = *state;
    put(f, "b", "preds/test/member-0.npy", "logitz");
    compare(f, 3, 1);
    assert_string_equal(f->out.text, "  preds/test/member-0.npy differs from byte 5 on\n");
    put(f, "b", "preds/test/member-0.npy", "log");
    compare(f, 3, 1);
    assert_string_equal(f->out.text, "  preds/test/member-0.npy differs from byte 3 on\n");
}

static void a_file_more(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "members/member-1.safetensors", "w");
    put(f, "b", "metrics.jsonl", "{}\n");
    put(f, "b", "preds/test/labels.npy", "l");
    compare(f, 6, 3);
    assert_string_equal(f->out.text, "  metrics.jsonl is only in the second\n"
                                     "  members/member-1.safetensors is only in the first\n"
                                     "  preds/test/labels.npy is only in the second\n");
}

static ftk_status sweep(void *arg)
{
    struct fixture *f = arg;
    struct ftk__str out = { 0 };
    ftk_status st = ftk__runs_compare(f->a, f->b, &f->sum, &out, NULL);
    ftk__str_done(&out);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    struct fixture *f = *state;
    put(f, "b", "members/member-0.safetensors", "Weights");
    assert_true(ftk_oom_sweep(sweep, f, 1) > 10);
}

static void removed(void **state)
{
    struct fixture *f = *state;
    ftk__remove_tree(f->a);
    assert_false(ftk__file_exists(f->a));
    assert_true(ftk__file_exists(f->b));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same), TEST(a_byte), TEST(a_file_more), TEST(memory_failures_are_reported),
        TEST(removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
