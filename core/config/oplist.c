/* SPDX-License-Identifier: MIT
 * config/oplist.c - a strategy's operations by their counts alone.
 */
#include "config/oplist.h"
#include "config/opcheck.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ftk_status ftk__opstate_init(struct ftk__opstate *s, const ftk_run *run, struct ftk_error *reterr)
{
    *s = (struct ftk__opstate){
        .members = run->members,
        .steps_per_epoch = run->steps_per_epoch,
        .target_density = run->density,
    };
    if (run->members == 0 || run->steps_per_epoch == 0)
        return ftk__fail(reterr, FTK_ERANGE, "a run of %u members and %u steps an epoch",
                         run->members, run->steps_per_epoch);
    s->saved = ftk__alloc_array(run->members, sizeof *s->saved);
    s->saved_by = ftk__alloc_array(run->members, sizeof *s->saved_by);
    if (s->saved && s->saved_by)
        return FTK_OK;
    ftk__opstate_done(s);
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %u members", run->members);
}

void ftk__opstate_done(struct ftk__opstate *s)
{
    s->saved = ftk__free(s->saved);
    s->saved_by = ftk__free(s->saved_by);
}

/* "operation 4 (save): <fact>" */
static ftk_status fail_op(struct ftk_error *reterr, struct ftk__opstate *s, const ftk_op *op,
                          enum ftk__op_fault fault, const char *fmt, ...) FTK_PRINTF(5, 6);
static ftk_status fail_op(struct ftk_error *reterr, struct ftk__opstate *s, const ftk_op *op,
                          enum ftk__op_fault fault, const char *fmt, ...)
{
    char text[400];
    s->fault = fault;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *name = ftk__opcode_name(op->code);
    return ftk__fail(reterr, FTK_EINVAL, "operation %u (%s): %s", s->n_ops, name ? name : "?",
                     text);
}

static ftk_status do_init(struct ftk__opstate *s, const ftk_op *op, struct ftk__op_effect *e)
{
    bool dense = (op->flags & FTK_INIT_DENSE) != 0;
    s->sparse = !dense;
    s->ramp_open = false;
    s->reseed = 0;
    s->t = 0;
    s->density = dense ? 1 : op->density > 0 ? op->density : s->target_density;
    *e = (struct ftk__op_effect){ .density_from = s->density, .density_to = s->density };
    return FTK_OK;
}

static ftk_status do_train(struct ftk__opstate *s, const ftk_op *op, struct ftk__op_effect *e,
                           struct ftk_error *reterr)
{
    e->steps = ftk__op_steps(op->epochs, s->steps_per_epoch);
    if (op->ramp_density > s->density)
        return fail_op(reterr, s, op, FTK__FAULT_DENSITY,
                       "ramp_density %g is above the present density %g", op->ramp_density,
                       s->density);
    bool ramp = op->ramp_density > 0 && e->steps > 0;
    if (ramp) {
        /* A ramp whose end rounds to no step of this TRAIN is never reached. */
        s->ramp_open = ftk__op_steps(op->ramp_to, s->steps_per_epoch) == 0;
        s->sparse = true;
        if (!s->ramp_open)
            s->density = op->ramp_density;
    }
    s->t += e->steps;
    s->total_steps += e->steps;
    return FTK_OK;
}

static ftk_status do_save(struct ftk__opstate *s, const ftk_op *op, struct ftk_error *reterr)
{
    if (s->saved[op->member])
        return fail_op(reterr, s, op, FTK__FAULT_ORDER, "member %u was saved by operation %u",
                       op->member, s->saved_by[op->member]);
    if (s->ramp_open)
        return fail_op(reterr, s, op, FTK__FAULT_DENSITY,
                       "member %u lies inside a ramp that has not reached its end", op->member);
    s->saved[op->member] = 1;
    s->saved_by[op->member] = s->n_ops;
    return FTK_OK;
}

static ftk_status do_prune(struct ftk__opstate *s, const ftk_op *op, struct ftk_error *reterr)
{
    if (op->density > s->density)
        return fail_op(reterr, s, op, FTK__FAULT_DENSITY,
                       "density %g is above the present density %g", op->density, s->density);
    s->density = op->density;
    s->sparse = true;
    s->ramp_open = false;
    return FTK_OK;
}

