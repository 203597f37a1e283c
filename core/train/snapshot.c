/* SPDX-License-Identifier: MIT
 * train/snapshot.c - a whole network copied out and put back: masks, arrays, topology, counters.
 *
 * Arrays are kept as the program holds them, a sparse layer's by its active entries, so a snapshot
 * costs what active weights cost.
 */
#include "train/snapshot_impl.h"

#include <string.h>

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

static ftk_status take_tensor(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                              void *arg, struct ftk_error *reterr)
{
    struct ftk__snapshot *s = arg;
    uint32_t i = s->n_tensors;
    struct ftk__kept_tensor *more = ftk__realloc_array(s->tensor, i, i + 1, sizeof(*more));
    if (!more)
        return no_memory(reterr);
    s->tensor = more;
    s->tensor[i].tensor = *t;
    s->n_tensors = i + 1;
    return ftk__engine_get(n->engine, index, t->n, &s->tensor[i].v, reterr);
}

static ftk_status take_topology(struct ftk__network *n, struct ftk__snapshot *s,
                                struct ftk_error *reterr)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    s->n_arrays = ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS);
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
        st = ftk__network_each_tensor(n, take_tensor, s, reterr);
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
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < s->n_layers && st >= 0; l++)
        st = ftk__network_mask(n, l, s->mask[l].active, s->mask[l].n, reterr);
    return st;
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
                     const struct ftk__kept_tensor *k, uint32_t layer)
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
        const struct ftk__kept_tensor *k = &s->tensor[i];
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

/* By node and role: the program may list its arrays in another order than the one they come from. */
static ftk_status put_tensor(const struct ftk__snapshot *s, struct ftk__network *n, uint32_t i,
                             bool keep_mask, struct ftk_error *reterr)
{
    const struct ftk__kept_tensor *k = &s->tensor[i];
    const ftk_tensor *t = &k->tensor;
    uint32_t layer = ftk__network_layer_of(n, t->node, t->role);
    uint32_t index;
    uint64_t stored;
    ftk_status st = ftk__engine_tensor(n->engine, t->node, t->role, &index, &stored, reterr);
    if (st < 0)
        return st;
    if (stored == t->n && (!keep_mask || layer == UINT32_MAX))
        return ftk__engine_put(n->engine, index, t->n, k->v, reterr);
    float *all = expand(s, n, k, layer);
    if (!all)
        return no_memory(reterr);
    st = ftk__network_put_dense(n, t->node, t->role, all, reterr);
    ftk__free(all);
    return st;
}

static void put_topology(const struct ftk__snapshot *s, struct ftk__network *n)
{
    struct ftk__topology_array live[FTK__TOPOLOGY_ARRAYS];
    uint32_t n_arrays = ftk__topology_arrays(n->topology, live, FTK__TOPOLOGY_ARRAYS);
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
