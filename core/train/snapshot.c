/* SPDX-License-Identifier: MIT
 * train/snapshot.c - a whole network copied out and put back: masks, arrays, topology, counters.
 *
 * Arrays are kept as the program holds them, a sparse layer's by its active entries, so a snapshot
 * costs what active weights cost.
 */
#include "train/network.h"

#include <string.h>

enum { MAX_TOPOLOGY_ARRAYS = 64 };

struct kept_tensor {
    ftk_tensor tensor;
    float *v; // [tensor.n]
};
struct kept_mask {
    uint64_t *active; // [n]
    uint64_t n;
};
struct ftk__snapshot {
    uint64_t t, optim_from;
    uint32_t reseed;
    struct kept_mask *mask; // [n_layers]
    uint32_t n_layers;
    struct kept_tensor *tensor; // [n_tensors]
    uint32_t n_tensors;
    void **array; // [n_arrays] of the topology
    uint32_t n_arrays;
};

void ftk__snapshot_free(struct ftk__snapshot *s)
{
    if (!s)
        return;
    for (uint32_t l = 0; s->mask && l < s->n_layers; l++)
        ftk__free(s->mask[l].active);
    for (uint32_t i = 0; i < s->n_tensors; i++)
        ftk__free(s->tensor[i].v);
    for (uint32_t i = 0; s->array && i < s->n_arrays; i++)
        ftk__free(s->array[i]);
    ftk__free(s->mask);
    ftk__free(s->tensor);
    ftk__free(s->array);
    ftk__free(s);
}

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a copy of the network");
}

static ftk_status take_masks(struct ftk__network *n, struct ftk__snapshot *s,
                             struct ftk_error *reterr)
{
    s->n_layers = n->model->n_layers;
    s->mask = ftk__alloc_array(s->n_layers, sizeof(*s->mask));
    if (!s->mask)
        return no_memory(reterr);
    for (uint32_t l = 0; l < s->n_layers; l++) {
        ftk_status st = ftk__engine_active(n->engine, l, &s->mask[l].active, &s->mask[l].n, reterr);
        if (st < 0)
            return st;
    }
    return FTK_OK;
}

static ftk_status take_tensor(struct ftk__network *n, struct ftk__snapshot *s, const ftk_tensor *t,
                              struct ftk_error *reterr)
{
    uint32_t i = s->n_tensors;
    struct kept_tensor *more = ftk__realloc_array(s->tensor, i, i + 1, sizeof(*more));
    if (!more)
        return no_memory(reterr);
    s->tensor = more;
    s->tensor[i].tensor = *t;
    s->n_tensors = i + 1;
    return ftk__engine_get(n->engine, i, t->n, &s->tensor[i].v, reterr);
}

static ftk_status take_tensors(struct ftk__network *n, struct ftk__snapshot *s,
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
        st = take_tensor(n, s, &t, reterr);
        if (st < 0)
            return st;
    }
}

static ftk_status take_topology(struct ftk__network *n, struct ftk__snapshot *s,
                                struct ftk_error *reterr)
{
    struct ftk__topology_array live[MAX_TOPOLOGY_ARRAYS];
    s->n_arrays = ftk__topology_arrays(n->topology, live, MAX_TOPOLOGY_ARRAYS);
    s->array = ftk__alloc_array(s->n_arrays, sizeof(*s->array));
    if (!s->array)
        return no_memory(reterr);
    for (uint32_t i = 0; i < s->n_arrays; i++) {
        s->array[i] = ftk__alloc(live[i].bytes);
        if (!s->array[i])
            return no_memory(reterr);
        memcpy(s->array[i], live[i].data, live[i].bytes);
    }
    return FTK_OK;
}

ftk_status ftk__snapshot_take(struct ftk__network *n, struct ftk__snapshot **ret,
                              struct ftk_error *reterr)
{
    struct ftk__snapshot *s = ftk__alloc(sizeof(*s));
    if (!s)
        return no_memory(reterr);
    s->t = n->t;
    s->optim_from = n->optim_from;
    s->reseed = n->reseed;
    ftk_status st = take_masks(n, s, reterr);
    if (st >= 0)
        st = take_tensors(n, s, reterr);
    if (st >= 0)
        st = take_topology(n, s, reterr);
    if (st < 0)
        ftk__snapshot_free(s);
    else
        *ret = s;
    return st;
}

