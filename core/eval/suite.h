/* SPDX-License-Identifier: MIT
 * eval/suite.h - members on test sets: cached logits in a run folder, and the report made of them.
 */
#ifndef FTK__SUITE_H
#define FTK__SUITE_H
#include "data/testset.h"
#include "eval/metrics.h"
#include "eval/validate.h"
#include <stdbool.h>

struct ftk__suite {
    const char *run_dir;
    uint32_t members;
    struct ftk__engine *engine; /* compiled for the model                        */
    /* Loads member i into the engine; given by the caller, who knows the file format. */
    ftk_status (*load)(void *arg, uint32_t member, struct ftk_error *reterr);
    /* The digest of member i's files; FTK_ENOENT where they are gone. */
    ftk_status (*digest)(void *arg, uint32_t member, struct ftk__sha256 *ret,
                         struct ftk_error *reterr);
    void *load_arg;
    bool (*stopped)(void);                 /* asked before each member; NULL: never        */
    const struct ftk__metric_use *metrics; // [n_metrics]
    uint64_t n_metrics;
};
/* Whether preds/<set> holds labels and every member's logits of `n` samples, each whole and of the
 * member that is there (eval/pred_index.h). */
ftk_status ftk__suite_has(const struct ftk__suite *s, const char *set, uint64_t n, bool *ret,
                          struct ftk_error *reterr);
/* Whether preds/<set> is of the images and labels with this hash. */
ftk_status ftk__suite_is_of(const struct ftk__suite *s, const char *set,
                            const struct ftk__sha256 *data, bool *ret, struct ftk_error *reterr);
/* Writes preds/<set>/member-<i>.npy (float32 [n][classes]) where they are missing in that sense or of
 * other data than `data`, the hash of `im`, and labels.npy (int32).  FTK_DONE: stopped as asked;
 * what is written stays. */
ftk_status ftk__suite_predict(const struct ftk__suite *s, const char *set,
                              const struct ftk__images *im, const struct ftk__sha256 *data,
                              struct ftk_error *reterr);
/* Metrics of preds/<set> as in ftk__metrics_report. Needs no engine. */
ftk_status ftk__suite_score(const struct ftk__suite *s, const char *set, json_t **ret,
                            struct ftk_error *reterr);
#endif
