/* SPDX-License-Identifier: MIT
 * sparse/budget.h - density to counts, rate to k: the one place that rounds.
 */
#ifndef FTK__BUDGET_H
#define FTK__BUDGET_H
#include "base/error.h"
#include "base/topology_options.h"
#include <stdbool.h>

/* k of `share` x nnz in double, no epsilon, rounded as asked, at most nnz. */
uint64_t ftk__budget_k(double share, uint64_t nnz, enum ftk__rounding round);
/* k of an update at `rate` where `nnz` weights are active and `room` inactive: at most `room` where
 * regrowth is forbidden; *ret_limited says whether that made it smaller. */
uint64_t ftk__budget_update(const struct ftk__topology_options *o, double rate, uint64_t nnz,
                            uint64_t room, bool *ret_limited);
/* Exact counts of layers with `density`[n_layers] over n[n_layers]: round(density x n) each, then
 * the layers with the largest remainders moved by one until the sum is round(sum density x n);
 * density 1 stays full, density 0 empty. */
ftk_status ftk__budget_counts(const double *density, const uint64_t *n, uint32_t n_layers,
                              uint64_t *ret_count, struct ftk_error *reterr);
/* Weights to keep at density d of n: round to nearest. */
uint64_t ftk__budget_keep(double density, uint64_t n);
/* Gradual pruning (Zhu and Gupta 2017, eq. 1) as a density:
 * d(t) = d1 + (d0 - d1) (1 - (t - t0) / (t1 - t0))^3, d0 before t0, d1 from t1 on.             */
double ftk__ramp_density(double d0, double d1, uint64_t t, uint64_t t0, uint64_t t1);
#endif
