/* SPDX-License-Identifier: MIT
 * test_rng.c - base/rng.c.
 */
#include "base/rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void known_answers(void **state)
{
    (void)state;
    ftk_rng zero = { 0 };
    assert_true(ftk__rng_u64(&zero) == 0xe169c58d6627e8d5u);
    assert_true(ftk__rng_u64(&zero) == 0x9b00dbd8bc57ac4cu);
    assert_int_equal(zero.counter, 2);
    /* All words of key and counter in use; from a Python transcription of the paper that also
     * reproduces the three vectors of Random123's kat_vectors. */
    ftk_rng r = {
        .key = { 0x299f31d0a4093822u, 0x0370734413198a2eu },
        .counter = 2 * 0x5a308d3243f6a88u,
    };
    assert_true(ftk__rng_u64(&r) == 0x572a2f272fe11a02u);
    assert_true(ftk__rng_u64(&r) == 0x78d5e3252f88763bu);
}

static void a_stream_is_a_value(void **state)
{
    (void)state;
    ftk_rng r = ftk__rng_stream(1, FTK__FOR_MASK, 0, 3, 0);
    uint64_t drawn[10];
    for (unsigned i = 0; i < 10; i++)
        drawn[i] = ftk__rng_u64(&r);
    for (unsigned i = 10; i-- > 0;) {
        r.counter = i;
        assert_true(ftk__rng_u64(&r) == drawn[i]);
    }
}

static void mapping_is_that_of_host_h(void **state)
{
    (void)state;
    ftk_rng r = ftk__rng_stream(7, FTK__FOR_WEIGHTS, 1, 2, 0);
    for (unsigned i = 0; i < 1000; i++) {
        ftk_rng a = r;
        ftk_rng b = r;
        double u = (double)(ftk__rng_u64(&a) >> 11) * 0x1p-53;
        double v = (double)(ftk__rng_u64(&a) >> 11) * 0x1p-53;
        assert_true(ftk__rng_uniform(&b) == u);
        double x = ftk__rng_normal(&r);
        assert_true(x == sqrt(-2.0 * log(1.0 - u)) * cos(2.0 * acos(-1.0) * v));
        assert_int_equal(r.counter, a.counter);
    }
}

static void normal_has_its_moments(void **state)
{
    (void)state;
    enum { N = 100000 };
    ftk_rng r = ftk__rng_stream(3, FTK__FOR_WEIGHTS, 0, 0, 0);
    double sum = 0.0;
    double squares = 0.0;
    for (unsigned i = 0; i < N; i++) {
        double x = ftk__rng_normal(&r);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / N) < 0.02);
    assert_true(fabs(squares / N - 1.0) < 0.03);
}

static void below_is_in_range_and_even(void **state)
{
    (void)state;
    ftk_rng r = ftk__rng_stream(5, FTK__FOR_ORDER, 0, 0, 0);
    unsigned count[7] = { 0 };
    for (unsigned i = 0; i < 70000; i++) {
        uint64_t x = ftk__rng_below(&r, 7);
        assert_true(x < 7);
        count[x]++;
    }
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500);
    assert_true(ftk__rng_below(&r, 1) == 0);
    /* One in four draws lies above the largest multiple of 3 * 2^62 and is drawn again. */
    uint64_t n = 3ull << 62;
    r.counter = 0;
    for (unsigned i = 0; i < 1000; i++)
        assert_true(ftk__rng_below(&r, n) < n);
    assert_in_range(r.counter, 1200, 1470);
}

static void streams_differ_in_each_part(void **state)
{
    (void)state;
    ftk_rng base = ftk__rng_stream(1, FTK__FOR_AUGMENT, 2, 3, 4);
    ftk_rng same = ftk__rng_stream(1, FTK__FOR_AUGMENT, 2, 3, 4);
    assert_memory_equal(&base, &same, sizeof base);
    ftk_rng other[] = {
        ftk__rng_stream(2, FTK__FOR_AUGMENT, 2, 3, 4),
        ftk__rng_stream(1, FTK__FOR_ORDER, 2, 3, 4),
        ftk__rng_stream(1, FTK__FOR_AUGMENT, 3, 2, 4),
        ftk__rng_stream(1, FTK__FOR_AUGMENT, 2, 4, 3),
        ftk__rng_stream(1, FTK__FOR_AUGMENT, 2, 3, 5),
        ftk__rng_stream(1, FTK__FOR_AUGMENT, 0, 0, 0),
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_memory_not_equal(&base, &other[i], sizeof base);
    /* The keys are part of every result: never to change. */
    ftk_rng r = ftk__rng_stream(1, FTK__FOR_WEIGHTS, 0, 0, 0);
    assert_true(r.key[0] == 0x86d6fd953217ae03u);
    assert_true(r.key[1] == 0x238275bc38fcbe91u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(a_stream_is_a_value),
        cmocka_unit_test(mapping_is_that_of_host_h),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(streams_differ_in_each_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
