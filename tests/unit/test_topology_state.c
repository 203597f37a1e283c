/* SPDX-License-Identifier: MIT
 * test_topology_state.c - what the core keeps of a topology: fired, age, plugin state; taking it
 * back (REWIND), and running out of memory.
 */
#include "oom.h"
#include "topology_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3, ARRAYS = 8 };
static const uint64_t sizes[LAYERS] = { 300, 64, 2000 };

static void start(struct topology_case *c, const ftk_algo *prune, const ftk_algo *grow)
{
    case_open(c, sizes, LAYERS, &case_init_uniform, prune, grow, NULL);
    case_start(c);
    case_init(c, 0.3, 5);
}

static void update(struct topology_case *c, uint64_t seed)
{
    if (case_update(c, 0.4, 1000 * (ftk__topology_updates(c->t) + 1)) < 0)
        fail_msg("%s", c->err.message);
    case_fill(c, seed);
}

static void explored_counts_all_that_was_active(void **state)
{
    (void)state;
    static bool seen[LAYERS][2000];
    struct topology_case c;
    start(&c, &case_magnitude, &case_uniform_grow);
    memset(seen, 0, sizeof(seen));
    double last = 0;
    for (unsigned i = 0; i <= 5; i++) {
        uint64_t count = 0;
        for (uint32_t l = 0; l < LAYERS; l++) {
            for (uint64_t k = 0; k < sizes[l]; k++) {
                seen[l][k] = seen[l][k] || fake_active(&c.fake->layer[l], k);
                count += seen[l][k];
            }
        }
        assert_true(ftk__topology_explored(c.t) == (double)count / 2364);
        assert_true(ftk__topology_explored(c.t) > last);
        last = ftk__topology_explored(c.t);
        update(&c, i);
    }
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 0, 0.3, &c.err), FTK_OK);
    assert_true(ftk__topology_explored(c.t) == ftk__topology_density(c.t));
    assert_int_equal(ftk__topology_updates(c.t), 0);
    case_close(&c);
}

/* With a rule that drops the oldest, a weight lasts as many updates as its layer turns over in. */
static void ages_count_updates(void **state)
{
    (void)state;
    static uint32_t born[2000]; // number of the update that grew it, from 1; 0: INIT
    const uint64_t n = 2000;
    struct topology_case c;
    case_open(&c, &n, 1, &case_init_uniform, &case_age, &case_uniform_grow, NULL);
    case_start(&c);
    case_init(&c, 0.3, 5);
    memset(born, 0, sizeof(born));
    for (uint32_t u = 1; u <= 8; u++) {
        static bool before[2000];
        uint32_t youngest_gone = 0, oldest_kept = UINT32_MAX;
        for (uint64_t i = 0; i < n; i++)
            before[i] = fake_active(&c.fake->layer[0], i);
        c.options.regrow = FTK__REGROW_FORBIDDEN;
        update(&c, u);
        for (uint64_t i = 0; i < n; i++) {
            bool now = fake_active(&c.fake->layer[0], i);
            if (before[i] && !now && born[i] > youngest_gone)
                youngest_gone = born[i];
            if (before[i] && now && born[i] < oldest_kept)
                oldest_kept = born[i];
            if (now && !before[i])
                born[i] = u;
        }
        assert_true(youngest_gone <= oldest_kept);
    }
    case_close(&c);
}

static const struct ftk__topology_array *find(const struct ftk__topology_array *a, uint32_t n,
                                              const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(a[i].name, name) == 0)
            return &a[i];
    }
    return NULL;
}

static void state_is_a_block_a_layer(void **state)
{
    (void)state;
    struct ftk__topology_array a[ARRAYS];
    struct topology_case c;
    start(&c, &case_counting_prune, &case_gradient);
    uint32_t n = ftk__topology_arrays(c.t, a, ARRAYS);
    const struct ftk__topology_array *s = find(a, n, "state.prune");
    assert_non_null(s);
    assert_int_equal(s->bytes, LAYERS * 64);
    assert_int_equal((uintptr_t)s->data % 64, 0);
    uint64_t expected[LAYERS] = { 0 };
    for (unsigned u = 0; u < 3; u++) {
        for (uint32_t l = 0; l < LAYERS; l++)
            expected[l] += c.fake->layer[l].nnz;
        update(&c, u);
        for (uint32_t l = 0; l < LAYERS; l++) {
            uint64_t seen;
            memcpy(&seen, (char *)s->data + 64 * l, sizeof(seen));
            assert_int_equal(seen, expected[l]);
        }
    }
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 0, 0.3, &c.err), FTK_OK);
    assert_int_equal(*(uint64_t *)s->data, 0);
    case_close(&c);
}

