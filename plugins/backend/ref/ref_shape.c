/* SPDX-License-Identifier: MIT
 * ref_shape.c - the ops without sums: relu, add, dropout, flatten, concat, pad-channels.
 */
#include <string.h>

#include "ref.h"

/* Floats of the whole batch. */
static uint64_t batch_floats(const struct ref_node *n, const struct ref_pass *pass)
{
    return pass->count * n->floats;
}

static void copy_forward(const struct ref_node *in, struct ref_node *n, const struct ref_pass *pass)
{
    memcpy(n->out, in->out, batch_floats(n, pass) * sizeof(float));
}

static void copy_backward(struct ref_node *in, const struct ref_node *n,
                          const struct ref_pass *pass)
{
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        in->dout[i] += n->dout[i];
    }
}

/* A NaN stays one, so that it is seen. */
void ref_relu_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const float *x = ref_in(p, n, 0)->out;
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        n->out[i] = x[i] < 0.0f ? 0.0f : x[i];
    }
}

void ref_relu_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        if (in->out[i] > 0.0f) {
            in->dout[i] += n->dout[i];
        }
    }
}

void ref_add_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const float *a = ref_in(p, n, 0)->out;
    const float *b = ref_in(p, n, 1)->out;
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        n->out[i] = a[i] + b[i];
    }
}

void ref_add_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    copy_backward(ref_in(p, n, 0), n, pass);
    copy_backward(ref_in(p, n, 1), n, pass);
}

static float kept_factor(const struct ref_node *n)
{
    return (float)(1.0 / (1.0 - n->n.scalar[0]));
}

/* Which elements stay is laid down in graph.h. */
void ref_dropout_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    if (!pass->dropout) {
        copy_forward(in, n, pass);
        return;
    }
    ftk_rng rng = pass->batch->rng;
    rng.key[1] += n->index;
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        n->keep[i] = p->host->rng_uniform(&rng) >= n->n.scalar[0];
        n->out[i] = n->keep[i] ? in->out[i] * kept_factor(n) : 0.0f;
    }
}

void ref_dropout_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    if (!pass->dropout) {
        copy_backward(in, n, pass);
        return;
    }
    for (uint64_t i = 0; i < batch_floats(n, pass); i++) {
        if (n->keep[i]) {
            in->dout[i] += n->dout[i] * kept_factor(n);
        }
    }
}

void ref_flatten_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    copy_forward(ref_in(p, n, 0), n, pass);
}

void ref_flatten_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    copy_backward(ref_in(p, n, 0), n, pass);
}

void ref_concat_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *a = ref_in(p, n, 0);
    const struct ref_node *b = ref_in(p, n, 1);
    for (uint32_t s = 0; s < pass->count; s++) {
        float *out = n->out + s * n->floats;
        memcpy(out, a->out + s * a->floats, a->floats * sizeof(float));
        memcpy(out + a->floats, b->out + s * b->floats, b->floats * sizeof(float));
    }
}

void ref_concat_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *a = ref_in(p, n, 0);
    struct ref_node *b = ref_in(p, n, 1);
    for (uint32_t s = 0; s < pass->count; s++) {
        const float *dout = n->dout + s * n->floats;
        for (uint64_t i = 0; i < a->floats; i++) {
            a->dout[s * a->floats + i] += dout[i];
        }
        for (uint64_t i = 0; i < b->floats; i++) {
            b->dout[s * b->floats + i] += dout[a->floats + i];
        }
    }
}

/* Where element `i` of an input sample goes in the output sample, which has half of the new
 * channels in front; UINT64_MAX where the stride leaves it out.                     */
static uint64_t padded_place(const struct ref_node *n, const struct ref_node *in, uint64_t i)
{
    uint64_t front = (n->n.out_shape[0] - in->n.out_shape[0]) / 2;
    uint64_t x = i % in->n.out_shape[2];
    uint64_t y = i / in->n.out_shape[2] % in->n.out_shape[1];
    uint64_t c = i / ref_area(in) + front;
    if (y % n->n.stride[0] != 0 || x % n->n.stride[1] != 0) {
        return UINT64_MAX;
    }
    return c * ref_area(n) + y / n->n.stride[0] * n->n.out_shape[2] + x / n->n.stride[1];
}

void ref_pad_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    const struct ref_node *in = ref_in(p, n, 0);
    memset(n->out, 0, batch_floats(n, pass) * sizeof(float));
    for (uint32_t s = 0; s < pass->count; s++) {
        for (uint64_t i = 0; i < in->floats; i++) {
            uint64_t to = padded_place(n, in, i);
            if (to != UINT64_MAX) {
                n->out[s * n->floats + to] = in->out[s * in->floats + i];
            }
        }
    }
}

void ref_pad_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass)
{
    struct ref_node *in = ref_in(p, n, 0);
    for (uint32_t s = 0; s < pass->count; s++) {
        for (uint64_t i = 0; i < in->floats; i++) {
            uint64_t to = padded_place(n, in, i);
            if (to != UINT64_MAX) {
                in->dout[s * in->floats + i] += n->dout[s * n->floats + to];
            }
        }
    }
}
