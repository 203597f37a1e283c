/* SPDX-License-Identifier: MIT
 * freetickets/backend.h - where the arithmetic happens.
 *
 * A backend is a plugin like any other, found and checked the same way, so the
 * binary neither links CUDA nor knows its name.  It compiles a model's list of
 * layer operations once and runs it many times; and it owns the sparse weights
 * in whatever form it likes (dense with a mask, CSR, bitmap), as long as it can
 * list candidates and apply an edit.  What it cannot do (a precision, an
 * optimiser, several members) is FTK_ENOTSUP from open() or compile(), not a
 * substitute; kernels, bind and select may be NULL, the rest may not.  Threads it
 * starts block SIGINT, SIGTERM and SIGUSR2.
 */
#ifndef FTK_BACKEND_H
#define FTK_BACKEND_H
#include <freetickets/graph.h>
#include <freetickets/sparse.h>

typedef struct ftk_device {
    uint32_t size;
    int32_t score;                 /* 0: cannot run here; the highest wins "auto"  */
    uint64_t memory_free;
    uint32_t caps;                 /* FTK_CAP_*                                    */
    uint32_t reserved;
    char name[64], reason[128];    /* "NVIDIA H200"; "driver too old: 12.2 < 13.0" */
} ftk_device;
enum { FTK_CAP_SPARSE_COMPUTE = 1u << 0, /* cost follows nnz, not n                 */
       FTK_CAP_BITWISE = 1u << 1, /* same bits for any thread count: sums over images
                                   * go over slices fixed by the batch size alone   */
       FTK_CAP_ASYNC = 1u << 2 };

typedef struct ftk_build {          /* what compile() needs to know                 */
    uint32_t size;
    uint32_t n_nodes, max_batch;
    uint32_t optimiser;            /* FTK_OPT_*                                    */
    uint32_t channels;             /* WEIGHT, GRAD, MOMENTUM that read_*() may ask */
    uint32_t members;              /* independent copies stepped together; 1       */
    uint32_t flags;                /* FTK_BUILD_*                                  */
    const ftk_node *const *nodes;
    const char *kernels;           /* what kernels() said: obeyed where it was this  */
                                   /* backend on this ISA; NULL: choose              */
} ftk_build;
/* Inactive weights gather momentum too (SNFS, the published FreeTickets): a dense
 * weight gradient every step.  A backend that cannot says FTK_ENOTSUP.            */
enum { FTK_BUILD_DENSE_MOMENTUM = 1u << 0 };
enum { FTK_OPT_SGD = 1, FTK_OPT_ADAM = 2, FTK_OPT_ADAMW = 3 };

typedef struct ftk_hyper {
    uint32_t size;
    uint32_t flags;                /* FTK_STEP_*                                    */
    uint64_t step;                 /* 1-based, for Adam's bias correction           */
    double lr, momentum, beta2, eps, weight_decay;
} ftk_hyper;
enum { FTK_STEP_NESTEROV = 1u << 0,
       /* A topology update follows that wants gradients of inactive weights: keep
        * what is needed to answer read_*(GRAD) until the next step; predict() and
        * edit() leave it alone.  Without it GRAD is FTK_ESTATE.                     */
       FTK_STEP_KEEP_GRAD = 1u << 1,
       FTK_STEP_NO_UPDATE = 1u << 2,   /* gradients only, BN statistics stay too      */
       FTK_STEP_STATS_ONLY = 1u << 3 }; /* forward that moves only batch-norm statistics */
typedef struct ftk_dev ftk_dev;    /* an opened device  */
typedef struct ftk_prog ftk_prog;  /* a compiled model with its weights and optimiser state */

typedef struct ftk_stats {          /* since the last sync                           */
    uint32_t size;
    int32_t bad_node;              /* first node with a non-finite value, -1: none  */
    uint64_t bad_step;
    uint64_t samples, correct;
    double loss_sum;
} ftk_stats;

/* One topology edit.  An index in both lists is dropped and added: it starts anew,
 * unless KEEP_MOMENTUM leaves all that grow the momentum the backend holds.      */
typedef struct ftk_change {
    uint32_t size;
    uint32_t flags;                /* FTK_EDIT_KEEP_MOMENTUM                        */
    const uint64_t *drop, *add;    /* ascending                                     */
    uint64_t n_drop, n_add;
    const float *value;            /* [n_add], or NULL: all 0                       */
} ftk_change;
enum { FTK_EDIT_KEEP_MOMENTUM = 1u << 0 };

