/* SPDX-License-Identifier: MIT
 * cli/run_rows.h - finished runs as the rows of `table`.
 */
#ifndef FTK__RUN_ROWS_H
#define FTK__RUN_ROWS_H
#include "base/error.h"
#include "base/json.h"

/* Appends a row for the run in the folder `run`, or where that holds none, for each seed-<n> in it,
 * ascending.  Only run.json and eval/report.json are read.  A row is the document of `run --json`
 * with name, seed, strategy, members, sparsity (null: dense), train_images, keep; of the sets
 * "test" alone.  `dense` as in ftk__dense_cost; NULL looks for one beside the run's experiment.
 *
 * Refused, with the folder: none there, no run in it, one that is unfinished, one without results
 * on test (66); files that are not what `run` writes (65). */
ftk_status ftk__run_rows_add(json_t *rows, const char *run, const char *dense,
                             struct ftk_error *reterr);
#endif
