/* SPDX-License-Identifier: MIT
 * test_io.c - base/io.c and base/writer.c, with full disks and other processes.
 */
#include "base/io.h"
#include "base/mem.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct scratch_dir dir;

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static const char *in_dir(const char *name)
{
    static char path[512];
    return scratch_dir_file(&dir, name, path, sizeof path);
}

static void assert_holds(const char *name, const char *text)
{
    char *data = NULL;
    uint64_t n = 0;
    assert_int_equal(ftk__file_read(in_dir(name), 1000, &data, &n, NULL), FTK_OK);
    assert_int_equal(n, strlen(text));
    assert_string_equal(data, text);
    ftk__free(data);
}

static void reads_whole_files(void **state)
{
    (void)state;
    static const char bytes[5] = { 'a', 0, 'b', 0, 'c' };
    scratch_dir_put(&dir, "five", bytes, sizeof bytes);
    scratch_dir_put(&dir, "none", bytes, 0);
    char *data = NULL;
    uint64_t n = 0;
    assert_int_equal(ftk__file_read(in_dir("five"), 5, &data, &n, NULL), FTK_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(data, bytes, 5);
    assert_int_equal(data[5], 0);
    ftk__free(data);
    assert_int_equal(ftk__file_read(in_dir("none"), 0, &data, &n, NULL), FTK_OK);
    assert_int_equal(n, 0);
    assert_int_equal(data[0], 0);
    ftk__free(data);
    assert_int_equal(ftk__file_size(in_dir("five"), &n, NULL), FTK_OK);
    assert_int_equal(n, 5);
    assert_true(ftk__file_exists(in_dir("five")));
    assert_false(ftk__file_exists(in_dir("six")));
    assert_true(ftk__is_dir(dir.path));
    assert_false(ftk__is_dir(in_dir("five")));
}

static void read_refuses(void **state)
{
    (void)state;
    scratch_dir_put(&dir, "five", "12345", 5);
    char *data = NULL;
    uint64_t n = 0;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__file_read(in_dir("five"), 4, &data, &n, &err), FTK_ERANGE);
    assert_non_null(strstr(err.message, "five is above 4 bytes"));
    assert_int_equal(ftk__error_exit_code(&err), 65);
    assert_int_equal(ftk__file_read(in_dir("six"), 4, &data, &n, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "six: No such file"));
    assert_int_equal(ftk__error_exit_code(&err), 66);
    assert_int_equal(ftk__file_size(in_dir("six"), &n, &err), FTK_ENOENT);
    assert_int_equal(ftk__file_read(dir.path, 4, &data, &n, &err), FTK_EIO);
    assert_int_equal(ftk__error_exit_code(&err), 74);
    /* Without a size of its own, and without an end. */
    assert_int_equal(ftk__file_read("/dev/zero", 1000000, &data, &n, &err), FTK_ERANGE);
    assert_null(data);
}

static void writes_atomically(void **state)
{
    (void)state;
    assert_int_equal(ftk__file_write(in_dir("file"), "old", 3, NULL), FTK_OK);
    struct ftk__writer w;
    assert_int_equal(ftk__writer_open(&w, in_dir("file"), NULL), FTK_OK);
    ftk__writer_put(&w, "new", 3);
    ftk__writer_printf(&w, " %d", 7);
    assert_holds("file", "old");
    assert_int_equal(ftk__writer_commit(&w, NULL), FTK_OK);
    ftk__writer_abort(&w);
    assert_holds("file", "new 7");
    assert_false(ftk__file_exists(in_dir("file.tmp")));

    assert_int_equal(ftk__writer_open(&w, in_dir("file"), NULL), FTK_OK);
    ftk__writer_put(&w, "lost", 4);
    ftk__writer_abort(&w);
    assert_holds("file", "new 7");
    assert_false(ftk__file_exists(in_dir("file.tmp")));
}

