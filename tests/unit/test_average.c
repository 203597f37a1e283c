/* SPDX-License-Identifier: MIT
 * test_average.c - eval/average.c against the definition in long double.
 */
#include "eval/average.h"
#include "oom.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* CMocka's own compares as float. */
#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

enum { MEMBERS = 3, CLASSES = 5, SAMPLES = 7 };

/* Some with a spread at which a naive exp in double would overflow or its log be -inf. */
static void fill(float logits[MEMBERS][SAMPLES * CLASSES])
{
    uint32_t x = 12345;
    for (int m = 0; m < MEMBERS; m++) {
        for (int i = 0; i < SAMPLES * CLASSES; i++) {
            x = x * 1664525u + 1013904223u;
            logits[m][i] = (float)((double)(x >> 8) / (1 << 24) - 0.5) * (i < CLASSES ? 4000 : 12);
        }
    }
}

static long double naive_log(const float *z, int c)
{
    long double top = z[0];
    long double sum = 0;
    for (int k = 1; k < CLASSES; k++)
        top = z[k] > top ? z[k] : top;
    for (int k = 0; k < CLASSES; k++)
        sum += expl(z[k] - top);
    return z[c] - top - logl(sum);
}

static void close_to(double a, long double b)
{
    assert_true(fabsl(a - b) <= 1e-13L * fmaxl(1, fabsl(b)));
}

static void check_sample(const ftk_pred *p, const float *const *logits, uint64_t from, uint64_t i)
{
    double total = 0;
    for (int c = 0; c < CLASSES; c++) {
        long double mean = 0;
        uint64_t at = i * CLASSES + (uint64_t)c;
        for (int m = 0; m < MEMBERS; m++) {
            long double l = naive_log(logits[m] + (from + i) * CLASSES, c);
            close_to(p->log_member[m][at], l);
            close_to(p->member[m][at], expl(l));
            mean += expl(l) / MEMBERS;
        }
        close_to(p->ensemble[at], mean);
        close_to(p->log_ensemble[at], logl(mean)); /* long double reaches e^-11000 */
        total += p->ensemble[at];
    }
    assert_near(total, 1, 1e-12);
}

static void means_of_softmax(void **state)
{
    (void)state;
    float logits[MEMBERS][SAMPLES * CLASSES];
    const float *member[MEMBERS] = { logits[0], logits[1], logits[2] };
    const int32_t label[SAMPLES] = { 0, 1, 2, 3, 4, -1, 0 };
    struct ftk__prediction p;
    fill(logits);
    assert_int_equal(ftk__prediction_init(&p, MEMBERS, CLASSES, 4, NULL), FTK_OK);
    for (uint64_t from = 0; from < SAMPLES; from += 4) {
        uint64_t count = SAMPLES - from < 4 ? SAMPLES - from : 4;
        assert_int_equal(ftk__prediction_fill(&p, member, label, from, count, NULL), FTK_OK);
        assert_int_equal(p.pred.count, count);
        assert_ptr_equal(p.pred.label, label + from);
        for (uint64_t i = 0; i < count; i++)
            check_sample(&p.pred, member, from, i);
    }
    ftk__prediction_done(&p);
}

static void not_finite(void **state)
{
    (void)state;
    float logits[MEMBERS][SAMPLES * CLASSES];
    const float *member[MEMBERS] = { logits[0], logits[1], logits[2] };
    const int32_t label[SAMPLES] = { 0 };
    struct ftk__prediction p;
    struct ftk_error err;
    fill(logits);
    logits[1][4 * CLASSES + 2] = (float)INFINITY;
    assert_int_equal(ftk__prediction_init(&p, MEMBERS, CLASSES, SAMPLES, NULL), FTK_OK);
    assert_int_equal(ftk__prediction_fill(&p, member, label, 0, 4, &err), FTK_OK);
    assert_int_equal(ftk__prediction_fill(&p, member, label, 2, 5, &err), FTK_ENUMERIC);
    assert_string_equal(err.message, "member 1 has a logit that is not finite on sample 4");
    ftk__prediction_done(&p);
}

static ftk_status make(void *arg)
{
    struct ftk__prediction p;
    (void)arg;
    ftk_status st = ftk__prediction_init(&p, MEMBERS, CLASSES, 16, NULL);
    if (st == FTK_OK)
        ftk__prediction_done(&p);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(ftk_oom_sweep(make, NULL, 1), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_of_softmax),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
