/* SPDX-License-Identifier: MIT
 * metric/accuracy - the share of labelled samples whose most probable class is the label.
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>

struct accuracy_state {
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
    *ret_bytes = sizeof(struct accuracy_state);
    return FTK_OK;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct accuracy_state *s = state;
    (void)h;
    (void)self;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->label[i] < 0)
            continue;
        s->samples++;
        s->right += (uint32_t)p->label[i] == metric_top(p->ensemble + i * p->classes, p->classes);
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct accuracy_state *a = into;
    const struct accuracy_state *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    a->right += b->right;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct accuracy_state *s = state;
    (void)self;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "accuracy of 0 labelled samples");
    ret_values[0] = (double)s->right / (double)s->samples;
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "accuracy", .unit = "", .min = 0, .max = 1, .better = 1 },
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

static const ftk_algo accuracy = {
    .size = sizeof(accuracy),
    .kind = FTK_KIND_METRIC,
    .name = "accuracy",
    .summary = "share of samples whose most probable class is the label",
    .reference = "Liu et al. 2022, arXiv:2106.14568",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.accuracy", "0.1.0", "MIT", &accuracy);
