/* SPDX-License-Identifier: MIT
 * ref_prog.c - from a list of nodes to a program: memory, and nothing cleverer.
 */
#include <stdio.h>
#include <string.h>

#include "ref.h"

ftk_status ref_supports(ftk_dev *d, const ftk_node *n)
{
    return ref_check_node(d->host, n, 0);
}

/* [n][m] elements of `bytes`, zeroed, or NULL; `*ok` turns false on failure and stays so. */
static void *array(ftk_prog *p, bool *ok, uint64_t n, uint64_t m, uint64_t bytes)
{
    uint64_t total = 0;
    if (!*ok || !ref_mul(n, m, &total) || !ref_mul(total, bytes, &total) || total > SIZE_MAX) {
        *ok = false;
        return NULL;
    }
    void *a = p->host->alloc(p->host, (size_t)total);
    *ok = a != NULL;
    return a;
}

static bool param_new(ftk_prog *p, struct ref_param *w, uint64_t n, bool sparse, bool decay)
{
    bool ok = true;
    w->n = n;
    w->nnz = n;
    w->decay = decay;
    w->value = array(p, &ok, n, 1, sizeof(float));
    w->grad = array(p, &ok, n, 1, sizeof(float));
    w->moment = array(p, &ok, n, 1, sizeof(float));
    if (p->optimiser != FTK_OPT_SGD) {
        w->moment2 = array(p, &ok, n, 1, sizeof(float));
    }
    if (sparse) {
        w->mask = array(p, &ok, n, 1, sizeof(uint8_t));
    }
    if (ok && sparse) {
        memset(w->mask, 1, n);
    }
    return ok;
}

/* Entries of the node's weight, 0 if it has none; UINT64_MAX where that does not fit. */
static uint64_t weight_count(ftk_prog *p, const struct ref_node *n)
{
    uint64_t count = 0;
    bool fits = true;
    switch (n->n.op) {
    case FTK_NODE_LINEAR: // [out][in]
        fits = ref_mul(n->n.out_shape[0], ref_in(p, n, 0)->floats, &count);
        break;
    case FTK_NODE_CONV2D: // [out][in][kernel height][kernel width]
        count = (uint64_t)n->n.out_shape[0] * ref_in(p, n, 0)->n.out_shape[0];
        fits = ref_mul(count, n->n.kernel[0], &count) && ref_mul(count, n->n.kernel[1], &count);
        break;
    case FTK_NODE_BATCHNORM:
        count = n->n.out_shape[0];
        break;
    default:
        break;
    }
    return fits ? count : UINT64_MAX;
}

static bool params_new(ftk_prog *p, struct ref_node *n)
{
    bool decay = (n->n.flags & FTK_NODE_NO_DECAY) == 0;
    bool decay_bias = decay && (n->n.flags & FTK_NODE_NO_DECAY_BIAS) == 0;
    uint64_t count = weight_count(p, n);
    bool bias = count > 0 && (n->n.op == FTK_NODE_BATCHNORM || (n->n.flags & FTK_NODE_BIAS) != 0);
    return (count == 0 || param_new(p, &n->weight, count, n->n.sparse != 0, decay)) &&
           (!bias || param_new(p, &n->bias, n->n.out_shape[0], false, decay_bias));
}

static bool node_new(ftk_prog *p, uint32_t i, const ftk_node *from)
{
    struct ref_node *n = &p->node[i];
    bool ok = true;
    n->n = *from;
    n->index = i;
    (void)snprintf(n->name, sizeof(n->name), "%s", from->name != NULL ? from->name : "");
    n->n.name = n->name;
    if (n->n.op == FTK_NODE_XENT) {
        return true; /* a loss is no array */
    }
    n->floats = n->n.out_shape[0] * ref_area(n);
    n->out = array(p, &ok, p->max_batch, n->floats, sizeof(float));
    n->dout = array(p, &ok, p->max_batch, n->floats, sizeof(float));
    if (n->n.op == FTK_NODE_MAXPOOL) {
        n->choice = array(p, &ok, p->max_batch, n->floats, sizeof(uint32_t));
    }
    if (n->n.op == FTK_NODE_DROPOUT) {
        n->keep = array(p, &ok, p->max_batch, n->floats, sizeof(uint8_t));
    }
    if (n->n.op == FTK_NODE_BATCHNORM) {
        n->run_mean = array(p, &ok, n->n.out_shape[0], 1, sizeof(float));
        n->run_var = array(p, &ok, n->n.out_shape[0], 1, sizeof(float));
        n->mean = array(p, &ok, n->n.out_shape[0], 1, sizeof(double));
        n->scale = array(p, &ok, n->n.out_shape[0], 1, sizeof(double));
    }
    return ok && params_new(p, n);
}

