/* SPDX-License-Identifier: MIT
 * conform/scene.c - the network's layers, masks and values.
 */
#include "conform/scene.h"
#include "base/rng.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define NEVER_ACTIVE UINT32_MAX /* its age, as the core gives it */

static const float odd_values[] = { 0.0f,    -0.0f,    1e-40f, -1e-40f, FLT_MAX, -FLT_MAX,
                                    FLT_MIN, -FLT_MIN, 1.0f,   -1.0f,   1e-45f,  3.0e38f };
static const float tied_values[] = { 0.0f, -0.0f, 0.5f, -0.5f, 0.25f, -2.0f, 2.0f };

static float draw(ftk_rng *r, enum ftk__scene_values values)
{
    switch (values) {
    case FTK__VALUES_TIES:
        return tied_values[ftk__rng_below(r, sizeof(tied_values) / sizeof(float))];
    case FTK__VALUES_ODD:
        return odd_values[ftk__rng_below(r, sizeof(odd_values) / sizeof(float))];
    default:
        return (float)ftk__rng_normal(r);
    }
}

void ftk__scene_fill(struct ftk__scene *s, uint64_t seed, enum ftk__scene_values values)
{
    for (uint32_t k = 0; k < s->n_layers; k++) {
        struct ftk__scene_layer *l = &s->l[k];
        ftk_rng r = { { seed, k + UINT64_C(1) }, 0 };
        for (uint64_t i = 0; i < l->layer.n; i++) {
            l->weight[i] = draw(&r, values);
            l->grad[i] = draw(&r, values);
            l->momentum[i] = draw(&r, values);
            l->age[i] = (uint32_t)ftk__rng_below(&r, 9);
            l->fired[i] = l->active[i] || ftk__rng_below(&r, 3) == 0;
            if (!l->fired[i])
                l->age[i] = NEVER_ACTIVE;
        }
    }
}

/* What is active has an age and has fired. */
static void settle_ages(struct ftk__scene_layer *l)
{
    for (uint64_t i = 0; i < l->layer.n; i++) {
        if (!l->active[i])
            continue;
        l->fired[i] = 1;
        if (l->age[i] == NEVER_ACTIVE)
            l->age[i] = 0;
    }
}

void ftk__scene_mask(struct ftk__scene_layer *l, uint64_t nnz, uint64_t seed)
{
    ftk_rng r = { { seed, 77 }, 0 };
    uint64_t n = l->layer.n;
    memset(l->active, 0, n);
    /* Floyd's sample. */
    for (uint64_t j = n - nnz; j < n; j++) {
        uint64_t at = ftk__rng_below(&r, j + 1);
        l->active[l->active[at] ? j : at] = 1;
    }
    l->layer.nnz = nnz;
    settle_ages(l);
}

static void new_layer(struct ftk__case *c, struct ftk__scene_layer *l, uint32_t index, uint64_t n)
{
    ftk__format(l->name, sizeof(l->name), "%c%u", (char)('a' + index % 26), index / 26);
    if (index < 26)
        l->name[1] = '\0';
    l->layer = (ftk_layer){
        .size = sizeof(l->layer),
        .type = FTK_LAYER_LINEAR,
        .index = index,
        .shape = { (uint32_t)n, 1, 1, 1 },
        .n = n,
        .name = l->name,
    };
    l->active = ftk__kit_alloc(c, n + 1, 1);
    l->weight = ftk__kit_alloc(c, n, sizeof(float));
    l->grad = ftk__kit_alloc(c, n, sizeof(float));
    l->momentum = ftk__kit_alloc(c, n, sizeof(float));
    l->age = ftk__kit_alloc(c, n, sizeof(uint32_t));
    l->fired = ftk__kit_alloc(c, n, 1);
    l->list = ftk__kit_alloc(c, n, sizeof(uint64_t));
}

void ftk__scene_new(struct ftk__case *c, const struct ftk__scene_shape *shape, uint64_t seed,
                    struct ftk__scene *ret)
{
    ret->n_layers = shape->n_layers;
    ret->l = ftk__kit_alloc(c, shape->n_layers, sizeof(*ret->l));
    for (uint32_t k = 0; k < shape->n_layers; k++) {
        struct ftk__scene_layer *l = &ret->l[k];
        double density = shape->density ? shape->density[k] : 0.4;
        new_layer(c, l, k, shape->n[k]);
        l->layer.density_target = density;
        ftk__scene_mask(l, (uint64_t)llround(density * (double)shape->n[k]), seed + k);
    }
    ret->l[0].layer.role |= FTK_ROLE_FIRST;
    ret->l[shape->n_layers - 1].layer.role |= FTK_ROLE_LAST;
    ftk__scene_fill(ret, seed, FTK__VALUES_PLAIN);
}

