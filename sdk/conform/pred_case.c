/* SPDX-License-Identifier: MIT
 * conform/pred_case.c - predictions and accumulators.
 */
#include "conform/pred_case.h"
#include "base/rng.h"
#include <math.h>
#include <string.h>

enum { ALIGN_STATE = 64 };

static void log_softmax(const float *logit, uint32_t classes, double *ret_log)
{
    double top = (double)logit[0];
    double sum = 0;
    for (uint32_t k = 1; k < classes; k++)
        top = fmax(top, (double)logit[k]);
    for (uint32_t k = 0; k < classes; k++)
        sum += exp((double)logit[k] - top);
    for (uint32_t k = 0; k < classes; k++)
        ret_log[k] = (double)logit[k] - top - log(sum);
}

/* log of the mean of exp, from the members' logs: finite also where exp() is 0. */
static double log_mean(const struct ftk__preds *p, uint64_t at)
{
    double top = p->log_member[0][at];
    double sum = 0;
    for (uint32_t m = 1; m < p->members; m++)
        top = fmax(top, p->log_member[m][at]);
    for (uint32_t m = 0; m < p->members; m++)
        sum += exp(p->log_member[m][at] - top);
    return top + log(sum / p->members);
}

static void allocate(struct ftk__case *c, uint32_t members, uint32_t classes, uint64_t n,
                     struct ftk__preds *ret)
{
    uint64_t all = n * classes;
    *ret = (struct ftk__preds){ .members = members, .classes = classes, .n = n };
    ret->ensemble = ftk__kit_alloc(c, all, sizeof(double));
    ret->log_ensemble = ftk__kit_alloc(c, all, sizeof(double));
    ret->member = ftk__kit_alloc(c, members, sizeof(double *));
    ret->log_member = ftk__kit_alloc(c, members, sizeof(double *));
    ret->label = ftk__kit_alloc(c, n, sizeof(int32_t));
    for (uint32_t m = 0; m < members; m++) {
        ret->member[m] = ftk__kit_alloc(c, all, sizeof(double));
        ret->log_member[m] = ftk__kit_alloc(c, all, sizeof(double));
    }
}

void ftk__preds_of(struct ftk__case *c, const float *logits, const int32_t *label, uint32_t members,
                   uint32_t classes, uint64_t n, struct ftk__preds *ret)
{
    uint64_t all = n * classes;
    allocate(c, members, classes, n, ret);
    for (uint32_t m = 0; m < members; m++)
        for (uint64_t i = 0; i < n; i++)
            log_softmax(logits + m * all + i * classes, classes, ret->log_member[m] + i * classes);
    for (uint64_t i = 0; i < all; i++) {
        double sum = 0;
        for (uint32_t m = 0; m < members; m++) {
            ret->member[m][i] = exp(ret->log_member[m][i]);
            sum += ret->member[m][i];
        }
        ret->ensemble[i] = sum / members;
        ret->log_ensemble[i] = log_mean(ret, i);
    }
    if (n > 0)
        memcpy(ret->label, label, n * sizeof(*label));
}

static float logit_of(enum ftk__pred_values values, uint32_t k, uint32_t label, ftk_rng *r)
{
    double random = ftk__rng_normal(r);
    switch (values) {
    case FTK__PRED_PERFECT:
        return k == label ? 1000.0f : 0.0f; /* exp(-1000) is 0: the others' are exactly 0 */
    case FTK__PRED_CONSTANT:
        return k == 0 ? 3.0f : 0.0f;
    case FTK__PRED_UNIFORM:
        return 0.0f;
    case FTK__PRED_WRONG:
        return k == label ? -1000.0f : 0.0f;
    default:
        return (float)(2 * random);
    }
}

void ftk__preds_new(struct ftk__case *c, uint32_t members, uint32_t classes, uint64_t n,
                    enum ftk__pred_values values, uint64_t seed, struct ftk__preds *ret)
{
    float *logits = ftk__kit_alloc(c, members * n * classes, sizeof(*logits));
    int32_t *label = ftk__kit_alloc(c, n, sizeof(*label));
    ftk_rng r = { { seed, 5 }, 0 };
    uint64_t at = 0;
    for (uint64_t i = 0; i < n; i++)
        label[i] = (int32_t)ftk__rng_below(&r, classes);
    for (uint32_t m = 0; m < members; m++)
        for (uint64_t i = 0; i < n; i++)
            for (uint32_t k = 0; k < classes; k++)
                logits[at++] = logit_of(values, k, (uint32_t)label[i], &r);
    ftk__preds_of(c, logits, label, members, classes, n, ret);
}

/* ---- accumulators ----------------------------------------------------------------------------- */

