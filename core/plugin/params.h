/* SPDX-License-Identifier: MIT
 * plugin/params.h - the parameter engine: a group of settings against a table of ftk_param.
 *
 * The same engine reads plugins' groups, built-ins' and the core's own sections.
 */
#ifndef FTK__PARAMS_H
#define FTK__PARAMS_H
#include "base/mem.h"
#include "base/setting.h"
#include "base/str.h"
#include <freetickets/param.h>

struct ftk__param_table {
    const ftk_param *params; /* PARAM_END-terminated, or NULL                */
    uint32_t stride;         /* bytes from one to the next as its writer knew */
    uint32_t struct_size;    /* of what is filled                            */
};
const ftk_param *ftk__param_at(const struct ftk__param_table *t, uint32_t i); /* NULL at the end */
const ftk_param *ftk__param_named(const struct ftk__param_table *t, const char *name);

/* Fills `ret_struct` (t->struct_size bytes, zeroed by the caller) from `group` (NULL: defaults
 * only).  `skip` names keys of the group that others own (NULL-terminated).  Every unknown key,
 * wrong type, value out of range or not finite, bad choice, missing required key goes to
 * `issues`, with limit and nearest name; strings and lists are copied into `arena`.
 * `path` is the group's own, "topology.prune".  A relative FTK_PF_PATH is resolved against its
 * file and made absolute; "" stays "".  What is wrong keeps its default.                       */
void ftk__params_fill(const struct ftk__param_table *t, const struct ftk__setting *group,
                      const char *const *skip, const char *path, struct ftk__arena *arena,
                      void *ret_struct, struct ftk__issues *issues);
/* Appends "name = value;" for each parameter, numbers as %.17g, in table order, in libconfig's
 * syntax with `indent` spaces, as parsed back by ftk__params_fill to the same bits.            */
void ftk__params_print(const struct ftk__param_table *t, const void *values, unsigned indent,
                       struct ftk__str *out);
/* Sorted "path.name=value" lines for the identity hash, numbers %.17g; a path counts by its
 * content's hash.                                                                              */
ftk_status ftk__params_identity(const struct ftk__param_table *t, const void *values,
                                const char *path, struct ftk__str *out, struct ftk_error *reterr);
/* "12.5ep" -> {12.5, EPOCH}; a bare number has unit `bare` (0: refused).  *ret_end past it. */
bool ftk__duration_parse(const char *s, uint32_t bare, ftk_duration *ret, const char **ret_end);
void ftk__duration_print(ftk_duration d, struct ftk__str *out); /* "12.5ep"                    */
/* A table's own mistakes: bounds, defaults, offsets, names (rules PAR-01, PAR-02). */
ftk_status ftk__params_check(const struct ftk__param_table *t, struct ftk_error *reterr);
#endif
