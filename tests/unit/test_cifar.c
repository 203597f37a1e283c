/* SPDX-License-Identifier: MIT
 * test_cifar.c - data/records.c and set_cifar.c: records good and wrong, where files are looked
 * for, the real sets where they are on the machine.
 */
#include "base/mem.h"
#include "builtin_case.h"
#include "data/records.h"
#include "data/testset.h"
#include "oom.h"
#include "scratch_dir.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { N = 3, PIXELS = FTK__RECORD_PIXELS, MOST = N * (PIXELS + 2), BATCH = 10000 };

static const struct ftk__record_format one_label = { 1, { 10, 0 } };
static const struct ftk__record_format two_labels = { 2, { 20, 100 } };

static struct scratch_dir dir;
static char path[512];
static uint8_t file[MOST];

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "records.bin", path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static size_t record_bytes(const struct ftk__record_format *f)
{
    return f->n_labels + PIXELS;
}

/* Fills `file`; the class of record i is 3 i + 1, its coarse class i. */
static size_t make(const struct ftk__record_format *f)
{
    size_t n = record_bytes(f);
    for (uint32_t i = 0; i < N; i++) {
        uint8_t *r = file + i * n;
        r[0] = (uint8_t)i;
        r[f->n_labels - 1] = (uint8_t)(3 * i + 1);
        for (uint32_t k = 0; k < PIXELS; k++)
            r[f->n_labels + k] = (uint8_t)(7 * k + i);
    }
    return N * n;
}

static ftk_status read_file(const struct ftk__record_format *f, struct ftk__store *s,
                            struct ftk_error *err)
{
    *s = (struct ftk__store){ .shape = { 3, 32, 32 },
                              .classes = f->classes[f->n_labels - 1],
                              .n = N };
    ftk_status st = ftk__store_alloc(s, err);
    if (st == FTK_OK)
        st = ftk__records_read(path, f, N, 0, s, err);
    if (st != FTK_OK)
        ftk__store_done(s);
    return st;
}

static void assert_reads(const struct ftk__record_format *f)
{
    struct ftk__store s;
    struct ftk_error err;
    if (read_file(f, &s, &err) != FTK_OK)
        fail_msg("%s", err.message);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(s.label[i], 3 * i + 1);
        assert_memory_equal(s.pixels + i * PIXELS, file + i * record_bytes(f) + f->n_labels,
                            PIXELS);
    }
    ftk__store_done(&s);
}

