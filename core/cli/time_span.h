/* SPDX-License-Identifier: MIT
 * cli/time_span.h - lengths of time as a person types them.
 */
#ifndef FTK__TIME_SPAN_H
#define FTK__TIME_SPAN_H
#include "base/error.h"

/* "90s", "15m", "2h", "1.5d"; a number alone is seconds.  At least 0 and finite; `option` names
 * where it was typed ("--max-time").  Errors are those of usage (2). */
ftk_status ftk__time_span_parse(const char *option, const char *text, double *ret_seconds,
                                struct ftk_error *reterr);
#endif
