/* SPDX-License-Identifier: MIT
 * program/cpu_topology.c - read a layer's candidates in flat order, and edit its active set.
 */
#include "program/cpu_prog.h"
#include <string.h>

static ftk_status check_read(const ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap)
{
    const ftk_host *h = p->host;
    if (layer >= p->n_layers)
        return h->fail(h, FTK_ERANGE, "layer %u of %u", layer, p->n_layers);
    if (cap == 0)
        return h->fail(h, FTK_ERANGE, "a read of 0 candidates");
    const struct cpu_node *n = &p->nodes[p->layers[layer]];
    if (channels & ~(uint32_t)(FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM))
        return h->fail(h, FTK_EINVAL, "layer '%s': channels %x are not a backend's", n->name,
                       channels);
    if ((channels & FTK_CH_GRAD) && !n->weights.grad)
        return h->fail(h, FTK_ESTATE, "layer '%s': the last step kept no gradient", n->name);
    return FTK_OK;
}

/* Values of an array over all entries. */
static void pick(const float *all, const uint64_t *index, uint64_t n, float *ret)
{
    for (uint64_t i = 0; i < n; i++)
        ret[i] = all[index[i]];
}

static ftk_status read_set(ftk_prog *p, uint32_t layer, int active, uint32_t channels, uint64_t cap,
                           uint64_t *cursor, ftk_cand *ret)
{
    const ftk_status st = check_read(p, layer, channels, cap);
    if (st != FTK_OK)
        return st;
    const struct cpu_weights *w = &p->nodes[p->layers[layer]].weights;
    float *value[3];
    memcpy(value, p->read_value, sizeof(value));
    const uint64_t most = cap < CPU_READ_CAP ? cap : CPU_READ_CAP;
    const uint64_t n = cpu_weights_scan(w, active, *cursor, most, p->read_index);
    const uint64_t from = active && n ? cpu_weights_rank(w, p->read_index[0]) : 0;
    if (n && (channels & FTK_CH_WEIGHT)) {
        if (active)
            cpu_weights_get(w, CPU_ARRAY_W, from, n, value[0]);
        else
            memset(value[0], 0, n * sizeof(float));
    }
    if (n && (channels & FTK_CH_GRAD))
        pick(w->grad, p->read_index, n, value[1]);
    if (n && (channels & FTK_CH_MOMENTUM)) {
        if (w->m_all)
            pick(w->m_all, p->read_index, n, value[2]);
        else if (active)
            cpu_weights_get(w, CPU_ARRAY_M, from, n, value[2]);
        else
            memset(value[2], 0, n * sizeof(float));
    }
    ret->channels = channels;
    ret->count = n;
    ret->index = p->read_index;
    ret->weight = channels & FTK_CH_WEIGHT ? value[0] : NULL;
    ret->grad = channels & FTK_CH_GRAD ? value[1] : NULL;
    ret->momentum = channels & FTK_CH_MOMENTUM ? value[2] : NULL;
    ret->age = NULL;
    ret->fired = NULL;
    if (n)
        *cursor = p->read_index[n - 1] + 1;
    return FTK_OK;
}

ftk_status cpu_read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                           uint64_t *cursor, ftk_cand *ret)
{
    return read_set(p, layer, 1, channels, cap, cursor, ret);
}

ftk_status cpu_read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                             uint64_t *cursor, ftk_cand *ret)
{
    return read_set(p, layer, 0, channels, cap, cursor, ret);
}

static ftk_status check_list(const ftk_prog *p, const struct cpu_node *n, const uint64_t *list,
                             uint64_t count, const char *what)
{
    for (uint64_t i = 0; i < count; i++) {
        if (list[i] >= n->weights.n || (i && list[i] <= list[i - 1]))
            return p->host->fail(
                p->host, FTK_ERANGE, "layer '%s': %s index %llu is not ascending below %llu",
                n->name, what, (unsigned long long)list[i], (unsigned long long)n->weights.n);
    }
    return FTK_OK;
}

/* Both lists ascend; drops must be active, additions inactive or dropped too. */
static ftk_status check_change(const ftk_prog *p, const struct cpu_node *n, const ftk_change *c)
{
    const ftk_host *h = p->host;
    ftk_status st = check_list(p, n, c->drop, c->n_drop, "dropped");
    if (st == FTK_OK)
        st = check_list(p, n, c->add, c->n_add, "added");
    if (st != FTK_OK)
        return st;
    for (uint64_t i = 0; i < c->n_drop; i++) {
        if (!cpu_weights_active(&n->weights, c->drop[i]))
            return h->fail(h, FTK_ESTATE, "layer '%s': dropped index %llu is not active", n->name,
                           (unsigned long long)c->drop[i]);
    }
    uint64_t d = 0;
    for (uint64_t i = 0; i < c->n_add; i++) {
        while (d < c->n_drop && c->drop[d] < c->add[i])
            d++;
        const int dropped = d < c->n_drop && c->drop[d] == c->add[i];
        if (!dropped && cpu_weights_active(&n->weights, c->add[i]))
            return h->fail(h, FTK_ESTATE, "layer '%s': added index %llu is active", n->name,
                           (unsigned long long)c->add[i]);
    }
    return FTK_OK;
}

