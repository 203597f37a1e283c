/* SPDX-License-Identifier: MIT
 * train/session.h - the state of a run in progress, shared by the operation interpreter and the
 * step loop; all that a checkpoint has to hold is here or in what it points to.
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
struct ftk__position {          /* in a TRAIN                                   */
    bool inside;                /* one is in progress                           */
    ftk_op op;                  /* it                                           */
    uint64_t local;             /* its steps that are done                      */
    double last_lr;
    uint64_t samples, correct;  /* since the last epoch's end                   */
    double loss_sum;
    uint64_t epoch_images;
    struct ftk__seconds epoch_start;
    ftk_result result;          /* as far as it is known                        */
};
struct ftk__checkpointing {     /* when the next one is due, what they cost     */
    double started, last;       /* ftk__now() of the run's start, the last one's end */
    double expected_s;          /* what the next one will take                  */
    bool prev_is_better;        /* last.ftc is none that could be resumed from  */
    struct ftk__checkpoint_costs costs;
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
    struct ftk__position at;
    struct ftk__checkpointing checkpointing;
    json_t *saved;              /* train/saved.h                                */
    ftk_result *result;         // [plan.n] of finished operations
    const ftk_result **results; // [plan.n]
    uint32_t n_results;
    struct ftk__seconds seconds;
    uint64_t steps_done, images;
    uint64_t trajectory;        /* steps between snapshots; 0: none             */
    bool said_limited;          /* ftk__session_note_limited                    */
    double params_stored;
    double last_sparsity;
    bool any_sparse;
};

/* All operations from number n_results on.  FTK_DONE: stopped as asked. */
ftk_status ftk__session_run(struct ftk__session *s, struct ftk_error *reterr);
/* Operation i as the strategy says it, given the results so far: checked, counted, and compared with
 * the plan that decided when updates fall.  FTK_DONE: past the last. */
ftk_status ftk__session_next_op(struct ftk__session *s, uint32_t i, ftk_op *ret,
                                struct ftk__op_effect *ret_effect, struct ftk_error *reterr);
/* Before something is written by name: whether the run's folder is still where it was. */
ftk_status ftk__session_check_folder(const struct ftk__session *s, struct ftk_error *reterr);
/* Between two units of work: writes a checkpoint if one is due or a stop was asked for.
 * FTK_DONE: it was. */
ftk_status ftk__session_pause(struct ftk__session *s, struct ftk_error *reterr);
/* Puts a session that was just opened, but for its journal, where the checkpoint was written.  What
 * does not fit this run is FTK_EINVAL (65) and leaves all files as they are. */
ftk_status ftk__session_resume(struct ftk__session *s, const struct ftk__ftc_file *f,
                               struct ftk_error *reterr);
/* The kernels that a checkpoint's backend had chosen; NULL: none told. */
const char *ftk__checkpoint_kernels(const struct ftk__ftc_file *f);

/* TRAIN, operation i; goes on where s->at is inside it.  FTK_DONE: stopped as asked. */
ftk_status ftk__session_train(struct ftk__session *s, uint32_t i, const ftk_op *op,
                              const struct ftk__op_effect *effect, ftk_result *ret,
                              struct ftk_error *reterr);
/* Added to the pass by RESEED: so far away that a retraining shares no stream with what went
 * before. */
uint64_t ftk__session_pass_key(const struct ftk__session *s);
/* The batch of step t + 1, by `member`'s randomness; valid until the next call. */
ftk_status ftk__session_batch(struct ftk__session *s, uint32_t member, ftk_batch *ret,
                              struct ftk_error *reterr);
/* Runs it with FTK_STEP_* `flags` and counts its FLOPs. */
ftk_status ftk__session_step(struct ftk__session *s, const ftk_batch *b, double lr, uint32_t flags,
                             struct ftk_error *reterr);
/* What the backend counted since the last call; an error (76) where a value was not finite. */
ftk_status ftk__session_sync(struct ftk__session *s, double lr, ftk_stats *ret,
                             struct ftk_error *reterr);
/* For operation i: a gradient-only step on the batch that the next TRAIN will see first. */
ftk_status ftk__session_fresh_gradient(struct ftk__session *s, uint32_t i,
                                       struct ftk_error *reterr);
/* Takes densities and kernels over into the ledger after the topology changed. */
ftk_status ftk__session_topology_changed(struct ftk__session *s, struct ftk_error *reterr);
/* Says once in a run that `regrow = forbidden` made the k of an update smaller. */
void ftk__session_note_limited(struct ftk__session *s, const struct ftk__topology_report *report);
double ftk__now(void);          /* seconds, monotonic                           */
#endif
