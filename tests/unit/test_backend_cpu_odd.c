/* SPDX-License-Identifier: MIT
 * test_backend_cpu_odd.c - the cpu backend at its edges, against ref: batches that fill no lanes or
 * many slices, empty and full layers, layers of one weight, large kernels and paddings, momentum of
 * all weights through edits; lack of memory everywhere; threads that wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "backend_pair.h"

static const char *const isas[] = { "portable", "avx2", "avx512" };
enum { ISAS = sizeof(isas) / sizeof(isas[0]) };

/* Rounding that grows over steps, or a small difference of large sums: far below any mistake. */
#define NMSE_LATE 1e-8

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
        const ftk_open how = { .size = sizeof(how), .threads = 3, .isa = isas[i] };
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

static void open_pair(struct backend_pair *p, const struct fixture *f, int isa,
                      struct graph_case *g, uint32_t max_batch, double density, uint32_t flags)
{
    const struct bt_backend *const backend[2] = { &f->cpu, &f->ref };
    ftk_dev *const dev[2] = { f->dev[isa], f->ref_dev };
    pair_open(p, backend, dev, g, max_batch, density, 9, flags, isas[isa]);
}

/* Smooth, so that no rounding flips a ReLU; the second conv and the first linear layer run on the
 * dense library where they are full. */
static void net(struct graph_case *g)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t five[2] = { 5, 5 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t two[2] = { 2, 2 };
    uint32_t n = graph_conv(g, graph_input(g, 2, 3, 3), 25, three, one, one, 0, 1);
    n = graph_batchnorm(g, n, 0.1f, 1e-3f, 0);
    n = graph_conv(g, n, 25, five, one, two, 0, 1);
    n = graph_pool(g, FTK_NODE_AVGPOOL, n, two, two, one);
    n = graph_linear(g, n, 24, FTK_NODE_BIAS, 1);
    graph_xent(g, graph_linear(g, n, 3, FTK_NODE_BIAS, 0), 0.1f);
}
enum { LAYERS = 3 };

static void test_batch_sizes(void **state)
{
    static const uint32_t counts[] = { 130, 1, 7, 16, 17, 33, 127, 130 };
    const struct fixture *f = *state;
    for (int i = 0; i < 2 * ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i / 2])
            continue;
        net(&g);
        open_pair(&p, f, i / 2, &g, 130, i % 2 ? 1.0 : 0.2, 0);
        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
            struct graph_batch *b = graph_batch_new(&g, counts[c], c);
            pair_predict(&p, b);
            pair_step(&p, b, c % 2 ? FTK_STEP_KEEP_GRAD : 0);
            pair_arrays(&p);
            pair_grad_input(&p, b);
            graph_batch_free(b);
        }
        pair_stats(&p);
        pair_close(&p);
    }
}

/* Any batch a program can take, also where it was compiled for one image alone. */
static void test_one_image(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i])
            continue;
        net(&g);
        open_pair(&p, f, i, &g, 1, 0.5, 0);
        pair_all(&p, 1, 1, 4);
        pair_close(&p);
    }
}

/* Empties a layer, steps, fills it again: nothing is read that is not there. */
static void test_empty_and_full(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < ISAS * LAYERS; i++) {
        struct backend_pair p;
        struct graph_case g;
        const uint32_t layer = (uint32_t)i % LAYERS;
        if (!f->dev[i / LAYERS])
            continue;
        net(&g);
        open_pair(&p, f, i / LAYERS, &g, 20, i % 2 ? 0.3 : 1.0, 0);
        for (int k = 0; k < 2; k++)
            assert_int_equal(p.backend[k]->ops->mask(p.prog[k], layer, NULL, 0), FTK_OK);
        pair_all(&p, 20, 3, 5);
        uint64_t n;
        uint64_t *every =
            graph_read(p.backend[1], p.prog[1], layer, FTK_INACTIVE, 0, 999, &n, NULL);
        const ftk_change c = { .size = sizeof(c), .add = every, .n_add = n };
        assert_int_equal(n, graph_weights(&g, graph_layer_node(&g, layer)));
        for (int k = 0; k < 2; k++)
            assert_int_equal(p.backend[k]->ops->edit(p.prog[k], layer, &c), FTK_OK);
        free(every);
        pair_all(&p, 20, 3, 6);
        pair_close(&p);
    }
}

