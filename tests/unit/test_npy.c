/* SPDX-License-Identifier: MIT
 * test_npy.c - base/npy.c: round trips, numpy's own bytes, broken files.
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/rng.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct scratch_dir dir;
static char path[512];

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "x.npy", path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static void free_array(const struct ftk__st_array *a)
{
    ftk__free((void *)(uintptr_t)a->data);
}

static const double values[6] = { 1.0, -2.0, 3.5, 0.0, 1e300, -0.0 };
static const uint8_t truths[6] = { 1, 0, 0, 1, 1, 0 };

static void round_trip(void **state)
{
    (void)state;
    static const struct ftk__st_array arrays[] = {
        { NULL, FTK__F32, 2, { 3, 4 }, values },
        { NULL, FTK__F64, 1, { 6 }, values },
        { NULL, FTK__U8, 3, { 1, 2, 3 }, values },
        { NULL, FTK__I32, 0, { 0 }, values },
        { NULL, FTK__I64, 2, { 0, 5 }, values },
        { NULL, FTK__BOOL, 1, { 6 }, truths },
        { NULL, FTK__U8, 8, { 1, 1, 1, 1, 1, 1, 1, 2 }, values },
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        const struct ftk__st_array *a = &arrays[i];
        struct ftk__st_array b;
        uint64_t size = 0;
        uint64_t n = ftk__st_count(a) * ftk__dtype_bytes(a->dtype);
        assert_int_equal(ftk__npy_write(path, a, NULL), FTK_OK);
        assert_int_equal(ftk__file_size(path, &size, NULL), FTK_OK);
        assert_int_equal((size - n) % 64, 0);
        assert_int_equal(ftk__npy_read(path, &b, NULL), FTK_OK);
        assert_int_equal(b.dtype, a->dtype);
        assert_int_equal(b.n_dims, a->n_dims);
        assert_memory_equal(b.dims, a->dims, sizeof b.dims);
        assert_int_equal((uintptr_t)b.data % 64, 0);
        if (n > 0)
            assert_memory_equal(b.data, a->data, (size_t)n);
        assert_null(b.name);
        free_array(&b);
    }
}

/* Magic, version 1.0, this header, n bytes of value 7. */
static void put_file(const char *header, size_t n)
{
    unsigned char text[1024] = "\x93NUMPY\1";
    size_t len = strlen(header);
    assert_true(10 + len + n <= sizeof text);
    text[8] = (unsigned char)len;
    text[9] = (unsigned char)(len >> 8);
    memcpy(text + 10, header, len);
    memset(text + 10 + len, 7, n);
    scratch_dir_put(&dir, "x.npy", text, 10 + len + n);
}

static void any_spacing_and_order(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n",
        "{'shape':(2,),'descr':'<f4','fortran_order':False}",
        "{ 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<f4' }\n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct ftk__st_array a;
        put_file(headers[i], 8);
        assert_int_equal(ftk__npy_read(path, &a, NULL), FTK_OK);
        assert_int_equal(a.dims[0], 2);
        free_array(&a);
    }
}

static void refused(const char *what)
{
    struct ftk__st_array a;
    struct ftk_error err = { 0 };
    uint64_t alive = ftk__mem_stats().alive;
    assert_int_equal(ftk__npy_read(path, &a, &err), FTK_EINVAL);
    if (!strstr(err.message, what) || !strstr(err.message, "x.npy: byte "))
        fail_msg("expected '%s' in '%s'", what, err.message);
    assert_int_equal(ftk__error_exit_code(&err), 65);
    assert_int_equal(ftk__mem_stats().alive, alive);
}

