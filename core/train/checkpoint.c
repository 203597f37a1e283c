/* SPDX-License-Identifier: MIT
 * train/checkpoint.c - when a checkpoint is due, and all that is written into one; and which of two
 * to go on from.
 */
#include "train/checkpoint_impl.h"

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "train/netfile.h"

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a checkpoint");
}

/* ---- when ------------------------------------------------------------------------------------ */

static bool is_stopped(const struct ftk__checkpoints *c)
{
    return (c->stop && *c->stop) || (c->deadline > 0 && ftk__now() >= c->deadline);
}

/* Before one was written: what it will be like, by its size and a slow disk. */
static double guess_seconds(const struct ftk__session *s)
{
    const struct ftk__model *m = s->net.model;
    double copies = s->best.state ? 2 : 1;
    for (uint32_t i = 0; i < FTK__MAX_SLOTS; i++)
        copies += s->slot[i] != NULL;
    double bytes = 12 * (double)ftk__topology_nnz(s->net.topology) + (double)m->n_maskable / 8 +
                   8 * (double)(m->n_params - m->n_maskable);
    return 0.01 + copies * bytes / 200e6;
}

/* A checkpoint that comes a hundred times its own length after the one before takes 1 % of the run;
 * below a second there is nothing to be saved from. */
static bool is_due(const struct ftk__session *s)
{
    const struct ftk__checkpointing *c = &s->checkpointing;
    double interval = s->tr->checkpoints.interval_s;
    double last = c->costs.count ? c->last : c->started;
    if (interval < 0) {
        interval = 100 * (c->costs.count ? c->expected_s : guess_seconds(s));
        interval = interval > 1 ? interval : 1;
    }
    return ftk__now() - last >= interval;
}

/* ---- what ------------------------------------------------------------------------------------ */

