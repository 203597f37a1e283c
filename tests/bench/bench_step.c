/* SPDX-License-Identifier: MIT
 * bench_step.c - training steps of sparse networks against the same network dense, in one process.
 *
 *     FTK_TEST_PLUGINS=build/plugins build/bench/bench_step [threads] [repetitions] [isa]
 *
 * Steps of all densities take turns, so that a disturbance hits all of them.  min/min estimates the
 * kernels, the median of ratios what a busy machine shows.  Dense is this backend's own dense path.
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

#include "graph_case.h"

static const double densities[] = { 1.0, 0.2, 0.1, 0.05 };
enum { DENSITIES = sizeof(densities) / sizeof(densities[0]), WARM_UP = 2 };

struct options {
    uint32_t threads, repetitions;
    const char *isa;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, uint32_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

static void lenet5(struct graph_case *g)
{
    const uint32_t five[2] = { 5, 5 };
    const uint32_t two[2] = { 2, 2 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t n = graph_input(g, 1, 28, 28);
    n = graph_relu(g, graph_conv(g, n, 20, five, one, none, FTK_NODE_BIAS, 1));
    n = graph_pool(g, FTK_NODE_MAXPOOL, n, two, two, none);
    n = graph_relu(g, graph_conv(g, n, 50, five, one, none, FTK_NODE_BIAS, 1));
    n = graph_flatten(g, graph_pool(g, FTK_NODE_MAXPOOL, n, two, two, none));
    n = graph_relu(g, graph_linear(g, n, 500, FTK_NODE_BIAS, 1));
    graph_xent(g, graph_linear(g, n, 10, FTK_NODE_BIAS, 1), 0);
}

static void mlp(struct graph_case *g)
{
    uint32_t n = graph_flatten(g, graph_input(g, 1, 28, 28));
    n = graph_relu(g, graph_linear(g, n, 1000, FTK_NODE_BIAS, 1));
    n = graph_relu(g, graph_linear(g, n, 1000, FTK_NODE_BIAS, 1));
    graph_xent(g, graph_linear(g, n, 10, FTK_NODE_BIAS, 0), 0);
}

/* A pre-activation block whose first conv and shortcut step by `stride`. */
static uint32_t block(struct graph_case *g, uint32_t in, uint32_t channels, uint32_t stride)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    const uint32_t strides[2] = { stride, stride };
    const uint32_t a = graph_relu(g, graph_batchnorm(g, in, 0.1f, 1e-5f, 0));
    uint32_t n = graph_conv(g, a, channels, three, strides, one, 0, 1);
    n = graph_relu(g, graph_batchnorm(g, n, 0.1f, 1e-5f, 0));
    n = graph_conv(g, n, channels, three, one, one, 0, 1);
    return graph_add(g, n, graph_conv(g, a, channels, one, strides, none, 0, 1));
}

/* A wide residual network, one block a group, of width 2. */
static void wrn10_2(struct graph_case *g)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t eight[2] = { 8, 8 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t n = graph_conv(g, graph_input(g, 3, 32, 32), 16, three, one, one, 0, 0);
    n = block(g, n, 32, 1);
    n = block(g, n, 64, 2);
    n = block(g, n, 128, 2);
    n = graph_relu(g, graph_batchnorm(g, n, 0.1f, 1e-5f, 0));
    n = graph_flatten(g, graph_pool(g, FTK_NODE_AVGPOOL, n, eight, eight, none));
    graph_xent(g, graph_linear(g, n, 10, FTK_NODE_BIAS, 0), 0);
}

static void print_row(double *const ms[DENSITIES], uint32_t d, uint32_t n)
{
    double *ratio = calloc(n, sizeof(*ratio));
    double least[2] = { ms[0][0], ms[d][0] };
    assert_non_null(ratio);
    for (uint32_t i = 0; i < n; i++) {
        ratio[i] = ms[d][i] / ms[0][i];
        least[0] = ms[0][i] < least[0] ? ms[0][i] : least[0];
        least[1] = ms[d][i] < least[1] ? ms[d][i] : least[1];
    }
    printf("  density %-5g min %8.2f ms  to dense: min/min %.3f", densities[d], least[1],
           least[1] / least[0]);
    printf(", median of ratios %.3f\n", median(ratio, n));
    free(ratio);
}

static void bench_net(const struct bt_backend *cpu, ftk_dev *dev, const struct options *o,
                      void (*net)(struct graph_case *g), const char *name, uint32_t batch)
{
    struct graph_case g;
    ftk_prog *p[DENSITIES];
    double *ms[DENSITIES];
    const ftk_hyper hy = graph_hyper(1e-4, 0.9, 5e-4, 0);
    net(&g);
    struct graph_batch *b = graph_batch_new(&g, batch, 1);
    for (uint32_t d = 0; d < DENSITIES; d++) {
        p[d] = graph_compile(cpu, dev, &g, batch, 0);
        graph_fill(cpu, p[d], &g, densities[d], 2);
        ms[d] = calloc(o->repetitions, sizeof(*ms[d]));
        assert_non_null(ms[d]);
    }
    for (uint32_t i = 0; i < WARM_UP + o->repetitions; i++) {
        for (uint32_t d = 0; d < DENSITIES; d++) {
            const double start = now_ms();
            assert_int_equal(cpu->ops->step(p[d], b->list, &hy), FTK_OK);
            if (i >= WARM_UP)
                ms[d][i - WARM_UP] = now_ms() - start;
        }
    }
    const char *text = cpu->ops->kernels(p[0]);
    printf("%s, batch %u, %u threads, %.*s\n", name, batch, o->threads, (int)strcspn(text, "\n"),
           text);
    for (uint32_t d = 0; d < DENSITIES; d++)
        print_row(ms, d, o->repetitions);
    for (uint32_t d = 0; d < DENSITIES; d++) {
        cpu->ops->release(p[d]);
        free(ms[d]);
    }
    graph_batch_free(b);
}

static void bench_all(void **state)
{
    const struct options *o = *state;
    struct bt_host host;
    struct bt_backend cpu;
    bt_host_init(&host);
    assert_true(bt_backend_load(&host, "cpu", &cpu));
    ftk_dev *dev = bt_backend_open(&cpu, o->threads, o->isa);
    bench_net(&cpu, dev, o, lenet5, "lenet5", 128);
    bench_net(&cpu, dev, o, mlp, "mlp 1000-1000", 128);
    bench_net(&cpu, dev, o, wrn10_2, "wrn 10-2", 128);
    cpu.ops->close(dev);
    bt_host_done(&host);
}

int main(int argc, char **argv)
{
    struct options o = { .threads = 2, .repetitions = 9 };
    if (argc > 1)
        o.threads = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        o.repetitions = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        o.isa = argv[3];
    if (o.threads == 0 || o.repetitions == 0) {
        fprintf(stderr, "usage: bench_step [threads] [repetitions] [isa]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(bench_all, &o) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
