/* SPDX-License-Identifier: MIT
 * train/session.h - the state of a run in progress, shared by the operation interpreter and the step
 * loop; all that a checkpoint has to hold is here or in what it points to.
 */
#ifndef FTK__SESSION_H
#define FTK__SESSION_H
#include "train/journal.h"
#include "train/ledger.h"
#include "train/network.h"
#include "train/trainer.h"

struct ftk__seconds {
    double train, data, eval, file;
};
struct ftk__best {              /* ensemble.keep = best_validation               */
    struct ftk__snapshot *state; /* NULL: none since the last TRAIN began        */
    double accuracy;
};
struct ftk__session {
    const struct ftk__trainer *tr;
    const struct ftk__experiment *x;
    ftk_run run;
    struct ftk__oplist plan;
    struct ftk__opstate state;
    struct ftk__rules rules;
    struct ftk__arena arena;
    struct ftk__network net;
    struct ftk__feed *feed;
    struct ftk__journal journal;
    struct ftk__ledger ledger;
    struct ftk__snapshot *slot[FTK__MAX_SLOTS];
    struct ftk__best best;
    ftk_result *result;         // [plan.n] of finished operations
    const ftk_result **results; // [plan.n]
    uint32_t n_results;
    struct ftk__seconds seconds;
    uint64_t steps_done, images;
    uint64_t trajectory;        /* steps between snapshots; 0: none             */
    double params_stored;
    double last_sparsity;
    bool any_sparse;
};

/* TRAIN, operation i. */
ftk_status ftk__session_train(struct ftk__session *s, uint32_t i, const ftk_op *op,
                              const struct ftk__op_effect *effect, ftk_result *ret,
                              struct ftk_error *reterr);
/* A gradient-only step on the batch that operation `next` will see first. */
ftk_status ftk__session_fresh_gradient(struct ftk__session *s, uint32_t next,
                                       struct ftk_error *reterr);
/* Takes densities and kernels over into the ledger after the topology changed. */
ftk_status ftk__session_topology_changed(struct ftk__session *s, struct ftk_error *reterr);
double ftk__now(void);          /* seconds, monotonic                           */
#endif
