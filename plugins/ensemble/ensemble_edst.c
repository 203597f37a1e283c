/* SPDX-License-Identifier: MIT
 * ensemble/edst - one run: explore once, then refine, save and escape M times.
 *
 * As published there is no escape after the last member, and the rates of both phases
 * are the strategy's own, whatever `optim` says.
 */
#include "ensemble_strategy.h"
#include <freetickets/plugin.h>
#include <inttypes.h>
#include <math.h>

struct edst_params {
    ftk_duration explore, refine, explore_warmup;
    double escape_rate, explore_lr, refine_lr;
    ftk_durations refine_milestones;
};

static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct edst_params, explore, "150ep", 0, 1e6,
                       "length of the exploration phase"),
    FTK_PARAM_DURATION(struct edst_params, refine, "100ep", 0, 1e6,
                       "length of each refinement phase"),
    FTK_PARAM_F64(struct edst_params, escape_rate, 0.8, 0, 1, "fraction",
                  "active weights replaced between members"),
    FTK_PARAM_F64(struct edst_params, explore_lr, 0.1, 0, 10, "", "learning rate while exploring"),
    FTK_PARAM_DURATION(struct edst_params, explore_warmup, "0ep", 0, 1e6,
                       "linear rise of the learning rate at the start of the exploration"),
    FTK_PARAM_F64(struct edst_params, refine_lr, 0.01, 0, 10, "", "learning rate while refining"),
    FTK_PARAM_DURATIONS(struct edst_params, refine_milestones, "0.5", 0, 1e6,
                        "where the refinement's learning rate is cut by 10"),
    FTK_PARAM_END,
};

enum { MAX_MILESTONES = sizeof(((ftk_lr *)0)->milestones) / sizeof(double) };

/* Milestone i against the first, which gives the unit, and against the one before it. */
static ftk_status check_milestone(const ftk_host *h, const ftk_durations *m, uint64_t i)
{
    if (m->v[i].unit == FTK_UNIT_TRAIN && m->v[i].value > 1)
        return h->fail(h, FTK_ERANGE, "refine_milestones: %g is above 1, the end of a refinement",
                       m->v[i].value);
    if (m->v[i].unit != m->v[0].unit)
        return h->fail(h, FTK_EINVAL, "refine_milestones: %g and %g are in different units",
                       m->v[0].value, m->v[i].value);
    if (i > 0 && !(m->v[i].value > m->v[i - 1].value))
        return h->fail(h, FTK_EINVAL, "refine_milestones: %g does not lie after %g", m->v[i].value,
                       m->v[i - 1].value);
    return FTK_OK;
}

static ftk_status check(const ftk_host *h, const void *params_)
{
    const struct edst_params *p = params_;
    const ftk_durations *m = &p->refine_milestones;
    ftk_status st = FTK_OK;
    if (m->n > MAX_MILESTONES)
        return h->fail(h, FTK_ERANGE, "%" PRIu64 " refine_milestones, at most %d", m->n,
                       (int)MAX_MILESTONES);
    for (uint64_t i = 0; i < m->n && st == FTK_OK; i++)
        st = check_milestone(h, m, i);
    return st;
}

static void explore(const struct edst_params *p, const ftk_run *run, ftk_op *ret)
{
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_DST;
    ret->epochs = strategy_epochs(p->explore, run, 0);
    ret->lr.kind = FTK_LR_STEP;
    ret->lr.base = p->explore_lr;
    ret->lr.gamma = 1;
    // A rise that does not fit is cut short by the end of the phase.
    ret->lr.warmup_epochs = fmin(strategy_epochs(p->explore_warmup, run, 0), ret->epochs);
    snprintf(ret->label, sizeof(ret->label), "explore");
}

static void refine(const struct edst_params *p, const ftk_run *run, ftk_op *ret)
{
    const ftk_durations *m = &p->refine_milestones;
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_DST | FTK_TRAIN_KEEP_OPTIM;
    ret->epochs = strategy_epochs(p->refine, run, 0);
    ret->lr.kind = FTK_LR_STEP;
    ret->lr.base = p->refine_lr;
    ret->lr.gamma = 0.1;
    for (uint64_t i = 0; i < m->n; i++) {
        double at = strategy_epochs(m->v[i], run, ret->epochs);
        // One that rounds to the last step or beyond is never passed: the same without it.
        if (round(at * run->steps_per_epoch) >= round(ret->epochs * run->steps_per_epoch))
            break;
        ret->lr.milestones[ret->lr.n_milestones++] = at;
    }
    strategy_label(ret, "refine", run);
}

/* 0 init, 1 explore, then per member: refine, save, and escape unless it was the last. */
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct edst_params *p = self;
    (void)h;
    (void)hist;
    if (i >= 1 + 3 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret) };
    if (i == 0) {
        ret->code = FTK_OP_INIT;
        return FTK_OK;
    }
    if (i == 1) {
        explore(p, run, ret);
        return FTK_OK;
    }
    ret->member = (i - 2) / 3;
    switch ((i - 2) % 3) {
    case 0:
        refine(p, run, ret);
        break;
    case 1:
        ret->code = FTK_OP_SAVE;
        break;
    default:
        ret->code = FTK_OP_ESCAPE;
        ret->rate = p->escape_rate;
        break;
    }
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo edst_ensemble = {
    .size = sizeof(edst_ensemble),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "edst",
    .summary = "explore once, then refine and escape for each member, in one run",
    .reference = "Liu et al. 2022, arXiv:2106.14568, Algorithm 1",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct edst_params, params),
    .ops = &ops,
    .check = check,
};

FTK_PLUGIN("freetickets.ensemble.edst", "0.1.0", "MIT", &edst_ensemble);
