/* SPDX-License-Identifier: MIT
 * conform/pred_case.h - predictions for metrics: from logits in float to probabilities and their logs
 * in double, as the core computes them; and accumulators in guarded memory.
 */
#ifndef FTK__PRED_CASE_H
#define FTK__PRED_CASE_H
#include "conform/driver.h"

struct ftk__preds {
    uint32_t members, classes;
    uint64_t n;
    double *ensemble, *log_ensemble; // [n][classes]
    double **member, **log_member;   // [members][n][classes]
    int32_t *label;                  // [n]
};
enum ftk__pred_values {
    FTK__PRED_RANDOM,
    FTK__PRED_PERFECT,  /* the label's probability is exactly 1         */
    FTK__PRED_CONSTANT, /* class 0 always                               */
    FTK__PRED_UNIFORM,
    FTK__PRED_WRONG /* probability exactly 0 for the label          */
};
void ftk__preds_new(struct ftk__case *c, uint32_t members, uint32_t classes, uint64_t n,
                    enum ftk__pred_values values, uint64_t seed, struct ftk__preds *ret);
/* From logits[members][n][classes]. */
void ftk__preds_of(struct ftk__case *c, const float *logits, const int32_t *label, uint32_t members,
                   uint32_t classes, uint64_t n, struct ftk__preds *ret);

struct ftk__meter { /* one evaluation                               */
    struct ftk__case *c;
    struct ftk__subject *s;
    const ftk_metric_ops *ops;
    const struct ftk__how *how;
    void *state; /* guarded, zeroed, exactly state_bytes         */
    uint64_t bytes;
};
/* FTK_OK, or what state_bytes() refused with (how->may_fail). */
ftk_status ftk__meter_open(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                           uint32_t members, uint32_t classes, uint64_t samples,
                           struct ftk__meter *ret);
/* Samples from..from+n of `p`, guarded and read-only. `group` NULL: all TEST; else of all of p. */
ftk_status ftk__meter_add(struct ftk__meter *m, const struct ftk__preds *p, uint64_t from,
                          uint64_t n, const uint8_t *group);
ftk_status ftk__meter_merge(struct ftk__meter *into, const struct ftk__meter *from);
/* values[n_values]; a negative status where it refuses and how->may_fail. */
ftk_status ftk__meter_finish(struct ftk__meter *m, double *ret_values);
#endif
