/* SPDX-License-Identifier: MIT
 * cli/stop_signal.h - being asked to stop: by SIGINT, SIGTERM, SIGUSR2, SIGHUP, SIGXCPU, or because a
 * time is over.
 *
 * The first signal says so on standard error and sets a flag, which is looked at between units of
 * work; a second SIGINT ends the process at once with status 130.
 */
#ifndef FTK__STOP_SIGNAL_H
#define FTK__STOP_SIGNAL_H
#include "base/error.h"
#include <signal.h>
#include <stdbool.h>

/* Installs the handlers.  `max_s`: seconds from now until the process is taken to be asked; below 0:
 * never.  What was ignored stays so: it is how a shell starts what runs in its background (SIGINT),
 * and what nohup does (SIGHUP).  SIGXFSZ and SIGPIPE are ignored: the write fails. */
ftk_status ftk__stop_setup(double max_s, struct ftk_error *reterr);
const volatile sig_atomic_t *ftk__stop_flag(void); /* not 0: asked by a signal    */
double ftk__stop_deadline(void);                   /* by ftk__now(); 0: none      */
bool ftk__stop_asked(void);                        /* by either                   */
const char *ftk__stop_reason(void);                /* "SIGTERM"; "--max-time"     */
#endif
