/* SPDX-License-Identifier: MIT
 * conform/strategy_case.h - one question to a strategy, and its answer field by field.
 */
#ifndef FTK__STRATEGY_CASE_H
#define FTK__STRATEGY_CASE_H
#include "conform/driver.h"
#include "config/oplist.h"

struct ftk__past {       /* results of operations 0..n-1                 */
    uint32_t n;          /* at most FTK__MOST_PAST                       */
    const double *value; // [n] loss of training and validation, and accuracy
};
enum { FTK__MOST_PAST = 64 };

/* 12 epochs of 10 steps, a step schedule. */
ftk_run ftk__strategy_run(uint32_t members, double density);
/* Operation i; `past` NULL: nothing is known yet.  As the plugin answered, FTK_DONE included. */
ftk_status ftk__strategy_ask(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                             uint32_t i, const struct ftk__past *past, const struct ftk__how *how,
                             ftk_op *ret);
/* All fields; of the label what comes before its end, the rest as zeros. */
void ftk__strategy_put(const ftk_op *op, uint32_t i, struct ftk__blob *ret);
/* The number of operations; fails where it does not end. */
uint32_t ftk__strategy_count(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run);
/* All of them, nothing being known; the rule's memory. */
ftk_op *ftk__strategy_list(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                           uint32_t *ret_n);
/* Fails where a field differs; `what` says of b what is new about it. */
void ftk__strategy_must_match(struct ftk__case *c, const ftk_op *a, const ftk_op *b, uint32_t i,
                              const char *what);

/* Rules of the dry run: strategy_dry.c. */
void ftk__strategy_order(struct ftk__case *c);       /* ENS-03 */
void ftk__strategy_fields(struct ftk__case *c);      /* ENS-04 */
void ftk__strategy_densities(struct ftk__case *c);   /* ENS-06 */
void ftk__strategy_independent(struct ftk__case *c); /* ENS-07 */
void ftk__strategy_slots(struct ftk__case *c);       /* ENS-08 */
/* Those of results: strategy_past.c. */
void ftk__strategy_history(struct ftk__case *c); /* ENS-05 */
/* ENS-07: no member's operation follows the results of another's. */
void ftk__strategy_own_results(struct ftk__case *c, struct ftk__subject *s, const ftk_run *run,
                               const ftk_op *list, uint32_t n);
#endif
