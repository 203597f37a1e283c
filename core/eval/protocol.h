/* SPDX-License-Identifier: MIT
 * eval/protocol.h - what a metric protocol fixes: `paper` is what the published code computes, `ub`
 * Uncertainty Baselines, `standard` a metric's own parameters.
 */
#ifndef FTK__PROTOCOL_H
#define FTK__PROTOCOL_H
#include "plugin/host_table.h"

/* Whether `protocol` defines the metric in a way of its own; else it is the same as `standard`. */
bool ftk__protocol_defines(const char *protocol, const char *metric);
/* The parameters of `metric` under a protocol that defines it, the rest by default; from `arena`.
 * Errors: a plugin of that name without the parameters that the protocol fixes (78). */
ftk_status ftk__protocol_params(const char *protocol, const struct ftk__entry *metric,
                                struct ftk__arena *arena, void **ret, struct ftk_error *reterr);
#endif
