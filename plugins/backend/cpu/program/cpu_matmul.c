/* SPDX-License-Identifier: MIT
 * program/cpu_matmul.c - forward and backward-data of linear and convolution layers.
 */
#include "program/cpu_prog.h"

/* A pass as a parallel loop; an item is (image, tile row, tile column, range of channels). */
struct matmul {
    struct cpu_run *run;
    struct cpu_node *node;
    struct cpu_job job;
    const struct cpu_tile *tile;
    uint32_t images, tiles[2], ranges;
    const float *x; /* oneDNN: source and destination of the whole pass */
    float *y;
    atomic_int bad, status;
};

static struct cpu_view view_of(const struct cpu_run *r, const struct cpu_geom *g, float *base,
                               int out)
{
    const uint32_t *size = out ? g->out : g->in;
    const size_t c = out ? g->out_c : g->in_c;
    struct cpu_view v = { .base = base, .h = size[CPU_Y], .w = size[CPU_X] };
    v.row = v.w;
    v.chan = (size_t)v.h * v.w;
    v.image = c * v.chan;
    v.col = 1;
    if (g->linear) {
        v.w = r->slices.blocks;
        v.col = c;
        v.row = 0;
    }
    return v;
}

void cpu_matmul_job(const struct cpu_run *r, const struct cpu_node *n, int backward,
                    struct cpu_job *ret)
{
    const struct cpu_geom *g = &n->geom;
    const struct cpu_pass *p = backward ? &g->backward : &g->forward;
    struct cpu_node *in = &r->p->nodes[n->in[0]];
    ret->sub = p->sub;
    ret->src = backward ? view_of(r, g, n->dy, 1) : view_of(r, g, in->y, 0);
    ret->dst = backward ? view_of(r, g, in->dy, 0) : view_of(r, g, n->y, 1);
    ret->src_c = p->src_c;
    ret->dst_c = p->dst_c;
    ret->ptr = backward ? n->weights.back_ptr : n->weights.ptr;
    ret->off = backward ? n->weights.back_off : n->weights.off;
    ret->w = backward ? r->p->back_w : n->weights.w;
    ret->bias = backward ? NULL : n->bias.w;
    ret->mask = NULL;
    ret->relu = !backward && n->relu;
    ret->taps = g->taps;
    for (int a = 0; a < 2; a++) {
        ret->src_step[a] = p->src_step[a];
        ret->dst_step[a] = p->dst_step[a];
        ret->dst_count[a] = p->sub->dst_count[a];
    }
    if (g->linear)
        ret->dst_count[CPU_X] = r->slices.blocks;
}

static void run_tile(void *arg, uint32_t item, uint32_t thread)
{
    struct matmul *m = arg;
    const uint32_t range = item % m->ranges;
    const uint32_t c0 = (uint32_t)((uint64_t)m->job.dst_c * range / m->ranges);
    const uint32_t c1 = (uint32_t)((uint64_t)m->job.dst_c * (range + 1) / m->ranges);
    uint32_t at[3];
    item /= m->ranges;
    at[2] = item % m->tiles[CPU_X] * m->tile->tw;
    item /= m->tiles[CPU_X];
    at[1] = item % m->tiles[CPU_Y] * m->tile->th;
    at[0] = item / m->tiles[CPU_Y];
    if (m->tile->forward(&m->job, at, c0, c1, &m->run->p->scratch[thread]))
        atomic_store(&m->bad, 1);
}

/* Enough items for the threads, each packing a tile for at least a few channels. */
static uint32_t ranges_of(uint64_t tiles, uint32_t channels)
{
    const uint64_t want = tiles ? (16 + tiles - 1) / tiles : 1;
    const uint32_t most = channels < 16 ? 1 : channels / 8;
    return want < most ? (uint32_t)want : most;
}

static void run_sub(struct matmul *m)
{
    const uint32_t size[2] = { m->tile->th, m->tile->tw };
    for (int a = 0; a < 2; a++)
        m->tiles[a] = (m->job.dst_count[a] + size[a] - 1) / size[a];
    const uint64_t tiles = (uint64_t)m->images * m->tiles[CPU_Y] * m->tiles[CPU_X];
    m->ranges = ranges_of(tiles, m->job.dst_c);
    cpu_parallel(m->run->p->dev->pool, (uint32_t)(tiles * m->ranges), run_tile, m);
}

