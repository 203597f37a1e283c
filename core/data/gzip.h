/* SPDX-License-Identifier: MIT
 * data/gzip.h - a file's content from its beginning, gzip-compressed or plain.
 *
 * zlib's own file layer ignores garbage after the compressed data and allocates by itself; this
 * one checks all bytes of the file and uses our allocator.
 */
#ifndef FTK__GZIP_H
#define FTK__GZIP_H
#include "base/error.h"

struct ftk__gzip;
/* FTK_ENOENT (66) where there is no such file. */
ftk_status ftk__gzip_open(const char *path, struct ftk__gzip **ret, struct ftk_error *reterr);
/* The next `want` bytes of content; fewer only at its end.  Damage is FTK_EINVAL (65) and names the
 * byte of the file.                                                               */
ftk_status ftk__gzip_read(struct ftk__gzip *z, void *ret, uint64_t want, uint64_t *ret_got,
                          struct ftk_error *reterr);
void ftk__gzip_close(struct ftk__gzip *z);
#endif
