/* SPDX-License-Identifier: MIT
 * cli/cmd_run.c - `freetickets run CFG...`: trains and evaluates each in turn.
 */
#include "base/io.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/evaluate.h"
#include "cli/leftovers.h"
#include "cli/plan_run.h"
#include "cli/run_folder.h"
#include "cli/run_report.h"
#include "cli/stop_signal.h"
#include "cli/time_span.h"
#include "cli/train_run.h"
#include "cli/verify_resume.h"
#include "train/saved.h"

/* Members may have been removed to save space, or replaced: what was predicted is still good, or is
 * predicted anew.  But it is not what the run ended with, so it is said. */
static ftk_status note_members(const struct ftk__run_folder *f, struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    ftk_status st = ftk__saved_check(json_object_get(f->manifest, "saved"), f->dir, &err);
    if (st == FTK_ENOENT || st == FTK_EINVAL) {
        ftk__log(FTK_WARN, "members", "what=\"%s\"", err.message);
        return FTK_OK;
    }
    if (st < 0)
        *reterr = err;
    return st;
}

/* Predictions that a finished run lacks need its data and a backend again. */
static ftk_status complete(struct ftk__prepared *p, const struct ftk__run_folder *f,
                           struct ftk_error *reterr)
{
    const char *run_dir = f->dir;
    struct ftk__engine engine = { 0 };
    struct ftk__dataset *data = NULL;
    bool all;
    ftk_status st = note_members(f, reterr);
    if (st < 0)
        return st;
    ftk__leftovers_remove(run_dir);
    st = ftk__evaluated(p, run_dir, &all, reterr);
    if (st < 0 || all)
        return st;
    st = ftk__log_open(run_dir, reterr);
    if (st >= 0)
        st = ftk__dataset_open(&p->request, &data, reterr);
    if (st >= 0 && ftk__stop_asked())
        st = FTK_DONE;
    if (st == FTK_OK)
        st = ftk__run_engine(p, &engine, reterr);
    if (st == FTK_OK)
        st = ftk__train_compile(p->x, p->model, 0, &engine, reterr);
    if (st == FTK_OK)
        st = ftk__evaluate(p, run_dir, &engine, data, reterr);
    ftk__engine_close(&engine);
    ftk__dataset_close(data);
    return st;
}

static ftk_status train_and_predict(struct ftk__prepared *p, const struct ftk__identity *id,
                                    const struct ftk__options *o, double checkpoint_s,
                                    struct ftk__run_folder *f, struct ftk_error *reterr)
{
    struct ftk__engine engine;
    struct ftk__dataset *data;
    json_t *manifest = NULL;
    const struct ftk__train_request q = { .p = p,
                                          .id = id,
                                          .run_dir = f->dir,
                                          .lock = &f->lock,
                                          .before = f->manifest,
                                          .dense = o->dense,
                                          .checkpoint_s = checkpoint_s,
                                          .quiet = o->quiet };
    ftk_status st = ftk__train_run(&q, &engine, &data, &manifest, reterr);
    if (manifest) {
        json_decref(f->manifest);
        f->manifest = manifest;
    }
    if (st != FTK_OK)
        return st;
    st = ftk__dir_still_locked(f->dir, f->lock, reterr);
    if (st >= 0)
        st = ftk__evaluate(p, f->dir, &engine, data, reterr);
    ftk__engine_close(&engine);
    ftk__dataset_close(data);
    return st;
}

