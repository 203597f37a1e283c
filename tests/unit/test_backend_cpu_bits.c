/* SPDX-License-Identifier: MIT
 * test_backend_cpu_bits.c - the cpu backend repeats itself: bits for any number of threads, through
 * edits and changes of a layer's form; what an edit keeps; signals.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph_case.h"

static const char *const isas[] = { "portable", "avx2", "avx512" };
enum { ISAS = sizeof(isas) / sizeof(isas[0]), BATCH = 70 };

struct fixture {
    struct bt_host host;
    struct bt_backend cpu;
    uint32_t has[ISAS];
};

static ftk_dev *open_device(struct fixture *f, int isa, uint32_t threads)
{
    ftk_dev *dev = NULL;
    const ftk_open how = { .size = sizeof(how), .threads = threads, .isa = isas[isa] };
    return f->cpu.ops->open(&f->host.table, f->cpu.params, &how, &dev) == FTK_OK ? dev : NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    bt_host_init(&f->host);
    if (!bt_backend_load(&f->host, "cpu", &f->cpu))
        return -1;
    for (int i = 0; i < ISAS; i++) {
        ftk_dev *dev = open_device(f, i, 1);
        f->has[i] = dev != NULL;
        f->cpu.ops->close(dev);
    }
    *state = f;
    return f->has[0] ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    bt_host_done(&f->host);
    const int left = f->host.live == 0 ? 0 : -1;
    free(f);
    return left;
}

/* Conv, batch norm, residual, strided conv, wide conv, linear: the second conv is wide enough for
 * the dense library where it is full. */
static void net(struct graph_case *g)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t five[2] = { 5, 5 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t two[2] = { 2, 2 };
    uint32_t n = graph_input(g, 2, 8, 9);
    const uint32_t stem = graph_conv(g, n, 32, three, one, one, 0, 1);
    n = graph_relu(g, graph_batchnorm(g, stem, 0.1f, 1e-5f, 0));
    n = graph_conv(g, n, 32, five, one, two, FTK_NODE_BIAS, 1);
    n = graph_relu(g, graph_add(g, n, stem));
    n = graph_conv(g, n, 11, three, two, one, FTK_NODE_BIAS, 1);
    n = graph_dropout(g, graph_relu(g, n), 0.25f);
    n = graph_linear(g, n, 40, FTK_NODE_BIAS, 1);
    graph_xent(g, graph_linear(g, graph_relu(g, n), 6, FTK_NODE_BIAS, 0), 0.1f);
}
enum { LAYERS = 4, WIDE = 1 };

static void run_step(const struct fixture *f, ftk_prog *p, const struct graph_case *g,
                     uint32_t count, uint32_t flags, uint64_t seed)
{
    struct graph_batch *b = graph_batch_new(g, count, seed);
    const ftk_hyper hy = graph_hyper(0.01, 0.9, 1e-3, flags);
    assert_int_equal(f->cpu.ops->step(p, b->list, &hy), FTK_OK);
    graph_batch_free(b);
}

/* Drop every `period`th active weight, grow as many (or all) inactive ones at 0.25. */
static void run_edit(const struct fixture *f, ftk_prog *p, uint32_t layer, uint64_t period,
                     int grow_all)
{
    uint64_t n[2];
    uint64_t *active = graph_read(&f->cpu, p, layer, FTK_ACTIVE, 0, 37, &n[0], NULL);
    uint64_t *idle = graph_read(&f->cpu, p, layer, FTK_INACTIVE, 0, 1000, &n[1], NULL);
    uint64_t drops = 0;
    for (uint64_t i = 0; i < n[0]; i += period)
        active[drops++] = active[i];
    const uint64_t grow = grow_all ? n[1] : (drops < n[1] ? drops : n[1]);
    float *value = calloc(grow + 1, sizeof(*value));
    for (uint64_t i = 0; i < grow; i++)
        value[i] = 0.25f;
    const ftk_change c = { .size = sizeof(c),
                           .drop = active,
                           .n_drop = grow_all ? 0 : drops,
                           .add = idle,
                           .n_add = grow,
                           .value = value };
    assert_int_equal(f->cpu.ops->edit(p, layer, &c), FTK_OK);
    free(value);
    free(active);
    free(idle);
}