static void arrays_have_stable_names_and_sizes(void **state)
{
    (void)state;
    struct ftk__topology_array a[ARRAYS], few[1];
    struct topology_case c;
    start(&c, &case_age, &case_gradient);
    uint32_t n = ftk__topology_arrays(c.t, a, ARRAYS);
    assert_int_equal(n, 4);
    assert_int_equal(find(a, n, "updates")->bytes, 8);
    assert_int_equal(find(a, n, "density_target")->bytes, 8 * LAYERS);
    assert_int_equal(find(a, n, "fired")->bytes, (2364 + 63) / 64 * 8);
    assert_int_equal(find(a, n, "age")->bytes, 2364 * 4);
    assert_int_equal(ftk__topology_arrays(c.t, few, 1), 4);
    case_close(&c);
}

/* Everything REMEMBER has to copy. */
struct copy {
    void *array[ARRAYS];
    uint64_t *active[LAYERS];
    float *weight[LAYERS], *momentum[LAYERS];
    uint64_t nnz[LAYERS];
};

static void *duplicate(const void *p, uint64_t bytes)
{
    void *d = malloc(bytes + 1);
    assert_non_null(d);
    memcpy(d, p, bytes);
    return d;
}

static void remember(struct topology_case *c, struct copy *to)
{
    struct ftk__topology_array a[ARRAYS];
    uint32_t n = ftk__topology_arrays(c->t, a, ARRAYS);
    memset(to, 0, sizeof(*to));
    for (uint32_t i = 0; i < n; i++)
        to->array[i] = duplicate(a[i].data, a[i].bytes);
    for (uint32_t l = 0; l < LAYERS; l++) {
        const struct fake_layer *f = &c->fake->layer[l];
        to->active[l] = duplicate(f->active, (f->n / 64 + 1) * 8);
        to->weight[l] = duplicate(f->weight, f->n * 4);
        to->momentum[l] = duplicate(f->momentum, f->n * 4);
        to->nnz[l] = f->nnz;
    }
}

static void go_back(struct topology_case *c, const struct copy *from)
{
    struct ftk__topology_array a[ARRAYS];
    uint32_t n = ftk__topology_arrays(c->t, a, ARRAYS);
    for (uint32_t i = 0; i < n; i++)
        memcpy(a[i].data, from->array[i], a[i].bytes);
    for (uint32_t l = 0; l < LAYERS; l++) {
        struct fake_layer *f = &c->fake->layer[l];
        memcpy(f->active, from->active[l], (f->n / 64 + 1) * 8);
        memcpy(f->weight, from->weight[l], f->n * 4);
        memcpy(f->momentum, from->momentum[l], f->n * 4);
        f->nnz = from->nnz[l];
    }
    assert_int_equal(ftk__topology_sync(c->t, &c->fake->engine, &c->err), FTK_OK);
}

static void forget(struct copy *c)
{
    for (uint32_t i = 0; i < ARRAYS; i++)
        free(c->array[i]);
    for (uint32_t l = 0; l < LAYERS; l++) {
        free(c->active[l]);
        free(c->weight[l]);
        free(c->momentum[l]);
    }
}

static void rewinding_repeats_to_the_bit(void **state)
{
    (void)state;
    const ftk_algo *prune[3] = { &case_age, &case_counting_prune, &case_uniform_prune };
    for (unsigned p = 0; p < 3; p++) {
        struct topology_case c;
        struct copy then;
        start(&c, prune[p], &case_random_grow);
        update(&c, 1);
        remember(&c, &then);
        uint64_t hash = case_hash(&c);
        double explored = ftk__topology_explored(c.t);
        update(&c, 2);
        update(&c, 3);
        uint64_t end = case_hash(&c);
        double end_explored = ftk__topology_explored(c.t);
        assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 1, 0.7, &c.err), FTK_OK);
        go_back(&c, &then);
        assert_true(case_hash(&c) == hash);
        assert_true(ftk__topology_explored(c.t) == explored);
        assert_int_equal(ftk__topology_updates(c.t), 1);
        assert_true(ftk__topology_layers(c.t)[0].density_target == 0.3);
        assert_int_equal(ftk__topology_layers(c.t)[0].nnz, c.fake->layer[0].nnz);
        update(&c, 2);
        update(&c, 3);
        assert_true(case_hash(&c) == end);
        assert_true(ftk__topology_explored(c.t) == end_explored);
        forget(&then);
        case_close(&c);
    }
}

