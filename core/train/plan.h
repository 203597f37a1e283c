/* SPDX-License-Identifier: MIT
 * train/plan.h - what a run would do and cost, without data, backend or training: the operations,
 * each layer's density, FLOPs counted step by step with the schedules that the step loop uses.
 */
#ifndef FTK__PLAN_H
#define FTK__PLAN_H
#include "config/oplist.h"
#include "model/model.h"
#include "train/ledger.h"

struct ftk__plan_layer {
    const char *name;           /* the model's                                  */
    uint64_t dims[4];
    uint32_t n_dims;
    uint64_t n, nnz;            /* nnz at the first sparse INIT; n without one   */
    double density;
};
struct ftk__plan {
    ftk_run run;
    struct ftk__oplist ops;
    struct ftk__plan_layer *layers; // [n_layers] every conv and linear weight
    uint32_t n_layers;
    uint64_t params_total, params_active;
    double density;             /* of the maskable weights                      */
    struct ftk__ledger ledger;  /* FLOPs of training and events, settled; its sum.theory over
                                 * flops_dense_run is "theory"                  */
    double flops_dense_run;
    double flops_test;          /* one image through all members                */
    double epochs_total;
    uint64_t memory_bytes;      /* estimate: weights, momentum, indices, activations, images */
    uint64_t disk_bytes;        /* members, masks, predictions                  */
    bool approximate;           /* densities after a global ranking are taken as equal, Bernoulli
                                 * counts as expected                          */
    uint32_t limited;           /* layers (at network scope 1: the network) whose k in some update
                                 * `regrow = forbidden` makes smaller: n - nnz */
};
/* Errors: a strategy that breaks the rules of operations, densities that cannot be met. */
ftk_status ftk__plan_make(const struct ftk__experiment *x, const struct ftk__model *m,
                          uint64_t n_train, uint64_t n_test, struct ftk__plan *ret,
                          struct ftk_error *reterr);
void ftk__plan_done(struct ftk__plan *p);
#endif
