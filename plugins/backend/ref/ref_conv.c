/* SPDX-License-Identifier: MIT
 * ref_conv.c - two-dimensional convolution, one weight at a time.
 *
 *     out[b][o][y][x] = bias[o] + sum_{c,ky,kx} weight[o][c][ky][kx]
 *                                               in[b][c][y sy + ky - py][x sx + kx - px]
 *
 * where the place lies inside the image.  A weight is a tap: it touches one plane of the input
 * and one of the output, over the outputs for which its place lies inside.  Each of forward,
 * input gradient and weight gradient is a loop over taps; inactive weights are left out.
 */
#include <string.h>

#include "ref.h"

/* Outputs [first, end) along one axis, for which output * stride + shift is in the image. */
struct span {
    uint64_t first, end;
    int64_t shift, stride;
};

struct tap {
    uint64_t o, c; /* output and input channel                            */
    struct span y, x;
};

static struct span span_of(const struct ref_node *n, const struct ref_node *in, uint32_t axis,
                           uint64_t k)
{
    int64_t stride = n->n.stride[axis];
    int64_t shift = (int64_t)k - n->n.pad[axis];
    int64_t side = in->n.out_shape[1 + axis];
    int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t end = side > shift ? (side - shift - 1) / stride + 1 : 0;
    if (end > (int64_t)n->n.out_shape[1 + axis]) {
        end = n->n.out_shape[1 + axis];
    }
    if (first > end) {
        first = end;
    }
    return (struct span){ (uint64_t)first, (uint64_t)end, shift, stride };
}

/* Weights are numbered [o][c][ky][kx]. */
static struct tap tap_of(const struct ref_node *n, const struct ref_node *in, uint64_t weight)
{
    uint64_t kx = weight % n->n.kernel[1];
    uint64_t rest = weight / n->n.kernel[1];
    uint64_t ky = rest % n->n.kernel[0];
    uint64_t pair = rest / n->n.kernel[0];
    return (struct tap){ .o = pair / in->n.out_shape[0],
                         .c = pair % in->n.out_shape[0],
                         .y = span_of(n, in, 0, ky),
                         .x = span_of(n, in, 1, kx) };
}

static uint64_t place(const struct span *s, uint64_t output)
{
    return (uint64_t)((int64_t)output * s->stride + s->shift);
}

static bool active(const struct ref_node *n, uint64_t weight)
{
    return n->weight.mask == NULL || n->weight.mask[weight] != 0;
}

/* sum[y][x] += weight * image[...] */
static void forward_tap(double *sum, const float *image, double weight, const struct tap *t,
                        uint64_t out_width, uint64_t in_width)
{
    for (uint64_t y = t->y.first; y < t->y.end; y++) {
        const float *row = image + place(&t->y, y) * in_width;
        for (uint64_t x = t->x.first; x < t->x.end; x++) {
            sum[y * out_width + x] += weight * row[place(&t->x, x)];
        }
    }
}

/* sum[...] += weight * dout[y][x] */
static void backward_tap(double *sum, const float *dout, double weight, const struct tap *t,
                         uint64_t out_width, uint64_t in_width)
{
    for (uint64_t y = t->y.first; y < t->y.end; y++) {
        double *row = sum + place(&t->y, y) * in_width;
        for (uint64_t x = t->x.first; x < t->x.end; x++) {
            row[place(&t->x, x)] += weight * dout[y * out_width + x];
        }
    }
}

/* sum over y, x of dout[y][x] image[...] */
static double weight_tap(const float *dout, const float *image, const struct tap *t,
                         uint64_t out_width, uint64_t in_width)
{
    double sum = 0.0;
    for (uint64_t y = t->y.first; y < t->y.end; y++) {
        const float *row = image + place(&t->y, y) * in_width;
        for (uint64_t x = t->x.first; x < t->x.end; x++) {
            sum += (double)dout[y * out_width + x] * row[place(&t->x, x)];
        }
    }
    return sum;
}

void ref_conv_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    uint64_t taps = n->weight.n / n->n.out_shape[0];
    uint64_t area = ref_area(n);
    double *sum = p->plane; // [height][width] of the output
    for (uint32_t b = 0; b < pass->count; b++) {
        for (uint64_t o = 0; o < n->n.out_shape[0]; o++) {
            for (uint64_t i = 0; i < area; i++) {
                sum[i] = n->bias.n > 0 ? n->bias.value[o] : 0.0;
            }
            for (uint64_t w = o * taps; w < (o + 1) * taps; w++) {
                if (!active(n, w)) {
                    continue;
                }
                struct tap t = tap_of(n, in, w);
                const float *image = in->out + b * in->floats + t.c * ref_area(in);
                forward_tap(sum, image, n->weight.value[w], &t, n->n.out_shape[2],
                            in->n.out_shape[2]);
            }
            float *out = n->out + b * n->floats + o * area;
            for (uint64_t i = 0; i < area; i++) {
                out[i] = (float)sum[i];
            }
        }
    }
}

static void backward_input(ftk_prog *p, const struct ref_node *n, struct ref_node *in,
                           uint32_t count)
{
    uint64_t area = ref_area(in);
    double *sum = p->plane; // [channels][height][width] of the input
    for (uint32_t b = 0; b < count; b++) {
        memset(sum, 0, in->floats * sizeof(*sum));
        for (uint64_t w = 0; w < n->weight.n; w++) {
            if (!active(n, w)) {
                continue;
            }
            struct tap t = tap_of(n, in, w);
            const float *dout = n->dout + b * n->floats + t.o * ref_area(n);
            backward_tap(sum + t.c * area, dout, n->weight.value[w], &t, n->n.out_shape[2],
                         in->n.out_shape[2]);
        }
        float *dx = in->dout + b * in->floats;
        for (uint64_t i = 0; i < in->floats; i++) {
            dx[i] += (float)sum[i];
        }
    }
}

static void backward_weight(struct ref_node *n, const struct ref_node *in,
                            const struct ref_pass *pass)
{
    for (uint64_t w = 0; w < n->weight.n; w++) {
        double sum = 0.0;
        if (pass->dense_grad || active(n, w)) {
            struct tap t = tap_of(n, in, w);
            for (uint32_t b = 0; b < pass->count; b++) {
                sum += weight_tap(n->dout + b * n->floats + t.o * ref_area(n),
                                  in->out + b * in->floats + t.c * ref_area(in), &t,
                                  n->n.out_shape[2], in->n.out_shape[2]);
            }
        }
        n->weight.grad[w] = (float)sum;
    }
}

static void backward_bias(struct ref_node *n, uint32_t count)
{
    uint64_t area = ref_area(n);
    for (uint64_t o = 0; o < n->bias.n; o++) {
        double sum = 0.0;
        for (uint32_t b = 0; b < count; b++) {
            const float *dout = n->dout + b * n->floats + o * area;
            for (uint64_t i = 0; i < area; i++) {
                sum += dout[i];
            }
        }
        n->bias.grad[o] = (float)sum;
    }
}

void ref_conv_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    if (ref_wants_grad(in, pass)) {
        backward_input(p, n, in, pass->count);
    }
    if (pass->weight_grad) {
        backward_weight(n, in, pass);
        backward_bias(n, pass->count);
    }
}