/* Everything that may depend on threads, in one go: returns all arrays and logits. */
static float *run_all(struct fixture *f, int isa, uint32_t threads, uint64_t *ret_n)
{
    struct graph_case g;
    net(&g);
    ftk_dev *dev = open_device(f, isa, threads);
    assert_non_null(dev);
    ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
    graph_fill(&f->cpu, p, &g, 0.3, 11);
    run_step(f, p, &g, BATCH, 0, 1);
    run_step(f, p, &g, 37, FTK_STEP_KEEP_GRAD, 2);
    for (uint32_t l = 0; l < LAYERS; l++)
        run_edit(f, p, l, 3, 0);
    run_step(f, p, &g, BATCH, FTK_STEP_NESTEROV, 3);
    run_edit(f, p, WIDE, 1, 1);
    run_step(f, p, &g, BATCH, 0, 4);
    run_step(f, p, &g, 19, FTK_STEP_STATS_ONLY, 5);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 6);
    const uint64_t logits = (uint64_t)BATCH * graph_classes(&g);
    const uint64_t images = (uint64_t)BATCH * graph_floats(&g.node[0]);
    uint64_t n;
    float *all = graph_get_all(&f->cpu, p, &n);
    all = realloc(all, (n + logits + images) * sizeof(*all));
    assert_non_null(all);
    assert_int_equal(f->cpu.ops->predict(p, b->list, all + n), FTK_OK);
    assert_int_equal(f->cpu.ops->grad_input(p, b->list, all + n + logits), FTK_OK);
    graph_batch_free(b);
    f->cpu.ops->release(p);
    f->cpu.ops->close(dev);
    *ret_n = n + logits + images;
    return all;
}

static void test_threads_same_bits(void **state)
{
    struct fixture *f = *state;
    const uint32_t threads[] = { 1, 2, 3, 7 };
    for (int i = 0; i < ISAS; i++) {
        uint64_t n[2];
        if (!f->has[i])
            continue;
        float *first = run_all(f, i, threads[0], &n[0]);
        for (int t = 1; t < 4; t++) {
            float *other = run_all(f, i, threads[t], &n[1]);
            assert_int_equal(n[0], n[1]);
            if (memcmp(first, other, n[0] * sizeof(*first)) != 0)
                fail_msg("%s: %u threads give other bits than 1", isas[i], threads[t]);
            free(other);
        }
        free(first);
    }
}

/* Layers wide and full enough for the dense library: a strided convolution and a linear one. */
static void dense_net(struct graph_case *g)
{
    const uint32_t one[2] = { 1, 1 };
    const uint32_t two[2] = { 2, 2 };
    const uint32_t five[2] = { 5, 5 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t n = graph_conv(g, graph_input(g, 3, 6, 6), 64, one, one, none, 0, 0);
    n = graph_relu(g, graph_conv(g, n, 70, five, two, two, FTK_NODE_BIAS, 1));
    n = graph_relu(g, graph_linear(g, n, 640, FTK_NODE_BIAS, 1));
    graph_xent(g, graph_linear(g, n, 10, 0, 0), 0);
}

static void test_dense_same_bits(void **state)
{
    struct fixture *f = *state;
    const uint32_t threads[] = { 1, 2, 3, 7 };
    float *first = NULL;
    for (int i = 0; i < 4 * ISAS; i++) {
        struct graph_case g;
        uint64_t n;
        ftk_dev *dev = f->has[i / 4] ? open_device(f, i / 4, threads[i % 4]) : NULL;
        if (!dev)
            continue;
        dense_net(&g);
        ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
        graph_fill(&f->cpu, p, &g, 0.8, 3);
        run_step(f, p, &g, BATCH, 0, 1);
        run_step(f, p, &g, 37, 0, 2);
        float *all = graph_get_all(&f->cpu, p, &n);
        if (i % 4 == 0) {
            free(first);
            first = all;
        } else {
            assert_memory_equal(first, all, n * sizeof(*all));
            free(all);
        }
        f->cpu.ops->release(p);
        f->cpu.ops->close(dev);
    }
    free(first);
}

/* A gradient that is kept takes another way to the same weights. */
static void test_keep_grad_same_bits(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++) {
        struct graph_case g;
        float *all[2];
        uint64_t n[2];
        ftk_dev *dev = f->has[i] ? open_device(f, i, 2) : NULL;
        if (!dev)
            continue;
        net(&g);
        for (int k = 0; k < 2; k++) {
            ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
            graph_fill(&f->cpu, p, &g, 0.3, 5);
            run_step(f, p, &g, BATCH, k ? FTK_STEP_KEEP_GRAD : 0, 1);
            all[k] = graph_get_all(&f->cpu, p, &n[k]);
            f->cpu.ops->release(p);
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(all[0], all[1], n[0] * sizeof(float));
        free(all[0]);
        free(all[1]);
        f->cpu.ops->close(dev);
    }
}

/* What stays through an edit keeps weight and momentum, what grows starts at its value and 0. */
static void check_edit(const struct fixture *f, ftk_prog *p, uint32_t layer, int grow_all)
{
    const uint32_t channels[] = { FTK_CH_WEIGHT, FTK_CH_MOMENTUM };
    for (int c = 0; c < 2; c++) {
        float *before;
        float *after;
        uint64_t n[2];
        uint64_t *old = graph_read(&f->cpu, p, layer, FTK_ACTIVE, channels[c], 50, &n[0], &before);
        run_edit(f, p, layer, 4, grow_all);
        uint64_t *now = graph_read(&f->cpu, p, layer, FTK_ACTIVE, channels[c], 64, &n[1], &after);
        uint64_t at = 0;
        uint64_t stayed = 0;
        for (uint64_t i = 0; i < n[1]; i++) {
            while (at < n[0] && old[at] < now[i])
                at++;
            const int stays = at < n[0] && old[at] == now[i];
            const float grown = channels[c] == FTK_CH_WEIGHT ? 0.25f : 0.0f;
            assert_true(after[i] == (stays ? before[at] : grown));
            stayed += (uint64_t)stays;
        }
        assert_true(stayed > 0 && (grow_all || stayed < n[0]));
        free(old);
        free(now);
        free(before);
        free(after);
    }
}

static void test_edit_keeps(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ISAS; i++) {
        struct graph_case g;
        ftk_dev *dev = f->has[i] ? open_device(f, i, 2) : NULL;
        if (!dev)
            continue;
        net(&g);
        ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
        graph_fill(&f->cpu, p, &g, 0.3, 5);
        run_step(f, p, &g, BATCH, 0, 1);
        for (uint32_t l = 0; l < LAYERS; l++)
            check_edit(f, p, l, 0);
        for (uint32_t l = 0; l < LAYERS; l++)
            check_edit(f, p, l, 1);
        f->cpu.ops->release(p);
        f->cpu.ops->close(dev);
    }
}

