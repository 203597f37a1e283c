/* SPDX-License-Identifier: MIT
 * test_registry.c - where plugin files are looked for, and what a name leads to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "oom.h"
#include "plugin/registry.h"
#include "scratch_dir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder that holds links to some of the test plugins. */
struct fixture {
    struct scratch_dir dir;
    char path[8][512];
    uint32_t n;
};

static const char *source_dir(void)
{
    const char *dir = getenv("FTK_TEST_BAD_PLUGINS");
    assert_non_null(dir);
    return dir;
}

static int make_dir(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    scratch_dir_init(&f->dir);
    unsetenv("FREETICKETS_PLUGIN_PATH");
    *state = f;
    return 0;
}

static int remove_dir(void **state)
{
    struct fixture *f = *state;
    scratch_dir_done(&f->dir);
    free(f);
    return 0;
}

/* The path of a new file; it lives as long as the fixture. */
static const char *next_path(struct fixture *f, const char *name)
{
    scratch_dir_file(&f->dir, name, f->path[f->n], sizeof(f->path[0]));
    f->n++;
    return f->path[f->n - 1];
}

static const char *add_link(struct fixture *f, const char *source, const char *name)
{
    char from[512];
    snprintf(from, sizeof(from), "%s/%s", source_dir(), source);
    const char *path = next_path(f, name);
    char real[4096];
    assert_non_null(realpath(from, real));
    assert_int_equal(symlink(real, path), 0);
    return path;
}

static const char *add_text(struct fixture *f, const char *name)
{
    scratch_dir_put(&f->dir, name, "text\n", 5);
    return next_path(f, name);
}

static struct ftk__registry *scan(const char *const *dirs, uint64_t n)
{
    struct ftk__registry *r = ftk__registry_new();
    struct ftk_error err = { 0 };
    assert_non_null(r);
    ftk_status st = ftk__registry_scan(r, dirs, n, &err);
    if (st != FTK_OK)
        print_error("%s\n", err.message);
    assert_int_equal(st, FTK_OK);
    return r;
}

static struct ftk__registry *scan_fixture(const struct fixture *f)
{
    const char *dirs[] = { f->dir.path };
    return scan(dirs, 1);
}

static const struct ftk__file *file_named(const struct ftk__registry *r, const char *path)
{
    for (uint64_t i = 0; i < ftk__registry_file_count(r); i++) {
        if (strcmp(ftk__registry_file(r, i)->path, path) == 0)
            return ftk__registry_file(r, i);
    }
    return NULL;
}

static ftk_status find(const struct ftk__registry *r, ftk_kind kind, const char *use,
                       const struct ftk__entry **ret, struct ftk_error *reterr)
{
    memset(reterr, 0, sizeof(*reterr));
    *ret = NULL;
    return ftk__registry_find(r, kind, use, ret, reterr);
}

static void test_folder(void **state)
{
    struct fixture *f = *state;
    const char *good = add_link(f, "prune_plain.so", "prune_plain.so");
    const char *text = add_text(f, "grow_text.so");
    add_text(f, "notes.txt");
    add_text(f, ".hidden.so");
    struct ftk__registry *r = scan_fixture(f);
    const struct ftk__file *loaded = file_named(r, good);
    assert_non_null(loaded);
    assert_null(loaded->reason);
    assert_string_equal(loaded->stamp->name, "org.example.plain");
    const struct ftk__file *refused = file_named(r, text);
    assert_non_null(refused);
    assert_non_null(strstr(refused->reason, "no ELF header"));
    assert_null(refused->stamp);
    assert_null(file_named(r, f->path[2]));
    assert_null(file_named(r, f->path[3]));
    /* Sorted by name, whatever the order of the directory. */
    assert_ptr_equal(ftk__registry_file(r, 0), refused);
    assert_ptr_equal(ftk__registry_file(r, 1), loaded);

    const struct ftk__entry *e;
    struct ftk_error err;
    assert_int_equal(find(r, FTK_KIND_PRUNE, "plain", &e, &err), FTK_OK);
    assert_string_equal(e->algo->name, "plain");
    assert_ptr_equal(e->file, loaded);
    ftk__registry_free(r);
}

