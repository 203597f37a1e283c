/* SPDX-License-Identifier: MIT
 * test_synthetic.c - data/set_synthetic.c: fixed data that can be learnt, but not perfectly.
 */
#include "builtin_case.h"
#include "data/testset.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ftk__dataset *open_train(struct data_case *c)
{
    struct ftk__dataset *d = NULL;
    assert_int_equal(ftk__dataset_open(&c->q, &d, NULL), FTK_OK);
    return d;
}

static struct ftk__testset *open_test(struct data_case *c)
{
    struct ftk__testset *t = NULL;
    assert_int_equal(ftk__testset_open(&c->q, 0, &t, NULL), FTK_OK);
    return t;
}

static void sizes_and_labels(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 3, 8, 5, 7, 100, 30);
    struct ftk__data_info info;
    assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_OK);
    assert_int_equal(info.n_train, 100);
    assert_int_equal(info.n_test, 30);
    assert_int_equal(info.classes, 7);
    assert_int_equal(info.shape[0] * 100 + info.shape[1] * 10 + info.shape[2], 385);
    struct ftk__dataset *d = open_train(&c);
    struct ftk__testset *t = open_test(&c);
    const struct ftk__images *im = ftk__dataset_train(d);
    assert_int_equal(im->n, 100);
    assert_int_equal(ftk__testset_images(t)->n, 30);
    assert_true(im->mean[2] == 0.5f && im->std[2] == 0.25f);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(im->label[i], i % 7);
    assert_memory_not_equal(im->pixels, ftk__testset_images(t)->pixels, 120);
    ftk__dataset_close(d);
    ftk__testset_close(t);
}

/* A sample depends on neither the seed nor how many there are. */
static void data_are_fixed(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 9, 10, 4, 50, 20);
    struct ftk__dataset *a = open_train(&c);
    data_case_synthetic(&c, 1, 9, 10, 4, 80, 10);
    c.q.seed = 18;
    struct ftk__dataset *b = open_train(&c);
    assert_memory_equal(ftk__dataset_train(a)->pixels, ftk__dataset_train(b)->pixels, 50 * 90);
    ftk__dataset_close(a);
    ftk__dataset_close(b);
}

/* Class means of the training images, then the nearest mean for each test image. */
static double nearest_mean_accuracy(const struct ftk__images *train, const struct ftk__images *test)
{
    uint64_t n = (uint64_t)train->shape[0] * train->shape[1] * train->shape[2];
    double *mean = calloc(train->classes * n, sizeof *mean);
    for (uint64_t i = 0; i < train->n; i++)
        for (uint64_t p = 0; p < n; p++)
            mean[(uint64_t)train->label[i] * n + p] +=
                (double)train->pixels[i * n + p] * train->classes / (double)train->n;
    uint64_t correct = 0;
    for (uint64_t i = 0; i < test->n; i++) {
        uint32_t best = 0;
        double least = 1e300;
        for (uint32_t k = 0; k < train->classes; k++) {
            double sum = 0.0;
            for (uint64_t p = 0; p < n; p++) {
                double d = test->pixels[i * n + p] - mean[k * n + p];
                sum += d * d;
            }
            if (sum < least) {
                least = sum;
                best = k;
            }
        }
        correct += (int32_t)best == test->label[i];
    }
    free(mean);
    return (double)correct / (double)test->n;
}

static void classes_can_be_learnt(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 16, 16, 10, 1000, 1000);
    struct ftk__dataset *d = open_train(&c);
    struct ftk__testset *t = open_test(&c);
    double accuracy = nearest_mean_accuracy(ftk__dataset_train(d), ftk__testset_images(t));
    print_message("nearest class mean: %.3f of the test images\n", accuracy);
    assert_true(accuracy > 0.75 && accuracy < 0.97);
    ftk__dataset_close(d);
    ftk__testset_close(t);
}

static void wrong_parameters(void **state)
{
    (void)state;
    struct data_case c;
    struct ftk_error err;
    data_case_synthetic(&c, 1, 16, 16, 10, 10, 10);
    assert_int_equal(c.q.set->check(c.params, &err), FTK_OK);
    c.shape[1] = 1.5;
    assert_int_equal(c.q.set->check(c.params, &err), FTK_EINVAL);
    assert_string_equal(err.message, "shape[1] is 1.5, not a whole number");
    c.shape[0] = 5;
    c.shape[1] = 4;
    assert_int_equal(c.q.set->check(c.params, &err), FTK_EINVAL);
    assert_string_equal(err.message, "shape[0] is 5, at most 4 channels are allowed");
    builtin_set_f64s(c.q.set, c.params, "shape", c.shape, 2);
    assert_int_equal(c.q.set->check(c.params, &err), FTK_EINVAL);
    assert_string_equal(err.message, "shape has 2 entries, 3 are needed: channels, height, width");
}

static ftk_status open_and_close(void *arg)
{
    struct ftk__dataset *d = NULL;
    ftk_status st = ftk__dataset_open(arg, &d, NULL);
    ftk__dataset_close(d);
    return st;
}

static ftk_status test_and_close(void *arg)
{
    struct ftk__testset *t = NULL;
    ftk_status st = ftk__testset_open(arg, 0, &t, NULL);
    ftk__testset_close(t);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 5, 5, 2, 10, 10);
    assert_int_equal(ftk_oom_sweep(open_and_close, &c.q, 1), 4);
    assert_int_equal(ftk_oom_sweep(test_and_close, &c.q, 1), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_labels),
        cmocka_unit_test(data_are_fixed),
        cmocka_unit_test(classes_can_be_learnt),
        cmocka_unit_test(wrong_parameters),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
