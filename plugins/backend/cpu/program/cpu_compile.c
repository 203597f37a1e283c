/* SPDX-License-Identifier: MIT
 * program/cpu_compile.c - from a node list to a program with its memory.
 */
#include "dispatch/cpu_choose.h"
#include "program/cpu_prog.h"
#include <stdio.h>
#include <string.h>

static void *zalloc(const ftk_prog *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n ? n : 1, size, &bytes))
        return NULL;
    return p->host->alloc(p->host, bytes);
}

static ftk_status vector_init(const ftk_prog *p, struct cpu_vector *v, uint32_t n, uint32_t decays)
{
    v->w = zalloc(p, n, sizeof(*v->w));
    v->m = zalloc(p, n, sizeof(*v->m));
    if (p->optimiser != FTK_OPT_SGD)
        v->m2 = zalloc(p, n, sizeof(*v->m2));
    v->n = n;
    v->decays = decays;
    return v->w && v->m && (v->m2 || p->optimiser == FTK_OPT_SGD) ? FTK_OK : FTK_ENOMEM;
}

static ftk_status grow_floats(const ftk_prog *p, float **buffer, size_t *have, size_t need)
{
    if (need <= *have)
        return FTK_OK;
    float *more = zalloc(p, need, sizeof(*more));
    if (!more)
        return FTK_ENOMEM;
    p->host->free(p->host, *buffer);
    *buffer = more;
    *have = need;
    return FTK_OK;
}

static ftk_status fit_dense(ftk_prog *p, struct cpu_node *n)
{
    struct cpu_slices s;
    ftk_status st = FTK_OK;
    if (!n->dense)
        st = cpu_dense_new(p->lib, &n->geom, &n->dense);
    cpu_slices_set(&s, p->max_batch, p->kern->lanes);
    if (st == FTK_OK)
        st = cpu_dense_prepare(n->dense, &s);
    const size_t row = (size_t)n->geom.in_c + n->geom.out_c;
    if (st == FTK_OK && n->geom.linear)
        st = grow_floats(p, &p->images, &p->images_floats, row * s.blocks * p->kern->lanes);
    return st;
}

/* Buffers that layers share: weight gradients by slice, weights for the backward lists. */
static ftk_status fit_shared(ftk_prog *p, const struct cpu_node *n, uint64_t nnz, uint32_t format)
{
    struct cpu_slices s;
    cpu_slices_set(&s, p->max_batch, p->kern->lanes);
    const int full = format == CPU_FORMAT_DENSE || (p->flags & FTK_BUILD_DENSE_MOMENTUM);
    const size_t stored = full ? n->geom.n : nnz;
    ftk_status st = grow_floats(p, &p->slices, &p->slices_floats, stored * s.n);
    if (st == FTK_OK && format == CPU_FORMAT_LISTS)
        st = grow_floats(p, &p->back_w, &p->back_floats, nnz);
    return st;
}

ftk_status cpu_prog_assign(ftk_prog *p, struct cpu_node *n, const uint64_t *bits, uint64_t nnz,
                           const float *w, const float *m, const float *m2)
{
    const uint32_t format = cpu_choose_format(&n->geom, nnz, p->dev->format);
    ftk_status st = fit_shared(p, n, nnz, format);
    if (st == FTK_OK && format == CPU_FORMAT_DENSE)
        st = fit_dense(p, n);
    if (st == FTK_OK)
        st = cpu_weights_assign(&n->weights, bits, nnz, format, w, m, m2);
    if (st == FTK_OK && format == CPU_FORMAT_LISTS) {
        cpu_dense_free(n->dense);
        n->dense = NULL;
    }
    return st;
}

