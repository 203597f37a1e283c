/* SPDX-License-Identifier: MIT
 * config/rewrite.h - the spliced text as libconfig 1.5 reads it rightly.
 */
#ifndef FTK__REWRITE_H
#define FTK__REWRITE_H
#include "config/prescan.h"

/* Fills p->text from p->source, counting settings; line for line. */
ftk_status ftk__rewrite(struct ftk__prescan *p, struct ftk_error *reterr);
#endif
