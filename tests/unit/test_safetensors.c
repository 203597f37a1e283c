/* SPDX-License-Identifier: MIT
 * test_safetensors.c - base/safetensors.c and base/stread.c: round trips and broken files.
 */
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scratch_dir dir;
static char path[512];

static int set_up(void **state)
{
    (void)state;
    ftk__json_setup();
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "x.safetensors", path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static const float weights[6] = { 1.0f, -2.5f, 0.0f, 3e-45f, 1e38f, -0.0f };
static const uint8_t bytes[3] = { 0, 128, 255 };
static const int64_t longs[1] = { INT64_MIN };
static const uint8_t truths[4] = { 0, 1, 1, 0 };

/* Misaligned on purpose: 3 bytes, then floats. */
static const struct ftk__st_array arrays[] = {
    { "mask \"quoted\\\" \xc3\xa4", FTK__U8, 1, { 3 }, bytes },
    { "fc1.weight", FTK__F32, 2, { 2, 3 }, weights },
    { "empty", FTK__F64, 2, { 4, 0 }, NULL },
    { "step", FTK__I64, 0, { 0 }, longs },
    { "fired", FTK__BOOL, 3, { 1, 2, 2 }, truths },
};
enum { N_ARRAYS = sizeof arrays / sizeof *arrays };
static const struct ftk__st_meta meta[] = { { "seed", "1" }, { "line", "a\nb" } };

static void round_trip(void **state)
{
    (void)state;
    assert_int_equal(ftk__st_write(path, arrays, N_ARRAYS, meta, 2, NULL), FTK_OK);
    struct ftk__st_file f;
    assert_int_equal(ftk__st_open(path, &f, NULL), FTK_OK);
    assert_int_equal(f.n, N_ARRAYS);
    for (unsigned i = 0; i < N_ARRAYS; i++) {
        const struct ftk__st_array *a = &f.arrays[i];
        assert_string_equal(a->name, arrays[i].name);
        assert_int_equal(a->dtype, arrays[i].dtype);
        assert_int_equal(a->n_dims, arrays[i].n_dims);
        for (uint32_t d = 0; d < a->n_dims; d++)
            assert_int_equal(a->dims[d], arrays[i].dims[d]);
        size_t n = (size_t)(ftk__st_count(a) * ftk__dtype_bytes(a->dtype));
        assert_int_equal((uintptr_t)a->data % ftk__dtype_bytes(a->dtype), 0);
        if (n > 0)
            assert_memory_equal(a->data, arrays[i].data, n);
    }
    assert_ptr_equal(ftk__st_find(&f, "step"), &f.arrays[3]);
    assert_null(ftk__st_find(&f, "fc1"));
    assert_int_equal(f.n_meta, 2);
    assert_string_equal(ftk__st_meta_find(&f, "line"), "a\nb");
    assert_null(ftk__st_meta_find(&f, "none"));
    ftk__st_close(&f);
    ftk__st_close(&f);
}

static void header_is_padded_and_empty_files_work(void **state)
{
    (void)state;
    for (uint64_t n_meta = 0; n_meta <= 2; n_meta++) {
        for (uint64_t n = 0; n <= 2; n++) {
            struct ftk__st_file f;
            char *data;
            uint64_t size;
            assert_int_equal(ftk__st_write(path, arrays + 1, n, meta, n_meta, NULL), FTK_OK);
            assert_int_equal(ftk__file_read(path, 10000, &data, &size, NULL), FTK_OK);
            assert_int_equal(data[0] % 8, 0);
            ftk__free(data);
            assert_int_equal(ftk__st_open(path, &f, NULL), FTK_OK);
            assert_int_equal(f.n, n);
            assert_int_equal(f.n_meta, n_meta);
            ftk__st_close(&f);
        }
    }
}

/* A file of this header and n data bytes of value 7. */
static void put_file(const char *header, uint64_t n)
{
    static unsigned char text[4096];
    size_t len = strlen(header);
    assert_true(8 + len + n <= sizeof text);
    for (unsigned i = 0; i < 8; i++)
        text[i] = (unsigned char)(len >> (8 * i));
    memcpy(text + 8, header, len);
    memset(text + 8 + len, 7, (size_t)n);
    scratch_dir_put(&dir, "x.safetensors", text, 8 + len + (size_t)n);
}

static void refused(const char *what, ftk_status status)
{
    struct ftk__st_file f;
    struct ftk_error err = { 0 };
    uint64_t alive = ftk__mem_stats().alive;
    assert_int_equal(ftk__st_open(path, &f, &err), status);
    if (!strstr(err.message, what) || !strstr(err.message, "x.safetensors"))
        fail_msg("expected '%s' in '%s'", what, err.message);
    assert_int_equal(ftk__error_exit_code(&err), 65);
    assert_int_equal(ftk__mem_stats().alive, alive);
}

static void bad_headers_are_named(void **state)
{
    (void)state;
#define A(dtype, shape, offsets)                                                                   \
    "\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets
    static const struct {
        const char *header;
        uint64_t n;
        const char *what;
    } cases[] = {
        { "[]", 0, "byte 8: the header is not a JSON object" },
        { "{", 0, ":1:1: " },
        { "", 0, ":1:0: " },
        { "{\"a\":1}", 0, "array 'a': is not an object" },
        { "{\"a\":{}}", 0, "array 'a': dtype is not a string" },
        { "{\"a\":{" A("F32", "3", "[0,4]") "}}", 4, "array 'a': shape is not an array" },
        { "{\"a\":{" A("F32", "[-1]", "[0,4]") "}}", 4, "shape is not of integers from 0 on" },
        { "{\"a\":{" A("F32", "[1.0]", "[0,4]") "}}", 4, "shape is not of integers from 0 on" },
        { "{\"a\":{" A("F32", "[1]", "[0]") "}}", 4, "data_offsets are not two integers" },
        { "{\"a\":{" A("F32", "[1]", "[0,4],\"x\":1") "}}", 4, "has keys beside" },
        { "{\"a\":{" A("F32", "[1]", "[4,0]") "}}", 4, "are not the 4 bytes of its shape" },
        { "{\"a\":{" A("F32", "[2]", "[0,4]") "}}", 4, "are not the 8 bytes of its shape" },
        { "{\"a\":{" A("F32", "[4611686018427387904,4]", "[0,0]") "}}", 0, "more than 2^63" },
        { "{\"a\":{" A("F32", "[0,9223372036854775807,9]", "[0,0]") "}}", 0, "more than 2^63" },
        { "{\"a\":{" A("F32", "[1]", "[0,4]") "}}", 3,
          "array 'a' ends at data byte 4, the file at 3" },
        { "{\"a\":{" A("F32", "[1]", "[0,4]") "}}", 5,
          "1 bytes follow the last array, from data byte 4" },
        { "{\"a\":{" A("F32", "[1]", "[4,8]") "}}", 8, "begins at data byte 4 where 0 comes next" },
        { "{\"a\":{" A("F32", "[1]", "[0,4]") "},\"b\":{" A("F32", "[1]", "[2,6]") "}}", 8,
          "array 'b' begins at data byte 2 where 4" },
        { "{\"a\":{" A("F32", "[1]", "[0,4]") "},\"a\":{" A("F32", "[1]", "[4,8]") "}}", 8,
          "duplicate object key" },
        { "{\"a\":{" A("BOOL", "[2]", "[0,2]") "}}", 2, "array 'a': data byte 0 is no boolean" },
        { "{\"__metadata__\":[]}", 0, "__metadata__" },
        { "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ 'k' is not a string" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file(cases[i].header, cases[i].n);
        refused(cases[i].what, FTK_EINVAL);
    }
    put_file("{\"a\":{" A("F16", "[1]", "[0,2]") "}}", 2);
    refused("array 'a': dtype 'F16'", FTK_ENOTSUP);
    put_file("{\"a\":{" A("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}}", 1);
    refused("array 'a': 9 dimensions are above 8", FTK_ENOTSUP);
}

static void bad_lengths_are_named(void **state)
{
    (void)state;
    scratch_dir_put(&dir, "x.safetensors", "\2\0\0\0\0\0\0", 7);
    refused("byte 7: the file ends within the header's length", FTK_EINVAL);
    scratch_dir_put(&dir, "x.safetensors", "\3\0\0\0\0\0\0\0{}", 10);
    refused("a header of 3 bytes is above 2", FTK_EINVAL);
    scratch_dir_put(&dir, "x.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    refused("a header of 18446744073709551615 bytes is above 2", FTK_EINVAL);
}

static void order_is_that_of_the_data(void **state)
{
    (void)state;
    put_file("{\"b\":{" A("U8", "[2]", "[1,3]") "},\"z\":{" A(
                 "U8", "[0]", "[1,1]") "},"
                                       "\"a\":{" A("U8", "[1]", "[0,1]") "}}",
             3);
    struct ftk__st_file f;
    assert_int_equal(ftk__st_open(path, &f, NULL), FTK_OK);
    assert_string_equal(f.arrays[0].name, "a");
    assert_string_equal(f.arrays[1].name, "z");
    assert_string_equal(f.arrays[2].name, "b");
    ftk__st_close(&f);
}

static void names_must_be_utf8(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    struct ftk__st_array a = arrays[0];
    a.name = "\xff";
    assert_int_equal(ftk__st_write(path, &a, 1, NULL, 0, &err), FTK_EINVAL);
    assert_false(ftk__file_exists(path));
    const struct ftk__st_meta bad = { "k", "\xff" };
    assert_int_equal(ftk__st_write(path, NULL, 0, &bad, 1, &err), FTK_EINVAL);
}

/* Cut or with changed bytes, a file opens or is refused; what opens can be read to its end. */
static void broken_files_never_crash(void **state)
{
    (void)state;
    char *good;
    uint64_t n;
    assert_int_equal(ftk__st_write(path, arrays, N_ARRAYS, meta, 2, NULL), FTK_OK);
    assert_int_equal(ftk__file_read(path, 10000, &good, &n, NULL), FTK_OK);
    ftk_rng r = ftk__rng_stream(1, FTK__FOR_SYNTHETIC, 0, 0, 0);
    unsigned n_refused = 0;
    uint64_t sum = 0;
    for (unsigned i = 0; i < 3000; i++) {
        char *text = ftk__strdup("");
        text = ftk__realloc_array(text, 0, n, 1);
        memcpy(text, good, (size_t)n);
        uint64_t changes = ftk__rng_below(&r, 3);
        for (uint64_t c = 0; c < changes; c++)
            text[ftk__rng_below(&r, n)] = (char)ftk__rng_below(&r, 256);
        uint64_t length = changes == 0 ? ftk__rng_below(&r, n) : n;
        scratch_dir_put(&dir, "x.safetensors", text, (size_t)length);
        ftk__free(text);
        struct ftk__st_file f;
        struct ftk_error err;
        if (ftk__st_open(path, &f, &err) != FTK_OK) {
            n_refused++;
            continue;
        }
        for (uint64_t a = 0; a < f.n; a++) {
            const unsigned char *b = f.arrays[a].data;
            uint64_t size = ftk__st_count(&f.arrays[a]) * ftk__dtype_bytes(f.arrays[a].dtype);
            for (uint64_t j = 0; j < size; j++)
                sum += b[j];
        }
        ftk__st_close(&f);
    }
    ftk__free(good);
    assert_in_range(n_refused, 1500, 2999);
    assert_true(sum > 0);
}

static ftk_status write_and_open(void *arg)
{
    (void)arg;
    struct ftk_error err;
    struct ftk__st_file f;
    ftk_status st = ftk__st_write(path, arrays, N_ARRAYS, meta, 2, &err);
    if (st == FTK_OK)
        st = ftk__st_open(path, &f, &err);
    if (st == FTK_OK)
        ftk__st_close(&f);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(write_and_open, NULL, 1) > 50);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(header_is_padded_and_empty_files_work),
        TEST(bad_headers_are_named),
        TEST(bad_lengths_are_named),
        TEST(order_is_that_of_the_data),
        TEST(names_must_be_utf8),
        TEST(broken_files_never_crash),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
