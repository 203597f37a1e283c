/* SPDX-License-Identifier: MIT
 * test_topk.c - base/topk.c against a full sort, in every way of cutting the chunks.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "base/topk.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pair {
    float score;
    uint64_t index;
};

static int by_score(const void *va, const void *vb)
{
    const struct pair *a = va;
    const struct pair *b = vb;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_score_down(const void *va, const void *vb)
{
    const struct pair *a = va;
    const struct pair *b = vb;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_index(const void *va, const void *vb)
{
    const struct pair *a = va;
    const struct pair *b = vb;
    return a->index < b->index ? -1 : 1;
}

/* The chosen k by sorting all, ascending by index; to be freed. */
static struct pair *sorted(const float *score, uint64_t n, uint64_t k, bool highest)
{
    struct pair *all = calloc((size_t)n + 1, sizeof *all);
    assert_non_null(all);
    for (uint64_t i = 0; i < n; i++)
        all[i] = (struct pair){ score[i], i };
    qsort(all, (size_t)n, sizeof *all, highest ? by_score_down : by_score);
    qsort(all, (size_t)k, sizeof *all, by_index);
    return all;
}

enum kind { NORMAL, FEW_VALUES, ALL_EQUAL, ASCENDING, DESCENDING, SPECIAL, KINDS };

static float score_of_kind(enum kind kind, uint64_t i, ftk_rng *r)
{
    static const float special[] = {
        0.0f, -0.0f, INFINITY, -INFINITY, 1e-45f, -1e-45f, 3e38f, -3e38f, 1.0f, 1.00000012f,
    };
    switch (kind) {
    case NORMAL:
        return (float)ftk__rng_normal(r);
    case FEW_VALUES:
        return (float)ftk__rng_below(r, 5) - 2.0f;
    case ALL_EQUAL:
        return i % 2 ? 0.0f : -0.0f;
    case ASCENDING:
        return (float)i;
    case DESCENDING:
        return -(float)i;
    case SPECIAL:
    case KINDS:
        break;
    }
    return special[ftk__rng_below(r, sizeof special / sizeof *special)];
}

static float *scores(enum kind kind, uint64_t n)
{
    float *score = calloc((size_t)n + 1, sizeof *score);
    assert_non_null(score);
    ftk_rng r = ftk__rng_stream(n, FTK__FOR_SYNTHETIC, kind, 0, 0);
    for (uint64_t i = 0; i < n; i++)
        score[i] = score_of_kind(kind, i, &r);
    return score;
}

static void check_array(const float *score, uint64_t n, uint64_t k, bool highest)
{
    struct pair *expect = sorted(score, n, k, highest);
    uint64_t *pos = calloc((size_t)k + 1, sizeof *pos);
    assert_non_null(pos);
    pos[k] = 12345;
    assert_int_equal(ftk__topk(score, n, k, highest, pos, NULL), FTK_OK);
    for (uint64_t i = 0; i < k; i++)
        assert_int_equal(pos[i], expect[i].index);
    assert_int_equal(pos[k], 12345);
    free(pos);
    free(expect);
}

/* Chunks of `chunk`, or of random lengths for 0; index 3 i + 1 stands for position i. */
static void check_stream(const float *score, uint64_t n, uint64_t k, bool highest, uint64_t chunk)
{
    uint64_t take = k < n ? k : n;
    struct pair *expect = sorted(score, n, take, highest);
    uint64_t *index = calloc((size_t)n + 1, sizeof *index);
    assert_non_null(index);
    for (uint64_t i = 0; i < n; i++)
        index[i] = 3 * i + 1;
    ftk_rng r = ftk__rng_stream(n, FTK__FOR_SYNTHETIC, k, 1, 0);
    struct ftk__stream *s = ftk__stream_new(k, highest);
    assert_non_null(s);
    for (uint64_t i = 0; i < n;) {
        uint64_t some = chunk > 0 ? chunk : ftk__rng_below(&r, 5000);
        some = some < n - i ? some : n - i;
        assert_int_equal(ftk__stream_add(s, index + i, score + i, some, NULL), FTK_OK);
        i += some;
    }
    assert_int_equal(ftk__stream_seen(s), n);
    const uint64_t *got;
    const float *got_score;
    uint64_t n_got = 0;
    assert_int_equal(ftk__stream_end(s, &got, &got_score, &n_got, NULL), FTK_OK);
    assert_int_equal(n_got, take);
    for (uint64_t i = 0; i < take; i++) {
        assert_int_equal(got[i], 3 * expect[i].index + 1);
        assert_memory_equal(&got_score[i], &score[expect[i].index], sizeof(float));
    }
    ftk__stream_free(s);
    free(index);
    free(expect);
}

static void arrays_match_a_sort(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 0, 1, 2, 15, 16, 17, 100, 1000 };
    for (enum kind kind = NORMAL; kind < KINDS; kind++) {
        for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++) {
            uint64_t n = sizes[z];
            float *score = scores(kind, n);
            for (uint64_t k = 0; k <= n; k += n / 7 + 1) {
                check_array(score, n, k, false);
                check_array(score, n, k, true);
            }
            check_array(score, n, n, true);
            free(score);
        }
    }
}

