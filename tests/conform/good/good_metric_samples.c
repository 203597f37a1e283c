/* SPDX-License-Identifier: MIT
 * good_metric_samples.c - a metric that ranks all samples, so that its state grows with them: how
 * often a known sample is more certain than an unknown one, ties counting half.  It refuses where
 * either kind is missing, and asks for scratch memory.
 */
#include <freetickets/metric.h>
#include <freetickets/plugin.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    double confidence;
    uint64_t unknown;
};
struct state {
    uint64_t n;
    struct seen seen[]; // [samples]
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    *ret_bytes = sizeof(struct state) + samples * sizeof(struct seen);
    return FTK_OK;
}

/* Samples of an unknown kind; where there are no kinds, those of the classes beyond the first. */
static uint64_t is_unknown(const ftk_pred *p, uint64_t i)
{
    return (p->group && p->group[i] == FTK_GROUP_OOD) || p->label[i] > 0;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct state *s = state;
    (void)h;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++) {
        struct seen one = { 0, is_unknown(p, i) };
        for (uint32_t k = 0; k < p->classes; k++)
            if (p->ensemble[i * p->classes + k] > one.confidence)
                one.confidence = p->ensemble[i * p->classes + k];
        if (one.unknown || p->label[i] == 0)
            s->seen[s->n++] = one;
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct state *a = into;
    const struct state *b = from;
    (void)h;
    (void)self;
    memcpy(a->seen + a->n, b->seen, b->n * sizeof(*b->seen));
    a->n += b->n;
    return FTK_OK;
}

static int by_confidence(const void *a, const void *b)
{
    double x = ((const struct seen *)a)->confidence;
    double y = ((const struct seen *)b)->confidence;
    return (x > y) - (x < y);
}

/* Pairs of which the known sample ranks higher, times two, in whole numbers. */
static uint64_t count_pairs(const struct seen *v, uint64_t n)
{
    uint64_t unknown_below = 0;
    uint64_t pairs = 0;
    for (uint64_t from = 0, to; from < n; from = to) {
        uint64_t known = 0;
        uint64_t unknown = 0;
        for (to = from; to < n && !(v[to].confidence > v[from].confidence); to++) {
            known += !v[to].unknown;
            unknown += v[to].unknown;
        }
        pairs += known * (2 * unknown_below + unknown);
        unknown_below += unknown;
    }
    return pairs;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct state *s = state;
    uint64_t unknown = 0;
    (void)self;
    for (uint64_t i = 0; i < s->n; i++)
        unknown += s->seen[i].unknown;
    if (unknown == 0 || unknown == s->n)
        return h->fail(h, FTK_ERANGE, "samples of one kind only");
    struct seen *sorted = h->scratch(h, s->n * sizeof(*sorted));
    if (!sorted)
        return h->fail(h, FTK_ENOMEM, "no memory to rank the samples");
    memcpy(sorted, s->seen, s->n * sizeof(*sorted));
    qsort(sorted, s->n, sizeof(*sorted), by_confidence);
    double pairs = 2 * (double)unknown * (double)(s->n - unknown);
    ret_values[0] = (double)count_pairs(sorted, s->n) / pairs;
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "auroc", .unit = "", .min = 0, .max = 1, .better = 1 },
};

static const ftk_metric_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_METRIC_GROUPS,
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
    .name = "good_samples",
    .summary = "how well certainty tells two kinds of samples apart",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.good_samples", "1.0.0", "MIT", &metric);
