/* SPDX-License-Identifier: MIT
 * test_topology_presets.c - one update by each preset against what the published codes do.
 *
 * golden/prune_grow.json: 24 weights, 12 active, magnitude pruning and gradient growth, as the
 * codes' rules gave them in PyTorch ("freetickets", "itop"), and RigL's without its noise where
 * ties do not matter ("rigl").
 */
#include "base/json.h"
#include "topology_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 24 };

struct vector {
    const char *name;
    double p;
    uint64_t removed;
    float w[N], mask[N], grad[N], momentum[N];
    const json_t *object;
};

static bool floats(const json_t *object, const char *key, float ret[N])
{
    const json_t *v = json_object_get(object, key);
    if (!v)
        return false;
    assert_int_equal(json_array_size(v), N);
    for (size_t i = 0; i < N; i++)
        ret[i] = (float)json_number_value(json_array_get(v, i));
    return true;
}

static json_t *read_vectors(void)
{
    char path[4096];
    const char *dir = getenv("FTK_TEST_GOLDEN");
    struct ftk_error err;
    json_t *doc = NULL;
    (void)snprintf(path, sizeof(path), "%s/prune_grow.json", dir ? dir : "tests/golden");
    if (ftk__json_read_file(path, 1 << 20, &doc, &err) < 0)
        fail_msg("%s", err.message);
    return doc;
}

static struct vector vector_at(const json_t *doc, size_t i)
{
    struct vector v = { .object = json_array_get(doc, i) };
    v.name = json_string_value(json_object_get(v.object, "name"));
    v.p = json_number_value(json_object_get(v.object, "p"));
    v.removed = (uint64_t)json_integer_value(json_object_get(v.object, "removed"));
    assert_true(floats(v.object, "w", v.w) && floats(v.object, "mask", v.mask));
    assert_true(floats(v.object, "grad", v.grad) && floats(v.object, "momentum", v.momentum));
    return v;
}

/* The network of a vector, updated once by a preset. */
static void update(struct topology_case *c, enum ftk__preset preset, const struct vector *v)
{
    const uint64_t n = N;
    case_open(c, &n, 1, &case_init_uniform, &case_magnitude, &case_gradient, NULL);
    c->options = case_preset(preset);
    c->fake->dense_momentum = c->options.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
    case_start(c);
    case_init(c, 0.5, 1);
    struct fake_layer *l = &c->fake->layer[0];
    for (uint64_t i = 0; i < N; i++) {
        bool on = v->mask[i] > 0;
        fake_set_active(l, i, on);
        l->weight[i] = v->w[i];
        l->grad[i] = v->grad[i];
        l->momentum[i] = on || c->fake->dense_momentum ? v->momentum[i] : 0;
    }
    assert_int_equal(ftk__topology_sync(c->t, &c->fake->engine, &c->err), FTK_OK);
    if (case_update(c, v->p, 1000) < 0)
        fail_msg("%s: %s", v->name, c->err.message);
}

static void check(const struct topology_case *c, const struct vector *v, const char *mask_key,
                  const char *weight_key)
{
    const struct fake_layer *l = &c->fake->layer[0];
    float mask[N], w[N];
    assert_true(floats(v->object, mask_key, mask) && floats(v->object, weight_key, w));
    for (uint64_t i = 0; i < N; i++) {
        if (fake_active(l, i) != (mask[i] > 0) || l->weight[i] != w[i])
            fail_msg("%s: weight %u is %g (%d), not %g (%g)", v->name, (unsigned)i,
                     (double)l->weight[i], fake_active(l, i), (double)w[i], (double)mask[i]);
    }
}

static void freetickets_is_as_published(void **state)
{
    (void)state;
    json_t *doc = read_vectors();
    for (size_t i = 0; i < json_array_size(doc); i++) {
        struct vector v = vector_at(doc, i);
        struct topology_case c;
        float momentum[N];
        update(&c, FTK__PRESET_FREETICKETS, &v);
        check(&c, &v, "mask_after_grow", "freetickets_w");
        assert_int_equal(c.report.dropped, v.removed);
        assert_true(floats(v.object, "freetickets_momentum", momentum));
        for (uint64_t k = 0; k < N; k++)
            assert_true(c.fake->layer[0].momentum[k] == momentum[k]);
        case_close(&c);
    }
    json_decref(doc);
}

