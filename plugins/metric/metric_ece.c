/* SPDX-License-Identifier: MIT
 * metric/ece - expected calibration error over bins of equal width: the sum over bins of
 * |right - confidence| over the number of samples, confidence being the highest probability.
 *
 * Bin b of B lies between b / B and (b + 1) / B.  An edge belongs to the bin on its left, as Guo
 * et al. define them, or, with `closed = "left"`, on its right; 0 lies in the first bin and 1 in
 * the last in both.  The published FreeTickets code is bins = 14, closed = "right"; Uncertainty
 * Baselines is 15 and "left".
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>

enum { CLOSED_LEFT, CLOSED_RIGHT };

struct ece_params {
    int64_t bins;
    int32_t closed;
};

static const char *const sides[] = { "left", "right", NULL };

static const ftk_param params[] = {
    FTK_PARAM_I64(struct ece_params, bins, 15, 1, 1000, "", "bins of equal width"),
    FTK_PARAM_ENUM(struct ece_params, closed, CLOSED_RIGHT, sides,
                   "the side of a bin whose edge belongs to it"),
    FTK_PARAM_END,
};

struct ece_bin {
    uint64_t right;
    struct metric_sum confidence;
};

struct ece_state {
    uint64_t samples;
    struct ece_bin bin[]; // [bins]
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    const struct ece_params *p = self;
    (void)h;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct ece_state) + (uint64_t)p->bins * sizeof(struct ece_bin);
    return FTK_OK;
}

/* The product may round across an edge, so the edges themselves have the last word. */
static uint64_t bin_of(const struct ece_params *p, double confidence)
{
    double bins = (double)p->bins;
    double b = fmin(floor(confidence * bins), bins - 1);
    if (p->closed == CLOSED_RIGHT) {
        while (b > 0 && confidence <= b / bins)
            b--;
        while (b + 1 < bins && confidence > (b + 1) / bins)
            b++;
    } else {
        while (b > 0 && confidence < b / bins)
            b--;
        while (b + 1 < bins && confidence >= (b + 1) / bins)
            b++;
    }
    return (uint64_t)b;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct ece_state *s = state;
    for (uint64_t i = 0; i < p->count; i++) {
        const double *prob = p->ensemble + i * p->classes;
        uint32_t top = metric_top(prob, p->classes);
        if (p->label[i] < 0)
            continue;
        if (!(prob[top] >= 0))
            return h->fail(h, FTK_ENUMERIC, "confidence %g is not a probability", prob[top]);
        struct ece_bin *bin = &s->bin[bin_of(self, prob[top])];
        s->samples++;
        bin->right += (uint32_t)p->label[i] == top;
        metric_sum_add(&bin->confidence, prob[top]);
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    const struct ece_params *p = self;
    struct ece_state *a = into;
    const struct ece_state *b = from;
    (void)h;
    a->samples += b->samples;
    for (uint64_t i = 0; i < (uint64_t)p->bins; i++) {
        a->bin[i].right += b->bin[i].right;
        metric_sum_merge(&a->bin[i].confidence, &b->bin[i].confidence);
    }
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct ece_params *p = self;
    const struct ece_state *s = state;
    double gaps = 0;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "ece of 0 labelled samples");
    for (uint64_t i = 0; i < (uint64_t)p->bins; i++) {
        const struct ece_bin *bin = &s->bin[i];
        gaps += fabs((double)bin->right - bin->confidence.sum - bin->confidence.error);
    }
    // Probabilities may sum to 1 and an ulp; the error of the worst forecast is still 1.
    ret_values[0] = fmin(gaps / (double)s->samples, 1);
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "ece", .unit = "", .min = 0, .max = 1, .better = -1 },
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

static const ftk_algo ece = {
    .size = sizeof(ece),
    .kind = FTK_KIND_METRIC,
    .name = "ece",
    .summary = "expected calibration error over bins of equal width",
    .reference = "Guo et al. 2017, arXiv:1706.04599",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct ece_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.ece", "0.1.0", "MIT", &ece);
