/* SPDX-License-Identifier: MIT
 * conform/backend_graph.c - builders of node lists, and random networks out of them.
 */
#include "conform/backend_graph.h"
#include "base/rng.h"

enum { HEIGHT = 1, WIDTH = 2 };

/* Appends a node with the shape of node `in` (no shape if there is none). */
static ftk_node *append(struct ftk__bk_graph *g, uint32_t op, uint32_t in, const char *kind)
{
    if (g->n_nodes == FTK__BK_NODES)
        ftk__kit_broken("a graph of more than %d nodes", FTK__BK_NODES);
    uint32_t at = g->n_nodes++;
    ftk_node *n = &g->node[at];
    *n = (ftk_node){ .size = sizeof(ftk_node), .op = op, .in = { in, UINT32_MAX } };
    if (in != UINT32_MAX) {
        for (uint32_t d = 0; d < 3; d++) {
            n->out_shape[d] = g->node[in].out_shape[d];
        }
    }
    ftk__format(g->name[at], sizeof(g->name[at]), "%s%u", kind, at);
    n->name = g->name[at];
    g->list[at] = n;
    return n;
}

static uint32_t last(const struct ftk__bk_graph *g)
{
    return g->n_nodes - 1;
}

uint32_t ftk__bk_input(struct ftk__bk_graph *g, uint32_t channels, uint32_t height, uint32_t width)
{
    *g = (struct ftk__bk_graph){ 0 };
    ftk_node *n = append(g, FTK_NODE_INPUT, UINT32_MAX, "input");
    n->out_shape[0] = channels;
    n->out_shape[HEIGHT] = height;
    n->out_shape[WIDTH] = width;
    return last(g);
}

static void mark_sparse(struct ftk__bk_graph *g, ftk_node *n, uint32_t sparse)
{
    n->sparse = sparse;
    g->n_sparse += sparse;
}

uint32_t ftk__bk_linear(struct ftk__bk_graph *g, uint32_t in, uint32_t out, uint32_t flags,
                        uint32_t sparse)
{
    ftk_node *n = append(g, FTK_NODE_LINEAR, in, "linear");
    n->out_shape[0] = out;
    n->out_shape[HEIGHT] = 1;
    n->out_shape[WIDTH] = 1;
    n->flags = flags;
    mark_sparse(g, n, sparse);
    return last(g);
}

/* Sets a window and the output size it gives, rounded down. */
static void slide(ftk_node *n, const uint32_t kernel[2], const uint32_t stride[2],
                  const uint32_t pad[2])
{
    for (uint32_t d = 0; d < 2; d++) {
        uint32_t padded = n->out_shape[HEIGHT + d] + 2 * pad[d];
        n->kernel[d] = kernel[d];
        n->stride[d] = stride[d];
        n->pad[d] = pad[d];
        n->out_shape[HEIGHT + d] = (padded - kernel[d]) / stride[d] + 1;
    }
}

uint32_t ftk__bk_conv(struct ftk__bk_graph *g, uint32_t in, uint32_t out_channels,
                      const uint32_t kernel[2], const uint32_t stride[2], const uint32_t pad[2],
                      uint32_t flags, uint32_t sparse)
{
    ftk_node *n = append(g, FTK_NODE_CONV2D, in, "conv");
    slide(n, kernel, stride, pad);
    n->out_shape[0] = out_channels;
    n->flags = flags;
    mark_sparse(g, n, sparse);
    return last(g);
}

uint32_t ftk__bk_batchnorm(struct ftk__bk_graph *g, uint32_t in, float momentum, float eps,
                           uint32_t flags)
{
    ftk_node *n = append(g, FTK_NODE_BATCHNORM, in, "bn");
    n->scalar[0] = momentum;
    n->scalar[1] = eps;
    n->flags = flags;
    return last(g);
}

uint32_t ftk__bk_relu(struct ftk__bk_graph *g, uint32_t in)
{
    append(g, FTK_NODE_RELU, in, "relu");
    return last(g);
}

uint32_t ftk__bk_add(struct ftk__bk_graph *g, uint32_t a, uint32_t b)
{
    ftk_node *n = append(g, FTK_NODE_ADD, a, "add");
    n->in[1] = b;
    return last(g);
}

uint32_t ftk__bk_pool(struct ftk__bk_graph *g, uint32_t op, uint32_t in, const uint32_t kernel[2],
                      const uint32_t stride[2], const uint32_t pad[2])
{
    slide(append(g, op, in, "pool"), kernel, stride, pad);
    return last(g);
}

uint32_t ftk__bk_dropout(struct ftk__bk_graph *g, uint32_t in, float rate)
{
    append(g, FTK_NODE_DROPOUT, in, "dropout")->scalar[0] = rate;
    return last(g);
}