ftk_status ftk__meter_open(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                           uint32_t members, uint32_t classes, uint64_t samples,
                           struct ftk__meter *ret)
{
    *ret = (struct ftk__meter){ .c = c, .s = s, .ops = s->algo->ops, .how = how };
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st =
        ret->ops->state_bytes(s->host->table, s->self, members, classes, samples, &ret->bytes);
    st = ftk__kit_end(c, s->host, "state_bytes", false, st);
    if (st < 0 && !how->may_fail)
        ftk__kit_must(c, s->host, "state_bytes", st);
    if (st < 0)
        return st;
    if (ret->bytes > UINT64_C(1) << 32)
        ftk__kit_fail(c, "state_bytes() asks for %llu bytes", (unsigned long long)ret->bytes);
    ret->state = ftk__guard_new("accumulator", ret->bytes, ALIGN_STATE, how->side, 0);
    return FTK_OK;
}

static const double *doubles(const char *name, const double *from, uint64_t n,
                             const struct ftk__how *how)
{
    double *v = ftk__guard_new(name, n * sizeof(*v), 8, how->side, 0);
    if (n > 0)
        memcpy(v, from, n * sizeof(*v));
    ftk__guard_read_only(v);
    return v;
}

static const double *const *of_members(const char *name, double *const *from, uint32_t members,
                                       uint64_t at, uint64_t n, const struct ftk__how *how)
{
    const double **v = ftk__guard_new(name, members * sizeof(*v), 8, how->side, 0);
    for (uint32_t m = 0; m < members; m++)
        v[m] = doubles(name, from[m] + at, n, how);
    ftk__guard_read_only(v);
    return v;
}

static ftk_pred *batch(struct ftk__meter *m, const struct ftk__preds *p, uint64_t from, uint64_t n,
                       const uint8_t *group)
{
    const struct ftk__how *how = m->how;
    uint64_t at = from * p->classes;
    uint64_t all = n * p->classes;
    ftk_pred b = { .size = sizeof(b), .members = p->members, .classes = p->classes, .count = n };
    b.ensemble = doubles("ensemble", p->ensemble + at, all, how);
    b.log_ensemble = doubles("log_ensemble", p->log_ensemble + at, all, how);
    if (m->ops->flags & FTK_METRIC_MEMBERS) {
        b.member = of_members("member", p->member, p->members, at, all, how);
        b.log_member = of_members("log_member", p->log_member, p->members, at, all, how);
    }
    int32_t *label = ftk__guard_new("label", n * sizeof(*label), 4, how->side, 0);
    if (n > 0)
        memcpy(label, p->label + from, n * sizeof(*label));
    ftk__guard_read_only(label);
    b.label = label;
    if (group) {
        uint8_t *g = ftk__guard_new("group", n, 1, how->side, 0);
        memcpy(g, group + from, n);
        ftk__guard_read_only(g);
        b.group = g;
    }
    return ftk__kit_struct("predictions", &b, sizeof(b), how, false);
}

/* State may be moved between any two calls. */
static void move(struct ftk__meter *m)
{
    if (!m->how->move)
        return;
    void *moved = ftk__guard_new("accumulator", m->bytes, ALIGN_STATE, m->how->side, 0);
    memcpy(moved, m->state, m->bytes);
    ftk__guard_drop(m->state);
    m->state = moved;
}

ftk_status ftk__meter_add(struct ftk__meter *m, const struct ftk__preds *p, uint64_t from,
                          uint64_t n, const uint8_t *group)
{
    uint32_t mark = ftk__guard_mark();
    const ftk_pred *b = batch(m, p, from, n, group);
    if (m->how->between)
        m->how->between(m->c, m->how->between_arg);
    ftk__kit_begin(m->s->host);
    ftk_status st = m->ops->add(m->s->host->table, m->s->self, m->state, b);
    st = ftk__kit_end(m->c, m->s->host, "add", false, st);
    if (st < 0 && !m->how->may_fail)
        ftk__kit_must(m->c, m->s->host, "add", st);
    if (!m->how->keep)
        ftk__guard_release(mark);
    move(m);
    return st;
}

ftk_status ftk__meter_merge(struct ftk__meter *into, const struct ftk__meter *from)
{
    ftk__guard_read_only(from->state);
    ftk__kit_begin(into->s->host);
    ftk_status st = into->ops->merge(into->s->host->table, into->s->self, into->state, from->state);
    st = ftk__kit_end(into->c, into->s->host, "merge", false, st);
    if (st < 0 && !into->how->may_fail)
        ftk__kit_must(into->c, into->s->host, "merge", st);
    ftk__guard_writable(from->state);
    return st;
}

ftk_status ftk__meter_finish(struct ftk__meter *m, double *ret_values)
{
    uint32_t n = m->ops->n_values;
    double *values = ftk__guard_new("values", n * sizeof(*values), 8, m->how->side, m->how->fill);
    ftk__guard_read_only(m->state);
    if (m->how->between)
        m->how->between(m->c, m->how->between_arg);
    ftk__kit_begin(m->s->host);
    ftk_status st = m->ops->finish(m->s->host->table, m->s->self, m->state, values);
    st = ftk__kit_end(m->c, m->s->host, "finish", false, st);
    if (st < 0 && !m->how->may_fail)
        ftk__kit_must(m->c, m->s->host, "finish", st);
    if (st >= 0)
        memcpy(ret_values, values, n * sizeof(*values));
    ftk__guard_writable(m->state);
    ftk__guard_drop(values);
    return st;
}
