/* SPDX-License-Identifier: MIT
 * ref_linear.c - out[b][o] = bias[o] + sum_i weight[o][i] x[b][i]
 */
#include <string.h>

#include "ref.h"

void ref_linear_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    uint64_t width = in->floats;
    for (uint32_t b = 0; b < pass->count; b++) {
        const float *x = in->out + b * width;
        float *out = n->out + b * n->floats;
        for (uint64_t o = 0; o < n->floats; o++) {
            const float *w = n->weight.value + o * width;
            double sum = n->bias.n > 0 ? n->bias.value[o] : 0.0;
            for (uint64_t i = 0; i < width; i++) {
                sum += (double)w[i] * x[i];
            }
            out[o] = (float)sum;
        }
    }
}

/* dx[b][i] += sum_o dout[b][o] weight[o][i] */
static void backward_input(ftk_prog *p, const struct ref_node *n, struct ref_node *in,
                           uint32_t count)
{
    uint64_t width = in->floats;
    double *sum = p->plane; // [width]
    for (uint32_t b = 0; b < count; b++) {
        const float *dout = n->dout + b * n->floats;
        float *dx = in->dout + b * width;
        memset(sum, 0, width * sizeof(*sum));
        for (uint64_t o = 0; o < n->floats; o++) {
            const float *w = n->weight.value + o * width;
            for (uint64_t i = 0; i < width; i++) {
                sum[i] += (double)dout[o] * w[i];
            }
        }
        for (uint64_t i = 0; i < width; i++) {
            dx[i] += (float)sum[i];
        }
    }
}

/* dweight[o][i] = sum_b dout[b][o] x[b][i]; dbias[o] = sum_b dout[b][o] */
static void backward_weight(ftk_prog *p, struct ref_node *n, const struct ref_node *in,
                            uint32_t count)
{
    uint64_t width = in->floats;
    double *sum = p->plane; // [width]
    for (uint64_t o = 0; o < n->floats; o++) {
        float *dw = n->weight.grad + o * width;
        double bias = 0.0;
        memset(sum, 0, width * sizeof(*sum));
        for (uint32_t b = 0; b < count; b++) {
            const float *x = in->out + b * width;
            double dout = n->dout[b * n->floats + o];
            for (uint64_t i = 0; i < width; i++) {
                sum[i] += dout * x[i];
            }
            bias += dout;
        }
        for (uint64_t i = 0; i < width; i++) {
            dw[i] = (float)sum[i];
        }
        if (n->bias.n > 0) {
            n->bias.grad[o] = (float)bias;
        }
    }
}

void ref_linear_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    if (ref_wants_grad(in, pass)) {
        backward_input(p, n, in, pass->count);
    }
    if (pass->weight_grad) {
        backward_weight(p, n, in, pass->count);
    }
}
