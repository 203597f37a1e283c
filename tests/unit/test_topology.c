/* SPDX-License-Identifier: MIT
 * test_topology.c - one topology update, option by option, against a naive one.
 */
#include "topology_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 4, MOST = 4000 };
static const uint64_t sizes[LAYERS] = { 500, 64, MOST, 1501 };

/* A copy of the network from before an update. */
struct before {
    bool active[LAYERS][MOST];
    float weight[LAYERS][MOST], momentum[LAYERS][MOST];
    uint64_t nnz[LAYERS];
};

static struct before *copy(const struct topology_case *c)
{
    struct before *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    for (uint32_t l = 0; l < LAYERS; l++) {
        const struct fake_layer *f = &c->fake->layer[l];
        b->nnz[l] = f->nnz;
        for (uint64_t i = 0; i < f->n; i++) {
            b->active[l][i] = fake_active(f, i);
            b->weight[l][i] = f->weight[i];
            b->momentum[l][i] = f->momentum[i];
        }
    }
    return b;
}

static void open_case(struct topology_case *c, const ftk_algo *prune, const ftk_algo *grow,
                      const ftk_algo *allot)
{
    case_open(c, sizes, LAYERS, &case_init_uniform, prune, grow, allot);
}

static void start(struct topology_case *c)
{
    case_start(c);
    case_init(c, 0.3, 5);
}

static void update(struct topology_case *c, double rate)
{
    if (case_update(c, rate, 1000) < 0)
        fail_msg("%s", c->err.message);
}

/* The k best of value[n] among `of`, ties to the lower index: naive, one at a time. */
static void mark_best(const float *value, const bool *of, uint64_t n, uint64_t k, bool highest,
                      bool *ret)
{
    memset(ret, 0, n);
    for (uint64_t j = 0; j < k; j++) {
        uint64_t best = n;
        for (uint64_t i = 0; i < n; i++) {
            if (!of[i] || ret[i])
                continue;
            if (best == n || (highest ? fabsf(value[i]) > fabsf(value[best])
                                      : fabsf(value[i]) < fabsf(value[best])))
                best = i;
        }
        assert_true(best < n);
        ret[best] = true;
    }
}

/* Layer l of the paper's update: ceil(rate nnz) of the lowest |w| go, as many of the highest |g|
 * come. */
static void check_naive(const struct topology_case *c, const struct before *b, uint32_t l,
                        double rate, bool forbidden)
{
    const struct fake_layer *f = &c->fake->layer[l];
    static bool drop[MOST], add[MOST], free_now[MOST];
    uint64_t k = (uint64_t)ceil(rate * (double)b->nnz[l]);
    if (forbidden && k > f->n - b->nnz[l])
        k = f->n - b->nnz[l];
    mark_best(b->weight[l], b->active[l], f->n, k, false, drop);
    for (uint64_t i = 0; i < f->n; i++)
        free_now[i] = !b->active[l][i] || (drop[i] && !forbidden);
    mark_best(f->grad, free_now, f->n, k, true, add);
    for (uint64_t i = 0; i < f->n; i++) {
        bool stays = b->active[l][i] && !drop[i];
        assert_true(fake_active(f, i) == (stays || add[i]));
        assert_true(f->weight[i] == (stays ? b->weight[l][i] : 0));
        assert_true(f->momentum[i] == (stays ? b->momentum[l][i] : 0));
    }
}

static void update_is_the_naive_one(void **state)
{
    (void)state;
    for (unsigned forbidden = 0; forbidden < 2; forbidden++) {
        struct topology_case c;
        open_case(&c, &case_magnitude, &case_gradient, NULL);
        c.options.regrow = forbidden ? FTK__REGROW_FORBIDDEN : FTK__REGROW_ALLOWED;
        start(&c);
        const double rates[3] = { 0.5, 0.123, 1 };
        for (unsigned i = 0; i < 3; i++) {
            struct before *b = copy(&c);
            update(&c, rates[i]);
            for (uint32_t l = 0; l < LAYERS; l++)
                check_naive(&c, b, l, rates[i], forbidden);
            free(b);
            case_fill(&c, 6 + i);
        }
        assert_int_equal(ftk__topology_updates(c.t), 3);
        case_close(&c);
    }
}