static ftk_status matmul_init(ftk_prog *p, struct cpu_node *n, const ftk_node *def)
{
    const uint32_t decay = !(n->flags & FTK_NODE_NO_DECAY);
    const struct cpu_target target = { .host = p->host,
                                       .kern = p->kern,
                                       .tile_bytes = p->dev->tile_bytes,
                                       .max_batch = p->max_batch };
    ftk_status st = cpu_geom_init(&n->geom, &target, def, p->nodes[n->in[0]].shape);
    if (st != FTK_OK)
        return st;
    const uint32_t format = cpu_choose_format(&n->geom, n->geom.n, p->dev->format);
    const int all = n->layer != CPU_NONE && (p->flags & FTK_BUILD_DENSE_MOMENTUM);
    st = cpu_weights_init(&n->weights, p->host, &n->geom, format, all, p->optimiser != FTK_OPT_SGD);
    if (st == FTK_OK)
        st = fit_shared(p, n, n->geom.n, format);
    if (st == FTK_OK && format == CPU_FORMAT_DENSE)
        st = fit_dense(p, n);
    if (st == FTK_OK && (n->flags & FTK_NODE_BIAS)) {
        st = vector_init(p, &n->bias, n->geom.out_c, decay && !(n->flags & FTK_NODE_NO_DECAY_BIAS));
        n->sum = zalloc(p, n->geom.out_c, sizeof(*n->sum));
        if (!n->sum)
            st = FTK_ENOMEM;
    }
    return st;
}

static ftk_status norm_init(ftk_prog *p, struct cpu_node *n)
{
    const uint32_t c = n->shape[0];
    const uint32_t decay = !(n->flags & FTK_NODE_NO_DECAY);
    ftk_status st = vector_init(p, &n->gamma, c, decay);
    if (st == FTK_OK)
        st = vector_init(p, &n->bias, c, decay && !(n->flags & FTK_NODE_NO_DECAY_BIAS));
    n->bn_mean = zalloc(p, c, sizeof(float));
    n->bn_var = zalloc(p, c, sizeof(float));
    n->bn_centre = zalloc(p, c, sizeof(float));
    n->bn_scale = zalloc(p, c, sizeof(float));
    n->sum = zalloc(p, 2 * (size_t)c, sizeof(*n->sum));
    if (!n->bn_mean || !n->bn_var || !n->bn_centre || !n->bn_scale || !n->sum)
        st = FTK_ENOMEM;
    return st;
}

static void pool_init(const ftk_prog *p, struct cpu_node *n, const ftk_node *def)
{
    const uint32_t *in = p->nodes[n->in[0]].shape;
    for (int a = 0; a < 2; a++) {
        n->pool.in[a] = in[1 + a];
        n->pool.out[a] = n->shape[1 + a];
        n->pool.kernel[a] = def->kernel[a];
        n->pool.stride[a] = def->stride[a] ? def->stride[a] : 1;
        n->pool.pad[a] = def->pad[a];
    }
}

/* What a node is and reads; nothing is allocated. */
static void node_set(ftk_prog *p, uint32_t i, const ftk_node *def)
{
    struct cpu_node *n = &p->nodes[i];
    const int two = def->op == FTK_NODE_ADD || def->op == FTK_NODE_CONCAT;
    const uint32_t n_in = def->op == FTK_NODE_INPUT ? 0 : (two ? 2 : 1);
    n->op = def->op;
    n->index = i;
    n->flags = def->flags;
    n->slot = CPU_NONE;
    n->layer = CPU_NONE;
    memcpy(n->shape, def->out_shape, sizeof(n->shape));
    memcpy(n->scalar, def->scalar, sizeof(n->scalar));
    snprintf(n->name, sizeof(n->name), "%s", def->name ? def->name : "");
    n->elems = (size_t)n->shape[0] * n->shape[1] * n->shape[2];
    for (uint32_t k = 0; k < 2; k++) {
        n->in[k] = k < n_in ? def->in[k] : CPU_NONE;
        if (k < n_in) {
            p->nodes[n->in[k]].users++;
            n->trains |= p->nodes[n->in[k]].trains;
        }
    }
    if (def->sparse) {
        n->layer = p->n_layers;
        p->layers[p->n_layers++] = i;
    }
    n->trains |= cpu_is_matmul(n) || n->op == FTK_NODE_BATCHNORM;
}

