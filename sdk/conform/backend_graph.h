/* SPDX-License-Identifier: MIT
 * conform/backend_graph.h - node lists for the rules of backends: by hand, or random.
 */
#ifndef FTK__BACKEND_GRAPH_H
#define FTK__BACKEND_GRAPH_H
#include "conform/kit.h"

enum { FTK__BK_NODES = 48 };

struct ftk__bk_graph {
    uint32_t n_nodes;
    uint32_t n_sparse; /* nodes with `sparse` = 1 so far      */
    ftk_node node[FTK__BK_NODES];
    const ftk_node *list[FTK__BK_NODES]; /* what compile() takes                */
    char name[FTK__BK_NODES][24];
};

/* Each builder appends a node and returns its index; output shapes are computed.  `g` must not move
 * after the first.  `flags` are FTK_NODE_*; windows are {height, width}. */
uint32_t ftk__bk_input(struct ftk__bk_graph *g, uint32_t channels, uint32_t height, uint32_t width);
uint32_t ftk__bk_linear(struct ftk__bk_graph *g, uint32_t in, uint32_t out, uint32_t flags,
                        uint32_t sparse);
uint32_t ftk__bk_conv(struct ftk__bk_graph *g, uint32_t in, uint32_t out_channels,
                      const uint32_t kernel[2], const uint32_t stride[2], const uint32_t pad[2],
                      uint32_t flags, uint32_t sparse);
uint32_t ftk__bk_batchnorm(struct ftk__bk_graph *g, uint32_t in, float momentum, float eps,
                           uint32_t flags);
uint32_t ftk__bk_relu(struct ftk__bk_graph *g, uint32_t in);
uint32_t ftk__bk_add(struct ftk__bk_graph *g, uint32_t a, uint32_t b);
uint32_t ftk__bk_pool(struct ftk__bk_graph *g, uint32_t op, uint32_t in, const uint32_t kernel[2],
                      const uint32_t stride[2], const uint32_t pad[2]);
uint32_t ftk__bk_dropout(struct ftk__bk_graph *g, uint32_t in, float rate);
uint32_t ftk__bk_flatten(struct ftk__bk_graph *g, uint32_t in);
uint32_t ftk__bk_concat(struct ftk__bk_graph *g, uint32_t a, uint32_t b);
uint32_t ftk__bk_pad_channels(struct ftk__bk_graph *g, uint32_t in, uint32_t out_channels,
                              uint32_t stride);
/* Ends the list: cross-entropy of node `in`. */
uint32_t ftk__bk_xent(struct ftk__bk_graph *g, uint32_t in, float smoothing);

/* The network of most rules: 2x7x8 images, 4 classes, three sparse layers (two convolutions and a
 * linear one), a dense one.  `full`: with batch norm and dropout, so that training and evaluation
 * differ. */
void ftk__bk_net(struct ftk__bk_graph *g, bool full);
/* A random small network of all node ops, a function of `seed`: branches, odd kernels, strides and
 * paddings, some layers sparse; at most about 30 nodes, 12 channels, 11x11. */
void ftk__bk_random(struct ftk__bk_graph *g, uint64_t seed);
/* Max pools become average pools, relus dropouts: shapes stay, kinks go. */
void ftk__bk_soften(struct ftk__bk_graph *g);

uint64_t ftk__bk_floats(const ftk_node *n); /* of one sample's output  */
uint32_t ftk__bk_classes(const struct ftk__bk_graph *g);
uint64_t ftk__bk_weights(const struct ftk__bk_graph *g, uint32_t node); /* entries, all of them */
uint32_t ftk__bk_layer(const struct ftk__bk_graph *g, uint32_t node);   /* its sparse index    */
uint32_t ftk__bk_layer_node(const struct ftk__bk_graph *g, uint32_t layer);
#endif
