/* SPDX-License-Identifier: MIT
 * test_mat5.c - data/mat5.c, packed.c and set_svhn.c: files made here, good ones and files wrong at
 * every place.
 */
#include "base/mem.h"
#include "builtin_case.h"
#include "data/mat5.h"
#include "data/svhn.h"
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

enum {
    HEADER = 128,
    N = 3,
    SIDE = 32,
    PIXELS = 3 * SIDE * SIDE,
    MX_DOUBLE = 6,
    MX_UINT8 = 9,
    ROOM = 2 * N * PIXELS + 4096
};

/* A file in the making. */
struct bytes {
    uint8_t b[ROOM];
    size_t n;
};
static struct scratch_dir dir;
static char path[512];
/* As MATLAB has them: row fastest, then column, channel, image. */
static uint8_t pixels[N * PIXELS];
static const uint8_t labels[N] = { 1, 9, 10 };

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "x.mat", path, sizeof path);
    for (uint32_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 37 + i / 251);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static void add(struct bytes *f, const void *data, size_t n)
{
    assert_true(f->n + n <= ROOM);
    memcpy(f->b + f->n, data, n);
    f->n += n;
}

static void add_u32(struct bytes *f, uint32_t v)
{
    uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
    add(f, b, sizeof b);
}

static void add_element(struct bytes *f, uint32_t type, const void *data, uint32_t n)
{
    static const uint8_t zero[8];
    add_u32(f, type);
    add_u32(f, n);
    add(f, data, n);
    add(f, zero, (8 - n % 8) % 8);
}

static void add_header(struct bytes *f)
{
    static const char text[116] = "MATLAB 5.0 MAT-file, made by a test";
    static const uint8_t end[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'I', 'M' };
    f->n = 0;
    add(f, text, sizeof text);
    add(f, end, sizeof end);
}

/* The content of an array, in memory as in the file. */
static void add_matrix(struct bytes *f, uint32_t class, const char *name, const uint32_t *dims,
                       uint32_t n_dims, const uint8_t *data, uint32_t n)
{
    struct bytes *in = calloc(1, sizeof *in);
    struct bytes d = { .n = 0 };
    const uint8_t flags[8] = { (uint8_t) class };
    assert_non_null(in);
    add_element(in, 6, flags, sizeof flags);
    for (uint32_t i = 0; i < n_dims; i++)
        add_u32(&d, dims[i]);
    add_element(in, 5, d.b, (uint32_t)d.n);
    if (strlen(name) <= 4) { /* a small element */
        uint8_t small[8] = { 1, 0, (uint8_t)strlen(name), 0 };
        memcpy(small + 4, name, strlen(name));
        add(in, small, sizeof small);
    } else {
        add_element(in, 1, name, (uint32_t)strlen(name));
    }
    add_element(in, 2, data, n);
    add_u32(f, 14);
    add_u32(f, (uint32_t)in->n);
    add(f, in->b, in->n);
    free(in);
}

static void add_compressed(struct bytes *f, const uint8_t *data, size_t n)
{
    uint8_t *z = malloc(n + n / 100 + 64);
    uLongf zn = (uLongf)(n + n / 100 + 64);
    assert_non_null(z);
    assert_int_equal(compress2(z, &zn, data, (uLong)n, 6), Z_OK);
    add_u32(f, 15);
    add_u32(f, (uint32_t)zn);
    add(f, z, zn);
    free(z);
}

static void add_array(struct bytes *f, bool compressed, uint32_t class, const char *name,
                      const uint32_t *dims, uint32_t n_dims, const uint8_t *data, uint32_t n)
{
    struct bytes *m = calloc(1, sizeof *m);
    assert_non_null(m);
    add_matrix(m, class, name, dims, n_dims, data, n);
    if (compressed)
        add_compressed(f, m->b, m->n);
    else
        add(f, m->b, m->n);
    free(m);
}

static void put(const struct bytes *f)
{
    scratch_dir_put(&dir, "x.mat", f->b, f->n);
}

