/* SPDX-License-Identifier: MIT
 * ref_check.c - is this node, is this list of nodes one that can be run?
 */
#include <math.h>

#include "ref.h"

/* Floats of a sample, entries of a layer: more than any memory, and far from overflow. */
#define MOST_FLOATS (UINT64_C(1) << 48)

static const uint32_t all_flags = FTK_NODE_BIAS | FTK_NODE_NO_DECAY | FTK_NODE_NO_DECAY_BIAS;

bool ref_mul(uint64_t a, uint64_t b, uint64_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

static const char *name_of(const ftk_node *n)
{
    return n->name != NULL ? n->name : "";
}

static ftk_status refuse(const ftk_host *h, const ftk_node *n, uint32_t index, const char *why)
{
    return h->fail(h, FTK_EINVAL, "node %u '%.60s': %s", index, name_of(n), why);
}

/* Kernel, stride and padding.  `whole`: every window must hold some of the image. */
static const char *window_fault(const ftk_node *n, bool whole)
{
    for (uint32_t d = 0; d < 2; d++) {
        if (n->kernel[d] == 0 || n->stride[d] == 0) {
            return "kernel and stride must be at least 1";
        }
        if (whole && n->pad[d] >= n->kernel[d]) {
            return "the padding of a pool must be below its kernel";
        }
    }
    return NULL;
}

static const char *scalar_fault(const ftk_node *n)
{
    float a = n->scalar[0];
    float b = n->scalar[1];
    switch (n->op) {
    case FTK_NODE_BATCHNORM:
        return a >= 0.0f && a <= 1.0f && b >= 0.0f && isfinite(b)
                   ? NULL
                   : "momentum must be within [0, 1] and eps finite, at least 0";
    case FTK_NODE_DROPOUT:
        return a >= 0.0f && a < 1.0f ? NULL : "the dropout rate must be within [0, 1)";
    case FTK_NODE_XENT:
        return a >= 0.0f && a <= 1.0f ? NULL : "label smoothing must be within [0, 1]";
    default:
        return NULL;
    }
}

ftk_status ref_check_node(const ftk_host *h, const ftk_node *n, uint32_t index)
{
    if (n->size < sizeof(ftk_node)) {
        return h->fail(h, FTK_EINVAL, "node %u has %u bytes, at least %zu are needed", index,
                       n->size, sizeof(ftk_node));
    }
    if (n->op < FTK_NODE_INPUT || n->op > FTK_NODE_PAD_CHANNELS) {
        return h->fail(h, FTK_ENOTSUP, "node %u '%.60s': op %u is unknown to ref", index,
                       name_of(n), n->op);
    }
    if ((n->flags & ~all_flags) != 0) {
        return h->fail(h, FTK_EINVAL, "node %u '%.60s': unknown flags 0x%x", index, name_of(n),
                       n->flags);
    }
    bool weighted = n->op == FTK_NODE_LINEAR || n->op == FTK_NODE_CONV2D;
    if (n->sparse > (weighted ? 1u : 0u)) {
        return refuse(h, n, index, "only the weight of linear and conv can be sparse (0 or 1)");
    }
    const char *fault = NULL;
    if (n->op == FTK_NODE_CONV2D) {
        fault = window_fault(n, false);
    } else if (n->op == FTK_NODE_MAXPOOL || n->op == FTK_NODE_AVGPOOL) {
        fault = window_fault(n, true);
    } else if (n->op == FTK_NODE_PAD_CHANNELS && (n->stride[0] == 0 || n->stride[1] == 0)) {
        fault = "the stride must be at least 1";
    } else {
        fault = scalar_fault(n);
    }
    return fault == NULL ? FTK_OK : refuse(h, n, index, fault);
}

static bool small_enough(const ftk_node *n)
{
    uint64_t floats = 0;
    return ref_mul((uint64_t)n->out_shape[0] * n->out_shape[1], n->out_shape[2], &floats) &&
           floats > 0 && floats < MOST_FLOATS;
}

/* Output size of a sliding window, rounded down; 0 where the window does not fit.  */
static uint64_t slid(uint32_t side, uint32_t kernel, uint32_t stride, uint32_t pad)
{
    uint64_t padded = (uint64_t)side + 2 * (uint64_t)pad;
    return padded < kernel ? 0 : (padded - kernel) / stride + 1;
}

static bool window_follows(const ftk_node *n, const uint32_t x[3])
{
    return slid(x[1], n->kernel[0], n->stride[0], n->pad[0]) == n->out_shape[1] &&
           slid(x[2], n->kernel[1], n->stride[1], n->pad[1]) == n->out_shape[2];
}

static bool same_plane(const uint32_t a[3], const uint32_t b[3])
{
    return a[1] == b[1] && a[2] == b[2];
}

/* Does the declared shape follow from the inputs'?  `y` is NULL where there is one. */
static bool shape_follows(const ftk_node *n, const uint32_t x[3], const uint32_t *y)
{
    const uint32_t *out = n->out_shape;
    const uint32_t one = 1;
    switch (n->op) {
    case FTK_NODE_LINEAR:
        return out[1] == one && out[2] == one;
    case FTK_NODE_CONV2D:
        return window_follows(n, x);
    case FTK_NODE_MAXPOOL:
    case FTK_NODE_AVGPOOL:
        return window_follows(n, x) && out[0] == x[0];
    case FTK_NODE_ADD:
        return same_plane(out, x) && same_plane(out, y) && out[0] == x[0] && out[0] == y[0];
    case FTK_NODE_CONCAT:
        return same_plane(out, x) && same_plane(out, y) && out[0] == (uint64_t)x[0] + y[0];
    case FTK_NODE_FLATTEN:
        return out[0] == (uint64_t)x[0] * x[1] * x[2] && out[1] == one && out[2] == one;
    case FTK_NODE_PAD_CHANNELS:
        return out[0] >= x[0] && out[1] == (x[1] - 1) / n->stride[0] + 1 &&
               out[2] == (x[2] - 1) / n->stride[1] + 1;
    case FTK_NODE_XENT:
        return true; /* a loss has no output to speak of */
    default:
        return same_plane(out, x) && out[0] == x[0];
    }
}

static ftk_status check_place(const ftk_host *h, const ftk_build *b, uint32_t i)
{
    const ftk_node *n = b->nodes[i];
    if ((n->op == FTK_NODE_INPUT) != (i == 0)) {
        return refuse(h, n, i, "the first node, and no other, must be the input");
    }
    if ((n->op == FTK_NODE_XENT) != (i == b->n_nodes - 1)) {
        return refuse(h, n, i, "the last node, and no other, must be the cross-entropy");
    }
    if (n->op != FTK_NODE_XENT && !small_enough(n)) {
        return refuse(h, n, i, "the output shape is empty or too large");
    }
    if (i == 0) {
        return FTK_OK;
    }
    bool two = n->op == FTK_NODE_ADD || n->op == FTK_NODE_CONCAT;
    if (n->in[0] >= i || (two && n->in[1] >= i)) {
        return refuse(h, n, i, "an input is not an earlier node");
    }
    const uint32_t *y = two ? b->nodes[n->in[1]]->out_shape : NULL;
    if (!shape_follows(n, b->nodes[n->in[0]]->out_shape, y)) {
        return h->fail(h, FTK_EINVAL,
                       "node %u '%.60s': the shape [%u][%u][%u] does not follow from its inputs", i,
                       name_of(n), n->out_shape[0], n->out_shape[1], n->out_shape[2]);
    }
    return FTK_OK;
}

ftk_status ref_check_graph(const ftk_host *h, const ftk_build *b)
{
    if (b->n_nodes < 2) {
        return h->fail(h, FTK_EINVAL, "%u nodes: a network has at least 2", b->n_nodes);
    }
    for (uint32_t i = 0; i < b->n_nodes; i++) {
        ftk_status st = ref_check_node(h, b->nodes[i], i);
        if (st == FTK_OK) {
            st = check_place(h, b, i);
        }
        if (st != FTK_OK) {
            return st;
        }
    }
    return FTK_OK;
}
