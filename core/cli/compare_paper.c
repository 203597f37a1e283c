/* SPDX-License-Identifier: MIT
 * cli/compare_paper.c - the rows' experiments, made ready and counted.
 */
#include "cli/compare_paper.h"

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "train/paper_flops.h"
#include <string.h>

ftk_status ftk__compare_row(const struct ftk__paper_row *row, struct ftk__paper_count *ret,
                            struct ftk_error *reterr)
{
    const struct ftk__options none = { 0 };
    struct ftk__issues issues = { 0 };
    struct ftk__prepared p = { 0 };
    struct ftk__str text = { 0 };
    ftk_status st = FTK_OK;
    ftk__paper_config(row, &text);
    if (text.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the experiment %s", row->method);
    if (st >= 0)
        st = ftk__prepare_text("paper.cfg", text.text, &none, &issues, &p, reterr);
    if (st >= 0)
        st = ftk__paper_count(row, p.x, p.model, p.info.n_train, ret, reterr);
    if (st < 0)
        ftk__error_context(reterr, "in the paper's table %s, %s", row->table, row->method);
    for (uint64_t i = 0; i < issues.n; i++)
        ftk__error_context(reterr, "%s: %s", issues.v[i].path, issues.v[i].message);
    ftk__issues_done(&issues);
    ftk__prepared_done(&p);
    ftk__str_done(&text);
    return st;
}

static void print_row(const struct ftk__paper_row *row, const struct ftk__paper_count *c,
                      struct ftk__str *out)
{
    char counted[16];
    char rounded[16] = "-";
    ftk__format(counted, sizeof(counted), "%s%.2fx", c->approximate ? "~" : "", c->counted);
    if (c->rounded > 0)
        ftk__format(rounded, sizeof(rounded), "%.2fx", c->rounded);
    ftk__str_addf(out, "  %-12s  %-16s  %8s  %17s  %.2fx\n", row->table, row->method, counted,
                  rounded, row->printed);
}

static const char notes[] =
    "counted           every training step by RigL's counting, dense gradients of updates\n"
    "                  included, over one dense run (250 epochs on CIFAR, 150 on ImageNet)\n"
    "rounded fraction  epochs times the paper's 33.7 %, 16.7 % or 42 % of a dense pass\n"
    "LTR               the paper leaves the pruning schedule open: ours prunes from epoch 40\n"
    "                  to 200 of 250 over the network; ~ takes equal densities after a cut\n"
    "ResNet-50         conv1 counts its 112x112 outputs; with the 115x115 of RigL's counter\n"
    "                  all rows print the same\n";

static void print_table(const struct ftk__paper_count *count, struct ftk__str *out)
{
    ftk__str_addf(out, "training FLOPs\n  %-12s  %-16s  %8s  %17s  paper\n", "table", "method",
                  "counted", "rounded fraction");
    for (uint32_t i = 0; i < ftk__paper_n_rows; i++) {
        const struct ftk__paper_row *row = &ftk__paper_rows[i];
        if (i > 0 && strcmp(row->table, row[-1].table) != 0)
            ftk__str_add(out, "\n");
        print_row(row, &count[i], out);
    }
    ftk__str_addf(out,
                  "\none dense run     %.3g FLOPs on CIFAR-10, %.3g on ImageNet "
                  "(paper: 3.6e17, 4.8e18)\n",
                  count[0].dense_run, count[ftk__paper_n_rows - 1].dense_run);
    ftk__str_add(out, notes);
}

static json_t *row_json(const struct ftk__paper_row *row, const struct ftk__paper_count *c)
{
    return json_pack("{s:s, s:s, s:f, s:o, s:f, s:f, s:b}", "table", row->table, "method",
                     row->method, "counted", c->counted, "rounded_fraction",
                     c->rounded > 0 ? json_real(c->rounded) : json_null(), "paper", row->printed,
                     "flops_dense_run", c->dense_run, "approximate", c->approximate);
}

static json_t *table_json(const struct ftk__paper_count *count)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; rows && i < ftk__paper_n_rows; i++) {
        if (json_array_append_new(rows, row_json(&ftk__paper_rows[i], &count[i])) == 0)
            continue;
        json_decref(rows);
        rows = NULL;
    }
    return rows ? json_pack("{s:o}", "rows", rows) : NULL;
}

int ftk__compare_paper(json_t **ret)
{
    struct ftk_error err;
    struct ftk__str text = { 0 };
    struct ftk__paper_count *count = ftk__alloc_array(ftk__paper_n_rows, sizeof(*count));
    ftk_status st = FTK_OK;
    if (!count)
        st = ftk__fail(&err, FTK_ENOMEM, "no memory for %u rows", ftk__paper_n_rows);
    for (uint32_t i = 0; st >= 0 && i < ftk__paper_n_rows; i++)
        st = ftk__compare_row(&ftk__paper_rows[i], &count[i], &err);
    if (st >= 0 && ret) {
        *ret = table_json(count);
        if (!*ret)
            st = ftk__fail(&err, FTK_ENOMEM, "no memory for the table");
    } else if (st >= 0) {
        print_table(count, &text);
    }
    ftk__free(count);
    return st < 0 ? ftk__cli_fail(&err) : ftk__cli_print(&text);
}
