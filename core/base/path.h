/* SPDX-License-Identifier: MIT
 * base/path.h - names of files and folders; XDG and FREETICKETS_* places.  Results are the caller's
 * (ftk__free), NULL without memory.
 */
#ifndef FTK__PATH_H
#define FTK__PATH_H
#include "base/error.h"

char *ftk__path_join(const char *dir, const char *name); /* an absolute name stays itself        */
char *ftk__path_dir(const char *path);                   /* "a/b.cfg" -> "a"; "b.cfg" -> "."     */
const char *ftk__path_base(const char *path);            /* into `path`                          */
/* `name` as seen from the folder of the file `config`; absolute names and "~/" are honoured.    */
char *ftk__path_relative_to(const char *config, const char *name);
char *ftk__path_real(const char *path);                  /* NULL where it does not exist         */
/* $FREETICKETS_DATA, else $XDG_DATA_HOME/freetickets, else ~/.local/share/freetickets            */
char *ftk__path_data(void);
/* <prefix>/lib/freetickets/plugins seen from the running program, or the build tree's plugins/.  */
char *ftk__path_plugins(void);
/* <prefix>/share/freetickets/<name> seen from the running program, or the build tree's.          */
char *ftk__path_share(const char *name);
#endif
