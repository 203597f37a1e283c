/* SPDX-License-Identifier: MIT
 * plugin/builtin_algo.h - a built-in dressed as a plugin's algorithm, so that one code resolves,
 * lists and describes both.
 */
#ifndef FTK__BUILTIN_ALGO_H
#define FTK__BUILTIN_ALGO_H
#include "base/builtin.h"
#include "plugin/registry.h"

/* Points into `b`; no ops.  False where the group is no kind. */
bool ftk__builtin_algo(const struct ftk__builtin *b, ftk_algo *ret);
#endif
