/* SPDX-License-Identifier: MIT
 * backend_rules_fail.c - rules about refusals and lack of memory.
 */
#include "backend_rules.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 4, CLASSES = 4 };

static ftk_build build_of(const struct graph_case *g)
{
    return (ftk_build){ .size = sizeof(ftk_build),
                        .n_nodes = g->n_nodes,
                        .max_batch = BATCH,
                        .optimiser = FTK_OPT_SGD,
                        .channels = FTK_CH_WEIGHT,
                        .members = 1,
                        .nodes = g->list };
}

/* A call that must fail with one sentence on record. */
#define ASSERT_REFUSED(backend, call)                                                              \
    do {                                                                                           \
        uint64_t failures_ = (backend)->host->failures;                                            \
        assert_true((call) < 0);                                                                   \
        assert_int_equal((backend)->host->failures, failures_ + 1);                                \
        assert_true(strlen((backend)->host->message) > 8);                                         \
    } while (0)

static void refuse_build(const struct bt_backend *backend, ftk_dev *dev, const ftk_build *build)
{
    ftk_prog *prog = NULL;
    uint64_t live = backend->host->live;
    ASSERT_REFUSED(backend, backend->ops->compile(dev, build, &prog));
    assert_null(prog);
    assert_int_equal(backend->host->live, live);
}

/* One thing wrong with a list of nodes that is right otherwise. */
static void break_node(struct graph_case *g, uint32_t how)
{
    ftk_node *conv = &g->node[1];
    ftk_node *end = &g->node[g->n_nodes - 1];
    switch (how) {
    case 0:
        conv->op = 77;
        break;
    case 1:
        conv->out_shape[1]++;
        break;
    case 2:
        conv->stride[1] = 0;
        break;
    case 3:
        conv->in[0] = 1;
        break;
    case 4:
        conv->flags = 1u << 20;
        break;
    case 5:
        end->op = FTK_NODE_RELU;
        break;
    case 6:
        g->node[0].op = FTK_NODE_RELU;
        break;
    case 7:
        end->scalar[0] = 1.5f;
        break;
    case 8:
        g->node[2].sparse = 1;
        break;
    case 9:
        g->node[3].out_shape[0]++;
        break;
    case 10:
        end->scalar[0] = NAN;
        break;
    default:
        conv->kernel[0] = 0;
        break;
    }
}

void rule_refuses_graphs(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    for (uint32_t how = 0; how < 12; how++) {
        rules_net(&g, true);
        break_node(&g, how);
        const ftk_build build = build_of(&g);
        refuse_build(backend, dev, &build);
    }
    rules_net(&g, true);
    ftk_build build = build_of(&g);
    build.optimiser = 99;
    refuse_build(backend, dev, &build);
    build = build_of(&g);
    build.flags = 1u << 20;
    refuse_build(backend, dev, &build);
    build = build_of(&g);
    build.max_batch = 0;
    refuse_build(backend, dev, &build);
    build = build_of(&g);
    build.channels = FTK_CH_AGE;
    refuse_build(backend, dev, &build);
    build = build_of(&g);
    build.n_nodes = 1;
    refuse_build(backend, dev, &build);
}

static void refuse_batches(const struct bt_backend *backend, ftk_prog *prog, struct graph_batch *b)
{
    const ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.0, 0);
    float z[(BATCH + 1) * CLASSES];
    const ftk_batch good = b->b;
    b->b.count = BATCH + 1;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    ASSERT_REFUSED(backend, backend->ops->predict(prog, b->list, z));
    b->b = good;
    b->b.count = 0;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    b->b = good;
    b->b.flags = 1u << 20;
    ASSERT_REFUSED(backend, backend->ops->predict(prog, b->list, z));
    b->b = good;
    b->b.heads = 0;
    ASSERT_REFUSED(backend, backend->ops->predict(prog, b->list, z));
    b->b = good;
    b->b.x = NULL;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    b->b = good;
    b->y[1] = CLASSES;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    b->y[1] = -1;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    b->y[1] = 0;
}

void rule_refuses_calls(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    rules_net(&g, true);
    const ftk_build build = build_of(&g);
    ftk_prog *prog = NULL;
    assert_int_equal(backend->ops->compile(dev, &build, &prog), FTK_OK);
    graph_fill(backend, prog, &g, 0.5, 1);
    uint64_t n = 0;
    float *before = graph_get_all(backend, prog, &n);
    struct graph_batch *b = graph_batch_new(&g, BATCH + 1, 1);
    b->b.count = BATCH;
    refuse_batches(backend, prog, b);
    ftk_hyper hyper = graph_hyper(0.1, 0.9, 0.0, 1u << 20);
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    hyper.flags = FTK_STEP_STATS_ONLY | FTK_STEP_KEEP_GRAD;
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    hyper = graph_hyper(NAN, 0.9, 0.0, 0);
    ASSERT_REFUSED(backend, backend->ops->step(prog, b->list, &hyper));
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    ASSERT_REFUSED(backend, backend->ops->read_active(prog, 0, FTK_CH_WEIGHT, 0, &cursor, &c));
    ASSERT_REFUSED(backend, backend->ops->read_active(prog, 3, FTK_CH_WEIGHT, 9, &cursor, &c));
    ASSERT_REFUSED(backend, backend->ops->read_active(prog, 0, FTK_CH_AGE, 9, &cursor, &c));
    ASSERT_REFUSED(backend, backend->ops->read_inactive(prog, 0, FTK_CH_FIRED, 9, &cursor, &c));
    float v = 0.0f;
    ASSERT_REFUSED(backend, backend->ops->get(prog, 1000, 0, 1, &v));
    ftk_change change = { .size = sizeof(change), .flags = 1u << 20 };
    ASSERT_REFUSED(backend, backend->ops->edit(prog, 0, &change));
    change.flags = 0;
    ASSERT_REFUSED(backend, backend->ops->edit(prog, 3, &change));
    uint64_t m = 0;
    float *after = graph_get_all(backend, prog, &m);
    assert_int_equal(m, n);
    assert_memory_equal(after, before, n * sizeof(float));
    free(before);
    free(after);
    graph_batch_free(b);
    backend->ops->release(prog);

    ftk_dev *other = NULL;
    ftk_open how = { .size = sizeof(how), .isa = "z80" };
    ASSERT_REFUSED(backend,
                   backend->ops->open(&backend->host->table, backend->params, &how, &other));
    how.isa = "auto";
    how.flags = 1u << 20;
    ASSERT_REFUSED(backend,
                   backend->ops->open(&backend->host->table, backend->params, &how, &other));
}
