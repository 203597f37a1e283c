/* SPDX-License-Identifier: MIT
 * train/steploop.c - one TRAIN: batches, optimiser steps, topology updates, epoch ends.
 */
#include "base/log.h"
#include "eval/validate.h"
#include "train/member.h"
#include "train/schedule.h"
#include "train/session.h"
#include <math.h>

enum { STEPS_A_SYNC = 32 }; /* often enough to stop soon after a loss that is not finite */

struct loop { /* of one TRAIN                                 */
    struct ftk__session *s;
    struct ftk__position *at; /* of the session                               */
    uint32_t i;
    const ftk_op *op;
    struct ftk__train_schedule when;
    struct ftk__lr_plan lr;
    bool asynchronous;
};

/* Takes over what the backend counted since the last sync. */
static ftk_status sync_stats(struct loop *p, struct ftk_error *reterr)
{
    ftk_stats stats;
    ftk_status st = ftk__session_sync(p->s, p->at->last_lr, &stats, reterr);
    if (st < 0)
        return st;
    p->at->samples += stats.samples;
    p->at->correct += stats.correct;
    p->at->loss_sum += stats.loss_sum;
    return FTK_OK;
}

static ftk_status change_topology(struct loop *p, enum ftk__event event, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    struct ftk__topology_report report;
    const struct ftk__topology_event ev = {
        .member = p->op->member,
        .step = s->net.t,
        .rate = ftk__rate_at(&p->when, s->net.t),
    };
    /* A value that is not finite is named by step and layer, not by the plugin that trips over
     * it. */
    ftk_status st = sync_stats(p, reterr);
    if (st < 0)
        return st;
    double from = ftk__now();
    /* A Bernoulli mask may hold a little less than the ramp starts with. */
    double density =
        fmin(ftk__cut_density(&p->when, s->net.t), ftk__topology_density(s->net.topology));
    if (event == FTK__EVENT_UPDATE)
        st = ftk__topology_update(s->net.topology, s->net.engine, &ev, &report, reterr);
    else
        st = ftk__topology_cut(s->net.topology, s->net.engine, &ev, density,
                               p->op->flags & FTK_TRAIN_RAMP_GLOBAL, &report, reterr);
    s->seconds.train += ftk__now() - from;
    if (st < 0)
        return st;
    ftk__session_note_limited(s, &report);
    ftk__ledger_note(&s->ledger, event == FTK__EVENT_UPDATE ? FTK__LEDGER_UPDATE : FTK__LEDGER_CUT);
    ftk__log(FTK_DEBUG, "topology", "step=%llu dropped=%llu grown=%llu nnz=%llu",
             (unsigned long long)s->net.t, (unsigned long long)report.dropped,
             (unsigned long long)report.grown, (unsigned long long)report.nnz);
    return ftk__session_topology_changed(s, reterr);
}

struct augmented { /* validation as the training is augmented      */
    const struct ftk__dataset *data;
    uint32_t member;
    uint64_t pass;
};

static void fill_validation(const void *arg, uint64_t from, uint64_t count, float *ret_x,
                            int32_t *ret_y)
{
    const struct augmented *a = arg;
    ftk__dataset_fill_validation(a->data, a->member, a->pass, from, count, ret_x, ret_y);
}

static ftk_status validate(struct loop *p, struct ftk__scores *ret, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    const struct ftk__images *im = ftk__dataset_validation(s->tr->data);
    const struct augmented a = {
        .data = s->tr->data,
        .member = p->op->member,
        .pass = (s->net.t - 1) / ftk__feed_batches(s->feed) + ftk__session_pass_key(s),
    };
    *ret = (struct ftk__scores){ .accuracy = NAN, .nll = NAN };
    if (im->n == 0 || s->net.t == 0)
        return FTK_OK;
    double from = ftk__now();
    ftk_status st = ftk__validate(s->net.engine, im->shape, im->classes, im->n, fill_validation, &a,
                                  NULL, ret, reterr);
    s->seconds.eval += ftk__now() - from;
    return st;
}

/* keep = best_validation: a strictly better state of this TRAIN, of a ramp only what follows it. */
static ftk_status keep_best(struct loop *p, double accuracy, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    bool in_ramp = p->when.density_to > 0 && s->net.t < p->when.ramp_to;
    if (s->x->keep != FTK__KEEP_BEST_VALIDATION || in_ramp)
        return FTK_OK;
    if (s->best.state && !(accuracy > s->best.accuracy))
        return FTK_OK;
    struct ftk__snapshot *state;
    ftk_status st = ftk__snapshot_take(&s->net, &state, reterr);
    if (st < 0)
        return st;
    ftk__snapshot_free(s->best.state);
    s->best.state = state;
    s->best.accuracy = accuracy;
    return FTK_OK;
}