static json_t *layers_of(const struct ftk__model *m)
{
    json_t *list = json_array();
    for (uint32_t l = 0; list && l < m->n_layers; l++) {
        json_t *row = json_pack("[s, I]", m->layers[l].name, (json_int_t)m->layers[l].n);
        if (json_array_append_new(list, row) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *slots_of(const struct ftk__session *s)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < FTK__MAX_SLOTS; i++) {
        if (s->slot[i] && json_array_append_new(list, json_integer(i)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *counts_of(const uint64_t v[FTK__JOURNAL_FILES])
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < FTK__JOURNAL_FILES; i++) {
        if (json_array_append_new(list, json_integer((json_int_t)v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static ftk_status make_header(struct ftk__session *s, const struct ftk__journal_mark *journal,
                              json_t **ret, struct ftk_error *reterr)
{
    const struct ftk__position *at = &s->at;
    const char *kernels;
    ftk_status st = ftk__engine_kernels(s->net.engine, &kernels, reterr);
    if (st < 0)
        return st;
    json_t *doc = json_pack(
        "{s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:s, s:s?, s:O?}", "step",
        (json_int_t)s->steps_done, "op", (json_int_t)s->n_results, "inside", at->inside, "local",
        (json_int_t)at->local, "t", (json_int_t)s->net.t, "images", (json_int_t)s->images,
        "samples", (json_int_t)at->samples, "correct", (json_int_t)at->correct, "epoch_images",
        (json_int_t)at->epoch_images, "said_limited", s->said_limited, "sparse", s->any_sparse,
        "best", s->best.state != NULL, "backend", s->net.engine->entry->algo->name, "kernels",
        kernels, "identity", s->tr->checkpoints.identity);
    bool failed = !doc;
    failed = failed || json_object_set_new(doc, "journal_bytes", counts_of(journal->bytes)) != 0;
    failed = failed || json_object_set_new(doc, "journal_crc32", counts_of(journal->crc)) != 0;
    failed = failed || json_object_set(doc, "saved", s->saved) != 0;
    failed = failed || json_object_set_new(doc, "slots", slots_of(s)) != 0;
    failed = failed || json_object_set_new(doc, "layers", layers_of(s->net.model)) != 0;
    if (failed) {
        json_decref(doc);
        return no_memory(reterr);
    }
    *ret = doc;
    return FTK_OK;
}

static void write_numbers(const struct ftk__session *s, struct ftk__ftc_writer *w)
{
    const struct ftk__seconds *a = &s->seconds;
    const struct ftk__seconds *b = &s->at.epoch_start;
    const ftk_result *r = &s->at.result;
    const struct ftk__checkpoint_numbers n = {
        .seconds = { a->train, a->data, a->eval, a->file },
        .epoch_start = { b->train, b->data, b->eval, b->file },
        .last_lr = s->at.last_lr,
        .loss_sum = s->at.loss_sum,
        .result = { r->train_loss, r->val_loss, r->val_accuracy },
        .params_stored = s->params_stored,
        .last_sparsity = s->last_sparsity,
        .best_accuracy = s->best.accuracy,
    };
    ftk__netfile_put(w, FTK__CHECKPOINT_RUN, "numbers", FTK__FTC_F64, FTK__CHECKPOINT_NUMBERS,
                     sizeof(n), &n);
}

/* Operations and results, for the strategy to be asked again. */
static void write_history(const struct ftk__session *s, struct ftk__ftc_writer *w)
{
    uint32_t n = s->n_results + (s->at.inside ? 1 : 0);
    ftk__ftc_begin(w, FTK__CHECKPOINT_RUN "/ops", FTK__FTC_U8, n * sizeof(ftk_op));
    for (uint32_t i = 0; i < n; i++)
        ftk__ftc_put(w, &s->plan.v[i].op, sizeof(ftk_op));
    ftk__ftc_begin(w, FTK__CHECKPOINT_RUN "/results", FTK__FTC_F64, 3 * (uint64_t)s->n_results);
    for (uint32_t i = 0; i < s->n_results; i++) {
        const double v[3] = { s->result[i].train_loss, s->result[i].val_loss,
                              s->result[i].val_accuracy };
        ftk__ftc_put(w, v, sizeof(v));
    }
}

static ftk_status write_networks(struct ftk__session *s, struct ftk__ftc_writer *w,
                                 struct ftk_error *reterr)
{
    ftk_status st = ftk__network_write(&s->net, FTK__CHECKPOINT_LIVE, w, reterr);
    if (st >= 0 && s->best.state)
        st = ftk__snapshot_write(s->best.state, &s->net, FTK__CHECKPOINT_BEST, w, reterr);
    for (uint32_t i = 0; i < FTK__MAX_SLOTS && st >= 0; i++) {
        char prefix[16];
        ftk__format(prefix, sizeof(prefix), FTK__CHECKPOINT_SLOT, i);
        if (s->slot[i])
            st = ftk__snapshot_write(s->slot[i], &s->net, prefix, w, reterr);
    }
    return st;
}

/* ---- how ------------------------------------------------------------------------------------- */

static ftk_status write_arrays(struct ftk__session *s, struct ftk__ftc_writer *w,
                               struct ftk_error *reterr)
{
    write_numbers(s, w);
    write_history(s, w);
    ftk_status st = ftk__ledger_write(&s->ledger, w, reterr);
    return st < 0 ? st : write_networks(s, w, reterr);
}

static ftk_status write_file(struct ftk__session *s, const char *last, const char *prev,
                             const json_t *header, uint64_t *ret_bytes, struct ftk_error *reterr)
{
    struct ftk__ftc_writer *w;
    ftk_status st = ftk__ftc_create(last, header, &w, reterr);
    if (st < 0)
        return st;
    if (!s->checkpointing.prev_is_better)
        ftk__ftc_keep(w, prev);
    st = write_arrays(s, w, reterr);
    if (st < 0) {
        ftk__ftc_abort(w);
        return st;
    }
    return ftk__ftc_commit(w, ret_bytes, reterr);
}

static ftk_status write_checkpoint(struct ftk__session *s, uint64_t *ret_bytes,
                                   struct ftk_error *reterr)
{
    const char *dir = s->tr->checkpoints.dir;
    struct ftk__journal_mark mark;
    json_t *header = NULL;
    char *last = ftk__path_join(dir, "last.ftc");
    char *prev = ftk__path_join(dir, "prev.ftc");
    ftk_status st = last && prev ? ftk__session_check_folder(s, reterr) : no_memory(reterr);
    if (st >= 0)
        st = ftk__mkdirs(dir, reterr);
    /* The rows so far must not be lost where the checkpoint is not. */
    if (st >= 0)
        st = ftk__journal_sync(&s->journal, &mark, reterr);
    if (st >= 0)
        st = make_header(s, &mark, &header, reterr);
    if (st >= 0)
        st = write_file(s, last, prev, header, ret_bytes, reterr);
    json_decref(header);
    ftk__free(last);
    ftk__free(prev);
    return st;
}

static ftk_status timed_checkpoint(struct ftk__session *s, struct ftk_error *reterr)
{
    struct ftk__checkpointing *c = &s->checkpointing;
    uint64_t bytes = 0;
    double from = ftk__now();
    ftk_status st = write_checkpoint(s, &bytes, reterr);
    c->last = ftk__now();
    c->expected_s = c->last - from;
    s->seconds.file += c->expected_s;
    if (st < 0) {
        ftk__error_context(reterr, "while a checkpoint of step %llu was written",
                           (unsigned long long)s->steps_done);
        return st;
    }
    c->prev_is_better = false;
    c->costs.count++;
    c->costs.seconds += c->expected_s;
    c->costs.bytes_last = bytes;
    ftk__log(FTK_DEBUG, "checkpoint", "step=%llu bytes=%llu seconds=%.4f",
             (unsigned long long)s->steps_done, (unsigned long long)bytes, c->expected_s);
    return FTK_OK;
}

ftk_status ftk__session_pause(struct ftk__session *s, struct ftk_error *reterr)
{
    const struct ftk__checkpoints *c = &s->tr->checkpoints;
    bool stopped = is_stopped(c);
    ftk_status st = FTK_OK;
    if (c->dir && (stopped || is_due(s)))
        st = timed_checkpoint(s, reterr);
    if (st >= 0 && stopped)
        st = FTK_DONE;
    return st;
}

/* ---- which ----------------------------------------------------------------------------------- */

/* Whether the next best may be tried after such an error. */
static bool is_refusal(ftk_status st)
{
    return st == FTK_EINVAL || st == FTK_ENOENT || st == FTK_EIO;
}

static ftk_status try_prev(const char *prev, ftk_status st_last, const struct ftk_error *of_last,
                           struct ftk__ftc_file *ret, struct ftk__str *ret_note,
                           struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    ftk_status st = ftk__ftc_open(prev, ret, &err);
    if (st >= 0) {
        ftk__str_addf(ret_note, "%s; the one before is used, %s", of_last->message, prev);
        if (!ret_note->failed)
            return st;
        ftk__ftc_close(ret);
        return no_memory(reterr);
    }
    if (!is_refusal(st) || (st_last == FTK_ENOENT && st != FTK_ENOENT)) {
        if (reterr)
            *reterr = err;
        return st;
    }
    if (reterr)
        *reterr = *of_last;
    if (st_last != FTK_ENOENT)
        ftk__error_context(reterr, "nor can the one before be used: %s", err.message);
    return st_last;
}

ftk_status ftk__checkpoint_find(const char *dir, struct ftk__ftc_file *ret,
                                struct ftk__str *ret_note, struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    char *last = ftk__path_join(dir, "last.ftc");
    char *prev = ftk__path_join(dir, "prev.ftc");
    ftk_status st = last && prev ? FTK_OK : no_memory(reterr);
    if (st >= 0) {
        st = ftk__ftc_open(last, ret, &err);
        if (is_refusal(st))
            st = try_prev(prev, st, &err, ret, ret_note, reterr);
        else if (st < 0 && reterr)
            *reterr = err;
    }
    ftk__free(last);
    ftk__free(prev);
    return st;
}
