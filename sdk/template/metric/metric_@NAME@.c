/* SPDX-License-Identifier: MIT
 * metric @NAME@ - how often the label is among the ensemble's k most probable classes.
 *
 * A metric folds batches into an accumulator that the core allocates, zeroed, and may merge.
 */
#include <freetickets/metric.h>
#include <freetickets/plugin.h>

struct params {
    int64_t k;
};
static const ftk_param params[] = {
    FTK_PARAM_I64(struct params, k, 2, 1, 1000, "", "how many classes count"),
    FTK_PARAM_END,
};

struct sums { /* the accumulator */
    uint64_t samples, right;
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct sums);
    return FTK_OK;
}

/* How many classes are more probable than the label's; the first of equals counts as more. */
static uint32_t rank_of(const double *prob, uint32_t classes, uint32_t label)
{
    uint32_t rank = 0;
    for (uint32_t c = 0; c < classes; c++)
        rank += prob[c] > prob[label] || (c < label && prob[c] >= prob[label]);
    return rank;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    const struct params *q = self;
    struct sums *s = state;
    (void)h;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->label[i] < 0)
            continue; /* the label is not known */
        const double *prob = p->ensemble + i * p->classes;
        s->samples++;
        s->right += rank_of(prob, p->classes, (uint32_t)p->label[i]) < (uint64_t)q->k;
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct sums *a = into;
    const struct sums *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    a->right += b->right;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct sums *s = state;
    (void)self;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "no labelled sample");
    ret_values[0] = (double)s->right / (double)s->samples;
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "@NAME@", .unit = "", .min = 0, .max = 1, .better = 1 },
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
static const ftk_algo metric = {
    .size = sizeof(metric),
    .kind = FTK_KIND_METRIC,
    .name = "@NAME@",
    .summary = "share of samples whose label is among the k most probable classes",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.metric.@NAME@", "0.1.0", "MIT", &metric);
