/* SPDX-License-Identifier: MIT
 * test_dataset.c - data/dataset.c, testset.c, normalise.c, set_idx.c: splits, limits,
 * normalisation, files of one's own.
 */
#include "builtin_case.h"
#include "data/augment.h"
#include "data/testset.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ftk__dataset *open_ok(const struct ftk__data_request *q)
{
    struct ftk__dataset *d = NULL;
    struct ftk_error err;
    if (ftk__dataset_open(q, &d, &err) != FTK_OK)
        fail_msg("%s", err.message);
    return d;
}

static void split_takes_the_last_and_limit_the_first(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 4, 5, 3, 50, 9);
    struct ftk__dataset *all = open_ok(&c.q);
    assert_int_equal(ftk__dataset_train(all)->n, 50);
    assert_int_equal(ftk__dataset_validation(all)->n, 0);
    c.q.validation = 10;
    c.q.limit = 25;
    struct ftk__dataset *d = open_ok(&c.q);
    const struct ftk__images *train = ftk__dataset_train(d);
    const struct ftk__images *validation = ftk__dataset_validation(d);
    const struct ftk__images *file = ftk__dataset_train(all);
    assert_int_equal(train->n, 25);
    assert_int_equal(validation->n, 10);
    assert_memory_equal(train->pixels, file->pixels, 25 * 20);
    assert_memory_equal(validation->pixels, file->pixels + 40 * 20, 10 * 20);
    assert_memory_equal(validation->label, file->label + 40, 10 * sizeof(int32_t));
    struct ftk__data_info info;
    assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_OK);
    assert_int_equal(info.n_train_file, 50);
    assert_int_equal(info.n_train, 25);
    assert_int_equal(info.n_validation, 10);
    assert_int_equal(info.n_test, 9);
    ftk__dataset_close(d);
    ftk__dataset_close(all);
}

/* Both the plan's look at the data and their opening say the same. */
static void assert_refused(const struct ftk__data_request *q, const char *message)
{
    struct ftk__data_info info;
    struct ftk__dataset *d = NULL;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__data_info(q, &info, &err), FTK_EINVAL);
    assert_string_equal(err.message, message);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_CONFIG);
    assert_int_equal(ftk__dataset_open(q, &d, &err), FTK_EINVAL);
    assert_string_equal(err.message, message);
    assert_null(d);
}

static void splits_beyond_the_data(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 4, 5, 3, 50, 9);
    c.q.validation = 50;
    assert_refused(&c.q, "data.validation 50 leaves none of the 50 training images");
    c.q.validation = 49;
    ftk__dataset_close(open_ok(&c.q));
    c.q.limit = 2;
    assert_refused(&c.q, "data.limit 2 is above 1, the training images that validation leaves");
}

static void small_images_cannot_be_reflected(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 1, 4, 5, 3, 50, 9);
    c.q.augment = FTK__MODE_STANDARD;
    assert_refused(&c.q, "data.augment \"standard\" reflects 4 pixels, images of 4x5 are too small "
                         "for it");
    c.q.pad = FTK__FILL_ZERO;
    ftk__dataset_close(open_ok(&c.q));
}

static void normalisations(void **state)
{
    (void)state;
    struct data_case c;
    data_case_synthetic(&c, 3, 4, 5, 3, 5, 5);
    c.q.normalise = "cifar10";
    struct ftk__dataset *d = open_ok(&c.q);
    assert_true(ftk__dataset_train(d)->mean[1] == .4822f);
    assert_true(ftk__dataset_train(d)->std[2] == .2010f);
    ftk__dataset_close(d);
    c.q.normalise = "none";
    d = open_ok(&c.q);
    assert_true(ftk__dataset_train(d)->mean[2] == 0.0f && ftk__dataset_train(d)->std[2] == 1.0f);
    ftk__dataset_close(d);
    c.q.normalise = "fashion_mnist";
    assert_refused(&c.q, "data.normalise: \"fashion_mnist\" is for 1 channel, the images have 3");
    c.q.normalise = "cifar11";
    assert_refused(&c.q, "data.normalise: no normalisation \"cifar11\"; did you mean \"cifar10\"?");
    const double mean[] = { 0.1, 0.2, 0.3 };
    const double std[] = { 1.0, 0.0, 1.0 };
    c.q.mean = mean;
    c.q.std = std;
    c.q.n_norm = 2;
    assert_refused(&c.q, "data.normalise: 2 means for images of 3 channels");
    c.q.n_norm = 3;
    assert_refused(&c.q, "data.normalise: mean 0.2 and std 0 of channel 1: both must be finite and "
                         "std above 0");
    c.q.std = mean;
    d = open_ok(&c.q);
    assert_true(ftk__dataset_train(d)->std[2] == 0.3f);
    ftk__dataset_close(d);
}

