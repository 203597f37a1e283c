/* SPDX-License-Identifier: MIT
 * cli/verify_resume.h - `run --verify-resume N`: that an interrupted run ends in the same bytes, proved
 * on the user's own experiment.
 */
#ifndef FTK__VERIFY_RESUME_H
#define FTK__VERIFY_RESUME_H
#include "cli/prepare.h"

/* Trains the experiment of o->args[0] twice in processes of its own, in a new folder beside the
 * run's: once whole, once interrupted `n` times at moments drawn by the experiment's seed, by SIGKILL
 * and SIGTERM in turn, and compares.  Prints what it did; the folder is removed unless something
 * differs or fails.  Returns an exit code: 0 the same, 1 not. */
int ftk__verify_resume(const struct ftk__prepared *p, const struct ftk__options *o, uint64_t n);
#endif