static void rate_zero_changes_nothing(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient, NULL);
    start(&c);
    uint64_t hash = case_hash(&c);
    update(&c, 0);
    assert_int_equal(c.report.dropped, 0);
    assert_true(case_hash(&c) == hash);
    case_close(&c);
}

static void switched_off_changes_nothing(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient, NULL);
    c.options.enabled = 0;
    start(&c);
    uint64_t hash = case_hash(&c);
    update(&c, 0.5);
    assert_true(case_hash(&c) == hash);
    assert_int_equal(c.report.nnz, ftk__topology_nnz(c.t));
    assert_int_equal(ftk__topology_updates(c.t), 0);
    assert_false(ftk__topology_wants_grad(c.t));
    case_close(&c);
}

static void rounding_is_obeyed(void **state)
{
    (void)state;
    const enum ftk__rounding round[3] = { FTK__ROUND_CEIL, FTK__ROUND_FLOOR, FTK__ROUND_NEAREST };
    const uint64_t expected[3] = { 7 * 4, 6 * 4, 7 * 4 };
    const uint64_t n[4] = { 44, 44, 44, 44 };
    for (unsigned i = 0; i < 3; i++) {
        struct topology_case c;
        case_open(&c, n, 4, &case_init_uniform, &case_magnitude, &case_gradient, NULL);
        c.options.round = (int32_t)round[i];
        case_start(&c);
        case_init(&c, 0.5, 1); // 22 of 44 each; 0.3 x 22 = 6.6
        update(&c, 0.3);
        assert_int_equal(c.report.dropped, expected[i]);
        assert_int_equal(c.report.nnz, 88);
        case_close(&c);
    }
}

static void regrown_weights_keep_their_value(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient, NULL);
    c.options.grown_value = FTK__GROWN_KEEP_IF_REGROWN;
    start(&c);
    struct before *b = copy(&c);
    update(&c, 0.5);
    uint64_t regrown = 0, kept = 0;
    for (uint32_t l = 0; l < LAYERS; l++) {
        const struct fake_layer *f = &c.fake->layer[l];
        for (uint64_t i = 0; i < f->n; i++) {
            if (!fake_active(f, i))
                continue;
            assert_true(f->weight[i] == b->weight[l][i]); // 0 for those that were inactive
            assert_true(f->momentum[i] == (b->active[l][i] ? b->momentum[l][i] : 0));
            kept += b->active[l][i];
        }
        regrown += f->nnz;
    }
    regrown = kept - (regrown - c.report.dropped);
    assert_true(regrown > 0);
    free(b);
    case_close(&c);
}

static void grown_momentum_is_kept(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_momentum, NULL);
    c.options.grown_momentum = FTK__MOMENTUM_KEEP;
    c.options.inactive_momentum = FTK__INACTIVE_ACCUMULATE;
    c.fake->dense_momentum = true;
    start(&c);
    struct before *b = copy(&c);
    update(&c, 0.5);
    for (uint32_t l = 0; l < LAYERS; l++) {
        for (uint64_t i = 0; i < sizes[l]; i++)
            assert_true(c.fake->layer[l].momentum[i] == b->momentum[l][i]);
    }
    free(b);
    case_close(&c);
}

/* Without accumulation inactive momentum is 0, dropped weights' too: all tie, the lowest grow. */
static void dropped_momentum_is_zero(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_momentum, NULL);
    start(&c);
    struct before *b = copy(&c);
    update(&c, 0.5);
    static bool drop[MOST], none[MOST];
    static float zero[MOST];
    for (uint32_t l = 0; l < LAYERS; l++) {
        uint64_t k = (b->nnz[l] + 1) / 2;
        mark_best(b->weight[l], b->active[l], sizes[l], k, false, drop);
        for (uint64_t i = 0; i < sizes[l]; i++)
            none[i] = !b->active[l][i] || drop[i];
        static bool add[MOST];
        mark_best(zero, none, sizes[l], k, true, add);
        for (uint64_t i = 0; i < sizes[l]; i++)
            assert_true(fake_active(&c.fake->layer[l], i) == (add[i] || !none[i]));
    }
    free(b);
    case_close(&c);
}

