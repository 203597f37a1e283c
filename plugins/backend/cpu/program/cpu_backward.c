/* SPDX-License-Identifier: MIT
 * program/cpu_backward.c - all nodes in reverse order: gradients of inputs, then of parameters.
 *
 * The first user of a node writes its gradient, later ones write to the temporary buffer and add.
 */
#include "program/cpu_prog.h"
#include <string.h>

enum { STREAM_CHUNK = 32768 };

struct flow {
    struct cpu_run *run;
    struct cpu_node *node;
    uint32_t k; /* which input         */
    float *dx;  /* where its part goes */
    size_t total;
};

static size_t chunk_of(const struct flow *f, uint32_t item, size_t *ret_first)
{
    *ret_first = (size_t)item * STREAM_CHUNK;
    return f->total - *ret_first < STREAM_CHUNK ? f->total - *ret_first : STREAM_CHUNK;
}

static void stream_chunk(void *arg, uint32_t item, uint32_t thread)
{
    const struct flow *f = arg;
    const struct cpu_node *n = f->node;
    const struct cpu_kernels *k = f->run->p->kern;
    size_t at;
    const size_t size = chunk_of(f, item, &at);
    (void)thread;
    if (n->op == FTK_NODE_RELU && !n->masked)
        k->relu_grad(n->y + at, n->dy + at, f->dx + at, size);
    else if (n->op == FTK_NODE_DROPOUT && f->run->dropout)
        k->keep_scale(n->dy + at, n->keep + at, 1.0f / (1.0f - n->scalar[0]), f->dx + at, size);
    else
        memcpy(f->dx + at, n->dy + at, size * sizeof(*f->dx));
}

static void add_chunk(void *arg, uint32_t item, uint32_t thread)
{
    const struct flow *f = arg;
    float *dy = f->run->p->nodes[f->node->in[f->k]].dy;
    size_t at;
    const size_t size = chunk_of(f, item, &at);
    (void)thread;
    f->run->p->kern->add(dy + at, f->dx + at, dy + at, size);
}

static void pool_plane(void *arg, uint32_t item, uint32_t thread)
{
    const struct flow *f = arg;
    const struct cpu_node *n = f->node;
    const struct cpu_kernels *k = f->run->p->kern;
    const size_t in = (size_t)item * n->pool.in[CPU_Y] * n->pool.in[CPU_X] * k->lanes;
    const size_t out = (size_t)item * n->pool.out[CPU_Y] * n->pool.out[CPU_X] * k->lanes;
    const float *x = f->run->p->nodes[n->in[0]].y;
    (void)thread;
    if (n->op == FTK_NODE_MAXPOOL)
        k->max_pool_grad(&n->pool, x + in, n->y + out, n->dy + out, f->dx + in,
                         (int)f->run->p->nodes[n->in[0]].masked);
    else
        k->avg_pool_grad(&n->pool, n->dy + out, f->dx + in);
}

static void concat_block(void *arg, uint32_t block, uint32_t thread)
{
    const struct flow *f = arg;
    const size_t lanes = f->run->p->kern->lanes;
    const struct cpu_node *n = f->node;
    const struct cpu_node *in = &f->run->p->nodes[n->in[f->k]];
    const size_t skip = f->k == 0 ? 0 : f->run->p->nodes[n->in[0]].elems;
    const float *from = n->dy + (block * n->elems + skip) * lanes;
    (void)thread;
    memcpy(f->dx + block * in->elems * lanes, from, in->elems * lanes * sizeof(*from));
}

static void pad_block(void *arg, uint32_t block, uint32_t thread)
{
    const struct flow *f = arg;
    const size_t lanes = f->run->p->kern->lanes;
    const struct cpu_node *n = f->node;
    const struct cpu_pool *p = &n->pool;
    const struct cpu_node *in = &f->run->p->nodes[n->in[0]];
    const uint32_t before = (n->shape[0] - in->shape[0]) / 2;
    const size_t plane = (size_t)p->out[CPU_Y] * p->out[CPU_X] * lanes;
    const float *dy = n->dy + block * n->elems * lanes;
    float *dx = f->dx + block * in->elems * lanes;
    (void)thread;
    memset(dx, 0, in->elems * lanes * sizeof(*dx));
    for (uint32_t c = 0; c < in->shape[0]; c++) {
        const float *from = dy + (before + c) * plane;
        for (uint32_t oy = 0; oy < p->out[CPU_Y]; oy++) {
            const size_t row = ((size_t)c * p->in[CPU_Y] + oy * p->stride[CPU_Y]) * p->in[CPU_X];
            for (uint32_t ox = 0; ox < p->out[CPU_X]; ox++, from += lanes)
                memcpy(dx + (row + ox * p->stride[CPU_X]) * lanes, from, lanes * sizeof(*dx));
        }
    }
}