static void full_disk_is_reported(void **state)
{
    (void)state;
    scratch_dir_put(&dir, "file", "old", 3);
    assert_int_equal(symlink("/dev/full", in_dir("file.tmp")), 0);
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__file_write(in_dir("file"), "new", 3, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "file: No space left on device"));
    assert_int_equal(ftk__error_exit_code(&err), 74);
    assert_holds("file", "old");
    assert_false(ftk__file_exists(in_dir("file.tmp")));

    /* The first reason stays, whatever is put later; a large piece fails before the commit. */
    assert_int_equal(symlink("/dev/full", in_dir("file.tmp")), 0);
    struct ftk__writer w;
    assert_int_equal(ftk__writer_open(&w, in_dir("file"), NULL), FTK_OK);
    char *large = calloc(1, 1000000);
    assert_non_null(large);
    ftk__writer_put(&w, large, 1000000);
    assert_int_not_equal(w.error, 0);
    ftk__writer_put(&w, large, 1);
    free(large);
    assert_int_equal(ftk__writer_commit(&w, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_holds("file", "old");
}

static void writer_names_what_cannot_be_opened(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__file_write(in_dir("no/such/file"), "x", 1, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "no/such/file.tmp: No such file or directory"));
    assert_int_equal(mkdir(in_dir("folder"), 0777), 0);
    assert_int_equal(ftk__file_write(in_dir("folder"), "x", 1, &err), FTK_EIO);
    assert_false(ftk__file_exists(in_dir("folder.tmp")));
}

static void appender_keeps_the_first_error(void **state)
{
    (void)state;
    struct ftk__appender a;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__appender_open(&a, in_dir("log"), false, NULL), FTK_OK);
    ftk__appender_printf(&a, "line %d\n", 1);
    assert_holds("log", "line 1\n"); /* there before it is closed */
    assert_int_equal(ftk__appender_check(&a, NULL), FTK_OK);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_int_equal(ftk__appender_open(&a, in_dir("log"), false, NULL), FTK_OK);
    ftk__appender_printf(&a, "line %d\n", 2);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_holds("log", "line 1\nline 2\n");
    assert_int_equal(ftk__appender_open(&a, in_dir("log"), true, NULL), FTK_OK);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_holds("log", "");

    assert_int_equal(ftk__appender_open(&a, "/dev/full", false, NULL), FTK_OK);
    ftk__appender_printf(&a, "lost\n");
    ftk__appender_printf(&a, "lost too\n");
    assert_int_equal(ftk__appender_check(&a, &err), FTK_EIO);
    assert_string_equal(err.message, "cannot write /dev/full: No space left on device");
    assert_int_equal(ftk__appender_close(&a, &err), FTK_EIO);
    assert_int_equal(ftk__appender_open(&a, in_dir("no/log"), false, &err), FTK_EIO);
    assert_null(a.file);
}

static void appender_ends_a_line_that_was_cut_off(void **state)
{
    (void)state;
    struct ftk__appender a;
    scratch_dir_put(&dir, "log", "whole\nha", 8);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(ftk__appender_open(&a, in_dir("log"), false, NULL), FTK_OK);
        ftk__appender_printf(&a, "line %d\n", i);
        assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    }
    assert_holds("log", "whole\nha\nline 1\nline 2\n");
}

static void makes_folders(void **state)
{
    (void)state;
    assert_int_equal(ftk__mkdirs(in_dir("a//b/c/"), NULL), FTK_OK);
    assert_true(ftk__is_dir(in_dir("a/b/c")));
    assert_int_equal(ftk__mkdirs(in_dir("a/b/c"), NULL), FTK_OK);
    scratch_dir_put(&dir, "a/file", "", 0);
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__mkdirs(in_dir("a/file/x"), &err), FTK_EIO);
    assert_int_equal(ftk__mkdirs(in_dir("a/file"), &err), FTK_EIO);
    assert_non_null(strstr(err.message, "a/file: File exists"));
    /* The reason is that of the making, whatever looking at it says. */
    assert_int_equal(symlink("nowhere", in_dir("a/link")), 0);
    assert_int_equal(ftk__mkdirs(in_dir("a/link"), &err), FTK_EIO);
    assert_non_null(strstr(err.message, "a/link: File exists"));
}