/* A layer's arrays by rank, before and after an edit. */
struct merged {
    uint64_t *bits;
    float *old_w, *old_m, *old_m2, *w, *m, *m2;
    uint64_t nnz;
};

static void merged_free(const ftk_host *h, struct merged *e)
{
    h->free(h, e->bits);
    h->free(h, e->old_w);
    h->free(h, e->old_m);
    h->free(h, e->w);
    h->free(h, e->m);
    h->free(h, e->old_m2);
    h->free(h, e->m2);
}

static ftk_status merged_alloc(const ftk_host *h, const struct cpu_weights *x, const ftk_change *c,
                               struct merged *e)
{
    const uint64_t words = (x->n + 63) / 64;
    e->nnz = x->nnz - c->n_drop + c->n_add;
    e->bits = h->alloc(h, words * sizeof(*e->bits));
    e->old_w = h->alloc(h, (x->nnz + 1) * sizeof(float));
    e->old_m = h->alloc(h, (x->nnz + 1) * sizeof(float));
    e->w = h->alloc(h, (e->nnz + 1) * sizeof(float));
    e->m = h->alloc(h, (e->nnz + 1) * sizeof(float));
    e->old_m2 = h->alloc(h, (x->nnz + 1) * sizeof(float));
    e->m2 = h->alloc(h, (e->nnz + 1) * sizeof(float));
    if (!e->bits || !e->old_w || !e->old_m || !e->w || !e->m || !e->old_m2 || !e->m2)
        return FTK_ENOMEM;
    memcpy(e->bits, x->bits, words * sizeof(*e->bits));
    cpu_weights_get(x, CPU_ARRAY_W, 0, x->nnz, e->old_w);
    if (x->m)
        cpu_weights_get(x, CPU_ARRAY_M, 0, x->nnz, e->old_m);
    if (x->m2)
        cpu_weights_get(x, CPU_ARRAY_M2, 0, x->nnz, e->old_m2);
    return FTK_OK;
}

/* What stays and what is added, merged in flat order; what stays keeps value and momentum. */
static void merge(const struct cpu_weights *x, const ftk_change *c, struct merged *e)
{
    const uint64_t end = UINT64_MAX;
    uint64_t add = 0;
    uint64_t drop = 0;
    uint64_t to = 0;
    uint64_t flat = 0;
    for (uint64_t rank = 0; rank <= x->nnz; rank++, flat++) {
        if (rank == x->nnz || cpu_weights_scan(x, 1, flat, 1, &flat) == 0)
            flat = end;
        for (; add < c->n_add && c->add[add] < flat; add++)
            e->w[to++] = c->value ? c->value[add] : 0;
        if (flat == end)
            break;
        const int dropped = drop < c->n_drop && c->drop[drop] == flat;
        drop += (uint64_t)dropped;
        if (dropped)
            continue;
        e->w[to] = e->old_w[rank];
        e->m[to] = e->old_m[rank];
        e->m2[to++] = e->old_m2[rank];
    }
    for (uint64_t i = 0; i < c->n_drop; i++)
        e->bits[c->drop[i] / 64] &= ~(UINT64_C(1) << c->drop[i] % 64);
    for (uint64_t i = 0; i < c->n_add; i++)
        e->bits[c->add[i] / 64] |= UINT64_C(1) << c->add[i] % 64;
}

/* With momentum of all entries, what grows starts at 0 unless it is to keep what was gathered; what
 * is dropped goes on gathering. */
static void reset_momentum(struct cpu_weights *x, const ftk_change *c)
{
    if (!x->m_all || (c->flags & FTK_EDIT_KEEP_MOMENTUM))
        return;
    for (uint64_t i = 0; i < c->n_add; i++)
        x->m_all[c->add[i]] = 0;
}

ftk_status cpu_edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
    const ftk_host *h = p->host;
    struct merged e = { 0 };
    if (layer >= p->n_layers)
        return h->fail(h, FTK_ERANGE, "layer %u of %u", layer, p->n_layers);
    if (c->size < sizeof(*c) || (c->flags & ~(uint32_t)FTK_EDIT_KEEP_MOMENTUM))
        return h->fail(h, FTK_EINVAL, "a change of %u bytes with flags %x", c->size, c->flags);
    struct cpu_node *n = &p->nodes[p->layers[layer]];
    ftk_status st = check_change(p, n, c);
    if (st != FTK_OK)
        return st;
    st = merged_alloc(h, &n->weights, c, &e);
    if (st == FTK_OK) {
        merge(&n->weights, c, &e);
        st = cpu_prog_assign(p, n, e.bits, e.nnz, e.w, e.m, e.m2);
    }
    merged_free(h, &e);
    if (st == FTK_OK)
        reset_momentum(&n->weights, c);
    if (st == FTK_ENOMEM)
        return h->fail(h, st, "layer '%s': no memory to change %llu weights", n->name,
                       (unsigned long long)(c->n_drop + c->n_add));
    return st;
}
