/* SPDX-License-Identifier: MIT
 * graph_case.h - for tests of backends: node lists, batches and states, by hand or random.
 *
 * Whatever goes wrong in here fails the running CMocka test.
 */
#ifndef TESTS_GRAPH_CASE_H
#define TESTS_GRAPH_CASE_H
#include "backend_host.h"

enum { GRAPH_MAX_NODES = 48, GRAPH_NONE = -1 };

struct graph_case {
    uint32_t n_nodes;
    uint32_t n_sparse;                         /* nodes with `sparse` = 1 so far      */
    ftk_node node[GRAPH_MAX_NODES];
    const ftk_node *list[GRAPH_MAX_NODES];     /* what compile() takes                */
    char name[GRAPH_MAX_NODES][24];
};

/* Each builder appends a node and returns its index; output shapes are computed.  `g` must
 * not move after the first.  `flags` are FTK_NODE_*.                                 */
uint32_t graph_input(struct graph_case *g, uint32_t channels, uint32_t height, uint32_t width);
uint32_t graph_linear(struct graph_case *g, uint32_t in, uint32_t out, uint32_t flags,
                      uint32_t sparse);
/* Both kernel sides, strides, paddings: {height, width}. */
uint32_t graph_conv(struct graph_case *g, uint32_t in, uint32_t out_channels,
                    const uint32_t kernel[2], const uint32_t stride[2], const uint32_t pad[2],
                    uint32_t flags, uint32_t sparse);
uint32_t graph_batchnorm(struct graph_case *g, uint32_t in, float momentum, float eps,
                         uint32_t flags);
uint32_t graph_relu(struct graph_case *g, uint32_t in);
uint32_t graph_add(struct graph_case *g, uint32_t a, uint32_t b);
uint32_t graph_pool(struct graph_case *g, uint32_t op, uint32_t in, const uint32_t kernel[2],
                    const uint32_t stride[2], const uint32_t pad[2]);
uint32_t graph_dropout(struct graph_case *g, uint32_t in, float rate);
uint32_t graph_flatten(struct graph_case *g, uint32_t in);
uint32_t graph_concat(struct graph_case *g, uint32_t a, uint32_t b);
uint32_t graph_pad_channels(struct graph_case *g, uint32_t in, uint32_t out_channels,
                            uint32_t stride);
/* Ends the list: cross-entropy of node `in`. */
uint32_t graph_xent(struct graph_case *g, uint32_t in, float smoothing);

/* A random small network of all node ops, a function of `seed`: branches, odd kernels,
 * strides and paddings, some layers sparse; at most about 30 nodes, 12 channels, 11x11. */
void graph_random(struct graph_case *g, uint64_t seed);

uint64_t graph_floats(const ftk_node *n);                  /* of one sample's output  */
uint32_t graph_classes(const struct graph_case *g);
uint64_t graph_weights(const struct graph_case *g, uint32_t node); /* entries, all of them */
uint32_t graph_layer(const struct graph_case *g, uint32_t node);   /* its sparse index    */
uint32_t graph_layer_node(const struct graph_case *g, uint32_t layer);

struct graph_batch {
    ftk_batch b;
    const ftk_batch *list[1];                  /* what step() takes                   */
    float *x;                                  /* [count][c][h][w]                    */
    int32_t *y;                                /* [count]                             */
};
/* Normal x and uniform labels by `seed`; the dropout stream is keyed by it too. */
struct graph_batch *graph_batch_new(const struct graph_case *g, uint32_t count, uint64_t seed);
void graph_batch_free(struct graph_batch *batch);

/* SGD, all three channels, one member; `flags` are FTK_BUILD_*. */
ftk_prog *graph_compile(const struct bt_backend *backend, ftk_dev *dev,
                        const struct graph_case *g, uint32_t max_batch, uint32_t flags);
ftk_hyper graph_hyper(double lr, double momentum, double weight_decay, uint32_t flags);

/* Index of an array of `prog`, and its floats now; GRAPH_NONE if there is no such one. */
int32_t graph_tensor(const struct bt_backend *backend, ftk_prog *prog, uint32_t node,
                     uint32_t role, uint64_t *ret_n);
/* A copy to be freed of that array, or of everything in order (`ret_n` floats). */
float *graph_get(const struct bt_backend *backend, ftk_prog *prog, uint32_t node, uint32_t role,
                 uint64_t *ret_n);
float *graph_get_all(const struct bt_backend *backend, ftk_prog *prog, uint64_t *ret_n);
void graph_put(const struct bt_backend *backend, ftk_prog *prog, uint32_t node, uint32_t role,
               const float *v, uint64_t n);

/* Masks at `density` (each layer keeps at least one weight), weights of the size that keeps
 * activations near 1, biases, BN arrays (variance > 0), momentum near 0.1: by `seed`.  */
void graph_fill(const struct bt_backend *backend, ftk_prog *prog, const struct graph_case *g,
                double density, uint64_t seed);
/* Masks and all arrays from one program to another, of any backend. */
void graph_copy(const struct bt_backend *from, ftk_prog *src, const struct bt_backend *to,
                ftk_prog *dst, const struct graph_case *g);

/* All active (or inactive) positions of a layer, to be freed, with one channel's values
 * (channel 0: none) in `ret_value` if not NULL; read `cap` at a time.                  */
uint64_t *graph_read(const struct bt_backend *backend, ftk_prog *prog, uint32_t layer,
                     uint32_t which, uint32_t channel, uint64_t cap, uint64_t *ret_n,
                     float **ret_value);
/* The dense kept gradient of a sparse layer, [n], to be freed. */
float *graph_gradient(const struct bt_backend *backend, ftk_prog *prog,
                      const struct graph_case *g, uint32_t layer);

/* sum (a-b)^2 / sum b^2; 0 if both are all 0. */
double array_nmse(const float *a, const float *b, uint64_t n);
/* Norm and largest entry of a - b at most `tolerance` of b's, and nothing NaN. */
bool array_close(const float *a, const float *b, uint64_t n, double tolerance);
#endif
