/* SPDX-License-Identifier: MIT
 * good_strategy_branches.c - members that go back to one slot without another order of images, each
 * with a rate of its own; and pruning in rounds, where going back keeps a mask that is ever smaller.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>
#include <math.h>

enum { ROUNDS = 3, FIRST = 2 + 3 * ROUNDS };

/* Per round: train, cut to the next density, go back. */
static void prune_in_rounds(const ftk_run *run, uint32_t i, ftk_op *ret)
{
    switch (i % 3) {
    case 0:
        ret->code = FTK_OP_TRAIN;
        ret->epochs = run->epochs / 2;
        break;
    case 1:
        ret->code = FTK_OP_PRUNE;
        ret->density = pow(run->density, (i / 3 + 1.0) / ROUNDS);
        break;
    default:
        ret->code = FTK_OP_REWIND;
        ret->flags = FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED;
        break;
    }
}

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    (void)hist;
    if (i >= FIRST + 3 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_INIT };
    if (i == 0) {
        ret->flags = FTK_INIT_DENSE;
        return FTK_OK;
    }
    ret->code = FTK_OP_REMEMBER;
    if (i == 1)
        return FTK_OK;
    if (i < FIRST) {
        prune_in_rounds(run, i - 2, ret);
        return FTK_OK;
    }
    uint32_t member = (i - FIRST) / 3;
    ret->code = FTK_OP_REWIND;
    ret->flags = FTK_REWIND_KEEP_MASK;
    if ((i - FIRST) % 3 == 1)
        *ret = (ftk_op){ .size = sizeof(*ret),
                         .code = FTK_OP_TRAIN,
                         .epochs = run->epochs / 2,
                         .lr = { .kind = FTK_LR_STEP, .base = 0.1 / (1 + member), .gamma = 1 } };
    if ((i - FIRST) % 3 == 2)
        *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_SAVE, .member = member };
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "good_branches",
    .summary = "a mask found in rounds, trained at several rates",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.good_branches", "1.0.0", "MIT", &strategy);
