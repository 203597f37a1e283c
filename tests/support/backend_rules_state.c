/* SPDX-License-Identifier: MIT
 * backend_rules_state.c - rules about arrays, masks, edits and candidates.
 */
#include "backend_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6 };

static ftk_prog *start(const struct bt_backend *backend, ftk_dev *dev, struct graph_case *g,
                       uint32_t flags)
{
    rules_net(g, true);
    ftk_prog *prog = graph_compile(backend, dev, g, BATCH, flags);
    graph_fill(backend, prog, g, 0.4, 5);
    return prog;
}

static void steps(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                  uint32_t n)
{
    ftk_hyper hyper = graph_hyper(0.05, 0.9, 0.01, 0);
    for (uint32_t i = 0; i < n; i++) {
        struct graph_batch *b = graph_batch_new(g, BATCH - i % 2, i);
        hyper.step = i + 1;
        assert_int_equal(backend->ops->step(prog, b->list, &hyper), FTK_OK);
        graph_batch_free(b);
    }
}

static void assert_same(const float *a, const float *b, uint64_t n)
{
    assert_memory_equal(a, b, n * sizeof(float));
}

/* Inactive weights read 0 after many steps, and play no part in a prediction. */
void rule_inactive_stays_zero(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    steps(backend, prog, &g, 100);
    for (uint32_t layer = 0; layer < g.n_sparse; layer++) {
        uint64_t n = 0;
        float *value = NULL;
        float *velocity = NULL;
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_WEIGHT, 7, &n, &value));
        free(graph_read(backend, prog, layer, FTK_INACTIVE, FTK_CH_MOMENTUM, 7, &n, &velocity));
        assert_true(n > 0);
        for (uint64_t i = 0; i < n; i++) {
            assert_true(value[i] == 0.0f);
            assert_true(velocity[i] == 0.0f);
        }
        free(value);
        free(velocity);
    }
    ftk_prog *other = graph_compile(backend, dev, &g, BATCH, 0);
    graph_copy(backend, prog, backend, other, &g);
    struct graph_batch *b = graph_batch_new(&g, BATCH, 99);
    float a[BATCH * 4];
    float c[BATCH * 4];
    assert_int_equal(graph_classes(&g), 4);
    assert_int_equal(backend->ops->predict(prog, b->list, a), FTK_OK);
    assert_int_equal(backend->ops->predict(other, b->list, c), FTK_OK);
    assert_same(a, c, BATCH * 4);
    graph_batch_free(b);
    backend->ops->release(other);
    backend->ops->release(prog);
}

/* Marks a reading in `seen` and checks that it ascends. */
static void mark_seen(const uint64_t *index, uint64_t count, uint8_t *seen, uint64_t n)
{
    for (uint64_t i = 0; i < count; i++) {
        assert_true(index[i] < n);
        assert_true(i == 0 || index[i] > index[i - 1]);
        assert_int_equal(seen[index[i]], 0);
        seen[index[i]] = 1;
    }
}

/* Active and inactive together are every index once, however much is read at a time; active
 * values are those of get().                                                          */
void rule_read_lists_each_once(const struct bt_backend *backend, ftk_dev *dev)
{
    static const uint64_t caps[] = { 1, 7, 100000 };
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    for (uint32_t at = 0; at < 3 * g.n_sparse; at++) {
        uint32_t layer = at / 3;
        uint32_t node = graph_layer_node(&g, layer);
        uint64_t n = graph_weights(&g, node);
        uint64_t counts[2] = { 0, 0 };
        float *value = NULL;
        uint8_t *seen = calloc(n, 1);
        assert_non_null(seen);
        uint64_t *index = graph_read(backend, prog, layer, FTK_ACTIVE, FTK_CH_WEIGHT, caps[at % 3],
                                     &counts[0], &value);
        mark_seen(index, counts[0], seen, n);
        free(index);
        index = graph_read(backend, prog, layer, FTK_INACTIVE, 0, caps[at % 3], &counts[1], NULL);
        mark_seen(index, counts[1], seen, n);
        free(index);
        assert_int_equal(counts[0] + counts[1], n);
        uint64_t nnz = 0;
        float *got = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &nnz);
        assert_int_equal(nnz, counts[0]);
        assert_same(got, value, nnz);
        free(got);
        free(value);
        free(seen);
    }
    backend->ops->release(prog);
}

