/* SPDX-License-Identifier: MIT
 * cli/flops_print.h - the ledger of a plan or a run, by operation and by layer, for people and as
 * the object `flops` of documents.
 */
#ifndef FTK__FLOPS_PRINT_H
#define FTK__FLOPS_PRINT_H
#include "base/json.h"
#include "base/str.h"
#include "train/ledger.h"

/* Operations without a step are left out. */
void ftk__flops_print(const struct ftk__ledger *l, const struct ftk__oplist *ops, bool approximate,
                      struct ftk__str *out);
/* {train, train_relative, by_operation: [{op, label, train, steps, dense_gradient_steps, ...}],
 * by_layer: [{name, train, share}]}, with `executed` beside each `train` if asked for.  NULL
 * without memory. */
json_t *ftk__flops_json(const struct ftk__ledger *l, const struct ftk__oplist *ops,
                        double dense_run, bool executed);
/* part / whole, null where there is no whole. */
json_t *ftk__relative_json(double part, double whole);
/* "0.571x of a dense run", where there is one to divide by; ends the line. */
void ftk__relative_print(double part, double whole, const char *of, struct ftk__str *out);
#endif
