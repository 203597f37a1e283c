/* SPDX-License-Identifier: MIT
 * train/ledger.h - the FLOPs of a run, by RigL's counting: what the masks make of it in theory, and
 * what the chosen kernels execute (a layer on a dense kernel counts dense).  Both in all, by layer
 * and by operation; a run and its plan keep the same books.
 */
#ifndef FTK__LEDGER_H
#define FTK__LEDGER_H
#include "config/oplist.h"
#include "model/flops.h"
#include "plugin/engine.h"

struct ftk__flops {
    double theory, executed;
};
struct ftk__ledger_layer {      /* a conv or linear node, maskable or not       */
    const char *name;           /* the model's                                  */
    uint32_t node;
    uint32_t layer;             /* the model's maskable layer; its n_layers: none */
    double dense_image;         /* one image forward, dense                     */
    struct ftk__flops image;    /* at the densities given last                  */
    struct ftk__flops sum;      /* over the run                                 */
};
enum ftk__ledger_event {
    FTK__LEDGER_STEP,           /* forward and backward of a batch, counted by ledger_step */
    FTK__LEDGER_DENSE_GRADIENT, /* of these: forms dense weight gradients       */
    FTK__LEDGER_FRESH_GRADIENT, /* of these: an extra one, only for the gradient that an INIT, an
                                 * ESCAPE or a PRUNE reads                      */
    FTK__LEDGER_SKIPPED,        /* a step whose place an update took that reads no gradient */
    FTK__LEDGER_UPDATE,         /* prune and grow inside a TRAIN                */
    FTK__LEDGER_ESCAPE,
    FTK__LEDGER_CUT,            /* of a ramp or a PRUNE                         */
    FTK__LEDGER_EVENTS
};
struct ftk__ledger_op {
    struct ftk__flops sum;
    uint64_t count[FTK__LEDGER_EVENTS];
};
struct ftk__ledger {
    const struct ftk__model *model;
    struct ftk__ledger_layer *layers; // [n_layers] in node order
    uint32_t n_layers;
    struct ftk__ledger_op *ops; // [n_ops]
    uint32_t n_ops;
    uint32_t now;               /* the operation that steps are counted for     */
    double dense_image;         /* f_D: one image forward, everything dense     */
    struct ftk__flops image;    /* f_S: at the densities given last             */
    struct ftk__flops sum;      /* over the run; always up to date              */
    struct ftk__flops settled;  /* the part of it that layers and ops have      */
    double images;              /* since then, of steps at 3 f_S                */
    double dense_gradient_images; /* of steps at 2 f_S + f_D                    */
};
/* For n_ops operations; everything dense.  ENOMEM. */
ftk_status ftk__ledger_init(struct ftk__ledger *l, const struct ftk__model *m, uint32_t n_ops,
                            struct ftk_error *reterr);
void ftk__ledger_done(struct ftk__ledger *l);
/* What follows is operation i's. */
void ftk__ledger_operation(struct ftk__ledger *l, uint32_t i);
/* After every change of the topology; density[n_layers] of the model. `dense_kernel`[n_layers]
 * marks layers that run dense; NULL: none. */
void ftk__ledger_densities(struct ftk__ledger *l, const double *density, const bool *dense_kernel);
/* A step of `images`: 3 f_S, or 2 f_S + f_D where it forms dense weight gradients. */
void ftk__ledger_step(struct ftk__ledger *l, uint64_t images, bool dense_gradient);
/* An event that has no FLOPs of its own: any but STEP and DENSE_GRADIENT. */
void ftk__ledger_note(struct ftk__ledger *l, enum ftk__ledger_event event);
/* Brings the sums of layers and operations up to date; each kind adds up to `sum`. */
void ftk__ledger_settle(struct ftk__ledger *l);
/* Over all operations. */
uint64_t ftk__ledger_count(const struct ftk__ledger *l, enum ftk__ledger_event event);
/* A dense run as long as the experiment's `epochs` over n_train images: 3 f_D each. */
double ftk__ledger_dense_run(const struct ftk__ledger *l, double epochs, uint64_t n_train);

/* Which layers the program computes densely, from the backend's kernels(): all of them where it
 * does not compute sparsely at all, else those whose line "<layer> <kernel> ..." names a kernel
 * that begins with "dense". */
ftk_status ftk__ledger_kernels(struct ftk__engine *e, const struct ftk__model *m, bool *ret_dense,
                               struct ftk_error *reterr);
#endif
