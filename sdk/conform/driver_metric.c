/* SPDX-License-Identifier: MIT
 * conform/driver_metric.c - three batches into one accumulator, its values after each.  The second batch
 * is empty; part of the third comes through an accumulator of its own, which is merged.  What a prune
 * rule's state is, the accumulator is here.
 */
#include "conform/pred_case.h"
#include <string.h>

enum { ROUNDS = 3, MEMBERS = 3, CLASSES = 4, SAMPLES = 63, MOST_VALUES = 64 };
static const uint64_t starts[ROUNDS + 1] = { 0, 40, 40, SAMPLES };

/* The series' accumulator: one that was handed in, or a new one that is handed out. */
static ftk_status open_meter(struct ftk__case *c, struct ftk__subject *s,
                             const struct ftk__how *how, struct ftk__meter *ret)
{
    ftk_status st = ftk__meter_open(c, s, how, MEMBERS, CLASSES, SAMPLES, ret);
    if (st < 0 || !how->state)
        return st;
    if (how->state->block) {
        ftk__guard_drop(ret->state);
        ret->state = how->state->block[0];
    }
    return st;
}

static void leave_state(struct ftk__case *c, const struct ftk__how *how, const struct ftk__meter *m)
{
    if (!how->state)
        return;
    if (!how->state->block)
        how->state->block = ftk__kit_alloc(c, 1, sizeof(void *));
    how->state->block[0] = m->state;
    how->state->n = 1;
    how->state->bytes = (uint32_t)m->bytes;
}

/* Half of a batch directly, the rest by way of another accumulator. */
static ftk_status add_and_merge(struct ftk__meter *m, const struct ftk__preds *p, uint64_t from,
                                uint64_t n)
{
    struct ftk__meter other;
    ftk_status st = ftk__meter_add(m, p, from, n / 2, NULL);
    if (st >= 0)
        st = ftk__meter_open(m->c, m->s, m->how, MEMBERS, CLASSES, SAMPLES, &other);
    if (st >= 0)
        st = ftk__meter_add(&other, p, from + n / 2, n - n / 2, NULL);
    if (st >= 0)
        st = ftk__meter_merge(m, &other);
    return st;
}

static ftk_status one_round(struct ftk__meter *m, const struct ftk__preds *p, uint32_t r,
                            struct ftk__blob *ret)
{
    double values[MOST_VALUES];
    if (m->ops->n_values > MOST_VALUES)
        ftk__kit_skip(m->c, "it declares %u values", m->ops->n_values);
    ftk_status st = FTK_OK;
    uint64_t n = starts[r + 1] - starts[r];
    bool adds = !m->how->provoke; /* without a sample the value may be refused */
    if (adds && r + 1 == ROUNDS)
        st = add_and_merge(m, p, starts[r], n);
    else if (adds)
        st = ftk__meter_add(m, p, starts[r], n, NULL);
    if (st >= 0)
        st = ftk__meter_finish(m, values);
    if (st >= 0)
        ftk__blob_put(ret, FTK__BLOB_F64, values, m->ops->n_values, "values after batch %u", r);
    return st;
}

static ftk_status act(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                      struct ftk__blob *ret)
{
    uint32_t last = how->rounds > 0 ? how->from_round + how->rounds : ROUNDS;
    struct ftk__preds p;
    struct ftk__meter m;
    ftk__preds_new(c, MEMBERS, CLASSES, SAMPLES, FTK__PRED_RANDOM, 4711, &p);
    ftk_status st = open_meter(c, s, how, &m);
    for (uint32_t r = how->from_round; r < last && st >= 0; r++)
        st = one_round(&m, &p, r, ret);
    leave_state(c, how, &m);
    return st;
}

const struct ftk__driver ftk__driver_metric = { FTK__ON_METRIC, ROUNDS, 1, act };
