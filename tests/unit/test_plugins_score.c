/* SPDX-License-Identifier: MIT
 * test_plugins_score.c - scores of the pruners and the growers, and what follows from them.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include <freetickets/sparse.h>

enum { N = 12 };

static const float channel[N] = { 0.0f,   -0.0f,   1.5f,      -1.5f, FLT_MAX, -FLT_MAX,
                                  1e-45f, -1e-45f, -INFINITY, NAN,   -2.0f,   3.0f };
static const uint64_t positions[N] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, UINT64_C(1) << 40 };

static const ftk_layer layer = { .size = sizeof(layer), .n = UINT64_C(1) << 41, .nnz = N };

/* |x| bit for bit: the sign bit cleared, -0 being +0. */
static void assert_absolute(const float *score)
{
    for (int i = 0; i < N; i++) {
        uint32_t in;
        uint32_t out;
        memcpy(&in, &channel[i], sizeof(in));
        memcpy(&out, &score[i], sizeof(out));
        if (isnan(channel[i]))
            assert_true(isnan(score[i]));
        else
            assert_int_equal(out, in & 0x7FFFFFFFu);
    }
}

static void test_prune_magnitude(void **state)
{
    (void)state;
    const ftk_prune_ops *ops = plugin_load("prune_magnitude", FTK_KIND_PRUNE)->ops;
    ftk_cand c = { .size = sizeof(c),
                   .channels = FTK_CH_WEIGHT,
                   .count = N,
                   .index = positions,
                   .weight = channel };
    ftk_update u = { .size = sizeof(u) };
    float score[N] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, FTK_CH_WEIGHT);
    assert_int_equal(ops->formula, FTK_FORMULA_ABS_WEIGHT);
    assert_int_equal(ops->count, FTK_COUNT_EXACT);
    assert_int_equal(ops->score(&host.table, NULL, &layer, &c, &u, score), FTK_OK);
    assert_absolute(score);
    c.count = 0;
    c.weight = NULL;
    assert_int_equal(ops->score(&host.table, NULL, &layer, &c, &u, score), FTK_OK);
    bt_host_done(&host);
}

static void test_grow_gradient(void **state)
{
    (void)state;
    const ftk_grow_ops *ops = plugin_load("grow_gradient", FTK_KIND_GROW)->ops;
    const ftk_cand c = {
        .size = sizeof(c), .channels = FTK_CH_GRAD, .count = N, .index = positions, .grad = channel
    };
    ftk_update u = { .size = sizeof(u) };
    float score[N] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, FTK_CH_GRAD);
    assert_int_equal(ops->formula, FTK_FORMULA_ABS_GRAD);
    assert_int_equal(ops->score(&host.table, NULL, &layer, &c, &u, score), FTK_OK);
    assert_absolute(score);
    bt_host_done(&host);
}

/* growth/momentum: Dettmers and Zettlemoyer 2019, arXiv:1907.04840: the largest |momentum|. */
static void test_grow_momentum(void **state)
{
    (void)state;
    const ftk_grow_ops *ops = plugin_load("grow_momentum", FTK_KIND_GROW)->ops;
    const float other[N] = { 9 };
    const ftk_cand c = { .size = sizeof(c),
                         .channels = FTK_CH_MOMENTUM,
                         .count = N,
                         .index = positions,
                         .weight = other,
                         .grad = other,
                         .momentum = channel };
    ftk_update u = { .size = sizeof(u) };
    float score[N] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, FTK_CH_MOMENTUM);
    assert_int_equal(ops->formula, FTK_FORMULA_ABS_MOMENTUM);
    assert_int_equal(ops->score(&host.table, NULL, &layer, &c, &u, score), FTK_OK);
    assert_absolute(score);
    bt_host_done(&host);
}

/* prune/taylor: Molchanov et al. 2019, arXiv:1906.10771: to first order the importance is (g w)^2,
 * whose order is that of |g w|.  Ties, a weight and a gradient of 0, products beyond a float. */