static void test_unknown_names(void **state)
{
    struct fixture *f = *state;
    add_link(f, "prune_plain.so", "prune_plain.so");
    add_text(f, "grow_text.so");
    struct ftk__registry *r = scan_fixture(f);
    const struct ftk__entry *e;
    struct ftk_error err;
    assert_int_equal(find(r, FTK_KIND_PRUNE, "plein", &e, &err), FTK_ENOENT);
    assert_string_equal(err.message, "no prune 'plein', the nearest is 'plain'");
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_UNAVAILABLE);
    assert_null(e);
    assert_int_equal(find(r, FTK_KIND_PRUNE, "quantile", &e, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "there is "));
    assert_int_equal(find(r, FTK_KIND_GROW, "plain", &e, &err), FTK_ENOENT);
    assert_int_equal(find(r, FTK_KIND_PRUNE, "org.other:plain", &e, &err), FTK_ENOENT);
    assert_int_equal(find(r, FTK_KIND_PRUNE, "org.example:plain", &e, &err), FTK_ENOENT);
    assert_int_equal(find(r, FTK_KIND_PRUNE, "org.example.plain:plain", &e, &err), FTK_OK);
    /* A file of that name was there, and refused: that is what the person needs to know. */
    assert_int_equal(find(r, FTK_KIND_GROW, "text", &e, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "grow_text.so was refused: not a shared object"));
    ftk__registry_free(r);
}

static void test_name_taken_twice(void **state)
{
    struct fixture *f = *state;
    const char *a = add_link(f, "prune_twin_a.so", "prune_twin_a.so");
    const char *b = add_link(f, "prune_twin_b.so", "prune_twin_b.so");
    struct ftk__registry *r = scan_fixture(f);
    const struct ftk__entry *e;
    struct ftk_error err;
    assert_int_equal(find(r, FTK_KIND_PRUNE, "twin", &e, &err), FTK_EEXIST);
    assert_non_null(strstr(err.message, a));
    assert_non_null(strstr(err.message, b));
    assert_non_null(strstr(err.context[0], "\"org.a.twin:twin\" or \"org.b.twin:twin\""));
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_UNAVAILABLE);
    assert_int_equal(find(r, FTK_KIND_PRUNE, "org.b.twin:twin", &e, &err), FTK_OK);
    assert_string_equal(e->file->path, b);

    uint64_t n = 0, twins = 0;
    const char **names = ftk__registry_names(r, FTK_KIND_PRUNE, &n);
    for (uint64_t i = 0; i < n; i++)
        twins += strcmp(names[i], "twin") == 0;
    ftk__free(names);
    assert_int_equal(twins, 1);
    ftk__registry_free(r);
}

/* By two paths, and by a second scan. */
static void test_file_given_twice(void **state)
{
    struct fixture *f = *state;
    const char *first = add_link(f, "prune_plain.so", "prune_a.so");
    const char *second = add_link(f, "prune_plain.so", "prune_b.so");
    struct ftk__registry *r = scan_fixture(f);
    uint64_t n_files = ftk__registry_file_count(r);
    uint64_t n = ftk__registry_count(r);
    const struct ftk__entry *e;
    struct ftk_error err;
    assert_int_equal(find(r, FTK_KIND_PRUNE, "plain", &e, &err), FTK_OK);
    assert_string_equal(e->file->path, first);
    assert_non_null(strstr(file_named(r, second)->reason, "the same file as"));
    const char *dirs[] = { f->dir.path };
    assert_int_equal(ftk__registry_scan(r, dirs, 1, &err), FTK_OK);
    assert_int_equal(ftk__registry_file_count(r), n_files);
    assert_int_equal(ftk__registry_count(r), n);
    ftk__registry_free(r);
}

static void test_places(void **state)
{
    struct fixture *f = *state;
    add_link(f, "prune_plain.so", "prune_plain.so");
    struct ftk_error err = { 0 };
    struct ftk__registry *r = ftk__registry_new();
    const char *missing[] = { "/no/such/folder" };
    assert_int_equal(ftk__registry_scan(r, missing, 1, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "/no/such/folder"));
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_CONFIG);
    const char *other[] = { add_text(f, "notes.txt") };
    assert_int_equal(ftk__registry_scan(r, other, 1, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "neither a folder nor"));
    ftk__registry_free(r);

    /* One file, and the environment, whose missing folders are noted but no error. */
    const char *file[] = { f->path[0] };
    r = scan(file, 1);
    assert_non_null(file_named(r, f->path[0]));
    ftk__registry_free(r);
    char path[600];
    snprintf(path, sizeof(path), ":/no/such/place:%s:", f->dir.path);
    setenv("FREETICKETS_PLUGIN_PATH", path, 1);
    char here[4096];
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(source_dir()), 0); /* never looked into by itself       */
    r = scan(NULL, 0);
    assert_int_equal(chdir(here), 0);
    unsetenv("FREETICKETS_PLUGIN_PATH");
    const struct ftk__entry *e;
    assert_int_equal(find(r, FTK_KIND_PRUNE, "plain", &e, &err), FTK_OK);
    assert_string_equal(e->file->path, f->path[0]);
    assert_non_null(strstr(file_named(r, "/no/such/place")->reason, "No such file"));
    assert_int_equal(find(r, FTK_KIND_PRUNE, "twin", &e, &err), FTK_ENOENT);
    ftk__registry_free(r);
}

