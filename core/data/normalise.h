/* SPDX-License-Identifier: MIT
 * data/normalise.h - means and standard deviations, of values in [0, 1].
 */
#ifndef FTK__NORMALISE_H
#define FTK__NORMALISE_H
#include "data/dataset.h"

/* What `q` asks for (own list, a name, or `own` where it asks for nothing), for a set of
 * `channels`, into im->mean and im->std.  FTK_EINVAL: unknown name, channels that differ.   */
ftk_status ftk__normalise(const struct ftk__data_request *q, const char *own, uint32_t channels,
                          struct ftk__images *im, struct ftk_error *reterr);
#endif
