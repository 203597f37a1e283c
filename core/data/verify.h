/* SPDX-License-Identifier: MIT
 * data/verify.h - whether a set's files are those that its authors published.
 */
#ifndef FTK__VERIFY_H
#define FTK__VERIFY_H
#include "data/catalogue.h"

enum ftk__file_state {
    FTK__FILE_GOOD,             /* size and checksum, where one is published    */
    FTK__FILE_MISSING,
    FTK__FILE_WRONG
};
struct ftk__file_verdict {
    enum ftk__file_state state;
    char why[256];              /* "md5", "size, no checksum is published", what is wrong */
};
/* One file of the set in `folder`, or the file with ".gz". */
ftk_status ftk__verify_file(const struct ftk__set_file *f, const char *folder,
                            struct ftk__file_verdict *ret, struct ftk_error *reterr);
/* All of them: FTK_OK, or the first that is wrong (FTK_EINVAL, 65) or missing (FTK_ENOENT, 66). */
ftk_status ftk__verify_set(const struct ftk__catalogue *set, const char *folder,
                           struct ftk_error *reterr);
#endif
