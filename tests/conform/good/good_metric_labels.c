/* SPDX-License-Identifier: MIT
 * good_metric_labels.c - a metric that no label matters to: the mean entropy of the ensemble, and how
 * much of it the members do not share.  Without a sample it is 0 by definition.
 */
#include <freetickets/metric.h>
#include <freetickets/plugin.h>
#include <math.h>

struct state {
    uint64_t n;
    double total, own;
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct state);
    return FTK_OK;
}

static double entropy(const double *prob, const double *log_prob, uint32_t classes)
{
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++)
        sum -= prob[k] * log_prob[k];
    return sum;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct state *s = state;
    (void)h;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++) {
        uint64_t at = i * p->classes;
        s->n++;
        s->total += entropy(p->ensemble + at, p->log_ensemble + at, p->classes);
        for (uint32_t m = 0; m < p->members; m++)
            s->own += entropy(p->member[m] + at, p->log_member[m] + at, p->classes) / p->members;
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct state *a = into;
    const struct state *b = from;
    (void)h;
    (void)self;
    a->n += b->n;
    a->total += b->total;
    a->own += b->own;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct state *s = state;
    (void)h;
    (void)self;
    double n = s->n > 0 ? (double)s->n : 1;
    ret_values[0] = s->total / n;
    ret_values[1] = (s->total - s->own) / n;
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "entropy", .unit = "nat", .min = -1e-9, .max = INFINITY },
    { .name = "not_shared", .unit = "nat", .min = -INFINITY, .max = INFINITY, .better = 1 },
};

static const ftk_metric_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_METRIC_MEMBERS,
    .n_values = 2,
    .values = values,
    .state_bytes = state_bytes,
    .add = add,
    .merge = merge,
    .finish = finish,
};

static const ftk_algo metric = {
    .size = sizeof(metric),
    .kind = FTK_KIND_METRIC,
    .name = "good_labels",
    .summary = "entropy, which needs no labels",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.good_labels", "1.0.0", "MIT", &metric);