static void test_prune_taylor(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    static const float weight[COUNT] = { 2.0f, -3.0f, 0.5f,   0.0f,   -4.0f,
                                         1.5f, 3e30f, 1e-30f, -0.25f, 8.0f };
    static const float grad[COUNT] = { -1.5f, -2.0f,  4.0f,   7.0f,  0.0f,
                                       2.0f,  -2e30f, 1e-30f, -4.0f, 0.125f };
    static const float want[COUNT] = { 3.0f, 6.0f,     2.0f, 0.0f, 0.0f,
                                       3.0f, INFINITY, 0.0f, 1.0f, 1.0f };
    static const uint64_t least[] = { 3, 4, 7, 8, 9, 2, 0, 5, 1, 6 }; /* the order they go in */
    const ftk_prune_ops *ops = plugin_load("prune_taylor", FTK_KIND_PRUNE)->ops;
    const ftk_cand c = { .size = sizeof(c),
                         .channels = FTK_CH_WEIGHT | FTK_CH_GRAD,
                         .count = COUNT,
                         .index = positions,
                         .weight = weight,
                         .grad = grad };
    ftk_update u = { .size = sizeof(u) };
    float score[COUNT];
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, FTK_CH_WEIGHT | FTK_CH_GRAD);
    assert_int_equal(ops->formula, 0);
    assert_int_equal(ops->score(&host.table, NULL, &layer, &c, &u, score), FTK_OK);
    for (int i = 0; i < COUNT; i++)
        assert_true(score[i] == want[i]);
    for (uint64_t k = 1; k <= COUNT; k++) {
        uint64_t pos[COUNT];
        uint64_t found = 0;
        assert_int_equal(host.table.select_low(&host.table, score, COUNT, k, pos), FTK_OK);
        for (uint64_t i = 0; i < k; i++)
            found += pos[i] == least[k - 1];
        assert_int_equal(found, 1);
    }
    bt_host_done(&host);
}

/* A rule that draws: growers and pruners have the same function. */
struct stream {
    struct bt_host *host;
    ftk_score_fn score;
    const uint8_t *fired; // [n], or NULL
    uint64_t key;
};

/* Scores `n` candidates in chunks of `chunk`. */
static void random_scores(const struct stream *s, uint64_t chunk, uint64_t n, float *ret_score)
{
    ftk_update u = { .size = sizeof(u), .rng = { .key = { s->key, 5 } } };
    for (uint64_t at = 0; at < n; at += chunk) {
        const ftk_cand c = { .size = sizeof(c),
                             .count = chunk < n - at ? chunk : n - at,
                             .fired = s->fired ? s->fired + at : NULL };
        assert_int_equal(s->score(&s->host->table, NULL, &layer, &c, &u, ret_score + at), FTK_OK);
    }
}

/* No channel; the same in any chunks; another stream, other scores; finite. */
static void assert_stream(ftk_score_fn score)
{
    enum { COUNT = 1000 };
    float whole[COUNT];
    float pieces[COUNT];
    struct bt_host host;
    bt_host_init(&host);
    random_scores(&(const struct stream){ &host, score, NULL, 1 }, COUNT, COUNT, whole);
    random_scores(&(const struct stream){ &host, score, NULL, 1 }, 7, COUNT, pieces);
    assert_memory_equal(whole, pieces, sizeof(whole));
    for (int i = 0; i < COUNT; i++)
        assert_true(isfinite(whole[i]));
    random_scores(&(const struct stream){ &host, score, NULL, 2 }, COUNT, COUNT, pieces);
    assert_memory_not_equal(whole, pieces, sizeof(whole));
    bt_host_done(&host);
}

static void test_random_stream(void **state)
{
    (void)state;
    const ftk_grow_ops *grow = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    const ftk_prune_ops *prune = plugin_load("prune_random", FTK_KIND_PRUNE)->ops;
    assert_int_equal(grow->channels, 0);
    assert_int_equal(prune->channels, 0);
    assert_int_equal(grow->formula, FTK_FORMULA_UNIFORM);
    assert_int_equal(prune->formula, FTK_FORMULA_UNIFORM);
    assert_true(grow->props & FTK_PROP_RANDOM);
    assert_true(prune->props & FTK_PROP_RANDOM);
    assert_stream(grow->score);
    assert_stream(prune->score);
}

/* 3 of 10 from the end wanted, 10,000 streams: each position 3000 times, 5 sigma is 229. */
static void assert_even_share(ftk_score_fn fn, bool highest)
{
    int hits[10] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    for (uint64_t key = 0; key < 10000; key++) {
        float score[10];
        uint64_t pos[3];
        random_scores(&(const struct stream){ &host, fn, NULL, key }, 10, 10, score);
        ftk_status st = highest ? host.table.select_high(&host.table, score, 10, 3, pos)
                                : host.table.select_low(&host.table, score, 10, 3, pos);
        assert_int_equal(st, FTK_OK);
        for (int i = 0; i < 3; i++)
            hits[pos[i]]++;
        bt_host_call_done(&host);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(hits[i], 3000 - 229, 3000 + 229);
    bt_host_done(&host);
}

static void test_random_share(void **state)
{
    (void)state;
    const ftk_grow_ops *grow = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    const ftk_prune_ops *prune = plugin_load("prune_random", FTK_KIND_PRUNE)->ops;
    assert_even_share(grow->score, true);
    assert_even_share(prune->score, false);
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x < y) - (x > y);
}

static int ascending(const void *a, const void *b)
{
    return -descending(a, b);
}

