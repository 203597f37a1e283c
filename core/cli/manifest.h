/* SPDX-License-Identifier: MIT
 * cli/manifest.h - run.json: what ran, on what, with which plugins, and what it cost.
 *
 * It is written when a run starts or goes on, when its training ends, and when it stops or fails; its
 * `status` is "unfinished" until every member is there, then "finished".
 */
#ifndef FTK__MANIFEST_H
#define FTK__MANIFEST_H
#include "cli/prepare.h"
#include "cli/run_identity.h"
#include "plugin/engine.h"
#include "report/table.h"
#include "train/trainer.h"

/* The document of a run that starts. */
ftk_status ftk__manifest_new(const struct ftk__prepared *p, const struct ftk__identity *id,
                             json_t **ret, struct ftk_error *reterr);
/* Adds the backend; its kernels once there is a program. */
ftk_status ftk__manifest_backend(json_t *doc, const struct ftk__prepared *p,
                                 struct ftk__engine *e, struct ftk_error *reterr);
ftk_status ftk__manifest_data(json_t *doc, const struct ftk__prepared *p,
                              const struct ftk__dataset *d, struct ftk_error *reterr);
/* Of a run that goes on: takes over from its run.json `before` when it started, what its checkpoints
 * cost and the list of resumptions, and adds one after `step` optimiser steps, with the backend that
 * `doc` names by now. */
ftk_status ftk__manifest_resumed(json_t *doc, const json_t *before, uint64_t step,
                                 struct ftk_error *reterr);
/* Marks it finished. */
ftk_status ftk__manifest_trained(json_t *doc, const struct ftk__train_report *r,
                                 struct ftk_error *reterr);
/* Keeps where and why it stopped, with a checkpoint; the run stays unfinished. */
ftk_status ftk__manifest_stopped(json_t *doc, const struct ftk__train_report *r, const char *why,
                                 struct ftk_error *reterr);
/* Keeps the reason; the run stays unfinished. */
void ftk__manifest_failed(json_t *doc, const struct ftk_error *err);
ftk_status ftk__manifest_write(const char *dir, const json_t *doc, struct ftk_error *reterr);

/* The cost of a finished run; `ret` borrows from `doc`, no dense run is set.  Without the numbers
 * it is FTK_EINVAL (65). */
ftk_status ftk__manifest_cost(const json_t *doc, struct ftk__cost *ret, struct ftk_error *reterr);
double ftk__manifest_wall(const json_t *doc);   /* seconds of training          */

/* Metadata of members: hashes of configuration and plugins, seed, members, in `arena`. */
ftk_status ftk__member_meta(const struct ftk__prepared *p, const struct ftk__identity *id,
                            struct ftk__arena *arena, const struct ftk__st_meta **ret,
                            uint64_t *ret_n, struct ftk_error *reterr);
#endif
