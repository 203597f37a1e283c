/* SPDX-License-Identifier: MIT
 * cli/run_identity.h - what makes two runs the same, and how they differ.
 */
#ifndef FTK__RUN_IDENTITY_H
#define FTK__RUN_IDENTITY_H
#include "base/hash.h"
#include "config/load.h"

struct ftk__identity {
    struct ftk__str lines;      /* sorted "path=value", of all that decides results but the seed */
    struct ftk__sha256 hash;    /* of them                                      */
    char hash8[9];
    int64_t seed;
};
ftk_status ftk__identity_make(const struct ftk__experiment *x, struct ftk__identity *ret,
                              struct ftk_error *reterr);
void ftk__identity_done(struct ftk__identity *id);

/* The lines as an array of strings, for run.json; NULL without memory. */
json_t *ftk__identity_json(const struct ftk__identity *id);
/* Appends "  path: VALUE there, VALUE here" for every key in which the run of `manifest` differs.
 * *ret_n: how many. */
ftk_status ftk__identity_diff(const struct ftk__identity *here, const json_t *manifest,
                              struct ftk__str *out, uint64_t *ret_n, struct ftk_error *reterr);
#endif
