/* SPDX-License-Identifier: MIT
 * plugin/describe.h - what is installed and what it takes: for people, as JSON, as a config stanza.
 */
#ifndef FTK__DESCRIBE_H
#define FTK__DESCRIBE_H
#include "base/json.h"
#include "plugin/params.h"
#include "plugin/registry.h"

/* A table by kind: name, version, file; with `verbose` every file looked at and why refused.
 * kind 0: all.                                                                             */
ftk_status ftk__list_print(const struct ftk__registry *r, uint32_t kind, bool verbose,
                           struct ftk__str *out, struct ftk_error *reterr);
/* [ {kind, name, plugin, version, path, sha256, status, reason} ]; refused files have name null. */
json_t *ftk__list_json(const struct ftk__registry *r, uint32_t kind);
/* Its parameters alone, a line each: name, type, default, range, meaning. */
void ftk__describe_params(const ftk_algo *a, struct ftk__str *out);
void ftk__describe_print(const struct ftk__entry *e, struct ftk__str *out);
json_t *ftk__describe_json(const struct ftk__entry *e);
/* `prune = { use = "magnitude"; ... };` with every default. */
void ftk__describe_cfg(const struct ftk__entry *e, struct ftk__str *out);
#endif
