/* SPDX-License-Identifier: MIT
 * good_strategy_history.c - one network trained in stretches; each starts at half the rate of the one
 * before if that made things worse.  What it knows may be nothing, too short, or NaN.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>
#include <math.h>
#include <stdio.h>

/* The loss after member j's stretch, NaN where nobody knows. */
static double loss_of(uint32_t j, const ftk_history *hist)
{
    uint32_t at = 1 + 2 * j;
    return at < hist->n ? hist->results[at]->train_loss : (double)NAN;
}

static double rate(uint32_t member, const ftk_run *run, const ftk_history *hist)
{
    double lr = run->lr.base;
    for (uint32_t j = 1; j < member; j++)
        if (loss_of(j, hist) > loss_of(j - 1, hist))
            lr /= 2;
    return lr;
}

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    if (i >= 1 + 2 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_INIT };
    if (i == 0)
        return FTK_OK;
    ret->member = (i - 1) / 2;
    ret->code = FTK_OP_SAVE;
    if (i % 2 == 0)
        return FTK_OK;
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_DST | FTK_TRAIN_KEEP_OPTIM;
    ret->epochs = run->epochs / run->members;
    ret->lr.kind = FTK_LR_STEP;
    ret->lr.base = rate(ret->member, run, hist);
    ret->lr.gamma = 1;
    snprintf(ret->label, sizeof(ret->label), "at a rate of %g", ret->lr.base);
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .op = op };

static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "good_history",
    .summary = "the rate follows the losses so far",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.good_history", "1.0.0", "MIT", &strategy);
