/* SPDX-License-Identifier: MIT
 * conform/strategy_dry.c - a strategy's list judged by config/oplist, the dry run that `check`, `plan`
 * and a run use too: as a whole, and each member's operations alone.
 */
#include "conform/strategy_case.h"
#include <string.h>

static const struct ftk__how plain;
static const uint32_t member_counts[] = { 1, 2, 3, 7 };
enum { N_MEMBER_COUNTS = 4 };

static void start(const ftk_run *run, struct ftk__opstate *ret)
{
    struct ftk_error err;
    if (ftk__opstate_init(ret, run, &err) < 0)
        ftk__kit_broken("%s", err.message);
}

/* A fault of another sort ends the list here: it is another rule's. */
static void dry_run(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                    enum ftk__op_fault ours)
{
    struct ftk__opstate state;
    struct ftk__op_effect effect;
    struct ftk_error err;
    ftk_op op;
    ftk__kit_note(c, "%u members, density %g", run->members, run->density);
    start(run, &state);
    for (uint32_t i = 0; i < FTK__MAX_OPS; i++) {
        ftk_status st = ftk__strategy_ask(c, s, run, i, NULL, &plain, &op);
        if (st == FTK_DONE)
            break;
        if (ftk__opstate_step(&state, &op, &effect, &err) >= 0)
            continue;
        if (state.fault == ours)
            ftk__kit_fail(c, "%s", err.message);
        return;
    }
    if (ours == FTK__FAULT_ORDER && ftk__opstate_end(&state, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static void dry_runs(struct ftk__case *c, enum ftk__op_fault ours)
{
    static const double densities[] = { 0.1, 1 };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (int m = 0; m < N_MEMBER_COUNTS; m++)
        for (int d = 0; d < 2; d++) {
            const ftk_run run = ftk__strategy_run(member_counts[m], densities[d]);
            dry_run(c, &s, &run, ours);
        }
}

void ftk__strategy_order(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_ORDER);
}

void ftk__strategy_fields(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_FIELDS);
}

void ftk__strategy_densities(struct ftk__case *c)
{
    dry_runs(c, FTK__FAULT_DENSITY);
}

/* ---- ENS-07 ----------------------------------------------------------------------------------- */

/* Member m's operations as if there were no others. */
static void alone(struct ftk__case *c, const ftk_run *run, const ftk_op *list, uint32_t n,
                  uint32_t m)
{
    struct ftk__opstate state;
    struct ftk__op_effect effect;
    struct ftk_error err;
    start(run, &state);
    for (uint32_t i = 0; i < n; i++)
        if (list[i].member == m && ftk__opstate_step(&state, &list[i], &effect, &err) < 0)
            ftk__kit_fail(c, "member %u alone: %s; it is operation %u of the list", m, err.message,
                          i);
    if (!state.saved[m])
        ftk__kit_fail(c, "member %u alone is never saved", m);
}

void ftk__strategy_independent(struct ftk__case *c)
{
    const ftk_run run = ftk__strategy_run(3, 0.2);
    struct ftk__subject s;
    uint32_t n;
    if (!(((const ftk_ensemble_ops *)c->algo->ops)->flags & FTK_ENS_INDEPENDENT))
        ftk__kit_skip(c, "INDEPENDENT is not claimed");
    ftk__subject_new(c, NULL, &s);
    const ftk_op *list = ftk__strategy_list(c, &s, &run, &n);
    for (uint32_t m = 0; m < run.members; m++)
        alone(c, &run, list, n, m);
    ftk__strategy_own_results(c, &s, &run, list, n);
}

/* ---- ENS-08 ----------------------------------------------------------------------------------- */

struct retrain {        /* what follows a REWIND, up to the next one or an INIT   */
    uint32_t from, end; /* operations; `from` is the REWIND                       */
    uint32_t filled_by; /* the REMEMBER that it goes back to                      */
    double density;     /* after it                                               */
};

/* The same operation, whoever it is for. */
static bool same_work(const ftk_op *a, const ftk_op *b)
{
    struct ftk__blob x = { 0 };
    struct ftk__blob y = { 0 };
    ftk_op p = *a;
    ftk_op q = *b;
    p.member = q.member = 0;
    memset(p.label, 0, sizeof(p.label));
    memset(q.label, 0, sizeof(q.label));
    if (p.code == FTK_OP_REWIND)
        p.flags |= FTK_REWIND_RESEED;
    if (q.code == FTK_OP_REWIND)
        q.flags |= FTK_REWIND_RESEED;
    ftk__strategy_put(&p, 0, &x);
    ftk__strategy_put(&q, 0, &y);
    bool same = ftk__blob_same(&x, &y, NULL);
    ftk__blob_done(&x);
    ftk__blob_done(&y);
    return same;
}

/* The first TRAIN that makes a step; `end` where there is none. */
static uint32_t first_train(const ftk_op *list, const struct retrain *r)
{
    for (uint32_t i = r->from; i < r->end; i++)
        if (list[i].code == FTK_OP_TRAIN && list[i].epochs > 0)
            return i;
    return r->end;
}

static void must_differ(struct ftk__case *c, const ftk_op *list, const struct retrain *a,
                        const struct retrain *b)
{
    if (a->filled_by != b->filled_by || a->end - a->from != b->end - b->from ||
        a->density > b->density || a->density < b->density)
        return;
    for (uint32_t k = 0; k < a->end - a->from; k++)
        if (!same_work(&list[a->from + k], &list[b->from + k]))
            return;
    uint32_t i = first_train(list, a);
    uint32_t j = first_train(list, b);
    if (i == a->end)
        return;
    uint32_t slot = list[a->from].slot;
    const struct retrain *bare = list[a->from].flags & FTK_REWIND_RESEED ? b : a;
    if (!(list[bare->from].flags & FTK_REWIND_RESEED))
        ftk__kit_fail(c,
                      "operations %u and %u go back to slot %u and do the same from there, and "
                      "operation %u has no RESEED",
                      a->from, b->from, slot, bare->from);
    if (list[i].member == list[j].member)
        ftk__kit_fail(c,
                      "operations %u and %u go back to slot %u and do the same from there, both "
                      "for member %u",
                      a->from, b->from, slot, list[i].member);
}

/* All returns in the list; it is a legal one. */
static uint32_t find_returns(const ftk_run *run, const ftk_op *list, uint32_t n,
                             struct retrain *ret)
{
    struct ftk__opstate state;
    struct ftk__op_effect effect;
    struct ftk_error err;
    uint32_t filled_by[FTK__MAX_SLOTS] = { 0 };
    uint32_t n_returns = 0;
    bool open = false;
    start(run, &state);
    for (uint32_t i = 0; i < n && ftk__opstate_step(&state, &list[i], &effect, &err) >= 0; i++) {
        const ftk_op *op = &list[i];
        if (op->code == FTK_OP_REMEMBER)
            filled_by[op->slot] = i;
        if (op->code == FTK_OP_REWIND)
            ret[n_returns++] = (struct retrain){ .from = i,
                                                 .filled_by = filled_by[op->slot],
                                                 .density = effect.density_to };
        if (op->code == FTK_OP_REWIND || op->code == FTK_OP_INIT)
            open = op->code == FTK_OP_REWIND;
        if (open)
            ret[n_returns - 1].end = i + 1;
    }
    return n_returns;
}

void ftk__strategy_slots(struct ftk__case *c)
{
    const ftk_run run = ftk__strategy_run(3, 0.1);
    struct ftk__subject s;
    uint32_t n;
    dry_runs(c, FTK__FAULT_SLOT);
    ftk__subject_new(c, NULL, &s);
    const ftk_op *list = ftk__strategy_list(c, &s, &run, &n);
    struct retrain *returns = ftk__kit_alloc(c, n, sizeof(*returns));
    uint32_t n_returns = find_returns(&run, list, n, returns);
    /* A list may be long: neighbours are what repeats. */
    for (uint32_t b = 1; b < n_returns; b++)
        for (uint32_t a = b > 100 ? b - 100 : 0; a < b; a++)
            must_differ(c, list, &returns[a], &returns[b]);
}
