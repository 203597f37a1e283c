/* SPDX-License-Identifier: MIT
 * ref_norm.c - batch normalisation over [batch][height][width], channel by channel.
 *
 *     out = gamma xhat + beta,  xhat = (x - mean) / sqrt(var + eps)
 *
 * with the batch's mean and biased variance while training, the running ones else.
 * https://arxiv.org/abs/1502.03167
 */
#include <math.h>

#include "ref.h"

/* First float of sample b's channel c. */
static uint64_t plane_at(const struct ref_node *n, uint32_t b, uint64_t c)
{
    return b * n->floats + c * ref_area(n);
}

static double channel_mean(const struct ref_node *n, const float *x, uint32_t count, uint64_t c)
{
    uint64_t area = ref_area(n);
    double sum = 0.0;
    for (uint32_t b = 0; b < count; b++) {
        for (uint64_t i = 0; i < area; i++) {
            sum += x[plane_at(n, b, c) + i];
        }
    }
    return sum / ((double)count * (double)area);
}

static double channel_var(const struct ref_node *n, const float *x, uint32_t count, uint64_t c,
                          double mean)
{
    uint64_t area = ref_area(n);
    double sum = 0.0;
    for (uint32_t b = 0; b < count; b++) {
        for (uint64_t i = 0; i < area; i++) {
            double d = x[plane_at(n, b, c) + i] - mean;
            sum += d * d;
        }
    }
    return sum / ((double)count * (double)area);
}

/* running = (1 - m) running + m new; the variance unbiased (of one value: as it is, 0). */
static void move_running(struct ref_node *n, uint64_t c, double mean, double var, double values)
{
    double m = n->n.scalar[0];
    double unbiased = values > 1.0 ? var * values / (values - 1.0) : var;
    n->run_mean[c] = (float)((1.0 - m) * n->run_mean[c] + m * mean);
    n->run_var[c] = (float)((1.0 - m) * n->run_var[c] + m * unbiased);
}

void ref_norm_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const float *x = ref_in(p, n, 0)->out;
    uint64_t area = ref_area(n);
    for (uint64_t c = 0; c < n->n.out_shape[0]; c++) {
        double mean = n->run_mean[c];
        double var = n->run_var[c];
        if (pass->batch_stats) {
            mean = channel_mean(n, x, pass->count, c);
            var = channel_var(n, x, pass->count, c, mean);
        }
        if (pass->move_stats) {
            move_running(n, c, mean, var, (double)pass->count * (double)area);
        }
        n->mean[c] = mean;
        n->scale[c] = 1.0 / sqrt(var + n->n.scalar[1]);
        for (uint32_t b = 0; b < pass->count; b++) {
            uint64_t at = plane_at(n, b, c);
            for (uint64_t i = at; i < at + area; i++) {
                double xhat = (x[i] - mean) * n->scale[c];
                n->out[i] = (float)(n->weight.value[c] * xhat + n->bias.value[c]);
            }
        }
    }
}

/* With running statistics dx = gamma scale dout.  With the batch's, which depend on x,
 *     dx = gamma scale (dout - mean(dout) - xhat mean(dout xhat)).                     */
void ref_norm_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    uint64_t area = ref_area(n);
    double values = (double)pass->count * (double)area;
    for (uint64_t c = 0; c < n->n.out_shape[0]; c++) {
        double dbeta = 0.0;
        double dgamma = 0.0;
        for (uint32_t b = 0; b < pass->count; b++) {
            uint64_t at = plane_at(n, b, c);
            for (uint64_t i = at; i < at + area; i++) {
                dbeta += n->dout[i];
                dgamma += n->dout[i] * (in->out[i] - n->mean[c]) * n->scale[c];
            }
        }
        double mean_dout = pass->batch_stats ? dbeta / values : 0.0;
        double mean_dout_xhat = pass->batch_stats ? dgamma / values : 0.0;
        double gain = n->weight.value[c] * n->scale[c];
        for (uint32_t b = 0; b < pass->count; b++) {
            uint64_t at = plane_at(n, b, c);
            for (uint64_t i = at; i < at + area; i++) {
                double xhat = (in->out[i] - n->mean[c]) * n->scale[c];
                in->dout[i] += (float)(gain * (n->dout[i] - mean_dout - xhat * mean_dout_xhat));
            }
        }
        if (pass->weight_grad) {
            n->weight.grad[c] = (float)dgamma;
            n->bias.grad[c] = (float)dbeta;
        }
    }
}
