/* SPDX-License-Identifier: MIT
 * eval/pred_index.h - preds/<set>/index.json: of which members and data the cached logits are, and
 * whether the files are whole.
 *
 * {"data": SHA-256, "labels": SHA-256, "members": {"0": {"weights": SHA-256, "logits": SHA-256}}}.
 * "data" is ftk__images_hash of what was predicted, and precedes the files.  An entry follows its
 * file: a file without one, or other than its entry says, counts as missing.
 */
#ifndef FTK__PRED_INDEX_H
#define FTK__PRED_INDEX_H
#include "base/hash.h"
#include "base/json.h"
#include <stdbool.h>

struct ftk__pred_index {
    const char *dir; /* preds/<set>; borrowed                        */
    json_t *doc;
};
/* Empty where there is no index yet, or one that cannot be read: it is made anew then. */
ftk_status ftk__pred_index_open(struct ftk__pred_index *ix, const char *dir,
                                struct ftk_error *reterr);
void ftk__pred_index_close(struct ftk__pred_index *ix); /* a zeroed one is fine   */

/* Whether the files are of these data. */
bool ftk__pred_index_is_of(const struct ftk__pred_index *ix, const struct ftk__sha256 *data);
/* From now on they are: drops all entries of other data, says so in the log, and writes the index. */
ftk_status ftk__pred_index_begin(struct ftk__pred_index *ix, const struct ftk__sha256 *data,
                                 struct ftk_error *reterr);
/* Whether <dir>/<file> is what the entry says.  `member` below 0: the labels.  `weights` is the
 * digest of the member's files, NULL where they are gone: what was predicted by them is kept. */
ftk_status ftk__pred_index_has(const struct ftk__pred_index *ix, int64_t member, const char *file,
                               const struct ftk__sha256 *weights, bool *ret,
                               struct ftk_error *reterr);
/* Enters <dir>/<file> as it is now and writes the index.  Labels that changed drop all members: the
 * set is another one. */
ftk_status ftk__pred_index_enter(struct ftk__pred_index *ix, int64_t member, const char *file,
                                 const struct ftk__sha256 *weights, struct ftk_error *reterr);
#endif
