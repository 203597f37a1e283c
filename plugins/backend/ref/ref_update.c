/* SPDX-License-Identifier: MIT
 * ref_update.c - from gradients to new weights: SGD with momentum, Adam, AdamW.
 */
#include <math.h>

#include "ref.h"

/* v = mu v + g + decay w;  w -= lr v, or with Nesterov lr (g + decay w + mu v).  An inactive
 * weight stays 0, so it has no decay; only with dense momentum it has a velocity.   */
static void sgd_param(const ftk_prog *p, struct ref_param *w, const ftk_hyper *hy)
{
    double decay = w->decay ? hy->weight_decay : 0.0;
    bool nesterov = (hy->flags & FTK_STEP_NESTEROV) != 0;
    for (uint64_t i = 0; i < w->n; i++) {
        bool active = w->mask == NULL || w->mask[i] != 0;
        if (!active && !p->dense_momentum) {
            continue;
        }
        double g = w->grad[i] + decay * w->value[i];
        double v = hy->momentum * w->moment[i] + g;
        w->moment[i] = (float)v;
        if (active) {
            double move = nesterov ? g + hy->momentum * v : v;
            w->value[i] = (float)(w->value[i] - hy->lr * move);
        }
    }
}

/* Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; decay is part of the gradient, with AdamW
 * (Loshchilov and Hutter 2019, arXiv:1711.05101) it shrinks the weight by itself.       */
static void adam_param(const ftk_prog *p, struct ref_param *w, const ftk_hyper *hy)
{
    bool decoupled = p->optimiser == FTK_OPT_ADAMW;
    double decay = w->decay ? hy->weight_decay : 0.0;
    double correct1 = 1.0 - pow(hy->momentum, (double)hy->step);
    double correct2 = 1.0 - pow(hy->beta2, (double)hy->step);
    for (uint64_t i = 0; i < w->n; i++) {
        if (w->mask != NULL && w->mask[i] == 0) {
            continue;
        }
        double value = w->value[i];
        double g = w->grad[i];
        if (decoupled) {
            value *= 1.0 - hy->lr * decay;
        } else {
            g += decay * value;
        }
        double m = hy->momentum * w->moment[i] + (1.0 - hy->momentum) * g;
        double v = hy->beta2 * w->moment2[i] + (1.0 - hy->beta2) * g * g;
        w->moment[i] = (float)m;
        w->moment2[i] = (float)v;
        w->value[i] = (float)(value - hy->lr * (m / correct1) / (sqrt(v / correct2) + hy->eps));
    }
}

ftk_status ref_check_adam(const ftk_prog *p, const ftk_hyper *hy)
{
    const ftk_host *h = p->host;
    if ((hy->flags & FTK_STEP_NESTEROV) != 0) {
        return h->fail(h, FTK_EINVAL, "NESTEROV goes with SGD only");
    }
    if (!(hy->momentum >= 0 && hy->momentum < 1) || !(hy->beta2 >= 0 && hy->beta2 < 1)) {
        return h->fail(h, FTK_EINVAL, "momentum %g and beta2 %g must be at least 0 and below 1",
                       hy->momentum, hy->beta2);
    }
    if (!(hy->eps > 0) || !isfinite(hy->eps) || hy->step == 0) {
        return h->fail(h, FTK_EINVAL, "eps %g, step %llu: eps must be above 0, step at least 1",
                       hy->eps, (unsigned long long)hy->step);
    }
    return FTK_OK;
}

void ref_update(ftk_prog *p, const ftk_hyper *hy)
{
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        struct ref_param *both[2] = { &p->node[i].weight, &p->node[i].bias };
        for (uint32_t k = 0; k < 2; k++) {
            if (p->optimiser == FTK_OPT_SGD) {
                sgd_param(p, both[k], hy);
            } else {
                adam_param(p, both[k], hy);
            }
        }
    }
}
