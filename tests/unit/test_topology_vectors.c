/* SPDX-License-Identifier: MIT
 * test_topology_vectors.c - one update by each published dialect in real backends: weights, masks
 * and the momentum that stays, comes or goes.
 *
 * The 24 weights of golden/prune_grow.json are a linear layer with one output, whose gradient is
 * its input times one number: the vector's gradient is the input.  A large bias keeps the ReLU
 * after it open.
 */
#include "base/json.h"
#include "cli/evaluate.h"
#include "train/network.h"
#include "train/trainer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 24, HIDDEN_BIAS = 100 };

static const struct dialect {
    const char *name; /* of the test                                  */
    const char *preset, *backend;
    const char *mask, *weight; /* keys of the vectors                          */
    const char *momentum;      /* NULL: what stayed keeps its own, all else has none */
    unsigned vectors;          /* that have the keys                           */
} dialects[] = {
    { "freetickets on ref", "freetickets", "ref", "mask_after_grow", "freetickets_w",
      "freetickets_momentum", 5 },
    { "freetickets on cpu", "freetickets", "cpu", "mask_after_grow", "freetickets_w",
      "freetickets_momentum", 5 },
    { "itop on ref", "itop", "ref", "mask_after_grow", "itop_w", NULL, 5 },
    { "itop on cpu", "itop", "cpu", "mask_after_grow", "itop_w", NULL, 5 },
    { "rigl on ref", "rigl", "ref", "rigl_mask", "rigl_w", NULL, 3 },
    { "rigl on cpu", "rigl", "cpu", "rigl_mask", "rigl_w", NULL, 3 },
};
enum { DIALECTS = sizeof(dialects) / sizeof(dialects[0]) };

struct vector_case {
    struct ftk__prepared p;
    struct ftk__rules rules;
    struct ftk__arena arena;
    struct ftk__engine engine;
    struct ftk__network net;
    uint32_t node; /* of the layer                                 */
};

static void check(ftk_status st, const struct ftk_error *err)
{
    if (st < 0)
        fail_msg("%s", err->message);
}

static bool floats(const json_t *v, const char *key, float ret[N])
{
    const json_t *list = json_object_get(v, key);
    if (!list)
        return false;
    assert_int_equal(json_array_size(list), N);
    for (size_t i = 0; i < N; i++)
        ret[i] = (float)json_number_value(json_array_get(list, i));
    return true;
}

static json_t *read_vectors(void)
{
    char path[4096];
    const char *dir = getenv("FTK_TEST_GOLDEN");
    struct ftk_error err = { 0 };
    json_t *doc = NULL;
    (void)snprintf(path, sizeof(path), "%s/prune_grow.json", dir ? dir : "tests/golden");
    check(ftk__json_read_file(path, 1 << 20, &doc, &err), &err);
    return doc;
}

static void open_case(struct vector_case *c, const struct dialect *d)
{
    char text[600];
    const struct ftk__options none = { 0 };
    const char *plugins = getenv("FTK_TEST_PLUGINS");
    struct ftk__issues issues = { 0 };
    struct ftk_error err = { 0 };
    *c = (struct vector_case){ .node = UINT32_MAX };
    assert_non_null(plugins);
    setenv("FREETICKETS_PLUGIN_PATH", plugins, 1);
    (void)snprintf(text, sizeof(text),
                   "schema = 1; epochs = 1.0;"
                   "data = { use = \"synthetic\"; shape = [1, 4, 6]; classes = 2; batch = 1; };"
                   "model = { use = \"mlp\"; widths = [1]; };"
                   "sparsity = { density = 0.5; dense = [\"fc2\"]; };"
                   "topology = { preset = \"%s\"; };"
                   "ensemble = { use = \"dst\"; keep = \"last\"; };"
                   "backend = { use = \"%s\"; threads = 1; };",
                   d->preset, d->backend);
    if (ftk__prepare_text("vector.cfg", text, &none, &issues, &c->p, &err) < 0)
        fail_msg("%s %s", err.message, issues.n ? issues.v[0].message : "");
    ftk__issues_done(&issues);
    check(ftk__rules_init(c->p.x, &c->rules, &err), &err);
    check(ftk__rules_topology(c->p.x, c->p.model, &c->rules, &c->arena, &c->net.topology, &err),
          &err);
    check(ftk__run_engine(&c->p, &c->engine, &err), &err);
    check(ftk__train_compile(c->p.x, c->p.model, FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM,
                             &c->engine, &err),
          &err);
    c->net.x = c->p.x;
    c->net.model = c->p.model;
    c->net.engine = &c->engine;
    check(ftk__topology_init(c->net.topology, &c->engine, 0, 0.5, &err), &err);
    assert_int_equal(c->p.model->n_layers, 1);
    c->node = c->p.model->layer_node[0];
}

static void close_case(struct vector_case *c)
{
    ftk__topology_free(c->net.topology);
    ftk__engine_close(&c->engine);
    ftk__rules_done(&c->rules);
    ftk__arena_done(&c->arena);
    ftk__prepared_done(&c->p);
}

static void put(struct vector_case *c, uint32_t node, uint32_t role, const float *v)
{
    struct ftk_error err = { 0 };
    check(ftk__network_put_dense(&c->net, node, role, v, &err), &err);
}

