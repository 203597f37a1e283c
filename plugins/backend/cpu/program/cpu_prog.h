/* SPDX-License-Identifier: MIT
 * program/cpu_prog.h - an opened device and a compiled model, shared by the files of this folder.
 */
#ifndef CPU_PROG_H
#define CPU_PROG_H
#include "dense/cpu_dense.h"
#include "dispatch/cpu_threads.h"
#include "layout/cpu_weights.h"
#include <freetickets/backend.h>

struct ftk_dev {
    const ftk_host *host;
    const struct cpu_kernels *kern;
    struct cpu_threads *pool;
    uint32_t threads;
    uint32_t tile_bytes;
    uint32_t format; /* enum cpu_wish */
};

/* A small parameter: a bias, or BN's gamma or beta. */
struct cpu_vector {
    float *w, *m; /* [n] */
    float *m2;    /* [n], NULL without a second moment */
    uint32_t n;
    uint32_t decays;
};

/* No node, layer or slot. */
#define CPU_NONE UINT32_MAX

enum { CPU_READ_CAP = 65536 };

struct cpu_node {
    uint32_t op, index, flags;
    uint32_t in[2];
    uint32_t shape[3]; /* of the output: channels, height, width          */
    uint32_t layer;    /* index among the sparse layers, or CPU_NONE      */
    uint32_t users;
    uint32_t trains; /* a parameter lies in it or before it             */
    float scalar[2];
    char name[64];
    size_t elems;     /* floats of one image's output                    */
    float *y, *dy;    /* in lanes; into the program's arena              */
    uint32_t slot;    /* of dy                                           */
    uint32_t relu;    /* its only user is a ReLU, which it applies itself */
    uint32_t same_y;  /* y is that of in[0]                              */
    uint32_t same_dy; /* dy is that of in[same_dy - 1]; 0: of none       */
    uint32_t dy_set;  /* this backward pass has written dy               */
    uint32_t masked;  /* a ReLU: its user wrote dy as its backward would */

    struct cpu_geom geom; /* LINEAR, CONV2D                                  */
    struct cpu_weights weights;
    struct cpu_dense *dense;
    struct cpu_pool pool;
    struct cpu_vector gamma, bias;
    float *bn_mean, *bn_var;     /* running, [channels]                      */
    float *bn_centre, *bn_scale; /* of the last forward: mean, 1/sqrt(var + eps) */
    double *sum;                 /* [2][channels] sums over images           */
    uint8_t *keep;               /* dropout: 1 kept, laid out as y           */
};

struct ftk_prog {
    const ftk_host *host;
    ftk_dev *dev;
    const struct cpu_kernels *kern;
    uint32_t n_nodes, max_batch, n_layers, n_tensors;
    uint32_t channels, flags;
    uint32_t optimiser; /* FTK_OPT_* */
    struct cpu_node *nodes;
    uint32_t *layers;    /* [n_layers] their nodes                       */
    ftk_tensor *tensors; /* [n_tensors], n left to be asked for           */
    struct cpu_dense_lib *lib;

    void *arena;
    float *temp;   /* a gradient that is added to another          */
    float *slices; /* [slices][n] weight gradients of a layer      */
    float *images; /* a dense linear layer's input and gradient, [images][in + out] */
    size_t images_floats;
    float *back_w; /* [n] weights in the order of the backward lists */
    size_t slices_floats, back_floats;
    struct cpu_scratch *scratch; /* [threads]                              */
    double *loss;                /* [max_batch]                                  */
    uint8_t *hit;                /* [max_batch] 1: predicted right               */

    uint64_t *read_index; /* [CPU_READ_CAP], what read_*() points to      */
    float *read_value[3];
    char *text; /* of kernels()                                 */

    ftk_stats stats;
};

/* One call of step, predict or grad_input. */
struct cpu_run {
    ftk_prog *p;
    const ftk_batch *b;
    const ftk_hyper *hyper; /* NULL: no step                                */
    struct cpu_slices slices;
    uint32_t train; /* batch statistics                            */
    uint32_t dropout;
    uint32_t update; /* arrays change                               */
    uint32_t keep_grad;
    uint32_t to_input; /* gradients flow to the input, none to weights */
    uint32_t bad_node; /* first node with a non-finite value, CPU_NONE */
    uint32_t judged;   /* an output was bad: gradients then tell nothing */
};

