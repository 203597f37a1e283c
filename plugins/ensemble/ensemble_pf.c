/* SPDX-License-Identifier: MIT
 * ensemble/pf - prune and fine-tune: M dense networks, each trained alone, cut once to the
 * density over the whole network, and trained on at a small constant rate.
 *
 * Fine-tuning starts with a fresh optimiser and ignores the schedule of `optim`, as published.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>

struct pf_params {
    ftk_duration train, finetune;
    double finetune_lr;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct pf_params, train, "1.0x", 0, 1e6,
                       "length of each member's dense training"),
    FTK_PARAM_DURATION(struct pf_params, finetune, "1.0x", 0, 1e6,
                       "length of each member's training after the cut"),
    FTK_PARAM_F64(struct pf_params, finetune_lr, 0.001, 0, 10, "",
                  "constant learning rate after the cut"),
    FTK_PARAM_END,
};

static void finetune(const struct pf_params *p, const ftk_run *run, ftk_op *ret)
{
    ret->code = FTK_OP_TRAIN;
    ret->epochs = strategy_epochs(p->finetune, run, 0);
    ret->lr.kind = FTK_LR_STEP;
    ret->lr.base = p->finetune_lr;
    ret->lr.gamma = 1;
    strategy_label(ret, "finetune", run);
}

/* Per member: init, train, prune, fine-tune, save. */
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct pf_params *p = self;
    (void)h;
    (void)hist;
    if (i / 5 >= run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret), .member = i / 5 };
    switch (i % 5) {
    case 0:
        ret->code = FTK_OP_INIT;
        ret->flags = FTK_INIT_DENSE;
        break;
    case 1:
        ret->code = FTK_OP_TRAIN;
        ret->epochs = strategy_epochs(p->train, run, 0);
        strategy_label(ret, "train", run);
        break;
    case 2:
        ret->code = FTK_OP_PRUNE;
        ret->flags = FTK_PRUNE_GLOBAL;
        ret->density = run->density;
        break;
    case 3:
        finetune(p, run, ret);
        break;
    default:
        ret->code = FTK_OP_SAVE;
        break;
    }
    return FTK_OK;
}

static const ftk_ensemble_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_ENS_STATIC | FTK_ENS_INDEPENDENT,
    .op = op,
};

static const ftk_algo pf_ensemble = {
    .size = sizeof(pf_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "pf",
    .summary = "train dense, prune once, fine-tune; each member alone",
    .reference = "Han et al. 2015, arXiv:1506.02626",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct pf_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.ensemble.pf", "0.1.0", "MIT", &pf_ensemble);