static void validation_is_augmented_if_asked(void **state)
{
    (void)state;
    enum { V = 40, FLOATS = 30, TRAIN = 50 };
    struct data_case c;
    data_case_synthetic(&c, 1, 5, 6, 3, TRAIN, 9);
    c.q.validation = V;
    c.q.augment = FTK__MODE_STANDARD;
    float x[4][V * FLOATS];
    int32_t y[4][V];
    struct ftk__dataset *d = open_ok(&c.q);
    ftk__images_fill(ftk__dataset_validation(d), 0, V, x[0], y[0]);
    ftk__dataset_fill_validation(d, 1, 2, 0, V, x[1], y[1]);
    assert_memory_equal(x[0], x[1], sizeof x[0]);
    ftk__dataset_close(d);
    c.q.validation_augmented = true;
    d = open_ok(&c.q);
    ftk__dataset_fill_validation(d, 1, 2, 0, V, x[1], y[1]);
    ftk__dataset_fill_validation(d, 1, 3, 0, V, x[2], y[2]);
    ftk__dataset_fill_validation(d, 1, 2, V / 2, V / 2, x[3], y[3]);
    assert_memory_not_equal(x[0], x[1], sizeof x[0]);
    assert_memory_not_equal(x[1], x[2], sizeof x[0]);
    assert_memory_equal(x[1] + V / 2 * FLOATS, x[3], sizeof x[3] / 2);
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    /* The stream is that of the image's place in the file. */
    struct ftk__augment augment = { FTK__MODE_STANDARD, FTK__FILL_REFLECT, c.q.seed };
    ftk_sample s = { .index = 7 };
    struct ftk__scale scale;
    ftk__augment_draw(&augment, 1, 2, TRAIN - V + 7, &s);
    ftk__scale_set(&scale, ftk__dataset_validation(d));
    ftk__augment_apply(ftk__dataset_validation(d), FTK__FILL_REFLECT, &s, &scale, x[0]);
    assert_memory_equal(x[0], x[1] + 7 * FLOATS, FLOATS * sizeof(float));
    ftk__dataset_close(d);
}

static void hash_is_of_the_content(void **state)
{
    (void)state;
    struct data_case c;
    struct ftk__sha256 hash[3];
    data_case_synthetic(&c, 1, 5, 6, 3, 50, 9);
    for (uint32_t i = 0; i < 3; i++) {
        if (i == 1) {
            c.q.seed = 5; /* neither seed nor split change the data */
            c.q.validation = 10;
        }
        if (i == 2)
            builtin_set_i64(c.q.set, c.params, "train", 51);
        struct ftk__dataset *d = open_ok(&c.q);
        assert_int_equal(ftk__dataset_hash(d, &hash[i], NULL), FTK_OK);
        ftk__dataset_close(d);
    }
    assert_string_equal(hash[0].hex, hash[1].hex);
    assert_string_not_equal(hash[0].hex, hash[2].hex);
}

static void test_images_can_be_limited(void **state)
{
    (void)state;
    const uint64_t limit[] = { 0, 4, 9, 1000 };
    const uint64_t expected[] = { 9, 4, 9, 9 };
    struct data_case c;
    data_case_synthetic(&c, 1, 5, 6, 3, 50, 9);
    for (uint32_t i = 0; i < 4; i++) {
        struct ftk__testset *t = NULL;
        assert_int_equal(ftk__testset_open(&c.q, limit[i], &t, NULL), FTK_OK);
        assert_int_equal(ftk__testset_images(t)->n, expected[i]);
        ftk__testset_close(t);
    }
}

