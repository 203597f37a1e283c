/* SPDX-License-Identifier: MIT
 * test_backend_ref.c - what the oracle keeps beyond the rules of the conformance kit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_rules.h"

/* One test of a table. */
struct test_case {
    const char *name;
    backend_rule_fn rule;
};

#define RULE(f)                                                                                    \
    {                                                                                              \
#f, f                                                                                      \
    }

static const struct test_case cases[] = {
    RULE(rule_first_wins),    RULE(rule_bad_gradient), RULE(rule_refuses_graphs),
    RULE(rule_refuses_calls), RULE(rule_nan_is_seen),  RULE(rule_small_batch_stays_finite),
};
enum { CASES = sizeof(cases) / sizeof(cases[0]), OWN = 5 };

/* What each test gets: the backend loaded and its device open. */
struct fixture {
    struct bt_host host;
    struct bt_backend backend;
    ftk_dev *dev;
    const struct test_case *test;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->test = *state;
    bt_host_init(&f->host);
    if (!bt_backend_load(&f->host, "ref", &f->backend)) {
        free(f);
        return -1;
    }
    f->dev = bt_backend_open(&f->backend, 1, NULL);
    *state = f;
    return 0;
}

/* Whatever a test did, nothing of the host's memory may be left. */
static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->backend.ops->close(f->dev);
    bt_host_done(&f->host);
    int left = f->host.live == 0 ? 0 : -1;
    free(f);
    return left;
}

static void test_case_run(void **state)
{
    struct fixture *f = *state;
    f->test->rule(&f->backend, f->dev);
}

/* The tests' own generator gives the numbers that host.h promises. */
static void test_host_rng(void **state)
{
    (void)state;
    ftk_rng rng = { .counter = 0 };
    assert_true(bt_rng_u64(&rng) == UINT64_C(0xe169c58d6627e8d5));
    assert_true(bt_rng_u64(&rng) == UINT64_C(0x9b00dbd8bc57ac4c));
    assert_int_equal(rng.counter, 2);
}

static void test_descriptor(void **state)
{
    const struct fixture *f = *state;
    ftk_device device = { .size = sizeof(device) };
    assert_string_equal(f->backend.algo->name, "ref");
    assert_string_equal(f->backend.stamp->name, "freetickets.backend.ref");
    assert_int_equal(f->backend.ops->probe(&f->host.table, 0, &device), FTK_OK);
    assert_int_equal(device.score, 1);
    assert_int_equal(device.caps, FTK_CAP_BITWISE);
    assert_int_equal(f->backend.ops->probe(&f->host.table, 1, &device), FTK_DONE);
}

/* What ref does not do it says. */
static void test_not_supported(void **state)
{
    struct fixture *f = *state;
    struct graph_case g;
    rules_net(&g, true);
    ftk_build build = { .size = sizeof(build),
                        .n_nodes = g.n_nodes,
                        .max_batch = 4,
                        .optimiser = FTK_OPT_ADAM,
                        .flags = FTK_BUILD_DENSE_MOMENTUM,
                        .members = 1,
                        .nodes = g.list };
    ftk_prog *prog = NULL;
    assert_int_equal(f->backend.ops->compile(f->dev, &build, &prog), FTK_ENOTSUP);
    build.optimiser = FTK_OPT_SGD;
    build.flags = 0;
    build.members = 2;
    assert_int_equal(f->backend.ops->compile(f->dev, &build, &prog), FTK_ENOTSUP);
    build.members = 1;
    build.max_batch = 1u << 31;
    assert_int_equal(f->backend.ops->compile(f->dev, &build, &prog), FTK_ENOMEM);
    ftk_open how = { .size = sizeof(how), .precision = FTK_BF16 };
    ftk_dev *dev = NULL;
    assert_int_equal(f->backend.ops->open(&f->host.table, NULL, &how, &dev), FTK_ENOTSUP);
    how.precision = FTK_FP32;
    how.device = 1;
    assert_int_equal(f->backend.ops->open(&f->host.table, NULL, &how, &dev), FTK_ENODEV);
    assert_null(prog);
    assert_null(dev);
}

/* A NaN is not swallowed on its way: predict() shows it. */
static void test_nan_passes(void **state)
{
    const uint32_t two[2] = { 2, 2 };
    const uint32_t none[2] = { 0, 0 };
    struct fixture *f = *state;
    struct graph_case g;
    uint32_t at = graph_relu(&g, graph_input(&g, 1, 4, 4));
    at = graph_flatten(&g, graph_pool(&g, FTK_NODE_MAXPOOL, at, two, two, none));
    graph_xent(&g, at, 0.0f);
    ftk_prog *prog = graph_compile(&f->backend, f->dev, &g, 1, 0);
    struct graph_batch *b = graph_batch_new(&g, 1, 1);
    float z[4];
    b->x[5] = NAN; /* last of its window */
    assert_int_equal(f->backend.ops->predict(prog, b->list, z), FTK_OK);
    assert_true(isnan(z[0]));
    assert_true(isfinite(z[1]) && isfinite(z[2]) && isfinite(z[3]));
    graph_batch_free(b);
    f->backend.ops->release(prog);
}

/* The same step twice from the same state: the same bits. */
static void test_random_graphs_repeat(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct graph_case g;
        float *all[2];
        uint64_t n[2];
        graph_random(&g, seed);
        struct graph_batch *b = graph_batch_new(&g, 3, seed);
        const ftk_hyper hyper = graph_hyper(0.05, 0.9, 0.01, FTK_STEP_NESTEROV);
        for (uint32_t i = 0; i < 2; i++) {
            ftk_prog *prog = graph_compile(&f->backend, f->dev, &g, 3 + i, 0);
            graph_fill(&f->backend, prog, &g, 0.5, seed);
            assert_int_equal(f->backend.ops->step(prog, b->list, &hyper), FTK_OK);
            assert_int_equal(f->backend.ops->step(prog, b->list, &hyper), FTK_OK);
            all[i] = graph_get_all(&f->backend, prog, &n[i]);
            f->backend.ops->release(prog);
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(all[0], all[1], n[0] * sizeof(float));
        free(all[0]);
        free(all[1]);
        graph_batch_free(b);
    }
}

int main(void)
{
    struct CMUnitTest tests[OWN + CASES] = {
        cmocka_unit_test(test_host_rng),
        cmocka_unit_test_setup_teardown(test_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_supported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nan_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_graphs_repeat, set_up, tear_down),
    };
    size_t n = OWN;
    for (size_t i = 0; i < CASES; i++) {
        tests[n++] = (struct CMUnitTest){ cases[i].name, test_case_run, set_up, tear_down,
                                          (void *)&cases[i] };
    }
    return _cmocka_run_group_tests("backend_ref", tests, n, NULL, NULL);
}
