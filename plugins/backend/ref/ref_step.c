/* SPDX-License-Identifier: MIT
 * ref_step.c - running a program: forward, backward, update.
 */
#include <math.h>
#include <string.h>

#include "ref.h"

static const struct ref_op {
    ref_run_fn forward, backward;
} ops[] = {
    [FTK_NODE_LINEAR] = { ref_linear_forward, ref_linear_backward },
    [FTK_NODE_CONV2D] = { ref_conv_forward, ref_conv_backward },
    [FTK_NODE_BATCHNORM] = { ref_norm_forward, ref_norm_backward },
    [FTK_NODE_RELU] = { ref_relu_forward, ref_relu_backward },
    [FTK_NODE_ADD] = { ref_add_forward, ref_add_backward },
    [FTK_NODE_MAXPOOL] = { ref_maxpool_forward, ref_maxpool_backward },
    [FTK_NODE_AVGPOOL] = { ref_avgpool_forward, ref_avgpool_backward },
    [FTK_NODE_DROPOUT] = { ref_dropout_forward, ref_dropout_backward },
    [FTK_NODE_XENT] = { ref_xent_forward, ref_xent_backward },
    [FTK_NODE_FLATTEN] = { ref_flatten_forward, ref_flatten_backward },
    [FTK_NODE_CONCAT] = { ref_concat_forward, ref_concat_backward },
    [FTK_NODE_PAD_CHANNELS] = { ref_pad_forward, ref_pad_backward },
};

static struct ref_node *logit_node(ftk_prog *p)
{
    return ref_in(p, &p->node[p->n_nodes - 1], 0);
}

/* All nodes but the loss. */
static void forward(ftk_prog *p, const struct ref_pass *pass)
{
    struct ref_node *input = &p->node[0];
    memcpy(input->out, pass->batch->x, pass->count * input->floats * sizeof(float));
    for (uint32_t i = 1; i < p->n_nodes - 1; i++) {
        ops[p->node[i].n.op].forward(p, &p->node[i], pass);
    }
}

/* The loss, and the gradients of everything. */
static void backward(ftk_prog *p, const struct ref_pass *pass)
{
    struct ref_node *loss = &p->node[p->n_nodes - 1];
    ops[FTK_NODE_XENT].forward(p, loss, pass);
    for (uint32_t i = 0; i < p->n_nodes - 1; i++) {
        memset(p->node[i].dout, 0, pass->count * p->node[i].floats * sizeof(float));
    }
    for (uint32_t i = p->n_nodes - 1; i > 0; i--) {
        ops[p->node[i].n.op].backward(p, &p->node[i], pass);
    }
}

static bool all_finite(const float *v, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) {
            return false;
        }
    }
    return true;
}

