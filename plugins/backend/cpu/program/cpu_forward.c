/* SPDX-License-Identifier: MIT
 * program/cpu_forward.c - all nodes in list order.
 */
#include "program/cpu_prog.h"
#include <string.h>

enum { STREAM_CHUNK = 32768 };

/* One elementwise node as a parallel loop over chunks, planes or images. */
struct stream {
    struct cpu_run *run;
    struct cpu_node *node;
    const float *a, *b;
    float *y;
    size_t total; /* floats over all blocks */
    atomic_int bad;
};

static size_t chunk_of(const struct stream *s, uint32_t item, size_t *ret_first)
{
    *ret_first = (size_t)item * STREAM_CHUNK;
    return s->total - *ret_first < STREAM_CHUNK ? s->total - *ret_first : STREAM_CHUNK;
}

static void relu_chunk(void *arg, uint32_t item, uint32_t thread)
{
    struct stream *s = arg;
    size_t at;
    const size_t n = chunk_of(s, item, &at);
    (void)thread;
    s->run->p->kern->relu(s->a + at, s->y + at, n);
}

static void add_chunk(void *arg, uint32_t item, uint32_t thread)
{
    struct stream *s = arg;
    size_t at;
    const size_t n = chunk_of(s, item, &at);
    (void)thread;
    if (s->run->p->kern->add(s->a + at, s->b + at, s->y + at, n))
        atomic_store(&s->bad, 1);
}

static void keep_chunk(void *arg, uint32_t item, uint32_t thread)
{
    struct stream *s = arg;
    const float scale = 1.0f / (1.0f - s->node->scalar[0]);
    size_t at;
    const size_t n = chunk_of(s, item, &at);
    (void)thread;
    if (s->run->p->kern->keep_scale(s->a + at, s->node->keep + at, scale, s->y + at, n))
        atomic_store(&s->bad, 1);
}

/* Element e of image i is kept by number i * elems + e of the node's stream. */
static void draw_image(void *arg, uint32_t i, uint32_t thread)
{
    struct stream *s = arg;
    const ftk_host *h = s->run->p->host;
    const struct cpu_node *n = s->node;
    const size_t lanes = s->run->p->kern->lanes;
    uint8_t *keep = n->keep + i / lanes * lanes * n->elems + i % lanes;
    ftk_rng rng = s->run->b->rng;
    (void)thread;
    rng.key[1] += n->index;
    rng.counter += i * n->elems;
    for (size_t e = 0; e < n->elems; e++)
        keep[e * lanes] = h->rng_uniform(&rng) >= (double)n->scalar[0];
}

static void pool_plane(void *arg, uint32_t item, uint32_t thread)
{
    struct stream *s = arg;
    const struct cpu_kernels *k = s->run->p->kern;
    const struct cpu_pool *p = &s->node->pool;
    const float *x = s->a + (size_t)item * p->in[CPU_Y] * p->in[CPU_X] * k->lanes;
    float *y = s->y + (size_t)item * p->out[CPU_Y] * p->out[CPU_X] * k->lanes;
    (void)thread;
    if (s->node->op == FTK_NODE_MAXPOOL)
        k->max_pool(p, x, y);
    else if (k->avg_pool(p, x, y))
        atomic_store(&s->bad, 1);
}

/* Channels of both inputs side by side, a block an item. */
static void concat_block(void *arg, uint32_t block, uint32_t thread)
{
    struct stream *s = arg;
    const size_t lanes = s->run->p->kern->lanes;
    const struct cpu_node *nodes = s->run->p->nodes;
    const size_t first = nodes[s->node->in[0]].elems * lanes;
    const size_t second = nodes[s->node->in[1]].elems * lanes;
    float *y = s->y + block * (first + second);
    (void)thread;
    memcpy(y, s->a + block * first, first * sizeof(*y));
    memcpy(y + first, s->b + block * second, second * sizeof(*y));
}

