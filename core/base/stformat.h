/* SPDX-License-Identifier: MIT
 * base/stformat.h - what the readers and writers of arrays share; for safetensors and npy only.
 */
#ifndef FTK__STFORMAT_H
#define FTK__STFORMAT_H
#include "base/safetensors.h"
#include <stdbool.h>

const char *ftk__st_dtype_name(enum ftk__dtype t); /* "F32"                        */
/* Bytes of an array; false where they do not fit an int64_t. */
bool ftk__st_shape_bytes(const uint64_t *dims, uint32_t n_dims, enum ftk__dtype t,
                         uint64_t *ret_bytes);
/* The first of n bytes that is neither 0 nor 1, or n. */
uint64_t ftk__bool_bad(const void *data, uint64_t n);
#endif