/* A run that was stopped tells how far it came, and how it goes on. */
static int tell_stopped(const struct ftk__prepared *p, const struct ftk__options *o,
                        const struct ftk__run_folder *f)
{
    const json_t *stopped = json_object_get(f->manifest, "stopped");
    char where[96] = "before the first step";
    if (stopped)
        ftk__format(where, sizeof(where), "after step %lld of %llu",
                    (long long)json_integer_value(json_object_get(stopped, "step")),
                    (unsigned long long)p->ops.total_steps);
    else if (ftk__manifest_finished(f->manifest))
        ftk__format(where, sizeof(where), "after the training, before all was predicted");
    ftk__log(FTK_INFO, "stopped", "why=%s where=\"%s\"", ftk__stop_reason(), where);
    fflush(stdout);
    fprintf(stderr, "%s: stopped by %s %s; the same command%s continues it\n", f->dir,
            ftk__stop_reason(), where, o->fresh ? " without --new" : "");
    return FTK__EXIT_STOPPED;
}

/* Prints the results, or puts them into *ret where that is not NULL. */
static ftk_status report(struct ftk__prepared *p, const struct ftk__options *o,
                         const struct ftk__run_folder *f, json_t **ret, struct ftk_error *reterr)
{
    struct ftk__str text = { 0 };
    struct ftk__run_result r = {
        .p = p, .run_dir = f->dir, .dense = o->dense, .manifest = f->manifest, .before = f->finished
    };
    ftk_status st = ftk__evaluation_report(p, f->dir, &r.sets, reterr);
    if (st < 0)
        return st;
    if (ret)
        st = ftk__run_report_json(&r, ret, reterr);
    else
        st = ftk__run_report_print(&r, &text, reterr);
    if (st >= 0 && text.text)
        fputs(text.text, stdout);
    ftk__str_done(&text);
    json_decref(r.sets);
    return st;
}

/* A prepared experiment from its folder to its table. */
static int run_prepared(struct ftk__prepared *p, const struct ftk__options *o, double checkpoint_s,
                        json_t **ret)
{
    struct ftk__identity id = { 0 };
    struct ftk__run_folder folder = { .lock = -1 };
    struct ftk__str differences = { 0 };
    struct ftk_error err = { 0 };
    int code = FTK__EXIT_OK;
    ftk_status st = ftk__identity_make(p->x, &id, &err);
    if (st >= 0)
        st = ftk__run_folder_open(p->x, &id, o, &folder, &differences, &err);
    if (st >= 0 && folder.finished)
        st = complete(p, &folder, &err);
    else if (st >= 0)
        st = train_and_predict(p, &id, o, checkpoint_s, &folder, &err);
    if (st == FTK_DONE)
        code = tell_stopped(p, o, &folder);
    else if (st >= 0)
        st = report(p, o, &folder, ret, &err);
    ftk__log_close();
    if (st < 0) {
        ftk__error_context(&err, "from %s", p->x->file);
        code = ftk__cli_fail(&err);
        fputs(differences.text ? differences.text : "", stderr);
        if (code == FTK__EXIT_IO && folder.lock >= 0)
            fputs("  the same command continues the run once that is mended\n", stderr);
    }
    ftk__str_done(&differences);
    ftk__run_folder_close(&folder);
    ftk__identity_done(&id);
    return code;
}

/* What the options that take a number come to. */
struct asked {
    double max_s;        /* --max-time; below 0: none */
    double checkpoint_s; /* --checkpoint-every; below 0: as train/ chooses */
    uint64_t verify;     /* --verify-resume; 0: not asked for */
};

static int run_file(const char *file, const struct ftk__options *o, const struct asked *a,
                    json_t **ret)
{
    struct ftk__prepared p;
    if (o->dry_run)
        return ftk__plan_command(file, o, ret);
    int code = ftk__prepare_or_print(file, o, &p);
    if (code)
        return code;
    code = a->verify ? ftk__verify_resume(&p, o, a->verify)
                     : run_prepared(&p, o, a->checkpoint_s, ret);
    ftk__prepared_done(&p);
    return code;
}

