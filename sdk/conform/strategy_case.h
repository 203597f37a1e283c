/* SPDX-License-Identifier: MIT
 * conform/strategy_case.h - one question to a strategy, and its answer field by field.
 */
#ifndef FTK__STRATEGY_CASE_H
#define FTK__STRATEGY_CASE_H
#include "conform/driver.h"
#include "config/oplist.h"

/* 12 epochs of 10 steps, a step schedule. */
ftk_run ftk__strategy_run(uint32_t members, double density);
/* Operation i; `hist` NULL: nothing is known yet.  As the plugin answered, FTK_DONE included. */
ftk_status ftk__strategy_ask(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                             uint32_t i, const ftk_history *hist, const struct ftk__how *how,
                             ftk_op *ret);
void ftk__strategy_put(const ftk_op *op, uint32_t i, struct ftk__blob *ret);
#endif
