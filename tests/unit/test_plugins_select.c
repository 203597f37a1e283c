/* SPDX-License-Identifier: MIT
 * test_plugins_select.c - what the pruners that select by themselves take of small layers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include "plugin_net.h"

/* ---- set: Mocanu et al. 2018: the smallest positive and the largest negative weights go ------ */

static ftk_status set_of(struct plugin_net *n, const uint64_t *budget)
{
    const ftk_prune_ops *ops = plugin_load("prune_set", FTK_KIND_PRUNE)->ops;
    ftk_update u = { .size = sizeof(u) };
    struct bt_host host;
    bt_host_init(&host);
    plugin_net_ask(n, budget);
    assert_int_equal(ops->count, FTK_COUNT_EXACT);
    ftk_status st = ops->select(&host.table, NULL, &n->net, &u, &n->edit);
    assert_int_equal(st < 0, host.message[0] != '\0');
    assert_int_equal(n->channels & ~ops->channels, 0);
    bt_host_done(&host);
    return st;
}

/* One layer with `nnz` weights at 1, 3, 5, ...: k of it must be want[k]. */
static void assert_set(const float *weight, uint64_t nnz, uint64_t k, const uint64_t *want)
{
    static struct plugin_net n;
    static const uint64_t odd[] = { 1, 3, 5, 7, 9, 11, 13, 15 };
    for (uint64_t most = 1; most <= nnz + 1; most++) {
        plugin_net_init(&n);
        plugin_net_add(&n, &(const struct pn_layer){ 16, nnz, odd, weight, NULL });
        n.most = most;
        assert_int_equal(set_of(&n, &k), FTK_OK);
        plugin_net_assert(&n, 0, want, k);
    }
}

/* By size: 0.05 (9), 0.2 (5), 0.5 (1), 0.9 (13); -0.1 (3), -0.3 (11), -0.4 (7). */
static void test_set(void **state)
{
    (void)state;
    static const float w[] = { 0.5f, -0.1f, 0.2f, -0.4f, 0.05f, -0.3f, 0.9f };
    assert_set(w, 7, 1, (const uint64_t[]){ 9 });
    assert_set(w, 7, 2, (const uint64_t[]){ 3, 9 });
    assert_set(w, 7, 3, (const uint64_t[]){ 3, 5, 9 });
    assert_set(w, 7, 4, (const uint64_t[]){ 3, 5, 9, 11 });
    assert_set(w, 7, 5, (const uint64_t[]){ 1, 3, 5, 9, 11 });
    assert_set(w, 7, 6, (const uint64_t[]){ 1, 3, 5, 7, 9, 11 });
    assert_set(w, 7, 7, (const uint64_t[]){ 1, 3, 5, 7, 9, 11, 13 });
}

/* Where a sign runs out the other gives the rest, whichever it is. */
static void test_set_one_sided(void **state)
{
    (void)state;
    static const float few[] = { 0.5f, 0.2f, -0.7f, 0.1f };
    static const float none[] = { 0.3f, 0.1f, 0.2f };
    static const float all[] = { -0.3f, -0.1f, -0.2f };
    assert_set(few, 4, 3, (const uint64_t[]){ 3, 5, 7 });
    assert_set(few, 4, 4, (const uint64_t[]){ 1, 3, 5, 7 });
    assert_set(none, 3, 2, (const uint64_t[]){ 3, 5 });
    assert_set(all, 3, 1, (const uint64_t[]){ 3 });
    assert_set(all, 3, 2, (const uint64_t[]){ 3, 5 });
}

/* Ties go to the lower position, on either side; zeros of both signs are the smallest positive
 * ones. */
static void test_set_ties(void **state)
{
    (void)state;
    static const float tied[] = { 0.2f, -0.2f, 0.2f, -0.2f, 0.2f, -0.2f };
    static const float zero[] = { 0.0f, -0.0f, 0.0f, -0.0f };
    static const float some[] = { 0.1f, -0.1f, -0.0f, -0.2f, 0.0f };
    assert_set(tied, 6, 2, (const uint64_t[]){ 1, 3 });
    assert_set(tied, 6, 3, (const uint64_t[]){ 1, 3, 5 });
    assert_set(zero, 4, 3, (const uint64_t[]){ 1, 3, 5 });
    assert_set(some, 5, 1, (const uint64_t[]){ 5 });
    assert_set(some, 5, 3, (const uint64_t[]){ 3, 5, 9 });
}

