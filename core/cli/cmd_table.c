/* SPDX-License-Identifier: MIT
 * cli/cmd_table.c - `freetickets table RUN...`: results and cost of finished runs, a row each.
 */
#include "cli/commands.h"
#include "cli/run_rows.h"
#include "report/run_table.h"
#include <string.h>

struct form {
    bool json;
    enum ftk__table_format format; /* unless json */
};

static ftk_status form_of(const struct ftk__options *o, struct form *ret, struct ftk_error *reterr)
{
    *ret = (struct form){ .json = o->json, .format = FTK__TABLE_TEXT };
    if (!o->format)
        return FTK_OK;
    if (strcmp(o->format, "json") == 0) {
        ret->json = true;
        return FTK_OK;
    }
    if (strcmp(o->format, "md") == 0)
        ret->format = FTK__TABLE_MARKDOWN;
    else if (strcmp(o->format, "csv") == 0)
        ret->format = FTK__TABLE_CSV;
    else
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "--format knows md, csv and json, not '%s'", o->format);
    if (o->json)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "--json and --format %s exclude each other", o->format);
    return FTK_OK;
}

static ftk_status collect(const struct ftk__options *o, json_t **ret, struct ftk_error *reterr)
{
    json_t *rows = json_array();
    json_t *doc = json_pack("{s:s, s:O}", "set", "test", "rows", rows);
    ftk_status st = doc ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for the table");
    for (int i = 0; i < o->n_args && st >= 0; i++)
        st = ftk__run_rows_add(rows, o->args[i], o->dense, reterr);
    json_decref(rows);
    if (st < 0)
        json_decref(doc);
    else
        *ret = doc;
    return st;
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    struct form form;
    struct ftk__str text = { 0 };
    json_t *doc = NULL;
    ftk_status st = form_of(o, &form, &err);
    if (st < 0)
        ftk__error_context(&err, "see: freetickets table --help");
    else
        st = collect(o, &doc, &err);
    if (st >= 0 && form.json)
        st = ftk__json_print(stdout, doc, &err);
    else if (st >= 0 && ftk__run_table_print(doc, form.format, &text) < 0)
        st = ftk__fail(&err, FTK_ENOMEM, "no memory for the table");
    json_decref(doc);
    if (st >= 0)
        return ftk__cli_print(&text);
    ftk__str_done(&text);
    return ftk__cli_fail(&err);
}

const struct ftk__command ftk__command_table = {
    .name = "table",
    .args = "RUN...",
    .summary = "Prints results and cost of finished runs, a row each",
    .details =
        "RUN is the folder of a run, or the one above, which gives a row a seed.  Metrics are\n"
        "those of the ensemble on the test set.",
    .takes = FTK__OPT_FORMAT | FTK__OPT_DENSE | FTK__OPT_JSON,
    .min_args = 1,
    .max_args = 10000,
    .run = run,
};