/* Total and limits of a network-wide prune: no survivor below a dropped weight. */
static void network_scope_ranks_all_layers(void **state)
{
    (void)state;
    const ftk_algo *allots[2] = { NULL, &case_allot_last };
    for (unsigned a = 0; a < 2; a++) {
        struct topology_case c;
        open_case(&c, &case_magnitude, &case_gradient, allots[a]);
        c.options.scope = FTK__SCOPE_NETWORK;
        start(&c);
        for (uint64_t i = 0; i < sizes[2]; i++)
            c.fake->layer[2].weight[i] *= 0.125f;
        struct before *b = copy(&c);
        uint64_t nnz = ftk__topology_nnz(c.t);
        update(&c, 0.37);
        assert_int_equal(c.report.dropped, (uint64_t)ceil(0.37 * (double)nnz));
        assert_int_equal(c.report.grown, c.report.dropped);
        assert_int_equal(c.report.nnz, nnz);
        float lowest_kept = INFINITY, highest_gone = 0;
        for (uint32_t l = 0; l < LAYERS; l++) {
            for (uint64_t i = 0; i < sizes[l]; i++) {
                float w = fabsf(b->weight[l][i]);
                bool kept = c.fake->layer[l].weight[i] != 0;
                if (!b->active[l][i])
                    continue;
                if (kept)
                    lowest_kept = fminf(lowest_kept, w);
                else
                    highest_gone = fmaxf(highest_gone, w);
            }
        }
        assert_true(highest_gone <= lowest_kept);
        if (allots[a]) // everything to the last layer that has room for it
            assert_true(c.fake->layer[3].nnz > b->nnz[3] && c.fake->layer[2].nnz < b->nnz[2]);
        free(b);
        case_close(&c);
    }
}

static void wrong_allots_are_refused(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient, &case_allot_wrong);
    start(&c);
    uint64_t hash = case_hash(&c);
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "sum to"));
    assert_non_null(strstr(c.err.context[0], "allot 'wrong'"));
    assert_true(case_hash(&c) == hash);
    assert_int_equal(ftk__topology_updates(c.t), 0);
    case_close(&c);
}

/* The active entry of a layer that comes first at or behind `from`, or else the last before it. */
static uint64_t active_near(const struct fake_layer *f, uint64_t from)
{
    uint64_t at = from;
    while (at < f->n && !fake_active(f, at))
        at++;
    if (at < f->n)
        return at;
    for (at = from; at > 0 && !fake_active(f, at - 1); at--)
        continue;
    return at - 1;
}

static void check_nan(int32_t ties, uint64_t from)
{
    struct topology_case c;
    open_case(&c, &case_nan_prune, &case_gradient, NULL);
    c.options.ties = ties;
    start(&c);
    struct fake_layer *f = &c.fake->layer[2];
    uint64_t bad = active_near(f, from < f->n ? from : f->n);
    f->weight[bad] = 13.0f;
    char expected[100];
    (void)snprintf(expected, sizeof(expected), "score 'nan' in layer 'layer2' (candidate %u)",
                   (unsigned)bad);
    assert_int_equal(case_update(&c, 0.5, 14000), FTK_ENUMERIC);
    assert_string_equal(c.err.message, expected);
    assert_int_equal(c.err.n_context, 2);
    assert_non_null(strstr(c.err.context[0], "prune 'nan'"));
    assert_string_equal(c.err.context[1], "at topology update 1");
    case_close(&c);
}

/* The first of a layer, one in the middle, the last. */
static void nan_is_refused(void **state)
{
    (void)state;
    for (int32_t ties = FTK__TIES_INDEX; ties <= FTK__TIES_THRESHOLD; ties++) {
        check_nan(ties, 0);
        check_nan(ties, 1203);
        check_nan(ties, UINT64_MAX);
    }
}