/* The documents of several runs are one: a list. */
static int run_json(const struct ftk__options *o, const struct asked *a)
{
    struct ftk_error err;
    json_t *list = json_array();
    int code = FTK__EXIT_OK;
    for (int i = 0; i < o->n_args && !code; i++) {
        json_t *doc = NULL;
        code = run_file(o->args[i], o, a, &doc);
        if (doc && json_array_append_new(list, doc) != 0) {
            ftk__fail(&err, FTK_ENOMEM, "no memory for the report");
            code = ftk__cli_fail(&err);
        }
    }
    const json_t *all = o->n_args == 1 ? json_array_get(list, 0) : list;
    if (all && ftk__json_print(stdout, all, &err) < 0)
        code = ftk__cli_fail(&err);
    json_decref(list);
    return code;
}

/* A mistake in the last file is told before days of training by the first. */
static int check_all(const struct ftk__options *o)
{
    int code = FTK__EXIT_OK;
    for (int i = 0; i < o->n_args && !code; i++) {
        struct ftk__prepared p;
        code = ftk__prepare_or_print(o->args[i], o, &p);
        if (!code)
            ftk__prepared_done(&p);
    }
    return code;
}

static ftk_status usage(struct ftk_error *reterr, const char *message)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s", message);
}

/* Options that do not fit each other, and the numbers in them. */
static ftk_status read_options(const struct ftk__options *o, struct asked *ret,
                               struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    *ret = (struct asked){ .max_s = -1, .checkpoint_s = -1 };
    if (o->out && o->n_args > 1)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "--out is the folder of one run, but %d files are given", o->n_args);
    if (o->out && o->out[0] == 0)
        return usage(reterr, "--out \"\" names no folder");
    if (o->max_time)
        st = ftk__time_span_parse("--max-time", o->max_time, &ret->max_s, reterr);
    if (st >= 0 && o->checkpoint_every)
        st = ftk__time_span_parse("--checkpoint-every", o->checkpoint_every, &ret->checkpoint_s,
                                  reterr);
    if (st < 0 || !o->verify_resume)
        return st;
    if (!ftk__parse_u64(o->verify_resume, &ret->verify) || ret->verify < 1 || ret->verify > 1000)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "--verify-resume %s is no number of interruptions, 1 to 1000",
                              o->verify_resume);
    if (o->n_args > 1)
        return usage(reterr, "--verify-resume takes one CFG");
    if (o->fresh || o->json || o->max_time || o->dry_run)
        return usage(reterr, "--verify-resume goes with none of --new, --json, --max-time and "
                             "--dry-run");
    return FTK_OK;
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    struct asked a;
    ftk_status st = read_options(o, &a, &err);
    if (st >= 0 && !o->dry_run)
        st = ftk__stop_setup(a.max_s, &err);
    if (st < 0)
        return ftk__cli_fail(&err);
    int code = o->n_args > 1 ? check_all(o) : FTK__EXIT_OK;
    if (code)
        return code;
    if (o->json)
        return run_json(o, &a);
    for (int i = 0; i < o->n_args && !code; i++) {
        if (i > 0)
            printf("\n");
        code = run_file(o->args[i], o, &a, NULL);
        fflush(stdout); /* before hours of the next one */
    }
    return code;
}

const struct ftk__command ftk__command_run = {
    .name = "run",
    .args = "CFG...",
    .summary = "Trains and evaluates experiments, each in turn",
    .details = "The results of a run lie in <output>/<name>-<hash>/seed-<n>.  A run that was\n"
               "interrupted goes on from its last checkpoint, to the same bytes.  One that is\n"
               "finished is not trained again; predictions and metrics that it lacks are added.",
    .takes = FTK__OPT_SET | FTK__OPT_OUT | FTK__OPT_NEW | FTK__OPT_DRY_RUN | FTK__OPT_DENSE |
             FTK__OPT_MAX_TIME | FTK__OPT_CHECKPOINT | FTK__OPT_VERIFY | FTK__OPT_JSON |
             FTK__OPT_QUIET | FTK__OPT_VERBOSE,
    .min_args = 1,
    .max_args = 10000,
    .run = run,
};
