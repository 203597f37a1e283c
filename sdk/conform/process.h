/* SPDX-License-Identifier: MIT
 * conform/process.h - one process of the kit: started, waited for, killed at its deadline.
 */
#ifndef FTK__KIT_PROCESS_H
#define FTK__KIT_PROCESS_H
#include "conform/kit.h"
#include <sys/types.h>

struct ftk__process {
    pid_t pid;                /* 0: none                                      */
    int verdict;              /* read end of descriptor 3 of the child        */
    int output;               /* a file: its standard output and error        */
    double started, deadline; /* seconds, monotonic                           */
    bool late;                /* it was killed at the deadline                */
    struct ftk__str line;     /* of the verdict so far                        */
};
/* Executes the program anew: `spec` is "RULE:kind.name:0:-1:3".  `limit`: of address space, bytes;
 * 0: none. */
ftk_status ftk__process_start(const struct ftk__kit_options *o, const char *spec, const char *path,
                              double timeout_s, uint64_t limit, struct ftk__process *ret,
                              struct ftk_error *reterr);
/* Takes what it has written; true when it is over, with *ret_status as of waitpid.  Its group is
 * killed then, whatever is left of it. */
bool ftk__process_poll(struct ftk__process *p, double now, int *ret_status);
/* What it printed, at most 4 KiB; "" without memory. */
char *ftk__process_output(struct ftk__process *p);
void ftk__process_done(struct ftk__process *p);
double ftk__process_now(void);
#endif
