/* SPDX-License-Identifier: MIT
 * cli/leftovers.h - what a process that was killed left of files it was about to write.
 */
#ifndef FTK__LEFTOVERS_H
#define FTK__LEFTOVERS_H

/* Removes temporary files of ours below a run's folder, which the caller has locked.  The next write
 * of the same file would, but not each is written again: a checkpoint may be the last. */
void ftk__leftovers_remove(const char *run_dir);
#endif
