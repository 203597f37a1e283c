/* SPDX-License-Identifier: MIT
 * test_backend_cpu.c - the rules of every backend on each instruction set of this machine, and the
 * cpu backend against ref: every node op over random shapes, masks and part batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_pair.h"
#include "backend_rules.h"

/* A random network may be ill-conditioned (a gradient that is a small difference of large ones), so
 * there a few arrays may miss the bound that all others keep, but none this one. */
#define NMSE_MOST 1e-4

static const char *const isas[] = { "portable", "avx2", "avx512" };
enum { ISAS = sizeof(isas) / sizeof(isas[0]) };

#define RULE(f)                                                                                    \
    {                                                                                              \
#f, f                                                                                      \
    }
static const struct {
    const char *name;
    backend_rule_fn rule;
} rules[] = {
    RULE(rule_first_wins),    RULE(rule_bad_gradient), RULE(rule_refuses_graphs),
    RULE(rule_refuses_calls), RULE(rule_nan_is_seen),  RULE(rule_small_batch_stays_finite),
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

struct fixture {
    struct bt_host host;
    struct bt_backend cpu, ref;
    ftk_dev *ref_dev;
    ftk_dev *dev[ISAS]; /* NULL where the machine lacks it */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    bt_host_init(&f->host);
    if (!bt_backend_load(&f->host, "cpu", &f->cpu) || !bt_backend_load(&f->host, "ref", &f->ref))
        return -1;
    f->ref_dev = bt_backend_open(&f->ref, 1, NULL);
    for (int i = 0; i < ISAS; i++) {
        const ftk_open how = { .size = sizeof(how), .threads = 2, .isa = isas[i] };
        if (f->cpu.ops->open(&f->host.table, f->cpu.params, &how, &f->dev[i]) != FTK_OK)
            print_message("no %s here: %s\n", isas[i], f->host.message);
    }
    *state = f;
    return f->dev[0] ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++)
        f->cpu.ops->close(f->dev[i]);
    f->ref.ops->close(f->ref_dev);
    bt_host_done(&f->host);
    const int left = f->host.live == 0 ? 0 : -1;
    free(f);
    return left;
}

static void test_descriptor(void **state)
{
    const struct fixture *f = *state;
    ftk_device device = { .size = sizeof(device) };
    assert_string_equal(f->cpu.algo->name, "cpu");
    assert_string_equal(f->cpu.stamp->name, "freetickets.backend.cpu");
    assert_int_equal(f->cpu.ops->probe(&f->host.table, 0, &device), FTK_OK);
    assert_int_equal(device.score, 10);
    assert_int_equal(device.caps, FTK_CAP_SPARSE_COMPUTE | FTK_CAP_BITWISE);
    assert_int_equal(f->cpu.ops->probe(&f->host.table, 1, &device), FTK_DONE);
}

static void test_open_refuses(void **state)
{
    struct fixture *f = *state;
    const ftk_open wrong[] = {
        { .size = sizeof(ftk_open), .isa = "avx9" },
        { .size = sizeof(ftk_open), .precision = FTK_BF16 },
        { .size = sizeof(ftk_open), .device = 1 },
        { .size = sizeof(ftk_open), .flags = FTK_OPEN_TUNE },
        { .size = sizeof(ftk_open), .flags = 1u << 9 },
    };
    const ftk_status status[] = { FTK_ENOTSUP, FTK_ENOTSUP, FTK_ENODEV, FTK_ENOTSUP, FTK_EINVAL };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ftk_dev *dev = NULL;
        assert_int_equal(f->cpu.ops->open(&f->host.table, f->cpu.params, &wrong[i], &dev),
                         status[i]);
        assert_null(dev);
    }
}

/* What it does not do it says; a model too large for the machine is no crash. */
static void test_compile_refuses(void **state)
{
    struct fixture *f = *state;
    struct graph_case g;
    ftk_prog *p = NULL;
    rules_net(&g, true);
    ftk_build build = { .size = sizeof(build),
                        .n_nodes = g.n_nodes,
                        .max_batch = 4,
                        .optimiser = FTK_OPT_ADAM,
                        .flags = FTK_BUILD_DENSE_MOMENTUM,
                        .members = 1,
                        .nodes = g.list };
    assert_int_equal(f->cpu.ops->compile(f->dev[0], &build, &p), FTK_ENOTSUP);
    build.optimiser = FTK_OPT_SGD;
    build.flags = 0;
    build.members = 2;
    assert_int_equal(f->cpu.ops->compile(f->dev[0], &build, &p), FTK_ENOTSUP);
    build.members = 1;
    build.max_batch = 1u << 31;
    assert_int_equal(f->cpu.ops->compile(f->dev[0], &build, &p), FTK_ENOMEM);
    assert_null(p);
}

