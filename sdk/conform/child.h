/* SPDX-License-Identifier: MIT
 * conform/child.h - the process of one rule on one algorithm.
 */
#ifndef FTK__CHILD_H
#define FTK__CHILD_H
#include "conform/kit.h"

struct ftk__child_request {
    const struct ftk__kit_options *o;
    const char *path;
    const char *rule; /* its id; "census": lists the algorithms instead */
    const char *algo; /* "prune.magnitude"; NULL or "": a rule of the file */
    uint32_t role;    /* of ftk__kit_again; its input is read from `in` */
    int in, out;      /* the verdict (or with a role what is handed back) goes to `out` */
    bool in_process;  /* of a debugger: no fault handler              */
};
_Noreturn void ftk__child_run(const struct ftk__child_request *q);
#endif
