/* SPDX-License-Identifier: MIT
 * test_idx.c - data/idx.c and gzip.c: good files, and files wrong at every place.
 */
#include "base/mem.h"
#include "data/idx.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

/* 5 images of 2x3 and their labels of 4 classes. */
enum {
    N = 5,
    HEIGHT = 2,
    WIDTH = 3,
    CLASSES = 4,
    HEAD = 16,
    IMAGE_BYTES = HEAD + N * 6,
    LABEL_HEAD = 8,
    LABEL_BYTES = LABEL_HEAD + N
};

static struct scratch_dir dir;
static char images[300], labels[300];
static uint8_t image_file[IMAGE_BYTES] = {
    0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH
};
static const uint8_t label_file[LABEL_BYTES] = { 0, 0, 8, 1, 0, 0, 0, N, 3, 1, 0, 2, 3 };
static const struct ftk__idx_shape any_images = { 3, { 0, 0, 0 } };

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "images", images, sizeof images);
    scratch_dir_file(&dir, "labels", labels, sizeof labels);
    for (uint32_t i = HEAD; i < IMAGE_BYTES; i++)
        image_file[i] = (uint8_t)(7 * i + 1);
    scratch_dir_put(&dir, "images", image_file, sizeof image_file);
    scratch_dir_put(&dir, "labels", label_file, sizeof label_file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

/* One gzip member; returns its bytes. */
static size_t compress_gz(const void *data, size_t n, uint8_t *ret, size_t cap)
{
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uint8_t copy[256];
    assert_true(n <= sizeof copy);
    memcpy(copy, data, n);
    z.next_in = copy;
    z.avail_in = (unsigned)n;
    z.next_out = ret;
    z.avail_out = (unsigned)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t bytes = z.total_out;
    deflateEnd(&z);
    return bytes;
}

static ftk_status load(struct ftk__store *s, struct ftk_error *err)
{
    return ftk__idx_load(images, labels, &any_images, CLASSES, s, err);
}

static void assert_loads(void)
{
    struct ftk__store s = { 0 };
    struct ftk_error err;
    if (load(&s, &err) != FTK_OK)
        fail_msg("%s", err.message);
    assert_int_equal(s.n, N);
    assert_int_equal(s.shape[0], 1);
    assert_int_equal(s.shape[1], HEIGHT);
    assert_int_equal(s.shape[2], WIDTH);
    assert_int_equal(s.classes, CLASSES);
    assert_memory_equal(s.pixels, image_file + HEAD, IMAGE_BYTES - HEAD);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(s.label[i], label_file[LABEL_HEAD + i]);
    ftk__store_done(&s);
}

/* Fails as wrong data, in the file `name`, with `text` in the message. */
static void assert_refused(const char *name, const char *text)
{
    struct ftk__store s = { 0 };
    struct ftk_error err = { 0 };
    assert_int_equal(load(&s, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    assert_null(s.pixels);
    char start[400];
    int n = snprintf(start, sizeof start, "%s/%s: ", dir.path, name);
    if (strncmp(err.message, start, (size_t)n) != 0 || !strstr(err.message, text))
        fail_msg("\"%s\" is not about %s%s", err.message, start, text);
}

static void plain_and_compressed(void **state)
{
    (void)state;
    assert_loads();
    uint8_t gz[512];
    scratch_dir_put(&dir, "images", gz, compress_gz(image_file, sizeof image_file, gz, sizeof gz));
    assert_loads();
    scratch_dir_put(&dir, "labels", gz, compress_gz(label_file, sizeof label_file, gz, sizeof gz));
    assert_loads();
    /* two members, the second starts within the header */
    size_t first = compress_gz(image_file, 10, gz, sizeof gz);
    size_t second =
        compress_gz(image_file + 10, sizeof image_file - 10, gz + first, sizeof gz - first);
    scratch_dir_put(&dir, "images", gz, first + second);
    assert_loads();
}

static void each_header_byte_is_checked(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < HEAD; at++) {
        uint8_t bad[IMAGE_BYTES];
        memcpy(bad, image_file, sizeof bad);
        bad[at] ^= 0x40;
        scratch_dir_put(&dir, "images", bad, sizeof bad);
        char text[64];
        if (at < 4)
            snprintf(text, sizeof text, "byte %u is 0x%02x", at, bad[at]);
        else /* a dimension, now too large: bytes are missing at the end */
            snprintf(text, sizeof text, at == 4 || at == 8 ? "byte" : "byte %u", IMAGE_BYTES);
        assert_refused("images", text);
    }
    for (uint32_t at = 0; at < LABEL_HEAD; at++) {
        uint8_t bad[LABEL_BYTES];
        memcpy(bad, label_file, sizeof bad);
        bad[at] ^= 0x40;
        scratch_dir_put(&dir, "images", image_file, sizeof image_file);
        scratch_dir_put(&dir, "labels", bad, sizeof bad);
        assert_refused("labels", "byte");
    }
}

static void wanted_dimensions_are_compared(void **state)
{
    (void)state;
    const struct ftk__idx_shape want = { 3, { N, HEIGHT, 0x01000203 } };
    struct ftk__store s = { 0 };
    struct ftk_error err;
    assert_int_equal(ftk__idx_load(images, labels, &want, CLASSES, &s, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "byte 12: a dimension is 3, expected 16777731"));
    const struct ftk__idx_shape near = { 3, { N, HEIGHT, 0x00000203 } };
    assert_int_equal(ftk__idx_load(images, labels, &near, CLASSES, &s, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "byte 14: a dimension is 3, expected 515"));
    uint8_t bad[IMAGE_BYTES];
    memcpy(bad, image_file, sizeof bad);
    bad[11] = 0;
    scratch_dir_put(&dir, "images", bad, sizeof bad);
    assert_refused("images", "byte 8: a dimension is 0");
    memset(bad + 4, 0xff, 12);
    scratch_dir_put(&dir, "images", bad, sizeof bad);
    assert_refused("images", "byte 8: the dimensions up to here ask for more than 2^47 bytes");
}

static void each_length_is_checked(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < IMAGE_BYTES; n++) {
        char text[64];
        snprintf(text, sizeof text, "byte %u is missing", n);
        scratch_dir_put(&dir, "images", image_file, n);
        assert_refused("images", text);
    }
    uint8_t more[IMAGE_BYTES + 1] = { 0 };
    memcpy(more, image_file, sizeof image_file);
    scratch_dir_put(&dir, "images", more, sizeof more);
    assert_refused("images", "byte 46 is one too many");
    scratch_dir_put(&dir, "images", image_file, sizeof image_file);
    for (uint32_t n = 0; n < LABEL_BYTES; n++) {
        char text[64];
        snprintf(text, sizeof text, "byte %u is missing", n);
        scratch_dir_put(&dir, "labels", label_file, n);
        assert_refused("labels", text);
    }
}

/* Else the next file, which has other dimensions, would bear the blame. */
static void absurd_dimensions_are_no_shape(void **state)
{
    (void)state;
    const struct ftk__idx_shape want = { .n_dims = 3 };
    struct ftk__idx_shape shape;
    struct ftk_error err = { 0 };
    char path[300];
    uint8_t bad[IMAGE_BYTES];
    memcpy(bad, image_file, sizeof bad);
    memset(bad + 4, 0xff, 12);
    scratch_dir_put(&dir, "images", bad, sizeof bad);
    scratch_dir_file(&dir, "images", path, sizeof path);
    assert_int_equal(ftk__idx_read_shape(path, &want, &shape, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    assert_non_null(strstr(err.message, "byte 8: the dimensions up to here ask for more than"));
}

/* A header that asks for terabytes costs no more than what is there. */
static void a_lying_header_takes_no_memory(void **state)
{
    (void)state;
    uint8_t bad[IMAGE_BYTES];
    memcpy(bad, image_file, sizeof bad);
    bad[4] = 0x80;
    bad[10] = 0x10;
    scratch_dir_put(&dir, "images", bad, sizeof bad);
    assert_refused("images", "byte 46 is missing");
}

static void truncated_gzip(void **state)
{
    (void)state;
    uint8_t gz[512];
    size_t bytes = compress_gz(image_file, sizeof image_file, gz, sizeof gz);
    for (size_t n = 2; n < bytes; n++) {
        char text[64];
        snprintf(text, sizeof text, "damaged gzip data at or before byte %zu of", n);
        scratch_dir_put(&dir, "images", gz, n);
        assert_refused("images", text);
    }
    gz[bytes] = 'x';
    scratch_dir_put(&dir, "images", gz, bytes + 1);
    assert_refused("images", "damaged gzip data");
}

/* Some bits say nothing about the content (flags, time, system, padding before the checksum); no
 * change may pass as other data. */
static void each_changed_gzip_byte(void **state)
{
    (void)state;
    uint8_t gz[512];
    size_t bytes = compress_gz(image_file, sizeof image_file, gz, sizeof gz);
    uint32_t refused = 0;
    for (size_t at = 0; at < bytes; at++) {
        for (uint32_t bit = 0; bit < 8; bit++) {
            struct ftk__store s = { 0 };
            struct ftk_error err = { 0 };
            gz[at] ^= (uint8_t)(1u << bit);
            scratch_dir_put(&dir, "images", gz, bytes);
            gz[at] ^= (uint8_t)(1u << bit);
            if (load(&s, &err) == FTK_OK) {
                assert_memory_equal(s.pixels, image_file + HEAD, IMAGE_BYTES - HEAD);
                ftk__store_done(&s);
                continue;
            }
            assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
            refused++;
        }
    }
    assert_true(refused >= 8 * (bytes - 8));
}

static void swapped_files(void **state)
{
    (void)state;
    scratch_dir_put(&dir, "images", label_file, sizeof label_file);
    assert_refused("images", "byte 3 is 0x01, expected 0x03: these are labels, not images");
    scratch_dir_put(&dir, "images", image_file, sizeof image_file);
    scratch_dir_put(&dir, "labels", image_file, sizeof image_file);
    assert_refused("labels", "byte 3 is 0x03, expected 0x01: these are images, not labels");
    /* labels of another split */
    uint8_t fewer[LABEL_BYTES - 1];
    memcpy(fewer, label_file, sizeof fewer);
    fewer[7] = N - 1;
    scratch_dir_put(&dir, "labels", fewer, sizeof fewer);
    assert_refused("labels", "byte 4: 4 labels, but there are 5 images");
}

static void labels_out_of_range(void **state)
{
    (void)state;
    uint8_t bad[LABEL_BYTES];
    memcpy(bad, label_file, sizeof bad);
    bad[LABEL_HEAD + 2] = CLASSES;
    scratch_dir_put(&dir, "labels", bad, sizeof bad);
    assert_refused("labels", "byte 10: label 4 is not below 4, the number of classes");
}

static void missing_and_unreadable_files(void **state)
{
    (void)state;
    struct ftk__store s = { 0 };
    struct ftk_error err;
    assert_int_equal(remove(labels), 0);
    assert_int_equal(load(&s, &err), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_NO_DATA);
    assert_non_null(strstr(err.message, "labels: no such file"));
    assert_int_equal(ftk__idx_load(dir.path, labels, &any_images, CLASSES, &s, &err), FTK_EIO);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_IO);
}

/* Content larger than the reader's buffer and than what it allocates at first is put together. */
static void large_files(void **state)
{
    (void)state;
    enum { ROWS = 3 << 14, COLUMNS = 1 << 11, BYTES = 16 + ROWS * COLUMNS };
    uint8_t *file = malloc(BYTES);
    const uint8_t head[HEAD] = { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0xc0, 0, 0, 0, 8, 0 };
    memcpy(file, head, sizeof head);
    for (uint32_t i = HEAD; i < BYTES; i++)
        file[i] = (uint8_t)(i * 2654435761u >> 24);
    gzFile gz = gzopen(images, "wb1");
    assert_int_equal(gzwrite(gz, file, BYTES), BYTES);
    assert_int_equal(gzclose(gz), Z_OK);
    struct ftk__idx_shape shape;
    uint8_t *bytes = NULL;
    assert_int_equal(ftk__idx_read(images, &any_images, &shape, &bytes, NULL), FTK_OK);
    assert_int_equal(shape.dims[1], ROWS);
    assert_int_equal(shape.dims[2], COLUMNS);
    assert_memory_equal(bytes, file + HEAD, BYTES - HEAD);
    ftk__free(bytes);
    free(file);
}

static ftk_status load_and_free(void *arg)
{
    (void)arg;
    struct ftk__store s = { 0 };
    ftk_status st = load(&s, NULL);
    ftk__store_done(&s);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    uint8_t gz[512];
    scratch_dir_put(&dir, "images", gz, compress_gz(image_file, sizeof image_file, gz, sizeof gz));
    assert_true(ftk_oom_sweep(load_and_free, NULL, 1) >= 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_and_compressed),
        TEST(each_header_byte_is_checked),
        TEST(wanted_dimensions_are_compared),
        TEST(each_length_is_checked),
        TEST(a_lying_header_takes_no_memory),
        TEST(absurd_dimensions_are_no_shape),
        TEST(truncated_gzip),
        TEST(each_changed_gzip_byte),
        TEST(swapped_files),
        TEST(labels_out_of_range),
        TEST(missing_and_unreadable_files),
        TEST(large_files),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
