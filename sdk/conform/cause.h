/* SPDX-License-Identifier: MIT
 * conform/cause.h - what ended a rule, where that is not what the rule is about: the advice is then
 * about the cause, for that of the rule would mislead.
 */
#ifndef FTK__CAUSE_H
#define FTK__CAUSE_H
#include "conform/kit.h"

/* Set before the verdict is sent; words go from a rule's process to the parent. */
#define FTK__CAUSE_BOUNDS     "bounds"     /* outside of a buffer                          */
#define FTK__CAUSE_INPUT      "input"      /* a read-only input was written                */
#define FTK__CAUSE_KEPT       "kept"       /* a buffer was used after its call             */
#define FTK__CAUSE_NULL       "null"       /* an address near 0                            */
#define FTK__CAUSE_EXCEPTION  "exception"  /* of C++                                       */
#define FTK__CAUSE_DESCRIPTOR "descriptor" /* what the loader refuses                     */

/* The advice for a cause; the rule's own where it is about that, or the word is unknown. */
const char *ftk__cause_fix(const struct ftk__rule *rule, const char *cause);
/* Whether what a process printed before it aborted is the C++ runtime's last word. */
bool ftk__cause_is_exception(const char *output);
#endif