static void assert_refused(const struct ftk__record_format *f, const char *text)
{
    struct ftk__store s;
    struct ftk_error err = { 0 };
    assert_int_equal(read_file(f, &s, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    if (strncmp(err.message, path, strlen(path)) != 0 || !strstr(err.message, text))
        fail_msg("\"%s\" is not about %s: %s", err.message, path, text);
}

static void good_records(void **state)
{
    (void)state;
    scratch_dir_put(&dir, "records.bin", file, make(&one_label));
    assert_reads(&one_label);
    scratch_dir_put(&dir, "records.bin", file, make(&two_labels));
    assert_reads(&two_labels);
    gzFile gz = gzopen(path, "wb");
    assert_int_equal(gzwrite(gz, file, (unsigned)make(&two_labels)), make(&two_labels));
    assert_int_equal(gzclose(gz), Z_OK);
    assert_reads(&two_labels);
}

static void each_cut_is_named(void **state)
{
    (void)state;
    const struct ftk__record_format *formats[] = { &one_label, &two_labels };
    for (size_t k = 0; k < 2; k++) {
        size_t n = make(formats[k]);
        size_t record = record_bytes(formats[k]);
        const size_t cuts[] = {
            0, 1, 2, 3, record - 1, record, record + 1, record + 2, 2 * record + 700, n - 1
        };
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            char text[64];
            scratch_dir_put(&dir, "records.bin", file, cuts[i]);
            snprintf(text, sizeof text, "byte %zu is missing", cuts[i]);
            assert_refused(formats[k], text);
        }
    }
}

static void one_byte_too_many(void **state)
{
    (void)state;
    uint8_t longer[MOST + 1];
    size_t n = make(&one_label);
    memcpy(longer, file, n);
    longer[n] = 0;
    scratch_dir_put(&dir, "records.bin", longer, n + 1);
    char text[64];
    snprintf(text, sizeof text, "byte %zu is one too many", n);
    assert_refused(&one_label, text);
}

static void each_label_is_checked(void **state)
{
    (void)state;
    char text[96];
    for (size_t i = 0; i < N; i++) {
        size_t n = make(&one_label);
        file[i * record_bytes(&one_label)] = 10;
        scratch_dir_put(&dir, "records.bin", file, n);
        snprintf(text, sizeof text, "byte %zu: label 10 is not below 10", i * (PIXELS + 1));
        assert_refused(&one_label, text);
        n = make(&two_labels);
        file[i * record_bytes(&two_labels)] = 20;
        scratch_dir_put(&dir, "records.bin", file, n);
        snprintf(text, sizeof text, "byte %zu: label 20 is not below 20, the number of coarse",
                 i * (PIXELS + 2));
        assert_refused(&two_labels, text);
        n = make(&two_labels);
        file[i * record_bytes(&two_labels) + 1] = 100;
        scratch_dir_put(&dir, "records.bin", file, n);
        snprintf(text, sizeof text, "byte %zu: label 100 is not below 100", i * (PIXELS + 2) + 1);
        assert_refused(&two_labels, text);
    }
}

static ftk_status read_once(void *arg)
{
    struct ftk__store s;
    ftk_status st = read_file(arg, &s, NULL);
    if (st == FTK_OK)
        ftk__store_done(&s);
    return st;
}

static void out_of_memory(void **state)
{
    (void)state;
    struct ftk__record_format f = one_label;
    scratch_dir_put(&dir, "records.bin", file, make(&one_label));
    assert_true(ftk_oom_sweep(read_once, &f, 1) >= 4);
}

static void sizes_are_known_and_missing_files_named(void **state)
{
    (void)state;
    static const struct {
        const char *set, *file, *command;
        uint32_t classes;
    } sets[] = {
        { "cifar10", "data_batch_1.bin", "freetickets data fetch cifar10", 10 },
        { "cifar100", "train.bin", "freetickets data fetch cifar100", 100 },
    };
    for (size_t i = 0; i < 2; i++) {
        struct data_case c;
        struct ftk__data_info info;
        struct ftk__dataset *d = NULL;
        struct ftk_error err;
        data_case_named(&c, sets[i].set, dir.path);
        assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_OK);
        assert_int_equal(info.n_train, 50000);
        assert_int_equal(info.n_test, 10000);
        assert_int_equal(info.classes, sets[i].classes);
        assert_int_equal(info.shape[0] * 10000 + info.shape[1] * 100 + info.shape[2], 33232);
        assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_ENOENT);
        assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_NO_DATA);
        assert_non_null(strstr(err.message, sets[i].file));
        assert_non_null(strstr(err.message, sets[i].command));
        assert_non_null(strstr(err.message, dir.path));
    }
}

/* A file of black images of class 0 that takes no room on the disk, and in it one byte. */
static void put_black(const char *name, off_t bytes, off_t at, uint8_t value)
{
    char full[600];
    scratch_dir_file(&dir, name, full, sizeof full);
    int fd = open(full, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    assert_int_equal(pwrite(fd, &value, 1, at), 1);
    assert_int_equal(close(fd), 0);
}

static void five_batches_follow_each_other(void **state)
{
    (void)state;
    const off_t record = PIXELS + 1;
    struct data_case c;
    struct ftk__dataset *d = NULL;
    struct ftk__testset *t = NULL;
    struct ftk_error err;
    char full[600];
    assert_int_equal(mkdir(scratch_dir_file(&dir, "cifar-10-batches-bin", full, sizeof full), 0700),
                     0);
    for (int i = 1; i <= 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "cifar-10-batches-bin/data_batch_%d.bin", i);
        put_black(name, BATCH * record, i * record, (uint8_t)i); /* image i: class i */
    }
    put_black("cifar-10-batches-bin/test_batch.bin", BATCH * record, record + 1 + 1024 + 33, 255);
    const char *places[] = { dir.path, full };
    for (size_t k = 0; k < 2; k++) { /* above the archive's folder, and in it */
        data_case_named(&c, "cifar10", places[k]);
        if (ftk__dataset_open(&c.q, &d, &err) != FTK_OK)
            fail_msg("%s", err.message);
        const struct ftk__images *im = ftk__dataset_train(d);
        assert_int_equal(im->n, 50000);
        for (int i = 0; i < 50000; i++)
            assert_int_equal(im->label[i], i % BATCH == i / BATCH + 1 ? i / BATCH + 1 : 0);
        assert_true(im->mean[0] == .4914f && im->std[2] == .2010f);
        ftk__dataset_close(d);
    }
    assert_int_equal(ftk__testset_open(&c.q, 0, &t, &err), FTK_OK);
    assert_int_equal(ftk__testset_images(t)->n, BATCH);
    /* image 1, green, row 1, column 1 */
    assert_int_equal(ftk__testset_images(t)->pixels[PIXELS + 1024 + 33], 255);
    assert_int_equal(ftk__testset_images(t)->pixels[PIXELS + 1024 + 34], 0);
    ftk__testset_close(t);
    put_black("cifar-10-batches-bin/data_batch_4.bin", 5 * record + 9, 0, 0);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "data_batch_4.bin: byte 15374 is missing"));
    assert_int_equal(
        unlink(scratch_dir_file(&dir, "cifar-10-batches-bin/data_batch_5.bin", full, sizeof full)),
        0);
    put_black("cifar-10-batches-bin/data_batch_4.bin", BATCH * record, 0, 0);
    data_case_named(&c, "cifar10", dir.path);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_ENOENT);
    assert_non_null(strstr(err.message, "no data_batch_5.bin"));
}

