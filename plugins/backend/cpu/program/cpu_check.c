/* SPDX-License-Identifier: MIT
 * program/cpu_check.c - refuse a node list that is not a model, before anything is built on it.
 */
#include "program/cpu_prog.h"

static const char *name_of(const ftk_node *n)
{
    return n->name ? n->name : "";
}

/* Elements of a shape; 0 where it has none or more than 2^31. */
static uint64_t elems_of(const uint32_t shape[3])
{
    const uint64_t plane = (uint64_t)shape[1] * shape[2];
    if (plane == 0 || plane > INT32_MAX || shape[0] == 0)
        return 0;
    return shape[0] <= INT32_MAX / plane ? shape[0] * plane : 0;
}

static int has_window(uint32_t op)
{
    return op == FTK_NODE_CONV2D || op == FTK_NODE_MAXPOOL || op == FTK_NODE_AVGPOOL;
}

/* Kernel, stride and padding; of a pool every window must hold some of the image. */
static ftk_status check_window(const ftk_host *h, const ftk_node *n)
{
    for (int a = 0; a < 2; a++) {
        if (n->kernel[a] == 0 || n->stride[a] == 0)
            return h->fail(h, FTK_EINVAL, "node '%s': kernel or stride is 0", name_of(n));
        if (n->kernel[a] > UINT16_MAX || n->stride[a] > UINT16_MAX || n->pad[a] > UINT16_MAX)
            return h->fail(h, FTK_ENOTSUP,
                           "node '%s': one of kernel %u, stride %u, pad %u is above %u", name_of(n),
                           n->kernel[a], n->stride[a], n->pad[a], UINT16_MAX);
        if (n->op != FTK_NODE_CONV2D && n->pad[a] >= n->kernel[a])
            return h->fail(h, FTK_EINVAL, "node '%s': the padding of a pool, %u, is not below %u",
                           name_of(n), n->pad[a], n->kernel[a]);
    }
    return FTK_OK;
}

ftk_status cpu_check_node(const ftk_host *h, const ftk_node *n)
{
    const uint32_t known = FTK_NODE_BIAS | FTK_NODE_NO_DECAY | FTK_NODE_NO_DECAY_BIAS;
    if (n->size < sizeof(*n))
        return h->fail(h, FTK_EABI, "a node of %u bytes, expected %zu", n->size, sizeof(*n));
    if (n->op < FTK_NODE_INPUT || n->op > FTK_NODE_PAD_CHANNELS)
        return h->fail(h, FTK_ENOTSUP, "node '%s': unknown operation %u", name_of(n), n->op);
    if (n->flags & ~known)
        return h->fail(h, FTK_EINVAL, "node '%s': unknown flags %x", name_of(n), n->flags & ~known);
    if (n->op != FTK_NODE_XENT && elems_of(n->out_shape) == 0)
        return h->fail(h, FTK_EINVAL, "node '%s': shape %u x %u x %u is empty or too large",
                       name_of(n), n->out_shape[0], n->out_shape[1], n->out_shape[2]);
    if (n->sparse > 1 || (n->sparse && n->op != FTK_NODE_LINEAR && n->op != FTK_NODE_CONV2D))
        return h->fail(h, FTK_EINVAL, "node '%s': only a linear or conv weight can be sparse",
                       name_of(n));
    if (!has_window(n->op))
        return FTK_OK;
    return check_window(h, n);
}

/* Nodes of each operation read 0, 1 or 2 others. */
static uint32_t inputs_of(uint32_t op)
{
    if (op == FTK_NODE_INPUT)
        return 0;
    return op == FTK_NODE_ADD || op == FTK_NODE_CONCAT ? 2 : 1;
}

static int windows_fit(const ftk_node *n, const uint32_t in[3])
{
    for (int a = 0; a < 2; a++) {
        const uint64_t padded = (uint64_t)in[1 + a] + 2 * (uint64_t)n->pad[a];
        if (padded < n->kernel[a])
            return 0;
        if (n->out_shape[1 + a] != (padded - n->kernel[a]) / n->stride[a] + 1)
            return 0;
    }
    return n->op == FTK_NODE_CONV2D || n->out_shape[0] == in[0];
}

static int same_shape(const uint32_t a[3], const uint32_t b[3])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static int pad_fits(const ftk_node *n, const uint32_t in[3])
{
    for (int a = 0; a < 2; a++) {
        const uint32_t stride = n->stride[a] ? n->stride[a] : 1;
        if (n->out_shape[1 + a] != (in[1 + a] - 1) / stride + 1)
            return 0;
    }
    return n->out_shape[0] >= in[0];
}