static void do_remember(struct ftk__opstate *s, const ftk_op *op)
{
    s->slot[op->slot] = (struct ftk__op_slot){
        .filled = true,
        .sparse = s->sparse,
        .density = s->density,
        .t = s->t,
        .reseed = s->reseed,
    };
}

static ftk_status do_rewind(struct ftk__opstate *s, const ftk_op *op, struct ftk_error *reterr)
{
    struct ftk__op_slot *slot = &s->slot[op->slot];
    if (!slot->filled)
        return fail_op(reterr, s, op, FTK__FAULT_SLOT, "slot %u was never remembered", op->slot);
    s->t = slot->t;
    if (op->flags & FTK_REWIND_RESEED)
        slot->returns++;
    s->reseed = slot->reseed + (op->flags & FTK_REWIND_RESEED ? slot->returns : 0);
    if (op->flags & FTK_REWIND_KEEP_MASK)
        return FTK_OK;
    s->density = slot->density;
    s->sparse = slot->sparse;
    s->ramp_open = false;
    return FTK_OK;
}

static ftk_status apply(struct ftk__opstate *s, const ftk_op *op, struct ftk__op_effect *e,
                        struct ftk_error *reterr)
{
    switch (op->code) {
    case FTK_OP_INIT:
        return do_init(s, op, e);
    case FTK_OP_TRAIN:
        return do_train(s, op, e, reterr);
    case FTK_OP_SAVE:
        return do_save(s, op, reterr);
    case FTK_OP_ESCAPE:
        if (!s->sparse)
            return fail_op(reterr, s, op, FTK__FAULT_ORDER,
                           "the network is dense: there is no topology to change");
        return FTK_OK;
    case FTK_OP_PRUNE:
        return do_prune(s, op, reterr);
    case FTK_OP_REMEMBER:
        do_remember(s, op);
        return FTK_OK;
    default:
        return do_rewind(s, op, reterr);
    }
}

ftk_status ftk__opstate_step(struct ftk__opstate *s, const ftk_op *op, struct ftk__op_effect *ret,
                             struct ftk_error *reterr)
{
    struct ftk_error why = { 0 };
    if (s->n_ops >= FTK__MAX_OPS)
        return ftk__fail(reterr, FTK_ERANGE, "operation %u: a strategy has at most %d of them",
                         s->n_ops, (int)FTK__MAX_OPS);
    if (ftk__op_check(op, s, &why) != FTK_OK)
        return fail_op(reterr, s, op, FTK__FAULT_FIELDS, "%s", why.message);
    if (s->n_ops == 0 && op->code != FTK_OP_INIT)
        return fail_op(reterr, s, op, FTK__FAULT_ORDER, "the first operation is an init");
    struct ftk__op_effect e = {
        .t_from = s->t,
        .density_from = s->density,
    };
    ftk_status st = apply(s, op, &e, reterr);
    if (st != FTK_OK)
        return st;
    e.t_to = s->t;
    e.density_to = s->density;
    e.reseed = s->reseed;
    s->n_ops++;
    *ret = e;
    return FTK_OK;
}

ftk_status ftk__opstate_end(const struct ftk__opstate *s, struct ftk_error *reterr)
{
    for (uint32_t m = 0; m < s->members; m++) {
        if (!s->saved[m])
            return ftk__fail(reterr, FTK_EINVAL,
                             "the strategy ends after %u operations and never saved member %u",
                             s->n_ops, m);
    }
    return FTK_OK;
}

ftk_status ftk__oplist_ask(struct ftk__instance *strategy, const ftk_run *run, uint32_t i,
                           const ftk_history *hist, ftk_op *ret, struct ftk_error *reterr)
{
    const ftk_ensemble_ops *ops = strategy->entry->algo->ops;
    /* Zeroed, so that what a plugin forgets to write is seen as such. */
    ftk_op op = { 0 };
    ftk__host_begin(strategy->host);
    ftk_status st = ops->op(ftk__host_table(strategy->host), strategy->self, run, i, hist, &op);
    st = ftk__host_end(strategy->host, st, strategy->entry, reterr);
    if (st == FTK_OK)
        *ret = op;
    else if (st != FTK_DONE)
        ftk__error_context(reterr, "at operation %u of the ensemble", i);
    return st;
}

