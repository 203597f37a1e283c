/* SPDX-License-Identifier: MIT
 * cli/json_text.h - text of any origin as a JSON string.
 */
#ifndef FTK__JSON_TEXT_H
#define FTK__JSON_TEXT_H
#include "base/json.h"

/* File names and messages need not be UTF-8, JSON must: each byte that is none becomes `?`.  null
 * for NULL; NULL without memory. */
json_t *ftk__json_text(const char *text);
#endif
