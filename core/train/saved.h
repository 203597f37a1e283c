/* SPDX-License-Identifier: MIT
 * train/saved.h - the record of the members that a run has saved: {"members/member-0.safetensors":
 * SHA-256, ...}, each taken when its file was written.
 *
 * A checkpoint and run.json keep it, so that a run which goes on, or is looked at later, does not
 * trust what lies in the folder by then.
 */
#ifndef FTK__SAVED_H
#define FTK__SAVED_H
#include "base/error.h"
#include <jansson.h>
#include <stdint.h>

/* Enters both files of a member that was just saved into <run_dir>/members. */
ftk_status ftk__saved_add(json_t *saved, const char *run_dir, uint32_t member,
                          struct ftk_error *reterr);
/* Every file that is recorded, in the order of saving: the first that is missing is FTK_ENOENT (66),
 * one with other bytes FTK_EINVAL (65).  NULL: nothing is recorded. */
ftk_status ftk__saved_check(const json_t *saved, const char *run_dir, struct ftk_error *reterr);
#endif