/* Value (or velocity) at one position of layer 0, which is active or inactive as said. */
static float value_at(const struct bt_backend *backend, ftk_prog *prog, uint32_t which,
                      uint32_t channel, uint64_t where)
{
    uint64_t n = 0;
    float *value = NULL;
    uint64_t *index = graph_read(backend, prog, 0, which, channel, 16, &n, &value);
    uint64_t i = 0;
    while (i < n && index[i] != where) {
        i++;
    }
    assert_true(i < n);
    float found = value[i];
    free(index);
    free(value);
    return found;
}

/* The first two active and inactive positions of layer 0. */
static void pick(const struct bt_backend *backend, ftk_prog *prog, uint64_t active[2],
                 uint64_t inactive[2])
{
    uint64_t n = 0;
    uint64_t *index = graph_read(backend, prog, 0, FTK_ACTIVE, 0, 16, &n, NULL);
    assert_true(n >= 2);
    memcpy(active, index, 2 * sizeof(*active));
    free(index);
    index = graph_read(backend, prog, 0, FTK_INACTIVE, 0, 16, &n, NULL);
    assert_true(n >= 2);
    memcpy(inactive, index, 2 * sizeof(*inactive));
    free(index);
}

/* Drops two, adds one of them again and an inactive one; with values or zeros.  Velocities stay
 * only if they are dense and the edit says so.                                           */
static void check_edit(const struct bt_backend *backend, ftk_prog *prog, const float *value,
                       uint32_t flags, bool dense)
{
    uint64_t on[2];
    uint64_t off[2];
    pick(backend, prog, on, off);
    bool first = on[1] < off[1]; /* the index in both lists is add[0] */
    const uint64_t add[2] = { first ? on[1] : off[1], first ? off[1] : on[1] };
    float velocity[2];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t which = add[i] == on[1] ? FTK_ACTIVE : FTK_INACTIVE;
        velocity[i] = value_at(backend, prog, which, FTK_CH_MOMENTUM, add[i]);
    }
    const ftk_change change = { .size = sizeof(change),
                                .flags = flags,
                                .drop = on,
                                .add = add,
                                .n_drop = 2,
                                .n_add = 2,
                                .value = value };
    assert_int_equal(backend->ops->edit(prog, 0, &change), FTK_OK);
    assert_true(value_at(backend, prog, FTK_INACTIVE, FTK_CH_WEIGHT, on[0]) == 0.0f);
    bool keep = dense && (flags & FTK_EDIT_KEEP_MOMENTUM) != 0;
    for (uint32_t i = 0; i < 2; i++) {
        float want = value != NULL ? value[i] : 0.0f;
        assert_true(value_at(backend, prog, FTK_ACTIVE, FTK_CH_WEIGHT, add[i]) == want);
        want = keep ? velocity[i] : 0.0f;
        assert_true(value_at(backend, prog, FTK_ACTIVE, FTK_CH_MOMENTUM, add[i]) == want);
    }
}

void rule_edit_adds_and_drops(const struct bt_backend *backend, ftk_dev *dev)
{
    static const float value[2] = { 0.5f, -0.25f };
    for (uint32_t dense = 0; dense < 2; dense++) {
        struct graph_case g;
        ftk_prog *prog = start(backend, dev, &g, dense * FTK_BUILD_DENSE_MOMENTUM);
        steps(backend, prog, &g, 3);
        check_edit(backend, prog, value, 0, dense != 0);
        check_edit(backend, prog, NULL, 0, dense != 0);
        check_edit(backend, prog, value, FTK_EDIT_KEEP_MOMENTUM, dense != 0);
        steps(backend, prog, &g, 1);
        check_edit(backend, prog, NULL, FTK_EDIT_KEEP_MOMENTUM, dense != 0);
        backend->ops->release(prog);
    }
}

