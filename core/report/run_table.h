/* SPDX-License-Identifier: MIT
 * report/run_table.h - several runs in one table: a row a run, for people, Markdown or CSV.
 */
#ifndef FTK__RUN_TABLE_H
#define FTK__RUN_TABLE_H
#include "base/json.h"
#include "base/str.h"

enum ftk__table_format {
    FTK__TABLE_TEXT,            /* aligned                                      */
    FTK__TABLE_MARKDOWN,
    FTK__TABLE_CSV              /* lines end in \n; 17 digits, nothing where unknown */
};

/* `doc` is the document of `table`: {set, rows: [{run_dir, strategy, members, sparsity,
 * train_images, keep, sets: {<set>: {ensemble, diversity}}, cost, train_runs, test_passes}]}.
 * Metrics that any row has are columns, in the order of their first row; what a row lacks is "-".
 * FTK_ENOMEM or FTK_OK. */
ftk_status ftk__run_table_print(const json_t *doc, enum ftk__table_format format,
                                struct ftk__str *out);
#endif
