/* SPDX-License-Identifier: MIT
 * ensemble/ltr - lottery-ticket rewinding: prune one dense run gradually, go back to its
 * early weights with the mask it ended with, and retrain that mask M times.
 *
 * All parts follow the learning rate of the dense run: a part that starts at epoch e starts
 * there in the schedule too.  The published code cannot run; this is the paper's appendix C,
 * with the ramp from epoch 40 to 200 of 250 (Zhu and Gupta 2017, arXiv:1710.01878).
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>
#include <math.h>

struct ltr_params {
    double rewind, ramp_from, ramp_to;
};

static const ftk_param params[] = {
    FTK_PARAM_F64(struct ltr_params, rewind, 0.05, 0, 1, "fraction",
                  "share of the dense run to rewind to"),
    FTK_PARAM_F64(struct ltr_params, ramp_from, 0.16, 0, 1, "fraction",
                  "share of the dense run where gradual pruning starts"),
    FTK_PARAM_F64(struct ltr_params, ramp_to, 0.8, 0, 1, "fraction",
                  "share of the dense run where it reaches the density"),
    FTK_PARAM_END,
};

static ftk_status check(const ftk_host *h, const void *params_)
{
    const struct ltr_params *p = params_;
    if (p->rewind > p->ramp_from)
        return h->fail(h, FTK_EINVAL, "rewind %g lies after ramp_from %g", p->rewind, p->ramp_from);
    if (p->ramp_from >= p->ramp_to)
        return h->fail(h, FTK_EINVAL, "ramp_from %g does not lie before ramp_to %g", p->ramp_from,
                       p->ramp_to);
    return FTK_OK;
}

/* Where the rewind point lies, in epochs: a whole step, so that the parts add up to the run. */
static double rewind_epoch(const struct ltr_params *p, const ftk_run *run)
{
    double steps = round(p->rewind * run->epochs * run->steps_per_epoch);
    return fmin(steps / run->steps_per_epoch, run->epochs);
}

/* From the rewind point to the end of the dense run. */
static void rest_of_run(const struct ltr_params *p, const ftk_run *run, ftk_op *ret)
{
    double at = rewind_epoch(p, run);
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_KEEP_OPTIM;
    ret->epochs = run->epochs - at;
    ret->lr.from_epoch = at;
    ret->lr.of_epochs = run->epochs;
}

/* The one run that finds the mask: 0 init, 1 train, 2 remember, 3 prune gradually. */
static void search(const struct ltr_params *p, const ftk_run *run, uint32_t i, ftk_op *ret)
{
    double at = rewind_epoch(p, run);
    switch (i) {
    case 0:
        ret->code = FTK_OP_INIT;
        ret->flags = FTK_INIT_DENSE;
        break;
    case 1:
        ret->code = FTK_OP_TRAIN;
        ret->epochs = at;
        ret->lr.of_epochs = run->epochs;
        snprintf(ret->label, sizeof(ret->label), "to the rewind point");
        break;
    case 2:
        ret->code = FTK_OP_REMEMBER;
        break;
    default:
        rest_of_run(p, run, ret);
        ret->flags |= FTK_TRAIN_RAMP_GLOBAL;
        // Rounding the rewind point may carry it past the ramp's start, by half a step.
        ret->ramp_from = fmax(p->ramp_from * run->epochs - at, 0);
        ret->ramp_to = fmax(p->ramp_to * run->epochs - at, 0);
        ret->ramp_density = run->density;
        snprintf(ret->label, sizeof(ret->label), "prune gradually");
        break;
    }
}

/* The search, then per member: rewind, retrain, save. */
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct ltr_params *p = self;
    (void)h;
    (void)hist;
    if (i >= 4 + 3 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret) };
    if (i < 4) {
        search(p, run, i, ret);
        return FTK_OK;
    }
    ret->member = (i - 4) / 3;
    switch ((i - 4) % 3) {
    case 0:
        ret->code = FTK_OP_REWIND;
        ret->flags = FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED;
        break;
    case 1:
        rest_of_run(p, run, ret);
        strategy_label(ret, "retrain", run);
        break;
    default:
        ret->code = FTK_OP_SAVE;
        break;
    }
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo ltr_ensemble = {
    .size = sizeof(ltr_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "ltr",
    .summary = "prune one dense run, rewind, retrain the mask once for each member",
    .reference = "Liu et al. 2022, arXiv:2106.14568, appendix C",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct ltr_params, params),
    .ops = &ops,
    .check = check,
};

FTK_PLUGIN("freetickets.ensemble.ltr", "0.1.0", "MIT", &ltr_ensemble);
