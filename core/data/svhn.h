/* SPDX-License-Identifier: MIT
 * data/svhn.h - one file of SVHN's cropped digits.
 */
#ifndef FTK__SVHN_H
#define FTK__SVHN_H
#include "data/sets.h"

/* `n` images, 0: as many as the file has. */
ftk_status ftk__svhn_read(const char *path, uint32_t n, struct ftk__store *ret,
                          struct ftk_error *reterr);
#endif
