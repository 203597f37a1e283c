/* SPDX-License-Identifier: MIT
 * base/error.c - recording and printing of the one error of a failed call.
 *
 * Text comes from plugins and file names as well, so a message is cut to its buffer with "..."
 * and control characters are replaced: an error stays one line and cannot drive a terminal.
 */
#include "base/error.h"
#include <stdarg.h>
#include <string.h>

/* Through a buffer of its own, since the arguments may point into `ret_text` itself. */
static void format_line(char ret_text[FTK__ERROR_TEXT], const char *fmt, va_list args)
{
    char line[FTK__ERROR_TEXT];
    int n = vsnprintf(line, sizeof line, fmt, args);
    if (n < 0)
        line[0] = 0;
    if (n >= (int)sizeof line)
        memcpy(line + sizeof line - 4, "...", 4);
    for (char *c = line; *c; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    memcpy(ret_text, line, sizeof line);
}

static ftk_status fail_v(struct ftk_error *reterr, ftk_status st, int code, const char *fmt,
                         va_list args)
{
    if (!reterr)
        return st;
    reterr->status = st;
    reterr->exit_code = code;
    reterr->n_context = 0;
    format_line(reterr->message, fmt, args);
    return st;
}

ftk_status ftk__fail(struct ftk_error *reterr, ftk_status st, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_v(reterr, st, 0, fmt, args);
    va_end(args);
    return st;
}

ftk_status ftk__fail_exit(struct ftk_error *reterr, ftk_status st, enum ftk__exit code,
                          const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_v(reterr, st, (int)code, fmt, args);
    va_end(args);
    return st;
}

void ftk__error_context(struct ftk_error *reterr, const char *fmt, ...)
{
    if (!reterr)
        return;
    /* When all are used the outermost replaces the one before: it says where in the config. */
    if (reterr->n_context < FTK__ERROR_CONTEXTS)
        reterr->n_context++;
    va_list args;
    va_start(args, fmt);
    format_line(reterr->context[reterr->n_context - 1], fmt, args);
    va_end(args);
}

void ftk__error_print(FILE *to, const struct ftk_error *err)
{
    fprintf(to, "error: %s\n", err->message);
    for (unsigned i = 0; i < err->n_context; i++)
        fprintf(to, "  %s\n", err->context[i]);
}