/* What kernels() said is taken back, and so is a stranger's text: neither changes the choice. */
static void test_kernels_text(void **state)
{
    struct fixture *f = *state;
    const char *texts[] = { NULL, NULL, "cuda sm_90\nconv1 cublas\n" };
    struct graph_case g;
    ftk_prog *p[3] = { NULL };
    rules_net(&g, true);
    for (int i = 0; i < 3; i++) {
        const ftk_build build = { .size = sizeof(build),
                                  .n_nodes = g.n_nodes,
                                  .max_batch = 20,
                                  .optimiser = FTK_OPT_SGD,
                                  .members = 1,
                                  .nodes = g.list,
                                  .kernels = texts[i] };
        assert_int_equal(f->cpu.ops->compile(f->dev[0], &build, &p[i]), FTK_OK);
        texts[1] = f->cpu.ops->kernels(p[0]);
        assert_string_equal(f->cpu.ops->kernels(p[i]), texts[1]);
    }
    assert_true(strncmp(texts[1], "cpu portable\n", 13) == 0);
    for (int i = 0; i < 3; i++)
        f->cpu.ops->release(p[i]);
}

static void test_rules(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++) {
        for (int k = 0; k < RULES && f->dev[i]; k++) {
            print_message("%s %s\n", isas[i], rules[k].name);
            rules[k].rule(&f->cpu, f->dev[i]);
        }
    }
}

static void open_pair(struct backend_pair *p, const struct fixture *f, int isa,
                      struct graph_case *g, uint32_t max_batch, double density, uint64_t seed)
{
    const struct bt_backend *const backend[2] = { &f->cpu, &f->ref };
    ftk_dev *const dev[2] = { f->dev[isa], f->ref_dev };
    pair_open(p, backend, dev, g, max_batch, density, seed, 0, isas[isa]);
}

static void test_random_graphs(void **state)
{
    const struct fixture *f = *state;
    const double densities[] = { 0.1, 0.4, 1.0 };
    uint32_t arrays = 0;
    uint32_t far = 0;
    for (uint64_t seed = 0; seed < 45; seed++) {
        for (int i = 0; i < ISAS; i++) {
            struct backend_pair p;
            struct graph_case g;
            if (!f->dev[i])
                continue;
            const uint32_t count = 1 + (uint32_t)(seed * 7 % 40);
            graph_random(&g, seed);
            open_pair(&p, f, i, &g, count, densities[seed % 3], seed);
            p.most = NMSE_MOST;
            pair_all(&p, count, 1 + count / 3, seed);
            arrays += p.arrays;
            far += p.far;
            pair_close(&p);
        }
    }
    print_message("%u of %u arrays above %g\n", far, arrays, PAIR_NEAR);
    assert_true(far * 50 < arrays);
}

/* A convolution wide enough for several blocks of channels and, where dense, sometimes for oneDNN;
 * no ReLU, whose mask a rounding could flip. */
static void wide_conv(struct graph_case *g, const uint32_t shape[2], const uint32_t side[2],
                      uint32_t stride, uint32_t pad)
{
    const uint32_t strides[2] = { stride, stride };
    const uint32_t pads[2] = { pad, pad };
    const uint32_t kernel[2] = { side[1], side[1] };
    const uint32_t all[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    graph_input(g, 3, side[0], side[0]);
    graph_conv(g, 0, shape[0], all, all, none, FTK_NODE_BIAS, 0);
    graph_conv(g, 1, shape[1], kernel, strides, pads, FTK_NODE_BIAS, 1);
    graph_linear(g, 2, 7, FTK_NODE_BIAS, 1);
    graph_xent(g, 3, 0);
}

static void test_wide_layers(void **state)
{
    static const struct {
        uint32_t shape[2], side[2], stride, pad;
    } cases[] = {
        { { 70, 40 }, { 6, 3 }, 1, 1 },  { { 33, 35 }, { 8, 5 }, 2, 2 },
        { { 34, 36 }, { 7, 1 }, 1, 0 },  { { 20, 18 }, { 11, 7 }, 3, 3 },
        { { 24, 48 }, { 10, 4 }, 2, 1 }, { { 50, 20 }, { 6, 2 }, 1, 1 },
        { { 64, 64 }, { 6, 5 }, 2, 2 },  { { 64, 64 }, { 5, 4 }, 1, 2 },
    };
    const struct fixture *f = *state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        for (int i = 0; i < 2 * ISAS; i++) {
            struct backend_pair p;
            struct graph_case g;
            if (!f->dev[i / 2])
                continue;
            wide_conv(&g, cases[c].shape, cases[c].side, cases[c].stride, cases[c].pad);
            open_pair(&p, f, i / 2, &g, 36, i % 2 ? 1.0 : 0.15, 5 + c);
            pair_all(&p, 36, 19, 77 + c);
            pair_close(&p);
        }
    }
}

static void test_wide_linear(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 2 * ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i / 2])
            continue;
        graph_input(&g, 7, 10, 10);
        graph_linear(&g, 0, 650, FTK_NODE_BIAS, 1);
        graph_linear(&g, 1, 9, FTK_NODE_BIAS, 1);
        graph_xent(&g, 2, 0);
        open_pair(&p, f, i / 2, &g, 36, i % 2 ? 1.0 : 0.15, 9);
        pair_all(&p, 36, 19, 78);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptor),   cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_compile_refuses),
        cmocka_unit_test(test_kernels_text), cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_wide_layers),  cmocka_unit_test(test_wide_linear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
