/* SPDX-License-Identifier: MIT
 * plugin/registry.h - every algorithm by kind and name, and every file that was looked at.
 *
 * Files come from, in this order: the folders given (a config's `plugins`), FREETICKETS_PLUGIN_PATH
 * (colon-separated), the installed or build tree's plugin folder.  Only *.so, not recursive, never
 * the current directory.  A file is judged by its stamp before any other code of it runs and never
 * unloaded, so its constructors run once in a process: one registry serves all of it.
 */
#ifndef FTK__REGISTRY_H
#define FTK__REGISTRY_H
#include "base/error.h"
#include "base/hash.h"
#include <freetickets/freetickets.h>
#include <stdbool.h>

struct ftk__file { /* a plugin file looked at                      */
    char *path;
    const ftk_stamp *stamp; /* NULL where refused before it                 */
    char *reason;           /* why refused; NULL: loaded                    */
    bool deferred;          /* a backend_*.so not asked for yet             */
    uint64_t device, inode;
};
struct ftk__entry { /* an algorithm                                 */
    const ftk_algo *algo;
    const struct ftk__file *file; /* NULL: built in                             */
};
struct ftk__registry;

struct ftk__registry *ftk__registry_new(void); /* NULL without memory          */
void ftk__registry_free(struct ftk__registry *r);
/* Looks at all folders (and single *.so files) of `dirs` and at the standing places.  Files
 * `backend_*.so` are only noted.  A file of a folder that cannot be loaded is no error here: its
 * reason is kept, as is that of a standing place that is not there.  A folder of `dirs` that does
 * not exist and a file named there that is refused are errors (the first is told), but all other
 * places are looked at all the same.  May be called again with more folders.                  */
ftk_status ftk__registry_scan(struct ftk__registry *r, const char *const *dirs, uint64_t n_dirs,
                              struct ftk_error *reterr);
/* Opens backend files: only "backend_<name>.so" for a name, all for NULL. */
ftk_status ftk__registry_open_backends(struct ftk__registry *r, const char *name,
                                       struct ftk_error *reterr);
/* `use` is "magnitude" or "org.example.topk:magnitude".  FTK_ENOENT names the nearest;
 * FTK_EEXIST names both files that offer the name.  A backend must be opened before.            */
ftk_status ftk__registry_find(const struct ftk__registry *r, ftk_kind kind, const char *use,
                              const struct ftk__entry **ret, struct ftk_error *reterr);
uint64_t ftk__registry_count(const struct ftk__registry *r);
const struct ftk__entry *ftk__registry_entry(const struct ftk__registry *r, uint64_t i);
uint64_t ftk__registry_file_count(const struct ftk__registry *r);
const struct ftk__file *ftk__registry_file(const struct ftk__registry *r, uint64_t i);
/* Of the file's bytes, read anew at each call: most commands never ask. */
ftk_status ftk__file_hash(const struct ftk__file *f, struct ftk__sha256 *ret,
                          struct ftk_error *reterr);
/* Names of a kind, for nearest-name messages: *ret_n pointers, freed with ftk__free. */
const char **ftk__registry_names(const struct ftk__registry *r, ftk_kind kind, uint64_t *ret_n);

/* Kinds that no plugin can offer: what is built in, so that it has a name and a description too. */
enum { FTK__KIND_DATA = 101, FTK__KIND_MODEL, FTK__KIND_OPTIM };
const char *ftk__kind_name(ftk_kind kind); /* "prune"                       */
bool ftk__kind_parse(const char *name, ftk_kind *ret);
#endif