/* Masks, weights and momentum before the update; then a step that only leaves the gradient. */
static void load(struct vector_case *c, const json_t *v)
{
    const float open[1] = { HIDDEN_BIAS };
    const float out[2] = { 0.001f, -0.001f }; /* small: a saturated loss has no gradient */
    const float zero[2] = { 0, 0 };
    float mask[N], w[N], grad[N], momentum[N];
    uint64_t active[N];
    uint64_t n = 0;
    struct ftk_error err = { 0 };
    struct ftk__engine *e = &c->engine;
    assert_true(floats(v, "mask", mask) && floats(v, "w", w));
    assert_true(floats(v, "grad", grad) && floats(v, "momentum", momentum));
    for (uint64_t i = 0; i < N; i++) {
        if (mask[i] > 0)
            active[n++] = i;
    }
    ftk__engine_begin(e);
    check(ftk__engine_end(e, e->ops->mask(e->prog, 0, active, n), &err), &err);
    check(ftk__topology_sync(c->net.topology, e, &err), &err);
    put(c, c->node, FTK_TENSOR_WEIGHT, w);
    put(c, c->node, FTK_TENSOR_WEIGHT | FTK_TENSOR_MOMENT1, momentum);
    put(c, c->node, FTK_TENSOR_BIAS, open);
    const uint32_t last = c->p.model->n_nodes - 2; /* before the loss */
    put(c, last, FTK_TENSOR_WEIGHT, out);
    put(c, last, FTK_TENSOR_BIAS, zero);
    const int32_t label = 0;
    const ftk_batch b = { .size = sizeof(b), .count = 1, .heads = 1, .x = grad, .y = &label };
    const ftk_batch *list[1] = { &b };
    const ftk_hyper hyper = { .size = sizeof(hyper),
                              .flags = FTK_STEP_NO_UPDATE | FTK_STEP_KEEP_GRAD,
                              .step = 1 };
    ftk__engine_begin(e);
    check(ftk__engine_end(e, e->ops->step(e->prog, list, &hyper), &err), &err);
}

static void update(struct vector_case *c, const json_t *v)
{
    const struct ftk__topology_event ev = {
        .step = 1000,
        .rate = json_number_value(json_object_get(v, "p")),
    };
    struct ftk__topology_report report;
    struct ftk_error err = { 0 };
    check(ftk__topology_update(c->net.topology, &c->engine, &ev, &report, &err), &err);
}

static void compare(struct vector_case *c, uint32_t role, const char *name, const char *what,
                    const float want[N])
{
    struct ftk_error err = { 0 };
    float *have;
    uint64_t n;
    check(ftk__network_dense_tensor(&c->net, c->node, role, &have, &n, &err), &err);
    assert_int_equal(n, N);
    for (uint64_t i = 0; i < N; i++) {
        if (have[i] != want[i]) /* -0 equals 0 */
            fail_msg("%s: %s %u is %.9g, not %.9g", name, what, (unsigned)i, (double)have[i],
                     (double)want[i]);
    }
    ftk__free(have);
}

static void compare_mask(struct vector_case *c, const char *name, const float mask[N])
{
    struct ftk_error err = { 0 };
    uint64_t *active;
    uint64_t n;
    uint64_t at = 0;
    check(ftk__engine_active(&c->engine, 0, &active, &n, &err), &err);
    for (uint64_t i = 0; i < N; i++) {
        bool on = at < n && active[at] == i;
        at += on;
        if (on != (mask[i] > 0))
            fail_msg("%s: weight %u is %s", name, (unsigned)i, on ? "active" : "inactive");
    }
    assert_int_equal(at, n);
    ftk__free(active);
}

static void a_dialect_is_as_published(void **state)
{
    const struct dialect *d = *state;
    struct vector_case c;
    json_t *doc = read_vectors();
    unsigned done = 0;
    open_case(&c, d);
    for (size_t i = 0; i < json_array_size(doc); i++) {
        const json_t *v = json_array_get(doc, i);
        const char *name = json_string_value(json_object_get(v, "name"));
        float mask[N], before[N], w[N], momentum[N];
        if (!floats(v, d->mask, mask) || !floats(v, d->weight, w))
            continue;
        assert_true(floats(v, "mask", before));
        assert_true(floats(v, d->momentum ? d->momentum : "momentum", momentum));
        for (uint64_t k = 0; k < N && !d->momentum; k++) {
            if (!(before[k] > 0 && mask[k] > 0))
                momentum[k] = 0;
        }
        load(&c, v);
        update(&c, v);
        compare_mask(&c, name, mask);
        compare(&c, FTK_TENSOR_WEIGHT, name, "weight", w);
        compare(&c, FTK_TENSOR_WEIGHT | FTK_TENSOR_MOMENT1, name, "momentum", momentum);
        done++;
    }
    assert_int_equal(done, d->vectors);
    close_case(&c);
    json_decref(doc);
}

int main(void)
{
    struct CMUnitTest tests[DIALECTS];
    for (size_t i = 0; i < DIALECTS; i++) {
        tests[i] = (struct CMUnitTest){ dialects[i].name, a_dialect_is_as_published, NULL, NULL,
                                        (void *)&dialects[i] };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