/* Edits that only drop or only add move the count, and leave the others' values alone. */
void rule_edit_counts(const struct bt_backend *backend, ftk_dev *dev)
{
    static const float value[2] = { 0.5f, -0.25f };
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    uint32_t node = graph_layer_node(&g, 0);
    uint64_t on[2];
    uint64_t off[2];
    uint64_t n = 0;
    uint64_t now = 0;
    pick(backend, prog, on, off);
    float *before = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &n);
    ftk_change change = { .size = sizeof(change), .drop = on, .n_drop = 2 };
    assert_int_equal(backend->ops->edit(prog, 0, &change), FTK_OK);
    float *after = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &now);
    assert_int_equal(now, n - 2);
    assert_same(after, before + 2, now);
    free(after);
    change = (ftk_change){ .size = sizeof(change), .add = off, .n_add = 2, .value = value };
    assert_int_equal(backend->ops->edit(prog, 0, &change), FTK_OK);
    float *grown = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &now);
    assert_int_equal(now, n);
    assert_true(value_at(backend, prog, FTK_ACTIVE, FTK_CH_WEIGHT, off[0]) == value[0]);
    assert_true(value_at(backend, prog, FTK_ACTIVE, FTK_CH_WEIGHT, off[1]) == value[1]);
    change = (ftk_change){ .size = sizeof(change) };
    assert_int_equal(backend->ops->edit(prog, 0, &change), FTK_OK);
    after = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT, &now);
    assert_int_equal(now, n);
    assert_same(after, grown, n);
    free(grown);
    free(after);
    free(before);
    backend->ops->release(prog);
}

static void check_refused(const struct bt_backend *backend, ftk_prog *prog, uint64_t drop0,
                          uint64_t drop1, uint64_t add0, uint64_t add1)
{
    const uint64_t drop[2] = { drop0, drop1 };
    const uint64_t add[2] = { add0, add1 };
    const ftk_change change = { .size = sizeof(change),
                                .drop = drop,
                                .add = add,
                                .n_drop = drop0 == UINT64_MAX ? 0 : 2,
                                .n_add = add0 == UINT64_MAX ? 0 : 2 };
    uint64_t failures = backend->host->failures;
    assert_true(backend->ops->edit(prog, 0, &change) < 0);
    assert_int_equal(backend->host->failures, failures + 1);
}

/* Wrong state, order or range: refused, and nothing has changed. */
void rule_edit_refuses(const struct bt_backend *backend, ftk_dev *dev)
{
    const uint64_t none = UINT64_MAX;
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    uint64_t n = graph_weights(&g, graph_layer_node(&g, 0));
    uint64_t on[2];
    uint64_t off[2];
    uint64_t floats = 0;
    uint64_t same = 0;
    pick(backend, prog, on, off);
    float *before = graph_get_all(backend, prog, &floats);
    check_refused(backend, prog, off[0], off[1], none, none);
    check_refused(backend, prog, on[1], on[0], none, none);
    check_refused(backend, prog, on[0], on[0], none, none);
    check_refused(backend, prog, on[0], n, none, none);
    check_refused(backend, prog, none, none, on[0], on[1]);
    check_refused(backend, prog, none, none, off[1], off[0]);
    check_refused(backend, prog, none, none, off[1], off[1]);
    check_refused(backend, prog, on[0], on[1], off[0], n);
    float *after = graph_get_all(backend, prog, &same);
    assert_int_equal(same, floats);
    assert_same(after, before, floats);
    free(before);
    free(after);
    backend->ops->release(prog);
}

