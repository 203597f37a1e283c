/* SPDX-License-Identifier: MIT
 * bad_common_op.c - a strategy that trains each member alone, and what breaks the rules of every kind
 * in it.
 */
#include "bad_life.h"
#include <freetickets/ensemble.h>

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    static const uint32_t codes[3] = { FTK_OP_INIT, FTK_OP_TRAIN, FTK_OP_SAVE };
    struct life *s = self;
    double astray = life_astray(h, s);
    void *room;
    (void)hist;
#if defined(BAD_ABI_07)
    if (run->size != sizeof(*run))
        return h->fail(h, FTK_EABI, "a run of %u bytes", run->size);
#endif
#if defined(BAD_MEM_01) && defined(BAD_VARIANT_OP_INPUT)
    *(volatile double *)(uintptr_t)&run->epochs = run->epochs;
#elif defined(BAD_MEM_01)
    s->memory[3] = *(const double *)(const void *)(run + 1);
#elif defined(BAD_MEM_02)
    s->memory[3] = ((const double *)(const void *)run)[-1];
#elif defined(BAD_MEM_03)
    if (s->kept)
        s->memory[3] = ((const ftk_run *)s->kept)->epochs;
    s->kept = run;
#endif
    if (i >= 3 * run->members)
        return FTK_DONE;
    ftk_status st = life_scratch(h, sizeof(*ret), &room);
    if (st < 0)
        return st;
    ftk_op *o = room;
    *o = (ftk_op){ .size = sizeof(*o), .code = codes[i % 3], .member = i / 3 };
    if (o->code == FTK_OP_TRAIN)
        o->epochs = run->epochs * *s->unit / (1 + astray);
    *ret = *o;
    return FTK_OK;
}

static const ftk_ensemble_ops ops = { .size = sizeof(ops),
                                      .flags = FTK_ENS_STATIC | FTK_ENS_INDEPENDENT,
                                      .op = op };
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "common_op",
    .summary = "sparse networks, each trained alone",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .ops = &ops,
    .create = life_create,
    .destroy = life_destroy,
};
FTK_PLUGIN("org.example.common_op", "1.0.0", "MIT", &common);
