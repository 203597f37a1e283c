/* SPDX-License-Identifier: MIT
 * ensemble/dense - M dense networks, each trained alone: the deep ensemble.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>

struct dense_params {
    ftk_duration train;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct dense_params, train, "1.0x", 0, 1e6,
                       "length of each member's training"),
    FTK_PARAM_END,
};

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct dense_params *p = self;
    (void)h;
    (void)hist;
    return strategy_solo_op(run, i, p->train, FTK_INIT_DENSE, 0, ret);
}

static const ftk_ensemble_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_ENS_STATIC | FTK_ENS_INDEPENDENT,
    .op = op,
};

static const ftk_algo dense_ensemble = {
    .size = sizeof(dense_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "dense",
    .summary = "dense networks, each trained alone",
    .reference = "Lakshminarayanan et al. 2017, arXiv:1612.01474",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct dense_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.ensemble.dense", "0.1.0", "MIT", &dense_ensemble);
