/* SPDX-License-Identifier: MIT
 * base/builtin.h - what is built in and yet chosen by `use`: data sets, models, optimisers, the
 * init `file`.  They declare their parameters by the same tables as plugins do.
 */
#ifndef FTK__BUILTIN_H
#define FTK__BUILTIN_H
#include "base/error.h"
#include <freetickets/param.h>

struct ftk__builtin {
    const char *group;          /* "data", "model", "optim", "init"             */
    const char *name;
    const char *summary;
    const char *reference;      /* paper or URL, "" if none                     */
    const ftk_param *params;    /* PARAM_END-terminated, or NULL                */
    uint32_t params_size;
    /* Rules across fields; NULL if ranges say it all. */
    ftk_status (*check)(const void *params, struct ftk_error *reterr);
};
#endif
