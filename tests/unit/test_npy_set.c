/* SPDX-License-Identifier: MIT
 * test_npy_set.c - data/set_npy.c: layouts of images, types of labels, files that do not fit.
 */
#include "base/mem.h"
#include "base/npy.h"
#include "builtin_case.h"
#include "data/testset.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 4, N_TEST = 2, CHANNELS = 3, HEIGHT = 5, WIDTH = 6, PLANE = HEIGHT * WIDTH };

static struct scratch_dir dir;
static char train_images[300], train_labels[300], test_images[300], test_labels[300];
static uint8_t pixels[N * CHANNELS * PLANE]; // [n][c][h][w]
static struct data_case c;

static void put(const char *path, enum ftk__dtype t, uint32_t n_dims, const uint64_t *dims,
                const void *data)
{
    struct ftk__st_array a = { .dtype = t, .n_dims = n_dims, .data = data };
    memcpy(a.dims, dims, n_dims * sizeof *dims);
    assert_int_equal(ftk__npy_write(path, &a, NULL), FTK_OK);
}

static int set_up(void **state)
{
    (void)state;
    const int64_t labels[N] = { 0, 3, 1, 2 };
    const uint8_t few[N_TEST] = { 2, 0 };
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "a.npy", train_images, sizeof train_images);
    scratch_dir_file(&dir, "b.npy", train_labels, sizeof train_labels);
    scratch_dir_file(&dir, "c.npy", test_images, sizeof test_images);
    scratch_dir_file(&dir, "d.npy", test_labels, sizeof test_labels);
    for (uint32_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(11 * i + i / 200);
    put(train_images, FTK__U8, 4, (const uint64_t[]){ N, CHANNELS, HEIGHT, WIDTH }, pixels);
    put(train_labels, FTK__I64, 1, (const uint64_t[]){ N }, labels);
    put(test_images, FTK__U8, 4, (const uint64_t[]){ N_TEST, CHANNELS, HEIGHT, WIDTH }, pixels);
    put(test_labels, FTK__U8, 1, (const uint64_t[]){ N_TEST }, few);
    data_case_npy(&c, train_images, train_labels, test_images, test_labels, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static void put_channels_last(void)
{
    uint8_t turned[sizeof pixels];
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t k = 0; k < CHANNELS; k++)
            for (uint32_t at = 0; at < PLANE; at++)
                turned[(i * PLANE + at) * CHANNELS + k] = pixels[(i * CHANNELS + k) * PLANE + at];
    put(train_images, FTK__U8, 4, (const uint64_t[]){ N, HEIGHT, WIDTH, CHANNELS }, turned);
}

static void assert_opens(const uint32_t shape[3])
{
    struct ftk__dataset *d = NULL;
    struct ftk__data_info info;
    struct ftk_error err;
    if (ftk__dataset_open(&c.q, &d, &err) != FTK_OK || ftk__data_info(&c.q, &info, &err) != FTK_OK)
        fail_msg("%s", err.message);
    const struct ftk__images *im = ftk__dataset_train(d);
    assert_memory_equal(info.shape, shape, sizeof info.shape);
    assert_memory_equal(im->shape, shape, sizeof info.shape);
    assert_int_equal(info.n_train, N);
    assert_int_equal(info.n_test, N_TEST);
    assert_int_equal(im->label[1], 3);
    assert_int_equal(im->label[3], 2);
    assert_memory_equal(im->pixels, pixels, (size_t)N * shape[0] * shape[1] * shape[2]);
    ftk__dataset_close(d);
}

static void layouts(void **state)
{
    (void)state;
    struct ftk__testset *t = NULL;
    assert_opens((const uint32_t[]){ CHANNELS, HEIGHT, WIDTH });
    put_channels_last();
    assert_opens((const uint32_t[]){ CHANNELS, HEIGHT, WIDTH });
    assert_int_equal(ftk__testset_open(&c.q, 0, &t, NULL), FTK_OK);
    assert_int_equal(ftk__testset_images(t)->n, N_TEST);
    assert_int_equal(ftk__testset_images(t)->label[0], 2);
    ftk__testset_close(t);
    put(train_images, FTK__U8, 3, (const uint64_t[]){ N, HEIGHT, WIDTH }, pixels);
    put(test_images, FTK__U8, 3, (const uint64_t[]){ N_TEST, HEIGHT, WIDTH }, pixels);
    assert_opens((const uint32_t[]){ 1, HEIGHT, WIDTH });
}

static void types_of_labels(void **state)
{
    (void)state;
    const uint32_t shape[] = { CHANNELS, HEIGHT, WIDTH };
    const int32_t ints[N] = { 0, 3, 1, 2 };
    const uint8_t bytes[N] = { 0, 3, 1, 2 };
    put(train_labels, FTK__I32, 1, (const uint64_t[]){ N }, ints);
    assert_opens(shape);
    put(train_labels, FTK__U8, 1, (const uint64_t[]){ N }, bytes);
    assert_opens(shape);
}

static void assert_refused(const char *path, const char *text)
{
    struct ftk__dataset *d = NULL;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    if (strncmp(err.message, path, strlen(path)) != 0 || !strstr(err.message, text))
        fail_msg("\"%s\" is not about %s: %s", err.message, path, text);
}

static void wrong_images(void **state)
{
    (void)state;
    struct ftk__data_info info;
    struct ftk_error err;
    const float floats[8] = { 0 };
    put(train_images, FTK__F32, 3, (const uint64_t[]){ 2, 2, 2 }, floats);
    assert_refused(train_images, "not of uint8");
    put(train_images, FTK__U8, 2, (const uint64_t[]){ 2, 2 }, pixels);
    assert_refused(train_images, "images of 2 dimensions, expected 3 or 4");
    put(train_images, FTK__U8, 4, (const uint64_t[]){ 2, 3, 5, 4 }, pixels);
    assert_refused(train_images, "both of dimensions 1 (3) and 3 (4) can be channels");
    put(train_images, FTK__U8, 4, (const uint64_t[]){ 1, 6, 5, 5 }, pixels);
    assert_refused(train_images, "neither of dimensions 1 (6) and 3 (5)");
    put(train_images, FTK__U8, 3, (const uint64_t[]){ 0, 5, 5 }, pixels);
    assert_refused(train_images, "dimension 0 is 0");
    put(train_images, FTK__U8, 3, (const uint64_t[]){ N, HEIGHT, WIDTH }, pixels);
    assert_int_equal(ftk__data_info(&c.q, &info, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "images of 3x5x6, those of training are of 1x5x6"));
}

static void wrong_labels(void **state)
{
    (void)state;
    struct ftk__testset *t = NULL;
    struct ftk_error err;
    const int64_t far[N] = { 0, 1, 4, 0 };
    const int64_t below[N] = { 0, -1, 3, 0 };
    const int64_t wraps[N] = { INT64_C(1) << 32, 0, 0, 0 };
    const double reals[N] = { 0.0 };
    put(train_labels, FTK__I64, 1, (const uint64_t[]){ N }, far);
    assert_refused(train_labels, "element 2: label 4 is not 0 to 3");
    put(train_labels, FTK__I64, 1, (const uint64_t[]){ N }, below);
    assert_refused(train_labels, "element 1: label -1 is not 0 to 3");
    put(train_labels, FTK__I64, 1, (const uint64_t[]){ N }, wraps);
    assert_refused(train_labels, "element 0: label 4294967296");
    put(train_labels, FTK__F64, 1, (const uint64_t[]){ N }, reals);
    assert_refused(train_labels, "not of uint8, int32 or int64");
    put(train_labels, FTK__I64, 2, (const uint64_t[]){ 2, 2 }, far);
    assert_refused(train_labels, "labels of 2 dimensions");
    put(train_labels, FTK__I64, 1, (const uint64_t[]){ 3 }, far);
    assert_refused(train_labels, "3 labels, but there are 4 images");
    put(test_images, FTK__U8, 4, (const uint64_t[]){ N_TEST, 1, HEIGHT, WIDTH }, pixels);
    assert_int_equal(ftk__testset_open(&c.q, 0, &t, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "images of 1x5x6"));
}

/* The shape is read from the header alone, and is refused as the whole file is. */
static void cut_files(void **state)
{
    (void)state;
    char bytes[600];
    struct ftk__data_info info;
    FILE *f = fopen(train_images, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n > 128);
    for (size_t cut = 0; cut < n; cut += cut < 130 ? 1 : 37) {
        struct ftk_error err = { 0 };
        scratch_dir_put(&dir, "a.npy", bytes, cut);
        assert_refused(train_images, "byte");
        assert_int_equal(ftk__data_info(&c.q, &info, &err), FTK_EINVAL);
        assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    }
    assert_int_equal(remove(train_images), 0);
    assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_ENOENT);
}

static ftk_status open_both(void *arg)
{
    struct ftk__dataset *d = NULL;
    struct ftk__data_info info;
    (void)arg;
    ftk_status st = ftk__data_info(&c.q, &info, NULL);
    if (st == FTK_OK)
        st = ftk__dataset_open(&c.q, &d, NULL);
    ftk__dataset_close(d);
    return st;
}

static void out_of_memory(void **state)
{
    (void)state;
    put_channels_last();
    assert_true(ftk_oom_sweep(open_both, NULL, 1) >= 6);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(layouts),      IN_FOLDER(types_of_labels), IN_FOLDER(wrong_images),
        IN_FOLDER(wrong_labels), IN_FOLDER(cut_files),       IN_FOLDER(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
