/* SPDX-License-Identifier: MIT
 * cli/train_run.c - what is written before, during and after a training.
 */
#include "cli/train_run.h"

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/dense_run.h"
#include "cli/evaluate.h"
#include "cli/plan_print.h"
#include "cli/progress_bar.h"
#include "cli/run_folder.h"
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

static ftk_status train(const struct ftk__train_request *q, struct ftk__engine *engine,
                        const struct ftk__dataset *data, struct ftk__train_report *ret,
                        struct ftk_error *reterr)
{
    const struct ftk__prepared *p = q->p;
    struct ftk__arena arena = { 0 };
    struct ftk__progress_bar bar;
    struct ftk__trainer trainer = {
        .x = p->x, .model = p->model, .data = data, .engine = engine, .run_dir = q->run_dir
    };
    ftk_status st = ftk__member_meta(p, q->id, &arena, &trainer.meta, &trainer.n_meta, reterr);
    if (st >= 0) {
        ftk__log(FTK_INFO, "start", "run=\"%s\" strategy=%s members=%lld images=%llu backend=%s",
                 q->run_dir, p->x->strategy.entry->algo->name, (long long)p->x->members,
                 (unsigned long long)p->info.n_train, engine->entry->algo->name);
        ftk__progress_bar_start(&bar, q->quiet);
        trainer.progress = ftk__progress_of(&bar);
        st = ftk__train(&trainer, ret, reterr);
        ftk__progress_bar_stop(&bar);
    }
    ftk__arena_done(&arena);
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

/* Everything that may be refused before the first step, while the folder is still blank: a mistake
 * must not leave an unfinished run behind. */
static ftk_status get_ready(const struct ftk__train_request *q, struct ftk__engine *engine,
                            struct ftk__dataset **data, json_t *manifest, struct ftk_error *reterr)
{
    const struct ftk__prepared *p = q->p;
    ftk_status st = check_weights(p, reterr);
    if (st >= 0)
        st = ftk__dataset_open(&p->request, data, reterr);
    if (st >= 0)
        st = ftk__manifest_data(manifest, p, *data, reterr);
    if (st >= 0)
        st = ftk__run_engine(q->p, engine, reterr);
    if (st >= 0)
        st = ftk__train_compile(p->x, p->model, 0, engine, reterr);
    if (st >= 0)
        st = ftk__manifest_backend(manifest, p, engine, reterr);
    if (st >= 0)
        st = check_dense(q, manifest, reterr);
    return st;
}

static ftk_status train_in_folder(const struct ftk__train_request *q, struct ftk__engine *engine,
                                  const struct ftk__dataset *data, json_t *manifest,
                                  struct ftk_error *reterr)
{
    struct ftk__train_report report = { 0 };
    ftk_status st = write_start(q, manifest, reterr);
    if (st >= 0)
        st = train(q, engine, data, &report, reterr);
    if (st >= 0)
        st = ftk__manifest_backend(manifest, q->p, engine, reterr); /* its kernels, as they ended */
    if (st >= 0)
        st = ftk__manifest_trained(manifest, &report, reterr);
    ftk__train_report_done(&report);
    if (st >= 0)
        st = ftk__manifest_write(q->run_dir, manifest, reterr);
    if (st >= 0)
        return st;
    ftk__log(FTK_INFO, "failed", "error=\"%s\"", reterr->message);
    ftk__manifest_failed(manifest, reterr);
    ftk__manifest_write(q->run_dir, manifest, NULL);
    return st;
}

ftk_status ftk__train_run(const struct ftk__train_request *q, struct ftk__engine *ret_engine,
                          struct ftk__dataset **ret_data, json_t **ret_manifest,
                          struct ftk_error *reterr)
{
    struct ftk__engine engine = { 0 };
    struct ftk__dataset *data = NULL;
    json_t *manifest = NULL;
    ftk_status st = ftk__manifest_new(q->p, q->id, &manifest, reterr);
    if (st < 0)
        return st;
    st = get_ready(q, &engine, &data, manifest, reterr);
    if (st >= 0)
        st = train_in_folder(q, &engine, data, manifest, reterr);
    if (st >= 0) {
        *ret_engine = engine;
        *ret_data = data;
        *ret_manifest = manifest;
        return FTK_OK;
    }
    json_decref(manifest);
    ftk__dataset_close(data);
    ftk__engine_close(&engine);
    return st;
}
