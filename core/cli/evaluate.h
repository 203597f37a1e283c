/* SPDX-License-Identifier: MIT
 * cli/evaluate.h - the members of a run on the sets of `eval.on`: cached logits, eval/report.json.
 */
#ifndef FTK__EVALUATE_H
#define FTK__EVALUATE_H
#include "cli/prepare.h"
#include "plugin/engine.h"

/* Opens the backend that the experiment names. */
ftk_status ftk__run_engine(struct ftk__prepared *p, struct ftk__engine *ret,
                           struct ftk_error *reterr);

/* Whether every set's predictions are in the run's folder, and of the data as they are now.  Where
 * those cannot be read the predictions stay as they are, with a warning. */
ftk_status ftk__evaluated(const struct ftk__prepared *p, const char *run_dir, bool *ret,
                          struct ftk_error *reterr);
/* Writes the predictions that are missing or of other data: of each set of `eval.on`, and of the
 * validation split where there is one.  What was measured on such other data is removed from
 * eval/report.json.  `e` is compiled for the model.  FTK_DONE: stopped as asked, after some. */
ftk_status ftk__evaluate(const struct ftk__prepared *p, const char *run_dir,
                         struct ftk__engine *e, const struct ftk__dataset *d,
                         struct ftk_error *reterr);
/* Metrics of the cached predictions under every protocol asked for: {set: {ensemble, members, mean,
 * diversity}}.  What eval/report.json held before and is not measured anew stays in it. */
ftk_status ftk__evaluation_report(struct ftk__prepared *p, const char *run_dir, json_t **ret_sets,
                                  struct ftk_error *reterr);
#endif
