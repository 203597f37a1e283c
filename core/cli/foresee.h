/* SPDX-License-Identifier: MIT
 * cli/foresee.h - what a run would be refused for before its first step, found without one.
 */
#ifndef FTK__FORESEE_H
#define FTK__FORESEE_H
#include "cli/prepare.h"

enum { FTK__FORESEE_RULES = 5 };
/* Whether rule i (of FTK__FORESEE_RULES) takes its parameters and can be made; *ret_path is its group. */
ftk_status ftk__foresee_rule(const struct ftk__experiment *x, uint32_t i, const char **ret_path,
                             struct ftk_error *reterr);
/* Whether the layers can have the density that the first sparse INIT asks for. */
ftk_status ftk__foresee_densities(const struct ftk__prepared *p, struct ftk_error *reterr);
/* Whether the backend opens with these options and takes this model and optimiser. */
ftk_status ftk__foresee_backend(struct ftk__prepared *p, struct ftk_error *reterr);
#endif
