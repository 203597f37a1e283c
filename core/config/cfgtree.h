/* SPDX-License-Identifier: MIT
 * config/cfgtree.h - libconfig's result as our read-only tree, and what `-s` changes in it.
 */
#ifndef FTK__CFGTREE_H
#define FTK__CFGTREE_H
#include "base/setting.h"
#include "config/prescan.h"

/* Parses p->text; every setting has the file and line it came from.  The tree lives in `arena`. */
ftk_status ftk__tree_parse(const struct ftk__prescan *p, struct ftk__arena *arena,
                           struct ftk__setting **ret_root, struct ftk_error *reterr);
/* Adds `child` to a group in place of one of the same name; false without memory. */
bool ftk__tree_put(struct ftk__arena *arena, struct ftk__setting *group,
                   struct ftk__setting *child);
void ftk__tree_remove(struct ftk__setting *group, const char *name);

/* Applies "path.to.key=value" in turn.  A value that does not parse is a string without quotes.
 * Another name for a `use` drops what the file gave to the former one.  A malformed override is
 * an error of usage (2). */
ftk_status ftk__tree_override(struct ftk__setting *root, const char *const *overrides, uint64_t n,
                              struct ftk__arena *arena, struct ftk_error *reterr);
#endif