static void sync_counts_foreign_masks(void **state)
{
    (void)state;
    struct topology_case c;
    start(&c, &case_magnitude, &case_gradient);
    uint64_t nnz = ftk__topology_nnz(c.t), i = 0;
    while (fake_active(&c.fake->layer[2], i))
        i++;
    double explored = ftk__topology_explored(c.t);
    fake_set_active(&c.fake->layer[2], i, true);
    assert_int_equal(ftk__topology_sync(c.t, &c.fake->engine, &c.err), FTK_OK);
    assert_int_equal(ftk__topology_nnz(c.t), nnz + 1);
    assert_true(ftk__topology_explored(c.t) > explored);
    case_close(&c);
}

static void channels_are_those_of_the_rules(void **state)
{
    (void)state;
    struct topology_case c;
    case_open(&c, sizes, LAYERS, &case_init_uniform, &case_magnitude, &case_uniform_grow, NULL);
    case_start(&c);
    assert_int_equal(ftk__topology_channels(c.t), FTK_CH_WEIGHT);
    assert_false(ftk__topology_wants_grad(c.t));
    assert_int_equal(ftk__topology_init_channels(c.t), 0);
    case_close(&c);
    case_open(&c, sizes, LAYERS, &case_init_largest, &case_age, &case_gradient, NULL);
    c.options.ties = FTK__TIES_THRESHOLD;
    case_start(&c);
    assert_int_equal(ftk__topology_channels(c.t), FTK_CH_WEIGHT | FTK_CH_GRAD);
    assert_true(ftk__topology_wants_grad(c.t));
    assert_false(ftk__topology_cut_wants_grad(c.t));
    assert_true(ftk__topology_init_channels(c.t) & FTK_CH_GRAD);
    case_close(&c);
}

/* A life: INIT, an update, a cut. Everything of base/mem.h is made and freed within. */
static ftk_status life(struct topology_case *c)
{
    const struct ftk__topology_event ev = { .member = 0, .step = 1000, .rate = 0.5 };
    struct ftk__engine *e = &c->fake->engine;
    ftk_status st = ftk__topology_new(&c->setup, &c->t, NULL);
    if (st == FTK_OK)
        st = ftk__topology_init(c->t, e, 0, 0.5, NULL);
    if (st == FTK_OK) {
        case_fill(c, 1);
        st = ftk__topology_update(c->t, e, &ev, &c->report, NULL);
    }
    if (st == FTK_OK)
        st = ftk__topology_cut(c->t, e, &ev, 0.2, true, &c->report, NULL);
    ftk__topology_free(c->t);
    c->t = NULL;
    return st;
}

static ftk_status life_of(void *arg)
{
    return life(arg);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const ftk_algo *prune[3] = { &case_magnitude, &case_select_prune, &case_uniform_prune };
    const ftk_algo *grow[3] = { &case_gradient, &case_select_grow, &case_uniform_grow };
    for (unsigned i = 0; i < 6; i++) {
        struct topology_case c;
        case_open(&c, sizes, LAYERS, &case_init_uniform, prune[i % 3], grow[i % 3],
                  i % 2 ? &case_allot_last : NULL);
        if (i >= 3) {
            c.options.scope = FTK__SCOPE_NETWORK;
            c.options.ties = FTK__TIES_THRESHOLD;
        }
        assert_true(ftk_oom_sweep(life_of, &c, 1) > 20);
        case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explored_counts_all_that_was_active),
        cmocka_unit_test(ages_count_updates),
        cmocka_unit_test(state_is_a_block_a_layer),
        cmocka_unit_test(arrays_have_stable_names_and_sizes),
        cmocka_unit_test(rewinding_repeats_to_the_bit),
        cmocka_unit_test(sync_counts_foreign_masks),
        cmocka_unit_test(channels_are_those_of_the_rules),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
