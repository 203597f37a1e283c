/* SPDX-License-Identifier: MIT
 * program/cpu_loss.c - softmax cross-entropy with label smoothing, and its gradient.
 */
#include "program/cpu_prog.h"
#include <math.h>
#include <string.h>

struct loss {
    struct cpu_run *run;
    const struct cpu_node *logits;
    float *dy; /* of the logits */
    double smoothing;
};

ftk_status cpu_loss_check(const struct cpu_run *r)
{
    const ftk_prog *p = r->p;
    const ftk_host *h = p->host;
    const struct cpu_node *xent = &p->nodes[p->n_nodes - 1];
    const uint32_t classes = p->nodes[xent->in[0]].shape[0];
    if (!r->b->y)
        return h->fail(h, FTK_EINVAL, "a batch of %u images has no labels", r->b->count);
    for (uint32_t i = 0; i < r->b->count; i++) {
        if (r->b->y[i] < 0 || (uint32_t)r->b->y[i] >= classes)
            return h->fail(h, FTK_ERANGE, "label %d of image %u is outside 0..%u", r->b->y[i], i,
                           classes - 1);
    }
    return FTK_OK;
}

/* One image: z and d step by `lanes`. */
static double image_loss(const struct loss *j, const float *z, float *d, uint32_t label,
                         uint8_t *ret_hit)
{
    const uint32_t classes = j->logits->shape[0];
    const size_t lanes = j->run->p->kern->lanes;
    uint32_t best = 0;
    double total = 0;
    double mean = 0;
    for (uint32_t k = 1; k < classes; k++) {
        if (z[k * lanes] > z[best * lanes])
            best = k;
    }
    const double top = z[best * lanes];
    for (uint32_t k = 0; k < classes; k++) {
        total += exp((double)z[k * lanes] - top);
        mean += (double)z[k * lanes];
    }
    const double log_total = log(total) + top;
    const double s = j->smoothing;
    const double count = j->run->b->count;
    for (uint32_t k = 0; k < classes; k++) {
        const double target = s / classes + (k == label ? 1 - s : 0);
        /* in double: the difference is small where the label is fitted well */
        const double p = exp((double)z[k * lanes] - log_total);
        d[k * lanes] = (float)((p - target) / count);
    }
    *ret_hit = best == label;
    return (1 - s) * (log_total - (double)z[label * lanes]) + s * (log_total - mean / classes);
}

static void loss_block(void *arg, uint32_t block, uint32_t thread)
{
    const struct loss *j = arg;
    const ftk_prog *p = j->run->p;
    const uint32_t lanes = p->kern->lanes;
    const size_t at = (size_t)block * j->logits->shape[0] * lanes;
    (void)thread;
    memset(j->dy + at, 0, j->logits->elems * lanes * sizeof(float));
    for (uint32_t l = 0; l < lanes && block * lanes + l < j->run->b->count; l++) {
        const uint32_t i = block * lanes + l;
        p->loss[i] = image_loss(j, j->logits->y + at + l, j->dy + at + l, (uint32_t)j->run->b->y[i],
                                &p->hit[i]);
    }
}

void cpu_loss(struct cpu_run *r)
{
    ftk_prog *p = r->p;
    const struct cpu_node *xent = &p->nodes[p->n_nodes - 1];
    struct cpu_node *logits = &p->nodes[xent->in[0]];
    struct loss j = { .run = r, .logits = logits, .smoothing = (double)xent->scalar[0] };
    j.dy = logits->dy;
    logits->dy_set = 1;
    cpu_parallel(p->dev->pool, r->slices.blocks, loss_block, &j);
    double total = 0;
    uint64_t right = 0;
    for (uint32_t s = 0; s < r->slices.n; s++) {
        const uint32_t first = r->slices.first[s] * p->kern->lanes;
        const uint32_t end = r->slices.first[s + 1] * p->kern->lanes;
        double sum = 0;
        for (uint32_t i = first; i < end && i < r->b->count; i++) {
            sum += p->loss[i];
            right += p->hit[i];
        }
        total += sum;
    }
    if (!isfinite(total))
        cpu_run_bad(r, xent->index);
    if (!r->update)
        return;
    p->stats.samples += r->b->count;
    p->stats.correct += right;
    p->stats.loss_sum += total;
}