static void one_conv(struct graph_case *g, const uint32_t image[3], uint32_t out,
                     const uint32_t kernel[2], const uint32_t stride[2], const uint32_t pad[2])
{
    uint32_t n = graph_input(g, image[0], image[1], image[2]);
    n = graph_conv(g, n, out, kernel, stride, pad, FTK_NODE_BIAS, 1);
    graph_xent(g, graph_linear(g, n, 3, 0, 1), 0);
}

/* One weight, kernels as large as the image or larger, strides above the kernel, paddings that
 * leave whole windows outside. */
static void test_windows(void **state)
{
    static const struct {
        uint32_t image[3], out, kernel[2], stride[2], pad[2];
    } cases[] = {
        { { 1, 1, 1 }, 1, { 1, 1 }, { 1, 1 }, { 0, 0 } },
        { { 2, 4, 3 }, 3, { 1, 1 }, { 1, 1 }, { 1, 2 } },
        { { 3, 5, 5 }, 2, { 2, 3 }, { 1, 2 }, { 4, 3 } },
        { { 2, 9, 8 }, 3, { 31, 29 }, { 1, 1 }, { 15, 14 } },
        { { 2, 9, 8 }, 3, { 9, 8 }, { 1, 1 }, { 0, 0 } },
        { { 2, 11, 7 }, 3, { 2, 1 }, { 5, 3 }, { 0, 0 } },
        { { 2, 7, 11 }, 3, { 3, 2 }, { 4, 7 }, { 2, 1 } },
        { { 40, 6, 6 }, 40, { 3, 3 }, { 1, 1 }, { 3, 4 } },
        { { 64, 5, 5 }, 70, { 4, 4 }, { 2, 2 }, { 5, 4 } },
        { { 1, 1, 90 }, 2, { 1, 70 }, { 1, 1 }, { 0, 69 } },
    };
    const struct fixture *f = *state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        for (int i = 0; i < 2 * ISAS; i++) {
            struct backend_pair p;
            struct graph_case g;
            if (!f->dev[i / 2])
                continue;
            one_conv(&g, cases[c].image, cases[c].out, cases[c].kernel, cases[c].stride,
                     cases[c].pad);
            open_pair(&p, f, i / 2, &g, 19, i % 2 ? 1.0 : 0.4, 0);
            p.most = NMSE_LATE;
            pair_all(&p, 19, 2, c);
            pair_close(&p);
        }
    }
}

/* Too many of something: a reason, not a crash. */
static void test_limits(void **state)
{
    static const struct {
        uint32_t image[3], out, kernel[2], stride[2], pad[2];
    } cases[] = {
        { { 1, 1, 1 }, 1, { 60000, 1 }, { 1, 1 }, { 59999, 0 } },
        { { 1, 300, 300 }, 1, { 300, 300 }, { 1, 1 }, { 0, 0 } },
        { { 1, 5, 5 }, 1, { 1, 1 }, { 60000, 60000 }, { 0, 0 } },
        { { 1u << 30, 1, 1 }, 1u << 30, { 4, 4 }, { 5, 5 }, { 2, 2 } },
    };
    struct fixture *f = *state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct graph_case g;
        ftk_prog *prog = NULL;
        one_conv(&g, cases[c].image, cases[c].out, cases[c].kernel, cases[c].stride, cases[c].pad);
        const ftk_build build = { .size = sizeof(build),
                                  .n_nodes = g.n_nodes,
                                  .max_batch = 1,
                                  .optimiser = FTK_OPT_SGD,
                                  .members = 1,
                                  .nodes = g.list };
        const uint64_t failures = f->host.failures;
        const ftk_status st = f->cpu.ops->compile(f->dev[0], &build, &prog);
        assert_true(st == FTK_ENOTSUP || st == FTK_ENOMEM);
        assert_int_equal(f->host.failures, failures + 1);
        assert_null(prog);
    }
}

