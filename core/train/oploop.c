/* SPDX-License-Identifier: MIT
 * train/oploop.c - the operation interpreter: asks the strategy for operation i, has it checked,
 * runs it, records the result.
 */
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "config/opcheck.h"
#include "train/member.h"
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
        st = ftk__member_save(&s->net, s->best.state, dir.text, member, s->tr->meta, s->tr->n_meta,
                              reterr);
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
    forget_best(s);
    return st;
}

/* Operation i: asked for with all results so far, checked, compared with the plan that decided when
 * updates fall. */
static ftk_status next_op(struct ftk__session *s, uint32_t i, ftk_op *ret,
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

static ftk_status run_ops(struct ftk__session *s, struct ftk_error *reterr)
{
    for (uint32_t i = 0;; i++) {
        ftk_op op;
        struct ftk__op_effect effect;
        ftk_status st = next_op(s, i, &op, &effect, reterr);
        if (st == FTK_DONE)
            return ftk__opstate_end(&s->state, reterr);
        if (st < 0)
            return st;
        s->result[i] = (ftk_result){ .size = sizeof(s->result[i]),
                                     .op = i,
                                     .train_loss = NAN,
                                     .val_loss = NAN,
                                     .val_accuracy = NAN };
        ftk__log(FTK_DEBUG, "op", "i=%u code=%s member=%u label=\"%s\"", i,
                 ftk__opcode_name(op.code), op.member, op.label);
        ftk__ledger_operation(&s->ledger, i);
        st = run_op(s, i, &op, &effect, &s->result[i], reterr);
        if (st < 0)
            return st;
        s->results[i] = &s->result[i];
        s->n_results = i + 1;
    }
}

static ftk_status make_folders(struct ftk__session *s, struct ftk_error *reterr)
{
    static const char *const names[] = { "members", "trajectory" };
    uint32_t n = s->trajectory ? 2 : 1;
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st >= 0; i++) {
        struct ftk__str dir = { 0 };
        ftk__str_addf(&dir, "%s/%s", s->tr->run_dir, names[i]);
        if (dir.failed)
            st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", names[i]);
        else
            st = ftk__mkdirs(dir.text, reterr);
        ftk__str_done(&dir);
    }
    return st;
}

static ftk_status set_trajectory(struct ftk__session *s, struct ftk_error *reterr)
{
    const char *text = s->x->eval.trajectory;
    ftk_duration every;
    const char *end;
    if (!text[0])
        return FTK_OK;
    if (!ftk__duration_parse(text, 0, &every, &end) || *end)
        return ftk__fail(reterr, FTK_EINVAL, "eval.trajectory = \"%s\" is no duration", text);
    uint64_t whole = (uint64_t)llround(s->x->epochs * s->run.steps_per_epoch);
    s->trajectory = ftk__steps_of(every, &s->run, whole);
    return FTK_OK;
}

static ftk_status plan_session(struct ftk__session *s, struct ftk_error *reterr)
{
    s->run = ftk__experiment_run(s->x, ftk__dataset_train(s->tr->data)->n);
    ftk_status st = ftk__oplist_plan(&s->rules.strategy, &s->run, &s->plan, reterr);
    if (st >= 0)
        st = ftk__opstate_init(&s->state, &s->run, reterr);
    if (st < 0)
        return st;
    s->result = ftk__alloc_array(s->plan.n, sizeof(*s->result));
    s->results = ftk__alloc_array(s->plan.n, sizeof(*s->results));
    if (!s->result || !s->results)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %u results", s->plan.n);
    return set_trajectory(s, reterr);
}

static ftk_status open_session(struct ftk__session *s, struct ftk_error *reterr)
{
    const struct ftk__trainer *tr = s->tr;
    struct ftk__topology *topology = NULL;
    ftk_status st = ftk__rules_init(s->x, &s->rules, reterr);
    if (st >= 0)
        st = plan_session(s, reterr);
    if (st >= 0)
        st = ftk__rules_topology(s->x, tr->model, &s->rules, &s->arena, &topology, reterr);
    s->net = (struct ftk__network){
        .x = s->x, .model = tr->model, .engine = tr->engine, .topology = topology
    };
    if (st >= 0)
        st = ftk__train_compile(s->x, tr->model, ftk__topology_channels(topology), tr->engine,
                                reterr);
    if (st >= 0)
        st = ftk__feed_open(tr->data, (uint32_t)s->x->data.batch, &s->feed, reterr);
    if (st >= 0)
        st = make_folders(s, reterr);
    if (st >= 0)
        st = ftk__journal_open(&s->journal, tr->run_dir, reterr);
    if (st >= 0)
        st = ftk__ledger_init(&s->ledger, tr->model, s->plan.n, reterr);
    return st;
}

static void close_session(struct ftk__session *s)
{
    for (uint32_t i = 0; i < FTK__MAX_SLOTS; i++)
        ftk__snapshot_free(s->slot[i]);
    ftk__snapshot_free(s->best.state);
    ftk__feed_close(s->feed);
    ftk__topology_free(s->net.topology);
    ftk__opstate_done(&s->state);
    ftk__oplist_done(&s->plan);
    ftk__ledger_done(&s->ledger);
    ftk__rules_done(&s->rules);
    ftk__arena_done(&s->arena);
    ftk__free(s->result);
    ftk__free(s->results);
}

/* Takes the session's operations and ledger. */
static void fill_report(struct ftk__session *s, struct ftk__train_report *ret)
{
    ftk__ledger_settle(&s->ledger);
    *ret = (struct ftk__train_report){
        .ops = s->plan,
        .ledger = s->ledger,
        .dense_run =
            ftk__ledger_dense_run(&s->ledger, s->x->epochs, ftk__dataset_train(s->tr->data)->n),
        .wall_s = s->seconds.train,
        .data_s = s->seconds.data,
        .eval_s = s->seconds.eval,
        .file_s = s->seconds.file,
        .steps = s->steps_done,
        .images = s->images,
        .params_stored = s->params_stored,
        .sparsity = s->last_sparsity,
        .sparse = s->any_sparse,
    };
    s->plan = (struct ftk__oplist){ 0 };
    s->ledger = (struct ftk__ledger){ 0 };
}

void ftk__train_report_done(struct ftk__train_report *r)
{
    ftk__oplist_done(&r->ops);
    ftk__ledger_done(&r->ledger);
}

ftk_status ftk__train(const struct ftk__trainer *tr, struct ftk__train_report *ret,
                      struct ftk_error *reterr)
{
    struct ftk__session *s = ftk__alloc(sizeof(*s));
    if (!s)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a run");
    s->tr = tr;
    s->x = tr->x;
    ftk_status st = open_session(s, reterr);
    if (st >= 0)
        st = run_ops(s, reterr);
    ftk_status closed = ftk__journal_close(&s->journal, st < 0 ? NULL : reterr);
    if (st >= 0 && closed < 0)
        st = closed;
    if (st >= 0)
        fill_report(s, ret);
    close_session(s);
    ftk__free(s);
    return st;
}
