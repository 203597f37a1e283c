/* SPDX-License-Identifier: MIT
 * cli/train_run.h - the training of one run in its folder, from the files that say what is asked to
 * the members and a finished run.json.
 */
#ifndef FTK__TRAIN_RUN_H
#define FTK__TRAIN_RUN_H
#include "cli/manifest.h"

/* In a folder that is fresh or holds the same run, unfinished: that one goes on from its checkpoint.
 * *ret_manifest is the document as it stands.  What is refused before the first step leaves the
 * folder as it was; what fails later leaves it unfinished, with the reason in run.json where that
 * can still be written.  On success engine and data are open, for the evaluation and for the caller
 * to close.  FTK_DONE: stopped as asked; what is kept can be continued, nothing is left open, and
 * *ret_manifest is NULL where the training had not begun. */
struct ftk__train_request {
    struct ftk__prepared *p;
    const struct ftk__identity *id;
    const char *run_dir;
    const int *lock;      /* on run_dir, base/io.h                        */
    const json_t *before; /* run.json of the unfinished run; NULL: a fresh folder */
    const char *dense;    /* --dense: refused before training where it cannot be compared */
    double checkpoint_s;  /* as ftk__checkpoints.interval_s               */
    bool quiet;
};
ftk_status ftk__train_run(const struct ftk__train_request *q, struct ftk__engine *ret_engine,
                          struct ftk__dataset **ret_data, json_t **ret_manifest,
                          struct ftk_error *reterr);
#endif
