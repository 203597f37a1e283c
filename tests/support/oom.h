/* SPDX-License-Identifier: MIT
 * oom.h - for tests: lets each allocation of a call fail in turn.
 */
#ifndef TESTS_OOM_H
#define TESTS_OOM_H
#include <freetickets/abi.h>

/* Calls fn(arg) with allocation n of base/mem.c failing, for n = 1, 1 + step, ..., until a call is
 * over before its n-th; that one must return FTK_OK.  Fails the running test where a call with a
 * failing allocation returns no error, or any call leaves allocations alive: `fn` frees what it
 * made.  Prints "<n> of <m> allocations failed in turn"; returns how many.                  */
uint64_t ftk_oom_sweep(ftk_status (*fn)(void *arg), void *arg, uint64_t step);
#endif
