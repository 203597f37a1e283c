/* SPDX-License-Identifier: MIT
 * conform/host_check.h - HST-01: the host's own generator, before any plugin is judged with it.
 */
#ifndef FTK__HOST_CHECK_H
#define FTK__HOST_CHECK_H
#include "base/error.h"
#include <freetickets/host.h>

/* Philox 4x32-10 (Salmon et al. 2011) as freetickets/host.h maps it; FTK_EINTERNAL (70) names the
 * first number that differs. */
ftk_status ftk__host_check(uint64_t (*next)(ftk_rng *r), struct ftk_error *reterr);
#endif
