/* SPDX-License-Identifier: MIT
 * program/cpu_state.c - the canonical state: named arrays, and a layer's active set.
 */
#include "program/cpu_prog.h"
#include <string.h>

ftk_status cpu_tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    if (i >= p->n_tensors)
        return FTK_DONE;
    const ftk_tensor *t = &p->tensors[i];
    const struct cpu_node *n = &p->nodes[t->node];
    const uint32_t array = t->role & ~(uint32_t)(FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2);
    if (ret->size < sizeof(*ret))
        return p->host->fail(p->host, FTK_EABI, "a tensor of %u bytes, expected %zu", ret->size,
                             sizeof(*ret));
    ret->role = t->role;
    ret->node = t->node;
    ret->member = 0;
    if (array == FTK_TENSOR_WEIGHT && cpu_is_matmul(n))
        ret->n = t->role != array && n->weights.m_all ? n->weights.n : n->weights.nnz;
    else
        ret->n = array == FTK_TENSOR_BIAS ? n->bias.n : n->shape[0];
    return FTK_OK;
}

/* A tensor that is a plain array. */
static float *plain_array(const struct cpu_node *n, uint32_t role)
{
    switch (role) {
    case FTK_TENSOR_WEIGHT:
        return n->gamma.w;
    case FTK_TENSOR_BIAS:
        return n->bias.w;
    case FTK_TENSOR_BN_MEAN:
        return n->bn_mean;
    case FTK_TENSOR_BN_VAR:
        return n->bn_var;
    case FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT:
        return n->gamma.m ? n->gamma.m : n->weights.m_all;
    case FTK_TENSOR_MOMENT2 | FTK_TENSOR_WEIGHT:
        return n->gamma.m2;
    case FTK_TENSOR_MOMENT2 | FTK_TENSOR_BIAS:
        return n->bias.m2;
    default:
        return n->bias.m;
    }
}

/* Which array of a weight it is. */
static enum cpu_array array_of(uint32_t role)
{
    if (role == FTK_TENSOR_WEIGHT)
        return CPU_ARRAY_W;
    return role & FTK_TENSOR_MOMENT2 ? CPU_ARRAY_M2 : CPU_ARRAY_M;
}

static ftk_status find_tensor(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n,
                              struct cpu_node **ret_node)
{
    ftk_tensor t = { .size = sizeof(t) };
    const ftk_host *h = p->host;
    if (cpu_tensor(p, i, &t) != FTK_OK)
        return h->fail(h, FTK_ERANGE, "tensor %u of %u", i, p->n_tensors);
    if (from > t.n || n > t.n - from)
        return h->fail(h, FTK_ERANGE, "floats %llu to %llu of a tensor of %llu",
                       (unsigned long long)from, (unsigned long long)(from + n),
                       (unsigned long long)t.n);
    *ret_node = &p->nodes[t.node];
    return FTK_OK;
}

ftk_status cpu_get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
    struct cpu_node *node = NULL;
    const ftk_status st = find_tensor(p, i, from, n, &node);
    if (st != FTK_OK)
        return st;
    const uint32_t role = p->tensors[i].role;
    const float *array = plain_array(node, role);
    if (array)
        memcpy(ret, array + from, n * sizeof(*ret));
    else
        cpu_weights_get(&node->weights, array_of(role), from, n, ret);
    return FTK_OK;
}

ftk_status cpu_put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v)
{
    struct cpu_node *node = NULL;
    const ftk_status st = find_tensor(p, i, from, n, &node);
    if (st != FTK_OK)
        return st;
    const uint32_t role = p->tensors[i].role;
    float *array = plain_array(node, role);
    if (array)
        memcpy(array + from, v, n * sizeof(*v));
    else
        cpu_weights_put(&node->weights, array_of(role), from, n, v);
    return FTK_OK;
}

ftk_status cpu_mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    const ftk_host *h = p->host;
    if (layer >= p->n_layers)
        return h->fail(h, FTK_ERANGE, "layer %u of %u", layer, p->n_layers);
    struct cpu_node *node = &p->nodes[p->layers[layer]];
    struct cpu_weights *w = &node->weights;
    uint64_t *bits = h->alloc(h, (w->n + 63) / 64 * sizeof(*bits));
    if (!bits)
        return h->fail(h, FTK_ENOMEM, "layer '%s': no memory for a mask", node->name);
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i < n && st == FTK_OK; i++) {
        if (active[i] >= w->n || (i && active[i] <= active[i - 1]))
            st = h->fail(h, FTK_ERANGE, "layer '%s': index %llu is not ascending below %llu",
                         node->name, (unsigned long long)active[i], (unsigned long long)w->n);
        else
            bits[active[i] / 64] |= UINT64_C(1) << active[i] % 64;
    }
    if (st == FTK_OK) {
        st = cpu_prog_assign(p, node, bits, n, NULL, NULL, NULL);
        if (st == FTK_ENOMEM)
            h->fail(h, st, "layer '%s': no memory for %llu weights", node->name,
                    (unsigned long long)n);
    }
    if (st == FTK_OK && w->m_all)
        memset(w->m_all, 0, w->n * sizeof(*w->m_all));
    h->free(h, bits);
    return st;
}
