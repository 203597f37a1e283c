/* SPDX-License-Identifier: MIT
 * ensemble @NAME@ - one network explores with a moving topology; each member then starts from it.
 *
 * A strategy is a pure function: operation i of (parameters, run), with nothing kept between calls.
 * So `freetickets plan` prints it without training, and a run resumes at any i.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>
#include <stdio.h>

struct params {
    ftk_duration explore, refine;
};
static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct params, explore, "0.5x", 0, 1e6, "the shared training"),
    FTK_PARAM_DURATION(struct params, refine, "0.5x", 0, 1e6, "each member's own training"),
    FTK_PARAM_END,
};

static double epochs_of(ftk_duration d, const ftk_run *run)
{
    if (d.unit == FTK_UNIT_RUN)
        return d.value * run->epochs;
    return d.unit == FTK_UNIT_EPOCH ? d.value : d.value / run->steps_per_epoch;
}

/* INIT, TRAIN, REMEMBER; then for each member REWIND, TRAIN, SAVE. */
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    const struct params *p = self;
    (void)h;
    (void)hist;
    *ret = (ftk_op){ .size = sizeof(*ret) };
    if (i < 3) {
        static const uint32_t codes[] = { FTK_OP_INIT, FTK_OP_TRAIN, FTK_OP_REMEMBER };
        ret->code = codes[i];
        if (ret->code == FTK_OP_TRAIN) {
            ret->flags = FTK_TRAIN_DST;
            ret->epochs = epochs_of(p->explore, run);
            snprintf(ret->label, sizeof(ret->label), "explore");
        }
        return FTK_OK;
    }
    ret->member = (i - 3) / 3;
    if (ret->member >= run->members)
        return FTK_DONE;
    switch ((i - 3) % 3) {
    case 0:
        ret->code = FTK_OP_REWIND;
        ret->flags = FTK_REWIND_RESEED; /* members see other orders of the images */
        break;
    case 1:
        ret->code = FTK_OP_TRAIN;
        ret->flags = FTK_TRAIN_DST | FTK_TRAIN_KEEP_OPTIM;
        ret->epochs = epochs_of(p->refine, run);
        snprintf(ret->label, sizeof(ret->label), "refine %u/%u", ret->member + 1, run->members);
        break;
    default:
        ret->code = FTK_OP_SAVE;
        break;
    }
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };
static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "@NAME@",
    .summary = "members that start from one explored network",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.ensemble.@NAME@", "0.1.0", "MIT", &strategy);
