/* SPDX-License-Identifier: MIT
 * train/oploop.c - the operation interpreter: asks the strategy for operation i, has it checked,
 * runs it, records the result.
 */
#include "base/log.h"
#include "base/str.h"
#include "config/opcheck.h"
#include "train/member.h"
#include "train/saved.h"
#include "train/schedule.h"
#include "train/session.h"
#include <math.h>

static ftk_status run_init(struct ftk__session *s, uint32_t i, const ftk_op *op,
                           struct ftk_error *reterr)
{
    double density = 0;
    uint32_t reads = ftk__topology_init_channels(s->net.topology);
    ftk_status st = FTK_OK;
    if (!(op->flags & FTK_INIT_DENSE))
        density = op->density > 0 ? op->density : s->x->sparsity.density;
    /* A rule that looks at the network sees the same fresh weights, all of them. */
    if (density > 0 && reads)
        st = ftk__network_init(&s->net, op->member, 0, reterr);
    if (st >= 0 && density > 0 && (reads & FTK_CH_GRAD)) {
        st = ftk__session_topology_changed(s, reterr);
        if (st >= 0)
            st = ftk__session_fresh_gradient(s, i, reterr);
    }
    if (st >= 0)
        st = ftk__network_init(&s->net, op->member, density, reterr);
    if (st < 0)
        return st;
    return ftk__session_topology_changed(s, reterr);
}

static ftk_status run_escape(struct ftk__session *s, uint32_t i, const ftk_op *op,
                             struct ftk_error *reterr)
{
    struct ftk__topology_report report;
    const struct ftk__topology_event ev = {
        .member = op->member,
        .step = s->net.t,
        .rate = op->rate,
    };
    if (!s->x->topology.enabled)
        return FTK_OK;
    ftk_status st = FTK_OK;
    bool kept = ftk__escape_by_last_batch(s->x, &s->plan, i);
    if (ftk__topology_wants_grad(s->net.topology) && !kept)
        st = ftk__session_fresh_gradient(s, i, reterr);
    if (st >= 0)
        st = ftk__topology_update(s->net.topology, s->net.engine, &ev, &report, reterr);
    if (st < 0)
        return st;
    ftk__session_note_limited(s, &report);
    ftk__ledger_note(&s->ledger, FTK__LEDGER_ESCAPE);
    ftk__log(FTK_INFO, "escape", "after_member=%u q=%g dropped=%llu grown=%llu r_s=%.4f",
             op->member, op->rate, (unsigned long long)report.dropped,
             (unsigned long long)report.grown, ftk__topology_explored(s->net.topology));
    return ftk__session_topology_changed(s, reterr);
}

static ftk_status run_prune(struct ftk__session *s, uint32_t i, const ftk_op *op,
                            struct ftk_error *reterr)
{
    struct ftk__topology_report report;
    const struct ftk__topology_event ev = { .member = op->member, .step = s->net.t };
    ftk_status st = FTK_OK;
    if (ftk__topology_cut_wants_grad(s->net.topology))
        st = ftk__session_fresh_gradient(s, i, reterr);
    /* A Bernoulli mask may hold a little less than its density. */
    double density = fmin(op->density, ftk__topology_density(s->net.topology));
    if (st >= 0)
        st = ftk__topology_cut(s->net.topology, s->net.engine, &ev, density,
                               op->flags & FTK_PRUNE_GLOBAL, &report, reterr);
    if (st < 0)
        return st;
    ftk__ledger_note(&s->ledger, FTK__LEDGER_CUT);
    ftk__log(FTK_INFO, "prune", "member=%u density=%g dropped=%llu", op->member, op->density,
             (unsigned long long)report.dropped);
    return ftk__session_topology_changed(s, reterr);
}

void ftk__session_note_limited(struct ftk__session *s, const struct ftk__topology_report *report)
{
    if (report->limited == 0 || s->said_limited)
        return;
    s->said_limited = true;
    ftk__log(FTK_WARN, "regrow",
             "step=%llu layers=%u what=\"regrow is forbidden and fewer weights are inactive than "
             "the rate asks for: k is n - nnz there\"",
             (unsigned long long)s->net.t, report->limited);
}