static void dense_forward(void *arg, uint32_t item, uint32_t thread)
{
    struct matmul *m = arg;
    (void)thread;
    const ftk_status st = cpu_dense_forward(m->node->dense, &m->run->slices, item, m->x,
                                            m->node->bias.w, (int)m->node->relu, m->y, &m->bad);
    if (st != FTK_OK)
        atomic_store(&m->status, st);
}

static void dense_backward(void *arg, uint32_t item, uint32_t thread)
{
    struct matmul *m = arg;
    (void)thread;
    const ftk_status st = cpu_dense_backward(m->node->dense, &m->run->slices, item, m->x, m->y);
    if (st != FTK_OK)
        atomic_store(&m->status, st);
}

static ftk_status dense_failed(const struct cpu_run *r, const struct cpu_node *n, ftk_status st)
{
    if (st == FTK_OK)
        return FTK_OK;
    return r->p->host->fail(r->p->host, st, "layer '%s': oneDNN failed on %u images", n->name,
                            r->b->count);
}

ftk_status cpu_matmul_forward(struct cpu_run *r, struct cpu_node *n)
{
    ftk_prog *p = r->p;
    struct matmul m = { .run = r, .node = n, .tile = n->geom.forward.tile };
    m.x = p->nodes[n->in[0]].y;
    m.y = n->y;
    ftk_status st = FTK_OK;
    if (n->weights.format == CPU_FORMAT_DENSE) {
        st = cpu_dense_prepare(n->dense, &r->slices);
        if (st == FTK_OK)
            st = cpu_dense_weights(n->dense, &r->slices, n->weights.w);
        if (st == FTK_OK) {
            cpu_parallel(p->dev->pool, r->slices.n, dense_forward, &m);
            st = (ftk_status)atomic_load(&m.status);
        }
    } else {
        cpu_matmul_job(r, n, 0, &m.job);
        m.images = n->geom.linear ? 1 : r->slices.blocks;
        run_sub(&m);
    }
    if (atomic_load(&m.bad))
        cpu_run_bad(r, n->index);
    return dense_failed(r, n, st);
}

struct gather {
    const struct cpu_weights *x;
    float *to;
};

enum { GATHER_CHUNK = 16384 };

static void gather_chunk(void *arg, uint32_t item, uint32_t thread)
{
    const struct gather *g = arg;
    const uint64_t first = (uint64_t)item * GATHER_CHUNK;
    uint64_t end = first + GATHER_CHUNK;
    (void)thread;
    end = end < g->x->nnz ? end : g->x->nnz;
    for (uint64_t k = first; k < end; k++)
        g->to[k] = g->x->w[g->x->back_perm[k]];
}

static void lists_backward(struct cpu_run *r, struct cpu_node *n, float *dx)
{
    ftk_prog *p = r->p;
    const struct cpu_pass *pass = &n->geom.backward;
    struct matmul m = { .run = r, .node = n, .tile = pass->tile };
    struct gather g = { .x = &n->weights, .to = p->back_w };
    const uint64_t chunks = (n->weights.nnz + GATHER_CHUNK - 1) / GATHER_CHUNK;
    cpu_parallel(p->dev->pool, (uint32_t)chunks, gather_chunk, &g);
    cpu_matmul_job(r, n, 1, &m.job);
    m.job.dst.base = dx;
    struct cpu_node *in = &p->nodes[n->in[0]];
    in->masked = (uint32_t)cpu_may_mask(in);
    m.job.mask = in->masked ? in->y : NULL;
    m.images = n->geom.linear ? 1 : r->slices.blocks;
    const uint32_t *ptr = m.job.ptr;
    for (uint32_t i = 0; i < pass->n_sub; i++) {
        m.job.sub = &pass->sub[i];
        m.job.ptr = ptr;
        if (!n->geom.linear) {
            m.job.dst_count[CPU_Y] = m.job.sub->dst_count[CPU_Y];
            m.job.dst_count[CPU_X] = m.job.sub->dst_count[CPU_X];
        }
        run_sub(&m);
        ptr += (size_t)m.job.sub->n_blocks * pass->dst_c;
    }
}

ftk_status cpu_matmul_backward(struct cpu_run *r, struct cpu_node *n, float *dx)
{
    struct matmul m = { .run = r, .node = n, .x = n->dy, .y = dx };
    if (n->weights.format == CPU_FORMAT_LISTS) {
        lists_backward(r, n, dx);
        return FTK_OK;
    }
    cpu_parallel(r->p->dev->pool, r->slices.n, dense_backward, &m);
    return dense_failed(r, n, (ftk_status)atomic_load(&m.status));
}