static void itop_is_as_published(void **state)
{
    (void)state;
    json_t *doc = read_vectors();
    for (size_t i = 0; i < json_array_size(doc); i++) {
        struct vector v = vector_at(doc, i);
        struct topology_case c;
        update(&c, FTK__PRESET_ITOP, &v);
        check(&c, &v, "mask_after_grow", "itop_w");
        // What stayed or came back keeps its momentum, all else has none.
        for (uint64_t k = 0; k < N; k++) {
            bool kept = fake_active(&c.fake->layer[0], k) && v.mask[k] > 0;
            assert_true(c.fake->layer[0].momentum[k] == (kept ? v.momentum[k] : 0));
        }
        case_close(&c);
    }
    json_decref(doc);
}

static void rigl_is_as_published(void **state)
{
    (void)state;
    json_t *doc = read_vectors();
    unsigned done = 0;
    for (size_t i = 0; i < json_array_size(doc); i++) {
        struct vector v = vector_at(doc, i);
        struct topology_case c;
        if (!json_object_get(v.object, "rigl_mask"))
            continue;
        update(&c, FTK__PRESET_RIGL, &v);
        check(&c, &v, "rigl_mask", "rigl_w");
        case_close(&c);
        done++;
    }
    assert_int_equal(done, 3);
    json_decref(doc);
}

/* By hand: exactly ceil(p nnz) go, ties to the lower index, everything grown starts at 0. */
static void paper_is_exact(void **state)
{
    (void)state;
    json_t *doc = read_vectors();
    for (size_t i = 0; i < json_array_size(doc); i++) {
        struct vector v = vector_at(doc, i);
        struct topology_case c;
        update(&c, FTK__PRESET_PAPER, &v);
        uint64_t k = (uint64_t)(v.p * 12 + 0.999);
        const struct fake_layer *l = &c.fake->layer[0];
        assert_int_equal(c.report.dropped, k);
        assert_int_equal(c.report.grown, k);
        assert_int_equal(c.report.nnz, 12);
        uint64_t kept = 0, anew = 0;
        for (uint64_t j = 0; j < N; j++) {
            bool stays = fake_active(l, j) && v.mask[j] > 0 && l->weight[j] == v.w[j];
            kept += stays && v.w[j] != 0;
            anew += fake_active(l, j) && l->weight[j] == 0 && l->momentum[j] == 0;
        }
        if (strncmp(v.name, "active_zeros", 12) != 0) {
            assert_int_equal(kept, 12 - k);
            assert_int_equal(anew, k);
        }
        case_close(&c);
    }
    json_decref(doc);
}

/* A layer that a sparse INIT made dense. */
static void dense_layers_are_exempt_or_refilled(void **state)
{
    (void)state;
    for (unsigned preset = FTK__PRESET_PAPER; preset <= FTK__PRESET_ITOP; preset++) {
        const uint64_t n[2] = { 40, 400 };
        const struct ftk__density_override full = { "layer0", 1 };
        struct topology_case c;
        case_open(&c, n, 2, &case_init_uniform, &case_magnitude, &case_gradient, NULL);
        c.options = case_preset((enum ftk__preset)preset);
        c.fake->dense_momentum = c.options.inactive_momentum == FTK__INACTIVE_ACCUMULATE;
        c.setup.overrides = &full;
        c.setup.n_overrides = 1;
        case_start(&c);
        case_init(&c, 0.5, 1);
        for (uint64_t i = 0; i < 40; i++)
            c.fake->layer[0].weight[i] = (float)(i + 1);
        assert_int_equal(case_update(&c, 0.25, 1000), FTK_OK);
        uint64_t zeros = 0;
        for (uint64_t i = 0; i < 40; i++)
            zeros += c.fake->layer[0].weight[i] == 0;
        assert_int_equal(c.fake->layer[0].nnz, 40);
        // freetickets zeroes the smallest quarter; itop keeps the values of what comes back.
        assert_int_equal(zeros, preset == FTK__PRESET_FREETICKETS ? 10 : 0);
        bool exempt = c.options.dense_layers == FTK__DENSE_EXEMPT;
        uint64_t other = c.fake->layer[1].nnz;
        assert_true(c.report.dropped >= (exempt ? other / 4 : other / 4 + 10));
        case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freetickets_is_as_published),
        cmocka_unit_test(itop_is_as_published),
        cmocka_unit_test(rigl_is_as_published),
        cmocka_unit_test(paper_is_exact),
        cmocka_unit_test(dense_layers_are_exempt_or_refilled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
