/* SPDX-License-Identifier: MIT
 * train/schedule.c - topology updates, their rate, and the steps of gradual pruning.
 */
#include "train/schedule.h"

#include "sparse/budget.h"
#include <math.h>

uint64_t ftk__steps_of(ftk_duration d, const ftk_run *run, uint64_t whole)
{
    switch (d.unit) {
    case FTK_UNIT_STEP:
        return (uint64_t)llround(d.value);
    case FTK_UNIT_EPOCH:
        return (uint64_t)llround(d.value * run->steps_per_epoch);
    default:
        return (uint64_t)llround(d.value * (double)whole);
    }
}

static bool starts_stretch(uint32_t code)
{
    return code == FTK_OP_INIT || code == FTK_OP_ESCAPE || code == FTK_OP_REWIND;
}

/* The cosine runs from the last INIT, ESCAPE or REWIND to `stop` of the last TRAIN before the next
 * SAVE. */
static void find_stretch(const struct ftk__experiment *x, const ftk_run *run,
                         const struct ftk__oplist *plan, uint32_t i, struct ftk__train_schedule *s)
{
    uint32_t first = i;
    while (first > 0 && !starts_stretch(plan->v[first - 1].op.code))
        first--;
    uint32_t last = i;
    for (uint32_t j = i + 1; j < plan->n && plan->v[j].op.code != FTK_OP_SAVE; j++) {
        if (starts_stretch(plan->v[j].op.code))
            break;
        if (plan->v[j].op.code == FTK_OP_TRAIN && plan->v[j].effect.steps > 0)
            last = j;
    }
    const struct ftk__op_effect *end = &plan->v[last].effect;
    s->stretch_from = plan->v[first].effect.t_from;
    s->stretch_to = end->t_from + ftk__steps_of(x->topology.stop, run, end->steps);
}

/* The code of the operation that follows, 0: none.  A TRAIN without a step is none that follows. */
static uint32_t code_after(const struct ftk__oplist *plan, uint32_t i)
{
    uint32_t j = i + 1;
    while (j < plan->n && plan->v[j].op.code == FTK_OP_TRAIN && plan->v[j].effect.steps == 0)
        j++;
    return j < plan->n ? plan->v[j].op.code : 0;
}

/* What leaves the live network, and the gradient that it keeps, as they are. */
static bool only_reads(uint32_t code)
{
    return code == FTK_OP_SAVE || code == FTK_OP_REMEMBER;
}

bool ftk__escape_by_last_batch(const struct ftk__experiment *x, const struct ftk__oplist *plan,
                               uint32_t i)
{
    if (!x->topology.enabled || x->topology.escape_gradient != FTK__ESCAPE_LAST_BATCH)
        return false;
    uint32_t j = i;
    while (j > 0 && only_reads(plan->v[j - 1].op.code))
        j--;
    return j > 0 && plan->v[j - 1].op.code == FTK_OP_TRAIN && plan->v[j - 1].effect.steps > 0;
}

bool ftk__gradient_is_awaited(const struct ftk__experiment *x, const struct ftk__oplist *plan,
                              uint32_t i)
{
    uint32_t j = i + 1;
    while (j < plan->n && only_reads(plan->v[j].op.code))
        j++;
    return j < plan->n && plan->v[j].op.code == FTK_OP_ESCAPE &&
           ftk__escape_by_last_batch(x, plan, j);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void set_updates(const struct ftk__experiment *x, const ftk_run *run, uint32_t next,
                        const struct ftk__op_effect *effect, struct ftk__train_schedule *s)
{
    const struct ftk__topology_options *o = &x->topology;
    uint64_t length = (uint64_t)llround(x->epochs * run->steps_per_epoch);
    s->interval = ftk__steps_of(o->interval, run, length);
    s->last_update = min_u64(s->end, effect->t_from + ftk__steps_of(o->stop, run, effect->steps));
    bool closes = next == FTK_OP_SAVE || next == FTK_OP_ESCAPE;
    if (o->quiet_end && closes) {
        uint64_t quiet = s->end > s->interval ? s->end - s->interval : 0;
        s->last_update = min_u64(s->last_update, quiet);
    }
}

void ftk__train_schedule(const struct ftk__experiment *x, const ftk_run *run,
                         const struct ftk__oplist *plan, uint32_t i,
                         struct ftk__train_schedule *ret)
{
    const struct ftk__topology_options *o = &x->topology;
    const struct ftk__planned_op *p = &plan->v[i];
    struct ftk__train_schedule s = {
        .rate = o->rate,
        .rate_min = o->rate_min,
        .cosine = o->schedule == FTK__RATE_COSINE,
        .replaces = o->update_step == FTK__UPDATE_REPLACES,
        .end = p->effect.t_to,
    };
    find_stretch(x, run, plan, i, &s);
    if ((p->op.flags & FTK_TRAIN_DST) && o->enabled)
        set_updates(x, run, code_after(plan, i), &p->effect, &s);
    if (p->op.ramp_density > 0) {
        uint64_t length = (uint64_t)llround(x->epochs * run->steps_per_epoch);
        s.interval = ftk__steps_of(o->interval, run, length);
        s.ramp_from = p->effect.t_from + (uint64_t)llround(p->op.ramp_from * run->steps_per_epoch);
        s.ramp_to = p->effect.t_from + (uint64_t)llround(p->op.ramp_to * run->steps_per_epoch);
        s.density_from = p->effect.density_from;
        s.density_to = p->op.ramp_density;
    }
    s.keep_last_gradient = ftk__gradient_is_awaited(x, plan, i);
    *ret = s;
}

static bool cuts(const struct ftk__train_schedule *s, uint64_t t)
{
    if (s->density_to <= 0 || t > s->ramp_to)
        return false;
    return t == s->ramp_to || (t > s->ramp_from && s->interval && t % s->interval == 0);
}

enum ftk__event ftk__event_at(const struct ftk__train_schedule *s, uint64_t t)
{
    if (cuts(s, t))
        return FTK__EVENT_CUT;
    if (s->last_update && s->interval && t <= s->last_update && t % s->interval == 0)
        return FTK__EVENT_UPDATE;
    return FTK__EVENT_NONE;
}

double ftk__rate_at(const struct ftk__train_schedule *s, uint64_t t)
{
    if (!s->cosine)
        return s->rate;
    if (t >= s->stretch_to)
        return s->rate_min;
    double done = (double)(t - s->stretch_from) / (double)(s->stretch_to - s->stretch_from);
    return s->rate_min + (s->rate - s->rate_min) * (1 + cos(3.14159265358979323846 * done)) / 2;
}

double ftk__cut_density(const struct ftk__train_schedule *s, uint64_t t)
{
    return ftk__ramp_density(s->density_from, s->density_to, t, s->ramp_from, s->ramp_to);
}