static void pad_block(void *arg, uint32_t block, uint32_t thread)
{
    struct stream *s = arg;
    const size_t lanes = s->run->p->kern->lanes;
    const struct cpu_node *n = s->node;
    const struct cpu_pool *p = &n->pool;
    const struct cpu_node *in = &s->run->p->nodes[n->in[0]];
    const uint32_t before = (n->shape[0] - in->shape[0]) / 2;
    const float *x = s->a + block * in->elems * lanes;
    float *y = s->y + block * n->elems * lanes;
    const size_t plane = (size_t)p->out[CPU_Y] * p->out[CPU_X] * lanes;
    (void)thread;
    memset(y, 0, n->elems * lanes * sizeof(*y));
    for (uint32_t c = 0; c < in->shape[0]; c++) {
        float *to = y + (before + c) * plane;
        for (uint32_t oy = 0; oy < p->out[CPU_Y]; oy++) {
            const size_t row = ((size_t)c * p->in[CPU_Y] + oy * p->stride[CPU_Y]) * p->in[CPU_X];
            for (uint32_t ox = 0; ox < p->out[CPU_X]; ox++, to += lanes)
                memcpy(to, x + (row + ox * p->stride[CPU_X]) * lanes, lanes * sizeof(*y));
        }
    }
}

static void run_stream(struct stream *s)
{
    const ftk_prog *p = s->run->p;
    const struct cpu_node *n = s->node;
    const uint32_t chunks = (uint32_t)((s->total + STREAM_CHUNK - 1) / STREAM_CHUNK);
    const uint32_t blocks = s->run->slices.blocks;
    struct cpu_threads *pool = p->dev->pool;
    switch (n->op) {
    case FTK_NODE_RELU:
        if (!p->nodes[n->in[0]].relu)
            cpu_parallel(pool, chunks, relu_chunk, s);
        break;
    case FTK_NODE_ADD:
        cpu_parallel(pool, chunks, add_chunk, s);
        break;
    case FTK_NODE_DROPOUT:
        if (s->run->dropout) {
            cpu_parallel(pool, s->run->b->count, draw_image, s);
            cpu_parallel(pool, chunks, keep_chunk, s);
        } else {
            memcpy(s->y, s->a, s->total * sizeof(*s->y));
        }
        break;
    case FTK_NODE_MAXPOOL:
    case FTK_NODE_AVGPOOL:
        cpu_parallel(pool, blocks * n->shape[0], pool_plane, s);
        break;
    case FTK_NODE_CONCAT:
        cpu_parallel(pool, blocks, concat_block, s);
        break;
    case FTK_NODE_PAD_CHANNELS:
        cpu_parallel(pool, blocks, pad_block, s);
        break;
    default: /* FLATTEN is its input; the loss is not a stream */
        break;
    }
    if (atomic_load(&s->bad))
        cpu_run_bad(s->run, n->index);
}

ftk_status cpu_forward(struct cpu_run *r)
{
    ftk_prog *p = r->p;
    ftk_status st = FTK_OK;
    if (cpu_lanes_load(p, r->b->x, r->b->count, p->nodes[0].elems, p->nodes[0].y))
        cpu_run_bad(r, 0);
    for (uint32_t i = 1; i + 1 < p->n_nodes && st == FTK_OK; i++) {
        struct cpu_node *n = &p->nodes[i];
        if (cpu_is_matmul(n)) {
            st = cpu_matmul_forward(r, n);
        } else if (n->op == FTK_NODE_BATCHNORM) {
            cpu_norm_forward(r, n);
        } else {
            struct stream s = { .run = r, .node = n, .a = p->nodes[n->in[0]].y, .y = n->y };
            s.b = n->in[1] == CPU_NONE ? NULL : p->nodes[n->in[1]].y;
            s.total = n->elems * p->kern->lanes * r->slices.blocks;
            run_stream(&s);
        }
    }
    return st;
}
