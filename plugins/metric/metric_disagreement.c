/* SPDX-License-Identifier: MIT
 * metric/disagreement - the share of samples on which two members predict different
 * classes, averaged over all pairs of members.
 *
 * Labels never matter, unless `normalise` divides by the error of the ensemble's averaged
 * prediction (Fort et al. 2019): then unlabelled samples are left out.  One member has no
 * pair: it reports 0, as M copies of one network do, so that a run of one member is
 * evaluated by the same list of metrics as any other.
 */
#include "metric_fold.h"
#include <freetickets/plugin.h>

struct disagreement_params {
    int32_t normalise;
};

static const ftk_param params[] = {
    FTK_PARAM_BOOL(struct disagreement_params, normalise, 0,
                   "divide by the ensemble's share of wrong predictions"),
    FTK_PARAM_END,
};

struct disagreement_state {
    uint64_t samples;
    uint64_t wrong;         /* samples that the ensemble gets wrong; with `normalise`  */
    uint64_t pairs, differ; /* (sample, pair of members) seen, and of different classes */
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct disagreement_state);
    return FTK_OK;
}

/* One sample; top: room for a class of each member. */
static void add_sample(struct disagreement_state *s, const ftk_pred *p, uint64_t i, uint32_t *top)
{
    for (uint32_t a = 0; a < p->members; a++) {
        top[a] = metric_top(p->member[a] + i * p->classes, p->classes);
        for (uint32_t b = 0; b < a; b++)
            s->differ += top[a] != top[b];
        s->pairs += a;
    }
    s->samples++;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    const struct disagreement_params *params_ = self;
    struct disagreement_state *s = state;
    uint32_t *top = h->scratch(h, p->members * sizeof(*top));
    if (top == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for the classes of %u members", p->members);
    for (uint64_t i = 0; i < p->count; i++) {
        if (params_->normalise) {
            if (p->label[i] < 0)
                continue;
            s->wrong +=
                (uint32_t)p->label[i] != metric_top(p->ensemble + i * p->classes, p->classes);
        }
        add_sample(s, p, i, top);
    }
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct disagreement_state *a = into;
    const struct disagreement_state *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    a->wrong += b->wrong;
    a->pairs += b->pairs;
    a->differ += b->differ;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct disagreement_params *p = self;
    const struct disagreement_state *s = state;
    if (s->samples == 0)
        return h->fail(h, FTK_ERANGE, "disagreement over 0 samples");
    if (p->normalise && s->wrong == 0)
        return h->fail(h, FTK_ERANGE, "disagreement over an error of 0: every label is predicted");
    double share = s->pairs ? (double)s->differ / (double)s->pairs : 0;
    ret_values[0] = p->normalise ? share * (double)s->samples / (double)s->wrong : share;
    return FTK_OK;
}

/* Without `normalise` at most 1; over an error it has no bound. */
static const ftk_metric_value values[] = {
    { .name = "disagreement", .unit = "", .min = 0, .max = INFINITY, .better = 0 },
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

static const ftk_algo disagreement = {
    .size = sizeof(disagreement),
    .kind = FTK_KIND_METRIC,
    .name = "disagreement",
    .summary = "share of samples on which two members predict different classes",
    .reference = "Fort et al. 2019, arXiv:1912.02757",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct disagreement_params, params),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.metric.disagreement", "0.1.0", "MIT", &disagreement);