static ftk_status node_build(ftk_prog *p, uint32_t i, const ftk_node *def)
{
    struct cpu_node *n = &p->nodes[i];
    const size_t blocks = ((size_t)p->max_batch + p->kern->lanes - 1) / p->kern->lanes;
    if (cpu_is_matmul(n))
        return matmul_init(p, n, def);
    if (n->op == FTK_NODE_BATCHNORM)
        return norm_init(p, n);
    if (n->op == FTK_NODE_DROPOUT) {
        n->keep = zalloc(p, blocks * p->kern->lanes, n->elems);
        return n->keep ? FTK_OK : FTK_ENOMEM;
    }
    if (n->op == FTK_NODE_MAXPOOL || n->op == FTK_NODE_AVGPOOL || n->op == FTK_NODE_PAD_CHANNELS)
        pool_init(p, n, def);
    return FTK_OK;
}

static void list_tensor(ftk_prog *p, uint32_t role, uint32_t node)
{
    ftk_tensor *t = &p->tensors[p->n_tensors++];
    t->size = sizeof(*t);
    t->role = role;
    t->node = node;
}

static ftk_status list_tensors(ftk_prog *p)
{
    p->tensors = zalloc(p, 8 * (size_t)p->n_nodes, sizeof(*p->tensors));
    if (!p->tensors)
        return FTK_ENOMEM;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const struct cpu_node *n = &p->nodes[i];
        const int weight = cpu_is_matmul(n) || n->gamma.n;
        if (weight)
            list_tensor(p, FTK_TENSOR_WEIGHT, i);
        if (n->bias.n)
            list_tensor(p, FTK_TENSOR_BIAS, i);
        if (n->op == FTK_NODE_BATCHNORM) {
            list_tensor(p, FTK_TENSOR_BN_MEAN, i);
            list_tensor(p, FTK_TENSOR_BN_VAR, i);
        }
        if (weight)
            list_tensor(p, FTK_TENSOR_MOMENT1 | FTK_TENSOR_WEIGHT, i);
        if (n->bias.n)
            list_tensor(p, FTK_TENSOR_MOMENT1 | FTK_TENSOR_BIAS, i);
        if (p->optimiser == FTK_OPT_SGD)
            continue;
        if (weight)
            list_tensor(p, FTK_TENSOR_MOMENT2 | FTK_TENSOR_WEIGHT, i);
        if (n->bias.n)
            list_tensor(p, FTK_TENSOR_MOMENT2 | FTK_TENSOR_BIAS, i);
    }
    return FTK_OK;
}

static ftk_status scratch_init(ftk_prog *p)
{
    size_t pack = 64;
    size_t carry = 64;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        if (!cpu_is_matmul(&p->nodes[i]))
            continue;
        const struct cpu_pass *pass[2] = { &p->nodes[i].geom.forward, &p->nodes[i].geom.backward };
        for (int k = 0; k < 2; k++) {
            const size_t a = cpu_pass_pack_floats(pass[k], p->kern->lanes);
            const size_t b = cpu_pass_carry_floats(pass[k], p->kern->lanes);
            pack = a > pack ? a : pack;
            carry = b > carry ? b : carry;
        }
    }
    p->scratch = zalloc(p, p->dev->threads, sizeof(*p->scratch));
    if (!p->scratch)
        return FTK_ENOMEM;
    for (uint32_t t = 0; t < p->dev->threads; t++) {
        p->scratch[t].pack = zalloc(p, pack, sizeof(float));
        p->scratch[t].carry = zalloc(p, carry, sizeof(float));
        if (!p->scratch[t].pack || !p->scratch[t].carry)
            return FTK_ENOMEM;
    }
    return FTK_OK;
}

static ftk_status read_init(ftk_prog *p)
{
    p->read_index = zalloc(p, CPU_READ_CAP, sizeof(*p->read_index));
    int done = p->read_index != NULL;
    for (int i = 0; i < 3; i++) {
        p->read_value[i] = zalloc(p, CPU_READ_CAP, sizeof(float));
        done = done && p->read_value[i];
    }
    p->loss = zalloc(p, p->max_batch, sizeof(*p->loss));
    p->hit = zalloc(p, p->max_batch, sizeof(*p->hit));
    return done && p->loss && p->hit ? FTK_OK : FTK_ENOMEM;
}

