/* SPDX-License-Identifier: MIT
 * freetickets/ensemble.h - an ensemble strategy is a list of operations, produced lazily.
 *
 * op(i) is a pure function of (params, run, i, history): no state is carried
 * between calls.  So the core can print a plan without training, resume at any i
 * from a checkpoint, and the conformance kit can ask for ops out of order.  While
 * op i trains, the core asks for op i+1 with the results up to i-1, to see whether
 * SAVE or ESCAPE follows: its code must not depend on the result of op i.
 */
#ifndef FTK_ENSEMBLE_H
#define FTK_ENSEMBLE_H
#include <freetickets/host.h>

typedef enum ftk_opcode {
    FTK_OP_INIT = 1,     /* fresh weights; sparse by the init plugin, or dense     */
    FTK_OP_TRAIN = 2,    /* run SGD for some epochs                                */
    FTK_OP_SAVE = 3,     /* keep the network as `member`; each of 0..M-1 just once */
    FTK_OP_ESCAPE = 4,   /* one topology update at rate q                          */
    FTK_OP_PRUNE = 5,    /* cut to a density                                       */
    FTK_OP_REMEMBER = 6, /* copy the network, its optimiser and counters to `slot` */
    FTK_OP_REWIND = 7    /* go back to `slot`, keeping today's mask if asked       */
} ftk_opcode;

enum { FTK_INIT_DENSE = 1u << 0,
       FTK_TRAIN_DST = 1u << 0, FTK_TRAIN_RAMP_GLOBAL = 1u << 1, FTK_TRAIN_KEEP_OPTIM = 1u << 2,
       FTK_REWIND_KEEP_MASK = 1u << 0, FTK_REWIND_RESEED = 1u << 1,
       FTK_PRUNE_GLOBAL = 1u << 0 };

/* RESEED: the nth return to a slot (from 1) adds n to the key of order, augmentation
 * and dropout, so that no retraining repeats the stream that found the mask.     */

/* lr = base * gamma^(milestones passed), or cosine from base to base*final at the end
 * of the TRAIN; before that linear per step from lr/steps to lr, inside its length. */
enum { FTK_LR_EXPERIMENT = 0, FTK_LR_STEP = 1, FTK_LR_COSINE = 2 }; /* 0: as in `optim` */
typedef struct ftk_lr {
    uint32_t kind;             /* FTK_LR_*                                          */
    uint32_t n_milestones;
    double base, gamma, final_fraction, warmup_epochs;
    double from_epoch;         /* EXPERIMENT: where in that schedule this TRAIN starts */
    double of_epochs;          /* and how long it is; 0: it ends with this TRAIN      */
    double milestones[8];      /* ascending; epochs of this TRAIN, rounded to steps */
} ftk_lr;

typedef struct ftk_op {         /* what a code does not use is 0                     */
    uint32_t size;
    uint32_t code;             /* enum ftk_opcode                                   */
    uint32_t flags;
    uint32_t member;           /* SAVE; elsewhere whose randomness this is          */
    uint32_t slot;             /* REMEMBER, REWIND                                  */
    uint32_t reserved;
    double epochs;             /* TRAIN; fractions are whole steps, rounded to nearest */
    double rate;               /* ESCAPE: q, of the active weights                  */
    double density;            /* PRUNE; INIT: 0 takes the experiment's             */
    double ramp_from, ramp_to; /* TRAIN: gradual pruning between these of its epochs, */
    double ramp_density;       /* by the cubic rule, to this density exactly; 0: none */
    ftk_lr lr;                 /* TRAIN                                             */
    char label[48];            /* for logs and plans: "refine 2/3"                  */
} ftk_op;

typedef struct ftk_result {
    uint32_t size;
    uint32_t op;
    double train_loss, val_loss, val_accuracy; /* NaN where there is none           */
} ftk_result;

typedef struct ftk_history {
    uint32_t size;
    uint32_t n;                /* results of ops 0..n-1                             */
    const ftk_result *const *results;
} ftk_history;

typedef struct ftk_run {       /* what the experiment fixes for every strategy      */
    uint32_t size;
    uint32_t members;
    uint32_t steps_per_epoch, reserved;
    double epochs;             /* of one dense run: the unit of "x" in durations     */
    double density;
    ftk_lr lr;                 /* `optim`, resolved                                 */
} ftk_run;

typedef struct ftk_ensemble_ops {
    uint32_t size;
    uint32_t flags;            /* FTK_ENS_STATIC: history is never read             */
    /* FTK_OK with *ret filled, FTK_DONE past the last op, or an error.    [call]   */
    ftk_status (*op)(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret);
} ftk_ensemble_ops;
enum { FTK_ENS_STATIC = 1u << 0,
       FTK_ENS_INDEPENDENT = 1u << 1 }; /* ops of different members share nothing: they may
                                         * run at once, on other threads, ranks or grouped  */
#endif
