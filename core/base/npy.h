/* SPDX-License-Identifier: MIT
 * base/npy.h - one array in numpy's .npy format, version 1.0 (little-endian, C order).
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef FTK__NPY_H
#define FTK__NPY_H
#include "base/safetensors.h"

/* Atomically; `a->name` is not used. */
ftk_status ftk__npy_write(const char *path, const struct ftk__st_array *a,
                          struct ftk_error *reterr);
/* F32, F64, U8, I32, I64, bool; ret->data is freed with ftk__free((void *)data), ret->name NULL.
 * An error names the file and the first bad byte.                                           */
ftk_status ftk__npy_read(const char *path, struct ftk__st_array *ret, struct ftk_error *reterr);
/* The header alone, and that as many bytes follow; ret->data is NULL. */
ftk_status ftk__npy_read_shape(const char *path, struct ftk__st_array *ret,
                               struct ftk_error *reterr);
#endif
