/* SPDX-License-Identifier: MIT
 * good_strategy_same.c - one network, trained once and saved as every member, fields filled one by one
 * and nothing written behind the end of a label.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>
#include <string.h>

static void empty(ftk_op *op)
{
    op->size = sizeof(*op);
    op->code = op->flags = op->member = op->slot = op->reserved = 0;
    op->epochs = op->rate = op->density = 0;
    op->ramp_from = op->ramp_to = op->ramp_density = 0;
    op->lr.kind = op->lr.n_milestones = 0;
    op->lr.base = op->lr.gamma = op->lr.final_fraction = op->lr.warmup_epochs = 0;
    op->lr.from_epoch = op->lr.of_epochs = 0;
    for (int k = 0; k < 8; k++)
        op->lr.milestones[k] = 0;
    op->label[0] = '\0';
}

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    (void)hist;
    if (i >= 2 + (uint64_t)run->members)
        return FTK_DONE;
    empty(ret);
    if (i == 0) {
        ret->code = FTK_OP_INIT;
    } else if (i == 1) {
        ret->code = FTK_OP_TRAIN;
        ret->epochs = run->epochs;
        strcpy(ret->label, "once");
    } else {
        ret->code = FTK_OP_SAVE;
        ret->member = i - 2;
    }
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "good_same",
    .summary = "one state, saved as every member",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.good_same", "1.0.0", "MIT", &strategy);
