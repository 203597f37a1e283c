/* SPDX-License-Identifier: MIT
 * backend_pair.c - runs two backends side by side and compares all that can be read.
 */
#include "backend_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void pair_open(struct backend_pair *p, const struct bt_backend *const backend[2],
               ftk_dev *const dev[2], struct graph_case *g, uint32_t max_batch, double density,
               uint64_t seed, uint32_t flags, const char *what)
{
    *p = (struct backend_pair){ .g = g, .most = PAIR_NEAR };
    for (int k = 0; k < 2; k++) {
        p->backend[k] = backend[k];
        p->prog[k] = graph_compile(backend[k], dev[k], g, max_batch, flags);
    }
    graph_fill(backend[1], p->prog[1], g, density, seed);
    graph_copy(backend[1], p->prog[1], backend[0], p->prog[0], g);
    snprintf(p->what, sizeof(p->what), "%s seed %llu density %g", what, (unsigned long long)seed,
             density);
}

void pair_close(struct backend_pair *p)
{
    for (int k = 0; k < 2; k++)
        p->backend[k]->ops->release(p->prog[k]);
}

void pair_expect(struct backend_pair *p, const char *array, const float *a, const float *b,
                 uint64_t n)
{
    const double nmse = array_nmse(a, b, n);
    p->arrays++;
    p->far += !(nmse <= PAIR_NEAR);
    if (!(nmse <= p->most))
        fail_msg("%s: %s: NMSE %g of %llu floats is above %g", p->what, array, nmse,
                 (unsigned long long)n, p->most);
}

/* Compares and frees two arrays of n[0] and n[1] floats. */
static void expect_both(struct backend_pair *p, const char *array, float *const v[2],
                        const uint64_t n[2])
{
    assert_int_equal(n[0], n[1]);
    pair_expect(p, array, v[0], v[1], n[0]);
    free(v[0]);
    free(v[1]);
}

void pair_arrays(struct backend_pair *p)
{
    ftk_tensor t = { .size = sizeof(t) };
    for (uint32_t i = 0; p->backend[1]->ops->tensor(p->prog[1], i, &t) == FTK_OK; i++) {
        char name[64];
        float *v[2];
        uint64_t n[2];
        for (int k = 0; k < 2; k++)
            v[k] = graph_get(p->backend[k], p->prog[k], t.node, t.role, &n[k]);
        snprintf(name, sizeof(name), "%s role %u", p->g->name[t.node], t.role);
        expect_both(p, name, v, n);
    }
}

void pair_predict(struct backend_pair *p, const struct graph_batch *b)
{
    const uint64_t count = (uint64_t)b->b.count * graph_classes(p->g);
    const uint64_t n[2] = { count, count };
    float *z[2];
    for (int k = 0; k < 2; k++) {
        z[k] = calloc(count, sizeof(float));
        assert_non_null(z[k]);
        assert_int_equal(p->backend[k]->ops->predict(p->prog[k], b->list, z[k]), FTK_OK);
    }
    expect_both(p, "logits", z, n);
}

void pair_grad_input(struct backend_pair *p, const struct graph_batch *b)
{
    const uint64_t count = (uint64_t)b->b.count * graph_floats(&p->g->node[0]);
    const uint64_t n[2] = { count, count };
    float *d[2];
    for (int k = 0; k < 2; k++) {
        d[k] = calloc(count, sizeof(float));
        assert_non_null(d[k]);
        assert_int_equal(p->backend[k]->ops->grad_input(p->prog[k], b->list, d[k]), FTK_OK);
    }
    expect_both(p, "input gradient", d, n);
}

void pair_kept(struct backend_pair *p)
{
    for (uint32_t i = 0; i < p->g->n_sparse; i++) {
        const uint64_t count = graph_weights(p->g, graph_layer_node(p->g, i));
        const uint64_t n[2] = { count, count };
        float *v[2];
        for (int k = 0; k < 2; k++)
            v[k] = graph_gradient(p->backend[k], p->prog[k], p->g, i);
        expect_both(p, "kept gradient", v, n);
    }
}

void pair_stats(struct backend_pair *p)
{
    ftk_stats s[2] = { { .size = sizeof(ftk_stats) }, { .size = sizeof(ftk_stats) } };
    for (int k = 0; k < 2; k++) {
        ftk_stats *const list[] = { &s[k] };
        assert_int_equal(p->backend[k]->ops->sync(p->prog[k], list), FTK_OK);
    }
    assert_int_equal(s[0].samples, s[1].samples);
    assert_int_equal(s[0].bad_node, s[1].bad_node);
    assert_int_equal(s[0].bad_step, s[1].bad_step);
    const double far = s[0].loss_sum - s[1].loss_sum;
    if (!(far <= 1e-4 * s[1].loss_sum && -far <= 1e-4 * s[1].loss_sum))
        fail_msg("%s: loss %g, the oracle has %g", p->what, s[0].loss_sum, s[1].loss_sum);
}

void pair_step(struct backend_pair *p, const struct graph_batch *b, uint32_t flags)
{
    const ftk_hyper hy = graph_hyper(0.02, 0.9, 1e-3, flags);
    for (int k = 0; k < 2; k++)
        assert_int_equal(p->backend[k]->ops->step(p->prog[k], b->list, &hy), FTK_OK);
}

void pair_edit(struct backend_pair *p, uint32_t layer, uint64_t period, uint32_t flags)
{
    uint64_t n[2];
    uint64_t *on = graph_read(p->backend[1], p->prog[1], layer, FTK_ACTIVE, 0, 37, &n[0], NULL);
    uint64_t *off =
        graph_read(p->backend[1], p->prog[1], layer, FTK_INACTIVE, 0, 1000, &n[1], NULL);
    uint64_t drops = 0;
    for (uint64_t i = 0; i < n[0]; i += period)
        on[drops++] = on[i];
    const uint64_t grow = drops < n[1] ? drops : n[1];
    float *value = calloc(grow + 1, sizeof(*value));
    assert_non_null(value);
    for (uint64_t i = 0; i < grow; i++)
        value[i] = 0.25f;
    const ftk_change c = { .size = sizeof(c),
                           .flags = flags,
                           .drop = on,
                           .n_drop = drops,
                           .add = off,
                           .n_add = grow,
                           .value = value };
    for (int k = 0; k < 2; k++)
        assert_int_equal(p->backend[k]->ops->edit(p->prog[k], layer, &c), FTK_OK);
    free(value);
    free(on);
    free(off);
}

void pair_all(struct backend_pair *p, uint32_t count, uint32_t part, uint64_t seed)
{
    struct graph_batch *b[2] = { graph_batch_new(p->g, count, seed),
                                 graph_batch_new(p->g, part, seed + 1000) };
    pair_predict(p, b[0]);
    pair_grad_input(p, b[1]);
    pair_step(p, b[0], FTK_STEP_KEEP_GRAD);
    pair_kept(p);
    pair_arrays(p);
    pair_step(p, b[1], FTK_STEP_NESTEROV);
    pair_arrays(p);
    pair_predict(p, b[1]);
    pair_stats(p);
    graph_batch_free(b[0]);
    graph_batch_free(b[1]);
}
