/* SPDX-License-Identifier: MIT
 * config/lrplan.c - what the experiment fixes for a strategy, and the learning rate of each TRAIN.
 *
 * All lengths are rounded to whole steps, to nearest, where they are fractions or epochs.
 */
#include "config/opcheck.h"
#include "config/oplist.h"
#include <math.h>

#define PI 3.14159265358979323846
enum { MILESTONES_MAX = 8 };

/* Steps of a duration; a bare number is a fraction of `train` epochs. */
static double duration_epochs(ftk_duration d, double train, const ftk_run *run)
{
    switch (d.unit) {
    case FTK_UNIT_EPOCH:
        return d.value;
    case FTK_UNIT_RUN:
        return d.value * run->epochs;
    case FTK_UNIT_TRAIN:
        return d.value * train;
    default:
        return d.value / run->steps_per_epoch;
    }
}

static uint64_t duration_steps(ftk_duration d, double train, const ftk_run *run)
{
    if (d.unit == FTK_UNIT_STEP)
        return ftk__op_steps(d.value, 1);
    return ftk__op_steps(duration_epochs(d, train, run), run->steps_per_epoch);
}

static ftk_lr experiment_lr(const struct ftk__experiment *x, const ftk_run *run)
{
    const struct ftk__optim_section *o = &x->optim;
    ftk_lr lr = {
        .kind = o->schedule == FTK__LR_COSINE ? FTK_LR_COSINE : FTK_LR_STEP,
        .base = o->lr,
        .gamma = o->schedule == FTK__LR_STEP ? o->gamma : 1,
        .warmup_epochs = duration_epochs(o->warmup, run->epochs, run),
    };
    for (uint64_t i = 0; o->schedule == FTK__LR_STEP && i < o->milestones.n && i < MILESTONES_MAX;
         i++)
        lr.milestones[lr.n_milestones++] = duration_epochs(o->milestones.v[i], run->epochs, run);
    return lr;
}

ftk_run ftk__experiment_run(const struct ftk__experiment *x, uint64_t n_train)
{
    uint64_t batch = (uint64_t)x->data.batch;
    uint64_t steps = n_train / batch + (n_train % batch != 0);
    ftk_run run = {
        .size = sizeof run,
        .members = (uint32_t)x->members,
        .steps_per_epoch = steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX,
        .epochs = x->epochs,
        .density = x->sparsity.density,
    };
    if (run.steps_per_epoch > 0)
        run.lr = experiment_lr(x, &run);
    return run;
}

/* A milestone at `step` of the schedule; those the TRAIN starts beyond are in its base already. */
static void add_milestone(struct ftk__lr_plan *p, uint64_t step)
{
    if (step <= p->offset)
        p->base *= p->gamma;
    else
        p->milestone[p->n_milestones++] = step - p->offset;
}

static void limit_warmup(struct ftk__lr_plan *p, uint64_t steps)
{
    uint64_t inside = steps < p->length ? steps : p->length;
    p->warmup_steps = inside > p->offset ? inside : 0;
}

static void plan_experiment(const struct ftk__experiment *x, const ftk_run *run, const ftk_op *op,
                            struct ftk__lr_plan *p)
{
    const struct ftk__optim_section *o = &x->optim;
    const ftk_lr *lr = &op->lr;
    double length = lr->of_epochs > 0 ? lr->of_epochs : lr->from_epoch + op->epochs;
    p->kind = o->schedule == FTK__LR_COSINE ? FTK_LR_COSINE : FTK_LR_STEP;
    p->base = o->lr;
    p->gamma = o->schedule == FTK__LR_STEP ? o->gamma : 1;
    p->offset = ftk__op_steps(lr->from_epoch, run->steps_per_epoch);
    p->length = ftk__op_steps(length, run->steps_per_epoch);
    limit_warmup(p, duration_steps(o->warmup, length, run));
    for (uint64_t i = 0; o->schedule == FTK__LR_STEP && i < o->milestones.n && i < MILESTONES_MAX;
         i++)
        add_milestone(p, duration_steps(o->milestones.v[i], length, run));
}

static void plan_own(const ftk_run *run, const ftk_op *op, struct ftk__lr_plan *p)
{
    const ftk_lr *lr = &op->lr;
    p->kind = lr->kind;
    p->base = lr->base;
    p->gamma = lr->gamma;
    p->final_fraction = lr->final_fraction;
    p->length = ftk__op_steps(op->epochs, run->steps_per_epoch);
    limit_warmup(p, ftk__op_steps(lr->warmup_epochs, run->steps_per_epoch));
    for (uint32_t i = 0; lr->kind == FTK_LR_STEP && i < lr->n_milestones; i++)
        add_milestone(p, ftk__op_steps(lr->milestones[i], run->steps_per_epoch));
}

ftk_status ftk__lr_plan(const struct ftk__experiment *x, const ftk_run *run, const ftk_op *op,
                        struct ftk__lr_plan *ret, struct ftk_error *reterr)
{
    struct ftk__lr_plan p = { 0 };
    if (op->code != FTK_OP_TRAIN || run->steps_per_epoch == 0)
        return ftk__fail(reterr, FTK_EINVAL,
                         "operation code %u at %u steps an epoch has no "
                         "learning rate",
                         op->code, run->steps_per_epoch);
    if (op->lr.kind > FTK_LR_COSINE || op->lr.n_milestones > MILESTONES_MAX)
        return ftk__fail(reterr, FTK_EINVAL, "lr.kind %u with %u milestones", op->lr.kind,
                         op->lr.n_milestones);
    if (op->lr.kind == FTK_LR_EXPERIMENT)
        plan_experiment(x, run, op, &p);
    else
        plan_own(run, op, &p);
    *ret = p;
    return FTK_OK;
}

double ftk__lr_at(const struct ftk__lr_plan *p, uint64_t step)
{
    uint64_t s = p->offset + step;
    double lr = p->base;
    for (uint32_t i = 0; i < p->n_milestones && p->milestone[i] <= step; i++)
        lr *= p->gamma;
    if (s < p->warmup_steps)
        return lr * (double)(s + 1) / (double)p->warmup_steps;
    if (p->kind == FTK_LR_COSINE && p->length > 0) {
        double share = (1 + cos(PI * (double)s / (double)p->length)) / 2;
        lr *= p->final_fraction + (1 - p->final_fraction) * share;
    }
    return lr;
}
