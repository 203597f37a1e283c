/* SPDX-License-Identifier: MIT
 * train/optim_builtins.h - what `optim.use` names.  All their keys are the core's.
 */
#ifndef FTK__OPTIM_BUILTINS_H
#define FTK__OPTIM_BUILTINS_H
#include "base/builtin.h"

/* NULL-terminated: sgd, adam, adamw */
extern const struct ftk__builtin *const ftk__optim_builtins[];
#endif
