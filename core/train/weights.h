/* SPDX-License-Identifier: MIT
 * train/weights.h - a network's state dict in a safetensors file, read strictly.
 */
#ifndef FTK__WEIGHTS_H
#define FTK__WEIGHTS_H
#include "base/safetensors.h"
#include "base/str.h"
#include "model/model.h"

/* Opens `path` ("%d" stands for the member's number) and checks it against the model: every array
 * of the state dict present, F32, of the right shape, no others ("num_batches_tracked" is passed
 * over), no value that is not finite and no negative variance.  A name may bear the prefix "module."
 * of PyTorch's DataParallel.  All that is missing, extra, twice there, mis-shaped or no number is
 * named in one error, as far as it fits (65; 66: no such file). */
ftk_status ftk__weights_open(const char *path, uint32_t member, const struct ftk__model *m,
                             struct ftk__st_file *ret, struct ftk_error *reterr);
/* The same check of an open file; `path` for messages. */
ftk_status ftk__weights_check(const struct ftk__st_file *f, const struct ftk__model *m,
                              const char *path, struct ftk_error *reterr);
/* The array of a name in the state dict, "module." before it or not; NULL where there is none. */
const struct ftk__st_array *ftk__weights_find(const struct ftk__st_file *f, const char *name);
/* Appends "; NAME is missing" or "; NAME is U8 (2, 3), not F32 (3, 2)" where that is so of `a`, the
 * array of a name or NULL. */
void ftk__weights_judge(const struct ftk__st_array *a, const char *name, enum ftk__dtype dtype,
                        const uint64_t *dims, uint32_t n_dims, struct ftk__str *wrong);
/* The array of (node, role); ret[n]. */
ftk_status ftk__weights_copy(const struct ftk__st_file *f, const struct ftk__model *m,
                             uint32_t node, uint32_t role, float *ret, uint64_t n,
                             struct ftk_error *reterr);

/* Every (node, role) of the model's state dict in node order, roles WEIGHT, BIAS, BN_MEAN, BN_VAR;
 * false past the last.  *pos starts at 0. */
bool ftk__weights_next(const struct ftk__model *m, uint32_t *pos, uint32_t *ret_node,
                       uint32_t *ret_role);
#endif
