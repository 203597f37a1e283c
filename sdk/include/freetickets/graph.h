/* SPDX-License-Identifier: MIT
 * freetickets/graph.h - what runs: a model's layer operations, and the batches fed to it.
 *
 * A model is a list of nodes, inputs before users, built by the core from the
 * experiment; a backend compiles it.  Only nodes marked `sparse` have a topology.
 */
#ifndef FTK_GRAPH_H
#define FTK_GRAPH_H
#include <freetickets/host.h>

typedef enum ftk_node_op {         /* appended to, never renumbered                */
    FTK_NODE_INPUT = 1, FTK_NODE_LINEAR, FTK_NODE_CONV2D, FTK_NODE_BATCHNORM, FTK_NODE_RELU,
    FTK_NODE_ADD, FTK_NODE_MAXPOOL, FTK_NODE_AVGPOOL, FTK_NODE_DROPOUT, FTK_NODE_XENT,
    FTK_NODE_FLATTEN, FTK_NODE_CONCAT, FTK_NODE_PAD_CHANNELS /* zeros: option-A shortcuts */
} ftk_node_op;

typedef struct ftk_node {
    uint32_t size;
    uint32_t op;                   /* enum ftk_node_op                             */
    uint32_t in[2];                /* earlier nodes; UINT32_MAX where absent       */
    uint32_t out_shape[3];         /* channels, height, width                      */
    uint32_t kernel[2], stride[2], pad[2];
    uint32_t flags;                /* FTK_NODE_*                                   */
    float scalar[2];               /* dropout rate; BN momentum, eps; smoothing    */
    uint32_t sparse;               /* 1: the weight is a sparse layer              */
    const char *name;
} ftk_node;

enum { FTK_NODE_BIAS = 1u << 0,
       FTK_NODE_NO_DECAY = 1u << 1,        /* neither weight nor bias              */
       FTK_NODE_NO_DECAY_BIAS = 1u << 2 }; /* the weight, but not the bias         */

/* A batch is either host images, or positions in what bind() was given, with each
 * sample's augmentation drawn by the core: the same on every backend.          */
typedef struct ftk_sample {
    uint32_t index;
    int8_t dx, dy;                 /* crop offset from the centre                  */
    uint8_t flip, reserved;
} ftk_sample;
typedef struct ftk_batch {
    uint32_t size;
    uint32_t count, heads;         /* heads: labels and outputs a sample; 1        */
    uint32_t set;                  /* which bind() `sample` points into            */
    uint32_t flags, reserved;      /* FTK_BATCH_*                                  */
    const float *x;                /* [count][c][h][w], or NULL: use `sample`      */
    const ftk_sample *sample;      /* [count]                                      */
    const int32_t *y;              /* [count][heads]                               */
    ftk_rng rng;                   /* dropout, keyed by (seed, member, step)       */
} ftk_batch;
/* Dropout: a node's stream is `rng` with the node's index added to key[1]; element e
 * (flat, of [count][c][h][w]) is kept, times 1 / (1 - rate), if and only if the
 * stream's rng_uniform number e, counted from `counter`, is >= rate.            */
enum { FTK_BATCH_DROPOUT = 1u << 0 }; /* predict() with dropout on (MC dropout)   */
#endif