static void streams_match_a_sort(void **state)
{
    (void)state;
    static const uint64_t counts[] = { 0, 1, 777, 30000 };
    const uint64_t n = 400000; /* the buffer of 2 (k + 64 Ki) fills at least once */
    for (enum kind kind = NORMAL; kind < KINDS; kind++) {
        float *score = scores(kind, n);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            check_stream(score, n, counts[c], c % 2 == 0, n);
            check_stream(score, n, counts[c], c % 2 == 1, 0);
        }
        free(score);
    }
}

static void chunks_do_not_matter(void **state)
{
    (void)state;
    static const uint64_t chunks[] = { 1, 4096, 131072, 131073, 0 };
    const uint64_t n = 300000;
    float *score = scores(FEW_VALUES, n);
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
        check_stream(score, n, 1000, false, chunks[c]);
        check_stream(score, n, 1000, true, chunks[c]);
    }
    check_stream(score, 100, 1000, true, 7);
    check_stream(score, 0, 1000, true, 7);
    free(score);
}

static void nan_is_refused(void **state)
{
    (void)state;
    const uint64_t n = 200000;
    static const uint64_t at[] = { 0, 255, 256, 199999 };
    uint64_t pos[10];
    uint64_t *index = calloc((size_t)n, sizeof *index);
    assert_non_null(index);
    for (uint64_t i = 0; i < n; i++)
        index[i] = i;
    for (size_t a = 0; a < sizeof at / sizeof *at; a++) {
        float *score = scores(NORMAL, n);
        score[at[a]] = NAN;
        struct ftk_error err = { 0 };
        char text[64];
        snprintf(text, sizeof text, "score 'nan' of candidate %d", (int)at[a]);
        assert_int_equal(ftk__topk(score, n, 10, a % 2, pos, &err), FTK_ENUMERIC);
        assert_string_equal(err.message, text);
        for (uint64_t k = 0; k <= 10; k += 10) {
            err = (struct ftk_error){ 0 };
            struct ftk__stream *s = ftk__stream_new(k, a % 2);
            assert_non_null(s);
            assert_int_equal(ftk__stream_add(s, index, score, n, &err), FTK_ENUMERIC);
            assert_string_equal(err.message, text);
            ftk__stream_free(s);
        }
        free(score);
    }
    free(index);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    const float score[2] = { 1.0f, 2.0f };
    const uint64_t index[2] = { 5, 6 };
    uint64_t pos[3];
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__topk(score, 2, 3, false, pos, &err), FTK_ERANGE);
    assert_string_equal(err.message, "3 to choose of 2");
    assert_null(ftk__stream_new(UINT64_MAX / 2, false));
    struct ftk__stream *s = ftk__stream_new(1, false);
    assert_non_null(s);
    assert_int_equal(ftk__stream_add(s, index, score, 2, NULL), FTK_OK);
    assert_int_equal(ftk__stream_add(s, index, score, 2, &err), FTK_EINTERNAL);
    const uint64_t *got;
    uint64_t n;
    assert_int_equal(ftk__stream_end(s, &got, NULL, &n, NULL), FTK_OK);
    assert_int_equal(ftk__stream_end(s, &got, NULL, &n, NULL), FTK_ESTATE);
    assert_int_equal(ftk__stream_add(s, index + 1, score, 1, NULL), FTK_ESTATE);
    ftk__stream_free(s);
    ftk__stream_free(NULL);
}

/* What comes next lies behind the last of all that came, not behind the first of them. */
static void order_is_checked(void **state)
{
    (void)state;
    const float score[3] = { 1.0f, 2.0f, 3.0f };
    const uint64_t index[3] = { 5, 6, 9 };
    static const uint64_t next[] = { 0, 5, 6, 8, 9 };
    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        struct ftk_error err = { 0 };
        char text[64];
        struct ftk__stream *s = ftk__stream_new(1, false);
        assert_non_null(s);
        assert_int_equal(ftk__stream_add(s, index, score, 3, NULL), FTK_OK);
        assert_int_equal(ftk__stream_add(s, &next[i], score, 1, &err), FTK_EINTERNAL);
        snprintf(text, sizeof text, "candidate %d comes after 9", (int)next[i]);
        assert_string_equal(err.message, text);
        ftk__stream_free(s);
    }
}

static ftk_status select_some(void *arg)
{
    (void)arg;
    const float score[4] = { 1.0f, -1.0f, 2.0f, 0.0f };
    const uint64_t index[4] = { 0, 1, 2, 3 };
    struct ftk__stream *s = ftk__stream_new(2, true);
    if (!s)
        return FTK_ENOMEM;
    ftk_status st = ftk__stream_add(s, index, score, 4, NULL);
    const uint64_t *got;
    uint64_t n;
    if (st == FTK_OK)
        st = ftk__stream_end(s, &got, NULL, &n, NULL);
    ftk__stream_free(s);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(ftk_oom_sweep(select_some, NULL, 1), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_match_a_sort),     cmocka_unit_test(streams_match_a_sort),
        cmocka_unit_test(chunks_do_not_matter),    cmocka_unit_test(nan_is_refused),
        cmocka_unit_test(wrong_calls_are_refused), cmocka_unit_test(memory_failures_are_reported),
        cmocka_unit_test(order_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
