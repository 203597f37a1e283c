/* SPDX-License-Identifier: MIT
 * test_select.c - k of n against a naive sort, at layer and network scope; uniform draws.
 */
#include "sparse/select.h"
#include "base/rng.h"
#include "sparse/bits.h"
#include "sparse/draw.h"
#include "topology_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 4 };
static const uint64_t sizes[LAYERS] = { 700, 1, 3000, 90000 };

struct naive {
    float score;
    uint32_t layer;
    uint64_t index;
};

static int lowest_first(const void *a, const void *b)
{
    const struct naive *x = a;
    const struct naive *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int highest_first(const void *a, const void *b)
{
    const struct naive *x = a;
    const struct naive *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return lowest_first(a, b);
}

/* All candidates of layers [from, to), best first. */
static struct naive *sorted(const struct topology_case *c, uint32_t from, uint32_t to,
                            uint32_t which, uint64_t *ret_n)
{
    struct naive *v = calloc(100000, sizeof(*v));
    uint64_t n = 0;
    assert_non_null(v);
    for (uint32_t l = from; l < to; l++) {
        const struct fake_layer *f = &c->fake->layer[l];
        for (uint64_t i = 0; i < f->n; i++) {
            if (fake_active(f, i) != (which == FTK_ACTIVE))
                continue;
            float x = which == FTK_ACTIVE ? f->weight[i] : f->grad[i];
            v[n++] = (struct naive){ fabsf(x), l, i };
        }
    }
    qsort(v, n, sizeof(*v), which == FTK_ACTIVE ? lowest_first : highest_first);
    *ret_n = n;
    return v;
}

/* That `got` of layer l is the part of best[k] in that layer, ascending. */
static void check_layer(const struct naive *best, uint64_t k, uint32_t l,
                        const struct ftk__picked *got)
{
    uint64_t in_layer = 0;
    for (uint64_t i = 0; i < k; i++)
        in_layer += best[i].layer == l;
    assert_int_equal(got->n, in_layer);
    for (uint64_t i = 1; i < got->n; i++)
        assert_true(got->index[i - 1] < got->index[i]);
    for (uint64_t i = 0; i < k; i++) {
        bool found = best[i].layer != l;
        uint64_t lo = 0, hi = got->n;
        while (lo < hi && !found) {
            uint64_t mid = (lo + hi) / 2;
            found = got->index[mid] == best[i].index;
            if (got->index[mid] < best[i].index)
                lo = mid + 1;
            else
                hi = mid;
        }
        assert_true(found);
    }
}

static void begin(struct topology_case *c, struct ftk__work *w)
{
    const struct ftk__topology_event ev = { .step = 1000, .rate = 0.5 };
    assert_int_equal(ftk__work_init(w, c->t, &c->fake->engine, &ev, &c->err), FTK_OK);
}

static void open_case(struct topology_case *c, const ftk_algo *prune, const ftk_algo *grow)
{
    case_open(c, sizes, LAYERS, &case_init_uniform, prune, grow, NULL);
    case_start(c);
    case_init(c, 0.5, 1);
}

static void layer_scope_is_a_sort(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient);
    for (uint64_t most = 0; most <= 1000; most = most ? most * 10 : 7) {
        c.fake->most = most;
        for (uint32_t l = 0; l < LAYERS; l++) {
            for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
                struct ftk__work w;
                begin(&c, &w);
                const struct ftk__choice choice = { .rule = which == FTK_ACTIVE ? &c.t->prune
                                                                                : &c.t->grow,
                                                    .which = which };
                uint64_t n;
                struct naive *best = sorted(&c, l, l + 1, which, &n);
                const uint64_t ks[5] = { 0, n > 0, n / 3, n - (n > 0), n };
                for (unsigned i = 0; i < 5; i++) {
                    struct ftk__picked got = { 0 };
                    assert_int_equal(ftk__select_layer(&w, &choice, l, ks[i], &got, &c.err),
                                     FTK_OK);
                    check_layer(best, ks[i], l, &got);
                    ftk__free(got.index);
                }
                free(best);
                ftk__work_done(&w);
            }
        }
    }
    case_close(&c);
}

