/* SPDX-License-Identifier: MIT
 * train/trainer.h - a whole run: every operation of the strategy, members and journal in the
 * folder.
 */
#ifndef FTK__TRAINER_H
#define FTK__TRAINER_H
#include "base/safetensors.h"
#include "config/oplist.h"
#include "data/dataset.h"
#include "model/model.h"
#include "plugin/engine.h"
#include "train/checkpoint.h"
#include "train/ledger.h"
#include "train/progress.h"

struct ftk__trainer {           /* all borrowed                                 */
    const struct ftk__experiment *x;
    const struct ftk__model *model;
    const struct ftk__dataset *data;
    struct ftk__engine *engine; /* opened, not yet compiled                     */
    const char *run_dir;        /* exists                                       */
    const int *lock;            /* on it, base/io.h; NULL: none is held. Where it is lost nothing is
                                 * written any more: FTK_EIO                     */
    const struct ftk__st_meta *meta; // [n_meta] into every member
    uint64_t n_meta;
    struct ftk__progress progress;
    struct ftk__checkpoints checkpoints;
};
struct ftk__train_report {
    struct ftk__oplist ops;     /* as they ran                                  */
    struct ftk__ledger ledger;  /* FLOPs and events, settled; names are the model's */
    double dense_run;           /* FLOPs of one dense run of `epochs`           */
    double wall_s;              /* seconds of training; data, evaluation, files apart */
    double data_s, eval_s, file_s;
    uint64_t steps, images;
    double params_stored;       /* of all members, relative to one dense network */
    double sparsity;            /* of the maskable weights at the last SAVE     */
    bool sparse;                /* some member is sparse                        */
    json_t *saved;              /* what was saved, train/saved.h                */
    struct ftk__checkpoint_costs checkpoints;
};
/* FTK_DONE: stopped as asked, with a checkpoint written.  `ret` is the caller's to end with
 * ftk__train_report_done, in both cases. */
ftk_status ftk__train(const struct ftk__trainer *tr, struct ftk__train_report *ret,
                      struct ftk_error *reterr);
void ftk__train_report_done(struct ftk__train_report *r);

/* What compile() is asked for: nodes, batch, optimiser, channels as the experiment's rules need. */
ftk_status ftk__train_compile(const struct ftk__experiment *x, const struct ftk__model *m,
                              uint32_t channels, struct ftk__engine *e,
                              struct ftk_error *reterr);
/* The same with what kernels() said before (ftk_build.kernels); NULL: nothing. */
ftk_status ftk__train_compile_for(const struct ftk__experiment *x, const struct ftk__model *m,
                                  uint32_t channels, const char *kernels, struct ftk__engine *e,
                                  struct ftk_error *reterr);

/* The instances that an experiment names, made once for training or planning; `init` stays empty
 * where it is built in. */
struct ftk__rules {
    struct ftk__instance init, prune, grow, allot, strategy;
};
ftk_status ftk__rules_init(const struct ftk__experiment *x, struct ftk__rules *ret,
                           struct ftk_error *reterr);
void ftk__rules_done(struct ftk__rules *r);
struct ftk__topology;
/* A topology for `x` over the model's layers; `overrides` memory comes from the arena. */
ftk_status ftk__rules_topology(const struct ftk__experiment *x, const struct ftk__model *m,
                               struct ftk__rules *r, struct ftk__arena *arena,
                               struct ftk__topology **ret, struct ftk_error *reterr);
#endif
