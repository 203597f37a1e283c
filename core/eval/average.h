/* SPDX-License-Identifier: MIT
 * eval/average.h - from members' float32 logits to probabilities and logs in double.
 *
 * The ensemble's probability is the arithmetic mean of the members' softmax; its log is formed by
 * log-sum-exp, so that it is finite wherever the logits are.
 */
#ifndef FTK__AVERAGE_H
#define FTK__AVERAGE_H
#include "base/error.h"
#include <freetickets/metric.h>

struct ftk__prediction {        /* a batch ready for metrics                    */
    ftk_pred pred;
    double *block;              /* owns all arrays                              */
    const double **member, **log_member;
    uint64_t cap;               /* samples it has room for                      */
};
ftk_status ftk__prediction_init(struct ftk__prediction *p, uint32_t members, uint32_t classes,
                                uint64_t cap, struct ftk_error *reterr);
void ftk__prediction_done(struct ftk__prediction *p);
/* logits[members] -> [n][classes]; samples from..from+count.  A logit that is not finite is
 * FTK_ENUMERIC, naming member and sample. */
ftk_status ftk__prediction_fill(struct ftk__prediction *p, const float *const *logits,
                                const int32_t *label, uint64_t from, uint64_t count,
                                struct ftk_error *reterr);
#endif
