/* SPDX-License-Identifier: MIT
 * ref_topology.c - listing the candidates of a sparse layer and editing its active set.
 */
#include "ref.h"

struct ref_node *ref_layer(ftk_prog *p, uint32_t layer)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        if (p->node[i].n.sparse != 0 && seen++ == layer) {
            return &p->node[i];
        }
    }
    (void)p->host->fail(p->host, FTK_ERANGE, "layer %u: there are %u sparse layers", layer,
                        p->n_layers);
    return NULL;
}

ftk_status ref_check_ascending(const ftk_prog *p, const struct ref_node *n, const char *what,
                               const uint64_t *index, uint64_t count)
{
    const ftk_host *h = p->host;
    for (uint64_t k = 0; k < count; k++) {
        if (index[k] >= n->weight.n) {
            return h->fail(h, FTK_ERANGE, "layer '%s': %s index %llu is not below %llu", n->name,
                           what, (unsigned long long)index[k], (unsigned long long)n->weight.n);
        }
        if (k > 0 && index[k] <= index[k - 1]) {
            return h->fail(h, FTK_EINVAL, "layer '%s': %s index %llu follows %llu", n->name, what,
                           (unsigned long long)index[k], (unsigned long long)index[k - 1]);
        }
    }
    return FTK_OK;
}

static void free_candidates(ftk_prog *p)
{
    const ftk_host *h = p->host;
    h->free(h, p->cand_index);
    h->free(h, p->cand_weight);
    h->free(h, p->cand_grad);
    h->free(h, p->cand_moment);
    p->cand_index = NULL;
    p->cand_weight = NULL;
    p->cand_grad = NULL;
    p->cand_moment = NULL;
    p->cand_cap = 0;
}

/* Room for `cap` candidates in what read_*() lends. */
static ftk_status grow_candidates(ftk_prog *p, uint64_t cap)
{
    const ftk_host *h = p->host;
    if (cap <= p->cand_cap) {
        return FTK_OK;
    }
    free_candidates(p);
    p->cand_index = h->alloc(h, cap * sizeof(uint64_t));
    p->cand_weight = h->alloc(h, cap * sizeof(float));
    p->cand_grad = h->alloc(h, cap * sizeof(float));
    p->cand_moment = h->alloc(h, cap * sizeof(float));
    if (p->cand_index == NULL || p->cand_weight == NULL || p->cand_grad == NULL ||
        p->cand_moment == NULL) {
        free_candidates(p);
        return h->fail(h, FTK_ENOMEM, "no memory for %llu candidates", (unsigned long long)cap);
    }
    p->cand_cap = cap;
    return FTK_OK;
}

static ftk_status check_read(ftk_prog *p, const struct ref_node *n, uint32_t channels, uint64_t cap,
                             uint64_t cursor)
{
    const ftk_host *h = p->host;
    if ((channels & ~p->channels) != 0) {
        return h->fail(h, FTK_EINVAL, "channels 0x%x were not asked for in compile()",
                       channels & ~p->channels);
    }
    if ((channels & FTK_CH_GRAD) != 0 && !p->has_grad) {
        return h->fail(h, FTK_ESTATE, "the last step did not keep its gradient");
    }
    if (cap == 0) {
        return h->fail(h, FTK_EINVAL, "room for 0 candidates");
    }
    if (cursor > n->weight.n) {
        return h->fail(h, FTK_ERANGE, "layer '%s': cursor %llu is above %llu", n->name,
                       (unsigned long long)cursor, (unsigned long long)n->weight.n);
    }
    return FTK_OK;
}

/* Positions whose mask is `state`; the cursor is the flat position to look at next.  */
static ftk_status list_state(ftk_prog *p, uint32_t layer, uint8_t state, uint32_t channels,
                             uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    const struct ref_node *n = ref_layer(p, layer);
    if (n == NULL) {
        return FTK_ERANGE;
    }
    const struct ref_param *w = &n->weight;
    ftk_status st = check_read(p, n, channels, cap, *cursor);
    if (st == FTK_OK) {
        st = grow_candidates(p, cap < w->n - *cursor ? cap : w->n - *cursor);
    }
    if (st != FTK_OK) {
        return st;
    }
    uint64_t count = 0;
    uint64_t at = *cursor;
    for (; at < w->n && count < cap; at++) {
        if (w->mask[at] == state) {
            p->cand_index[count] = at;
            p->cand_weight[count] = w->value[at];
            p->cand_grad[count] = w->grad[at];
            p->cand_moment[count] = w->moment[at];
            count++;
        }
    }
    *cursor = at;
    *ret = (ftk_cand){ .size = sizeof(*ret),
                       .channels = channels,
                       .count = count,
                       .index = p->cand_index,
                       .weight = (channels & FTK_CH_WEIGHT) != 0 ? p->cand_weight : NULL,
                       .grad = (channels & FTK_CH_GRAD) != 0 ? p->cand_grad : NULL,
                       .momentum = (channels & FTK_CH_MOMENTUM) != 0 ? p->cand_moment : NULL };
    return FTK_OK;
}

