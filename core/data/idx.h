/* SPDX-License-Identifier: MIT
 * data/idx.h - the IDX format of the MNIST family, plain or gzip-compressed.
 * http://yann.lecun.com/exdb/mnist/: 0, 0, element type, number of dimensions, then each dimension
 * as a big-endian uint32, then the elements.
 *
 * Every byte is checked; an error is FTK_EINVAL (65) and names the file and the offset, in its
 * content, of the first bad byte.
 */
#ifndef FTK__IDX_H
#define FTK__IDX_H
#include "data/sets.h"

enum { FTK__IDX_DIMS = 3 };

/* What is wanted of a file: its dimensions, 0 where any will do. */
struct ftk__idx_shape {
    uint32_t n_dims;            /* 3: images; 1: labels                         */
    uint32_t dims[FTK__IDX_DIMS];
};
/* The header alone. */
ftk_status ftk__idx_read_shape(const char *path, const struct ftk__idx_shape *want,
                               struct ftk__idx_shape *ret, struct ftk_error *reterr);
/* Header and bytes; *ret_bytes is the caller's (ftk__free). */
ftk_status ftk__idx_read(const char *path, const struct ftk__idx_shape *want,
                         struct ftk__idx_shape *ret, uint8_t **ret_bytes,
                         struct ftk_error *reterr);
/* Images and their labels, as many of each, labels below `classes`.  `want` is the images'. */
ftk_status ftk__idx_load(const char *images, const char *labels,
                         const struct ftk__idx_shape *want, uint32_t classes,
                         struct ftk__store *ret, struct ftk_error *reterr);
#endif
