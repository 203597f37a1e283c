/* SPDX-License-Identifier: MIT
 * cli/run_resume.h - whether an unfinished run may be continued here, and from where.
 *
 * A run goes on only as what it began as: same configuration and seed, same training data, same
 * files of the rules that decide results.  What does not decide them, or only their last bits, may
 * have changed and is noted.
 */
#ifndef FTK__RUN_RESUME_H
#define FTK__RUN_RESUME_H
#include "cli/prepare.h"
#include "train/checkpoint.h"

struct ftk__resume {
    struct ftk__ftc_file file; /* fd -1: there is no checkpoint, or no unfinished run */
    struct ftk__str notes;     /* lines for the log, warnings all of them      */
    struct ftk__str changes;   /* lines for the log: what changes no bit       */
    uint64_t step;             /* optimiser steps that lie behind              */
};
void ftk__resume_done(struct ftk__resume *r); /* one with fd -1 is fine           */

/* What a checkpoint keeps of run.json, to be compared before it is used; NULL without memory. */
json_t *ftk__resume_identity(const json_t *manifest);
/* Compares run.json or a checkpoint's identity, `then`, which messages call `what`, with run.json as
 * it would be now.  Refused, with what differs: another configuration or seed (78), other training
 * data (65), another file of a rule that the run uses (69).  Anything else becomes a line of
 * `notes`. */
ftk_status ftk__resume_check(const struct ftk__prepared *p, const char *what, const json_t *then,
                             const json_t *now, struct ftk__str *notes, struct ftk_error *reterr);
/* Of an unfinished run in `run_dir`, whose run.json is `then`: opens its last checkpoint that is
 * whole, after comparing run.json and that.  Where there is none yet, `ret` is without file and all
 * starts over; where there are only damaged ones that is an error (65) with the reason of each.  So
 * are a member's file and rows of metrics that the run wrote before the checkpoint, where they are
 * missing (66) or changed (65): what the run would end with cannot be right. */
ftk_status ftk__resume_open(const struct ftk__prepared *p, const char *run_dir, const json_t *then,
                            const json_t *now, struct ftk__resume *ret, struct ftk_error *reterr);
/* Notes and the place to the log. */
void ftk__resume_log(const struct ftk__resume *r);
#endif
