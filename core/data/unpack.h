/* SPDX-License-Identifier: MIT
 * data/unpack.h - files out of a tar archive, plain or gzip.
 */
#ifndef FTK__UNPACK_H
#define FTK__UNPACK_H
#include "base/error.h"

/* The archive's files into `to`, each written to its end before it takes its name.  Every entry has
 * to be a regular file or a folder below `folder`: one that is not, or leads out of it, makes the
 * archive wrong (FTK_EINVAL, 65), and nothing is written for it.                            */
ftk_status ftk__unpack(const char *archive, const char *folder, const char *to,
                       struct ftk_error *reterr);
#endif
