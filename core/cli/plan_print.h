/* SPDX-License-Identifier: MIT
 * cli/plan_print.h - a plan for people (`plan`, plan.txt) and as the document of `plan --json`.
 */
#ifndef FTK__PLAN_PRINT_H
#define FTK__PLAN_PRINT_H
#include "base/json.h"
#include "base/str.h"
#include "train/plan.h"

void ftk__plan_print(const struct ftk__experiment *x, const struct ftk__plan *p,
                     struct ftk__str *out);
json_t *ftk__plan_json(const struct ftk__experiment *x, const struct ftk__plan *p);

/* How often the network is trained from a start: a TRAIN right after INIT, REWIND or PRUNE.  The
 * paper calls it forward passes: 1 for edst, M for dst, M + 1 for ltr. */
uint32_t ftk__train_runs(const struct ftk__oplist *ops);
#endif
