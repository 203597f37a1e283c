/* SPDX-License-Identifier: MIT
 * cli/train_run.c - what is written before, during and after a training.
 */
#include "cli/train_run.h"

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/dense_run.h"
#include "cli/evaluate.h"
#include "cli/leftovers.h"
#include "cli/plan_print.h"
#include "cli/progress_bar.h"
#include "cli/run_folder.h"
#include "cli/run_resume.h"
#include "cli/stop_signal.h"
#include "train/weights.h"
#include <string.h>

static ftk_status write_text(const char *dir, const char *name, const char *text,
                             struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, name);
    if (!path || !text) {
        ftk__free(path);
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %s", name);
    }
    ftk_status st = ftk__file_write(path, text, strlen(text), reterr);
    ftk__free(path);
    return st;
}

static ftk_status write_resolved(const struct ftk__train_request *q, struct ftk_error *reterr)
{
    struct ftk__str text = { 0 };
    ftk_status st = ftk__config_write(q->p->x, &text);
    if (st < 0 || text.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for config.resolved.cfg");
    else
        st = write_text(q->run_dir, "config.resolved.cfg", text.text, reterr);
    ftk__str_done(&text);
    return st;
}

static ftk_status write_plan(const struct ftk__train_request *q, struct ftk_error *reterr)
{
    const struct ftk__prepared *p = q->p;
    struct ftk__plan plan;
    struct ftk__str text = { 0 };
    ftk_status st = ftk__plan_make(p->x, p->model, p->info.n_train, p->info.n_test, &plan, reterr);
    if (st < 0)
        return st;
    ftk__plan_print(p->x, &plan, &text);
    st = write_text(q->run_dir, "plan.txt", text.failed ? NULL : text.text, reterr);
    ftk__str_done(&text);
    ftk__plan_done(&plan);
    return st;
}

/* What was asked for and what it comes to; run.json first: it marks a folder as a run's. */
static ftk_status write_start(const struct ftk__train_request *q, const json_t *manifest,
                              struct ftk_error *reterr)
{
    ftk_status st = ftk__manifest_write(q->run_dir, manifest, reterr);
    if (st >= 0)
        st = write_text(q->run_dir, "config.cfg", q->p->x->source, reterr);
    if (st >= 0)
        st = write_resolved(q, reterr);
    if (st >= 0)
        st = write_plan(q, reterr);
    if (st >= 0)
        st = ftk__log_open(q->run_dir, reterr);
    return st;
}

/* --dense is looked at before hours of training, not after. */
static ftk_status check_dense(const struct ftk__train_request *q, const json_t *manifest,
                              struct ftk_error *reterr)
{
    json_t *theirs;
    struct ftk_error err;
    if (!q->dense)
        return FTK_OK;
    ftk_status st = ftk__manifest_read(q->dense, &theirs, reterr);
    if (st < 0)
        return st;
    st = ftk__dense_check(manifest, theirs, &err);
    json_decref(theirs);
    if (st < 0)
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "cannot compare with %s: %s", q->dense,
                       err.message);
    return st;
}

/* All that a training has open; the caller's once it succeeds. */
struct work {
    struct ftk__engine engine;
    struct ftk__dataset *data;
    json_t *manifest;
    struct ftk__resume resume;
};

/* Trains from the beginning or from where the checkpoint was written. */
static ftk_status train(const struct ftk__train_request *q, struct work *w, const json_t *identity,
                        struct ftk__train_report *ret, struct ftk_error *reterr)
{
    const struct ftk__prepared *p = q->p;
    struct ftk__arena arena = { 0 };
    struct ftk__progress_bar bar;
    char *dir = ftk__path_join(q->run_dir, "checkpoint");
    struct ftk__trainer trainer = {
        .x = p->x,
        .model = p->model,
        .data = w->data,
        .engine = &w->engine,
        .run_dir = q->run_dir,
        .lock = q->lock,
        .checkpoints = { .dir = dir,
                         .identity = identity,
                         .from = w->resume.file.fd >= 0 ? &w->resume.file : NULL,
                         .interval_s = q->checkpoint_s,
                         .stop = ftk__stop_flag(),
                         .deadline = ftk__stop_deadline() },
    };
    ftk_status st = FTK_OK;
    if (!dir)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the checkpoints");
    if (st >= 0)
        st = ftk__member_meta(p, q->id, &arena, &trainer.meta, &trainer.n_meta, reterr);
    if (st >= 0) {
        ftk__log(FTK_INFO, "start", "run=\"%s\" strategy=%s members=%lld images=%llu backend=%s",
                 q->run_dir, p->x->strategy.entry->algo->name, (long long)p->x->members,
                 (unsigned long long)p->info.n_train, w->engine.entry->algo->name);
        ftk__resume_log(&w->resume);
        ftk__progress_bar_start(&bar, q->quiet);
        trainer.progress = ftk__progress_of(&bar);
        st = ftk__train(&trainer, ret, reterr);
        ftk__progress_bar_stop(&bar);
    }
    ftk__arena_done(&arena);
    ftk__free(dir);
    return st;
}

