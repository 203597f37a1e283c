/* SPDX-License-Identifier: MIT
 * conform/guard.h - memory whose every byte out of bounds is noticed.
 *
 * A buffer is a mapping between two pages that cannot be touched, against the end of it or the start
 * (as near as alignment allows; what lies between is a pattern that is checked).  The fault handler
 * looks an address up here, so a crash says: buffer 'weight' (4012 bytes), byte 0: read-only input
 * written.
 */
#ifndef FTK__GUARD_H
#define FTK__GUARD_H
#include "conform/kit.h"

enum ftk__side {
    FTK__AT_END,
    FTK__AT_START,
    FTK__ROOMY /* with writable pages around and nothing read-only: for rules that look for other
                * mistakes than those of bounds */
};

/* `bytes` (0 too) aligned for `align` (a power of two, at most 64), filled with `fill`.  `name` is
 * static.  Lives until dropped or the process ends. */
void *ftk__guard_new(const char *name, uint64_t bytes, uint32_t align, enum ftk__side side,
                     uint8_t fill);
void ftk__guard_read_only(const void *p);
void ftk__guard_writable(void *p);
/* Fails the rule where the slack of any live buffer was written. */
void ftk__guard_check(struct ftk__case *c);
/* Unmaps it: whoever kept a pointer faults from now on.  NULL is fine. */
void ftk__guard_drop(void *p);
/* Marks all buffers from now on: ftk__guard_release drops those that this thread made since. */
uint32_t ftk__guard_mark(void);
void ftk__guard_release(uint32_t mark);

/* SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT become a verdict on descriptor `out`. */
void ftk__guard_handle_faults(struct ftk__case *c);
#endif
