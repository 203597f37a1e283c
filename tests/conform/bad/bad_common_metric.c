/* SPDX-License-Identifier: MIT
 * bad_common_metric.c - the mean of the ensemble's highest probability, and what breaks the rules of
 * every kind in a metric: its state is the accumulator.
 */
#include "bad_life.h"
#include <freetickets/metric.h>

struct sums {
    uint64_t samples;
    double sum;
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

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct life *s = self;
    struct sums *m = state;
    void *room;
#if defined(BAD_ABI_07)
    if (p->size != sizeof(*p))
        return h->fail(h, FTK_EABI, "predictions of %u bytes", p->size);
#endif
#if defined(BAD_MEM_01)
    s->memory[3] = p->ensemble[p->count * p->classes];
#elif defined(BAD_MEM_02)
    if (p->count > 0)
        s->memory[3] = p->ensemble[-1];
#elif defined(BAD_MEM_03)
    if (s->kept)
        s->memory[3] = *(const double *)s->kept;
    s->kept = p->count > 0 ? p->ensemble : NULL;
#endif
    ftk_status st = life_scratch(h, p->classes * sizeof(double), &room);
    if (st < 0)
        return st;
    double *row = room;
    for (uint64_t i = 0; i < p->count; i++) {
        double top = 0;
        memcpy(row, p->ensemble + i * p->classes, p->classes * sizeof(*row));
        for (uint32_t c = 0; c < p->classes; c++)
            top = row[c] > top ? row[c] : top;
        m->sum += top;
    }
    m->samples += p->count;
#if defined(BAD_STA_01)
    if (m->samples == p->count) /* the first batch */
        s->memory[0] = 0;
    s->memory[0] += (double)p->count;
#else
    (void)s;
#endif
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    struct sums *a = into;
    const struct sums *b = from;
    (void)h;
    (void)self;
    a->samples += b->samples;
    a->sum += b->sum;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret_values)
{
    struct life *s = self;
    const struct sums *m = state;
    if (m->samples == 0) {
#if defined(BAD_ERR_01)
        return FTK_ERANGE;
#else
        return h->fail(h, FTK_ERANGE, "the mean of no sample");
#endif
    }
    double astray = life_astray(h, s);
    double samples = (double)m->samples;
#if defined(BAD_STA_01)
    samples = s->memory[0] > samples ? s->memory[0] : samples;
    astray += samples > s->memory[0] ? 1 : 0;
#endif
    ret_values[0] = m->sum / samples / (1 + astray) * *s->unit;
    return FTK_OK;
}

static const ftk_metric_value values[] = {
    { .name = "top_probability", .unit = "", .min = 0, .max = 1.000001, .better = 0 },
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
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_METRIC,
    .name = "common_metric",
    .summary = "mean of the highest probability",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .ops = &ops,
    .create = life_create,
    .destroy = life_destroy,
};
FTK_PLUGIN("org.example.common_metric", "1.0.0", "MIT", &common);