static uint32_t chunks_of(size_t total)
{
    return (uint32_t)((total + STREAM_CHUNK - 1) / STREAM_CHUNK);
}

/* Nothing is to be done where dx is dy already. */
static void flow_stream(struct flow *f)
{
    const struct cpu_node *n = f->node;
    const int copies = n->op == FTK_NODE_ADD || n->op == FTK_NODE_FLATTEN || n->masked ||
                       (n->op == FTK_NODE_DROPOUT && !f->run->dropout);
    if (copies && f->dx == n->dy)
        return;
    cpu_parallel(f->run->p->dev->pool, chunks_of(f->total), stream_chunk, f);
}

/* The gradient that n hands to input f->k, into f->dx. */
static ftk_status flow_one(struct flow *f)
{
    struct cpu_run *r = f->run;
    struct cpu_node *n = f->node;
    struct cpu_threads *pool = r->p->dev->pool;
    const uint32_t blocks = r->slices.blocks;
    switch (n->op) {
    case FTK_NODE_LINEAR:
    case FTK_NODE_CONV2D:
        return cpu_matmul_backward(r, n, f->dx);
    case FTK_NODE_BATCHNORM:
        cpu_norm_backward(r, n, f->dx);
        break;
    case FTK_NODE_MAXPOOL:
        r->p->nodes[n->in[0]].masked = (uint32_t)cpu_may_mask(&r->p->nodes[n->in[0]]);
        cpu_parallel(pool, blocks * n->shape[0], pool_plane, f);
        break;
    case FTK_NODE_AVGPOOL:
        cpu_parallel(pool, blocks * n->shape[0], pool_plane, f);
        break;
    case FTK_NODE_CONCAT:
        cpu_parallel(pool, blocks, concat_block, f);
        break;
    case FTK_NODE_PAD_CHANNELS:
        cpu_parallel(pool, blocks, pad_block, f);
        break;
    default: /* RELU, DROPOUT, ADD, FLATTEN: one value, one gradient */
        flow_stream(f);
        break;
    }
    return FTK_OK;
}

static ftk_status flow_to(struct cpu_run *r, struct cpu_node *n, uint32_t k)
{
    struct cpu_node *in = &r->p->nodes[n->in[k]];
    struct flow f = { .run = r, .node = n, .k = k };
    f.dx = in->dy_set ? r->p->temp : in->dy;
    f.total = in->elems * r->p->kern->lanes * r->slices.blocks;
    const ftk_status st = flow_one(&f);
    if (st == FTK_OK && in->dy_set)
        cpu_parallel(r->p->dev->pool, chunks_of(f.total), add_chunk, &f);
    in->dy_set = 1;
    return st;
}

static ftk_status update_node(struct cpu_run *r, struct cpu_node *n)
{
    if (n->op == FTK_NODE_BATCHNORM) {
        cpu_norm_update(r, n);
        return FTK_OK;
    }
    if (!cpu_is_matmul(n))
        return FTK_OK;
    if (n->bias.n) {
        cpu_bias_sums(r, n);
        cpu_vector_update(r, n, &n->bias, n->sum);
    }
    return cpu_matmul_update(r, n);
}

ftk_status cpu_backward(struct cpu_run *r)
{
    ftk_prog *p = r->p;
    ftk_status st = FTK_OK;
    for (uint32_t i = p->n_nodes - 1; i-- > 1 && st == FTK_OK;) {
        struct cpu_node *n = &p->nodes[i];
        if (!n->dy_set || !(n->trains || r->to_input))
            continue;
        uint32_t flowed = 0;
        for (uint32_t k = 0; k < 2 && n->in[k] != CPU_NONE && st == FTK_OK; k++) {
            if (r->to_input || p->nodes[n->in[k]].trains) {
                st = flow_to(r, n, k);
                flowed = 1;
            }
        }
        if (st == FTK_OK && !r->to_input) {
            if (n->op == FTK_NODE_BATCHNORM && !flowed)
                cpu_norm_backward(r, n, NULL);
            st = update_node(r, n);
        }
    }
    return st;
}
