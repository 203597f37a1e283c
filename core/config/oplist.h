/* SPDX-License-Identifier: MIT
 * config/oplist.h - the state machine of a strategy's operations, as a pure dry run.
 *
 * `check`, `plan`, the interpreter and the conformance kit all judge a strategy here, so that none
 * accepts what another refuses.  It counts steps, slots, saves and densities; no network is
 * involved.
 */
#ifndef FTK__OPLIST_H
#define FTK__OPLIST_H
#include "config/experiment.h"

enum { FTK__MAX_OPS = 100000, FTK__MAX_SLOTS = 16 };

/* What sort of rule a refused operation breaks: ENS-03, 04, 06 and 08 of the conformance kit. */
enum ftk__op_fault {
    FTK__FAULT_NONE,
    FTK__FAULT_ORDER,
    FTK__FAULT_FIELDS,
    FTK__FAULT_DENSITY,
    FTK__FAULT_SLOT
};

struct ftk__op_slot { /* what REMEMBER keeps, as counts */
    bool filled;
    bool sparse;
    double density;
    uint64_t t;       /* steps since INIT */
    uint32_t returns; /* REWIND|RESEED to it so far */
    uint32_t reseed;  /* in force when it was filled */
};
struct ftk__opstate {
    uint32_t members, steps_per_epoch;
    double target_density; /* the experiment's; 0 where it has none */
    bool sparse;           /* it came from a sparse INIT or was pruned */
    bool ramp_open;        /* a ramp has not reached its end */
    double density;        /* expected, of the maskable weights */
    uint64_t t;            /* steps since INIT */
    uint64_t total_steps;  /* of all TRAINs so far */
    uint32_t n_ops;
    enum ftk__op_fault fault; /* of the operation that was refused */
    uint32_t reseed;          /* added to the keys of order and augmentation */
    uint8_t *saved;           // [members]
    uint32_t *saved_by;       // [members] the operation that did, where saved
    struct ftk__op_slot slot[FTK__MAX_SLOTS];
};
ftk_status ftk__opstate_init(struct ftk__opstate *s, const ftk_run *run, struct ftk_error *reterr);
void ftk__opstate_done(struct ftk__opstate *s);

struct ftk__op_effect { /* what an operation does to the counts */
    uint64_t steps;     /* of TRAIN: round(epochs x steps per epoch) */
    uint64_t t_from, t_to;
    double density_from, density_to;
    uint32_t reseed; /* in force during the operation */
};
/* Checks the fields of `op` and its place in the list, and advances.  An error names the operation:
 * "operation 4 (save): member 1 was saved by operation 2".  Refused (ENS-03, 04, 06, 08): a first
 * op that is no INIT, so that every other has a network; ESCAPE without a sparse one; a member
 * saved twice or beyond M; REWIND to an empty slot; unknown code or flags; unused fields not 0;
 * numbers that are not finite or out of range; milestones unsorted, more than 8 or beyond the op;
 * PRUNE or ramp above the present density; SAVE inside a ramp. */
ftk_status ftk__opstate_step(struct ftk__opstate *s, const ftk_op *op, struct ftk__op_effect *ret,
                             struct ftk_error *reterr);
/* After the last op: each of 0..M-1 saved exactly once. */
ftk_status ftk__opstate_end(const struct ftk__opstate *s, struct ftk_error *reterr);

struct ftk__planned_op {
    ftk_op op;
    struct ftk__op_effect effect;
};
struct ftk__oplist {
    struct ftk__planned_op *v; // [n]
    uint32_t n;
    uint64_t total_steps;
    double total_epochs;
    bool any_sparse, any_dst, any_ramp; /* what the strategy uses */
    bool uses_optim_lr;                 /* some TRAIN follows `optim`'s schedule */
    bool uses_optim_base;               /* or has one of its own that starts at `optim.lr` */
};
/* Asks `strategy` (an instance of an ensemble algorithm) for every op with empty results. */
ftk_status ftk__oplist_plan(struct ftk__instance *strategy, const ftk_run *run,
                            struct ftk__oplist *ret, struct ftk_error *reterr);
void ftk__oplist_done(struct ftk__oplist *l);
/* Asks for op i with `hist` and wraps errors; FTK_DONE past the last. */
ftk_status ftk__oplist_ask(struct ftk__instance *strategy, const ftk_run *run, uint32_t i,
                           const ftk_history *hist, ftk_op *ret, struct ftk_error *reterr);

/* What the experiment fixes for a strategy; `n_train` images a pass. */
ftk_run ftk__experiment_run(const struct ftk__experiment *x, uint64_t n_train);
/* The learning-rate schedule that op (a TRAIN) follows, with milestones in steps of this TRAIN. */
struct ftk__lr_plan {
    uint32_t kind; /* FTK_LR_STEP or FTK_LR_COSINE */
    uint32_t n_milestones;
    double base, gamma, final_fraction;
    uint64_t milestone[8];   /* steps of this TRAIN; <= 0 passed before it: counted in `base` */
    uint64_t warmup_steps;   /* of the schedule */
    uint64_t offset, length; /* step of the schedule at the TRAIN's start, its length */
};
ftk_status ftk__lr_plan(const struct ftk__experiment *x, const ftk_run *run, const ftk_op *op,
                        struct ftk__lr_plan *ret, struct ftk_error *reterr);
double ftk__lr_at(const struct ftk__lr_plan *p, uint64_t step); /* of step 0.. of the TRAIN */

/* A batch above the n_train images that there are (or the limit leaves). */
void ftk__experiment_check_size(const struct ftk__experiment *x, uint64_t n_train,
                                struct ftk__issues *issues);
/* Core keys that were given and that nothing reads under this strategy ("optim.lr: not used by
 * ensemble edst"), as notes for `check`; and what cannot go together (best_validation without a
 * split, sparsity.density missing though an op is sparse, an interval below one step). */
ftk_status ftk__experiment_check(const struct ftk__experiment *x, const ftk_run *run,
                                 const struct ftk__oplist *ops, struct ftk__str *ret_notes,
                                 struct ftk__issues *issues);
#endif