static void network_scope_is_a_sort(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient);
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        struct ftk__work w;
        begin(&c, &w);
        const struct ftk__choice choice = { .rule = which == FTK_ACTIVE ? &c.t->prune : &c.t->grow,
                                            .which = which };
        uint64_t n;
        struct naive *best = sorted(&c, 0, LAYERS, which, &n);
        const uint64_t ks[4] = { 0, 1, n / 2, n };
        for (unsigned i = 0; i < 4; i++) {
            struct ftk__picked got[LAYERS];
            assert_int_equal(ftk__select_network(&w, &choice, ks[i], got, &c.err), FTK_OK);
            for (uint32_t l = 0; l < LAYERS; l++) {
                check_layer(best, ks[i], l, &got[l]);
                ftk__free(got[l].index);
            }
        }
        free(best);
        ftk__work_done(&w);
    }
    case_close(&c);
}

/* A dense layer that is exempt takes no part in the network's order. */
static void exempt_layers_take_no_part(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient);
    c.t->layers[0].density_target = 1;
    for (uint32_t round = 0; round < 3; round++) {
        const uint32_t which = round == 1 ? FTK_INACTIVE : FTK_ACTIVE;
        const struct ftk__choice choice = { .rule = round == 1 ? &c.t->grow : &c.t->prune,
                                            .which = which,
                                            .threshold = round == 2 };
        struct ftk__work w;
        begin(&c, &w);
        uint64_t n;
        struct naive *best = sorted(&c, 1, LAYERS, which, &n);
        struct ftk__picked got[LAYERS];
        assert_int_equal(ftk__select_network(&w, &choice, n, got, &c.err), FTK_OK);
        for (uint32_t l = 0; l < LAYERS; l++) {
            check_layer(best, n, l, &got[l]);
            ftk__free(got[l].index);
        }
        assert_int_equal(ftk__select_network(&w, &choice, n + 1, got, &c.err), FTK_ERANGE);
        for (uint32_t l = 0; l < LAYERS; l++)
            ftk__free(got[l].index);
        free(best);
        ftk__work_done(&w);
    }
    case_close(&c);
}

/* Every entry of a layer, in chunks: whether it fired is whether it was ever seen active. */
static void check_fired(struct topology_case *c, uint32_t l, const uint8_t *ever)
{
    struct ftk__work w;
    uint64_t seen = 0;
    begin(c, &w);
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        ftk_cand cand;
        assert_int_equal(ftk__reader_start(&w.reader, l, which, FTK_CH_FIRED, &c->err), FTK_OK);
        do {
            assert_int_equal(ftk__reader_next(&w.reader, 1000, &cand, &c->err), FTK_OK);
            for (uint64_t i = 0; i < cand.count; i++)
                assert_int_equal(cand.fired[i], ever[cand.index[i]]);
            seen += cand.count;
        } while (cand.count > 0);
    }
    assert_int_equal(seen, sizes[l]);
    ftk__work_done(&w);
}

static void fired_is_ever_active(void **state)
{
    (void)state;
    struct topology_case c;
    static uint8_t ever[LAYERS][90000];
    open_case(&c, &case_magnitude, &case_gradient);
    for (uint64_t step = 1; step <= 3; step++) {
        for (uint32_t l = 0; l < LAYERS; l++) {
            for (uint64_t i = 0; i < sizes[l]; i++)
                ever[l][i] |= fake_active(&c.fake->layer[l], i);
            check_fired(&c, l, ever[l]);
        }
        assert_int_equal(case_update(&c, 0.3, step), FTK_OK);
    }
    case_close(&c);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_uniform_grow);
    struct ftk__work w;
    begin(&c, &w);
    struct ftk__picked got[LAYERS] = { 0 };
    const struct ftk__choice prune = { .rule = &c.t->prune, .which = FTK_ACTIVE };
    const struct ftk__choice grow = { .rule = &c.t->grow, .which = FTK_INACTIVE };
    uint64_t nnz = c.fake->layer[2].nnz;
    assert_int_equal(ftk__select_layer(&w, &prune, 2, nnz + 1, got, &c.err), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "layer2"));
    assert_int_equal(ftk__select_layer(&w, &grow, 2, 3000 - nnz + 1, got, &c.err), FTK_ERANGE);
    assert_int_equal(ftk__select_network(&w, &prune, 100000, got, &c.err), FTK_ERANGE);
    assert_int_equal(ftk__select_network(&w, &grow, 100000, got, &c.err), FTK_ERANGE);
    ftk__work_done(&w);
    case_close(&c);
}

