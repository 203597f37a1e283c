/* SPDX-License-Identifier: MIT
 * bad_strategy.c - each member alone: a dense network is cut gradually, goes back to where it was with
 * the mask that it ended with, and is trained again at a rate that follows how well it did before.
 */
#include <freetickets/ensemble.h>
#include <freetickets/param.h>
#include <freetickets/plugin.h>
#include <stdio.h>
#include <string.h>

struct params {
    ftk_duration train;
};
static const ftk_param params[] = {
    FTK_PARAM_DURATION(struct params, train, "0.5x", 0, 1e6, "length of the last training"),
    FTK_PARAM_END,
};

struct self {
    struct params p;
    uint32_t last;
};

enum { INIT, TO_POINT, REMEMBER, SEARCH, BACK, ESCAPE, RETRAIN, SAVE, OPS };

static double epochs_of(ftk_duration d, const ftk_run *run)
{
    switch (d.unit) {
    case FTK_UNIT_EPOCH:
        return d.value;
    case FTK_UNIT_RUN:
        return d.value * run->epochs;
    default:
#if defined(BAD_ENS_09)
        return d.value / 10;
#else
        return d.value / run->steps_per_epoch;
#endif
    }
}

static void search(const ftk_run *run, ftk_op *ret)
{
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_KEEP_OPTIM | FTK_TRAIN_RAMP_GLOBAL;
    ret->epochs = run->epochs / 2;
    ret->ramp_from = 1;
    ret->ramp_to = run->epochs / 3;
#if defined(BAD_ENS_06) && defined(BAD_VARIANT_RAMP)
    ret->ramp_from = 0;
    ret->ramp_to = 0.01;
#endif
    ret->ramp_density = run->density;
    ret->lr = (ftk_lr){ .kind = FTK_LR_STEP, .n_milestones = 2, .base = 0.1, .gamma = 0.1 };
    ret->lr.milestones[0] = run->epochs / 4;
    ret->lr.milestones[1] = run->epochs / 3;
#if defined(BAD_ENS_04) && defined(BAD_VARIANT_MILESTONES)
    ret->lr.milestones[1] = run->epochs / 5;
#endif
}

/* How well this member's search went; 0 while nobody knows. */
static double accuracy_of(uint32_t member, const ftk_history *hist)
{
    uint32_t at = member * OPS + SEARCH;
#if defined(BAD_ENS_07) && defined(BAD_VARIANT_RESULTS)
    at = SEARCH;
#endif
#if defined(BAD_ENS_05) && defined(BAD_VARIANT_SHORT)
    return hist->results && hist->results[at] ? hist->results[at]->val_accuracy : 0;
#else
    return at < hist->n ? hist->results[at]->val_accuracy : 0;
#endif
}

static void retrain(const struct self *s, const ftk_run *run, const ftk_history *hist, ftk_op *ret)
{
    ret->code = FTK_OP_TRAIN;
    ret->flags = FTK_TRAIN_KEEP_OPTIM;
    ret->epochs = epochs_of(s->p.train, run);
    ret->lr.kind = FTK_LR_COSINE;
    ret->lr.base = accuracy_of(ret->member, hist) > 0.4 ? 0.05 : 0.1;
    snprintf(ret->label, sizeof(ret->label), "retrain %u/%u", ret->member + 1, run->members);
#if defined(BAD_ENS_04) && defined(BAD_VARIANT_LABEL)
    memset(ret->label, 'x', sizeof(ret->label));
#endif
}

static void fill(const struct self *s, const ftk_run *run, uint32_t i, const ftk_history *hist,
                 ftk_op *ret)
{
    switch (i % OPS) {
    case INIT:
        ret->code = FTK_OP_INIT;
        ret->flags = FTK_INIT_DENSE;
#if defined(BAD_ENS_07) && !defined(BAD_VARIANT_RESULTS)
        if (ret->member > 0)
            *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_REMEMBER, .member = ret->member };
#endif
#if defined(BAD_ENS_03) && defined(BAD_VARIANT_EARLY)
        *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_TRAIN, .epochs = 1 };
