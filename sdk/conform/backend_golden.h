/* SPDX-License-Identifier: MIT
 * conform/backend_golden.h - what PyTorch says about every node op: small networks with their states,
 * losses and gradients, by which the oracle itself is judged.
 *
 * The files are conform/ops/<name>.safetensors; make_ops.py, which wrote them, says what is in one.
 * An installed program finds them under <prefix>/share/freetickets/conform/ops, a built one under
 * <build>/share.
 */
#ifndef FTK__BACKEND_GOLDEN_H
#define FTK__BACKEND_GOLDEN_H
#include "base/safetensors.h"
#include "conform/backend_snap.h"

extern const char *const ftk__bk_golden_names[]; /* ends with NULL                     */

struct ftk__bk_golden {
    struct ftk__bk *bk;
    const char *name;
    struct ftk__st_file file;
    struct ftk__bk_graph g;
    const double *run;     /* learning rate, momentum, ...                 */
    const double *adam;    /* optimiser, beta2, eps; NULL: SGD             */
    const int32_t *counts; // [steps] samples
    uint64_t steps;
    uint32_t max_batch;
};
/* Skips the rule where the files are not there. */
void ftk__bk_golden_open(struct ftk__bk *bk, const char *name, struct ftk__bk_golden *ret);
void ftk__bk_golden_close(struct ftk__bk_golden *c);

/* Each fails where an array is off by more than 1e-5 of its norm or of its largest entry; it does
 * nothing where the optimiser is not supported. */
/* Logits in evaluation mode and the loss of a first step. */
void ftk__bk_golden_forward(struct ftk__bk_golden *c);
/* Gradients of a first step, of inactive weights too. */
void ftk__bk_golden_gradients(struct ftk__bk_golden *c);
void ftk__bk_golden_grad_input(struct ftk__bk_golden *c);
/* All steps: the losses, and weights, statistics, moments and logits at the end. */
void ftk__bk_golden_train(struct ftk__bk_golden *c);
#endif
