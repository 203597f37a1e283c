/* SPDX-License-Identifier: MIT
 * cli/cmd_plan.c - `freetickets plan CFG`: what a run would do and cost; touches nothing.
 */
#include "cli/commands.h"
#include "cli/plan_print.h"
#include "cli/plan_run.h"
#include "cli/prepare.h"

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

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    json_t *doc = NULL;
    int code = ftk__plan_command(o->args[0], o, o->json ? &doc : NULL);
    if (doc && ftk__json_print(stdout, doc, &err) < 0)
        code = ftk__cli_fail(&err);
    json_decref(doc);
    return code;
}

const struct ftk__command ftk__command_plan = {
    .name = "plan",
    .args = "CFG",
    .summary = "Prints the operations, layers and cost of an experiment",
    .details = "Nothing is trained and nothing written; the data of named sets need not be there.",
    .takes = FTK__OPT_SET | FTK__OPT_JSON,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
