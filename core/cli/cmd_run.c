/* SPDX-License-Identifier: MIT
 * cli/cmd_run.c - `freetickets run CFG...`: trains and evaluates each in turn.
 */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/evaluate.h"
#include "cli/plan_run.h"
#include "cli/run_folder.h"
#include "cli/run_report.h"
#include "cli/train_run.h"

/* Predictions that a finished run lacks need its data and a backend again. */
static ftk_status complete(struct ftk__prepared *p, const char *run_dir, struct ftk_error *reterr)
{
    struct ftk__engine engine = { 0 };
    struct ftk__dataset *data = NULL;
    bool all;
    ftk_status st = ftk__evaluated(p, run_dir, &all, reterr);
    if (st < 0 || all)
        return st;
    st = ftk__log_open(run_dir, reterr);
    if (st >= 0)
        st = ftk__dataset_open(&p->request, &data, reterr);
    if (st >= 0)
        st = ftk__run_engine(p, &engine, reterr);
    if (st >= 0)
        st = ftk__train_compile(p->x, p->model, 0, &engine, reterr);
    if (st >= 0)
        st = ftk__evaluate(p, run_dir, &engine, data, reterr);
    ftk__engine_close(&engine);
    ftk__dataset_close(data);
    return st;
}

static ftk_status train_and_predict(struct ftk__prepared *p, const struct ftk__identity *id,
                                    const struct ftk__options *o, struct ftk__run_folder *f,
                                    struct ftk_error *reterr)
{
    struct ftk__engine engine;
    struct ftk__dataset *data;
    const struct ftk__train_request q = {
        .p = p, .id = id, .run_dir = f->dir, .dense = o->dense, .quiet = o->quiet
    };
    ftk_status st = ftk__train_run(&q, &engine, &data, &f->manifest, reterr);
    if (st < 0)
        return st;
    st = ftk__evaluate(p, f->dir, &engine, data, reterr);
    ftk__engine_close(&engine);
    ftk__dataset_close(data);
    return st;
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
static int run_prepared(struct ftk__prepared *p, const struct ftk__options *o, json_t **ret)
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
        st = complete(p, folder.dir, &err);
    else if (st >= 0)
        st = train_and_predict(p, &id, o, &folder, &err);
    if (st >= 0)
        st = report(p, o, &folder, ret, &err);
    ftk__log_close();
    if (st < 0) {
        ftk__error_context(&err, "from %s", p->x->file);
        code = ftk__cli_fail(&err);
        fputs(differences.text ? differences.text : "", stderr);
    }
    ftk__str_done(&differences);
    ftk__run_folder_close(&folder);
    ftk__identity_done(&id);
    return code;
}

static int run_file(const char *file, const struct ftk__options *o, json_t **ret)
{
    struct ftk__prepared p;
    if (o->dry_run)
        return ftk__plan_command(file, o, ret);
    int code = ftk__prepare_or_print(file, o, &p);
    if (code)
        return code;
    code = run_prepared(&p, o, ret);
    ftk__prepared_done(&p);
    return code;
}

/* The documents of several runs are one: a list. */
static int run_json(const struct ftk__options *o)
{
    struct ftk_error err;
    json_t *list = json_array();
    int code = FTK__EXIT_OK;
    for (int i = 0; i < o->n_args && !code; i++) {
        json_t *doc = NULL;
        code = run_file(o->args[i], o, &doc);
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

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    int code = FTK__EXIT_OK;
    if (o->out && o->n_args > 1) {
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE,
                       "--out is the folder of one run, but %d files are given", o->n_args);
        return ftk__cli_fail(&err);
    }
    if (o->out && o->out[0] == 0) {
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE, "--out \"\" names no folder");
        return ftk__cli_fail(&err);
    }
    if (o->n_args > 1)
        code = check_all(o);
    if (code)
        return code;
    if (o->json)
        return run_json(o);
    for (int i = 0; i < o->n_args && !code; i++) {
        if (i > 0)
            printf("\n");
        code = run_file(o->args[i], o, NULL);
        fflush(stdout); /* before hours of the next one */
    }
    return code;
}

const struct ftk__command ftk__command_run = {
    .name = "run",
    .args = "CFG...",
    .summary = "Trains and evaluates experiments, each in turn",
    .details = "The results of a run lie in <output>/<name>-<hash>/seed-<n>.  A run that is\n"
               "finished is not trained again; predictions and metrics that it lacks are added.",
    .takes = FTK__OPT_SET | FTK__OPT_OUT | FTK__OPT_NEW | FTK__OPT_DRY_RUN | FTK__OPT_DENSE |
             FTK__OPT_JSON | FTK__OPT_QUIET | FTK__OPT_VERBOSE,
    .min_args = 1,
    .max_args = 10000,
    .run = run,
};