static void test_one_input(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i])
            continue;
        uint32_t n = graph_linear(&g, graph_input(&g, 1, 1, 1), 37, 0, 1);
        n = graph_linear(&g, graph_linear(&g, n, 1, FTK_NODE_BIAS, 1), 1, FTK_NODE_BIAS, 1);
        graph_xent(&g, graph_linear(&g, n, 2, 0, 1), 0);
        open_pair(&p, f, i, &g, 33, 0.4, 0);
        pair_all(&p, 33, 5, 3);
        pair_close(&p);
    }
}

/* Momentum of all weights, in both forms of a layer, through edits that keep it and that do not. */
static void test_dense_momentum(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 2 * ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i / 2])
            continue;
        net(&g);
        open_pair(&p, f, i / 2, &g, 21, i % 2 ? 0.8 : 0.2, FTK_BUILD_DENSE_MOMENTUM);
        p.most = NMSE_LATE;
        struct graph_batch *b = graph_batch_new(&g, 21, 2);
        for (uint32_t k = 0; k < 6; k++) {
            pair_step(&p, b, k % 3 == 1 ? FTK_STEP_NESTEROV | FTK_STEP_KEEP_GRAD : 0);
            for (uint32_t l = 0; l < LAYERS; l++)
                pair_edit(&p, l, 2 + k, k % 2 ? FTK_EDIT_KEEP_MOMENTUM : 0);
            pair_arrays(&p);
        }
        graph_batch_free(b);
        pair_close(&p);
    }
}

/* What a step kept is read the same after edits of that layer and of another. */
static void test_kept_through_edits(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 2 * ISAS; i++) {
        struct backend_pair p;
        struct graph_case g;
        if (!f->dev[i / 2])
            continue;
        net(&g);
        open_pair(&p, f, i / 2, &g, 21, i % 2 ? 0.66 : 0.2, 0);
        struct graph_batch *b = graph_batch_new(&g, 21, 2);
        pair_step(&p, b, FTK_STEP_KEEP_GRAD);
        for (uint32_t l = 0; l < LAYERS; l++) {
            pair_edit(&p, l, 1 + l, 0);
            pair_kept(&p);
        }
        pair_predict(&p, b);
        pair_kept(&p);
        pair_step(&p, b, FTK_STEP_KEEP_GRAD | FTK_STEP_NO_UPDATE);
        pair_kept(&p);
        pair_arrays(&p);
        graph_batch_free(b);
        pair_close(&p);
    }
}

/* A layer on the dense library says so: whoever counts FLOPs goes by the word. */
static void test_dense_is_named(void **state)
{
    const struct fixture *f = *state;
    struct graph_case g;
    net(&g);
    ftk_prog *p = graph_compile(&f->cpu, f->dev[0], &g, 20, 0);
    const char *text = f->cpu.ops->kernels(p);
    const bool library = strstr(text, "onednn") != NULL;
    char line[64];
    snprintf(line, sizeof(line), "\n%s dense-onednn\n", g.name[3]);
    assert_true(!library || strstr(text, line));
    graph_fill(&f->cpu, p, &g, 0.2, 1);
    text = f->cpu.ops->kernels(p);
    snprintf(line, sizeof(line), "\n%s lists ", g.name[3]);
    assert_non_null(strstr(text, line));
    assert_null(strstr(text, "dense"));
    f->cpu.ops->release(p);
}

/* All that asks for memory late: forms of a layer that change, kept gradients, other batch sizes,
 * the text of the kernels. */