/* X and y as SVHN has them, and before them something else. */
static void make_svhn(struct bytes *f, bool compressed, uint32_t class_of_y)
{
    const uint32_t x_dims[] = { SIDE, SIDE, 3, N };
    const uint32_t y_dims[] = { N, 1 };
    const uint32_t other[] = { 1, 2, 1, 1, 5 };
    add_header(f);
    add_array(f, compressed, MX_UINT8, "something_else", other, 5, pixels, 10);
    add_array(f, compressed, MX_UINT8, "X", x_dims, 4, pixels, sizeof pixels);
    add_array(f, compressed, class_of_y, "y", y_dims, 2, labels, N);
}

static void assert_svhn(void)
{
    struct ftk__store s;
    struct ftk_error err;
    if (ftk__svhn_read(path, 0, &s, &err) != FTK_OK)
        fail_msg("%s", err.message);
    assert_int_equal(s.n, N);
    assert_int_equal(s.classes, 10);
    assert_int_equal(s.label[0], 1);
    assert_int_equal(s.label[1], 9);
    assert_int_equal(s.label[2], 0);
    for (uint32_t i = 0; i < N * 3; i++)
        for (uint32_t y = 0; y < SIDE; y++)
            for (uint32_t x = 0; x < SIDE; x++)
                assert_int_equal(s.pixels[(i * SIDE + y) * SIDE + x],
                                 pixels[(i * SIDE + x) * SIDE + y]);
    ftk__store_done(&s);
}

static void plain_and_compressed(void **state)
{
    (void)state;
    struct bytes *f = calloc(1, sizeof *f);
    make_svhn(f, true, MX_UINT8);
    put(f);
    assert_svhn();
    make_svhn(f, false, MX_UINT8);
    put(f);
    assert_svhn();
    make_svhn(f, true, MX_DOUBLE); /* MATLAB stores whole doubles as bytes */
    put(f);
    assert_svhn();
    free(f);
}

static const struct ftk__mat5_array want_v = { .n_dims = 2, .dims = { 2, 3 } };

static void make_small(struct bytes *f, bool compressed)
{
    const uint32_t dims[] = { 2, 3 };
    static const uint8_t six[] = { 11, 12, 13, 14, 15, 16 };
    add_header(f);
    add_array(f, compressed, MX_UINT8, "v", dims, 2, six, 6);
}

static void assert_refused(const char *text)
{
    struct ftk__mat5_array a = { 0 };
    struct ftk_error err = { 0 };
    ftk_status st = ftk__mat5_read(path, "v", &want_v, &a, &err);
    if (st != FTK_EINVAL)
        fail_msg("status %d where '%s' is expected: %s", (int)st, text, err.message);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    assert_null(a.bytes);
    if (strncmp(err.message, path, strlen(path)) != 0 || !strstr(err.message, text))
        fail_msg("\"%s\" is not about %s: %s", err.message, path, text);
}

/* Of a plain file: every byte that means something, changed, is what the error names, or the field
 * that it belongs to. */
