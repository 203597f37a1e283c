/* SPDX-License-Identifier: MIT
 * data/download.h - one file from a URL, continued where an earlier attempt stopped.
 */
#ifndef FTK__DOWNLOAD_H
#define FTK__DOWNLOAD_H
#include "base/error.h"

struct ftk__progress {          /* what to call now and then; fn may be NULL    */
    void (*fn)(void *arg, const char *name, uint64_t done, uint64_t total); /* total 0: unknown */
    void *arg;
};
/* http, https or file into `part`, from the byte on that `part` ends at; from its beginning where
 * the server knows no ranges.  What has come stays on failure: FTK_EIO (74), the same call
 * continues; FTK_ENOENT (66): there is no such file; FTK_EEXIST (73): another process is at it. */
ftk_status ftk__download(const char *url, const char *part, const struct ftk__progress *progress,
                         struct ftk_error *reterr);
#endif
