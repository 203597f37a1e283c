/* SPDX-License-Identifier: MIT
 * data/mat5.h - one array of bytes from a MATLAB file of version 5, plain or compressed by zlib.
 * "MAT-File Format" (The MathWorks): a header of 128 bytes, then elements of a tag and their data.
 *
 * Every field is checked; an error is FTK_EINVAL (65) and names the file and the first bad byte: of
 * the file, or of what the compressed element that begins at a named byte holds.
 */
#ifndef FTK__MAT5_H
#define FTK__MAT5_H
#include "base/error.h"

enum { FTK__MAT5_DIMS = 4 };

struct ftk__mat5_array {
    uint32_t n_dims;
    uint32_t dims[FTK__MAT5_DIMS];
    uint64_t n;                 /* product of dims                              */
    uint8_t *bytes;             // [n], the first dimension fastest; ftk__free
    /* Where bytes[0] lies: in the file, or, where packed_at is not 0, in what the compressed
     * element at that byte of the file holds.                                               */
    uint64_t at, packed_at;
};
/* The variable `name`, an array of bytes (or of doubles that MATLAB stored as bytes) with the
 * dimensions of `want`, 0 where any will do.                                                */
ftk_status ftk__mat5_read(const char *path, const char *name, const struct ftk__mat5_array *want,
                          struct ftk__mat5_array *ret, struct ftk_error *reterr);
/* For a caller that finds bytes[i] wrong. */
ftk_status ftk__mat5_bad(const char *path, const struct ftk__mat5_array *a, uint64_t i,
                         const char *what, struct ftk_error *reterr);
#endif
