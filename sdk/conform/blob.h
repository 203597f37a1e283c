/* SPDX-License-Identifier: MIT
 * conform/blob.h - what a series of calls put out, as named arrays that can be compared bit by bit,
 * moved between processes, and whose first difference can be told in words.
 */
#ifndef FTK__BLOB_H
#define FTK__BLOB_H
#include "conform/kit.h"

enum ftk__blob_type { FTK__BLOB_U8, FTK__BLOB_U32, FTK__BLOB_U64, FTK__BLOB_F32, FTK__BLOB_F64 };

struct ftk__blob {
    struct ftk__blob_item *item; // [n]
    uint32_t n, cap;
};
/* Appends a copy of data[n].  The name says where it is from: "score of layer 'b'". */
void ftk__blob_put(struct ftk__blob *b, enum ftk__blob_type type, const void *data, uint64_t n,
                   const char *name_fmt, ...) FTK_PRINTF(5, 6);
/* The i-th array, NULL past the last. */
const void *ftk__blob_get(const struct ftk__blob *b, uint32_t i, const char **ret_name,
                          enum ftk__blob_type *ret_type, uint64_t *ret_n);
/* Bit for bit, -0 and +0 apart.  `ret_why` (may be NULL): "score[3] of layer 'b': 0.5, then 0.25". */
bool ftk__blob_same(const struct ftk__blob *a, const struct ftk__blob *b, struct ftk__str *ret_why);
void ftk__blob_done(struct ftk__blob *b);

/* To and from a descriptor; the kit's own failure (70) where that fails. */
void ftk__blob_write(const struct ftk__blob *b, int fd);
void ftk__blob_read(struct ftk__blob *b, int fd);
#endif
