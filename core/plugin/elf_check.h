/* SPDX-License-Identifier: MIT
 * plugin/elf_check.h - is a file a whole shared object for this machine?  Asked before dlopen(),
 * whose own words for a file that is empty, text or cut short say little and differ by system.
 */
#ifndef FTK__ELF_CHECK_H
#define FTK__ELF_CHECK_H
#include "base/error.h"

/* FTK_ENOENT where it cannot be read, FTK_EABI where it is for another machine, FTK_EINVAL where it
 * is no shared object or not all of one.  The message does not name the file.           */
ftk_status ftk__elf_check(const char *path, struct ftk_error *reterr);
#endif
