/* SPDX-License-Identifier: MIT
 * cli/run_report.c - results and cost of a finished run.
 */
#include "cli/run_report.h"

#include "cli/dense_run.h"
#include "cli/json_text.h"
#include "cli/plan_print.h"

/* *ret_dir is the caller's to free. */
static ftk_status cost_of(const struct ftk__run_result *r, struct ftk__cost *ret, char **ret_dir,
                          struct ftk_error *reterr)
{
    return ftk__dense_cost(r->p->x->output, r->run_dir, r->dense, r->manifest, ret, ret_dir,
                           reterr);
}

ftk_status ftk__run_report_json(const struct ftk__run_result *r, json_t **ret,
                                struct ftk_error *reterr)
{
    struct ftk__cost cost;
    char *dir;
    ftk_status st = cost_of(r, &cost, &dir, reterr);
    if (st < 0)
        return st;
    /* Of the first set: the one that the table begins with. */
    json_t *first = json_object_iter_value(json_object_iter(r->sets));
    json_t *diversity = json_incref(json_object_get(first, "diversity"));
    json_t *doc = json_pack(
        "{s:o, s:s, s:O, s:o, s:o, s:I, s:I, s:O?}", "run_dir", ftk__json_text(r->run_dir),
        "status", "finished", "sets", r->sets, "diversity", diversity ? diversity : json_object(),
        "cost", ftk__cost_json(&cost), "train_runs", (json_int_t)ftk__train_runs(&r->p->ops),
        "test_passes", (json_int_t)r->p->x->members, "checkpoints",
        json_object_get(r->manifest, "checkpoints"));
    ftk__free(dir);
    if (!doc)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
    *ret = doc;
    return FTK_OK;
}

/* What they took of the run's time, all its processes together. */
static void print_checkpoints(const json_t *manifest, struct ftk__str *out)
{
    static const char *const parts[] = { "wall_s", "data_s", "eval_s", "file_s" };
    const json_t *c = json_object_get(manifest, "checkpoints");
    const json_t *train = json_object_get(manifest, "train");
    json_int_t count = json_integer_value(json_object_get(c, "count"));
    double bytes = (double)json_integer_value(json_object_get(c, "bytes_last"));
    double seconds = json_number_value(json_object_get(c, "seconds"));
    double all = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        all += json_number_value(json_object_get(train, parts[i]));
    ftk__str_addf(out, "checkpoints %lld  the last ", (long long)count);
    if (bytes < 1e6)
        ftk__str_addf(out, "%.1f KB", bytes / 1e3);
    else
        ftk__str_addf(out, "%.1f MB", bytes / 1e6);
    ftk__str_addf(out, "  %.3g s in all, %.2g %% of the run\n", seconds,
                  all > 0 ? 100 * seconds / all : 0);
}

ftk_status ftk__run_report_print(const struct ftk__run_result *r, struct ftk__str *out,
                                 struct ftk_error *reterr)
{
    struct ftk__cost cost;
    char *dir;
    const struct ftk__experiment *x = r->p->x;
    bool best = x->keep == FTK__KEEP_BEST_VALIDATION;
    ftk_status st = cost_of(r, &cost, &dir, reterr);
    if (st < 0)
        return st;
    json_t *report = json_pack("{s:O}", "sets", r->sets);
    ftk__str_addf(out, "run   %s%s\n", r->run_dir, r->before ? " (finished before)" : "");
    ftk__str_addf(out, "      trained on %llu images, members are the %s of their training\n\n",
                  (unsigned long long)r->p->info.n_train,
                  best ? "best state on the validation split" : "last state");
    if (!report || ftk__table_print(report, out) < 0)
        out->failed = true;
    ftk__str_addf(out, "\ntrain runs %u  test passes %lld\n", ftk__train_runs(&r->p->ops),
                  (long long)x->members);
    ftk__cost_print(&cost, out);
    print_checkpoints(r->manifest, out);
    json_decref(report);
    ftk__free(dir);
    return out->failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the report") : FTK_OK;
}
