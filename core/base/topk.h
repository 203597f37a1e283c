/* SPDX-License-Identifier: MIT
 * base/topk.h - exact k of n by score: the one order that every selection of the core follows.
 *
 * Order: by score, then by index, the lower index first, whichever end is wanted; -0 equals +0; a
 * NaN is FTK_ENUMERIC.  Candidates may come in any number of chunks; the running buffer holds at
 * most 2 (k + 64 Ki) of them, and the result is the same for every way of cutting the chunks.
 */
#ifndef FTK__TOPK_H
#define FTK__TOPK_H
#include "base/error.h"
#include <stdbool.h>

/* The k lowest (or highest) of score[n]; ret_pos[k] ascending.  FTK_ERANGE for k > n. */
ftk_status ftk__topk(const float *score, uint64_t n, uint64_t k, bool highest, uint64_t *ret_pos,
                     struct ftk_error *reterr);

/* Streaming. */
struct ftk__stream;
struct ftk__stream *ftk__stream_new(uint64_t k, bool highest); /* NULL without memory         */
/* Adds n candidates; `index` strictly ascending over all calls since new.  A NaN names its index.
 * After a failure only free is left.                                                        */
ftk_status ftk__stream_add(struct ftk__stream *s, const uint64_t *index, const float *score,
                           uint64_t n, struct ftk_error *reterr);
uint64_t ftk__stream_seen(const struct ftk__stream *s);
/* The min(k, seen) chosen, ascending by index; *ret_index and *ret_score are valid until free;
 * ret_score may be NULL. */
ftk_status ftk__stream_end(struct ftk__stream *s, const uint64_t **ret_index,
                           const float **ret_score, uint64_t *ret_n, struct ftk_error *reterr);
void ftk__stream_free(struct ftk__stream *s);
#endif