static void threshold_takes_all_ties(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient);
    for (uint32_t network = 0; network < 2; network++) {
        struct ftk__work w;
        begin(&c, &w);
        const struct ftk__choice choice = { .rule = &c.t->prune,
                                            .which = FTK_ACTIVE,
                                            .threshold = true };
        uint64_t n;
        struct naive *best =
            network ? sorted(&c, 0, LAYERS, FTK_ACTIVE, &n) : sorted(&c, 3, 4, FTK_ACTIVE, &n);
        struct ftk__picked got[LAYERS] = { 0 };
        uint64_t k = n / 3, all = k;
        while (all < n && best[all].score == best[k - 1].score)
            all++;
        assert_true(all > k);
        if (network)
            assert_int_equal(ftk__select_network(&w, &choice, k, got, &c.err), FTK_OK);
        else
            assert_int_equal(ftk__select_layer(&w, &choice, 3, k, &got[3], &c.err), FTK_OK);
        for (uint32_t l = network ? 0 : 3; l < LAYERS; l++)
            check_layer(best, all, l, &got[l]);
        for (uint32_t l = 0; l < LAYERS; l++)
            ftk__free(got[l].index);
        free(best);
        ftk__work_done(&w);
    }
    case_close(&c);
}

static void threshold_of_none_takes_exact_zeros(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_magnitude, &case_gradient);
    struct fake_layer *f = &c.fake->layer[2];
    struct ftk__work w;
    begin(&c, &w);
    const struct ftk__choice choice = { .rule = &c.t->prune,
                                        .which = FTK_ACTIVE,
                                        .threshold = true };
    uint64_t zeros = 0;
    for (uint64_t i = 0; i < f->n; i++)
        zeros += fake_active(f, i) && f->weight[i] == 0;
    struct ftk__picked got = { 0 };
    assert_int_equal(ftk__select_layer(&w, &choice, 2, 0, &got, &c.err), FTK_OK);
    assert_int_equal(got.n, zeros);
    ftk__free(got.index);
    uint64_t first = 0;
    while (!fake_active(f, first) || f->weight[first] == 0)
        first++;
    f->weight[first] = -0.0f;
    assert_int_equal(ftk__select_layer(&w, &choice, 2, 0, &got, &c.err), FTK_OK);
    assert_int_equal(got.n, zeros + 1);
    ftk__free(got.index);
    ftk__work_done(&w);
    case_close(&c);
}

/* Floyd's set by the words of sparse.h, against a list of all candidates. */
static void uniform_is_floyds_set(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_uniform_prune, &case_uniform_grow);
    c.fake->most = 1000;
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        struct ftk__work w;
        begin(&c, &w);
        const uint32_t l = 3;
        const struct ftk__rule *rule = which == FTK_ACTIVE ? &c.t->prune : &c.t->grow;
        const struct ftk__choice choice = { .rule = rule, .which = which };
        uint64_t n = 0, k = 20000;
        uint64_t *list = calloc(90000, sizeof(*list));
        uint8_t *set = calloc(90000, 1);
        assert_non_null(list);
        assert_non_null(set);
        for (uint64_t i = 0; i < 90000; i++) {
            if (fake_active(&c.fake->layer[l], i) == (which == FTK_ACTIVE))
                list[n++] = i;
        }
        ftk_rng rng = ftk__rng_stream(
            17, which == FTK_ACTIVE ? FTK__FOR_PRUNE_PLUGIN : FTK__FOR_GROW_PLUGIN, 0, 0, l);
        for (uint64_t j = n - k; j < n; j++) {
            uint64_t r = ftk__rng_below(&rng, j + 1);
            set[set[r] ? j : r] = 1;
        }
        struct ftk__picked got = { 0 };
        assert_int_equal(ftk__select_layer(&w, &choice, l, k, &got, &c.err), FTK_OK);
        uint64_t at = 0;
        for (uint64_t r = 0; r < n; r++) {
            if (set[r])
                assert_int_equal(got.index[at++], list[r]);
        }
        assert_int_equal(at, k);
        assert_int_equal(got.n, k);
        ftk__free(got.index);
        free(list);
        free(set);
        ftk__work_done(&w);
    }
    case_close(&c);
}