/* The first 1000 of a million have no ties, which would favour low positions: numbers of 24
 * bits would make about 30 there.                                                   */
static void assert_few_ties(ftk_score_fn fn, int (*order)(const void *, const void *))
{
    enum { COUNT = 1 << 20 };
    static float score[COUNT];
    struct bt_host host;
    bt_host_init(&host);
    random_scores(&(const struct stream){ &host, fn, NULL, 1 }, COUNT, COUNT, score);
    qsort(score, COUNT, sizeof(score[0]), order);
    for (int i = 1; i < 1000; i++)
        assert_true(score[i] != score[i - 1]);
    bt_host_done(&host);
}

static void test_random_ties(void **state)
{
    (void)state;
    const ftk_grow_ops *grow = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    const ftk_prune_ops *prune = plugin_load("prune_random", FTK_KIND_PRUNE)->ops;
    assert_few_ties(grow->score, descending);
    assert_few_ties(prune->score, ascending);
}

/* ---- random_unfired: Liu et al. 2021, arXiv:2102.02887: what never was active first ---------- */

enum { UNFIRED = 4, FIRED = 6 };

/* How often each of 10 is among the best k over 10,000 streams; 1, 3, 5 and 7 never fired. */
static void unfired_hits(uint64_t k, int *hits)
{
    const ftk_grow_ops *ops = plugin_load("grow_random_unfired", FTK_KIND_GROW)->ops;
    static const uint8_t fired[10] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 1 };
    struct bt_host host;
    bt_host_init(&host);
    memset(hits, 0, 10 * sizeof(*hits));
    for (uint64_t key = 0; key < 10000; key++) {
        const struct stream s = { &host, ops->score, fired, key };
        float score[10];
        uint64_t pos[10];
        random_scores(&s, 10, 10, score);
        assert_int_equal(host.table.select_high(&host.table, score, 10, k, pos), FTK_OK);
        for (uint64_t i = 0; i < k; i++)
            hits[pos[i]]++;
        bt_host_call_done(&host);
    }
    bt_host_done(&host);
}

/* 3 of the 4 that never fired: 7500 each, 5 sigma is 217, and no other; 4: all of them; 7: all of
 * them and 3 of the 6 others, 5000 each, 5 sigma is 250. */
static void test_grow_random_unfired(void **state)
{
    (void)state;
    int hits[10];
    unfired_hits(3, hits);
    for (int i = 0; i < 10; i++)
        assert_in_range(hits[i], i % 2 && i < 8 ? 7500 - 217 : 0, i % 2 && i < 8 ? 7500 + 217 : 0);
    unfired_hits(UNFIRED, hits);
    for (int i = 0; i < 10; i++)
        assert_int_equal(hits[i], i % 2 && i < 8 ? 10000 : 0);
    unfired_hits(UNFIRED + FIRED / 2, hits);
    for (int i = 0; i < 10; i++) {
        if (i % 2 && i < 8)
            assert_int_equal(hits[i], 10000);
        else
            assert_in_range(hits[i], 5000 - 250, 5000 + 250);
    }
}

/* Whether a candidate has fired changes no other's number: the stream moves on by one each. */
static void test_grow_random_unfired_stream(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    const ftk_grow_ops *ops = plugin_load("grow_random_unfired", FTK_KIND_GROW)->ops;
    float whole[COUNT];
    float pieces[COUNT];
    uint8_t fired[COUNT] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, FTK_CH_FIRED);
    assert_int_equal(ops->formula, 0);
    for (int i = 0; i < COUNT; i++)
        fired[i] = i % 3 == 0;
    const struct stream s = { &host, ops->score, fired, 1 };
    random_scores(&s, COUNT, COUNT, whole);
    random_scores(&s, 7, COUNT, pieces);
    assert_memory_equal(whole, pieces, sizeof(whole));
    for (int i = 0; i < COUNT; i++)
        assert_true(fired[i] ? whole[i] >= -3 && whole[i] <= -2 : whole[i] >= -1 && whole[i] <= 0);
    memset(fired, 0, sizeof(fired));
    random_scores(&s, COUNT, COUNT, pieces);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(pieces[i] - (i % 3 == 0 ? whole[i] + 2 : whole[i])) < 1e-6f);
    bt_host_done(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prune_magnitude),
        cmocka_unit_test(test_prune_taylor),
        cmocka_unit_test(test_grow_gradient),
        cmocka_unit_test(test_grow_momentum),
        cmocka_unit_test(test_random_stream),
        cmocka_unit_test(test_random_share),
        cmocka_unit_test(test_random_ties),
        cmocka_unit_test(test_grow_random_unfired),
        cmocka_unit_test(test_grow_random_unfired_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