static void each_field_is_checked(void **state)
{
    (void)state;
    enum { TAG = HEADER, FLAGS = TAG + 8, DIMS = FLAGS + 16, NAME = DIMS + 16, DATA = NAME + 8 };
    static const struct {
        size_t at;
        uint8_t value;
        const char *text;
    } cases[] = {
        { 0, 0, "byte 0: 0 in the text: MAT version 4" },
        { 3, 0, "byte 3: 0 in the text: MAT version 4" },
        { 124, 1, "byte 124: MAT version 0x0101; version 5 is read" },
        { 125, 2, "byte 125: MAT version 7.3 (HDF5); version 5 is read" },
        { 125, 3, "byte 125: MAT version 0x0300" },
        { 126, 'X', "byte 126: 0x58" },
        { 127, 'I', "byte 127: 0x49" },
        { TAG, 9, "byte 128: an element of type 9, expected 14" },
        { TAG + 2, 4, "byte 128: an element of type 14" },
        { TAG + 2, 5, "byte 130: a small element has 5 bytes" },
        { TAG + 5, 1, "byte 192: missing, the file ends there" },
        { TAG + 4, 40, "byte 176: missing, the element ends there" },
        { FLAGS, 5, "byte 136: array flags: an element of type 5, expected 6" },
        { FLAGS + 4, 7, "byte 140: array flags: 7 bytes, not 8" },
        { FLAGS + 4, 9, "byte 140: array flags: 9 bytes, at most 8" },
        { FLAGS + 8, 10, "byte 144: v is of class 10" },
        { FLAGS + 9, 8, "byte 145: the array is complex" },
        { DIMS, 6, "byte 152: dimensions: an element of type 6, expected 5" },
        { DIMS + 4, 9, "byte 156: dimensions: 9 bytes" },
        { DIMS + 4, 4, "byte 156: dimensions: 4 bytes" },
        { DIMS + 5, 1, "byte 156: dimensions: 264 bytes, at most 128" },
        { DIMS + 8, 3, "byte 160: dimension 1 is 3, expected 2" },
        { DIMS + 15, 1, "byte 164: dimension 2 is 16777219, expected 3" },
        { NAME, 2, "byte 168: the name: an element of type 2, expected 1" },
        { NAME + 2, 5, "byte 170: a small element has 5 bytes" },
        { NAME + 4, 'w', "byte 192: the file ends without a variable 'v'" },
        { DATA, 3, "byte 176: elements: an element of type 3, expected 2" },
        { DATA + 4, 5, "byte 180: 5 bytes of elements, the dimensions ask for 6" },
        { DATA + 7, 255, "byte 180:" },
    };
    struct bytes *f = calloc(1, sizeof *f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_small(f, false);
        assert_int_equal(f->n, 192);
        f->b[cases[i].at] = cases[i].value;
        put(f);
        assert_refused(cases[i].text);
    }
    make_small(f, false);
    f->b[126] = 'M';
    f->b[127] = 'I';
    put(f);
    assert_refused("byte 126: \"MI\": a big-endian file");
    memcpy(f->b, "\211HDF\r\n\032\n", 8);
    put(f);
    assert_refused("byte 0: an HDF5 file");
    free(f);
}

/* Whatever a byte of the file becomes, there is no crash and no wrong success with other elements;
 * what is skipped (text, filling, the flags' spare bytes) may change. */
static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    struct bytes *f = calloc(1, sizeof *f);
    for (int compressed = 0; compressed < 2; compressed++) {
        make_small(f, compressed != 0);
        for (size_t at = 0; at < f->n; at++) {
            for (int bit = 0; bit < 8; bit++) {
                struct ftk__mat5_array a = { 0 };
                struct ftk_error err = { 0 };
                f->b[at] ^= (uint8_t)(1 << bit);
                put(f);
                f->b[at] ^= (uint8_t)(1 << bit);
                ftk_status st = ftk__mat5_read(path, "v", &want_v, &a, &err);
                if (st == FTK_OK)
                    assert_int_equal(a.n, 6);
                else
                    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
                ftk__free(a.bytes);
            }
        }
    }
    free(f);
}

static void each_cut_is_named(void **state)
{
    (void)state;
    struct bytes *f = calloc(1, sizeof *f);
    char text[64];
    make_small(f, false);
    size_t n = f->n;
    for (f->n = 0; f->n < n; f->n++) {
        put(f);
        if (f->n == HEADER)
            snprintf(text, sizeof text, "byte %d: the file ends without a variable", HEADER);
        else
            snprintf(text, sizeof text, "byte %zu: missing, the file ends there", f->n);
        assert_refused(text);
    }
    make_small(f, true);
    n = f->n;
    for (f->n = 0; f->n < n; f->n++) {
        put(f);
        snprintf(text, sizeof text, "byte %zu", f->n);
        assert_refused(text);
    }
    free(f);
}

