/* SPDX-License-Identifier: MIT
 * data/dataset_parts.h - what is inside an open data set, for data/ alone.
 */
#ifndef FTK__DATASET_PARTS_H
#define FTK__DATASET_PARTS_H
#include "data/augment.h"
#include "data/sets.h"

struct ftk__dataset {
    struct ftk__store store;    /* the training file(s), all of it              */
    struct ftk__images train;   /* the first images of the store                */
    struct ftk__images validation; /* the last ones                             */
    struct ftk__augment augment;
    bool validation_augmented;
};
/* The normalised view of the store's images from..from+n. */
struct ftk__images ftk__store_view(const struct ftk__store *s, const struct ftk__images *norm,
                                   uint64_t from, uint64_t n);
#endif
