/* SPDX-License-Identifier: MIT
 * plugin/load_guard.h - what a plugin must leave alone while it is loaded: the floating-point mode,
 * which the results of everything else depend on, and standard output, which carries results.
 *
 * dlopen() runs constructors, so there is no asking before.  Descriptors 1 and 2 belong to the
 * process: no other thread may print between begin and end.
 */
#ifndef FTK__LOAD_GUARD_H
#define FTK__LOAD_GUARD_H
#include "base/error.h"
#include <fenv.h>

struct ftk__load_guard {
    fenv_t env;
    uint32_t mode; /* control bits of the floating-point unit      */
    int capture;   /* where 1 and 2 go meanwhile                   */
    int out, err;  /* what they were; -1: closed                   */
};

ftk_status ftk__load_guard_begin(struct ftk__load_guard *g, struct ftk_error *reterr);
/* FTK_EINVAL where the mode differs or something was printed since begin. */
ftk_status ftk__load_guard_check(struct ftk__load_guard *g, struct ftk_error *reterr);
/* Puts mode and descriptors back. */
void ftk__load_guard_end(struct ftk__load_guard *g);
#endif
