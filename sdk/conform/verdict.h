/* SPDX-License-Identifier: MIT
 * conform/verdict.h - the one line that a rule's process writes: {"verdict": "fail", "message": "...",
 * "note": "...", "cause": "..."} on the descriptor it was given.  Safe in a signal handler.
 */
#ifndef FTK__VERDICT_H
#define FTK__VERDICT_H
#include "conform/kit.h"

/* Sends the first verdict of the process and exits; another thread's or handler's waits for that. */
_Noreturn void ftk__verdict_send(int out, enum ftk__verdict v, const char *message);
/* The note that the next verdict carries; kept here, for a handler has no case. */
void ftk__verdict_note(const char *text);
/* Likewise its cause, a FTK__CAUSE_*: static storage. */
void ftk__verdict_cause(const char *word);
#endif
