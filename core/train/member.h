/* SPDX-License-Identifier: MIT
 * train/member.h - members as safetensors: exactly the module's state dict, dense F32 with zeros,
 * so that it loads strictly elsewhere; masks beside it in <stem>.masks.safetensors (U8).
 */
#ifndef FTK__MEMBER_H
#define FTK__MEMBER_H
#include "base/safetensors.h"
#include "train/network.h"

enum ftk__member_part { FTK__MEMBER_WEIGHTS, FTK__MEMBER_MASKS, FTK__MEMBER_PARTS };
enum { FTK__MEMBER_NAME = 40 };
/* member-<i>.safetensors, member-<i>.masks.safetensors. */
void ftk__member_name(uint32_t member, enum ftk__member_part part, char ret[FTK__MEMBER_NAME]);
/* Writes <dir>/member-<i>.safetensors and <dir>/member-<i>.masks.safetensors, atomically each, of
 * the live network or, where `of` is given, of that copy: the live one is only read, and keeps the
 * gradient of its last step.  Metadata, to which the member's number is added, says what made it,
 * never when or where. */
ftk_status ftk__member_save(struct ftk__network *n, const struct ftk__snapshot *of,
                            const char *dir, uint32_t member,
                            const struct ftk__st_meta *meta, uint64_t n_meta,
                            struct ftk_error *reterr);
/* Puts member i's masks, weights and statistics into the network's program. */
ftk_status ftk__member_load(struct ftk__network *n, const char *dir, uint32_t member,
                            struct ftk_error *reterr);

/* trajectory/t-<t>-op-<op>-member-<i>.safetensors: a sparse layer as <name>.index (I64) and
 * <name>.value (F32) of its active entries, everything else whole. */
ftk_status ftk__trajectory_save(struct ftk__network *n, const char *dir, uint32_t op,
                                uint32_t member, struct ftk_error *reterr);
#endif
