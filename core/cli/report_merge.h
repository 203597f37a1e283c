/* SPDX-License-Identifier: MIT
 * cli/report_merge.h - new numbers into an old report.
 */
#ifndef FTK__REPORT_MERGE_H
#define FTK__REPORT_MERGE_H
#include "base/json.h"
#include <stdbool.h>

/* Objects key by key, lists of equal length entry by entry, anything else replaced; what only
 * `into` has stays.  False without memory. */
bool ftk__report_merge(json_t *into, const json_t *from);
#endif