/* Each layer by itself; none of an empty one, none without a budget; never more than there are. */
static void test_set_layers(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const uint64_t at[] = { 0, 2, 4 };
    static const float small[] = { 0.1f, -0.1f, 0.2f };
    static const float large[] = { 10.0f, -10.0f, 20.0f };
    plugin_net_init(&n);
    plugin_net_add(&n, &(const struct pn_layer){ 5, 3, at, small, NULL });
    plugin_net_add(&n, &(const struct pn_layer){ 5, 0, at, small, NULL });
    plugin_net_add(&n, &(const struct pn_layer){ 5, 3, at, large, NULL });
    plugin_net_add(&n, &(const struct pn_layer){ 5, 3, at, small, NULL });
    assert_int_equal(set_of(&n, (const uint64_t[]){ 1, 0, 2, 0 }), FTK_OK);
    plugin_net_assert(&n, 0, (const uint64_t[]){ 0 }, 1);
    plugin_net_assert(&n, 1, NULL, 0);
    plugin_net_assert(&n, 2, (const uint64_t[]){ 0, 2 }, 2);
    plugin_net_assert(&n, 3, NULL, 0);
    assert_int_equal(set_of(&n, (const uint64_t[]){ 0, 0, 4, 0 }), FTK_ERANGE);
    assert_int_equal(set_of(&n, (const uint64_t[]){ 0, 1, 0, 0 }), FTK_ERANGE);
}

/* ---- threshold: Mostafa and Wang 2019, algorithm 1: |w| < H goes, whatever the number -------- */

static ftk_status threshold_of(struct plugin_net *n, double threshold, const uint64_t *budget)
{
    const ftk_algo *algo = plugin_load("prune_threshold", FTK_KIND_PRUNE);
    const ftk_prune_ops *ops = algo->ops;
    ftk_update u = { .size = sizeof(u) };
    struct bt_host host;
    bt_host_init(&host);
    plugin_net_ask(n, budget);
    assert_int_equal(algo->params_size, sizeof(threshold));
    assert_int_equal(ops->count, FTK_COUNT_FREE);
    ftk_status st = ops->select(&host.table, &threshold, &n->net, &u, &n->edit);
    assert_int_equal(n->channels & ~ops->channels, 0);
    bt_host_done(&host);
    return st;
}

/* 0.25 is a float: what equals the threshold stays, on both sides; the budget does not count. */
static void test_threshold(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const uint64_t at[] = { 1, 2, 4, 8, 16, 32, 64 };
    static const float w[] = { 0.25f, -0.25f, 0.2499999f, -0.2499999f, -0.0f, 3.0f, 1e-30f };
    plugin_net_init(&n);
    plugin_net_add(&n, &(const struct pn_layer){ 100, 7, at, w, NULL });
    assert_int_equal(threshold_of(&n, 0.25, (const uint64_t[]){ 1 }), FTK_OK);
    plugin_net_assert(&n, 0, (const uint64_t[]){ 4, 8, 16, 64 }, 4);
    n.most = 2;
    assert_int_equal(threshold_of(&n, 0.25, (const uint64_t[]){ 7 }), FTK_OK);
    plugin_net_assert(&n, 0, (const uint64_t[]){ 4, 8, 16, 64 }, 4);
    assert_int_equal(threshold_of(&n, 1e6, (const uint64_t[]){ 1 }), FTK_OK);
    plugin_net_assert(&n, 0, at, 7);
    assert_int_equal(threshold_of(&n, 0, (const uint64_t[]){ 7 }), FTK_OK);
    plugin_net_assert(&n, 0, NULL, 0);
}

/* A layer of zeros loses all, one without active weights nothing, one without a budget is exempt.
 * */
static void test_threshold_layers(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const uint64_t at[] = { 0, 2, 4 };
    static const float zero[] = { 0.0f, -0.0f, 0.0f };
    plugin_net_init(&n);
    plugin_net_add(&n, &(const struct pn_layer){ 5, 3, at, zero, NULL });
    plugin_net_add(&n, &(const struct pn_layer){ 5, 0, at, zero, NULL });
    plugin_net_add(&n, &(const struct pn_layer){ 5, 3, at, zero, NULL });
    assert_int_equal(threshold_of(&n, 0.001, (const uint64_t[]){ 1, 1, 0 }), FTK_OK);
    plugin_net_assert(&n, 0, at, 3);
    plugin_net_assert(&n, 1, NULL, 0);
    plugin_net_assert(&n, 2, NULL, 0);
}

/* More weights than are read at once, each third below: the first and the last of every piece
 * count. */
static void test_threshold_long(void **state)
{
    (void)state;
    enum { COUNT = 8192 + 1 };
    static struct plugin_net n;
    static uint64_t at[COUNT];
    static uint64_t want[COUNT];
    static float w[COUNT];
    uint64_t below = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        at[i] = 2 * i;
        w[i] = i % 3 ? 1.0f : -0.125f;
        if (i % 3 == 0)
            want[below++] = at[i];
    }
    plugin_net_init(&n);
    plugin_net_add(&n, &(const struct pn_layer){ 2 * COUNT, COUNT, at, w, NULL });
    assert_int_equal(threshold_of(&n, 0.5, (const uint64_t[]){ 1 }), FTK_OK);
    plugin_net_assert(&n, 0, want, below);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_one_sided),
        cmocka_unit_test(test_set_ties),
        cmocka_unit_test(test_set_layers),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_threshold_layers),
        cmocka_unit_test(test_threshold_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