static bool fill(ftk_prog *p, const ftk_build *b)
{
    bool ok = true;
    uint64_t largest = 0;
    p->node = array(p, &ok, b->n_nodes, 1, sizeof(*p->node));
    for (uint32_t i = 0; ok && i < b->n_nodes; i++) {
        p->n_nodes = i + 1;
        ok = node_new(p, i, b->nodes[i]);
        p->n_layers += b->nodes[i]->sparse;
        largest = p->node[i].floats > largest ? p->node[i].floats : largest;
    }
    p->plane = array(p, &ok, largest, 1, sizeof(double));
    return ok;
}

static ftk_status check_build(const ftk_host *h, const ftk_build *b)
{
    const uint32_t channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM;
    if (b->max_batch == 0) {
        return h->fail(h, FTK_EINVAL, "max_batch is 0");
    }
    if (b->members != 1) {
        return h->fail(h, FTK_ENOTSUP, "%u members: ref runs 1 at a time", b->members);
    }
    if (b->optimiser < FTK_OPT_SGD || b->optimiser > FTK_OPT_ADAMW) {
        return h->fail(h, FTK_ENOTSUP, "optimiser %u: ref has SGD, Adam and AdamW", b->optimiser);
    }
    if (b->optimiser != FTK_OPT_SGD && (b->flags & FTK_BUILD_DENSE_MOMENTUM) != 0) {
        return h->fail(h, FTK_ENOTSUP, "momentum of inactive weights goes with SGD only");
    }
    if ((b->channels & ~channels) != 0) {
        return h->fail(h, FTK_EINVAL, "unknown channels 0x%x", b->channels & ~channels);
    }
    if ((b->flags & ~(uint32_t)FTK_BUILD_DENSE_MOMENTUM) != 0) {
        return h->fail(h, FTK_EINVAL, "unknown build flags 0x%x", b->flags);
    }
    return ref_check_graph(h, b);
}

ftk_status ref_compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    const ftk_host *h = d->host;
    ftk_status st = check_build(h, b);
    if (st != FTK_OK) {
        return st;
    }
    ftk_prog *p = h->alloc(h, sizeof(*p));
    if (p == NULL) {
        return h->fail(h, FTK_ENOMEM, "no memory for a program");
    }
    p->host = h;
    p->max_batch = b->max_batch;
    p->channels = b->channels;
    p->optimiser = b->optimiser;
    p->dense_momentum = (b->flags & FTK_BUILD_DENSE_MOMENTUM) != 0;
    p->stats.bad_node = -1;
    if (!fill(p, b)) {
        ref_release(p);
        return h->fail(h, FTK_ENOMEM, "no memory for %u nodes and batches of %u", b->n_nodes,
                       b->max_batch);
    }
    *ret = p;
    return FTK_OK;
}

static void param_free(const ftk_host *h, struct ref_param *w)
{
    h->free(h, w->value);
    h->free(h, w->grad);
    h->free(h, w->moment);
    h->free(h, w->moment2);
    h->free(h, w->mask);
}

static void node_free(const ftk_host *h, struct ref_node *n)
{
    h->free(h, n->out);
    h->free(h, n->dout);
    h->free(h, n->choice);
    h->free(h, n->keep);
    h->free(h, n->run_mean);
    h->free(h, n->run_var);
    h->free(h, n->mean);
    h->free(h, n->scale);
    param_free(h, &n->weight);
    param_free(h, &n->bias);
}

void ref_release(ftk_prog *p)
{
    if (p == NULL) {
        return;
    }
    const ftk_host *h = p->host;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        node_free(h, &p->node[i]);
    }
    h->free(h, p->node);
    h->free(h, p->plane);
    h->free(h, p->cand_index);
    h->free(h, p->cand_weight);
    h->free(h, p->cand_grad);
    h->free(h, p->cand_moment);
    h->free(h, p);
}
