/* SPDX-License-Identifier: MIT
 * ensemble/dst - M sparse networks, each trained alone while its topology moves.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>

struct dst_params {
    ftk_duration train;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct dst_params, train, "1.0x", 0, 1e6,
                       "length of each member's training"),
    FTK_PARAM_END,
};

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct dst_params *p = self;
    (void)h;
    (void)hist;
    return strategy_solo_op(run, i, p->train, 0, FTK_TRAIN_DST, ret);
}

static const ftk_ensemble_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_ENS_STATIC | FTK_ENS_INDEPENDENT,
    .op = op,
};

static const ftk_algo dst_ensemble = {
    .size = sizeof(dst_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "dst",
    .summary = "sparse networks with moving topology, each trained alone",
    .reference = "Liu et al. 2022, arXiv:2106.14568, section 3.2",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct dst_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.ensemble.dst", "0.1.0", "MIT", &dst_ensemble);
