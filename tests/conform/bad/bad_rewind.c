/* SPDX-License-Identifier: MIT
 * bad_rewind.c - one mask found once, and trained once for each member from the same early weights.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    static const uint32_t found[] = { FTK_OP_INIT, FTK_OP_TRAIN, FTK_OP_REMEMBER, FTK_OP_PRUNE };
    static const uint32_t each[] = { FTK_OP_REWIND, FTK_OP_TRAIN, FTK_OP_SAVE };
    (void)h;
    (void)self;
    (void)hist;
    if (i >= 4 + 3 * (uint64_t)run->members)
        return FTK_DONE;
    *ret = (ftk_op){ .size = sizeof(*ret) };
    ret->code = i < 4 ? found[i] : each[(i - 4) % 3];
    ret->member = i < 4 ? 0 : (i - 4) / 3;
    if (ret->code == FTK_OP_PRUNE)
        ret->density = run->density;
    if (ret->code == FTK_OP_INIT)
        ret->flags = FTK_INIT_DENSE;
    if (ret->code == FTK_OP_REWIND)
        ret->flags = FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED;
#if defined(BAD_ENS_08) && defined(BAD_VARIANT_REPEAT)
    if (ret->code == FTK_OP_REWIND)
        ret->flags = FTK_REWIND_KEEP_MASK;
#endif
    if (ret->code == FTK_OP_TRAIN)
        ret->epochs = run->epochs / 2;
#if defined(BAD_ENS_08) && defined(BAD_VARIANT_MEMBER)
    if (ret->code == FTK_OP_TRAIN)
        ret->member = 0;
#endif
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops), .flags = FTK_ENS_STATIC, .op = op };

static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "bad_rewind",
    .summary = "one mask, trained once for each member",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.bad_rewind", "1.0.0", "MIT", &strategy);
