/* SPDX-License-Identifier: MIT
 * metric/kl - the Kullback-Leibler divergence between the predictions of two members, in
 * nats, averaged over all ordered pairs of members and over samples; labels never matter.
 *
 * With l the log-probabilities and m their mean over the M members, summing over all
 * pairs (i, j), those with i = j being 0,
 *     1 / (M (M - 1)) sum_ij sum_c p_i (l_i - l_j) = 1 / (M - 1) sum_i sum_c p_i (l_i - m).
 * One member has no pair: it reports 0, as M copies of one network do, so that a run of one
 * member is evaluated by the same list of metrics as any other.
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>

struct kl_state {
    uint64_t samples;
    struct metric_sum divergence;
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct kl_state);
    return FTK_OK;
}

/* Mean over ordered pairs for the sample whose row starts at entry `at`. */
static double sample_divergence(const ftk_pred *p, uint64_t at)
{
    double sum = 0;
    if (p->members < 2)
        return 0;
    for (uint64_t e = at; e < at + p->classes; e++) {
        double mean = 0;
        for (uint32_t i = 0; i < p->members; i++)
            mean += p->log_member[i][e] / p->members;
        for (uint32_t i = 0; i < p->members; i++)
            sum += p->member[i][e] * (p->log_member[i][e] - mean);
    }
    return sum / (p->members - 1);
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct kl_state *s = state;
    (void)h;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++)
        metric_sum_add(&s->divergence, sample_divergence(p, i * p->classes));
    s->samples += p->count;
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct kl_state *a = into;
    const struct kl_state *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    metric_sum_merge(&a->divergence, &b->divergence);
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct kl_state *s = state;
    (void)self;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "kl over 0 samples");
    ret_values[0] = metric_sum_mean(&s->divergence, s->samples);
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "kl", .unit = "nat", .min = 0, .max = INFINITY, .better = 0 },
};

static const ftk_metric_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_METRIC_MEMBERS,
    .n_values = 1,
    .values = values,
    .state_bytes = state_bytes,
    .add = add,
    .merge = merge,
    .finish = finish,
};

static const ftk_algo kl = {
    .size = sizeof(kl),
    .kind = FTK_KIND_METRIC,
    .name = "kl",
    .summary = "divergence between members' predictions, mean over ordered pairs",
    .reference = "Fort et al. 2019, arXiv:1912.02757",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.kl", "0.1.0", "MIT", &kl);
