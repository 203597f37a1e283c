/* SPDX-License-Identifier: MIT
 * program/cpu_dweight.c - the weight gradient of a layer, then its update.
 *
 * An item is (slice of the batch, range of output channels) and sums into its own buffer.  A linear
 * layer needs no slices: its ranges alone are enough items, and a tile then holds the whole batch.
 */
#include "program/cpu_prog.h"
#include <string.h>

struct dweight {
    struct cpu_run *run;
    struct cpu_node *node;
    struct cpu_job job;
    uint32_t slices, ranges;
    int full;      /* all n entries, canonical; else the active ones in kernel order */
    size_t stride; /* floats of a slice's buffer */
    atomic_int status;
};

static void clear_range(const struct dweight *d, uint32_t c0, uint32_t c1, float *dw)
{
    const struct cpu_geom *g = &d->node->geom;
    if (d->full) {
        const size_t row = (size_t)g->in_c * g->taps;
        memset(dw + c0 * row, 0, (c1 - c0) * row * sizeof(*dw));
        return;
    }
    for (uint32_t kb = 0; kb < g->forward.sub->n_blocks; kb++) {
        const uint32_t *ptr = d->job.ptr + (size_t)kb * g->out_c;
        memset(dw + ptr[c0], 0, (size_t)(ptr[c1] - ptr[c0]) * sizeof(*dw));
    }
}

static void dweight_item(void *arg, uint32_t item, uint32_t thread)
{
    struct dweight *d = arg;
    const struct cpu_geom *g = &d->node->geom;
    const struct cpu_slices *s = &d->run->slices;
    const uint32_t range = item % d->ranges;
    const uint32_t slice = item / d->ranges;
    const uint32_t c0 = (uint32_t)((uint64_t)g->out_c * range / d->ranges);
    const uint32_t c1 = (uint32_t)((uint64_t)g->out_c * (range + 1) / d->ranges);
    uint32_t images[2] = { 0, 1 };
    float *dw = d->run->p->slices + slice * d->stride;
    if (!g->linear) {
        images[0] = s->first[slice];
        images[1] = s->first[slice + 1];
    }
    clear_range(d, c0, c1, dw);
    g->forward.tile->dweight(&d->job, images, c0, c1, &d->run->p->scratch[thread], dw);
}

static void dense_item(void *arg, uint32_t item, uint32_t thread)
{
    struct dweight *d = arg;
    struct cpu_node *n = d->node;
    (void)thread;
    const ftk_status st =
        cpu_dense_dweight(n->dense, &d->run->slices, item, d->run->p->nodes[n->in[0]].y, n->dy,
                          d->run->p->slices + item * d->stride);
    if (st != FTK_OK)
        atomic_store(&d->status, st);
}

/* A dense linear layer: the batch as two matrices, a block an item. */
static void images_item(void *arg, uint32_t block, uint32_t thread)
{
    const struct dweight *d = arg;
    const ftk_prog *p = d->run->p;
    const struct cpu_node *n = d->node;
    const size_t in = (size_t)n->geom.in_c * p->kern->lanes;
    const size_t out = (size_t)n->geom.out_c * p->kern->lanes;
    float *x = p->images;
    float *dy = x + in * d->run->slices.blocks;
    (void)thread;
    p->kern->to_images(p->nodes[n->in[0]].y + block * in, n->geom.in_c, 1, x + block * in);
    p->kern->to_images(n->dy + block * out, n->geom.out_c, 1, dy + block * out);
}

static void product_item(void *arg, uint32_t range, uint32_t thread)
{
    struct dweight *d = arg;
    const ftk_prog *p = d->run->p;
    const struct cpu_geom *g = &d->node->geom;
    const uint32_t images = d->run->slices.blocks * p->kern->lanes;
    const uint32_t c0 = (uint32_t)((uint64_t)g->out_c * range / d->ranges);
    const uint32_t c1 = (uint32_t)((uint64_t)g->out_c * (range + 1) / d->ranges);
    const float *dy = p->images + (size_t)g->in_c * images;
    (void)thread;
    const ftk_status st = cpu_dense_product(g, images, c0, c1, p->images, dy, p->slices);
    if (st != FTK_OK)
        atomic_store(&d->status, st);
}

static uint32_t ranges_of(const struct cpu_geom *g)
{
    const uint32_t least = g->linear ? 8 : 32;
    const uint32_t most = g->linear ? 16 : 4;
    const uint32_t n = g->out_c / least;
    return n < 1 ? 1 : (n < most ? n : most);
}

/* The buffers of all slices; a gradient of all entries may need more than before. */
static ftk_status fit_slices(ftk_prog *p, const struct cpu_node *n, size_t need)
{
    const ftk_host *h = p->host;
    if (need <= p->slices_floats)
        return FTK_OK;
    float *more = h->alloc(h, need * sizeof(*more));
    if (!more)
        return h->fail(h, FTK_ENOMEM, "layer '%s': no memory for its dense gradient", n->name);
    h->free(h, p->slices);
    p->slices = more;
    p->slices_floats = need;
    return FTK_OK;
}

static ftk_status fit_grad(struct cpu_run *r, struct cpu_node *n)
{
    const ftk_host *h = r->p->host;
    if (n->layer == CPU_NONE || !r->keep_grad || n->weights.grad)
        return FTK_OK;
    n->weights.grad = h->alloc(h, n->weights.n * sizeof(float));
    if (n->weights.grad)
        return FTK_OK;
    return h->fail(h, FTK_ENOMEM, "layer '%s': no memory to keep its gradient", n->name);
}

static ftk_status dense_gradient(struct dweight *d)
{
    struct cpu_threads *pool = d->run->p->dev->pool;
    if (d->node->geom.linear) {
        cpu_parallel(pool, d->run->slices.blocks, images_item, d);
        cpu_parallel(pool, d->ranges, product_item, d);
    } else {
        cpu_parallel(pool, d->slices, dense_item, d);
    }
    return (ftk_status)atomic_load(&d->status);
}

static ftk_status lists_gradient(struct dweight *d)
{
    cpu_matmul_job(d->run, d->node, 0, &d->job);
    d->job.dst.base = d->node->dy;
    if (d->full) {
        d->job.ptr = NULL;
        d->job.off = d->node->geom.full;
    }
    cpu_parallel(d->run->p->dev->pool, d->slices * d->ranges, dweight_item, d);
    return FTK_OK;
}

ftk_status cpu_matmul_update(struct cpu_run *r, struct cpu_node *n)
{
    ftk_prog *p = r->p;
    const struct cpu_weights *w = &n->weights;
    const int dense = w->format == CPU_FORMAT_DENSE;
    struct dweight d = { .run = r, .node = n };
    d.full = dense || w->m_all || (r->keep_grad && n->layer != CPU_NONE);
    d.stride = d.full ? w->n : w->nnz;
    d.slices = n->geom.linear ? 1 : r->slices.n;
    d.ranges = ranges_of(&n->geom);
    ftk_status st = fit_grad(r, n);
    if (st == FTK_OK)
        st = fit_slices(p, n, d.stride * d.slices);
    if (st != FTK_OK)
        return st;
    st = dense ? dense_gradient(&d) : lists_gradient(&d);
    if (st != FTK_OK)
        return p->host->fail(p->host, st, "layer '%s': oneDNN failed", n->name);
    return cpu_weights_update(r, n, d.slices, d.full);
}