/* A wrong byte in what is compressed is named as such; so is damage of the compressed bytes. */
static void inside_of_compressed(void **state)
{
    (void)state;
    struct bytes *m = calloc(1, sizeof *m);
    struct bytes *f = calloc(1, sizeof *f);
    const uint32_t dims[] = { 2, 3 };
    const uint32_t wrong_dims[] = { 2, 4 };
    static const uint8_t eight[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    add_header(f);
    add_array(f, true, MX_UINT8, "v", wrong_dims, 2, eight, 8);
    put(f);
    assert_refused("byte 36 of what is compressed at byte 136: dimension 2 is 4, expected 3");
    make_small(f, true);
    f->b[f->n - 1] ^= 1;
    put(f);
    assert_refused("damaged zlib data at or before byte");
    /* more in it than it says */
    add_matrix(m, MX_UINT8, "v", dims, 2, eight, 6);
    add(m, eight, 8);
    add_header(f);
    add_compressed(f, m->b, m->n);
    put(f);
    assert_refused("byte 64 of what is compressed at byte 136: the element should end there");
    /* an element that claims what no stream of its size can hold */
    m->b[7] = 0xff;
    add_header(f);
    add_compressed(f, m->b, m->n);
    put(f);
    assert_refused("more than");
    /* bytes after the stream */
    make_small(f, true);
    f->b[132] = (uint8_t)(f->b[132] + 4);
    add_u32(f, 0);
    put(f);
    assert_refused("the compressed data end there");
    free(f);
    free(m);
}

static void labels_are_checked(void **state)
{
    (void)state;
    const uint32_t x_dims[] = { SIDE, SIDE, 3, N };
    const uint32_t y_dims[] = { N, 1 };
    const uint8_t bad[][N] = { { 1, 11, 2 }, { 0, 1, 2 } };
    struct bytes *f = calloc(1, sizeof *f);
    for (size_t i = 0; i < 2; i++) {
        struct ftk__store s;
        struct ftk_error err;
        char text[64];
        add_header(f);
        add_array(f, false, MX_UINT8, "X", x_dims, 4, pixels, sizeof pixels);
        size_t y_at = f->n + 8 + 16 + 16 + 8 + 8;
        add_array(f, false, MX_UINT8, "y", y_dims, 2, bad[i], N);
        put(f);
        assert_int_equal(ftk__svhn_read(path, 0, &s, &err), FTK_EINVAL);
        snprintf(text, sizeof text, "byte %zu: a label is not 1 to 10", y_at + (i == 0 ? 1 : 0));
        if (!strstr(err.message, text))
            fail_msg("\"%s\" has no '%s'", err.message, text);
    }
    free(f);
}

static ftk_status read_once(void *arg)
{
    struct ftk__store s;
    (void)arg;
    ftk_status st = ftk__svhn_read(path, 0, &s, NULL);
    if (st == FTK_OK)
        ftk__store_done(&s);
    return st;
}

static void out_of_memory(void **state)
{
    (void)state;
    struct bytes *f = calloc(1, sizeof *f);
    make_svhn(f, true, MX_UINT8);
    put(f);
    assert_true(ftk_oom_sweep(read_once, NULL, 1) >= 8);
    free(f);
}

static void the_set(void **state)
{
    (void)state;
    struct data_case c;
    struct ftk__data_info info;
    struct ftk__dataset *d = NULL;
    struct ftk_error err;
    struct bytes *f = calloc(1, sizeof *f);
    data_case_named(&c, "svhn", dir.path);
    assert_int_equal(ftk__data_info(&c.q, &info, NULL), FTK_OK);
    assert_int_equal(info.n_train, 73257);
    assert_int_equal(info.n_test, 26032);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_NO_DATA);
    assert_non_null(strstr(err.message, "train_32x32.mat"));
    assert_non_null(strstr(err.message, "freetickets data fetch svhn"));
    make_svhn(f, true, MX_UINT8);
    scratch_dir_put(&dir, "train_32x32.mat", f->b, f->n);
    assert_int_equal(ftk__dataset_open(&c.q, &d, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "dimension 4 is 3, expected 73257"));
    free(f);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(plain_and_compressed),  IN_FOLDER(each_field_is_checked),
        IN_FOLDER(any_byte_may_be_wrong), IN_FOLDER(each_cut_is_named),
        IN_FOLDER(inside_of_compressed),  IN_FOLDER(labels_are_checked),
        IN_FOLDER(out_of_memory),         IN_FOLDER(the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