static ftk_status put_masks(const struct ftk__snapshot *s, struct ftk__network *n,
                            struct ftk_error *reterr)
{
    for (uint32_t l = 0; l < s->n_layers; l++) {
        ftk__engine_begin(n->engine);
        ftk_status st = n->engine->ops->mask(n->engine->prog, l, s->mask[l].active, s->mask[l].n);
        st = ftk__engine_end(n->engine, st, reterr);
        if (st < 0)
            return st;
    }
    return FTK_OK;
}

const uint64_t *ftk__snapshot_active(const struct ftk__snapshot *s, uint32_t layer, uint64_t *ret_n)
{
    *ret_n = s->mask[layer].n;
    return s->mask[layer].active;
}

uint64_t ftk__snapshot_step(const struct ftk__snapshot *s)
{
    return s->t;
}

/* Kept values as an array of all entries; `layer`: the sparse one, or UINT32_MAX. */
static float *expand(const struct ftk__snapshot *s, const struct ftk__network *n,
                     const struct kept_tensor *k, uint32_t layer)
{
    uint64_t all_n = layer == UINT32_MAX ? k->tensor.n : n->model->layers[layer].n;
    float *all = ftk__alloc_array(all_n, sizeof(*all));
    if (!all)
        return NULL;
    if (k->tensor.n == all_n)
        memcpy(all, k->v, all_n * sizeof(*all));
    else
        for (uint64_t i = 0; i < k->tensor.n; i++)
            all[s->mask[layer].active[i]] = k->v[i];
    return all;
}

ftk_status ftk__snapshot_dense_tensor(const struct ftk__snapshot *s, const struct ftk__network *n,
                                      uint32_t node, uint32_t role, float **ret, uint64_t *ret_n,
                                      struct ftk_error *reterr)
{
    uint32_t layer = ftk__network_layer_of(n, node, role);
    for (uint32_t i = 0; i < s->n_tensors; i++) {
        const struct kept_tensor *k = &s->tensor[i];
        if (k->tensor.node != node || k->tensor.role != role)
            continue;
        float *all = expand(s, n, k, layer);
        if (!all)
            return no_memory(reterr);
        *ret = all;
        *ret_n = layer == UINT32_MAX ? k->tensor.n : n->model->layers[layer].n;
        return FTK_OK;
    }
    return ftk__fail(reterr, FTK_EINTERNAL, "the copy has no array %u of node %u", role, node);
}

static ftk_status put_tensor(const struct ftk__snapshot *s, struct ftk__network *n, uint32_t i,
                             bool keep_mask, struct ftk_error *reterr)
{
    const struct kept_tensor *k = &s->tensor[i];
    uint32_t layer = ftk__network_layer_of(n, k->tensor.node, k->tensor.role);
    if (!keep_mask || layer == UINT32_MAX)
        return ftk__engine_put(n->engine, i, k->tensor.n, k->v, reterr);
    float *all = expand(s, n, k, layer);
    if (!all)
        return no_memory(reterr);
    ftk_status st = ftk__network_put_dense(n, k->tensor.node, k->tensor.role, all, reterr);
    ftk__free(all);
    return st;
}

static void put_topology(const struct ftk__snapshot *s, struct ftk__network *n)
{
    struct ftk__topology_array live[MAX_TOPOLOGY_ARRAYS];
    uint32_t n_arrays = ftk__topology_arrays(n->topology, live, MAX_TOPOLOGY_ARRAYS);
    for (uint32_t i = 0; i < n_arrays; i++)
        memcpy(live[i].data, s->array[i], live[i].bytes);
}

ftk_status ftk__snapshot_restore(const struct ftk__snapshot *s, struct ftk__network *n,
                                 bool keep_mask, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    if (!keep_mask)
        st = put_masks(s, n, reterr);
    for (uint32_t i = 0; i < s->n_tensors && st >= 0; i++)
        st = put_tensor(s, n, i, keep_mask, reterr);
    if (st < 0)
        return st;
    put_topology(s, n);
    n->t = s->t;
    n->optim_from = s->optim_from;
    n->reseed = s->reseed;
    return ftk__topology_sync(n->topology, n->engine, reterr);
}