/* First node whose output is not finite, -1: none. */
static int32_t bad_output(const ftk_prog *p, uint32_t count)
{
    for (uint32_t i = 0; i < p->n_nodes - 1; i++) {
        if (!all_finite(p->node[i].out, count * p->node[i].floats)) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* The loss, else the first node with a gradient that is not finite, -1: none. */
static int32_t bad_gradient(const ftk_prog *p)
{
    if (!isfinite(p->loss_sum)) {
        return (int32_t)p->n_nodes - 1;
    }
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const struct ref_node *n = &p->node[i];
        if (!all_finite(n->weight.grad, n->weight.n) || !all_finite(n->bias.grad, n->bias.n)) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* The first bad step since the last sync is the one to tell. */
static void note_bad(ftk_prog *p, int32_t node, uint64_t step)
{
    if (p->stats.bad_node < 0 && node >= 0) {
        p->stats.bad_node = node;
        p->stats.bad_step = step;
    }
}

static ftk_status check_labels(ftk_prog *p, const ftk_batch *b)
{
    const ftk_host *h = p->host;
    uint64_t classes = logit_node(p)->floats;
    if (b->y == NULL) {
        return h->fail(h, FTK_EINVAL, "the batch has no labels");
    }
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->y[i] < 0 || (uint64_t)b->y[i] >= classes) {
            return h->fail(h, FTK_EINVAL, "label %d of sample %u is not below %llu", b->y[i], i,
                           (unsigned long long)classes);
        }
    }
    return FTK_OK;
}

static ftk_status check_batch(ftk_prog *p, const ftk_batch *b, bool labels)
{
    const ftk_host *h = p->host;
    if (b->size < sizeof(*b)) {
        return h->fail(h, FTK_EINVAL, "the batch has %u bytes, at least %zu are needed", b->size,
                       sizeof(*b));
    }
    if (b->count == 0 || b->count > p->max_batch) {
        return h->fail(h, FTK_ERANGE, "a batch of %u is not within 1 and %u", b->count,
                       p->max_batch);
    }
    if (b->heads != 1) {
        return h->fail(h, FTK_ENOTSUP, "%u heads: ref has 1", b->heads);
    }
    if ((b->flags & ~(uint32_t)FTK_BATCH_DROPOUT) != 0) {
        return h->fail(h, FTK_EINVAL, "unknown batch flags 0x%x", b->flags);
    }
    if (b->x == NULL) {
        return h->fail(h, FTK_ENOTSUP, "the batch has no images, and ref has no bind()");
    }
    return labels ? check_labels(p, b) : FTK_OK;
}

static ftk_status check_hyper(ftk_prog *p, const ftk_hyper *hy)
{
    const ftk_host *h = p->host;
    const uint32_t known =
        FTK_STEP_NESTEROV | FTK_STEP_KEEP_GRAD | FTK_STEP_NO_UPDATE | FTK_STEP_STATS_ONLY;
    if (hy->size < sizeof(*hy)) {
        return h->fail(h, FTK_EINVAL, "hyper has %u bytes, at least %zu are needed", hy->size,
                       sizeof(*hy));
    }
    if ((hy->flags & ~known) != 0) {
        return h->fail(h, FTK_EINVAL, "unknown step flags 0x%x", hy->flags & ~known);
    }
    if ((hy->flags & FTK_STEP_STATS_ONLY) != 0 &&
        (hy->flags & (FTK_STEP_KEEP_GRAD | FTK_STEP_NO_UPDATE)) != 0) {
        return h->fail(h, FTK_EINVAL, "STATS_ONLY goes neither with KEEP_GRAD nor NO_UPDATE");
    }
    if (p->optimiser != FTK_OPT_SGD) {
        ftk_status st = ref_check_adam(p, hy);
        if (st != FTK_OK) {
            return st;
        }
    }
    if (!isfinite(hy->lr) || !isfinite(hy->momentum) || !isfinite(hy->weight_decay)) {
        return h->fail(h, FTK_EINVAL, "lr %g, momentum %g, weight decay %g: not finite", hy->lr,
                       hy->momentum, hy->weight_decay);
    }
    return FTK_OK;
}

ftk_status ref_step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    bool stats_only = (hy->flags & FTK_STEP_STATS_ONLY) != 0;
    bool no_update = (hy->flags & FTK_STEP_NO_UPDATE) != 0;
    bool keep = (hy->flags & FTK_STEP_KEEP_GRAD) != 0;
    ftk_status st = check_hyper(p, hy);
    if (st == FTK_OK) {
        st = check_batch(p, b[0], !stats_only);
    }
    if (st != FTK_OK) {
        return st;
    }
    const struct ref_pass pass = { .batch = b[0],
                                   .count = b[0]->count,
                                   .batch_stats = true,
                                   .move_stats = !no_update,
                                   .dropout = true,
                                   .weight_grad = true,
                                   .dense_grad = keep || p->dense_momentum };
    p->has_grad = false;
    forward(p, &pass);
    note_bad(p, bad_output(p, pass.count), hy->step);
    if (stats_only) {
        return FTK_OK;
    }
    backward(p, &pass);
    note_bad(p, bad_gradient(p), hy->step);
    p->has_grad = keep;
    if (!no_update) {
        ref_update(p, hy);
        p->stats.samples += pass.count;
        p->stats.correct += p->correct;
        p->stats.loss_sum += p->loss_sum;
    }
    return FTK_OK;
}

ftk_status ref_predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit)
{
    ftk_status st = check_batch(p, b[0], false);
    if (st != FTK_OK) {
        return st;
    }
    const struct ref_pass pass = { .batch = b[0],
                                   .count = b[0]->count,
                                   .dropout = (b[0]->flags & FTK_BATCH_DROPOUT) != 0 };
    const struct ref_node *logit = logit_node(p);
    forward(p, &pass);
    memcpy(ret_logit, logit->out, pass.count * logit->floats * sizeof(float));
    return FTK_OK;
}

ftk_status ref_grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx)
{
    ftk_status st = check_batch(p, b[0], true);
    if (st != FTK_OK) {
        return st;
    }
    const struct ref_pass pass = { .batch = b[0], .count = b[0]->count, .input_grad = true };
    const struct ref_node *input = &p->node[0];
    forward(p, &pass);
    backward(p, &pass);
    memcpy(ret_dx, input->dout, pass.count * input->floats * sizeof(float));
    return FTK_OK;
}

ftk_status ref_sync(ftk_prog *p, ftk_stats *const *ret)
{
    *ret[0] = p->stats;
    ret[0]->size = sizeof(p->stats);
    p->stats = (ftk_stats){ .bad_node = -1 };
    return FTK_OK;
}
