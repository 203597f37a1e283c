/* SPDX-License-Identifier: MIT
 * train/network.c - a fresh network, and its state one whole array at a time.
 */
#include "train/network.h"

#include "base/rng.h"
#include "train/mask_file.h"
#include "train/weights.h"

static uint64_t tensor_count(const struct ftk__model *m, uint32_t node, uint32_t role)
{
    uint64_t dims[4];
    uint64_t n = 1;
    uint32_t n_dims = ftk__model_tensor_shape(m, node, role, dims);
    for (uint32_t i = 0; i < n_dims; i++)
        n *= dims[i];
    return n;
}

uint32_t ftk__network_layer_of(const struct ftk__network *n, uint32_t node, uint32_t role)
{
    if ((role & ~(uint32_t)(FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2)) != FTK_TENSOR_WEIGHT)
        return UINT32_MAX;
    for (uint32_t l = 0; l < n->model->n_layers; l++)
        if (n->model->layer_node[l] == node)
            return l;
    return UINT32_MAX;
}

/* Of a sparse layer's `n_active` values at `index` and an array of all entries, one from the
 * other. */
static void scatter(float *all, const uint64_t *index, const float *v, uint64_t n_active)
{
    for (uint64_t i = 0; i < n_active; i++)
        all[index[i]] = v[i];
}

static void gather(float *v, const uint64_t *index, const float *all, uint64_t n_active)
{
    for (uint64_t i = 0; i < n_active; i++)
        v[i] = all[index[i]];
}

ftk_status ftk__network_dense_tensor(struct ftk__network *n, uint32_t node, uint32_t role,
                                     float **ret, uint64_t *ret_n, struct ftk_error *reterr)
{
    uint32_t index;
    uint64_t stored;
    ftk_status st = ftk__engine_tensor(n->engine, node, role, &index, &stored, reterr);
    if (st < 0)
        return st;
    float *v;
    st = ftk__engine_get(n->engine, index, stored, &v, reterr);
    if (st < 0)
        return st;
    uint32_t plain = role & ~(uint32_t)(FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2);
    uint64_t all_n = tensor_count(n->model, node, plain);
    uint32_t layer = ftk__network_layer_of(n, node, role);
    if (layer == UINT32_MAX || stored == all_n) {
        *ret = v;
        *ret_n = all_n;
        return FTK_OK;
    }
    uint64_t *active = NULL;
    uint64_t n_active;
    float *all = ftk__alloc_array(all_n, sizeof(*all));
    if (!all)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for an array of %llu numbers",
                       (unsigned long long)all_n);
    else
        st = ftk__engine_active(n->engine, layer, &active, &n_active, reterr);
    if (st >= 0) {
        scatter(all, active, v, n_active);
        *ret = all;
        *ret_n = all_n;
        all = NULL;
    }
    ftk__free(all);
    ftk__free(active);
    ftk__free(v);
    return st;
}

ftk_status ftk__network_put_dense(struct ftk__network *n, uint32_t node, uint32_t role,
                                  const float *v, struct ftk_error *reterr)
{
    uint32_t index;
    uint64_t stored;
    ftk_status st = ftk__engine_tensor(n->engine, node, role, &index, &stored, reterr);
    if (st < 0)
        return st;
    uint32_t plain = role & ~(uint32_t)(FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2);
    uint32_t layer = ftk__network_layer_of(n, node, role);
    if (layer == UINT32_MAX || stored == tensor_count(n->model, node, plain))
        return ftk__engine_put(n->engine, index, stored, v, reterr);
    uint64_t *active;
    uint64_t n_active;
    st = ftk__engine_active(n->engine, layer, &active, &n_active, reterr);
    if (st < 0)
        return st;
    float *some = ftk__alloc_array(n_active, sizeof(*some));
    if (!some) {
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for %llu active weights",
                       (unsigned long long)n_active);
    } else {
        gather(some, active, v, n_active);
        st = ftk__engine_put(n->engine, index, n_active, some, reterr);
    }
    ftk__free(some);
    ftk__free(active);
    return st;
}