static bool append(struct ftk__oplist *l, uint32_t *cap, const struct ftk__planned_op *one)
{
    if (l->n == *cap) {
        uint32_t grown = *cap > 0 ? 2 * *cap : 32;
        struct ftk__planned_op *v = ftk__realloc_array(l->v, l->n, grown, sizeof *v);
        if (!v)
            return false;
        l->v = v;
        *cap = grown;
    }
    l->v[l->n++] = *one;
    return true;
}

static void note_use(struct ftk__oplist *l, const ftk_op *op)
{
    switch (op->code) {
    case FTK_OP_INIT:
        l->any_sparse |= !(op->flags & FTK_INIT_DENSE);
        break;
    case FTK_OP_PRUNE:
        l->any_sparse = true;
        break;
    case FTK_OP_TRAIN:
        l->total_epochs += op->epochs;
        l->any_dst |= (op->flags & FTK_TRAIN_DST) != 0;
        if (op->ramp_density > 0 || op->flags & FTK_TRAIN_RAMP_GLOBAL || op->ramp_to > 0) {
            l->any_ramp = true;
            l->any_sparse = true;
        }
        l->uses_optim_lr |= op->lr.kind == FTK_LR_EXPERIMENT;
        break;
    default:
        break;
    }
}

/* Does the rate of a TRAIN with a schedule of its own follow `optim.lr`?  It does if the operation is
 * another one where that is another. */
static bool reads_optim_base(struct ftk__instance *strategy, const ftk_run *run, uint32_t i,
                             const ftk_op *op)
{
    const ftk_history none = { .size = sizeof none };
    struct ftk_error why = { 0 };
    ftk_run other = *run;
    ftk_op again;
    if (op->code != FTK_OP_TRAIN || op->lr.kind == FTK_LR_EXPERIMENT)
        return false;
    other.lr.base = 2 * run->lr.base + 1;
    if (ftk__oplist_ask(strategy, &other, i, &none, &again, &why) != FTK_OK)
        return true;
    return again.lr.base > op->lr.base || again.lr.base < op->lr.base;
}

ftk_status ftk__oplist_plan(struct ftk__instance *strategy, const ftk_run *run,
                            struct ftk__oplist *ret, struct ftk_error *reterr)
{
    const ftk_history none = { .size = sizeof none };
    struct ftk__oplist l = { 0 };
    struct ftk__opstate s;
    uint32_t cap = 0;
    bool named = false; /* the error says whose it is */
    ftk_status st = ftk__opstate_init(&s, run, reterr);
    while (st == FTK_OK) {
        struct ftk__planned_op one = { .op = { 0 } };
        st = ftk__oplist_ask(strategy, run, l.n, &none, &one.op, reterr);
        named = st != FTK_OK && st != FTK_DONE;
        if (st == FTK_OK)
            st = ftk__opstate_step(&s, &one.op, &one.effect, reterr);
        if (st == FTK_OK && !append(&l, &cap, &one))
            st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for %u operations", l.n + 1);
        if (st == FTK_OK)
            note_use(&l, &one.op);
        if (st == FTK_OK && !l.uses_optim_base)
            l.uses_optim_base = reads_optim_base(strategy, run, l.n - 1, &one.op);
    }
    if (st == FTK_DONE)
        st = ftk__opstate_end(&s, reterr);
    l.total_steps = s.total_steps;
    ftk__opstate_done(&s);
    if (st != FTK_OK) {
        if (!named)
            ftk__error_context(reterr, "in ensemble '%s'", strategy->entry->algo->name);
        ftk__oplist_done(&l);
        return st;
    }
    *ret = l;
    return FTK_OK;
}

void ftk__oplist_done(struct ftk__oplist *l)
{
    ftk__free(l->v);
    *l = (struct ftk__oplist){ 0 };
}