void ftk__scene_small(struct ftk__case *c, uint64_t seed, struct ftk__scene *ret)
{
    static const uint64_t n[] = { 1003, 64, 7 };
    const struct ftk__scene_shape shape = { .n = n, .n_layers = 3 };
    ftk__scene_new(c, &shape, seed, ret);
    ret->l[0].layer.shape[0] = 17;
    ret->l[0].layer.shape[1] = 59;
    ret->l[1].layer.type = FTK_LAYER_CONV2D;
    ret->l[1].layer.shape[0] = 4;
    ret->l[1].layer.shape[1] = 4;
    ret->l[1].layer.shape[2] = 2;
    ret->l[1].layer.shape[3] = 2;
}

const uint64_t *ftk__scene_list(struct ftk__scene_layer *l, uint32_t which, uint64_t *ret_n)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < l->layer.n; i++)
        if (l->active[i] == (which == FTK_ACTIVE))
            l->list[n++] = i;
    *ret_n = n;
    return l->list;
}

static const float *floats(const char *name, const float *from, const uint64_t *list, uint64_t n,
                           const struct ftk__how *how)
{
    float *v = ftk__guard_new(name, n * sizeof(*v), sizeof(*v), how->side, 0);
    for (uint64_t i = 0; i < n; i++)
        v[i] = from[list[i]];
    ftk__guard_read_only(v);
    return v;
}

static const uint64_t *positions(const uint64_t *list, uint64_t n, const struct ftk__how *how)
{
    uint64_t *v = ftk__guard_new("index", n * sizeof(*v), sizeof(*v), how->side, 0);
    if (n > 0)
        memcpy(v, list, n * sizeof(*v));
    ftk__guard_read_only(v);
    return v;
}

static const uint32_t *ages(const struct ftk__scene_layer *l, const uint64_t *list, uint64_t n,
                            const struct ftk__how *how)
{
    uint32_t *v = ftk__guard_new("age", n * sizeof(*v), sizeof(*v), how->side, 0);
    for (uint64_t i = 0; i < n; i++)
        v[i] = l->age[list[i]];
    ftk__guard_read_only(v);
    return v;
}

static const uint8_t *fired(const struct ftk__scene_layer *l, const uint64_t *list, uint64_t n,
                            const struct ftk__how *how)
{
    uint8_t *v = ftk__guard_new("fired", n, 1, how->side, 0);
    for (uint64_t i = 0; i < n; i++)
        v[i] = l->fired[list[i]];
    ftk__guard_read_only(v);
    return v;
}

ftk_cand *ftk__scene_cand(struct ftk__scene_layer *l, const uint64_t *list, uint64_t from,
                          uint64_t count, uint32_t channels, const struct ftk__how *how)
{
    const uint64_t *at = list + from;
    ftk_cand c = { .size = sizeof(c), .channels = channels, .count = count };
    c.index = positions(at, count, how);
    if (channels & FTK_CH_WEIGHT)
        c.weight = floats("weight", l->weight, at, count, how);
    if (channels & FTK_CH_GRAD)
        c.grad = floats("grad", l->grad, at, count, how);
    if (channels & FTK_CH_MOMENTUM)
        c.momentum = floats("momentum", l->momentum, at, count, how);
    if (channels & FTK_CH_AGE)
        c.age = ages(l, at, count, how);
    if (channels & FTK_CH_FIRED)
        c.fired = fired(l, at, count, how);
    return ftk__kit_struct("candidates", &c, sizeof(c), how, false);
}

const ftk_layer *ftk__scene_layer(const struct ftk__scene_layer *l, const struct ftk__how *how)
{
    return ftk__kit_struct("layer", &l->layer, sizeof(l->layer), how, false);
}

ftk_update *ftk__scene_update(uint64_t round, uint64_t layer, const struct ftk__how *how,
                              void *state)
{
    const ftk_update u = {
        .size = sizeof(u),
        .step = 100 * (round + 1),
        .nth = round,
        .rate = 0.3,
        .rng = { { UINT64_C(0x9e3779b97f4a7c15) ^ how->stream, 1000 * layer + round }, 0 },
        .state = state,
    };
    return ftk__kit_struct("update", &u, sizeof(u), how, true);
}
