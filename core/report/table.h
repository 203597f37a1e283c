/* SPDX-License-Identifier: MIT
 * report/table.h - the table and the cost line at the end of a run.
 */
#ifndef FTK__TABLE_H
#define FTK__TABLE_H
#include "base/json.h"
#include "base/str.h"

/* A row for the ensemble, one a member, one for their mean; a column a metric, from the document of
 * `run --json` ({sets: {test: {ensemble, members, mean, diversity}}}).  Aligned text, 4 digits. */
ftk_status ftk__table_print(const json_t *report, struct ftk__str *out);

struct ftk__cost {
    const char *strategy;       /* "EDST"                                       */
    uint64_t members;
    double sparsity;            /* S; < 0 for a dense run                       */
    double theory, executed;    /* FLOPs relative to one dense run              */
    double params;              /* stored parameters relative to one dense network */
    double wall_s;              /* seconds of training                          */
    double dense_wall_s;        /* of the dense run compared with; 0: none      */
    const char *dense_run;      /* its folder, or NULL                          */
};
/* "cost  EDST M=3 S=0.8  theory 0.57x  executed 0.57x  wall 131 s (0.61x of runs/...)
 * params 0.70x", in one line. */
void ftk__cost_print(const struct ftk__cost *c, struct ftk__str *out);
json_t *ftk__cost_json(const struct ftk__cost *c);
#endif
