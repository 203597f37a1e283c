/* SPDX-License-Identifier: MIT
 * metric/nll - the mean over labelled samples of minus the natural log of the probability
 * that the ensemble's averaged prediction gives to the label.
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>
#include <inttypes.h>

struct nll_state {
    uint64_t samples;
    struct metric_sum loss;
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct nll_state);
    return FTK_OK;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct nll_state *s = state;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->label[i] < 0)
            continue;
        uint32_t label = (uint32_t)p->label[i];
        if (label >= p->classes)
            return h->fail(h, FTK_ERANGE, "label %" PRIu32 " is not below %" PRIu32 " classes",
                           label, p->classes);
        s->samples++;
        metric_sum_add(&s->loss, -p->log_ensemble[i * p->classes + label]);
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct nll_state *a = into;
    const struct nll_state *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    metric_sum_merge(&a->loss, &b->loss);
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct nll_state *s = state;
    (void)self;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "nll of 0 labelled samples");
    ret_values[0] = metric_sum_mean(&s->loss, s->samples);
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "nll", .unit = "nat", .min = 0, .max = INFINITY, .better = -1 },
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

static const ftk_algo nll = {
    .size = sizeof(nll),
    .kind = FTK_KIND_METRIC,
    .name = "nll",
    .summary = "negative log-likelihood of the labels",
    .reference = "Lakshminarayanan et al. 2017, arXiv:1612.01474",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.nll", "0.1.0", "MIT", &nll);
