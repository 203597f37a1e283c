/* SPDX-License-Identifier: MIT
 * data/digest.h - checksums of files as data sets publish them: "md5:<hex>" or "sha256:<hex>".
 */
#ifndef FTK__DIGEST_H
#define FTK__DIGEST_H
#include "base/error.h"
#include <stdbool.h>

struct ftk__digest {
    char text[80];              /* as above                                     */
    uint64_t bytes;             /* that it is of                                */
};
/* By the algorithm that `like` begins with, MD5 where it is ""; of the file's bytes, or of its
 * `content`, that is decompressed where it is gzip.                                         */
ftk_status ftk__digest_file(const char *path, const char *like, bool content,
                            struct ftk__digest *ret, struct ftk_error *reterr);
/* FTK_EINVAL (65) where the file's bytes have another checksum. */
ftk_status ftk__digest_check(const char *path, const char *checksum, struct ftk_error *reterr);
#endif