static void files_are_cut_and_synced(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    struct ftk__appender a;
    uint64_t n = 0;
    assert_int_equal(ftk__appender_open(&a, in_dir("log"), true, NULL), FTK_OK);
    ftk__appender_printf(&a, "one\ntwo\n");
    assert_int_equal(ftk__appender_sync(&a, &n, NULL), FTK_OK);
    assert_int_equal(n, 8);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_int_equal(ftk__file_cut(in_dir("log"), 9, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), 65);
    assert_holds("log", "one\ntwo\n");
    assert_int_equal(ftk__file_cut(in_dir("log"), 8, NULL), FTK_OK);
    assert_int_equal(ftk__file_cut(in_dir("log"), 4, NULL), FTK_OK);
    assert_int_equal(ftk__appender_open(&a, in_dir("log"), false, NULL), FTK_OK);
    ftk__appender_printf(&a, "2\n");
    assert_int_equal(ftk__appender_sync(&a, &n, NULL), FTK_OK);
    assert_int_equal(n, 6);
    assert_int_equal(ftk__appender_close(&a, NULL), FTK_OK);
    assert_holds("log", "one\n2\n");
    assert_int_equal(ftk__file_cut(in_dir("none"), 4, NULL), FTK_ENOENT);
    assert_int_equal(ftk__appender_open(&a, "/dev/full", false, NULL), FTK_OK);
    fputs("x", a.file);
    assert_int_equal(ftk__appender_sync(&a, &n, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "No space left"));
    ftk__appender_close(&a, NULL);
}

/* Another process locks the folder, says so through a pipe, and waits to be killed. */
static pid_t start_holder(void)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd;
        char c = ftk__dir_lock(dir.path, &fd, NULL) == FTK_OK ? 'y' : 'n';
        if (write(ready[1], &c, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    assert_int_equal(c, 'y');
    return child;
}

static void lock_is_exclusive_and_dies_with_its_owner(void **state)
{
    (void)state;
    pid_t child = start_holder();
    char expect[400];
    int fd = -1;
    struct ftk_error err = { 0 };
    ftk_status st = ftk__dir_lock(dir.path, &fd, &err);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(st, FTK_EEXIST);
    assert_int_equal(ftk__error_exit_code(&err), 73);
    snprintf(expect, sizeof expect, "folder %s is in use by process %ld", dir.path, (long)child);
    assert_string_equal(err.message, expect);

    assert_true(ftk__file_exists(in_dir("lock")));
    assert_int_equal(ftk__dir_lock(dir.path, &fd, &err), FTK_OK);
    snprintf(expect, sizeof expect, "%ld\n", (long)getpid());
    assert_holds("lock", expect);
    ftk__dir_unlock(dir.path, fd);
    assert_false(ftk__file_exists(in_dir("lock")));
    assert_int_equal(ftk__dir_lock(dir.path, &fd, &err), FTK_OK);
    assert_int_equal(ftk__dir_still_locked(dir.path, fd, &err), FTK_OK);
    /* Another file took its place: it is not ours to remove. */
    assert_int_equal(unlink(in_dir("lock")), 0);
    assert_int_equal(ftk__dir_still_locked(dir.path, fd, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "moved or removed"));
    assert_int_equal(ftk__file_write(in_dir("lock"), "other", 5, &err), FTK_OK);
    assert_int_equal(ftk__dir_still_locked(dir.path, fd, &err), FTK_EIO);
    ftk__dir_unlock(dir.path, fd);
    assert_true(ftk__file_exists(in_dir("lock")));
    assert_int_equal(unlink(in_dir("lock")), 0);
    assert_int_equal(ftk__dir_lock(in_dir("missing"), &fd, &err), FTK_EIO);
}

static ftk_status use_everything(void *arg)
{
    const char *path = arg;
    struct ftk_error err;
    char *data;
    uint64_t n;
    int fd;
    ftk_status st = ftk__mkdirs(dir.path, &err);
    if (st == FTK_OK)
        st = ftk__file_write(path, "text", 4, &err);
    if (st == FTK_OK)
        st = ftk__file_read(path, 10, &data, &n, &err);
    if (st == FTK_OK) {
        ftk__free(data);
        struct ftk__appender a;
        st = ftk__appender_open(&a, path, false, &err);
        if (st == FTK_OK)
            st = ftk__appender_close(&a, &err);
    }
    if (st == FTK_OK)
        st = ftk__dir_lock(dir.path, &fd, &err);
    if (st == FTK_OK)
        close(fd); /* unlock cannot fail, so it is no part of the sweep */
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    char path[512];
    scratch_dir_file(&dir, "file", path, sizeof path);
    assert_true(ftk_oom_sweep(use_everything, path, 1) >= 7);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_whole_files),
        TEST(read_refuses),
        TEST(writes_atomically),
        TEST(full_disk_is_reported),
        TEST(writer_names_what_cannot_be_opened),
        TEST(appender_keeps_the_first_error),
        TEST(appender_ends_a_line_that_was_cut_off),
        TEST(makes_folders),
        TEST(files_are_cut_and_synced),
        TEST(lock_is_exclusive_and_dies_with_its_owner),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
