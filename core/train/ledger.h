/* SPDX-License-Identifier: MIT
 * train/ledger.h - the FLOPs of a run, by RigL's counting: what the masks make of it in theory, and
 * what the chosen kernels execute (a layer on a dense kernel counts dense).
 */
#ifndef FTK__LEDGER_H
#define FTK__LEDGER_H
#include "config/oplist.h"
#include "model/flops.h"
#include "plugin/engine.h"

struct ftk__ledger {
    const struct ftk__model *model;
    double dense_image;         /* f_D: one image forward, everything dense     */
    double sparse_image;        /* f_S at the densities given last              */
    double executed_image;      /* as the kernels run it                        */
    double theory, executed;    /* sums over the run                            */
};
void ftk__ledger_init(struct ftk__ledger *l, const struct ftk__model *m);
/* After every change of the topology; density[n_layers]. `dense_kernel`[n_layers] marks layers that
 * run dense; NULL: none. */
ftk_status ftk__ledger_densities(struct ftk__ledger *l, const double *density,
                                 const bool *dense_kernel, struct ftk_error *reterr);
/* A step of `images`: 3 f_S, or 2 f_S + f_D where it forms dense weight gradients. */
void ftk__ledger_step(struct ftk__ledger *l, uint64_t images, bool dense_gradient);
/* A dense run as long as the experiment's `epochs` over n_train images: 3 f_D each. */
double ftk__ledger_dense_run(const struct ftk__ledger *l, double epochs, uint64_t n_train);

/* Which layers the program computes densely, from the backend's kernels(): all of them where it
 * does not compute sparsely at all, else those whose line "<layer> <kernel> ..." names a kernel
 * that begins with "dense". */
ftk_status ftk__ledger_kernels(struct ftk__engine *e, const struct ftk__model *m, bool *ret_dense,
                               struct ftk_error *reterr);
#endif
