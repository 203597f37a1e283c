/* SPDX-License-Identifier: MIT
 * cli/run_report.h - what a run prints at its end: table and cost line, or one document.
 */
#ifndef FTK__RUN_REPORT_H
#define FTK__RUN_REPORT_H
#include "cli/prepare.h"

struct ftk__run_result {
    const struct ftk__prepared *p;
    const char *run_dir;
    const char *dense;          /* --dense, or NULL: looked for                 */
    const json_t *manifest;     /* finished                                     */
    json_t *sets;               /* of ftk__evaluation_report                    */
    bool before;                /* it was finished before                       */
};
/* {run_dir, status, sets, diversity, cost, train_runs, test_passes} */
ftk_status ftk__run_report_json(const struct ftk__run_result *r, json_t **ret,
                                struct ftk_error *reterr);
ftk_status ftk__run_report_print(const struct ftk__run_result *r, struct ftk__str *out,
                                 struct ftk_error *reterr);
#endif