ftk_status ref_read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                           uint64_t *cursor, ftk_cand *ret)
{
    return list_state(p, layer, 1, channels, cap, cursor, ret);
}

ftk_status ref_read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                             uint64_t *cursor, ftk_cand *ret)
{
    return list_state(p, layer, 0, channels, cap, cursor, ret);
}

/* Only active weights can go, only inactive ones or those that go can come. */
static ftk_status check_states(ftk_prog *p, const struct ref_node *n, const ftk_change *c)
{
    const ftk_host *h = p->host;
    const uint8_t *mask = n->weight.mask;
    uint64_t d = 0;
    for (uint64_t k = 0; k < c->n_drop; k++) {
        if (mask[c->drop[k]] == 0) {
            return h->fail(h, FTK_EINVAL, "layer '%s': weight %llu is dropped but not active",
                           n->name, (unsigned long long)c->drop[k]);
        }
    }
    for (uint64_t k = 0; k < c->n_add; k++) {
        while (d < c->n_drop && c->drop[d] < c->add[k]) {
            d++;
        }
        bool dropped = d < c->n_drop && c->drop[d] == c->add[k];
        if (mask[c->add[k]] != 0 && !dropped) {
            return h->fail(h, FTK_EINVAL, "layer '%s': weight %llu is added but already active",
                           n->name, (unsigned long long)c->add[k]);
        }
    }
    return FTK_OK;
}

static ftk_status check_change(ftk_prog *p, const struct ref_node *n, const ftk_change *c)
{
    const ftk_host *h = p->host;
    if (c->size < sizeof(*c)) {
        return h->fail(h, FTK_EINVAL, "the change has %u bytes, at least %zu are needed", c->size,
                       sizeof(*c));
    }
    if ((c->flags & ~(uint32_t)FTK_EDIT_KEEP_MOMENTUM) != 0) {
        return h->fail(h, FTK_EINVAL, "unknown edit flags 0x%x", c->flags);
    }
    ftk_status st = ref_check_ascending(p, n, "dropped", c->drop, c->n_drop);
    if (st == FTK_OK) {
        st = ref_check_ascending(p, n, "added", c->add, c->n_add);
    }
    return st == FTK_OK ? check_states(p, n, c) : st;
}

/* A dropped weight's velocity goes too, but with dense momentum inactive weights have one. */
ftk_status ref_edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
    struct ref_node *n = ref_layer(p, layer);
    if (n == NULL) {
        return FTK_ERANGE;
    }
    ftk_status st = check_change(p, n, c);
    if (st != FTK_OK) {
        return st;
    }
    struct ref_param *w = &n->weight;
    for (uint64_t k = 0; k < c->n_drop; k++) {
        w->mask[c->drop[k]] = 0;
        w->value[c->drop[k]] = 0.0f;
        if (!p->dense_momentum) {
            w->moment[c->drop[k]] = 0.0f;
        }
        if (w->moment2 != NULL) {
            w->moment2[c->drop[k]] = 0.0f;
        }
    }
    for (uint64_t k = 0; k < c->n_add; k++) {
        w->mask[c->add[k]] = 1;
        w->value[c->add[k]] = c->value != NULL ? c->value[k] : 0.0f;
        if ((c->flags & FTK_EDIT_KEEP_MOMENTUM) == 0) {
            w->moment[c->add[k]] = 0.0f;
        }
        if (w->moment2 != NULL && (c->flags & FTK_EDIT_KEEP_MOMENTUM) == 0) {
            w->moment2[c->add[k]] = 0.0f;
        }
    }
    w->nnz = w->nnz - c->n_drop + c->n_add;
    return FTK_OK;
}
