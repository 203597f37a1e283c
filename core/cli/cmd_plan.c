/* SPDX-License-Identifier: MIT
 * cli/cmd_plan.c - `freetickets plan CFG`: what a run would do and cost; touches nothing.
 */
#include "cli/commands.h"
#include "cli/compare_paper.h"
#include "cli/plan_print.h"
#include "cli/plan_run.h"
#include "cli/prepare.h"
#include <string.h>

int ftk__plan_command(const char *file, const struct ftk__options *o, json_t **ret)
{
    struct ftk__prepared p;
    struct ftk__plan plan;
    struct ftk__str text = { 0 };
    struct ftk_error err;
    int code = ftk__prepare_or_print(file, o, &p);
    if (code)
        return code;
    if (ftk__plan_make(p.x, p.model, p.info.n_train, p.info.n_test, &plan, &err) < 0) {
        ftk__error_context(&err, "from %s", file);
        ftk__prepared_done(&p);
        return ftk__cli_fail(&err);
    }
    if (ret) {
        *ret = ftk__plan_json(p.x, &plan);
        if (!*ret) {
            ftk__fail(&err, FTK_ENOMEM, "no memory for the plan of %s", file);
            code = ftk__cli_fail(&err);
        }
    } else {
        ftk__plan_print(p.x, &plan, &text);
        code = ftk__cli_print(&text);
    }
    ftk__plan_done(&plan);
    ftk__prepared_done(&p);
    return code;
}

/* One CFG, or `--compare paper` alone. */
static ftk_status check_usage(const struct ftk__options *o, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    if (!o->compare && o->n_args == 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "plan needs CFG");
    else if (o->compare && strcmp(o->compare, "paper") != 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "--compare knows paper, not '%s'",
                            o->compare);
    else if (o->compare && o->n_args > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                            "plan --compare takes no CFG: '%s' is one argument too many",
                            o->args[0]);
    else if (o->compare && o->n_set > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                            "plan --compare takes no overrides: '%s' is one too many", o->set[0]);
    if (st < 0)
        ftk__error_context(reterr, "see: freetickets plan --help");
    return st;
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    json_t *doc = NULL;
    json_t **ret = o->json ? &doc : NULL;
    if (check_usage(o, &err) < 0)
        return ftk__cli_fail(&err);
    int code = o->compare ? ftk__compare_paper(ret) : ftk__plan_command(o->args[0], o, ret);
    if (doc && ftk__json_print(stdout, doc, &err) < 0)
        code = ftk__cli_fail(&err);
    json_decref(doc);
    return code;
}

const struct ftk__command ftk__command_plan = {
    .name = "plan",
    .args = "[CFG]",
    .summary = "Prints the operations, layers and cost of an experiment",
    .details = "Nothing is trained and nothing written; the data of named sets need not be there.",
    .takes = FTK__OPT_SET | FTK__OPT_JSON | FTK__OPT_COMPARE,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
