/* SPDX-License-Identifier: MIT
 * eval/metrics.h - metric plugins over cached predictions.
 */
#ifndef FTK__METRICS_H
#define FTK__METRICS_H
#include "base/json.h"
#include "eval/average.h"
#include "plugin/host_table.h"

struct ftk__metric_use {
    struct ftk__instance *instance;
    const char *protocol;       /* "standard", "paper", "ub"                    */
};
/* One value of one metric; name "ece", or "ece@paper" for another protocol than standard. */
struct ftk__metric_result {
    char name[64];
    const ftk_metric_value *declared;
    double value;
};
/* Runs every metric over all samples in batches of 1024 in order; values outside their declared
 * range are an error naming metric and value.  *ret is ftk__free'd.  A metric that compares members
 * and refuses fewer than two has the value NaN. */
ftk_status ftk__metrics_run(const struct ftk__metric_use *use, uint64_t n_use, uint32_t members,
                            uint32_t classes, uint64_t n, const float *const *logits,
                            const int32_t *label, struct ftk__metric_result **ret,
                            uint64_t *ret_n, struct ftk_error *reterr);
/* {ensemble: {accuracy, ...}, members: [{...}], mean: {...}, diversity: {...}} for one set: the
 * metrics on all members together and on each alone; those that compare members
 * (FTK_METRIC_MEMBERS) only together, under `diversity`. */
ftk_status ftk__metrics_report(const struct ftk__metric_use *use, uint64_t n_use, uint32_t members,
                               uint32_t classes, uint64_t n, const float *const *logits,
                               const int32_t *label, json_t **ret, struct ftk_error *reterr);
#endif