/* The wide layer goes from full to lists and back: by edits as by a mask, with the same bits after,
 * and kernels() says where it is. */
static void test_form_changes(void **state)
{
    struct fixture *f = *state;
    struct graph_case g;
    uint64_t n[2];
    net(&g);
    ftk_dev *dev = open_device(f, 0, 2);
    ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
    ftk_prog *q = graph_compile(&f->cpu, dev, &g, BATCH, 0);
    char *full = strdup(f->cpu.ops->kernels(p));
    graph_fill(&f->cpu, p, &g, 0.4, 5);
    char *lists = strdup(f->cpu.ops->kernels(p));
    assert_true(strncmp(full, "cpu portable\n", 13) == 0);
    assert_string_not_equal(full, lists);
    run_step(f, p, &g, BATCH, 0, 1);
    for (uint32_t l = 0; l < LAYERS; l++)
        run_edit(f, p, l, 1, 1);
    assert_string_equal(f->cpu.ops->kernels(p), full);
    graph_copy(&f->cpu, p, &f->cpu, q, &g);
    run_step(f, p, &g, BATCH, 0, 2);
    run_step(f, q, &g, BATCH, 0, 2);
    float *a = graph_get_all(&f->cpu, p, &n[0]);
    float *b = graph_get_all(&f->cpu, q, &n[1]);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(a, b, n[0] * sizeof(*a));
    free(a);
    free(b);
    free(full);
    free(lists);
    f->cpu.ops->release(p);
    f->cpu.ops->release(q);
    f->cpu.ops->close(dev);
}

/* The mask of blocked signals of a thread, from the kernel. */
static unsigned long long blocked_signals(const char *task)
{
    char path[300];
    char line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        if (sscanf(line, "SigBlk: %llx", &mask) == 1)
            break;
    }
    fclose(in);
    return mask;
}

static void test_threads_block_signals(void **state)
{
    struct fixture *f = *state;
    struct graph_case g;
    /* SIGINT, SIGTERM and SIGUSR2; bit n - 1 is signal n */
    const unsigned long long wanted = 1ull << 1 | 1ull << 14 | 1ull << 11;
    net(&g);
    ftk_dev *dev = open_device(f, 0, 3);
    ftk_prog *p = graph_compile(&f->cpu, dev, &g, BATCH, 0);
    graph_fill(&f->cpu, p, &g, 0.9, 5);
    run_step(f, p, &g, BATCH, 0, 1);
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    uint32_t blocking = 0;
    uint32_t others = 0;
    for (struct dirent *e = readdir(tasks); e; e = readdir(tasks)) {
        if (e->d_name[0] == '.')
            continue;
        if ((blocked_signals(e->d_name) & wanted) == wanted)
            blocking++;
        else
            others++;
    }
    closedir(tasks);
    assert_int_equal(others, 1); /* this one */
    assert_true(blocking >= 2);
    f->cpu.ops->release(p);
    f->cpu.ops->close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_same_bits),   cmocka_unit_test(test_dense_same_bits),
        cmocka_unit_test(test_keep_grad_same_bits), cmocka_unit_test(test_edit_keeps),
        cmocka_unit_test(test_form_changes),        cmocka_unit_test(test_threads_block_signals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
