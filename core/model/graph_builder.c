/* SPDX-License-Identifier: MIT
 * model/graph_builder.c - appends nodes to a model and infers their output shapes.
 */
#include "base/str.h"
#include "model/graph_builder.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { CHANNELS = 0, HEIGHT = 1, WIDTH = 2, FIRST_CAP = 64, NAME_CAP = 96 };

static uint32_t give_up(struct ftk__graph *g, ftk_status st)
{
    g->status = st;
    return FTK__NO_NODE;
}

static uint32_t no_memory(struct ftk__graph *g)
{
    return give_up(g, ftk__fail(g->reterr, FTK_ENOMEM, "out of memory for the node list"));
}

static const ftk_node *input_of(const struct ftk__graph *g, const ftk_node *n, uint32_t which)
{
    return n->in[which] < g->model->n_nodes ? g->model->nodes[n->in[which]] : NULL;
}

/* Output size of a sliding window, rounded down as PyTorch does. */
static ftk_status slide(struct ftk__graph *g, ftk_node *n, const ftk_node *in)
{
    for (uint32_t d = 0; d < 2; d++) {
        uint64_t padded = (uint64_t)in->out_shape[HEIGHT + d] + 2 * (uint64_t)n->pad[d];
        if (n->kernel[d] == 0 || n->stride[d] == 0)
            return ftk__fail(g->reterr, FTK_EINTERNAL, "node '%s': kernel or stride is 0", n->name);
        if (n->kernel[d] > padded)
            return ftk__fail(g->reterr, FTK_EINVAL,
                             "node '%s' of model '%s': a %ux%u window does not fit its %ux%u "
                             "input; the images are too small",
                             n->name, g->model->name, n->kernel[0], n->kernel[1],
                             in->out_shape[HEIGHT], in->out_shape[WIDTH]);
        n->out_shape[HEIGHT + d] = (uint32_t)((padded - n->kernel[d]) / n->stride[d] + 1);
    }
    return FTK_OK;
}

static ftk_status same_size(struct ftk__graph *g, const ftk_node *n, const ftk_node *a,
                            const ftk_node *b)
{
    bool channels = n->op == FTK_NODE_CONCAT || a->out_shape[CHANNELS] == b->out_shape[CHANNELS];
    if (channels && a->out_shape[HEIGHT] == b->out_shape[HEIGHT] &&
        a->out_shape[WIDTH] == b->out_shape[WIDTH])
        return FTK_OK;
    return ftk__fail(g->reterr, FTK_EINVAL,
                     "node '%s': inputs '%s' (%ux%ux%u) and '%s' (%ux%ux%u) do not match", n->name,
                     a->name, a->out_shape[0], a->out_shape[1], a->out_shape[2], b->name,
                     b->out_shape[0], b->out_shape[1], b->out_shape[2]);
}

/* Fills n->out_shape; out_shape[0] holds the channels asked for where the op chooses them. */
static ftk_status infer_shape(struct ftk__graph *g, ftk_node *n)
{
    const ftk_node *in = input_of(g, n, 0);
    const ftk_node *second = input_of(g, n, 1);
    bool two = n->op == FTK_NODE_ADD || n->op == FTK_NODE_CONCAT;
    if (n->op == FTK_NODE_INPUT)
        return FTK_OK;
    if (!in || two != (second != NULL))
        return ftk__fail(g->reterr, FTK_EINTERNAL, "node '%s' lacks an input or has too many",
                         n->name);
    uint32_t asked = n->out_shape[CHANNELS];
    for (uint32_t d = 0; d < 3; d++)
        n->out_shape[d] = in->out_shape[d];
    switch (n->op) {
    case FTK_NODE_CONV2D:
    case FTK_NODE_PAD_CHANNELS:
        n->out_shape[CHANNELS] = asked;
        return slide(g, n, in);
    case FTK_NODE_MAXPOOL:
    case FTK_NODE_AVGPOOL:
        return slide(g, n, in);
    case FTK_NODE_LINEAR:
    case FTK_NODE_FLATTEN: {
        uint32_t all = in->out_shape[0] * in->out_shape[1] * in->out_shape[2];
        n->out_shape[CHANNELS] = n->op == FTK_NODE_LINEAR ? asked : all;
        n->out_shape[HEIGHT] = 1;
        n->out_shape[WIDTH] = 1;
        return FTK_OK;
    }
    case FTK_NODE_ADD:
        return same_size(g, n, in, second);
    case FTK_NODE_CONCAT:
        n->out_shape[CHANNELS] += second->out_shape[CHANNELS];
        return same_size(g, n, in, second);
    default:
        return FTK_OK;
    }
}

/* A sample's output must be countable in 31 bits: backends index it with int32. */
static ftk_status check_size(struct ftk__graph *g, const ftk_node *n)
{
    const uint32_t *s = n->out_shape;
    uint64_t floats;
    if (!__builtin_mul_overflow((uint64_t)s[0] * s[1], (uint64_t)s[2], &floats) && floats > 0 &&
        floats <= INT32_MAX)
        return FTK_OK;
    return ftk__fail(g->reterr, FTK_EINVAL,
                     "node '%s' of model '%s': an output of %ux%ux%u is not within 1 to %d values",
                     n->name, g->model->name, s[0], s[1], s[2], INT32_MAX);
}

