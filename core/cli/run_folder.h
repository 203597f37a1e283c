/* SPDX-License-Identifier: MIT
 * cli/run_folder.h - <output>/<name>-<hash8>/seed-<n>: who may write there, and what is there.
 */
#ifndef FTK__RUN_FOLDER_H
#define FTK__RUN_FOLDER_H
#include "cli/options.h"
#include "cli/run_identity.h"

struct ftk__run_folder {
    char *dir;
    int lock;                   /* held until close                             */
    bool ours;                  /* not the user's own --out                     */
    bool finished;              /* by an earlier process                        */
    json_t *manifest;           /* of the run that is there; NULL: a fresh folder */
};
/* Makes and locks the folder.  Refused: one in use, or with files that are no run (73); one of
 * another config, or an unfinished sibling of another config (78), then the keys that differ are in
 * `ret_differences`.  With --new what is in the way is moved to
 * "<dir>.old-<n>" instead. */
ftk_status ftk__run_folder_open(const struct ftk__experiment *x, const struct ftk__identity *id,
                                const struct ftk__options *o, struct ftk__run_folder *ret,
                                struct ftk__str *ret_differences, struct ftk_error *reterr);
/* A folder in which nothing was written is removed again, unless the user named it. */
void ftk__run_folder_close(struct ftk__run_folder *f);

/* <dir>/run.json; FTK_ENOENT (66) where there is none. */
ftk_status ftk__manifest_read(const char *dir, json_t **ret, struct ftk_error *reterr);
bool ftk__manifest_finished(const json_t *manifest);
#endif
