/* SPDX-License-Identifier: MIT
 * ref_pool.c - max and average pooling; a global pool is one whose kernel is the image.
 *
 * The border of a max pool is minus infinity, of equal values the first wins.  An average
 * divides by the kernel's area, border (zeros) included.
 */
#include <math.h>

#include "ref.h"

/* The part of the image under one output: rows [y0, y1), columns [x0, x1). */
struct window {
    uint64_t y0, y1, x0, x1;
};

static void clip(const struct ref_node *n, const struct ref_node *in, uint32_t axis,
                 uint64_t output, uint64_t *ret_first, uint64_t *ret_end)
{
    uint64_t from = output * n->n.stride[axis]; /* in the padded image */
    uint64_t pad = n->n.pad[axis];
    uint64_t end = from + n->n.kernel[axis];
    uint64_t side = in->n.out_shape[1 + axis];
    *ret_first = from > pad ? from - pad : 0;
    *ret_end = end - pad < side ? end - pad : side;
}

/* Under output `i` of a plane, numbered [y][x]. */
static struct window window_of(const struct ref_node *n, const struct ref_node *in, uint64_t i)
{
    struct window w;
    clip(n, in, 0, i / n->n.out_shape[2], &w.y0, &w.y1);
    clip(n, in, 1, i % n->n.out_shape[2], &w.x0, &w.x1);
    return w;
}

/* Planes are numbered over [batch][channel], alike in input and output. */
static uint64_t planes(const struct ref_node *n, const struct ref_pass *pass)
{
    return (uint64_t)pass->count * n->n.out_shape[0];
}

/* Where in its plane the largest value under a window is; a NaN counts as largest. */
static uint32_t largest(const float *image, uint64_t width, const struct window *w)
{
    uint64_t best = w->y0 * width + w->x0;
    for (uint64_t y = w->y0; y < w->y1; y++) {
        for (uint64_t x = w->x0; x < w->x1; x++) {
            float v = image[y * width + x];
            if (v > image[best] || isnan(v)) {
                best = y * width + x;
            }
        }
    }
    return (uint32_t)best;
}

void ref_maxpool_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    uint64_t area = ref_area(n);
    for (uint64_t c = 0; c < planes(n, pass); c++) {
        const float *image = in->out + c * ref_area(in);
        for (uint64_t i = 0; i < area; i++) {
            struct window w = window_of(n, in, i);
            uint32_t best = largest(image, in->n.out_shape[2], &w);
            n->choice[c * area + i] = best;
            n->out[c * area + i] = image[best];
        }
    }
}

void ref_maxpool_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    uint64_t area = ref_area(n);
    for (uint64_t c = 0; c < planes(n, pass); c++) {
        float *dx = in->dout + c * ref_area(in);
        for (uint64_t i = c * area; i < (c + 1) * area; i++) {
            dx[n->choice[i]] += n->dout[i];
        }
    }
}

static double kernel_area(const struct ref_node *n)
{
    return (double)n->n.kernel[0] * n->n.kernel[1];
}

void ref_avgpool_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    uint64_t area = ref_area(n);
    uint64_t width = in->n.out_shape[2];
    for (uint64_t c = 0; c < planes(n, pass); c++) {
        const float *image = in->out + c * ref_area(in);
        for (uint64_t i = 0; i < area; i++) {
            struct window w = window_of(n, in, i);
            double sum = 0.0;
            for (uint64_t y = w.y0; y < w.y1; y++) {
                for (uint64_t x = w.x0; x < w.x1; x++) {
                    sum += image[y * width + x];
                }
            }
            n->out[c * area + i] = (float)(sum / kernel_area(n));
        }
    }
}

void ref_avgpool_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    uint64_t area = ref_area(n);
    uint64_t width = in->n.out_shape[2];
    for (uint64_t c = 0; c < planes(n, pass); c++) {
        float *dx = in->dout + c * ref_area(in);
        for (uint64_t i = 0; i < area; i++) {
            struct window w = window_of(n, in, i);
            float share = (float)(n->dout[c * area + i] / kernel_area(n));
            for (uint64_t y = w.y0; y < w.y1; y++) {
                for (uint64_t x = w.x0; x < w.x1; x++) {
                    dx[y * width + x] += share;
                }
            }
        }
    }
}
