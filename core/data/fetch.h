/* SPDX-License-Identifier: MIT
 * data/fetch.h - a named set's files into the data folder: downloaded, or from a local folder;
 * checked, unpacked, checked again.
 */
#ifndef FTK__FETCH_H
#define FTK__FETCH_H
#include "data/catalogue.h"
#include "data/download.h"

struct ftk__fetch {
    const struct ftk__catalogue *set;
    /* NULL: as published; a URL of the folder the archive lies in, or of the archive; a folder with
     * the archive, or with the set's files or folder.                                       */
    const char *from;
    const char *to;             /* the files come to <to>/<set's folder>        */
    struct ftk__progress progress;
};
struct ftk__fetched {
    char *folder;               /* the caller's (ftk__free)                     */
    bool was_there;             /* nothing was left to do                       */
};
/* A download lies in <to>/<archive>.part until all is well: interrupted, the next call continues
 * it; with a wrong checksum it is removed.  Errors: wrong data (65), no such data (66), a package
 * is needed (66, the command), no connection (74).                                          */
ftk_status ftk__fetch(const struct ftk__fetch *f, struct ftk__fetched *ret,
                      struct ftk_error *reterr);
#endif
