/* SPDX-License-Identifier: MIT
 * ensemble/static - M sparse networks, each trained alone with the mask it was born with.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>

struct static_params {
    ftk_duration train;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct static_params, train, "1.0x", 0, 1e6,
                       "length of each member's training"),
    FTK_PARAM_END,
};

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct static_params *p = self;
    (void)h;
    (void)hist;
    return strategy_solo_op(run, i, p->train, 0, 0, ret);
}

static const ftk_ensemble_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_ENS_STATIC | FTK_ENS_INDEPENDENT,
    .op = op,
};

static const ftk_algo static_ensemble = {
    .size = sizeof(static_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "static",
    .summary = "sparse networks with fixed masks, each trained alone",
    .reference = "Liu et al. 2022, arXiv:2202.02643",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct static_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.ensemble.static", "0.1.0", "MIT", &static_ensemble);
