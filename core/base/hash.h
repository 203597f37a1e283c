/* SPDX-License-Identifier: MIT
 * base/hash.h - SHA-256 through libcrypto's EVP interface.
 */
#ifndef FTK__HASH_H
#define FTK__HASH_H
#include "base/error.h"

struct ftk__sha256 {
    char hex[65];               /* 64 lower-case digits and a 0                 */
};
ftk_status ftk__sha256_buffer(const void *data, uint64_t bytes, struct ftk__sha256 *ret,
                              struct ftk_error *reterr);
ftk_status ftk__sha256_file(const char *path, struct ftk__sha256 *ret, struct ftk_error *reterr);
/* Of dir/name. */
ftk_status ftk__sha256_file_in(const char *dir, const char *name, struct ftk__sha256 *ret,
                               struct ftk_error *reterr);

/* Piece by piece; every begin needs its end. */
struct ftk__hasher;
struct ftk__hasher *ftk__hasher_new(void);       /* NULL without memory           */
void ftk__hasher_add(struct ftk__hasher *h, const void *data, uint64_t bytes);
ftk_status ftk__hasher_end(struct ftk__hasher *h, struct ftk__sha256 *ret,
                           struct ftk_error *reterr); /* frees `h` in any case    */
#endif