static ftk_status live_once(const struct fixture *f, ftk_dev *dev, const struct graph_case *g,
                            const struct graph_batch *b, uint32_t flags)
{
    const ftk_backend_ops *ops = f->cpu.ops;
    const ftk_build build = { .size = sizeof(build),
                              .n_nodes = g->n_nodes,
                              .max_batch = b->b.count,
                              .optimiser = FTK_OPT_SGD,
                              .channels = FTK_CH_GRAD,
                              .members = 1,
                              .flags = flags,
                              .nodes = g->list };
    const ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.0, FTK_STEP_KEEP_GRAD);
    const uint64_t n = graph_weights(g, 3);
    uint64_t *all = calloc(n, sizeof(*all));
    float z[64];
    ftk_batch one = b->b;
    const ftk_batch *const list[1] = { &one };
    assert_non_null(all);
    for (uint64_t i = 0; i < n; i++)
        all[i] = i;
    one.count = 3;
    const ftk_change grow = { .size = sizeof(grow), .add = all + 5, .n_add = n - 5 };
    ftk_prog *prog = NULL;
    ftk_status st = ops->compile(dev, &build, &prog);
    if (st == FTK_OK)
        st = ops->mask(prog, 1, all, 5);
    if (st == FTK_OK)
        st = ops->step(prog, b->list, &hyper);
    if (st == FTK_OK)
        st = ops->edit(prog, 1, &grow);
    if (st == FTK_OK)
        st = ops->step(prog, b->list, &hyper);
    if (st == FTK_OK)
        st = ops->predict(prog, list, z);
    if (st == FTK_OK && !ops->kernels(prog))
        st = FTK_ENOMEM;
    if (prog)
        ops->release(prog);
    free(all);
    return st;
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    struct graph_case g;
    net(&g);
    struct graph_batch *b = graph_batch_new(&g, 18, 1);
    for (uint32_t flags = 0; flags <= FTK_BUILD_DENSE_MOMENTUM; flags++) {
        const uint64_t live = f->host.live;
        const uint64_t before = f->host.requests;
        assert_int_equal(live_once(f, f->dev[0], &g, b, flags), FTK_OK);
        const uint64_t requests = f->host.requests - before;
        for (uint64_t i = 1; i <= requests; i++) {
            f->host.fail_at = f->host.requests + i;
            assert_int_equal(live_once(f, f->dev[0], &g, b, flags), FTK_ENOMEM);
            assert_int_equal(f->host.live, live);
        }
        f->host.fail_at = 0;
    }
    graph_batch_free(b);
}

/* An edit that finds no memory has changed nothing, and the program goes on. */
static void test_edit_without_memory(void **state)
{
    struct fixture *f = *state;
    struct backend_pair p;
    struct graph_case g;
    net(&g);
    open_pair(&p, f, 0, &g, 18, 0.3, 0);
    struct graph_batch *b = graph_batch_new(&g, 18, 1);
    uint64_t n;
    uint64_t *on = graph_read(&f->cpu, p.prog[0], 1, FTK_ACTIVE, 0, 999, &n, NULL);
    const ftk_change c = { .size = sizeof(c), .drop = on, .n_drop = n / 2 };
    uint64_t failed = 0;
    f->host.fail_at = f->host.requests + 1;
    while (f->cpu.ops->edit(p.prog[0], 1, &c) == FTK_ENOMEM) {
        f->host.fail_at = 0;
        pair_arrays(&p);
        pair_predict(&p, b);
        f->host.fail_at = f->host.requests + ++failed + 1;
    }
    f->host.fail_at = 0;
    assert_true(failed > 5);
    assert_int_equal(f->ref.ops->edit(p.prog[1], 1, &c), FTK_OK);
    pair_step(&p, b, 0);
    pair_arrays(&p);
    free(on);
    graph_batch_free(b);
    pair_close(&p);
}

/* Threads that have nothing to do for a while sleep. */
static void test_idle(void **state)
{
    const struct fixture *f = *state;
    const struct timespec rest = { .tv_nsec = 200 * 1000 * 1000 };
    struct graph_case g;
    net(&g);
    ftk_prog *p = graph_compile(&f->cpu, f->dev[0], &g, 20, 0);
    struct graph_batch *b = graph_batch_new(&g, 20, 1);
    const ftk_hyper hy = graph_hyper(0.01, 0.9, 0, 0);
    assert_int_equal(f->cpu.ops->step(p, b->list, &hy), FTK_OK);
    const clock_t before = clock();
    nanosleep(&rest, NULL);
    const double ms = 1e3 * (double)(clock() - before) / CLOCKS_PER_SEC;
    if (ms > 40)
        fail_msg("idle threads used %g ms of a pause of 200 ms", ms);
    graph_batch_free(b);
    f->cpu.ops->release(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_sizes),
        cmocka_unit_test(test_one_image),
        cmocka_unit_test(test_empty_and_full),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_one_input),
        cmocka_unit_test(test_dense_momentum),
        cmocka_unit_test(test_kept_through_edits),
        cmocka_unit_test(test_dense_is_named),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_edit_without_memory),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
