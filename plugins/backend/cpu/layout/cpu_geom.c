/* SPDX-License-Identifier: MIT
 * layout/cpu_geom.c - passes, tiles and packed offsets of a layer.
 *
 * Forward, destination row y reads source row y * stride - pad + ky.  With ky = q * stride + phase
 * the rows of one phase are packed side by side, and the tap is q rows further: stride 1 again.
 * Backward, the input rows y with the same (y + pad) mod stride see the same taps
 * ky = q * stride + phase, each from output row (y + pad - phase) / stride - q: a stride-1 problem
 * a phase, with its taps reversed.
 */
#include "layout/cpu_geom.h"

/* Strides of one convolution, multiplied: 64 x 64 is more than any patch embedding has. */
enum { MOST_PHASES = 4096 };

void cpu_slices_set(struct cpu_slices *s, uint32_t count, uint32_t lanes)
{
    const uint32_t parts = count / 16 + (count % 16 != 0);
    s->n = parts < CPU_MAX_SLICES ? parts : CPU_MAX_SLICES;
    s->blocks = count / lanes + (count % lanes != 0);
    s->last_valid = count - (s->blocks - 1) * lanes;
    for (uint32_t i = 0; i <= s->n; i++)
        s->first[i] = (uint32_t)((uint64_t)s->blocks * i / s->n);
}

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
    return a / b + (a % b != 0);
}

/* The tile that wastes least; the constant is what a weight costs beside its multiply-adds. */
static const struct cpu_tile *pick_tile(const struct cpu_kernels *kern, const uint32_t size[2])
{
    const struct cpu_tile *best = NULL;
    uint64_t best_cost = UINT64_MAX;
    for (uint32_t i = 0; i < kern->n_tiles; i++) {
        const struct cpu_tile *t = &kern->tiles[i];
        const uint64_t tiles =
            (uint64_t)ceil_div(size[CPU_Y], t->th) * ceil_div(size[CPU_X], t->tw);
        const uint64_t cost = tiles * (t->th * t->tw + 4u);
        if (cost < best_cost) {
            best = t;
            best_cost = cost;
        }
    }
    return best;
}

/* Sizes that follow from the taps of a sub along each axis. */
static ftk_status finish_sub(const struct cpu_target *t, const struct cpu_pass *p,
                             struct cpu_sub *s, const uint32_t taps[2], const char *name)
{
    const uint32_t tile[2] = { p->tile->th, p->tile->tw };
    uint64_t vecs = 1;
    for (int a = 0; a < 2; a++) {
        const uint32_t reach = taps[a] ? (taps[a] - 1) / p->src_step[a] : 0;
        s->phases[a] = taps[a] < p->src_step[a] ? (taps[a] ? taps[a] : 1) : p->src_step[a];
        s->packed[a] = tile[a] + reach;
        vecs *= (uint64_t)s->phases[a] * s->packed[a];
        if (vecs > UINT16_MAX)
            return t->host->fail(t->host, FTK_ENOTSUP,
                                 "layer '%s': a tile of its kernel takes %llu vectors, above %u",
                                 name, (unsigned long long)vecs, (unsigned)UINT16_MAX);
    }
    s->chan_vecs = (uint32_t)vecs;
    s->chan_block = (uint32_t)(t->tile_bytes / (vecs * t->kern->lanes * sizeof(float)));
    if (s->chan_block == 0)
        s->chan_block = 1;
    if (s->chan_block > p->src_c)
        s->chan_block = p->src_c;
    s->n_blocks = ceil_div(p->src_c, s->chan_block);
    return FTK_OK;
}

static ftk_status init_forward(struct cpu_geom *g, const struct cpu_target *t, const char *name)
{
    struct cpu_pass *p = &g->forward;
    p->src_c = g->in_c;
    p->dst_c = g->out_c;
    p->n_sub = 1;
    p->sub = t->host->alloc(t->host, sizeof(*p->sub));
    if (!p->sub)
        return FTK_ENOMEM;
    for (int a = 0; a < 2; a++) {
        p->src_step[a] = g->stride[a];
        p->dst_step[a] = 1;
        p->sub->src_origin[a] = -(int32_t)g->pad[a];
        p->sub->dst_count[a] = g->out[a];
    }
    const ftk_status st = finish_sub(t, p, p->sub, g->kernel, name);
    p->n_runs = p->sub->n_blocks * p->dst_c;
    return st;
}