/* Every array once; whole and in pieces the same floats, also for put(). */
void rule_tensors_in_pieces(const struct bt_backend *backend, ftk_dev *dev)
{
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    ftk_tensor t = { .size = sizeof(t) };
    uint32_t count = 0;
    for (; backend->ops->tensor(prog, count, &t) == FTK_OK; count++) {
        uint64_t n = 0;
        assert_int_equal(graph_tensor(backend, prog, t.node, t.role, &n), count);
        float *whole = graph_get(backend, prog, t.node, t.role, &n);
        float *part = calloc(n + 1, sizeof(*part));
        assert_non_null(part);
        for (uint64_t from = 0; from < n; from += 3) {
            uint64_t few = n - from < 3 ? n - from : 3;
            assert_int_equal(backend->ops->get(prog, count, from, few, part + from), FTK_OK);
        }
        assert_same(part, whole, n);
        for (uint64_t i = 0; i < n; i++) {
            part[i] = (float)i + 0.5f;
        }
        for (uint64_t from = 0; from < n; from += 2) {
            uint64_t few = n - from < 2 ? n - from : 2;
            assert_int_equal(backend->ops->put(prog, count, from, few, part + from), FTK_OK);
        }
        float *again = graph_get(backend, prog, t.node, t.role, &n);
        assert_same(again, part, n);
        assert_true(backend->ops->get(prog, count, n, 1, part) < 0);
        assert_true(backend->ops->put(prog, count, 1, n, part) < 0);
        free(again);
        free(part);
        free(whole);
    }
    /* 4 weighted nodes, 3 biases, batch norm's 2 + 2; velocities of all but the last 2. */
    assert_int_equal(count, 2 * (4 + 3 + 2) + 2);
    backend->ops->release(prog);
}

/* A new mask: nothing but zeros, also for the velocity, and exactly these positions. */
void rule_mask_zeroes(const struct bt_backend *backend, ftk_dev *dev)
{
    static const uint64_t chosen[3] = { 0, 5, 17 };
    static const uint64_t wrong[2] = { 6, 6 };
    struct graph_case g;
    ftk_prog *prog = start(backend, dev, &g, 0);
    steps(backend, prog, &g, 2);
    for (uint32_t layer = 0; layer < g.n_sparse; layer++) {
        uint32_t node = graph_layer_node(&g, layer);
        uint64_t n = 0;
        assert_true(backend->ops->mask(prog, layer, wrong, 2) < 0);
        assert_int_equal(backend->ops->mask(prog, layer, chosen, 3), FTK_OK);
        uint64_t *index = graph_read(backend, prog, layer, FTK_ACTIVE, 0, 2, &n, NULL);
        assert_int_equal(n, 3);
        assert_memory_equal(index, chosen, sizeof(chosen));
        free(index);
        for (uint32_t moment = 0; moment <= FTK_TENSOR_MOMENT1; moment += FTK_TENSOR_MOMENT1) {
            float *v = graph_get(backend, prog, node, FTK_TENSOR_WEIGHT | moment, &n);
            assert_int_equal(n, 3);
            for (uint64_t i = 0; i < n; i++) {
                assert_true(v[i] == 0.0f);
            }
            free(v);
        }
    }
    assert_int_equal(backend->ops->mask(prog, 0, NULL, 0), FTK_OK);
    steps(backend, prog, &g, 1);
    assert_true(backend->ops->mask(prog, g.n_sparse, chosen, 3) < 0);
    backend->ops->release(prog);
}

/* A program made from another's arrays goes on with the same bits. */
void rule_copy_goes_on(const struct bt_backend *backend, ftk_dev *dev)
{
    for (uint32_t dense = 0; dense < 2; dense++) {
        struct graph_case g;
        ftk_prog *prog = start(backend, dev, &g, dense * FTK_BUILD_DENSE_MOMENTUM);
        steps(backend, prog, &g, 4);
        ftk_prog *copy = graph_compile(backend, dev, &g, BATCH, dense * FTK_BUILD_DENSE_MOMENTUM);
        graph_copy(backend, prog, backend, copy, &g);
        steps(backend, prog, &g, 4);
        steps(backend, copy, &g, 4);
        uint64_t n = 0;
        uint64_t m = 0;
        float *a = graph_get_all(backend, prog, &n);
        float *b = graph_get_all(backend, copy, &m);
        assert_int_equal(n, m);
        assert_same(a, b, n);
        free(a);
        free(b);
        backend->ops->release(copy);
        backend->ops->release(prog);
    }
}