uint32_t ftk__bk_flatten(struct ftk__bk_graph *g, uint32_t in)
{
    ftk_node *n = append(g, FTK_NODE_FLATTEN, in, "flatten");
    n->out_shape[0] = (uint32_t)ftk__bk_floats(&g->node[in]);
    n->out_shape[HEIGHT] = 1;
    n->out_shape[WIDTH] = 1;
    return last(g);
}

uint32_t ftk__bk_concat(struct ftk__bk_graph *g, uint32_t a, uint32_t b)
{
    ftk_node *n = append(g, FTK_NODE_CONCAT, a, "concat");
    n->in[1] = b;
    n->out_shape[0] += g->node[b].out_shape[0];
    return last(g);
}

uint32_t ftk__bk_pad_channels(struct ftk__bk_graph *g, uint32_t in, uint32_t out_channels,
                              uint32_t stride)
{
    const uint32_t one[2] = { 1, 1 };
    const uint32_t both[2] = { stride, stride };
    const uint32_t none[2] = { 0, 0 };
    ftk_node *n = append(g, FTK_NODE_PAD_CHANNELS, in, "padch");
    slide(n, one, both, none);
    n->out_shape[0] = out_channels;
    return last(g);
}

uint32_t ftk__bk_xent(struct ftk__bk_graph *g, uint32_t in, float smoothing)
{
    append(g, FTK_NODE_XENT, in, "xent")->scalar[0] = smoothing;
    return last(g);
}

/* Uniform in [low, high]. */
static uint32_t pick(ftk_rng *rng, uint32_t low, uint32_t high)
{
    return low + (uint32_t)ftk__rng_below(rng, high - low + 1);
}

/* A window that fits into the output of node `at`; padding below the kernel's size. */
static void pick_window(const struct ftk__bk_graph *g, uint32_t at, ftk_rng *rng,
                        uint32_t kernel[2], uint32_t stride[2], uint32_t pad[2])
{
    for (uint32_t d = 0; d < 2; d++) {
        uint32_t side = g->node[at].out_shape[HEIGHT + d];
        kernel[d] = pick(rng, 1, side < 5 ? side : 5);
        stride[d] = pick(rng, 1, 2);
        pad[d] = pick(rng, 0, kernel[d] / 2);
    }
}

static uint32_t random_conv(struct ftk__bk_graph *g, uint32_t at, ftk_rng *rng)
{
    uint32_t kernel[2];
    uint32_t stride[2];
    uint32_t pad[2];
    pick_window(g, at, rng, kernel, stride, pad);
    uint32_t flags = pick(rng, 0, 1) * FTK_NODE_BIAS + pick(rng, 0, 1) * FTK_NODE_NO_DECAY_BIAS;
    uint32_t channels = pick(rng, 1, 8);
    return ftk__bk_conv(g, at, channels, kernel, stride, pad, flags, pick(rng, 0, 3) > 0);
}

static uint32_t random_pool(struct ftk__bk_graph *g, uint32_t at, ftk_rng *rng)
{
    uint32_t kernel[2];
    uint32_t stride[2];
    uint32_t pad[2];
    pick_window(g, at, rng, kernel, stride, pad);
    uint32_t op = pick(rng, 0, 1) ? FTK_NODE_MAXPOOL : FTK_NODE_AVGPOOL;
    return ftk__bk_pool(g, op, at, kernel, stride, pad);
}

/* Two paths from `at`, joined by a sum or side by side; both keep height and width. */
static uint32_t random_branch(struct ftk__bk_graph *g, uint32_t at, ftk_rng *rng)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t channels = g->node[at].out_shape[0];
    if (pick(rng, 0, 1) == 0) {
        uint32_t more = channels + pick(rng, 0, 3);
        uint32_t path = ftk__bk_conv(g, at, more, three, one, one, 0, 1);
        return ftk__bk_add(g, ftk__bk_pad_channels(g, at, more, 1), path);
    }
    uint32_t path = ftk__bk_conv(g, at, pick(rng, 1, 4), one, one, none, FTK_NODE_BIAS, 1);
    return ftk__bk_concat(g, path, at);
}

static uint32_t random_block(struct ftk__bk_graph *g, uint32_t at, ftk_rng *rng)
{
    switch (pick(rng, 0, 6)) {
    case 0:
    case 1:
        return random_conv(g, at, rng);
    case 2:
        return ftk__bk_batchnorm(g, at, 0.1f, 1e-5f, pick(rng, 0, 1) * FTK_NODE_NO_DECAY);
    case 3:
        return random_pool(g, at, rng);
    case 4:
        return ftk__bk_dropout(g, at, (float)pick(rng, 0, 3) * 0.25f);
    case 5:
        return random_branch(g, at, rng);
    default:
        return ftk__bk_pad_channels(g, at, g->node[at].out_shape[0] + pick(rng, 0, 3),
                                    pick(rng, 1, 2));
    }
}

