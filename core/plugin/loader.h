/* SPDX-License-Identifier: MIT
 * plugin/loader.h - one file: opened, judged by its stamp, asked to register.
 */
#ifndef FTK__LOADER_H
#define FTK__LOADER_H
#include "plugin/registry.h"

/* dlopen(RTLD_NOW | RTLD_LOCAL) with MXCSR and stdout guarded: a plugin that changes rounding or
 * prints while loading is refused and the mode restored.  Checks magic, ABI numbers, names; then
 * lets it register and checks every descriptor (sizes, names, parameter table) before `reg` sees
 * the first of them.  On refusal FTK_EABI, FTK_EINVAL, ... with the reason as message and the file
 * as context; never dlclose.                                                                    */
ftk_status ftk__plugin_load(const char *path, const ftk_registry *reg, const ftk_stamp **ret_stamp,
                            struct ftk_error *reterr);
/* What the registry asks of a descriptor before it is listed. */
ftk_status ftk__algo_check(const ftk_algo *a, struct ftk_error *reterr);
/* The same in parts, in this order; each relies on those before it. */
enum ftk__algo_part {
    FTK__ALGO_HEAD,  /* its own size and kind                        */
    FTK__ALGO_WORDS, /* name, summary, reference, flags              */
    FTK__ALGO_TABLE, /* of parameters                                */
    FTK__ALGO_KEYS,  /* that are the core's                          */
    FTK__ALGO_OPS
};
ftk_status ftk__algo_check_part(const ftk_algo *a, enum ftk__algo_part part,
                                struct ftk_error *reterr);
/* The stamp alone. */
ftk_status ftk__stamp_check(const ftk_stamp *s, struct ftk_error *reterr);
#endif
