/* SPDX-License-Identifier: MIT
 * cli/compare_paper.h - `plan --compare paper`: the paper's training FLOPs beside our count.
 */
#ifndef FTK__COMPARE_PAPER_H
#define FTK__COMPARE_PAPER_H
#include "base/json.h"
#include "base/str.h"

/* One of the rows of train/paper_flops.h, counted; mistakes of its configuration are internal
 * errors.  The registry is found as for any experiment. */
struct ftk__paper_row;
struct ftk__paper_count;
ftk_status ftk__compare_row(const struct ftk__paper_row *row, struct ftk__paper_count *ret,
                            struct ftk_error *reterr);

/* Prints the table to stdout, or gives it as a document where `ret` is not NULL; an exit code. */
int ftk__compare_paper(json_t **ret);
#endif
