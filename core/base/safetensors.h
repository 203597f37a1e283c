/* SPDX-License-Identifier: MIT
 * base/safetensors.h - named arrays in the safetensors format: an 8-byte little-endian header
 * length, a JSON header, the bytes.  https://huggingface.co/docs/safetensors
 *
 * The reader checks everything before use: header length, JSON, dtype, shape, offsets that tile the
 * data without gap or overlap, file length.  An error names the file and the first bad byte or key.
 */
#ifndef FTK__SAFETENSORS_H
#define FTK__SAFETENSORS_H
#include "base/error.h"

enum ftk__dtype { FTK__F32 = 1, FTK__U8, FTK__I32, FTK__I64, FTK__F64, FTK__BOOL };
enum { FTK__ST_DIMS = 8 };

struct ftk__st_array {
    const char *name;
    enum ftk__dtype dtype;
    uint32_t n_dims;
    uint64_t dims[FTK__ST_DIMS];
    const void *data;           /* product of dims elements, contiguous         */
};
uint64_t ftk__st_count(const struct ftk__st_array *a);  /* elements              */
uint64_t ftk__dtype_bytes(enum ftk__dtype t);

struct ftk__st_meta {           /* of __metadata__, strings                     */
    const char *key, *value;
};
/* Written atomically, header padded with spaces to 8 bytes, arrays in the order given. */
ftk_status ftk__st_write(const char *path, const struct ftk__st_array *arrays, uint64_t n,
                         const struct ftk__st_meta *meta, uint64_t n_meta,
                         struct ftk_error *reterr);

struct ftk__st_file {
    struct ftk__st_array *arrays; /* in file order; all owned by the file        */
    uint64_t n;
    struct ftk__st_meta *meta;
    uint64_t n_meta;
    char *bytes;
};
ftk_status ftk__st_open(const char *path, struct ftk__st_file *ret, struct ftk_error *reterr);
const struct ftk__st_array *ftk__st_find(const struct ftk__st_file *f, const char *name);
const char *ftk__st_meta_find(const struct ftk__st_file *f, const char *key);
void ftk__st_close(struct ftk__st_file *f);
#endif
