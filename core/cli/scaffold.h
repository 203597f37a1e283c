/* SPDX-License-Identifier: MIT
 * cli/scaffold.h - a plugin project made of a template folder.
 */
#ifndef FTK__SCAFFOLD_H
#define FTK__SCAFFOLD_H
#include "base/str.h"
#include "base/error.h"

struct ftk__scaffold {
    const char *templates;      /* <prefix>/share/freetickets/template          */
    const char *prefix;         /* where the SDK is to be found                 */
    const char *kind, *name;    /* "prune", "mine"                              */
    const char *folder[3];      /* of templates, in this order; NULL: no more   */
    const char *dir;            /* of the project; must not exist yet           */
};
/* Copies the files of the folders; in names and texts @NAME@, @KIND@, @USE@ (the config's group),
 * @PREFIX@ and @SOURCES@ (of the first folder) are replaced, @SELECTS@ is left out.  `ret_files` gets the
 * names that were written, a line each.  A folder that exists is refused (73); what was written is
 * removed again on a failure. */
ftk_status ftk__scaffold_write(const struct ftk__scaffold *s, struct ftk__str *ret_files,
                               struct ftk_error *reterr);
#endif