/* What the input rows y = first, first + stride, ... see along one axis. */
static uint32_t back_axis(const struct cpu_geom *g, int a, uint32_t first, struct cpu_sub *s)
{
    const uint32_t stride = g->stride[a];
    const uint32_t phase = (first + g->pad[a]) % stride;
    const uint32_t base = (first + g->pad[a]) / stride;
    const uint32_t taps = phase < g->kernel[a] ? ceil_div(g->kernel[a] - phase, stride) : 0;
    s->dst_origin[a] = first;
    s->dst_count[a] = first < g->in[a] ? ceil_div(g->in[a] - first, stride) : 0;
    s->src_origin[a] = (int32_t)base - (int32_t)(taps ? taps - 1 : 0);
    return taps;
}

static ftk_status init_backward(struct cpu_geom *g, const struct cpu_target *t, const char *name)
{
    struct cpu_pass *p = &g->backward;
    p->src_c = g->out_c;
    p->dst_c = g->in_c;
    p->n_sub = g->stride[CPU_Y] * g->stride[CPU_X];
    p->sub = t->host->alloc(t->host, p->n_sub * sizeof(*p->sub));
    if (!p->sub)
        return FTK_ENOMEM;
    for (int a = 0; a < 2; a++) {
        p->src_step[a] = 1;
        p->dst_step[a] = g->stride[a];
    }
    uint64_t runs = 0;
    for (uint32_t i = 0; i < p->n_sub; i++) {
        struct cpu_sub *s = &p->sub[i];
        uint32_t taps[2];
        taps[CPU_Y] = back_axis(g, CPU_Y, i / g->stride[CPU_X], s);
        taps[CPU_X] = back_axis(g, CPU_X, i % g->stride[CPU_X], s);
        const ftk_status st = finish_sub(t, p, s, taps, name);
        if (st != FTK_OK)
            return st;
        runs += (uint64_t)s->n_blocks * p->dst_c;
    }
    if (runs > UINT32_MAX)
        return t->host->fail(t->host, FTK_ENOTSUP, "layer '%s': %llu lists are above %u", name,
                             (unsigned long long)runs, UINT32_MAX);
    p->n_runs = (uint32_t)runs;
    return FTK_OK;
}

static void set_tiles(struct cpu_geom *g, const struct cpu_target *t)
{
    uint32_t back[2];
    for (int a = 0; a < 2; a++)
        back[a] = ceil_div(g->in[a], g->stride[a]);
    if (g->linear) {
        const uint32_t lanes = t->kern->lanes;
        const uint32_t blocks[2] = { 1, ceil_div(t->max_batch, lanes) };
        g->forward.tile = pick_tile(t->kern, blocks);
        g->backward.tile = g->forward.tile;
        return;
    }
    g->forward.tile = pick_tile(t->kern, g->out);
    g->backward.tile = pick_tile(t->kern, back);
}

static ftk_status init_tables(struct cpu_geom *g, const ftk_host *host)
{
    const struct cpu_sub *s = g->forward.sub;
    const uint32_t n = s->chan_block * g->taps;
    g->full = host->alloc(host, n * sizeof(*g->full));
    g->decode = host->alloc(host, (size_t)s->chan_block * s->chan_vecs * sizeof(*g->decode));
    if (!g->full || !g->decode)
        return FTK_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t off = cpu_geom_offset(g, i / g->taps, i % g->taps);
        g->full[i] = (uint16_t)off;
        g->decode[off] = i;
    }
    return FTK_OK;
}