static void log_epoch(const struct loop *p, const struct ftk__epoch_row *row,
                      const struct ftk__epoch_timing *timing)
{
    char val[32] = ""; /* nothing without a validation split */
    if (!isnan(row->val_accuracy))
        ftk__format(val, sizeof(val), " val_acc=%.4f", row->val_accuracy);
    ftk__log(FTK_INFO, "epoch",
             "op=\"%s\" member=%u epoch=%llu loss=%.4f acc=%.4f%s lr=%g density=%.4f r_s=%.4f "
             "img_s=%.0f train_s=%.1f",
             p->op->label, row->member, (unsigned long long)row->epoch, row->train_loss,
             row->train_accuracy, val, row->lr, row->density, row->explored, timing->images_per_s,
             timing->train_s);
}

static ftk_status end_epoch(struct loop *p, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    struct ftk__scores val;
    ftk_status st = sync_stats(p, reterr);
    if (st >= 0)
        st = validate(p, &val, reterr);
    if (st < 0)
        return st;
    double n = (double)p->at->samples;
    const struct ftk__epoch_row row = {
        .op = p->i,
        .member = p->op->member,
        .epoch = (s->net.t - 1) / ftk__feed_batches(s->feed) + 1,
        .step = s->net.t,
        .lr = p->at->last_lr,
        .rate = p->when.last_update ? ftk__rate_at(&p->when, s->net.t) : (double)NAN,
        .density = ftk__topology_density(s->net.topology),
        .explored = ftk__topology_explored(s->net.topology),
        .train_loss = p->at->samples ? p->at->loss_sum / n : (double)NAN,
        .train_accuracy = p->at->samples ? (double)p->at->correct / n : (double)NAN,
        .val_loss = val.nll,
        .val_accuracy = val.accuracy,
        .flops = s->ledger.sum.theory,
        .flops_executed = s->ledger.sum.executed,
    };
    struct ftk__epoch_timing timing = {
        .train_s = s->seconds.train - p->at->epoch_start.train,
        .data_s = s->seconds.data - p->at->epoch_start.data,
        .eval_s = s->seconds.eval - p->at->epoch_start.eval,
    };
    double busy = timing.train_s + timing.data_s;
    timing.images_per_s = busy > 0 ? (double)p->at->epoch_images / busy : 0;
    p->at->result.train_loss = row.train_loss;
    p->at->result.val_loss = row.val_loss;
    p->at->result.val_accuracy = row.val_accuracy;
    p->at->samples = 0;
    p->at->correct = 0;
    p->at->loss_sum = 0;
    p->at->epoch_start = s->seconds;
    p->at->epoch_images = 0;
    log_epoch(p, &row, &timing);
    st = ftk__session_check_folder(s, reterr);
    if (st >= 0)
        st = ftk__journal_epoch(&s->journal, &row, &timing, reterr);
    if (st < 0)
        return st;
    return keep_best(p, val.accuracy, reterr);
}

static void report_progress(const struct loop *p)
{
    const struct ftk__session *s = p->s;
    const struct ftk__progress *to = &s->tr->progress;
    if (!to->step)
        return;
    double spent = s->seconds.train + s->seconds.data + s->seconds.eval;
    double left = (double)(s->plan.total_steps - s->steps_done);
    const struct ftk__progress_state state = {
        .label = p->op->label,
        .member = p->op->member,
        .done = s->steps_done,
        .total = s->plan.total_steps,
        .loss =
            p->at->samples ? p->at->loss_sum / (double)p->at->samples : p->at->result.train_loss,
        .accuracy = p->at->samples ? (double)p->at->correct / (double)p->at->samples : (double)NAN,
        .density = ftk__topology_density(s->net.topology),
        .images_per_s = spent > 0 ? (double)s->images / spent : 0,
        .eta_s = s->steps_done ? spent / (double)s->steps_done * left : 0,
    };
    to->step(to->arg, &state);
}