/* --- files --- */

struct idx_files {
    struct scratch_dir dir;
    char path[4][300];
    struct data_case c;
};

static const uint8_t images3[] = {
    0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6
};
static const uint8_t labels3[] = { 0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1 };
static const uint8_t images1[] = { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 9, 255 };
static const uint8_t labels1[] = { 0, 0, 8, 1, 0, 0, 0, 1, 1 };

static void make_idx(struct idx_files *f)
{
    const char *name[4] = { "a", "b", "c", "d" };
    scratch_dir_init(&f->dir);
    for (uint32_t i = 0; i < 4; i++)
        scratch_dir_file(&f->dir, name[i], f->path[i], sizeof f->path[i]);
    scratch_dir_put(&f->dir, "a", images3, sizeof images3);
    scratch_dir_put(&f->dir, "b", labels3, sizeof labels3);
    scratch_dir_put(&f->dir, "c", images1, sizeof images1);
    scratch_dir_put(&f->dir, "d", labels1, sizeof labels1);
    data_case_idx(&f->c, f->path[0], f->path[1], f->path[2], f->path[3], 2);
}

static void idx_files_of_ones_own(void **state)
{
    (void)state;
    struct idx_files f;
    make_idx(&f);
    struct ftk__data_info info;
    assert_int_equal(ftk__data_info(&f.c.q, &info, NULL), FTK_OK);
    assert_int_equal(info.n_train, 3);
    assert_int_equal(info.n_test, 1);
    assert_int_equal(info.classes, 2);
    assert_int_equal(info.shape[0] * 100 + info.shape[1] * 10 + info.shape[2], 112);
    struct ftk__dataset *d = open_ok(&f.c.q);
    float x[2];
    int32_t y;
    ftk__images_fill(ftk__dataset_train(d), 1, 1, x, &y);
    assert_true(x[0] == 3.0f / 255.0f && x[1] == 4.0f / 255.0f && y == 0);
    ftk__dataset_close(d);
    struct ftk__testset *t = NULL;
    assert_int_equal(ftk__testset_open(&f.c.q, 0, &t, NULL), FTK_OK);
    assert_int_equal(ftk__testset_images(t)->pixels[1], 255);
    ftk__testset_close(t);
    /* test images of another size */
    uint8_t other[sizeof images1];
    memcpy(other, images1, sizeof other);
    other[11] = 2;
    other[15] = 1;
    scratch_dir_put(&f.dir, "c", other, sizeof other);
    struct ftk_error err;
    assert_int_equal(ftk__testset_open(&f.c.q, 0, &t, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "byte 11: a dimension is 2, expected 1"));
    assert_int_equal(ftk__data_info(&f.c.q, &info, &err), FTK_EINVAL);
    scratch_dir_done(&f.dir);
}

static ftk_status open_test_and_close(void *arg)
{
    struct ftk__testset *t = NULL;
    struct ftk__data_info info;
    ftk_status st = ftk__data_info(arg, &info, NULL);
    if (st == FTK_OK)
        st = ftk__testset_open(arg, 0, &t, NULL);
    ftk__testset_close(t);
    return st;
}

static ftk_status hash_and_close(void *arg)
{
    struct ftk__dataset *d = NULL;
    struct ftk__sha256 hash;
    ftk_status st = ftk__dataset_open(arg, &d, NULL);
    if (st == FTK_OK)
        st = ftk__dataset_hash(d, &hash, NULL);
    ftk__dataset_close(d);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    struct idx_files f;
    make_idx(&f);
    assert_true(ftk_oom_sweep(open_test_and_close, &f.c.q, 1) >= 10);
    assert_true(ftk_oom_sweep(hash_and_close, &f.c.q, 1) >= 6);
    scratch_dir_done(&f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_takes_the_last_and_limit_the_first),
        cmocka_unit_test(splits_beyond_the_data),
        cmocka_unit_test(small_images_cannot_be_reflected),
        cmocka_unit_test(normalisations),
        cmocka_unit_test(validation_is_augmented_if_asked),
        cmocka_unit_test(hash_is_of_the_content),
        cmocka_unit_test(test_images_can_be_limited),
        cmocka_unit_test(idx_files_of_ones_own),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
