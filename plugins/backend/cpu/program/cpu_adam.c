/* SPDX-License-Identifier: MIT
 * program/cpu_adam.c - Adam and AdamW on a piece of a layer: plain loops that the compiler vectorises,
 * the same on every instruction set.
 */
#include "program/cpu_prog.h"
#include <math.h>

ftk_status cpu_check_adam(const ftk_prog *p, const ftk_hyper *hy)
{
    const ftk_host *h = p->host;
    if (hy->flags & FTK_STEP_NESTEROV)
        return h->fail(h, FTK_EINVAL, "NESTEROV goes with SGD only");
    if (!(hy->momentum >= 0 && hy->momentum < 1) || !(hy->beta2 >= 0 && hy->beta2 < 1))
        return h->fail(h, FTK_EINVAL, "momentum %g and beta2 %g must be at least 0 and below 1",
                       hy->momentum, hy->beta2);
    if (!(hy->eps > 0) || !isfinite(hy->eps) || hy->step == 0)
        return h->fail(h, FTK_EINVAL, "eps %g, step %llu: eps must be above 0, step at least 1",
                       hy->eps, (unsigned long long)hy->step);
    return FTK_OK;
}

/* Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019, arXiv:1711.05101. */
void cpu_adam(const struct cpu_run *r, uint32_t decays, const float *g, float *w, float *m,
              float *m2, uint64_t count)
{
    const ftk_hyper *hy = r->hyper;
    const double decay = decays ? hy->weight_decay : 0;
    const int decoupled = r->p->optimiser == FTK_OPT_ADAMW;
    const float shrink = decoupled ? (float)(1 - hy->lr * decay) : 1;
    const float coupled = decoupled ? 0 : (float)decay;
    const float beta1 = (float)hy->momentum;
    const float beta2 = (float)hy->beta2;
    const float rest1 = (float)(1 - hy->momentum);
    const float rest2 = (float)(1 - hy->beta2);
    const float move = (float)(hy->lr / (1 - pow(hy->momentum, (double)hy->step)));
    const float root = (float)(1 / sqrt(1 - pow(hy->beta2, (double)hy->step)));
    const float eps = (float)hy->eps;
    for (uint64_t i = 0; i < count; i++) {
        const float d = g[i] + coupled * w[i];
        const float mean = beta1 * m[i] + rest1 * d;
        const float square = beta2 * m2[i] + rest2 * d * d;
        m[i] = mean;
        m2[i] = square;
        w[i] = shrink * w[i] - move * mean / (sqrtf(square) * root + eps);
    }
}
