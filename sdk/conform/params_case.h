/* SPDX-License-Identifier: MIT
 * conform/params_case.h - a parameter struct for an algorithm, as the core would fill it.
 */
#ifndef FTK__PARAMS_CASE_H
#define FTK__PARAMS_CASE_H
#include "conform/kit.h"

/* The defaults with `pair`[n] "key=value" over them, in guarded read-only memory; *ret is NULL where
 * the algorithm has no parameters.  FTK_EINVAL tells the first mistake; a required parameter that
 * was not given is one. */
ftk_status ftk__params_case(const ftk_algo *a, const char *const *pair, uint64_t n,
                            struct ftk__arena *arena, void **ret, struct ftk_error *reterr);
#endif
