/* SPDX-License-Identifier: MIT
 * base/error.h - one error: what failed, where, and the exit code a person's shell will see.
 *
 * A function that can fail returns an ftk_status and takes `struct ftk_error *reterr` last; it is
 * written only on failure and may be NULL.  The innermost caller states fact, value and limit
 * once; those further out add only what they alone know, as context lines.
 */
#ifndef FTK__ERROR_H
#define FTK__ERROR_H
#include <freetickets/abi.h>
#include <stdio.h>

/* What the shell sees; `interface` of the program, documented in freetickets(1). */
enum ftk__exit {
    FTK__EXIT_OK = 0,
    FTK__EXIT_FAILED = 1,       /* a check, test or comparison failed           */
    FTK__EXIT_USAGE = 2,
    FTK__EXIT_DATA = 65,        /* data are wrong                               */
    FTK__EXIT_NO_DATA = 66,     /* data are missing                             */
    FTK__EXIT_UNAVAILABLE = 69, /* no such device or plugin                     */
    FTK__EXIT_INTERNAL = 70,
    FTK__EXIT_IN_USE = 73,      /* the folder is in use or holds another run    */
    FTK__EXIT_IO = 74,
    FTK__EXIT_STOPPED = 75,     /* stopped by signal or --max-time              */
    FTK__EXIT_DIVERGED = 76,
    FTK__EXIT_CONFIG = 78,
    FTK__EXIT_INTERRUPTED = 130
};

enum { FTK__ERROR_CONTEXTS = 8, FTK__ERROR_TEXT = 512 };

struct ftk_error {
    ftk_status status;
    int exit_code;              /* 0: follows from status                       */
    unsigned n_context;
    char message[FTK__ERROR_TEXT];
    char context[FTK__ERROR_CONTEXTS][FTK__ERROR_TEXT]; /* innermost first      */
};

/* Records message and status, drops earlier context; returns `st` so that a caller writes
 * `return ftk__fail(reterr, FTK_EINVAL, "density %g is above 1", d);`                    */
ftk_status ftk__fail(struct ftk_error *reterr, ftk_status st, const char *fmt, ...)
    FTK_PRINTF(3, 4);
/* The same with an exit code of its own. */
ftk_status ftk__fail_exit(struct ftk_error *reterr, ftk_status st, enum ftk__exit code,
                          const char *fmt, ...) FTK_PRINTF(4, 5);
/* Adds one line of context ("in prune plugin 'taylor' (...)"); beyond eight the last stays. */
void ftk__error_context(struct ftk_error *reterr, const char *fmt, ...) FTK_PRINTF(2, 3);

const char *ftk__status_name(ftk_status st); /* "EINVAL"                          */
const char *ftk__status_text(ftk_status st); /* "invalid argument or configuration" */
int ftk__error_exit_code(const struct ftk_error *err);
/* "error: message" and the context, indented by two. */
void ftk__error_print(FILE *to, const struct ftk_error *err);
#endif
