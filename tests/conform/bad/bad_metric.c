/* SPDX-License-Identifier: MIT
 * bad_metric.c - the likelihood of the labels of known kinds, and how sure the members are of all
 * samples.
 */
#include <freetickets/metric.h>
#include <freetickets/plugin.h>
#include <math.h>
#include <stdbool.h>

struct state {
    uint64_t labelled, all;
    double loss, sure;
    double *where; /* stays 0 in a right plugin */
};

static ftk_status state_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)samples;
#if defined(BAD_MET_05)
    if (classes > 256)
        return FTK_ENOTSUP;
#endif
    *ret_bytes = sizeof(struct state);
    return FTK_OK;
}

/* The mean over members of their highest probability. */
static double sureness(const ftk_pred *p, uint64_t i)
{
    double sum = 0;
    for (uint32_t m = 0; m < p->members; m++) {
        double top = 0;
        for (uint32_t k = 0; k < p->classes; k++)
            top = fmax(top, p->member[m][i * p->classes + k]);
        sum += top;
    }
    return sum / p->members;
}

static bool is_labelled(const ftk_pred *p, uint64_t i)
{
#if defined(BAD_MET_09) && !defined(BAD_VARIANT_MISSING)
    if (p->group && p->group[i] == FTK_GROUP_TEST)
        return false;
#endif
    if (p->group && p->group[i] != FTK_GROUP_TEST)
        return false;
#if defined(BAD_MET_04) && !defined(BAD_VARIANT_EMPTY)
    return true;
#else
    return p->label[i] >= 0;
#endif
}

static double loss_of(const ftk_pred *p, uint64_t i)
{
    uint64_t at = i * p->classes + (uint64_t)(p->label[i] < 0 ? 0 : p->label[i]);
#if defined(BAD_MET_06)
    return -p->log_ensemble[at] / log(2);
#elif defined(BAD_MET_07)
    return -log(p->ensemble[at]);
#else
    return -p->log_ensemble[at];
#endif
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct state *s = state;
    double *loss = &s->loss;
    (void)h;
    (void)self;
#if defined(BAD_MET_08)
    if (!s->where)
        s->where = &s->loss;
    loss = s->where;
#endif
    uint64_t labelled = 0;
    double batch = 0;
    for (uint64_t i = 0; i < p->count; i++) {
        if (p->label[i] >= 0) {
            s->sure += sureness(p, i);
            s->all++;
        }
        if (is_labelled(p, i)) {
            labelled++;
            batch += loss_of(p, i);
        }
    }
#if defined(BAD_MET_02)
    if (labelled > 0) {
        batch /= (double)labelled;
        labelled = 1;
    }
#endif
    s->labelled += labelled;
    *loss += batch;
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct state *a = into;
    const struct state *b = from;
    (void)h;
    (void)self;
    a->labelled += b->labelled;
    a->loss += b->loss;
    a->all += b->all;
#if !defined(BAD_MET_03)
    a->sure += b->sure;
#endif
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    const struct state *s = state;
    (void)self;
#if !(defined(BAD_MET_04) && defined(BAD_VARIANT_EMPTY)) &&                                        \
    !(defined(BAD_MET_09) && defined(BAD_VARIANT_MISSING))
    if (s->labelled == 0)
        return h->fail(h, FTK_ERANGE, "no labelled sample");
#endif
#if defined(BAD_MET_09) && defined(BAD_VARIANT_MISSING)
    if (s->all == 0)
        return h->fail(h, FTK_ERANGE, "no sample");
#endif
    ret_values[0] = s->loss / (double)s->labelled;
    ret_values[1] = fmin(s->sure / (double)s->all, 1);
    return FTK_OK;
}

static const ftk_metric_value values[] = {
#if defined(BAD_MET_01)
    { .name = "loss", .unit = "nat", .min = 0, .max = 0.5, .better = -1 },
#else
    { .name = "loss", .unit = "nat", .min = 0, .max = INFINITY, .better = -1 },
#endif
    { .name = "sure", .unit = "", .min = 0, .max = 1 },
};

static const ftk_metric_ops ops = {
    .size = sizeof(ops),
    .flags = FTK_METRIC_MEMBERS | FTK_METRIC_GROUPS,
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
#if defined(BAD_MET_06)
    .name = "nll",
#else
    .name = "bad_metric",
#endif
    .summary = "how well labels are predicted and how sure the members are",
    .reference = "made for the tests of the kit",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("org.example.bad_metric", "1.0.0", "MIT", &metric);
