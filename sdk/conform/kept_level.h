/* SPDX-License-Identifier: MIT
 * conform/kept_level.h - the level that a plugin file has reached, kept for `list` and run.json.
 */
#ifndef FTK__KEPT_LEVEL_H
#define FTK__KEPT_LEVEL_H
#include "conform/parent.h"

/* Writes each file's verdicts to "FILE.conform.json" beside it, or where that folder cannot be
 * written to $XDG_CACHE_HOME/freetickets/conform/<sha256>.json.  Nothing is kept where only some
 * rules ran, or the seconds were set; a place that cannot be written is passed over. */
void ftk__levels_keep(const struct ftk__conform_run *r);
/* The level kept of this very content, judged by the rules of this program; 0: none that can be read.
 * FTK_ENOMEM. */
ftk_status ftk__level_kept(const char *path, const char *sha256, int *ret,
                           struct ftk_error *reterr);
#endif
