/* SPDX-License-Identifier: MIT
 * test_fashion_mnist.c - data/set_fashion_mnist.c: where files are looked for, and the real ones.
 */
#include "builtin_case.h"
#include "data/testset.h"
#include "oom.h"
#include "scratch_dir.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Good IDX files, but of another data set. */
static const uint8_t images3[] = {
    0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6
};
static const uint8_t labels3[] = { 0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1 };

/* Looking for files that are not there, or no more than the first. */
static ftk_status find_nothing(void *arg)
{
    struct ftk__dataset *d = NULL;
    ftk_status st = ftk__dataset_open(arg, &d, NULL);
    ftk__dataset_close(d);
    return st == FTK_ENOENT ? FTK_OK : st;
}

static void missing_fashion_mnist(void **state)
{
    (void)state;
    struct scratch_dir dir;
    struct data_case c;
    struct ftk__data_info info;
    struct ftk__dataset *d = NULL;
    struct ftk_error err;
    scratch_dir_init(&dir);
    data_case_fashion(&c, dir.path);
    /* the sizes are known without files */
    assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_OK);
    assert_int_equal(info.n_train, 60000);
    assert_int_equal(info.n_test, 10000);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_NO_DATA);
    assert_non_null(strstr(err.message, "train-images-idx3-ubyte"));
    assert_non_null(strstr(err.message, dir.path));
    assert_non_null(strstr(err.message, "apt-get install dataset-fashion-mnist"));
    assert_non_null(strstr(err.message, "data.dir"));
    assert_true(ftk_oom_sweep(find_nothing, &c.q, 1) >= 4);
    scratch_dir_put(&dir, "train-images-idx3-ubyte", images3, sizeof images3);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "train-labels-idx1-ubyte"));
    assert_true(ftk_oom_sweep(find_nothing, &c.q, 1) >= 5);
    scratch_dir_put(&dir, "train-labels-idx1-ubyte.gz", labels3, sizeof labels3);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "byte 6: a dimension is 3, expected 60000"));
    scratch_dir_done(&dir);
}

/* $FREETICKETS_DATA goes before the package's folder. */
static void places_are_tried_in_order(void **state)
{
    (void)state;
    struct scratch_dir dir;
    struct data_case c;
    struct ftk__dataset *d = NULL;
    struct ftk_error err;
    const char *before = getenv("FREETICKETS_DATA");
    char *saved = before ? strdup(before) : NULL;
    scratch_dir_init(&dir);
    scratch_dir_put(&dir, "train-images-idx3-ubyte", images3, sizeof images3);
    scratch_dir_put(&dir, "train-labels-idx1-ubyte", labels3, sizeof labels3);
    setenv("FREETICKETS_DATA", dir.path, 1);
    data_case_fashion(&c, "");
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_EINVAL);
    assert_memory_equal(err.message, dir.path, strlen(dir.path));
    if (saved)
        setenv("FREETICKETS_DATA", saved, 1);
    else
        unsetenv("FREETICKETS_DATA");
    free(saved);
    scratch_dir_done(&dir);
}

/* The standing places, if any has the files. */
static bool have_fashion_mnist(struct data_case *c, struct ftk__dataset **ret)
{
    struct ftk_error err;
    data_case_fashion(c, "");
    ftk_status st = ftk__dataset_open(&c->q, ret, &err);
    if (st != FTK_OK && st != FTK_ENOENT)
        fail_msg("%s", err.message);
    return st == FTK_OK;
}

static void the_real_fashion_mnist(void **state)
{
    (void)state;
    struct data_case c;
    struct ftk__dataset *d = NULL;
    if (!have_fashion_mnist(&c, &d))
        skip();
    const struct ftk__images *im = ftk__dataset_train(d);
    assert_int_equal(im->n, 60000);
    assert_int_equal(im->label[0], 9); /* an ankle boot */
    assert_int_equal(im->label[1], 0);
    assert_int_equal(im->label[59999], 5);
    assert_int_equal(im->pixels[0], 0);
    assert_int_equal(im->pixels[4 * 28 + 14], 36);
    uint64_t count[10] = { 0 };
    double sum = 0.0;
    double squares = 0.0;
    for (uint64_t i = 0; i < im->n; i++)
        count[im->label[i]]++;
    for (uint32_t k = 0; k < 10; k++)
        assert_int_equal(count[k], 6000);
    const double n = 60000.0 * 784.0;
    for (uint64_t i = 0; i < 60000 * 784; i++) {
        double v = im->pixels[i] / 255.0;
        sum += v;
        squares += v * v;
    }
    double mean = sum / n;
    assert_true(fabs(mean - .2860) < 1e-3);
    assert_true(fabs(sqrt(squares / n - mean * mean) - .3530) < 1e-3);
    assert_true(im->mean[0] == .2860f && im->std[0] == .3530f);
    ftk__dataset_close(d);
    struct ftk__testset *t = NULL;
    assert_int_equal(ftk__testset_open(&c.q, 0, &t, NULL), FTK_OK);
    assert_int_equal(ftk__testset_images(t)->n, 10000);
    assert_int_equal(ftk__testset_images(t)->label[0], 9);
    assert_int_equal(ftk__testset_images(t)->label[1], 2);
    ftk__testset_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_fashion_mnist),
        cmocka_unit_test(places_are_tried_in_order),
        cmocka_unit_test(the_real_fashion_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