static ftk_status snapshot_trajectory(struct loop *p, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    if (!s->trajectory || s->net.t % s->trajectory)
        return FTK_OK;
    struct ftk__str dir = { 0 };
    double from = ftk__now();
    ftk__str_addf(&dir, "%s/trajectory", s->tr->run_dir);
    ftk_status st;
    if (dir.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the trajectory");
    else
        st = ftk__session_check_folder(s, reterr);
    if (st >= 0)
        st = ftk__trajectory_save(&s->net, dir.text, p->i, p->op->member, reterr);
    ftk__str_done(&dir);
    s->seconds.file += ftk__now() - from;
    return st;
}

/* The flags of step t + 1, given what follows it. */
static uint32_t step_flags(const struct loop *p, enum ftk__event event)
{
    const struct ftk__session *s = p->s;
    const struct ftk__topology *topology = s->net.topology;
    bool escapes = s->net.t + 1 == p->when.end && p->when.keep_last_gradient;
    bool updates = event == FTK__EVENT_UPDATE || escapes;
    bool cuts = event == FTK__EVENT_CUT;
    uint32_t flags = 0;
    if ((updates && ftk__topology_wants_grad(topology)) ||
        (cuts && ftk__topology_cut_wants_grad(topology)))
        flags |= FTK_STEP_KEEP_GRAD;
    if (event == FTK__EVENT_UPDATE && p->when.replaces)
        flags |= FTK_STEP_NO_UPDATE;
    return flags;
}

/* One unit: a step and the topology change that follows it. */
static ftk_status one_step(struct loop *p, uint64_t local, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    enum ftk__event event = ftk__event_at(&p->when, s->net.t + 1);
    uint32_t flags = step_flags(p, event);
    ftk_batch batch;
    ftk_status st = ftk__session_batch(s, p->op->member, &batch, reterr);
    if (st < 0)
        return st;
    p->at->last_lr = ftk__lr_at(&p->lr, local);
    /* RigL's update takes the place of a step; where it reads no gradient nothing is computed. */
    if (flags == FTK_STEP_NO_UPDATE)
        ftk__ledger_note(&s->ledger, FTK__LEDGER_SKIPPED);
    else
        st = ftk__session_step(s, &batch, p->at->last_lr, flags, reterr);
    if (st < 0)
        return st;
    s->net.t++;
    s->steps_done++;
    s->images += batch.count;
    p->at->epoch_images += batch.count;
    if (event != FTK__EVENT_NONE)
        st = change_topology(p, event, reterr);
    if (st >= 0)
        st = snapshot_trajectory(p, reterr);
    return st;
}

/* Takes over what the backend counted.  What was counted between two checkpoints must be added in the
 * same order whether or not the run was interrupted at one of them.  So the sums are fetched after
 * every step, and any unit may be followed by a checkpoint; a backend that works ahead would be held
 * up by that, and is asked every STEPS_A_SYNC steps, where alone its checkpoints then fall.
 * *ret: everything is taken over. */
static ftk_status end_unit(struct loop *p, bool epoch_ends, bool *ret, struct ftk_error *reterr)
{
    bool now_and_then = p->at->local % STEPS_A_SYNC == 0;
    ftk_status st = FTK_OK;
    *ret = epoch_ends || now_and_then || !p->asynchronous;
    if (epoch_ends)
        st = end_epoch(p, reterr);
    else if (*ret)
        st = sync_stats(p, reterr);
    if (st >= 0 && (epoch_ends || now_and_then))
        report_progress(p);
    return st;
}

/* FTK_DONE: stopped as asked. */
static ftk_status run_loop(struct loop *p, uint64_t steps, struct ftk_error *reterr)
{
    struct ftk__session *s = p->s;
    ftk_status st = FTK_OK;
    while (p->at->local < steps && st == FTK_OK) {
        bool whole = false;
        st = one_step(p, p->at->local, reterr);
        if (st < 0)
            break;
        p->at->local++;
        bool last = p->at->local == steps;
        bool epoch_ends = s->net.t % ftk__feed_batches(s->feed) == 0 || last;
        st = end_unit(p, epoch_ends, &whole, reterr);
        /* What follows the last step is the operation's end, and may belong to its unit. */
        if (st >= 0 && whole && !last)
            st = ftk__session_pause(s, reterr);
    }
    if (st < 0)
        ftk__error_context(reterr, "at step %llu, member %u, operation %u (%s)",
                           (unsigned long long)s->net.t, p->op->member, p->i, p->op->label);
    return st;
}

static ftk_status begin_train(struct ftk__session *s, uint32_t i, const ftk_op *op,
                              struct ftk_error *reterr)
{
    s->at = (struct ftk__position){
        .inside = true,
        .op = *op,
        .epoch_start = s->seconds,
        .result = { .size = sizeof(s->at.result),
                    .op = i,
                    .train_loss = NAN,
                    .val_loss = NAN,
                    .val_accuracy = NAN },
    };
    ftk__snapshot_free(s->best.state);
    s->best.state = NULL;
    if (op->flags & FTK_TRAIN_KEEP_OPTIM)
        return FTK_OK;
    return ftk__network_reset_optimiser(&s->net, reterr);
}

ftk_status ftk__session_train(struct ftk__session *s, uint32_t i, const ftk_op *op,
                              const struct ftk__op_effect *effect, ftk_result *ret,
                              struct ftk_error *reterr)
{
    struct loop p = {
        .s = s,
        .at = &s->at,
        .i = i,
        .op = op,
        .asynchronous = s->net.engine->device.caps & FTK_CAP_ASYNC,
    };
    ftk__train_schedule(s->x, &s->run, &s->plan, i, &p.when);
    ftk_status st = ftk__lr_plan(s->x, &s->run, op, &p.lr, reterr);
    if (st >= 0 && !s->at.inside)
        st = begin_train(s, i, op, reterr);
    if (st >= 0)
        st = run_loop(&p, effect->steps, reterr);
    if (st != FTK_OK)
        return st;
    *ret = s->at.result;
    s->at = (struct ftk__position){ 0 };
    return FTK_OK;
}