static ftk_status fill(ftk_prog *p, const ftk_build *b)
{
    p->nodes = zalloc(p, b->n_nodes, sizeof(*p->nodes));
    p->layers = zalloc(p, b->n_nodes, sizeof(*p->layers));
    if (!p->nodes || !p->layers)
        return FTK_ENOMEM;
    p->n_nodes = b->n_nodes;
    for (uint32_t i = 0; i < b->n_nodes; i++)
        node_set(p, i, b->nodes[i]);
    ftk_status st = cpu_arena_plan(p);
    if (st == FTK_OK)
        st = cpu_dense_open(p->host, p->kern, &p->lib);
    for (uint32_t i = 0; i < b->n_nodes && st == FTK_OK; i++)
        st = node_build(p, i, b->nodes[i]);
    if (st == FTK_OK)
        st = list_tensors(p);
    if (st == FTK_OK)
        st = scratch_init(p);
    if (st == FTK_OK)
        st = read_init(p);
    if (st == FTK_OK)
        st = cpu_text_init(p);
    return st;
}

/* Kernels follow from the state by rule, so what this backend said before needs no obeying. */
static void judge_kernels(const ftk_dev *d, const ftk_build *b)
{
    char mine[64];
    if (!FTK_HAS(b, kernels))
        return;
    const int n = snprintf(mine, sizeof(mine), "cpu %s\n", d->kern->name);
    if (n > 0 && strncmp(b->kernels, mine, (size_t)n) != 0)
        d->host->log(d->host, FTK_INFO, "kernel choices of another backend or ISA are ignored");
}

ftk_status cpu_compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    const ftk_host *h = d->host;
    ftk_status st = cpu_check_graph(h, b);
    if (st != FTK_OK)
        return st;
    judge_kernels(d, b);
    ftk_prog *p = h->alloc(h, sizeof(*p));
    if (!p)
        return h->fail(h, FTK_ENOMEM, "no memory for a model of %u nodes", b->n_nodes);
    p->host = h;
    p->dev = d;
    p->kern = d->kern;
    p->max_batch = b->max_batch;
    p->channels = b->channels;
    p->flags = b->flags;
    p->optimiser = b->optimiser;
    p->stats.bad_node = -1;
    st = fill(p, b);
    if (st != FTK_OK) {
        cpu_release(p);
        if (st == FTK_ENOMEM)
            return h->fail(h, st, "no memory for a model of %u nodes at batch %u", b->n_nodes,
                           b->max_batch);
        return st;
    }
    *ret = p;
    return FTK_OK;
}

static void node_done(const ftk_host *h, struct cpu_node *n)
{
    cpu_dense_free(n->dense);
    cpu_weights_done(&n->weights);
    cpu_geom_done(&n->geom, h);
    h->free(h, n->gamma.w);
    h->free(h, n->gamma.m);
    h->free(h, n->gamma.m2);
    h->free(h, n->bias.w);
    h->free(h, n->bias.m);
    h->free(h, n->bias.m2);
    h->free(h, n->bn_mean);
    h->free(h, n->bn_var);
    h->free(h, n->bn_centre);
    h->free(h, n->bn_scale);
    h->free(h, n->sum);
    h->free(h, n->keep);
}

void cpu_release(ftk_prog *p)
{
    if (!p)
        return;
    const ftk_host *h = p->host;
    for (uint32_t i = 0; p->nodes && i < p->n_nodes; i++)
        node_done(h, &p->nodes[i]);
    for (uint32_t t = 0; p->scratch && t < p->dev->threads; t++) {
        h->free(h, p->scratch[t].pack);
        h->free(h, p->scratch[t].carry);
    }
    for (int i = 0; i < 3; i++)
        h->free(h, p->read_value[i]);
    cpu_dense_close(p->lib);
    h->free(h, p->scratch);
    h->free(h, p->nodes);
    h->free(h, p->layers);
    h->free(h, p->tensors);
    h->free(h, p->arena);
    h->free(h, p->slices);
    h->free(h, p->back_w);
    h->free(h, p->images);
    h->free(h, p->loss);
    h->free(h, p->hit);
    h->free(h, p->read_index);
    h->free(h, p->text);
    h->free(h, p);
}
