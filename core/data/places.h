/* SPDX-License-Identifier: MIT
 * data/places.h - where the files of a named set are looked for.
 */
#ifndef FTK__PLACES_H
#define FTK__PLACES_H
#include "base/error.h"

struct ftk__place {
    const char *title;          /* "CIFAR-10", for messages                     */
    const char *folder;         /* as its archive calls it: "cifar-10-batches-bin" */
    const char *package_folder; /* where a package of the system puts it, or NULL */
    const char *get;            /* the command that gets it                     */
};
/* The first folder that has `file`, or "<file>.gz": of `dir`/<folder>, `dir`; where dir is "", of
 * <data folder>/<folder>, $FREETICKETS_DATA, package_folder.  The caller's (ftk__free).  None:
 * FTK_ENOENT (66) with the command that gets it.                                            */
ftk_status ftk__place_folder(const struct ftk__place *p, const char *dir, const char *file,
                             char **ret, struct ftk_error *reterr);
/* <folder>/<file>, or with ".gz" where only that exists; the caller's.  None: as above.     */
ftk_status ftk__place_file(const struct ftk__place *p, const char *folder, const char *file,
                           char **ret, struct ftk_error *reterr);
/* Both of them: `file` in the first folder that has it. */
ftk_status ftk__place_find(const struct ftk__place *p, const char *dir, const char *file,
                           char **ret, struct ftk_error *reterr);
#endif