static void bad_headers_are_named(void **state)
{
    (void)state;
#define H(descr, order, shape)                                                                     \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"
    static const struct {
        const char *header;
        size_t n;
        const char *what;
    } cases[] = {
        { "", 0, "byte 10: expected '{'" },
        { "{}", 0, "'shape' is missing" },
        { "{'x': 1}", 0, "byte 11: expected 'descr'" },
        { "{'descr': '<f4', 'descr': '<f4', }", 0, "each once" },
        { "{'descr' '<f4'}", 0, "byte 19: expected ':'" },
        { "{'descr': '<f4' 'shape': (1,)}", 0, "byte 26: expected ','" },
        { H("'>f4'", "False", "(1,)"), 4, "byte 21: 'descr' is none of" },
        { H("'<f2'", "False", "(1,)"), 2, "byte 21: 'descr' is none of" },
        { H("[('a', '<f4')]", "False", "(1,)"), 4, "'descr' is not a string" },
        { H("'<f44'", "False", "(1,)"), 4, "byte 24: expected the end of 'descr'" },
        { H("'<f4'", "True", "(1,)"), 4, "'fortran_order' is not False" },
        { H("'<f4'", "False", "1"), 4, "'shape' is not a tuple" },
        { H("'<f4'", "False", "(1)"), 4, "needs a ','" },
        { H("'<f4'", "False", "(1 1)"), 4, "expected ',' or ')'" },
        { H("'<f4'", "False", "(-1,)"), 4, "expected a dimension" },
        { H("'<f4'", "False", "(,)"), 4, "expected a dimension" },
        { H("'<f4'", "False", "(1,1,1,1,1,1,1,1,1)"), 4, "more than 8 dimensions" },
        { H("'<f4'", "False", "(99999999999999999999,)"), 4, "a dimension is above 2^63" },
        { H("'<f4'", "False", "(4611686018427387904, 4)"), 4, "more than 2^63 bytes" },
        { H("'<f4'", "False", "(1,)") "x", 4, "text after the header" },
        { H("'<f4'", "False", "(1,)"), 3, "byte 71: 3 bytes follow the header, not the 4" },
        { H("'<f4'", "False", "(1,)"), 5, "byte 72: 5 bytes follow the header, not the 4" },
        { H("'|b1'", "False", "(1,)"), 1, "byte 68: no boolean" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file(cases[i].header, cases[i].n);
        refused(cases[i].what);
    }
    scratch_dir_put(&dir, "x.npy", "", 0);
    refused("byte 0: not a .npy file");
    scratch_dir_put(&dir, "x.npy", "\x93NUMPX\1\0", 8);
    refused("byte 5: not a .npy file");
    scratch_dir_put(&dir, "x.npy", "\x93NUMPY\2\0\0\0", 10);
    refused("byte 6: not version 1.0");
    scratch_dir_put(&dir, "x.npy", "\x93NUMPY\1\0\1", 9);
    refused("byte 9: the file ends within the header's length");
    scratch_dir_put(&dir, "x.npy", "\x93NUMPY\1\0\x40\0{", 11);
    refused("byte 11: the file ends within the header");
}

static void broken_files_never_crash(void **state)
{
    (void)state;
    const struct ftk__st_array a = { NULL, FTK__F64, 2, { 2, 3 }, values };
    char *good;
    uint64_t n;
    assert_int_equal(ftk__npy_write(path, &a, NULL), FTK_OK);
    assert_int_equal(ftk__file_read(path, 10000, &good, &n, NULL), FTK_OK);
    ftk_rng r = ftk__rng_stream(2, FTK__FOR_SYNTHETIC, 0, 0, 0);
    unsigned n_refused = 0;
    for (unsigned i = 0; i < 2000; i++) {
        char text[1024];
        assert_true(n <= sizeof text);
        memcpy(text, good, (size_t)n);
        text[ftk__rng_below(&r, 100)] = (char)ftk__rng_below(&r, 256);
        uint64_t length = i % 2 ? n : ftk__rng_below(&r, n);
        scratch_dir_put(&dir, "x.npy", text, (size_t)length);
        struct ftk__st_array b;
        struct ftk_error err;
        if (ftk__npy_read(path, &b, &err) == FTK_OK)
            free_array(&b);
        else
            n_refused++;
    }
    ftk__free(good);
    assert_in_range(n_refused, 1500, 1999);
}

static void a_folder_is_no_file(void **state)
{
    (void)state;
    struct ftk__st_array a;
    struct ftk_error err = { 0 };
    assert_true(ftk__npy_read_shape("/", &a, &err) < 0);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_IO);
    assert_string_equal(err.message, "cannot read /: Is a directory");
}

static ftk_status write_and_read(void *arg)
{
    (void)arg;
    const struct ftk__st_array a = { NULL, FTK__F64, 2, { 2, 3 }, values };
    struct ftk__st_array b;
    struct ftk_error err;
    ftk_status st = ftk__npy_write(path, &a, &err);
    if (st == FTK_OK)
        st = ftk__npy_read(path, &b, &err);
    if (st == FTK_OK)
        free_array(&b);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(write_and_read, NULL, 1) >= 5);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(any_spacing_and_order),
        TEST(bad_headers_are_named),
        TEST(broken_files_never_crash),
        TEST(a_folder_is_no_file),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