static void uniform_over_the_network_counts(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_uniform_prune, &case_uniform_grow);
    struct ftk__work w;
    begin(&c, &w);
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        const struct ftk__choice choice = { .rule = which == FTK_ACTIVE ? &c.t->prune : &c.t->grow,
                                            .which = which };
        struct ftk__picked got[LAYERS];
        uint64_t sum = 0;
        assert_int_equal(ftk__select_network(&w, &choice, 10000, got, &c.err), FTK_OK);
        for (uint32_t l = 0; l < LAYERS; l++) {
            sum += got[l].n;
            for (uint64_t i = 0; i < got[l].n; i++) {
                assert_true(fake_active(&c.fake->layer[l], got[l].index[i]) ==
                            (which == FTK_ACTIVE));
                assert_true(i == 0 || got[l].index[i - 1] < got[l].index[i]);
            }
            ftk__free(got[l].index);
        }
        assert_int_equal(sum, 10000);
    }
    ftk__work_done(&w);
    case_close(&c);
}

/* Every pair of positions is equally likely: 10 of them, 2 chosen, 45 pairs. */
static void floyd_is_fair(void **state)
{
    (void)state;
    enum { N = 10, TRIALS = 45000 };
    unsigned count[N][N] = { { 0 } };
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        ftk_rng rng = ftk__rng_stream(3, FTK__FOR_MASK, trial, 0, 0);
        uint64_t bits = 0;
        ftk__draw_floyd(&rng, N, 2, &bits);
        uint64_t a = ftk__bits_next(&bits, 0, N);
        uint64_t b = ftk__bits_next(&bits, a + 1, N);
        assert_true(b < N);
        assert_int_equal(ftk__bits_next(&bits, b + 1, N), N);
        count[a][b]++;
    }
    for (unsigned a = 0; a < N; a++) {
        for (unsigned b = a + 1; b < N; b++)
            assert_true(fabs((double)count[a][b] - 1000) < 5 * sqrt(1000));
    }
}

static void bernoulli_hits_its_mean(void **state)
{
    (void)state;
    enum { N = 100000 };
    static uint64_t bits[N / 64 + 1];
    ftk_rng rng = ftk__rng_stream(3, FTK__FOR_MASK, 0, 0, 0);
    ftk__draw_bernoulli(&rng, N, 0.3, bits);
    double count = (double)ftk__bits_count(bits, N);
    assert_true(fabs(count - 0.3 * N) < 5 * sqrt(0.3 * 0.7 * N));
    memset(bits, 0, sizeof(bits));
    ftk__draw_bernoulli(&rng, N, 1, bits);
    assert_int_equal(ftk__bits_count(bits, N), N);
}

static void bits_are_found(void **state)
{
    (void)state;
    uint64_t bits[4] = { 0 };
    ftk__bits_set(bits, 0);
    ftk__bits_set(bits, 63);
    ftk__bits_set(bits, 200);
    assert_int_equal(ftk__bits_next(bits, 0, 256), 0);
    assert_int_equal(ftk__bits_next(bits, 1, 256), 63);
    assert_int_equal(ftk__bits_next(bits, 64, 256), 200);
    assert_int_equal(ftk__bits_next(bits, 64, 200), 200);
    assert_int_equal(ftk__bits_next(bits, 201, 256), 256);
    ftk__bits_clear(bits, 63);
    assert_false(ftk__bits_get(bits, 63));
    assert_int_equal(ftk__bits_count(bits, 256), 2);
    assert_int_equal(ftk__bits_words(0), 0);
    assert_int_equal(ftk__bits_words(64), 1);
    assert_int_equal(ftk__bits_words(65), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_scope_is_a_sort),
        cmocka_unit_test(network_scope_is_a_sort),
        cmocka_unit_test(exempt_layers_take_no_part),
        cmocka_unit_test(fired_is_ever_active),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(threshold_takes_all_ties),
        cmocka_unit_test(threshold_of_none_takes_exact_zeros),
        cmocka_unit_test(uniform_is_floyds_set),
        cmocka_unit_test(uniform_over_the_network_counts),
        cmocka_unit_test(floyd_is_fair),
        cmocka_unit_test(bernoulli_hits_its_mean),
        cmocka_unit_test(bits_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
