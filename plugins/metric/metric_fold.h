/* SPDX-License-Identifier: MIT
 * metric/metric_fold.h - what the metrics share: sums that do not depend on their order,
 * the predicted class, and an instance that is its parameters.
 */
#ifndef METRIC_FOLD_H
#define METRIC_FOLD_H
#include <freetickets/metric.h>
#include <math.h>

/* A sum with its rounding errors beside it (Neumaier 1974): batches may then be split and
 * merged in any way, a million samples long, within 1e-12.  Zeroed is empty.        */
struct metric_sum {
    double sum, error;
};

static inline void metric_sum_add(struct metric_sum *s, double x)
{
    double next = s->sum + x;
    if (fabs(s->sum) >= fabs(x))
        s->error += (s->sum - next) + x;
    else
        s->error += (x - next) + s->sum;
    s->sum = next;
}

static inline void metric_sum_merge(struct metric_sum *into, const struct metric_sum *from)
{
    metric_sum_add(into, from->sum);
    metric_sum_add(into, from->error);
}

/* The sum over n; rounding must not push what cannot be negative below 0.  NaN stays. */
static inline double metric_sum_mean(const struct metric_sum *s, uint64_t n)
{
    double mean = (s->sum + s->error) / (double)n;
    return mean <= 0 ? 0 : mean;
}

/* The class of the highest probability, the first of equals. */
static inline uint32_t metric_top(const double *prob, uint32_t classes)
{
    uint32_t top = 0;
    for (uint32_t c = 1; c < classes; c++)
        top = prob[c] > prob[top] ? c : top;
    return top;
}
#endif
