/* SPDX-License-Identifier: MIT
 * cli/run_compare.h - the results in two run folders, byte for byte.
 */
#ifndef FTK__RUN_COMPARE_H
#define FTK__RUN_COMPARE_H
#include "base/error.h"
#include "base/str.h"

struct ftk__run_comparison {
    uint64_t files, bytes; /* that were compared                           */
    uint64_t differences;
};
/* Compares metrics.csv, metrics.jsonl, eval/report.json and all that lies below members/, preds/ and
 * trajectory/: what is a function of config, seed and ISA.  A line a difference goes to `out`. */
ftk_status ftk__runs_compare(const char *a, const char *b, struct ftk__run_comparison *ret,
                             struct ftk__str *out, struct ftk_error *reterr);
/* A folder and all in it; what cannot be removed stays. */
void ftk__remove_tree(const char *dir);
#endif
