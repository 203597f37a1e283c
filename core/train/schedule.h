/* SPDX-License-Identifier: MIT
 * train/schedule.h - when the topology changes during a TRAIN, and at what rate: pure functions of
 * the plan, called by the step loop and by `plan` alike.
 */
#ifndef FTK__SCHEDULE_H
#define FTK__SCHEDULE_H
#include "config/oplist.h"

enum ftk__event { FTK__EVENT_NONE, FTK__EVENT_UPDATE, FTK__EVENT_CUT };

/* Of one TRAIN; steps are t, counted since the network's INIT. */
struct ftk__train_schedule {
    uint64_t interval;          /* 0: no updates in this TRAIN                  */
    uint64_t last_update;       /* none beyond this t (stop, quiet_end)         */
    uint64_t ramp_from, ramp_to; /* of gradual pruning                          */
    double density_from, density_to; /* of the ramp; density_to 0: there is none */
    double rate, rate_min;
    bool cosine;
    uint64_t stretch_from, stretch_to; /* of the cosine                         */
    bool replaces;              /* an update takes the place of its step        */
    uint64_t end;               /* t after the TRAIN                            */
    bool keep_last_gradient;    /* an ESCAPE by the last batch follows          */
};
/* `i` is the TRAIN's place in `plan`; what follows it is read there. */
void ftk__train_schedule(const struct ftk__experiment *x, const ftk_run *run,
                         const struct ftk__oplist *plan, uint32_t i,
                         struct ftk__train_schedule *ret);
/* Whether operation i, an ESCAPE, takes the gradient that the last step of the TRAIN before it
 * kept: only operations that read the network lie between. */
bool ftk__escape_by_last_batch(const struct ftk__experiment *x, const struct ftk__oplist *plan,
                               uint32_t i);
/* Whether an ESCAPE by the last batch follows operation i, a TRAIN or one that only reads: only
 * operations that read the network lie between. */
bool ftk__gradient_is_awaited(const struct ftk__experiment *x, const struct ftk__oplist *plan,
                              uint32_t i);
/* What follows step t (t >= 1). */
enum ftk__event ftk__event_at(const struct ftk__train_schedule *s, uint64_t t);
double ftk__rate_at(const struct ftk__train_schedule *s, uint64_t t);
/* The density a cut at t aims at. */
double ftk__cut_density(const struct ftk__train_schedule *s, uint64_t t);

/* A duration in steps; "x" counts `whole` steps. */
uint64_t ftk__steps_of(ftk_duration d, const ftk_run *run, uint64_t whole);
#endif