static void set_decay(const struct ftk__graph *g, ftk_node *n)
{
    if (n->op == FTK_NODE_BATCHNORM && !g->decay_bn)
        n->flags |= FTK_NODE_NO_DECAY;
    bool has_bias = n->op == FTK_NODE_BATCHNORM || (n->flags & FTK_NODE_BIAS) != 0;
    if (has_bias && !g->decay_bias)
        n->flags |= FTK_NODE_NO_DECAY_BIAS;
}

/* Makes room for one more; old arrays stay in the arena until it is freed. */
static bool reserve(struct ftk__graph *g)
{
    struct ftk__model *m = g->model;
    if (m->n_nodes < g->cap)
        return true;
    uint32_t cap = g->cap > 0 ? 2 * g->cap : FIRST_CAP;
    const ftk_node **grown = ftk__arena_alloc(&m->arena, cap * sizeof *grown);
    if (!grown)
        return false;
    for (uint32_t i = 0; i < m->n_nodes; i++)
        grown[i] = m->nodes[i];
    m->nodes = grown;
    g->cap = cap;
    return true;
}

uint32_t ftk__graph_add(struct ftk__graph *g, const ftk_node *what, const char *name)
{
    struct ftk__model *m = g->model;
    char full[NAME_CAP];
    if (g->status != FTK_OK)
        return FTK__NO_NODE;
    if (!ftk__format(full, sizeof full, "%s%s", g->prefix, name))
        return give_up(g,
                       ftk__fail(g->reterr, FTK_EINTERNAL, "node name '%s...' is too long", full));
    ftk_node *n = ftk__arena_alloc(&m->arena, sizeof *n);
    char *own_name = ftk__arena_strdup(&m->arena, full);
    if (!n || !own_name || !reserve(g))
        return no_memory(g);
    *n = *what;
    n->size = sizeof *n;
    n->name = own_name;
    n->sparse = n->op == FTK_NODE_LINEAR || n->op == FTK_NODE_CONV2D;
    ftk_status st = infer_shape(g, n);
    if (st == FTK_OK)
        st = check_size(g, n);
    if (st != FTK_OK)
        return give_up(g, st);
    set_decay(g, n);
    m->nodes[m->n_nodes] = n;
    return m->n_nodes++;
}

uint32_t ftk__graph_linear(struct ftk__graph *g, uint32_t in, uint32_t out, uint32_t flags,
                           const char *name)
{
    ftk_node n = { .op = FTK_NODE_LINEAR, .in = { in, FTK__NO_NODE }, .flags = flags };
    n.out_shape[CHANNELS] = out;
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_conv(struct ftk__graph *g, uint32_t in, uint32_t out, uint32_t kernel,
                         uint32_t stride, uint32_t pad, uint32_t flags, const char *name)
{
    ftk_node n = {
        .op = FTK_NODE_CONV2D,
        .in = { in, FTK__NO_NODE },
        .out_shape = { out, 0, 0 },
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .pad = { pad, pad },
        .flags = flags,
    };
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_pool(struct ftk__graph *g, uint32_t op, uint32_t in, uint32_t kernel,
                         uint32_t stride, const char *name)
{
    ftk_node n = {
        .op = op,
        .in = { in, FTK__NO_NODE },
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
    };
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_unary(struct ftk__graph *g, uint32_t op, uint32_t in, const char *name)
{
    ftk_node n = { .op = op, .in = { in, FTK__NO_NODE } };
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_norm(struct ftk__graph *g, uint32_t in, const char *name)
{
    ftk_node n = { .op = FTK_NODE_BATCHNORM,
                   .in = { in, FTK__NO_NODE },
                   .scalar = { 0.1f, 1e-5f } };
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_sum(struct ftk__graph *g, uint32_t a, uint32_t b, const char *name)
{
    ftk_node n = { .op = FTK_NODE_ADD, .in = { a, b } };
    return ftk__graph_add(g, &n, name);
}

uint32_t ftk__graph_global_pool(struct ftk__graph *g, uint32_t in, uint32_t least, const char *name)
{
    if (g->status != FTK_OK)
        return FTK__NO_NODE;
    const uint32_t *map = g->model->nodes[in]->out_shape;
    ftk_node n = { .op = FTK_NODE_AVGPOOL, .in = { in, FTK__NO_NODE } };
    for (uint32_t d = 0; d < 2; d++) {
        n.kernel[d] = map[HEIGHT + d] > least ? map[HEIGHT + d] : least;
        n.stride[d] = n.kernel[d];
    }
    return ftk__graph_add(g, &n, name);
}

void ftk__graph_prefix(struct ftk__graph *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(g->prefix, sizeof g->prefix, format, args);
    va_end(args);
}

uint32_t ftk__graph_width(uint32_t channels, double multiplier)
{
    double wide = round(channels * multiplier);
    return wide < 1.0 ? 1 : (uint32_t)wide;
}