/* cpu_check.c: every rule of the node list, reported through host->fail. */
ftk_status cpu_check_node(const ftk_host *h, const ftk_node *n);
ftk_status cpu_check_graph(const ftk_host *h, const ftk_build *b);

/* cpu_compile.c */
ftk_status cpu_compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret);
void cpu_release(ftk_prog *p);
/* The set of a layer becomes `bits`, in the format that its size asks for. */
ftk_status cpu_prog_assign(ftk_prog *p, struct cpu_node *n, const uint64_t *bits, uint64_t nnz,
                           const float *w, const float *m, const float *m2);

/* cpu_arena.c: one block for all activations and gradients, shared where nothing is lost. */
ftk_status cpu_arena_plan(ftk_prog *p);

/* cpu_run.c */
ftk_status cpu_step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy);
ftk_status cpu_predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit);
ftk_status cpu_grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx);
ftk_status cpu_sync(ftk_prog *p, ftk_stats *const *ret);
void cpu_run_bad(struct cpu_run *r, uint32_t node);

/* cpu_forward.c, cpu_backward.c: node by node. */
ftk_status cpu_forward(struct cpu_run *r);
ftk_status cpu_backward(struct cpu_run *r);

/* cpu_lane_io.c: [count][chw] to and from lanes, padding lanes zero. */
int cpu_lanes_load(ftk_prog *p, const float *x, uint32_t count, size_t chw, float *ret_y);
void cpu_lanes_store(ftk_prog *p, const float *y, uint32_t count, size_t chw, float *ret_x);

/* cpu_matmul.c, cpu_dweight.c: linear and convolution. */
ftk_status cpu_matmul_forward(struct cpu_run *r, struct cpu_node *n);
/* Masks dx where the input is a ReLU of which this is the only user, and says so in `masked`. */
ftk_status cpu_matmul_backward(struct cpu_run *r, struct cpu_node *n, float *dx);
ftk_status cpu_matmul_update(struct cpu_run *r, struct cpu_node *n);
void cpu_matmul_job(const struct cpu_run *r, const struct cpu_node *n, int backward,
                    struct cpu_job *ret);

/* cpu_norm.c */
void cpu_norm_forward(struct cpu_run *r, struct cpu_node *n);
void cpu_norm_backward(struct cpu_run *r, struct cpu_node *n, float *dx);
void cpu_norm_update(struct cpu_run *r, struct cpu_node *n);

/* cpu_loss.c: softmax, loss, its gradient into the logits' dy (train or to_input). */
ftk_status cpu_loss_check(const struct cpu_run *r);
void cpu_loss(struct cpu_run *r);

/* cpu_update.c */
void cpu_vector_update(struct cpu_run *r, struct cpu_node *n, struct cpu_vector *v,
                       const double *grad);
/* Sums of dy over images and pixels, a channel each, into n->sum. */
/* cpu_adam.c: `count` entries by Adam or AdamW, as the program has it; `decays`: weight decay applies. */
ftk_status cpu_check_adam(const ftk_prog *p, const ftk_hyper *hy);
void cpu_adam(const struct cpu_run *r, uint32_t decays, const float *g, float *w, float *m,
              float *m2, uint64_t count);
void cpu_bias_sums(struct cpu_run *r, struct cpu_node *n);
ftk_status cpu_weights_update(struct cpu_run *r, struct cpu_node *n, uint32_t n_slices, int full);

/* cpu_state.c, cpu_topology.c, cpu_text.c */
ftk_status cpu_tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret);
ftk_status cpu_get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret);
ftk_status cpu_put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v);
ftk_status cpu_mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n);
ftk_status cpu_read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                           uint64_t *cursor, ftk_cand *ret);
ftk_status cpu_read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                             uint64_t *cursor, ftk_cand *ret);
ftk_status cpu_edit(ftk_prog *p, uint32_t layer, const ftk_change *c);
ftk_status cpu_text_init(ftk_prog *p);
const char *cpu_kernel_text(ftk_prog *p);

/* May the user of `in` write dy as the backward of `in` would have left it? */
static inline int cpu_may_mask(const struct cpu_node *in)
{
    return in->op == FTK_NODE_RELU && in->users == 1;
}

static inline int cpu_is_matmul(const struct cpu_node *n)
{
    return n->op == FTK_NODE_LINEAR || n->op == FTK_NODE_CONV2D;
}
#endif
