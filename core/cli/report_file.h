/* SPDX-License-Identifier: MIT
 * cli/report_file.h - eval/report.json of a run: {"sets": {set: metrics}}.
 */
#ifndef FTK__REPORT_FILE_H
#define FTK__REPORT_FILE_H
#include "base/error.h"
#include "base/json.h"

/* Writes `sets` and what else the old one had.  One that cannot be read is made anew. */
ftk_status ftk__report_write(const char *run_dir, const json_t *sets, struct ftk_error *reterr);
/* Removes what was measured on a set: its predictions are about to be others. */
ftk_status ftk__report_forget(const char *run_dir, const char *set, struct ftk_error *reterr);
#endif
