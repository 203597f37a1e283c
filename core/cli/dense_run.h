/* SPDX-License-Identifier: MIT
 * cli/dense_run.h - the dense run whose seconds a run's are compared with.
 *
 * Comparable is a finished `dense` run of one member and one length with the same data, model,
 * epochs, batch, backend, threads, precision, ISA and host.
 */
#ifndef FTK__DENSE_RUN_H
#define FTK__DENSE_RUN_H
#include "base/json.h"
#include "base/str.h"
#include "report/table.h"

/* FTK_EINVAL says what makes it incomparable.  Until training the ISA is not known: passed over. */
ftk_status ftk__dense_check(const json_t *ours, const json_t *theirs, struct ftk_error *reterr);

/* The first comparable run under `output`, by name, other than `own`; of the same seed if there is
 * one.  *ret_dir is NULL where there is none, else freed by ftk__free.  False without memory. */
bool ftk__dense_find(const char *output, const char *own, const json_t *ours, char **ret_dir,
                     double *ret_wall_s);

/* The cost of the finished run in `own` beside the dense run `dense`, which has to be comparable;
 * where that is NULL beside the one found under `output`; where that is NULL too, alone.  `ret`
 * borrows from `ours`, `dense` and *ret_dir, which is the caller's to free. */
ftk_status ftk__dense_cost(const char *output, const char *own, const char *dense,
                           const json_t *ours, struct ftk__cost *ret, char **ret_dir,
                           struct ftk_error *reterr);
#endif
