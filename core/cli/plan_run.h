/* SPDX-License-Identifier: MIT
 * cli/plan_run.h - the work of `plan`, which `run --dry-run` shares.
 */
#ifndef FTK__PLAN_RUN_H
#define FTK__PLAN_RUN_H
#include "base/json.h"
#include "cli/options.h"

/* Plans one file: printed to stdout, or as a document in *ret where that is not NULL.  Errors are
 * printed; an exit code. */
int ftk__plan_command(const char *file, const struct ftk__options *o, json_t **ret);
#endif