/* Named arrays of the canonical state; the core alone knows file formats.        */
typedef struct ftk_tensor {
    uint32_t size;
    uint32_t role;                 /* FTK_TENSOR_*                                 */
    uint32_t node, member;
    uint64_t n;                    /* floats: nnz of a sparse layer, else all       */
} ftk_tensor;
enum { FTK_TENSOR_WEIGHT = 1, FTK_TENSOR_BIAS = 2, FTK_TENSOR_BN_MEAN = 3, FTK_TENSOR_BN_VAR = 4,
       FTK_TENSOR_MOMENT1 = 16, FTK_TENSOR_MOMENT2 = 32 }; /* | with WEIGHT or BIAS        */

typedef struct ftk_open {          /* the core's own keys of the `backend` group   */
    uint32_t size;
    uint32_t device, threads;      /* threads 0: all                               */
    uint32_t precision;            /* FTK_FP32, FTK_TF32, FTK_BF16                 */
    uint32_t flags, reserved;      /* FTK_OPEN_TUNE: choose kernels by measuring   */
    const char *isa;               /* "auto", or a name                            */
} ftk_open;
enum { FTK_FP32 = 0, FTK_TF32 = 1, FTK_BF16 = 2, FTK_OPEN_TUNE = 1u << 0 };

typedef struct ftk_backend_ops {
    uint32_t size;
    uint32_t flags;
    /* Never fails for want of hardware: it reports score 0 and a reason.  [call]  */
    ftk_status (*probe)(const ftk_host *h, uint32_t i, ftk_device *ret); /* DONE past the last */
    ftk_status (*open)(const ftk_host *h, const void *params, const ftk_open *o, ftk_dev **ret);
    void (*close)(ftk_dev *d);

    ftk_status (*supports)(ftk_dev *d, const ftk_node *n);
    ftk_status (*compile)(ftk_dev *d, const ftk_build *b, ftk_prog **ret);
    void (*release)(ftk_prog *p);
    /* Backend, ISA, then the kernel of each layer, as text that lives until release().
     * Without TUNE a pure function of (nnz, shape, batch, ISA), anew after every mask()
     * and edit(); with it measured, anew where a density enters another 0.05.        */
    const char *(*kernels)(ftk_prog *p);
    /* uint8 images [n][c][h][w] that batches may index; copied, for a crop
     * padded by `pad` (0 or reflected, in pixels), then (v/255 - mean[c]) / std[c].  */
    ftk_status (*bind)(ftk_prog *p, uint32_t set, const uint8_t *images, uint64_t n,
                       const float *mean, const float *std, uint32_t pad, uint32_t reflect);

    /* step = forward + backward + update; asynchronous if FTK_CAP_ASYNC, but `b` is
     * the caller's again on return.  b and ret are [members] pointers; below, layer
     * = member * sparse layers + its index.                                        */
    ftk_status (*step)(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy);
    ftk_status (*predict)(ftk_prog *p, const ftk_batch *const *b, float *ret_logit);
    /* Gradient of the mean loss with respect to the input, in evaluation mode.     */
    ftk_status (*grad_input)(ftk_prog *p, const ftk_batch *const *b, float *ret_dx);
    ftk_status (*sync)(ftk_prog *p, ftk_stats *const *ret);

    /* Topology: three functions are all that dynamic sparse training needs.  The
     * core reads, scores, selects and then edits once; what it drops it also offers
     * to the grower, unless the experiment forbids it.                             */
    ftk_status (*read_active)(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                              uint64_t *cursor, ftk_cand *ret);
    ftk_status (*read_inactive)(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                                uint64_t *cursor, ftk_cand *ret);
    ftk_status (*edit)(ftk_prog *p, uint32_t layer, const ftk_change *c);
    /* The k active (lowest) or inactive (highest) positions by a formula,
     * ascending, ties to the lower index: the same set the core would choose.  NaN
     * is FTK_ENUMERIC, too large a k FTK_ERANGE.                                    */
    ftk_status (*select)(ftk_prog *p, uint32_t layer, uint32_t which, uint32_t formula,
                         const ftk_rng *rng, uint64_t k, uint64_t *ret_index);

    /* Canonical state, one array at a time; DONE past the last.  mask() replaces a
     * layer's active set; its values and state are 0 until put().                   */
    ftk_status (*tensor)(ftk_prog *p, uint32_t i, ftk_tensor *ret);
    ftk_status (*get)(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret);
    ftk_status (*put)(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v);
    ftk_status (*mask)(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n);
} ftk_backend_ops;
#endif
