/* SPDX-License-Identifier: MIT
 * ref_loss.c - softmax cross-entropy with label smoothing.
 *
 *     loss = (1 - s) (-log p_label) + s mean_k (-log p_k)
 *     d loss / d z_k = p_k - (1 - s) [k = label] - s / classes
 */
#include <math.h>

#include "ref.h"

/* log sum_k exp(z[k]), of the largest taken out so that nothing overflows. */
static double log_sum_exp(const float *z, uint64_t classes)
{
    double most = z[0];
    for (uint64_t k = 1; k < classes; k++) {
        most = z[k] > most ? z[k] : most;
    }
    double sum = 0.0;
    for (uint64_t k = 0; k < classes; k++) {
        sum += exp(z[k] - most);
    }
    return most + log(sum);
}

/* Of equal ones the first. */
static uint64_t argmax(const float *z, uint64_t classes)
{
    uint64_t best = 0;
    for (uint64_t k = 1; k < classes; k++) {
        if (z[k] > z[best]) {
            best = k;
        }
    }
    return best;
}

void ref_xent_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    uint64_t classes = in->floats;
    double s = n->n.scalar[0];
    p->loss_sum = 0.0;
    p->correct = 0;
    for (uint32_t b = 0; b < pass->count; b++) {
        const float *z = in->out + b * classes;
        uint64_t label = (uint64_t)pass->batch->y[b];
        double log_sum = log_sum_exp(z, classes);
        double mean = 0.0;
        for (uint64_t k = 0; k < classes; k++) {
            mean += (log_sum - z[k]) / (double)classes;
        }
        p->loss_sum += (1.0 - s) * (log_sum - z[label]) + s * mean;
        p->correct += argmax(z, classes) == label;
    }
}

void ref_xent_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    uint64_t classes = in->floats;
    double s = n->n.scalar[0];
    for (uint32_t b = 0; b < pass->count; b++) {
        const float *z = in->out + b * classes;
        float *dz = in->dout + b * classes;
        uint64_t label = (uint64_t)pass->batch->y[b];
        double log_sum = log_sum_exp(z, classes);
        for (uint64_t k = 0; k < classes; k++) {
            double target = s / (double)classes + (k == label ? 1.0 - s : 0.0);
            dz[k] += (float)((exp(z[k] - log_sum) - target) / pass->count);
        }
    }
}