/* Does the output of n follow from its inputs? */
static int shape_fits(const ftk_node *n, const uint32_t *in, const uint32_t *other)
{
    switch (n->op) {
    case FTK_NODE_LINEAR:
        return n->out_shape[1] == 1 && n->out_shape[2] == 1;
    case FTK_NODE_CONV2D:
    case FTK_NODE_MAXPOOL:
    case FTK_NODE_AVGPOOL:
        return windows_fit(n, in);
    case FTK_NODE_ADD:
        return same_shape(n->out_shape, in) && same_shape(in, other);
    case FTK_NODE_FLATTEN:
        return elems_of(n->out_shape) == elems_of(in);
    case FTK_NODE_CONCAT:
        return n->out_shape[0] == in[0] + other[0] && in[1] == other[1] && in[2] == other[2] &&
               n->out_shape[1] == in[1] && n->out_shape[2] == in[2];
    case FTK_NODE_PAD_CHANNELS:
        return pad_fits(n, in);
    case FTK_NODE_XENT:
        return in[1] == 1 && in[2] == 1;
    default:
        return n->op == FTK_NODE_INPUT || same_shape(n->out_shape, in);
    }
}

static int scalars_fit(const ftk_node *n)
{
    if (n->op == FTK_NODE_DROPOUT)
        return n->scalar[0] >= 0.0f && n->scalar[0] < 1.0f;
    if (n->op == FTK_NODE_BATCHNORM)
        return n->scalar[0] >= 0.0f && n->scalar[0] <= 1.0f && n->scalar[1] > 0.0f;
    if (n->op == FTK_NODE_XENT)
        return n->scalar[0] >= 0.0f && n->scalar[0] < 1.0f;
    return 1;
}

static ftk_status check_place(const ftk_host *h, const ftk_build *b, uint32_t i)
{
    const ftk_node *n = b->nodes[i];
    const uint32_t n_in = inputs_of(n->op);
    const uint32_t *shape[2] = { NULL, NULL };
    if ((n->op == FTK_NODE_INPUT) != (i == 0) || (n->op == FTK_NODE_XENT) != (i + 1 == b->n_nodes))
        return h->fail(h, FTK_EINVAL,
                       "node %u '%s': the list starts with its one input and ends with the loss", i,
                       name_of(n));
    for (uint32_t k = 0; k < n_in; k++) {
        if (n->in[k] >= i)
            return h->fail(h, FTK_EINVAL, "node %u '%s' reads node %u, which does not come before",
                           i, name_of(n), n->in[k]);
        shape[k] = b->nodes[n->in[k]]->out_shape;
    }
    if (!shape_fits(n, shape[0], shape[1]))
        return h->fail(h, FTK_EINVAL, "node %u '%s': shape %u x %u x %u does not follow", i,
                       name_of(n), n->out_shape[0], n->out_shape[1], n->out_shape[2]);
    if (!scalars_fit(n))
        return h->fail(h, FTK_EINVAL, "node %u '%s': %g, %g are out of range", i, name_of(n),
                       (double)n->scalar[0], (double)n->scalar[1]);
    return FTK_OK;
}

ftk_status cpu_check_graph(const ftk_host *h, const ftk_build *b)
{
    if (b->n_nodes < 2 || !b->nodes)
        return h->fail(h, FTK_EINVAL, "%u nodes are less than an input and a loss", b->n_nodes);
    if (b->n_nodes > UINT16_MAX)
        return h->fail(h, FTK_ENOTSUP, "%u nodes are above %u", b->n_nodes, UINT16_MAX);
    if (b->max_batch == 0)
        return h->fail(h, FTK_EINVAL, "max_batch is 0");
    if (b->members > 1)
        return h->fail(h, FTK_ENOTSUP, "%u members: this backend steps one at a time", b->members);
    if (b->optimiser < FTK_OPT_SGD || b->optimiser > FTK_OPT_ADAMW)
        return h->fail(h, FTK_ENOTSUP, "optimiser %u: this backend has SGD, Adam and AdamW",
                       b->optimiser);
    if (b->optimiser != FTK_OPT_SGD && (b->flags & FTK_BUILD_DENSE_MOMENTUM))
        return h->fail(h, FTK_ENOTSUP, "momentum of inactive weights goes with SGD only");
    if (b->flags & ~(uint32_t)FTK_BUILD_DENSE_MOMENTUM)
        return h->fail(h, FTK_EINVAL, "unknown build flags %x", b->flags);
    if (b->channels & ~(uint32_t)(FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM))
        return h->fail(h, FTK_EINVAL, "unknown channels %x", b->channels);
    for (uint32_t i = 0; i < b->n_nodes; i++) {
        ftk_status st = cpu_check_node(h, b->nodes[i]);
        if (st == FTK_OK)
            st = check_place(h, b, i);
        if (st != FTK_OK)
            return st;
    }
    return FTK_OK;
}