#endif
        break;
    case TO_POINT:
        ret->code = FTK_OP_TRAIN;
        ret->epochs = 1;
        break;
    case REMEMBER:
        ret->code = FTK_OP_REMEMBER;
        break;
    case SEARCH:
        search(run, ret);
        break;
    case BACK:
        ret->code = FTK_OP_REWIND;
        ret->flags = FTK_REWIND_KEEP_MASK | FTK_REWIND_RESEED;
#if defined(BAD_ENS_03) && defined(BAD_VARIANT_DENSE)
        ret->flags = FTK_REWIND_RESEED;
#endif
#if defined(BAD_ENS_08)
        ret->slot = 1;
#endif
        break;
    case ESCAPE:
        ret->code = FTK_OP_ESCAPE;
        ret->rate = 0.1;
#if defined(BAD_ENS_05) && !defined(BAD_VARIANT_STATIC) && !defined(BAD_VARIANT_SHORT)
        if (i <= hist->n && hist->results[i - 1]->val_accuracy < 0.5)
            *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_REMEMBER, .member = ret->member };
#endif
#if defined(BAD_ENS_06) && !defined(BAD_VARIANT_RAMP)
        *ret = (ftk_op){ .size = sizeof(*ret), .code = FTK_OP_PRUNE, .member = ret->member };
        ret->density = 0.6;
#endif
        break;
    case RETRAIN:
        retrain(s, run, hist, ret);
        break;
    default:
        ret->code = FTK_OP_SAVE;
#if defined(BAD_ENS_04) && !defined(BAD_VARIANT_LABEL) && !defined(BAD_VARIANT_MILESTONES)
        ret->rate = 0.5;
#endif
#if defined(BAD_ENS_03) && defined(BAD_VARIANT_TWICE)
        ret->member = 0;
#endif
        break;
    }
}

static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    struct self *s = self;
    uint64_t n = OPS * (uint64_t)run->members;
    (void)h;
#if defined(BAD_ENS_01) && defined(BAD_VARIANT_ENDLESS)
    n = run->members == 7 ? UINT64_MAX : n;
#elif defined(BAD_ENS_01)
    n = i == n + 3 ? n + 4 : n;
#endif
#if defined(BAD_ENS_03) && !defined(BAD_VARIANT_EARLY) && !defined(BAD_VARIANT_TWICE) &&           \
    !defined(BAD_VARIANT_DENSE)
    n -= 1;
#endif
    if (i >= n)
        return FTK_DONE;
#if defined(BAD_ENS_02) && defined(BAD_VARIANT_UNWRITTEN)
    ret->reserved = ret->reserved != 0;
    uint32_t reserved = ret->reserved;
    *ret = (ftk_op){ .size = sizeof(*ret), .member = i / OPS, .reserved = reserved };
#else
    *ret = (ftk_op){ .size = sizeof(*ret), .member = i / OPS };
#endif
    fill(s, run, i, hist, ret);
#if defined(BAD_ENS_02) && !defined(BAD_VARIANT_UNWRITTEN)
    if (i + 1 == s->last)
        snprintf(ret->label, sizeof(ret->label), "once more");
#endif
    s->last = i;
    return FTK_OK;
}

static ftk_status create(const ftk_host *h, const void *params_, void **ret_self)
{
    struct self *s = h->alloc(h, sizeof(*s));
    if (!s)
        return h->fail(h, FTK_ENOMEM, "no memory for a strategy");
    s->p = *(const struct params *)params_;
    s->last = 0;
    *ret_self = s;
    return FTK_OK;
}

static void destroy(const ftk_host *h, void *self)
{
    h->free(h, self);
}

static const ftk_ensemble_ops ops = {
    .size = sizeof(ops),
#if defined(BAD_ENS_05) && defined(BAD_VARIANT_STATIC)
    .flags = FTK_ENS_INDEPENDENT | FTK_ENS_STATIC,
#else
    .flags = FTK_ENS_INDEPENDENT,
#endif
    .op = op,
};

static const ftk_algo strategy = {
    .size = sizeof(strategy),
    .kind = FTK_KIND_ENSEMBLE,
    .name = "bad_strategy",
    .summary = "cut, go back, train again, each member alone",
    .reference = "made for the tests of the kit",
    FTK_PARAMS(struct params, params),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};

FTK_PLUGIN("org.example.bad_strategy", "1.0.0", "MIT", &strategy);