/* Files that INIT will read for each member. */
static ftk_status check_weights(const struct ftk__prepared *p, struct ftk_error *reterr)
{
    const char *path = p->x->weights;
    int64_t files = path[0] == 0 ? 0 : strstr(path, "%d") ? p->x->members : 1;
    ftk_status st = FTK_OK;
    for (int64_t i = 0; i < files && st >= 0; i++) {
        struct ftk__st_file f = { 0 };
        st = ftk__weights_open(path, (uint32_t)i, p->model, &f, reterr);
        if (st >= 0)
            ftk__st_close(&f);
    }
    return st;
}

/* FTK_DONE where a stop was asked for meanwhile: reading data may take long. */
static ftk_status unless_stopped(ftk_status st)
{
    return st >= 0 && ftk__stop_asked() ? FTK_DONE : st;
}

static ftk_status look_for_checkpoint(const struct ftk__train_request *q, struct work *w,
                                      struct ftk_error *reterr)
{
    if (!q->before)
        return FTK_OK;
    ftk_status st = ftk__resume_open(q->p, q->run_dir, q->before, w->manifest, &w->resume, reterr);
    if (st >= 0)
        st = ftk__manifest_resumed(w->manifest, q->before, w->resume.step, reterr);
    return st;
}

/* Everything that may be refused before the first step, while the folder is still as it was: a
 * mistake must not leave an unfinished run behind, nor touch one. */
static ftk_status get_ready(const struct ftk__train_request *q, struct work *w,
                            struct ftk_error *reterr)
{
    const struct ftk__prepared *p = q->p;
    ftk_status st = check_weights(p, reterr);
    if (st >= 0)
        st = unless_stopped(ftk__dataset_open(&p->request, &w->data, reterr));
    if (st == FTK_OK)
        st = unless_stopped(ftk__manifest_data(w->manifest, p, w->data, reterr));
    if (st == FTK_OK)
        st = ftk__run_engine(q->p, &w->engine, reterr);
    if (st == FTK_OK)
        st = ftk__train_compile(p->x, p->model, 0, &w->engine, reterr);
    if (st == FTK_OK)
        st = ftk__manifest_backend(w->manifest, p, &w->engine, reterr);
    if (st == FTK_OK)
        st = check_dense(q, w->manifest, reterr);
    if (st == FTK_OK)
        st = unless_stopped(look_for_checkpoint(q, w, reterr));
    return st;
}

/* Not into a folder that took the place of the run's own. */
static ftk_status write_manifest(const struct ftk__train_request *q, const struct work *w,
                                 struct ftk_error *reterr)
{
    ftk_status st = ftk__dir_still_locked(q->run_dir, *q->lock, reterr);
    return st < 0 ? st : ftk__manifest_write(q->run_dir, w->manifest, reterr);
}

/* What run.json keeps of a training that ended, was stopped, or failed. */
static ftk_status write_end(const struct ftk__train_request *q, struct work *w, ftk_status trained,
                            const struct ftk__train_report *report, struct ftk_error *reterr)
{
    ftk_status st = trained;
    if (st >= 0) /* its kernels, as they ended */
        st = ftk__manifest_backend(w->manifest, q->p, &w->engine, reterr);
    if (st >= 0 && trained == FTK_DONE)
        st = ftk__manifest_stopped(w->manifest, report, ftk__stop_reason(), reterr);
    else if (st >= 0)
        st = ftk__manifest_trained(w->manifest, report, reterr);
    if (st >= 0)
        st = write_manifest(q, w, reterr);
    if (st >= 0)
        return trained;
    ftk__log(FTK_INFO, "failed", "error=\"%s\"", reterr->message);
    ftk__manifest_failed(w->manifest, reterr);
    write_manifest(q, w, NULL);
    return st;
}

static ftk_status train_in_folder(const struct ftk__train_request *q, struct work *w,
                                  struct ftk_error *reterr)
{
    struct ftk__train_report report = { 0 };
    json_t *identity = ftk__resume_identity(w->manifest);
    ftk_status st = identity ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for a checkpoint");
    if (st >= 0)
        st = ftk__dir_still_locked(q->run_dir, *q->lock, reterr); /* data took their time */
    if (st >= 0)
        ftk__leftovers_remove(q->run_dir);
    if (st >= 0)
        st = write_start(q, w->manifest, reterr);
    if (st >= 0)
        st = train(q, w, identity, &report, reterr);
    st = write_end(q, w, st, &report, reterr);
    ftk__train_report_done(&report);
    json_decref(identity);
    return st;
}

ftk_status ftk__train_run(const struct ftk__train_request *q, struct ftk__engine *ret_engine,
                          struct ftk__dataset **ret_data, json_t **ret_manifest,
                          struct ftk_error *reterr)
{
    struct work w = { .resume = { .file = { .fd = -1 } } };
    bool began = false;
    ftk_status st = ftk__manifest_new(q->p, q->id, &w.manifest, reterr);
    if (st < 0)
        return st;
    st = get_ready(q, &w, reterr);
    if (st == FTK_OK) {
        began = true;
        st = train_in_folder(q, &w, reterr);
    }
    ftk__resume_done(&w.resume);
    if (st >= 0)
        *ret_manifest = began ? json_incref(w.manifest) : NULL;
    json_decref(w.manifest);
    if (st == FTK_OK) {
        *ret_engine = w.engine;
        *ret_data = w.data;
        return FTK_OK;
    }
    ftk__dataset_close(w.data);
    ftk__engine_close(&w.engine);
    return st;
}
