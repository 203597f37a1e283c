/* SPDX-License-Identifier: MIT
 * conform/kit_reports.h - what the kit has seen, for people, for TAP readers, as JSON.
 */
#ifndef FTK__KIT_REPORTS_H
#define FTK__KIT_REPORTS_H
#include "base/hash.h"
#include "base/json.h"
#include "conform/parent.h"

/* Where a rule did not pass: the command that runs it alone under a debugger. */
void ftk__verdict_command(const struct ftk__conform_run *r, const struct ftk__outcome *o,
                          struct ftk__str *out);
void ftk__report_human(const struct ftk__conform_run *r, struct ftk__str *out);
void ftk__report_tap(const struct ftk__conform_run *r, struct ftk__str *out);
/* The document of one file; NULL without memory. */
json_t *ftk__report_json(const struct ftk__conform_run *r, uint32_t file);

/* The table of rules: a line each; as JSON; as a page of Markdown. */
void ftk__rules_print(struct ftk__str *out);
json_t *ftk__rules_json(void);
void ftk__rules_markdown(struct ftk__str *out);
/* SHA-256 over what the table of rules says. */
ftk_status ftk__rules_hash(struct ftk__sha256 *ret, struct ftk_error *reterr);

/* The highest level all of whose rules up to it passed on this file, warned or did not apply. */
int ftk__level_reached(const struct ftk__conform_run *r, uint32_t file);
#endif
