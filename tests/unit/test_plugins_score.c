/* SPDX-License-Identifier: MIT
 * test_plugins_score.c - scores of the pruner and the growers, and the shares of allot none.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
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

/* Scores `n` candidates in chunks of `chunk`. */
static void random_scores(struct bt_host *host, const ftk_grow_ops *ops, uint64_t key,
                          uint64_t chunk, uint64_t n, float *ret_score)
{
    ftk_update u = { .size = sizeof(u), .rng = { .key = { key, 5 } } };
    for (uint64_t at = 0; at < n; at += chunk) {
        const ftk_cand c = { .size = sizeof(c), .count = chunk < n - at ? chunk : n - at };
        assert_int_equal(ops->score(&host->table, NULL, &layer, &c, &u, ret_score + at), FTK_OK);
    }
}

/* No channel; the same in any chunks; another stream, other scores; finite. */
static void test_grow_random_stream(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    const ftk_grow_ops *ops = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    float whole[COUNT];
    float pieces[COUNT];
    struct bt_host host;
    bt_host_init(&host);
    assert_int_equal(ops->channels, 0);
    assert_int_equal(ops->formula, FTK_FORMULA_UNIFORM);
    assert_true(ops->props & FTK_PROP_RANDOM);
    random_scores(&host, ops, 1, COUNT, COUNT, whole);
    random_scores(&host, ops, 1, 7, COUNT, pieces);
    assert_memory_equal(whole, pieces, sizeof(whole));
    for (int i = 0; i < COUNT; i++)
        assert_true(isfinite(whole[i]));
    random_scores(&host, ops, 2, COUNT, COUNT, pieces);
    assert_memory_not_equal(whole, pieces, sizeof(whole));
    bt_host_done(&host);
}

/* 3 of 10 by the highest scores, 10,000 streams: each position 3000 times, 5 sigma is 229. */
static void test_grow_random_share(void **state)
{
    (void)state;
    const ftk_grow_ops *ops = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    int hits[10] = { 0 };
    struct bt_host host;
    bt_host_init(&host);
    for (uint64_t key = 0; key < 10000; key++) {
        float score[10];
        uint64_t pos[3];
        random_scores(&host, ops, key, 10, 10, score);
        assert_int_equal(host.table.select_high(&host.table, score, 10, 3, pos), FTK_OK);
        for (int i = 0; i < 3; i++)
            hits[pos[i]]++;
        bt_host_call_done(&host);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(hits[i], 3000 - 229, 3000 + 229);
    bt_host_done(&host);
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The best 1000 of a million have no ties, which would favour low positions: numbers of 24
 * bits would make about 30 there.                                                   */
static void test_grow_random_ties(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    static float score[COUNT];
    const ftk_grow_ops *ops = plugin_load("grow_random", FTK_KIND_GROW)->ops;
    struct bt_host host;
    bt_host_init(&host);
    random_scores(&host, ops, 1, COUNT, COUNT, score);
    qsort(score, COUNT, sizeof(score[0]), descending);
    for (int i = 1; i < 1000; i++)
        assert_true(score[i] < score[i - 1]);
    bt_host_done(&host);
}

enum { LAYERS = 3 };

static ftk_status share(const uint64_t *lost, const uint64_t *room, uint64_t total, uint64_t *ret)
{
    const ftk_allot_ops *ops = plugin_load("allot_none", FTK_KIND_ALLOT)->ops;
    const ftk_net net = { .size = sizeof(net), .n_layers = LAYERS };
    ftk_update u = { .size = sizeof(u) };
    struct bt_host host;
    bt_host_init(&host);
    ftk_status st = ops->allot(&host.table, NULL, &net, &u, lost, room, total, ret);
    assert_int_equal(st < 0, host.message[0] != '\0');
    bt_host_done(&host);
    return st;
}

static void assert_shares(const uint64_t *got, uint64_t a, uint64_t b, uint64_t c)
{
    assert_int_equal(got[0], a);
    assert_int_equal(got[1], b);
    assert_int_equal(got[2], c);
}

static void test_allot_none(void **state)
{
    (void)state;
    const uint64_t lost[LAYERS] = { 5, 0, 7 };
    uint64_t got[LAYERS];
    assert_int_equal(share(lost, (const uint64_t[]){ 9, 9, 9 }, 12, got), FTK_OK);
    assert_shares(got, 5, 0, 7);
    // Where the last has room for 2 only, its other 5 go to the first layers with room.
    assert_int_equal(share(lost, (const uint64_t[]){ 6, 9, 2 }, 12, got), FTK_OK);
    assert_shares(got, 6, 4, 2);
    assert_int_equal(share(lost, (const uint64_t[]){ 0, UINT64_MAX, 0 }, 12, got), FTK_OK);
    assert_shares(got, 0, 12, 0);
    assert_int_equal(share(lost, (const uint64_t[]){ UINT64_MAX, UINT64_MAX, 0 }, 12, got), FTK_OK);
    assert_shares(got, 12, 0, 0);
    assert_int_equal(share((const uint64_t[]){ 0, 0, 0 }, (const uint64_t[]){ 0, 0, 0 }, 0, got),
                     FTK_OK);
    assert_shares(got, 0, 0, 0);
}

static void test_allot_none_full(void **state)
{
    (void)state;
    const uint64_t lost[LAYERS] = { 5, 0, 7 };
    uint64_t got[LAYERS] = { 1, 2, 3 };
    assert_int_equal(share(lost, (const uint64_t[]){ 4, 4, 3 }, 12, got), FTK_ERANGE);
    assert_shares(got, 1, 2, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prune_magnitude),    cmocka_unit_test(test_grow_gradient),
        cmocka_unit_test(test_grow_random_stream), cmocka_unit_test(test_grow_random_share),
        cmocka_unit_test(test_grow_random_ties),   cmocka_unit_test(test_allot_none),
        cmocka_unit_test(test_allot_none_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
