/* SPDX-License-Identifier: MIT
 * base/log.h - one event is one line on stderr, in log.txt and, as an object, in log.jsonl.
 *
 * "14:02:11 info train member=1 epoch=37 loss=0.412": a time, a level, an event and fields.
 * The only module besides cli/ with state of its own: where the log goes.
 */
#ifndef FTK__LOG_H
#define FTK__LOG_H
#include "base/error.h"
#include <freetickets/host.h>
#include <stdbool.h>

/* `min` is the least level that reaches stderr; files get everything from info on. */
void ftk__log_setup(ftk_level min, bool quiet);
/* Starts writing <dir>/log.txt and <dir>/log.jsonl, appending. */
ftk_status ftk__log_open(const char *dir, struct ftk_error *reterr);
void ftk__log_close(void);
/* `event` is one word; the rest "key=value key=value" with printf's formats; a value with spaces
 * is written in double quotes.  [any thread]                                              */
void ftk__log(ftk_level level, const char *event, const char *fmt, ...) FTK_PRINTF(3, 4);
/* Something else owns the last line of the terminal (a progress bar): called before and after
 * each line on stderr; NULL: none.  While it is there it tells how things go, and stderr gets
 * lines from warnings on, unless debug lines were asked for; files get what they always get.  */
void ftk__log_set_line_hook(void (*hook)(void *arg, bool before), void *arg);
#endif