ftk_status ftk__network_each_tensor(struct ftk__network *n, ftk__tensor_fn visit, void *arg,
                                    struct ftk_error *reterr)
{
    for (uint32_t i = 0;; i++) {
        ftk_tensor t = { .size = sizeof(t) };
        ftk__engine_begin(n->engine);
        ftk_status st = n->engine->ops->tensor(n->engine->prog, i, &t);
        ftk_status ended = ftk__engine_end(n->engine, st, reterr);
        if (ended < 0)
            return ended;
        if (st == FTK_DONE)
            return FTK_OK;
        st = visit(n, i, &t, arg, reterr);
        if (st < 0)
            return st;
    }
}

ftk_status ftk__network_mask(struct ftk__network *n, uint32_t layer, const uint64_t *active,
                             uint64_t n_active, struct ftk_error *reterr)
{
    ftk__engine_begin(n->engine);
    ftk_status st = n->engine->ops->mask(n->engine->prog, layer, active, n_active);
    return ftk__engine_end(n->engine, st, reterr);
}

static bool is_moment(uint32_t role)
{
    return role & (FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2);
}

static ftk_status zero_moment(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                              void *arg, struct ftk_error *reterr)
{
    (void)arg;
    if (!is_moment(t->role) || t->n == 0)
        return FTK_OK;
    float *zero = ftk__alloc_array(t->n, sizeof(*zero));
    if (!zero)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to reset the optimiser");
    ftk_status st = ftk__engine_put(n->engine, index, t->n, zero, reterr);
    ftk__free(zero);
    return st;
}

ftk_status ftk__network_reset_optimiser(struct ftk__network *n, struct ftk_error *reterr)
{
    n->optim_from = n->t;
    return ftk__network_each_tensor(n, zero_moment, NULL, reterr);
}

struct fresh {
    uint32_t member;
    const struct ftk__st_file *file; /* model.weights, or NULL                   */
};

static ftk_status put_fresh(struct ftk__network *n, uint32_t index, const ftk_tensor *t, void *arg,
                            struct ftk_error *reterr)
{
    const struct fresh *fresh = arg;
    (void)index;
    if (is_moment(t->role))
        return FTK_OK;
    uint64_t count = tensor_count(n->model, t->node, t->role);
    float *v = ftk__alloc_array(count, sizeof(*v));
    if (!v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %llu fresh weights",
                         (unsigned long long)count);
    ftk_status st = FTK_OK;
    if (fresh->file) {
        st = ftk__weights_copy(fresh->file, n->model, t->node, t->role, v, count, reterr);
    } else {
        ftk_rng rng = ftk__rng_stream((uint64_t)n->x->seed, FTK__FOR_WEIGHTS, fresh->member,
                                      t->node, t->role);
        ftk__model_init_tensor(n->model, t->node, t->role, &rng, v, count);
    }
    if (st >= 0)
        st = ftk__network_put_dense(n, t->node, t->role, v, reterr);
    ftk__free(v);
    return st;
}

/* The masks of a sparse INIT: from the experiment's file, or by its init plugin. */
static ftk_status first_masks(struct ftk__network *n, uint32_t member, double density,
                              struct ftk_error *reterr)
{
    struct ftk__mask_file file;
    if (!(density > 0) || !ftk__init_is_file(n->x))
        return ftk__topology_init(n->topology, n->engine, member, density, reterr);
    ftk_status st = ftk__init_file_read(n->x, n->model, density, &file, reterr);
    if (st < 0)
        return st;
    st = ftk__topology_init_masks(n->topology, n->engine, file.mask, reterr);
    ftk__mask_file_done(&file);
    return st;
}

ftk_status ftk__network_init(struct ftk__network *n, uint32_t member, double density,
                             struct ftk_error *reterr)
{
    struct ftk__st_file file = { 0 };
    struct fresh fresh = { .member = member };
    ftk_status st = FTK_OK;
    if (n->x->weights[0]) {
        st = ftk__weights_open(n->x->weights, member, n->model, &file, reterr);
        fresh.file = &file;
    }
    if (st >= 0)
        st = first_masks(n, member, density, reterr);
    if (st >= 0)
        st = ftk__network_each_tensor(n, put_fresh, &fresh, reterr);
    n->t = 0;
    n->reseed = 0;
    if (st >= 0)
        st = ftk__network_reset_optimiser(n, reterr);
    ftk__st_close(&file);
    return st;
}
