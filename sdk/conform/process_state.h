/* SPDX-License-Identifier: MIT
 * conform/process_state.h - what of a process a plugin must leave alone, taken down and compared.
 */
#ifndef FTK__PROCESS_STATE_H
#define FTK__PROCESS_STATE_H
#include "conform/kit.h"

enum { FTK__STATE_SIGNALS = 64 };
struct ftk__process_state {
    uint32_t fp_control; /* rounding, flush to zero, exceptions unmasked */
    uint64_t locale, cwd, environment, handlers, descriptors; /* hashes        */
    uint64_t signal_mask;
    uint32_t umask;
    uint32_t threads, children;
    int64_t printed; /* bytes on standard output and error; -1: cannot be told */
};
void ftk__process_state_take(struct ftk__process_state *ret);
/* Fails the rule with what differs: "the working directory". */
void ftk__process_state_check(struct ftk__case *c, const struct ftk__process_state *before,
                              const char *after_what);
#endif