/* Weights, and the phases of the backward pass, of which each has its lists. */
static ftk_status count_weights(struct cpu_geom *g, const ftk_host *host, const char *name)
{
    const uint64_t pairs = (uint64_t)g->out_c * g->in_c;
    const uint64_t phases = (uint64_t)g->stride[CPU_Y] * g->stride[CPU_X];
    g->taps = g->kernel[CPU_Y] * g->kernel[CPU_X];
    if (__builtin_mul_overflow(pairs, g->taps, &g->n) || g->n > UINT32_MAX)
        return host->fail(host, FTK_ENOTSUP, "layer '%s': %u x %u x %u weights are above %u", name,
                          g->out_c, g->in_c, g->taps, UINT32_MAX);
    if (phases > MOST_PHASES)
        return host->fail(host, FTK_ENOTSUP, "layer '%s': a stride of %u x %u is above %d in all",
                          name, g->stride[CPU_Y], g->stride[CPU_X], MOST_PHASES);
    return FTK_OK;
}

ftk_status cpu_geom_init(struct cpu_geom *g, const struct cpu_target *t, const ftk_node *node,
                         const uint32_t in[3])
{
    g->linear = node->op == FTK_NODE_LINEAR;
    g->out_c = node->out_shape[0];
    g->in_c = g->linear ? in[0] * in[1] * in[2] : in[0];
    for (int a = 0; a < 2; a++) {
        g->kernel[a] = g->linear ? 1 : node->kernel[a];
        g->stride[a] = g->linear ? 1 : node->stride[a];
        g->pad[a] = g->linear ? 0 : node->pad[a];
        g->in[a] = g->linear ? 1 : in[1 + a];
        g->out[a] = g->linear ? 1 : node->out_shape[1 + a];
    }
    const char *name = node->name ? node->name : "";
    ftk_status st = count_weights(g, t->host, name);
    if (st != FTK_OK)
        return st;
    set_tiles(g, t);
    st = init_forward(g, t, name);
    if (st == FTK_OK)
        st = init_backward(g, t, name);
    if (st == FTK_OK)
        st = init_tables(g, t->host);
    return st;
}

void cpu_geom_done(struct cpu_geom *g, const ftk_host *host)
{
    host->free(host, g->forward.sub);
    host->free(host, g->backward.sub);
    host->free(host, g->full);
    host->free(host, g->decode);
}

uint32_t cpu_geom_offset(const struct cpu_geom *g, uint32_t c, uint32_t tap)
{
    const struct cpu_sub *s = g->forward.sub;
    const uint32_t ky = tap / g->kernel[CPU_X];
    const uint32_t kx = tap % g->kernel[CPU_X];
    const uint32_t phase = ky % g->stride[CPU_Y] * s->phases[CPU_X] + kx % g->stride[CPU_X];
    const uint32_t row = phase * s->packed[CPU_Y] + ky / g->stride[CPU_Y];
    return c * s->chan_vecs + row * s->packed[CPU_X] + kx / g->stride[CPU_X];
}

uint32_t cpu_geom_offset_back(const struct cpu_geom *g, uint32_t c, uint32_t tap, uint32_t *ret_sub)
{
    const uint32_t k[2] = { tap / g->kernel[CPU_X], tap % g->kernel[CPU_X] };
    uint32_t first[2];
    uint32_t at[2];
    for (int a = 0; a < 2; a++) {
        const uint32_t stride = g->stride[a];
        const uint32_t phase = k[a] % stride;
        const uint32_t taps = ceil_div(g->kernel[a] - phase, stride);
        first[a] = (phase + stride - g->pad[a] % stride) % stride;
        at[a] = taps - 1 - k[a] / stride;
    }
    *ret_sub = first[CPU_Y] * g->stride[CPU_X] + first[CPU_X];
    const struct cpu_sub *s = &g->backward.sub[*ret_sub];
    return c * s->chan_vecs + at[CPU_Y] * s->packed[CPU_X] + at[CPU_X];
}

size_t cpu_pass_pack_floats(const struct cpu_pass *p, uint32_t lanes)
{
    size_t most = 0;
    for (uint32_t i = 0; i < p->n_sub; i++) {
        const size_t n = (size_t)p->sub[i].chan_vecs * p->sub[i].chan_block * lanes;
        most = n > most ? n : most;
    }
    return most;
}

size_t cpu_pass_carry_floats(const struct cpu_pass *p, uint32_t lanes)
{
    return (size_t)p->dst_c * p->tile->th * p->tile->tw * lanes;
}
