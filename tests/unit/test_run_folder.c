/* SPDX-License-Identifier: MIT
 * test_run_folder.c - cli/run_folder.c and run_identity.c: who may have a folder, and what is said
 * to those who may not.
 */
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/run_folder.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch_dir scratch;
    struct ftk__experiment x;
    struct ftk__identity id;
    struct ftk__options o;
    struct ftk__run_folder folder;
    struct ftk__str differences;
    struct ftk_error err;
    char dir[512]; /* where the run goes without --out             */
};

static int setup(void **state)
{
    static struct fixture f;
    ftk__json_setup();
    memset(&f, 0, sizeof(f));
    scratch_dir_init(&f.scratch);
    f.x.name = "n";
    f.x.output = f.scratch.path;
    f.x.seed = 5;
    f.id.seed = 5;
    ftk__str_add(&f.id.lines, "a=1\nb=\"x\"\n");
    ftk__format(f.id.hash8, sizeof(f.id.hash8), "0123abcd");
    ftk__format(f.dir, sizeof(f.dir), "%s/n-0123abcd/seed-5", f.scratch.path);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ftk__str_done(&f->differences);
    ftk__identity_done(&f->id);
    scratch_dir_done(&f->scratch);
    return 0;
}

static ftk_status enter(struct fixture *f)
{
    ftk__str_done(&f->differences);
    return ftk__run_folder_open(&f->x, &f->id, &f->o, &f->folder, &f->differences, &f->err);
}

/* A run.json in <output>/<name>; `identity` as JSON. */
static void put_run(struct fixture *f, const char *name, const char *status, const char *identity)
{
    char text[512];
    char path[600];
    ftk__format(path, sizeof(path), "%s/%s", f->scratch.path, name);
    assert_int_equal(ftk__mkdirs(path, NULL), FTK_OK);
    ftk__format(path, sizeof(path), "%s/%s/run.json", f->scratch.path, name);
    ftk__format(text, sizeof(text),
                "{\"status\": \"%s\", \"started\": \"then\", \"seed\": 5, \"identity\": %s}",
                status, identity);
    assert_int_equal(ftk__file_write(path, text, strlen(text), NULL), FTK_OK);
}

#define SAME  "[\"a=1\", \"b=\\\"x\\\"\"]"
#define OTHER "[\"a=2\", \"c=3\"]"
static const char diff_text[] = "  a: 2 there, 1 here\n"
                                "  b: nothing there, \"x\" here\n"
                                "  c: 3 there, nothing here\n";

static void a_fresh_folder(void **state)
{
    struct fixture *f = *state;
    char lock[600];
    assert_int_equal(enter(f), FTK_OK);
    assert_string_equal(f->folder.dir, f->dir);
    assert_false(f->folder.finished);
    ftk__format(lock, sizeof(lock), "%s/lock", f->dir);
    assert_true(ftk__file_exists(lock));
    ftk__run_folder_close(&f->folder);
    assert_false(ftk__file_exists(f->dir)); /* nothing was written: nothing stays  */
    assert_true(ftk__is_dir(f->scratch.path));
}

static void one_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct ftk__run_folder other;
    assert_int_equal(enter(f), FTK_OK);
    other = f->folder;
    assert_int_equal(enter(f), FTK_EEXIST);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_IN_USE);
    assert_non_null(strstr(f->err.message, "in use by process"));
    ftk__run_folder_close(&other);
}

/* The system holds the lock, not the file: what an earlier process left says nothing, even where its
 * number is now that of another one that lives, or it lived on another machine. */
static void a_lock_left_behind(void **state)
{
    struct fixture *f = *state;
    static const char *const left[] = { "1\n", "4194305\n", "", "4711 otherhost\n", "\0\0\0" };
    char lock[600];
    char *text;
    uint64_t bytes;
    char own[32];
    ftk__format(own, sizeof(own), "%ld\n", (long)getpid());
    put_run(f, "n-0123abcd/seed-5", "unfinished", SAME);
    ftk__format(lock, sizeof(lock), "%s/lock", f->dir);
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        size_t n = left[i][0] ? strlen(left[i]) : i == 4 ? 3 : 0;
        assert_int_equal(ftk__file_write(lock, left[i], n, NULL), FTK_OK);
        assert_int_equal(enter(f), FTK_OK);
        assert_int_equal(ftk__file_read(lock, 100, &text, &bytes, NULL), FTK_OK);
        assert_string_equal(text, own);
        ftk__free(text);
        ftk__run_folder_close(&f->folder);
        assert_false(ftk__file_exists(lock));
    }
}

