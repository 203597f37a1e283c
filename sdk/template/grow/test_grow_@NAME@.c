/* SPDX-License-Identifier: MIT
 * Known answers of the rule on one layer of 8 weights, with a host and a network of a few lines.
 */
#include "grow_@NAME@.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint64_t inactive[] = { 1, 2, 4, 5, 7 };
static const float grad[] = { 0.1f, -3.0f, 0.2f, 2.0f, -0.3f };
enum { N_INACTIVE = 5 };

struct taken {
    uint64_t index[8];
    uint64_t n;
};

static void *scratch(const ftk_host *h, size_t bytes)
{
    (void)h;
    return calloc(1, bytes ? bytes : 1); /* the process ends soon */
}

static ftk_status select_high(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                              uint64_t *ret_pos)
{
    uint64_t found = 0;
    (void)h;
    for (uint64_t i = 0; i < n && found < k; i++) {
        uint64_t larger = 0;
        for (uint64_t j = 0; j < n; j++)
            larger += score[j] > score[i] || (j < i && score[j] >= score[i]);
        if (larger < k)
            ret_pos[found++] = i;
    }
    return FTK_OK;
}

static uint64_t always_last(ftk_rng *r, uint64_t n)
{
    (void)r;
    return n - 1;
}

static ftk_status read_layer(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                             uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    (void)net;
    (void)layer;
    assert_int_equal(which, FTK_INACTIVE);
    assert_int_equal(channels, FTK_CH_GRAD);
    *ret = (ftk_cand){ .size = sizeof(*ret), .channels = channels };
    ret->count = N_INACTIVE - *cursor < cap ? N_INACTIVE - *cursor : cap;
    ret->index = inactive + *cursor;
    ret->grad = grad + *cursor;
    *cursor += ret->count;
    return FTK_OK;
}

static ftk_status take(const ftk_edit *e, uint32_t layer, const uint64_t *index, uint64_t n)
{
    struct taken *t = e->impl;
    (void)layer;
    for (uint64_t i = 0; i < n; i++)
        t->index[t->n++] = index[i];
    return FTK_OK;
}

static void two_largest_and_a_drawn_one(void **state)
{
    const ftk_host host = { .size = sizeof(host),
                            .scratch = scratch,
                            .rng_below = always_last,
                            .select_high = select_high };
    const ftk_layer layer = { .size = sizeof(layer), .n = 8, .nnz = 3, .name = "fc" };
    const ftk_layer *const layers[] = { &layer };
    const ftk_net net = { .size = sizeof(net), .n_layers = 1, .layers = layers, .read = read_layer };
    const uint64_t budget[] = { 3 };
    struct taken t = { .n = 0 };
    const ftk_edit edit = {
        .size = sizeof(edit), .n_layers = 1, .budget = budget, .impl = &t, .take = take
    };
    struct params p = { .random_share = 0.4 };
    ftk_update u = { .size = sizeof(u) };
    (void)state;
    assert_int_equal(select_entries(&host, &p, &net, &u, &edit), FTK_OK);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.index[0], 2); /* |-3| */
    assert_int_equal(t.index[1], 5); /* 2 */
    assert_int_equal(t.index[2], 7); /* drawn: the last of 1, 4, 7 */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_largest_and_a_drawn_one) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