void ftk__bk_random(struct ftk__bk_graph *g, uint64_t seed)
{
    ftk_rng rng = { .key = { seed, 17 } };
    uint32_t channels = pick(&rng, 1, 4);
    uint32_t height = pick(&rng, 5, 11);
    uint32_t at = ftk__bk_input(g, channels, height, pick(&rng, 5, 11));
    if (pick(&rng, 0, 3) > 0) {
        at = random_conv(g, at, &rng);
    }
    uint32_t blocks = pick(&rng, 1, 6);
    for (uint32_t i = 0; i < blocks; i++) {
        at = random_block(g, at, &rng);
        if (pick(&rng, 0, 1)) {
            at = ftk__bk_relu(g, at);
        }
    }
    if (pick(&rng, 0, 1)) {
        at = ftk__bk_flatten(g, at);
    }
    at = ftk__bk_linear(g, at, pick(&rng, 1, 20), FTK_NODE_BIAS, pick(&rng, 0, 1));
    if (pick(&rng, 0, 1)) {
        at = ftk__bk_relu(g, ftk__bk_batchnorm(g, at, 0.2f, 1e-4f, FTK_NODE_NO_DECAY_BIAS));
    }
    at = ftk__bk_linear(g, at, pick(&rng, 2, 10), pick(&rng, 0, 1) * FTK_NODE_BIAS, 1);
    ftk__bk_xent(g, at, (float)pick(&rng, 0, 1) * 0.1f);
}

uint64_t ftk__bk_floats(const ftk_node *n)
{
    return (uint64_t)n->out_shape[0] * n->out_shape[HEIGHT] * n->out_shape[WIDTH];
}

uint32_t ftk__bk_classes(const struct ftk__bk_graph *g)
{
    return (uint32_t)ftk__bk_floats(&g->node[g->node[last(g)].in[0]]);
}

uint64_t ftk__bk_weights(const struct ftk__bk_graph *g, uint32_t node)
{
    const ftk_node *n = &g->node[node];
    if (n->op == FTK_NODE_LINEAR) {
        return n->out_shape[0] * ftk__bk_floats(&g->node[n->in[0]]);
    }
    if (n->op == FTK_NODE_CONV2D) {
        uint64_t window = (uint64_t)n->kernel[0] * n->kernel[1];
        return n->out_shape[0] * g->node[n->in[0]].out_shape[0] * window;
    }
    return n->op == FTK_NODE_BATCHNORM ? n->out_shape[0] : 0;
}

uint32_t ftk__bk_layer(const struct ftk__bk_graph *g, uint32_t node)
{
    uint32_t layer = 0;
    for (uint32_t i = 0; i < node; i++) {
        layer += g->node[i].sparse;
    }
    return layer;
}

uint32_t ftk__bk_layer_node(const struct ftk__bk_graph *g, uint32_t layer)
{
    uint32_t node = 0;
    while (!(g->node[node].sparse && ftk__bk_layer(g, node) == layer)) {
        node++;
        if (node == g->n_nodes)
            ftk__kit_broken("a graph has no sparse layer %u", layer);
    }
    return node;
}

void ftk__bk_net(struct ftk__bk_graph *g, bool full)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t two[2] = { 2, 2 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t at = ftk__bk_input(g, 2, 7, 8);
    at = ftk__bk_conv(g, at, 4, three, one, one, full ? 0 : FTK_NODE_BIAS, 1);
    if (full)
        at = ftk__bk_batchnorm(g, at, 0.1f, 1e-5f, 0);
    at = ftk__bk_relu(g, at);
    at = ftk__bk_pool(g, FTK_NODE_MAXPOOL, at, two, two, none);
    at = ftk__bk_conv(g, at, 5, two, one, none, FTK_NODE_BIAS, 1);
    at = ftk__bk_relu(g, at);
    if (full)
        at = ftk__bk_dropout(g, at, 0.25f);
    at = ftk__bk_linear(g, at, 9, FTK_NODE_BIAS, 1);
    at = ftk__bk_relu(g, at);
    at = ftk__bk_linear(g, at, 4, FTK_NODE_BIAS, 0);
    ftk__bk_xent(g, at, 0.1f);
}

void ftk__bk_soften(struct ftk__bk_graph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (g->node[i].op == FTK_NODE_MAXPOOL) {
            g->node[i].op = FTK_NODE_AVGPOOL;
        } else if (g->node[i].op == FTK_NODE_RELU) {
            g->node[i].op = FTK_NODE_DROPOUT;
            g->node[i].scalar[0] = 0.3f;
        }
    }
}
