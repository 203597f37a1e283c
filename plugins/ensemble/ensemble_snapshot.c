/* SPDX-License-Identifier: MIT
 * ensemble/snapshot - one network, trained in M cycles: in each the learning rate falls from
 * `optim.lr` to 0 along a cosine, the network is saved, and the next cycle starts from there.
 *
 * `train` is the length of one cycle, as it is each member's length in the other strategies.  The
 * paper splits one run among the cycles: with 3 members that is train = "0.3333x".  The network is
 * born with the experiment's density and keeps its mask; the paper's is dense, density = 1.0.
 * Momentum goes on from cycle to cycle.  Of `optim`'s schedule only `lr` is read.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>

struct snapshot_params {
    ftk_duration train;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct snapshot_params, train, "1.0x", 0, 1e6,
                       "length of each cycle, at whose end a member is saved"),
    FTK_PARAM_END,
};

static void cycle(const struct snapshot_params *p, const ftk_run *run, ftk_op *ret)
{
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_KEEP_OPTIM;
    ret->epochs = strategy_epochs(p->train, run, 0);
    ret->lr.kind = FTK_LR_COSINE;
    ret->lr.base = run->lr.base;
    strategy_label(ret, "cycle", run);
}

/* 0 init, then per member: a cycle, save. */
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct snapshot_params *p = self;
    (void)h;
    (void)hist;
    if (i >= 1 + 2 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret) };
    if (i == 0) {
        ret->code = FTK_OP_INIT;
        return FTK_OK;
    }
    ret->member = (i - 1) / 2;
    if (i % 2 == 1)
        cycle(p, run, ret);
    else
        ret->code = FTK_OP_SAVE;
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo snapshot_ensemble = {
    .size = sizeof(snapshot_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "snapshot",
    .summary = "one network, saved each time its learning rate has fallen to 0",
    .reference = "Huang et al. 2017, arXiv:1704.00109",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct snapshot_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.ensemble.snapshot", "0.1.0", "MIT", &snapshot_ensemble);