static uint64_t hash_after(const ftk_algo *prune, const ftk_algo *grow, uint64_t most,
                           enum ftk__preset preset, int32_t scope)
{
    struct topology_case c;
    open_case(&c, prune, grow, NULL);
    c.options = case_preset(preset);
    c.options.scope = scope;
    c.fake->dense_momentum = c.options.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    c.fake->most = most;
    start(&c);
    for (unsigned i = 0; i < 3; i++) {
        update(&c, 0.4);
        case_fill(&c, 9 + i);
    }
    uint64_t hash = case_hash(&c);
    case_close(&c);
    return hash;
}

static void chunks_do_not_matter(void **state)
{
    (void)state;
    const ftk_algo *prune[3] = { &case_magnitude, &case_uniform_prune, &case_select_prune };
    const ftk_algo *grow[4] = { &case_gradient, &case_uniform_grow, &case_random_grow,
                                &case_select_grow };
    for (unsigned i = 0; i < 12; i++) {
        for (int32_t scope = FTK__SCOPE_LAYER; scope <= FTK__SCOPE_NETWORK; scope++) {
            const ftk_algo *p = prune[i % 3], *g = grow[i / 3];
            enum ftk__preset preset = (enum ftk__preset)(i % 4);
            uint64_t all = hash_after(p, g, 0, preset, scope);
            assert_true(hash_after(p, g, 0, preset, scope) == all);
            assert_true(hash_after(p, g, 7, preset, scope) == all);
            assert_true(hash_after(p, g, 1000, preset, scope) == all);
        }
    }
    uint64_t all = hash_after(&case_magnitude, &case_gradient, 0, FTK__PRESET_PAPER, 0);
    assert_true(hash_after(&case_magnitude, &case_gradient, 1, FTK__PRESET_PAPER, 0) == all);
}

static void gradients_are_read_last_layer_first(void **state)
{
    (void)state;
    for (int32_t scope = FTK__SCOPE_LAYER; scope <= FTK__SCOPE_NETWORK; scope++) {
        struct topology_case c;
        open_case(&c, &case_magnitude, &case_gradient, NULL);
        c.options.scope = scope;
        start(&c);
        update(&c, 0.5);
        const uint32_t order[LAYERS] = { 3, 2, 1, 0 };
        assert_int_equal(c.fake->n_grad_order, LAYERS);
        assert_memory_equal(c.fake->grad_order, order, sizeof(order));
        case_close(&c);
    }
}

static void bernoulli_growth_varies(void **state)
{
    (void)state;
    const uint64_t n = 20000;
    struct topology_case c;
    case_open(&c, &n, 1, &case_init_uniform, &case_magnitude, &case_uniform_grow, NULL);
    case_start(&c);
    case_init(&c, 0.5, 1);
    update(&c, 0.5);
    assert_int_equal(c.report.grown, 5000);
    c.options.count = FTK__COUNTING_BERNOULLI;
    double sum = 0;
    bool varies = false;
    for (unsigned i = 0; i < 100; i++) {
        case_init(&c, 0.5, i); // the mask is drawn anew too
        for (unsigned j = 0; j <= i % 10; j++)
            update(&c, 0.5);
        double p = (double)c.report.dropped / (double)(n - c.report.nnz + c.report.grown);
        double expected = (double)c.report.dropped;
        assert_true(fabs((double)c.report.grown - expected) < 6 * sqrt(expected * (1 - p)));
        varies = varies || c.report.grown != c.report.dropped;
        sum += (double)c.report.grown - expected;
    }
    assert_true(varies);
    assert_true(fabs(sum / 100) < 5 * sqrt(5000 * 0.67 / 100) * 2);
    case_close(&c);
}

static void free_rules_need_permission(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_select_free, &case_gradient, NULL);
    assert_int_equal(ftk__topology_new(&c.setup, &c.t, &c.err), FTK_EINVAL);
    assert_non_null(strstr(c.err.message, "'free'"));
    c.options.strict = 0;
    start(&c);
    uint64_t nnz = ftk__topology_nnz(c.t);
    update(&c, 0.5);
    assert_int_equal(c.report.nnz, nnz);
    assert_int_equal(c.report.dropped, c.report.grown);
    case_close(&c);
}

