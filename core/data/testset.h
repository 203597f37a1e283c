/* SPDX-License-Identifier: MIT
 * data/testset.h - test images: only eval and cli include this.
 */
#ifndef FTK__TESTSET_H
#define FTK__TESTSET_H
#include "data/dataset.h"

struct ftk__testset;
/* `limit` 0: all. */
ftk_status ftk__testset_open(const struct ftk__data_request *q, uint64_t limit,
                             struct ftk__testset **ret, struct ftk_error *reterr);
void ftk__testset_close(struct ftk__testset *t);
const struct ftk__images *ftk__testset_images(const struct ftk__testset *t);
#endif
