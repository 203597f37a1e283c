/* SPDX-License-Identifier: MIT
 * train/checkpoint.h - a run's whole state in <run>/checkpoint/last.ftc, and back from it.
 *
 * The former last becomes prev.  A checkpoint falls between units only: a step and the topology
 * update that follows it are one, and so are the last step of a TRAIN whose gradient an ESCAPE uses
 * and that ESCAPE.  Resumed, a run goes on to the same bytes, on any backend that can be bitwise.
 */
#ifndef FTK__CHECKPOINT_H
#define FTK__CHECKPOINT_H
#include "base/ftc.h"
#include "base/str.h"
#include <signal.h>

/* What train/ is told about checkpoints; all borrowed. */
struct ftk__checkpoints {
    const char *dir;            /* <run>/checkpoint, made when needed; NULL: none are written */
    const json_t *identity;     /* goes into the header as "identity" and is not looked at: what the
                                 * caller compares before it resumes            */
    const struct ftk__ftc_file *from; /* resume from this; NULL: from the beginning */
    double interval_s;          /* seconds between checkpoints; 0: after every unit; below 0: so
                                 * rarely that they take under 1 % of the run    */
    const volatile sig_atomic_t *stop; /* not 0: finish the unit, checkpoint, leave; NULL: never */
    double deadline;            /* ftk__now() from which `stop` is taken to be set; 0: none */
};

struct ftk__checkpoint_costs {  /* of this process                              */
    uint64_t count, bytes_last;
    double seconds;
};

/* Checks the members that a run in `run_dir` had saved when the checkpoint was written
 * (train/saved.h), and its rows (train/journal.h); FTK_EINVAL (65) too where it records none. */
ftk_status ftk__checkpoint_check_files(const struct ftk__ftc_file *f, const char *run_dir,
                                       struct ftk_error *reterr);
/* Opens <dir>/last.ftc or, where that is refused, prev.ftc, and says in *ret_note (empty: nothing to
 * say; else a sentence for the log) which and why.  FTK_ENOENT where there is neither;
 * the error of last.ftc where both are refused. */
ftk_status ftk__checkpoint_find(const char *dir, struct ftk__ftc_file *ret,
                                struct ftk__str *ret_note, struct ftk_error *reterr);
#endif