static void test_backends(void **state)
{
    struct fixture *f = *state;
    const char *hollow = add_link(f, "backend_hollow.so", "backend_hollow.so");
    const char *text = add_text(f, "backend_text.so");
    struct ftk__registry *r = scan_fixture(f);
    const struct ftk__entry *e;
    struct ftk_error err;
    assert_true(file_named(r, hollow)->deferred);
    assert_null(file_named(r, hollow)->stamp);
    assert_int_equal(find(r, FTK_KIND_BACKEND, "hollow", &e, &err), FTK_ENOENT);
    assert_int_equal(find(r, FTK_KIND_BACKEND, "hallow", &e, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "nearest is 'hollow'"));

    assert_int_equal(ftk__registry_open_backends(r, "other", &err), FTK_OK);
    assert_true(file_named(r, hollow)->deferred);
    assert_int_equal(ftk__registry_open_backends(r, "org.example.hollow:hollow", &err), FTK_OK);
    assert_false(file_named(r, hollow)->deferred);
    assert_true(file_named(r, text)->deferred);
    assert_int_equal(find(r, FTK_KIND_BACKEND, "hollow", &e, &err), FTK_OK);
    assert_string_equal(e->file->path, hollow);

    assert_int_equal(ftk__registry_open_backends(r, NULL, &err), FTK_OK);
    assert_false(file_named(r, text)->deferred);
    assert_non_null(file_named(r, text)->reason);
    ftk__registry_free(r);
}

/* A file refused half way leaves nothing of what it registered before. */
static void test_whole_or_nothing(void **state)
{
    struct fixture *f = *state;
    const char *bad = add_link(f, "bad_descriptor.so", "grow_good.so");
    struct ftk__registry *r = scan_fixture(f);
    const struct ftk__entry *e;
    struct ftk_error err;
    assert_non_null(strstr(file_named(r, bad)->reason, "parameter 'far'"));
    assert_int_equal(find(r, FTK_KIND_GROW, "good", &e, &err), FTK_ENOENT);
    ftk__registry_free(r);
}

static void test_hash(void **state)
{
    struct fixture *f = *state;
    const char *text = add_text(f, "grow_text.so"); /* holds "text\n"             */
    struct ftk__registry *r = scan_fixture(f);
    struct ftk__sha256 hash;
    struct ftk_error err;
    assert_int_equal(ftk__file_hash(file_named(r, text), &hash, &err), FTK_OK);
    assert_string_equal(hash.hex,
                        "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733");
    ftk__registry_free(r);
}

static void test_kinds(void **state)
{
    (void)state;
    static const char *const names[] = { "init",   "prune",   "grow", "ensemble",
                                         "metric", "backend", "allot" };
    for (uint32_t i = 0; i < 7; i++) {
        ftk_kind kind;
        assert_string_equal(ftk__kind_name((ftk_kind)(i + 1)), names[i]);
        assert_true(ftk__kind_parse(names[i], &kind));
        assert_int_equal(kind, i + 1);
    }
    ftk_kind kind;
    assert_false(ftk__kind_parse("growth", &kind));
}

static ftk_status scan_and_find(void *arg)
{
    const struct fixture *f = arg;
    const char *dirs[] = { f->dir.path };
    const struct ftk__entry *e;
    struct ftk__registry *r = ftk__registry_new();
    if (!r)
        return FTK_ENOMEM;
    ftk_status st = ftk__registry_scan(r, dirs, 1, NULL);
    if (st == FTK_OK)
        st = ftk__registry_open_backends(r, NULL, NULL);
    if (st == FTK_OK)
        st = ftk__registry_find(r, FTK_KIND_PRUNE, "plain", &e, NULL);
    if (st == FTK_OK) {
        ftk_status missing = ftk__registry_find(r, FTK_KIND_PRUNE, "none", &e, NULL);
        st = missing == FTK_ENOENT ? FTK_OK : missing;
    }
    ftk__registry_free(r);
    return st;
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    add_link(f, "prune_plain.so", "prune_a.so");
    add_link(f, "prune_plain.so", "prune_b.so");
    add_link(f, "backend_hollow.so", "backend_hollow.so");
    add_text(f, "grow_text.so");
    assert_true(ftk_oom_sweep(scan_and_find, f, 1) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folder, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_unknown_names, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_name_taken_twice, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_file_given_twice, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_places, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_backends, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_whole_or_nothing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_hash, make_dir, remove_dir),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test_setup_teardown(test_out_of_memory, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