static ftk_status write_member(struct ftk__session *s, uint32_t member, struct ftk_error *reterr)
{
    struct ftk__str dir = { 0 };
    ftk__str_addf(&dir, "%s/members", s->tr->run_dir);
    ftk_status st;
    if (dir.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the members' folder");
    else
        st = ftk__session_check_folder(s, reterr);
    if (st >= 0)
        st = ftk__member_save(&s->net, s->best.state, dir.text, member, s->tr->meta, s->tr->n_meta,
                              reterr);
    if (st >= 0)
        st = ftk__saved_add(s->saved, s->tr->run_dir, member, reterr);
    ftk__str_done(&dir);
    return st;
}

/* Active maskable weights of what SAVE keeps. */
static uint64_t kept_nnz(const struct ftk__session *s)
{
    uint64_t nnz = 0;
    if (!s->best.state)
        return ftk__topology_nnz(s->net.topology);
    for (uint32_t l = 0; l < s->net.model->n_layers; l++) {
        uint64_t n;
        ftk__snapshot_active(s->best.state, l, &n);
        nnz += n;
    }
    return nnz;
}

/* SAVE keeps the last state or a copy of the best one of the TRAIN before; the live network is only
 * read, for an ESCAPE may follow that uses the gradient of its last step. */
static ftk_status run_save(struct ftk__session *s, const ftk_op *op, struct ftk_error *reterr)
{
    const struct ftk__model *m = s->net.model;
    double from = ftk__now();
    ftk_status st = write_member(s, op->member, reterr);
    s->seconds.file += ftk__now() - from;
    if (st < 0)
        return st;
    uint64_t nnz = kept_nnz(s);
    uint64_t step = s->best.state ? ftk__snapshot_step(s->best.state) : s->net.t;
    double density = m->n_maskable ? (double)nnz / (double)m->n_maskable : 1;
    /* Active weights, biases and BN parameters are what a member stores. */
    s->params_stored += (double)(nnz + m->n_params - m->n_maskable) / (double)m->n_params;
    s->last_sparsity = 1 - density;
    s->any_sparse = s->any_sparse || nnz < m->n_maskable;
    ftk__log(FTK_INFO, "save", "member=%u step=%llu density=%.4f", op->member,
             (unsigned long long)step, density);
    return FTK_OK;
}

static ftk_status run_remember(struct ftk__session *s, const ftk_op *op, struct ftk_error *reterr)
{
    struct ftk__snapshot *copy;
    ftk_status st = ftk__snapshot_take(&s->net, &copy, reterr);
    if (st < 0)
        return st;
    ftk__snapshot_free(s->slot[op->slot]);
    s->slot[op->slot] = copy;
    return FTK_OK;
}

static ftk_status run_rewind(struct ftk__session *s, const ftk_op *op,
                             const struct ftk__op_effect *effect, struct ftk_error *reterr)
{
    bool keep = op->flags & FTK_REWIND_KEEP_MASK;
    ftk_status st = ftk__snapshot_restore(s->slot[op->slot], &s->net, keep, reterr);
    if (st < 0)
        return st;
    s->net.reseed = effect->reseed;
    ftk__log(FTK_INFO, "rewind", "member=%u step=%llu density=%.4f", op->member,
             (unsigned long long)s->net.t, ftk__topology_density(s->net.topology));
    return ftk__session_topology_changed(s, reterr);
}

/* PRUNE, REWIND, ESCAPE and INIT start the search for a best state anew; so does SAVE, after it. */
static void forget_best(struct ftk__session *s)
{
    ftk__snapshot_free(s->best.state);
    s->best.state = NULL;
}

static ftk_status run_op(struct ftk__session *s, uint32_t i, const ftk_op *op,
                         const struct ftk__op_effect *effect, ftk_result *ret,
                         struct ftk_error *reterr)
{
    ftk_status st = FTK_EINTERNAL;
    switch (op->code) {
    case FTK_OP_INIT:
        st = run_init(s, i, op, reterr);
        break;
    case FTK_OP_TRAIN:
        return ftk__session_train(s, i, op, effect, ret, reterr);
    case FTK_OP_SAVE:
        st = run_save(s, op, reterr);
        break;
    case FTK_OP_ESCAPE:
        st = run_escape(s, i, op, reterr);
        break;
    case FTK_OP_PRUNE:
        st = run_prune(s, i, op, reterr);
        break;
    case FTK_OP_REMEMBER:
        return run_remember(s, op, reterr);
    case FTK_OP_REWIND:
        st = run_rewind(s, op, effect, reterr);
        break;
    default:
        return ftk__fail(reterr, FTK_EINTERNAL, "operation code %u was not checked", op->code);
    }
    if (st < 0)
        ftk__error_context(reterr, "at step %llu, member %u, operation %u (%s)",
                           (unsigned long long)s->net.t, op->member, i, op->label);
    forget_best(s);
    return st;
}

ftk_status ftk__session_next_op(struct ftk__session *s, uint32_t i, ftk_op *ret,
                                struct ftk__op_effect *ret_effect, struct ftk_error *reterr)
{
    const ftk_history hist = { .size = sizeof(hist), .n = s->n_results, .results = s->results };
    ftk_status st = ftk__oplist_ask(&s->rules.strategy, &s->run, i, &hist, ret, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__opstate_step(&s->state, ret, ret_effect, reterr);
    if (st < 0)
        return st;
    if (i >= s->plan.n || s->plan.v[i].op.code != ret->code)
        return ftk__fail(reterr, FTK_EINVAL,
                         "operation %u is %s now that results are known, not what was planned", i,
                         ftk__opcode_name(ret->code));
    s->plan.v[i].op = *ret;
    s->plan.v[i].effect = *ret_effect;
    return FTK_OK;
}

/* Whether nothing that a checkpoint does not hold is needed after operation i: an ESCAPE that uses
 * the gradient of the last step is one unit with it. */
static bool may_pause(const struct ftk__session *s, uint32_t i)
{
    bool last = i + 1 == s->plan.n; /* nothing is left to be done */
    return !last && !(ftk__gradient_is_awaited(s->x, &s->plan, i) &&
                      ftk__topology_wants_grad(s->net.topology));
}

/* A TRAIN that was interrupted must be the one that the strategy asks for now. */
static ftk_status check_inside(const struct ftk__session *s, uint32_t i, const ftk_op *op,
                               struct ftk_error *reterr)
{
    if (ftk__op_equal(op, &s->at.op))
        return FTK_OK;
    return ftk__fail(reterr, FTK_EINVAL, "operation %u is another than the one interrupted", i);
}

static ftk_status begin_op(struct ftk__session *s, uint32_t i, const ftk_op *op,
                           struct ftk_error *reterr)
{
    ftk__log(FTK_DEBUG, "op", "i=%u code=%s member=%u label=\"%s\"", i, ftk__opcode_name(op->code),
             op->member, op->label);
    if (s->at.inside)
        return check_inside(s, i, op, reterr);
    s->result[i] = (ftk_result){ .size = sizeof(s->result[i]),
                                 .op = i,
                                 .train_loss = NAN,
                                 .val_loss = NAN,
                                 .val_accuracy = NAN };
    ftk__ledger_operation(&s->ledger, i);
    return FTK_OK;
}

ftk_status ftk__session_run(struct ftk__session *s, struct ftk_error *reterr)
{
    for (uint32_t i = s->n_results;; i++) {
        ftk_op op;
        struct ftk__op_effect effect;
        ftk_status st = ftk__session_next_op(s, i, &op, &effect, reterr);
        if (st == FTK_DONE)
            return ftk__opstate_end(&s->state, reterr);
        if (st >= 0)
            st = begin_op(s, i, &op, reterr);
        if (st >= 0)
            st = run_op(s, i, &op, &effect, &s->result[i], reterr);
        if (st != FTK_OK)
            return st;
        s->results[i] = &s->result[i];
        s->n_results = i + 1;
        if (may_pause(s, i))
            st = ftk__session_pause(s, reterr);
        if (st != FTK_OK)
            return st;
    }
}
