/* SPDX-License-Identifier: MIT
 * program/cpu_run.c - step, predict, grad_input, sync.
 */
#include "program/cpu_prog.h"
#include <math.h>
#include <string.h>

void cpu_run_bad(struct cpu_run *r, uint32_t node)
{
    if (!r->judged && (r->bad_node == CPU_NONE || node < r->bad_node))
        r->bad_node = node;
}

static ftk_status check_batch(const ftk_prog *p, const ftk_batch *b)
{
    const ftk_host *h = p->host;
    if (!b || b->size < sizeof(*b))
        return h->fail(h, FTK_EABI, "a batch of %u bytes, expected %zu", b ? b->size : 0,
                       sizeof(*b));
    if (b->count == 0 || b->count > p->max_batch)
        return h->fail(h, FTK_ERANGE, "a batch of %u images, the model takes 1 to %u", b->count,
                       p->max_batch);
    if (b->heads != 1)
        return h->fail(h, FTK_ENOTSUP, "%u labels an image: this backend has 1", b->heads);
    if (b->flags & ~(uint32_t)FTK_BATCH_DROPOUT)
        return h->fail(h, FTK_EINVAL, "unknown batch flags %x", b->flags);
    if (!b->x)
        return h->fail(h, FTK_ENOTSUP, "a batch without images: this backend binds no data set");
    return FTK_OK;
}

static ftk_status begin(struct cpu_run *r, ftk_prog *p, const ftk_batch *const *b)
{
    const ftk_status st = check_batch(p, b[0]);
    if (st != FTK_OK)
        return st;
    r->p = p;
    r->b = b[0];
    r->bad_node = CPU_NONE;
    cpu_slices_set(&r->slices, r->b->count, p->kern->lanes);
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        p->nodes[i].dy_set = 0;
        p->nodes[i].masked = 0;
    }
    return FTK_OK;
}

static ftk_status check_hyper(const ftk_prog *p, const ftk_hyper *hy)
{
    const ftk_host *h = p->host;
    const uint32_t known =
        FTK_STEP_NESTEROV | FTK_STEP_KEEP_GRAD | FTK_STEP_NO_UPDATE | FTK_STEP_STATS_ONLY;
    if (!hy || hy->size < sizeof(*hy))
        return h->fail(h, FTK_EABI, "a hyper of %u bytes, expected %zu", hy ? hy->size : 0,
                       sizeof(*hy));
    if (hy->flags & ~known)
        return h->fail(h, FTK_EINVAL, "unknown step flags %x", hy->flags & ~known);
    if ((hy->flags & FTK_STEP_STATS_ONLY) &&
        (hy->flags & (FTK_STEP_KEEP_GRAD | FTK_STEP_NO_UPDATE)))
        return h->fail(h, FTK_EINVAL, "step flags %x: statistics alone leave no gradient",
                       hy->flags);
    if (p->optimiser != FTK_OPT_SGD) {
        const ftk_status st = cpu_check_adam(p, hy);
        if (st != FTK_OK)
            return st;
    }
    if (!isfinite(hy->lr) || !isfinite(hy->momentum) || !isfinite(hy->weight_decay))
        return h->fail(h, FTK_EINVAL, "lr %g, momentum %g, weight decay %g: not finite", hy->lr,
                       hy->momentum, hy->weight_decay);
    return FTK_OK;
}

/* A gradient that an earlier step kept is valid until this one. */
static void drop_grads(ftk_prog *p)
{
    for (uint32_t i = 0; i < p->n_layers; i++) {
        struct cpu_weights *w = &p->nodes[p->layers[i]].weights;
        p->host->free(p->host, w->grad);
        w->grad = NULL;
    }
}

static ftk_status run_step(struct cpu_run *r)
{
    ftk_prog *p = r->p;
    const uint32_t flags = r->hyper->flags;
    const int only_stats = (flags & FTK_STEP_STATS_ONLY) != 0;
    r->train = 1;
    r->dropout = 1;
    r->update = !(flags & FTK_STEP_NO_UPDATE);
    r->keep_grad = (flags & FTK_STEP_KEEP_GRAD) && !only_stats;
    ftk_status st = only_stats ? FTK_OK : cpu_loss_check(r);
    if (st != FTK_OK)
        return st;
    if (!r->keep_grad)
        drop_grads(p);
    st = cpu_forward(r);
    if (st == FTK_OK && !only_stats) {
        cpu_loss(r);
        r->judged = r->bad_node != CPU_NONE;
        st = cpu_backward(r);
    }
    if (st != FTK_OK)
        drop_grads(p);
    if (r->bad_node != CPU_NONE && p->stats.bad_node < 0) {
        p->stats.bad_node = (int32_t)r->bad_node;
        p->stats.bad_step = r->hyper->step;
    }
    return st;
}

ftk_status cpu_step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    struct cpu_run r = { .hyper = hy };
    ftk_status st = check_hyper(p, hy);
    if (st == FTK_OK)
        st = begin(&r, p, b);
    return st == FTK_OK ? run_step(&r) : st;
}

ftk_status cpu_predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit)
{
    struct cpu_run r = { 0 };
    ftk_status st = begin(&r, p, b);
    if (st != FTK_OK)
        return st;
    r.dropout = (r.b->flags & FTK_BATCH_DROPOUT) != 0;
    st = cpu_forward(&r);
    if (st == FTK_OK) {
        const struct cpu_node *logits = &p->nodes[p->nodes[p->n_nodes - 1].in[0]];
        cpu_lanes_store(p, logits->y, r.b->count, logits->elems, ret_logit);
    }
    return st;
}

ftk_status cpu_grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx)
{
    struct cpu_run r = { .to_input = 1 };
    ftk_status st = begin(&r, p, b);
    if (st == FTK_OK)
        st = cpu_loss_check(&r);
    if (st != FTK_OK)
        return st;
    st = cpu_forward(&r);
    if (st == FTK_OK) {
        cpu_loss(&r);
        st = cpu_backward(&r);
    }
    if (st == FTK_OK)
        cpu_lanes_store(p, p->nodes[0].dy, r.b->count, p->nodes[0].elems, ret_dx);
    return st;
}

ftk_status cpu_sync(ftk_prog *p, ftk_stats *const *ret)
{
    ftk_stats *s = ret[0];
    if (!s || s->size < sizeof(*s))
        return p->host->fail(p->host, FTK_EABI, "stats of %u bytes, expected %zu", s ? s->size : 0,
                             sizeof(*s));
    const uint32_t size = s->size;
    *s = p->stats;
    s->size = size;
    memset(&p->stats, 0, sizeof(p->stats));
    p->stats.bad_node = -1;
    return FTK_OK;
}
