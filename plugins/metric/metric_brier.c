/* SPDX-License-Identifier: MIT
 * metric/brier - the mean over labelled samples of the squared distance between the ensemble's
 * averaged prediction and the label's unit vector: the sum over classes of (p - y)^2, from 0 to 2.
 *
 * That is Brier's own form for any number of classes.  With two classes it is twice what some
 * libraries call the Brier score.
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>
#include <inttypes.h>

struct brier_state {
    uint64_t samples;
    struct metric_sum distance;
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct brier_state);
    return FTK_OK;
}

static double squared_distance(const double *prob, uint32_t classes, uint32_t label)
{
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++) {
        double off = prob[c] - (c == label ? 1 : 0);
        sum += off * off;
    }
    return sum;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct brier_state *s = state;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->label[i] < 0)
            continue;
        uint32_t label = (uint32_t)p->label[i];
        if (label >= p->classes)
            return h->fail(h, FTK_ERANGE, "label %" PRIu32 " is not below %" PRIu32 " classes",
                           label, p->classes);
        s->samples++;
        metric_sum_add(&s->distance,
                       squared_distance(p->ensemble + i * p->classes, p->classes, label));
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct brier_state *a = into;
    const struct brier_state *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    metric_sum_merge(&a->distance, &b->distance);
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct brier_state *s = state;
    (void)self;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "brier of 0 labelled samples");
    ret_values[0] = metric_sum_mean(&s->distance, s->samples);
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "brier", .unit = "", .min = 0, .max = 2, .better = -1 },
};

static const ftk_metric_ops ops = {
    .size = sizeof(ops),
    .n_values = 1,
    .values = values,
    .state_bytes = state_bytes,
    .add = add,
    .merge = merge,
    .finish = finish,
};

static const ftk_algo brier = {
    .size = sizeof(brier),
    .kind = FTK_KIND_METRIC,
    .name = "brier",
    .summary = "squared distance between probabilities and labels, over all classes",
    .reference = "Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.brier", "0.1.0", "MIT", &brier);