/* Where $FREETICKETS_DATA has no such set, the test says so and is skipped. */
static void case_of_real(struct data_case *c, const char *set, const char *first)
{
    const char *data = getenv("FREETICKETS_DATA");
    char name[600] = "";
    if (data)
        snprintf(name, sizeof name, "%s/%s", data, first);
    if (access(name, R_OK) != 0) {
        print_message("skipped: no data\n");
        skip();
    }
    data_case_named(c, set, "");
}

static void the_real_cifar10(void **state)
{
    (void)state;
    static const int32_t first[] = { 6, 9, 9, 4, 1 };
    static const int32_t first_test[] = { 3, 8, 8, 0, 6 };
    static const double means[] = { .4914, .4822, .4465 };
    struct data_case c;
    struct ftk__dataset *d = NULL;
    struct ftk__testset *t = NULL;
    struct ftk_error err;
    case_of_real(&c, "cifar10", "cifar-10-batches-bin/data_batch_1.bin");
    if (ftk__dataset_open(&c.q, &d, &err) != FTK_OK)
        fail_msg("%s", err.message);
    const struct ftk__images *im = ftk__dataset_train(d);
    assert_memory_equal(im->label, first, sizeof first);
    uint64_t sum[3] = { 0 };
    uint64_t count[10] = { 0 };
    for (uint64_t i = 0; i < im->n; i++) {
        count[im->label[i]]++;
        for (uint32_t k = 0; k < PIXELS; k++)
            sum[k / 1024] += im->pixels[i * PIXELS + k];
    }
    for (uint32_t k = 0; k < 3; k++)
        assert_true(fabs((double)sum[k] / (255.0 * 50000 * 1024) - means[k]) < 1e-3);
    for (uint32_t k = 0; k < 10; k++)
        assert_int_equal(count[k], 5000);
    ftk__dataset_close(d);
    assert_int_equal(ftk__testset_open(&c.q, 0, &t, &err), FTK_OK);
    assert_memory_equal(ftk__testset_images(t)->label, first_test, sizeof first_test);
    ftk__testset_close(t);
}

/* The fine labels: 100 images of each class. */
static void the_real_cifar100(void **state)
{
    (void)state;
    static const int32_t first[] = { 49, 33, 72, 51, 71 };
    struct data_case c;
    struct ftk__testset *t = NULL;
    struct ftk_error err;
    case_of_real(&c, "cifar100", "cifar-100-binary/test.bin");
    if (ftk__testset_open(&c.q, 0, &t, &err) != FTK_OK)
        fail_msg("%s", err.message);
    const struct ftk__images *im = ftk__testset_images(t);
    uint64_t count[100] = { 0 };
    for (uint64_t i = 0; i < im->n; i++)
        count[im->label[i]]++;
    for (uint32_t k = 0; k < 100; k++)
        assert_int_equal(count[k], 100);
    assert_memory_equal(im->label, first, sizeof first);
    ftk__testset_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_cut_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_byte_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_label_is_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(out_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes_are_known_and_missing_files_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(five_batches_follow_each_other, set_up, tear_down),
        cmocka_unit_test(the_real_cifar10),
        cmocka_unit_test(the_real_cifar100),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