static void wrong_counts_are_refused(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_select_short, &case_gradient, NULL);
    start(&c);
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "weights of layer 'layer"));
    assert_non_null(strstr(c.err.message, "its budget is"));
    assert_non_null(strstr(c.err.context[0], "prune 'short'"));
    c.options.scope = FTK__SCOPE_NETWORK;
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "weights, the budgets sum to"));
    case_close(&c);
}

/* One weight of the first layer with a budget is taken from the last one instead. */
static void a_selection_may_move_weights_only_over_the_network(void **state)
{
    static const struct {
        const ftk_algo *prune, *grow, *allot;
        int32_t scope;
        ftk_status status;
    } cases[] = {
        { &case_select_moved, &case_gradient, NULL, FTK__SCOPE_LAYER, FTK_ERANGE },
        { &case_select_moved, &case_gradient, NULL, FTK__SCOPE_NETWORK, FTK_OK },
        { &case_magnitude, &case_grow_moved, NULL, FTK__SCOPE_LAYER, FTK_ERANGE },
        { &case_magnitude, &case_grow_moved, NULL, FTK__SCOPE_NETWORK, FTK_OK },
        { &case_magnitude, &case_grow_moved, &case_allot_last, FTK__SCOPE_NETWORK, FTK_ERANGE },
        { &case_magnitude, &case_select_grow, &case_allot_last, FTK__SCOPE_NETWORK, FTK_OK },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct topology_case c;
        open_case(&c, cases[i].prune, cases[i].grow, cases[i].allot);
        c.options.scope = cases[i].scope;
        start(&c);
        uint64_t nnz = ftk__topology_nnz(c.t);
        uint64_t hash = case_hash(&c);
        assert_int_equal(case_update(&c, 0.3, 1000), cases[i].status);
        if (cases[i].status == FTK_OK) {
            assert_int_equal(c.report.nnz, nnz);
        } else {
            assert_non_null(strstr(c.err.message, "its budget is"));
            assert_non_null(strstr(c.err.context[0], "'moved'"));
            assert_true(case_hash(&c) == hash);
        }
        case_close(&c);
    }
}

static void selecting_equals_scoring(void **state)
{
    (void)state;
    assert_true(hash_after(&case_select_prune, &case_gradient, 0, FTK__PRESET_PAPER, 0) ==
                hash_after(&case_magnitude, &case_gradient, 0, FTK__PRESET_PAPER, 0));
}

static void a_failing_backend_is_reported(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient, NULL);
    start(&c);
    c.fake->fail_edit = 1;
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_EIO);
    assert_non_null(strstr(c.err.context[0], "'fake'"));
    c.fake->fail_edit = UINT32_MAX;
    c.fake->no_grad = true;
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_ESTATE);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(update_is_the_naive_one),
        cmocka_unit_test(rate_zero_changes_nothing),
        cmocka_unit_test(switched_off_changes_nothing),
        cmocka_unit_test(rounding_is_obeyed),
        cmocka_unit_test(regrown_weights_keep_their_value),
        cmocka_unit_test(grown_momentum_is_kept),
        cmocka_unit_test(dropped_momentum_is_zero),
        cmocka_unit_test(network_scope_ranks_all_layers),
        cmocka_unit_test(wrong_allots_are_refused),
        cmocka_unit_test(nan_is_refused),
        cmocka_unit_test(chunks_do_not_matter),
        cmocka_unit_test(gradients_are_read_last_layer_first),
        cmocka_unit_test(bernoulli_growth_varies),
        cmocka_unit_test(free_rules_need_permission),
        cmocka_unit_test(wrong_counts_are_refused),
        cmocka_unit_test(a_selection_may_move_weights_only_over_the_network),
        cmocka_unit_test(selecting_equals_scoring),
        cmocka_unit_test(a_failing_backend_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