static void a_finished_run(void **state)
{
    struct fixture *f = *state;
    put_run(f, "n-0123abcd/seed-5", "finished", SAME);
    assert_int_equal(enter(f), FTK_OK);
    assert_true(f->folder.finished);
    assert_non_null(f->folder.manifest);
    ftk__run_folder_close(&f->folder);
    assert_true(ftk__is_dir(f->dir));
}

static void an_unfinished_run(void **state)
{
    struct fixture *f = *state;
    char old[600];
    put_run(f, "n-0123abcd/seed-5", "unfinished", SAME);
    assert_int_equal(enter(f), FTK_OK); /* it is continued                      */
    assert_false(f->folder.finished);
    assert_non_null(f->folder.manifest);
    ftk__run_folder_close(&f->folder);
    f->o.fresh = true;
    assert_int_equal(enter(f), FTK_OK);
    assert_null(f->folder.manifest);
    ftk__format(old, sizeof(old), "%s.old-1/run.json", f->dir);
    assert_true(ftk__file_exists(old));
    ftk__format(old, sizeof(old), "%s.old-1/lock", f->dir);
    assert_false(ftk__file_exists(old));
    ftk__run_folder_close(&f->folder);
}

static void an_unfinished_sibling(void **state)
{
    struct fixture *f = *state;
    put_run(f, "n-ffffffff/seed-5", "unfinished", OTHER);
    put_run(f, "n-eeeeeeee/seed-6", "unfinished", OTHER);   /* another seed         */
    put_run(f, "n-x-dddddddd/seed-5", "unfinished", OTHER); /* another name       */
    put_run(f, "n-cccccccc/seed-5", "finished", OTHER);
    assert_int_equal(enter(f), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_CONFIG);
    assert_non_null(strstr(f->err.message, "n-ffffffff/seed-5 holds an unfinished run"));
    assert_non_null(strstr(f->err.message, f->dir));
    assert_string_equal(f->differences.text, diff_text);
    assert_false(ftk__file_exists(f->dir));
    f->o.fresh = true;
    assert_int_equal(enter(f), FTK_OK);
    ftk__run_folder_close(&f->folder);
}

static void another_config_in_out(void **state)
{
    struct fixture *f = *state;
    char out[600];
    put_run(f, "mine", "finished", OTHER);
    ftk__format(out, sizeof(out), "%s/mine/", f->scratch.path);
    f->o.out = out;
    assert_int_equal(enter(f), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_CONFIG);
    assert_string_equal(f->differences.text, diff_text);
    f->id.seed = 6;
    assert_int_equal(enter(f), FTK_EINVAL);
    assert_non_null(strstr(f->differences.text, "  seed: 5 there, 6 here\n"));
}

static void a_folder_that_is_no_run(void **state)
{
    struct fixture *f = *state;
    scratch_dir_put(&f->scratch, "letter.txt", "dear", 4);
    f->o.out = f->scratch.path;
    assert_int_equal(enter(f), FTK_EEXIST);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_IN_USE);
    assert_non_null(strstr(f->err.message, "letter.txt is there"));
    f->o.fresh = true; /* nor is it moved away                          */
    assert_int_equal(enter(f), FTK_EEXIST);
}

static void a_damaged_manifest(void **state)
{
    struct fixture *f = *state;
    char path[600];
    put_run(f, "n-0123abcd/seed-5", "finished", SAME);
    ftk__format(path, sizeof(path), "%s/run.json", f->dir);
    assert_int_equal(ftk__file_write(path, "{\"stat", 6, NULL), FTK_OK);
    assert_int_equal(enter(f), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_DATA);
    assert_non_null(strstr(f->err.message, "run.json"));
}

/* Each allocation of entering in turn; closing is a clean-up that does what it can. */
static void memory_failures_are_reported(void **state)
{
    struct fixture *f = *state;
    ftk_status st = FTK_ENOMEM;
    put_run(f, "n-0123abcd/seed-5", "finished", SAME);
    put_run(f, "n-cccccccc/seed-5", "finished", OTHER);
    uint64_t n = 0;
    while (st != FTK_OK) {
        uint64_t before = ftk__mem_stats().calls;
        n++;
        ftk__mem_fail_at(n);
        st = enter(f);
        ftk__mem_fail_at(0);
        uint64_t calls = ftk__mem_stats().calls - before;
        assert_true(st == FTK_OK ? calls < n : st == FTK_ENOMEM);
    }
    assert_true(n > 20);
    ftk__run_folder_close(&f->folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fresh_folder),        TEST(one_at_a_time),
        TEST(a_lock_left_behind),    TEST(a_finished_run),
        TEST(an_unfinished_run),     TEST(an_unfinished_sibling),
        TEST(another_config_in_out), TEST(a_folder_that_is_no_run),
        TEST(a_damaged_manifest),    TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
