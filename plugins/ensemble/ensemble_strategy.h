/* SPDX-License-Identifier: MIT
 * ensemble/ensemble_strategy.h - what the strategies share: lengths in epochs, and the
 * list "init, train, save" of those whose members have nothing in common.
 */
#ifndef ENSEMBLE_STRATEGY_H
#define ENSEMBLE_STRATEGY_H
#include <freetickets/ensemble.h>
#include <freetickets/param.h>
#include <stdio.h>

/* A duration in epochs.  `train`: of the TRAIN it lies in, for bare fractions; else 0. */
static inline double strategy_epochs(ftk_duration d, const ftk_run *run, double train)
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

/* "train 2/3": what a plan and a log call an operation of one member. */
static inline void strategy_label(ftk_op *op, const char *what, const ftk_run *run)
{
    snprintf(op->label, sizeof(op->label), "%s %u/%u", what, op->member + 1, run->members);
}

/* Operation i of a list that is INIT, TRAIN, SAVE for each member. */
static inline ftk_status strategy_solo_op(const ftk_run *run, uint32_t i, ftk_duration train,
                                          uint32_t init_flags, uint32_t train_flags, ftk_op *ret)
{
    uint32_t member = i / 3;
    if (member >= run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret), .member = member };
    switch (i % 3) {
    case 0:
        ret->code = FTK_OP_INIT;
        ret->flags = init_flags;
        break;
    case 1:
        ret->code = FTK_OP_TRAIN;
        ret->flags = train_flags;
        ret->epochs = strategy_epochs(train, run, 0);
        strategy_label(ret, "train", run);
        break;
    default:
        ret->code = FTK_OP_SAVE;
        break;
    }
    return FTK_OK;
}
#endif
